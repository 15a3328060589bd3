package rollout_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	compare "github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/internal/scenario"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestPipelines plays the stories of pipelines as TestStories does those of rollouts.
// testdata/pipelines/README.md lists what they add.
func TestPipelines(t *testing.T) {
	playAll(t, "testdata/pipelines", func(t *testing.T, story *scenario.Story) {
		synctest.Test(t, func(t *testing.T) {
			f := newFactory(t)
			story.Play(f.do)
			f.curtain()
		})
	})
}

// factory is where a pipeline's story plays. What its stages have done outlives crashes.
type factory struct {
	*stage
	pipeline rollout.Pipeline
	left     map[string]bool // what stages have done, and was not taken back
	never    chan struct{}   // what a deaf stage waits for
}

func newFactory(t *testing.T) *factory {
	f := &factory{stage: newStage(t), left: map[string]bool{}, never: make(chan struct{})}
	f.more = f.told
	f.pipeline.Name = "ship"
	return f
}

// told is a command that only a pipeline knows.
func (f *factory) told(c scenario.Command) string {
	switch c.Name {
	case "stage":
		f.pipeline.Stages = append(f.pipeline.Stages, f.staged(c.Args))
	case "parallel":
		f.pipeline.Parallel = number(c.Args[0])
	case "do", "undo", "when":
		f.props.set(c.Name+" "+c.Args[0], c.Args[1:])
	case "run":
		f.ship(c.Args)
	case "report":
		report, err := f.engine.Report(c.Args[0])
		if err != nil {
			return err.Error() + "\n"
		}
		return report.String() + "\n"
	default:
		f.Fatalf("no command is called %q", c.Name)
	}
	return ""
}

// staged reads a stage: its name, and what is not zero in it.
func (f *factory) staged(words []string) rollout.Stage {
	name := words[0]
	// Each takes a moment that no others add up to, so that no two things happen at once.
	moment := time.Duration(1 << len(f.pipeline.Stages))
	act := func(what string, moment time.Duration) rollout.Action {
		return func(ctx context.Context, s *rollout.StageRun) error {
			time.Sleep(moment)
			return f.act(ctx, what, s)
		}
	}
	s := rollout.Stage{Name: name, Do: act("do", moment)}
	for _, word := range words[1:] {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "needs":
			s.Needs = strings.Split(value, ",")
		case "undo":
			s.Undo = act("undo", moment<<10)
		case "when":
			s.When = act("when", moment)
		case "optional":
			s.Optional = true
		case "no-return":
			s.NoReturn = strings.ReplaceAll(value, "-", " ")
		case "timeout":
			s.Timeout = f.deadline(value).Within
		case "retry":
			attempts, wait, _ := strings.Cut(value, "/")
			s.Retry.Attempts = number(attempts)
			if wait != "" {
				s.Retry.Wait = f.deadline(wait).Within
			}
		case "deploys":
			s.Do, s.Deploy = nil, f.deploys(value, moment)
		default:
			f.Fatalf("a stage with %q", word)
		}
	}
	if s.NoReturn != "" && s.When == nil { // or it would pass that at once, beside others
		s.When = func(context.Context, *rollout.StageRun) error { time.Sleep(moment << 14); return nil }
	}
	return s
}

// deploys is a canary of a service.
func (f *factory) deploys(name string, moment time.Duration) func(*rollout.StageRun) (rollout.Request, error) {
	return func(s *rollout.StageRun) (rollout.Request, error) {
		time.Sleep(moment)
		f.mu.Lock()
		defer f.mu.Unlock()
		target := f.service(name)
		f.targets[s.Rollout] = target
		plan, err := strategy.Canary{Weights: []strategy.Share{10 * strategy.Percent, strategy.All}, Hold: 10 * time.Minute}.Plan(strategy.Input{})
		return rollout.Request{Service: name, Environment: "production", Target: target, Plan: plan, Look: 30 * time.Second}, err
	}
}

// act is what a stage does, by what the story says of it.
func (f *factory) act(ctx context.Context, what string, s *rollout.StageRun) error {
	name := s.Stage
	mood, rest := f.props.get(what + " " + name)
	if mood == "fails" && len(rest) > 1 { // so many times
		if n := number(rest[0]); n > 1 {
			f.props.set(what+" "+name, []string{mood, fmt.Sprint(n - 1), rest[1]})
		} else {
			f.props.set(what+" "+name, nil)
		}
		rest = rest[1:]
	}
	text := strings.Join(rest, " ")
	f.leave(name, what == "do" || what == "undo" && mood != "")
	switch mood {
	case "fails":
		f.leave(name, what == "undo")
		return errors.New(text)
	case "skips-after":
		time.Sleep(f.deadline(rest[0]).Within)
		text = strings.Join(rest[1:], " ")
		fallthrough
	case "skips":
		f.leave(name, false)
		return fmt.Errorf("%w: %s", rollout.ErrSkip, text)
	case "no-way-back":
		return fmt.Errorf("%w: %s", rollout.ErrNoWayBack, text)
	case "takes":
		select {
		case <-time.After(f.deadline(rest[0]).Within):
		case <-ctx.Done():
			return ctx.Err()
		}
	case "late": // it does not care for its context
		time.Sleep(f.deadline(rest[0]).Within)
	case "panics":
		panic(text)
	case "exits":
		runtime.Goexit()
	case "hangs":
		<-ctx.Done()
		return ctx.Err()
	case "deaf":
		<-f.never
	}
	f.leave(name, what == "do")
	return nil
}

func (f *factory) leave(name string, left bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if delete(f.left, name); left {
		f.left[name] = true
	}
}

// ship begins a run.
func (f *factory) ship(words []string) {
	id, pipeline, engine, alive := words[0], f.pipeline, f.engine, f.alive
	pipeline.Stages = slices.Clone(pipeline.Stages)
	ctx, stop := context.WithCancel(alive)
	f.stops[id] = stop
	f.busy.Add(1)
	go func() {
		defer f.busy.Add(-1)
		defer stop()
		report, err := engine.Run(ctx, rollout.RunRequest{ID: id, Release: rollout.Release{Name: "shop", Version: "v" + id, Digest: "sha256:" + id}}, pipeline)
		if alive.Err() != nil {
			return // there is nobody to tell
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		text := fmt.Sprintf("%s: %v, and what is left is: %s\n", id, report.Outcome, cmp.Or(strings.Join(slices.Sorted(maps.Keys(f.left)), ", "), "nothing"))
		if err != nil {
			text = err.Error() + "\n"
		}
		f.ended = append(f.ended, text)
	}()
}

// curtain holds the invariants of every story.
func (f *factory) curtain() {
	close(f.never)
	f.stage.curtain()
	again, err := rollout.New(f.memory, f.options)
	require.NoError(f, err)
	ends := map[string]int{}
	for _, r := range records(f, f.memory) {
		if r.Pipeline != "" && r.Kind == rollout.KindFinished {
			ends[r.Rollout]++
		} else if r.Run != nil {
			ends[r.Rollout] += 0
		}
	}
	for id, n := range ends {
		require.Equal(f, 1, n, "terminal records of %s", id)
		was, err := f.engine.Report(id)
		require.NoError(f, err)
		is, err := again.Report(id)
		require.NoError(f, err)
		require.Empty(f, compare.Diff(was, is), "a second engine says the same")
		if was.Outcome == rollout.RolledBack {
			for _, s := range was.Stages {
				require.False(f, s.Undo != nil && f.left[s.Name] && s.Undo.Ended.IsZero(), "%s is left", s.Name)
			}
		}
	}
}
