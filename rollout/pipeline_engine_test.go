package rollout_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// line is a pipeline of stages of which each needs the one before.
func line(stages ...rollout.Stage) rollout.Pipeline {
	for i := range stages {
		if i > 0 {
			stages[i].Needs = []string{stages[i-1].Name}
		}
	}
	return rollout.Pipeline{Stages: stages}
}

// ran runs a pipeline on a journal.
func ran(t testing.TB, journal rollout.Journal, id string, p rollout.Pipeline) rollout.Report {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{})
	require.NoError(t, err)
	report, err := engine.Run(t.Context(), rollout.RunRequest{ID: id, Release: rollout.Release{Version: id}}, p)
	require.NoError(t, err)
	return report
}

func refuses(context.Context, *rollout.StageRun) error { return errors.New("no") }

// TestRunIDs: runs and rollouts have their IDs of one pot, and who comes second with an
// ID joins, or is refused.
func TestRunIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine := newEngine(t, memory)
		ctx := t.Context()
		calls := atomic.Int32{}
		slow := func(context.Context, *rollout.StageRun) error {
			calls.Add(1)
			time.Sleep(time.Minute)
			return nil
		}
		p := line(rollout.Stage{Name: "a", Do: slow})
		var both [2]rollout.Report
		var wait sync.WaitGroup
		for i := range both {
			wait.Go(func() {
				var err error
				both[i], err = engine.Run(ctx, rollout.RunRequest{ID: "1"}, p)
				require.NoError(t, err)
			})
		}
		wait.Wait()
		require.Equal(t, int32(1), calls.Load())
		require.Equal(t, both[0], both[1])

		outcome, err := engine.Deploy(ctx, rollout.Request{ID: "r", Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		for _, engine := range []*rollout.Engine{engine, newEngine(t, memory)} {
			_, err = engine.Run(ctx, rollout.RunRequest{ID: "r"}, p)
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Deploy(ctx, rollout.Request{ID: "1", Plan: toFifty, Target: harmless()})
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Run(ctx, rollout.RunRequest{ID: "1", Release: rollout.Release{Version: "other"}}, p)
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Resume(ctx, rollout.Request{ID: "1", Target: harmless()})
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Status("1")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Explain("1")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Report("r")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Report("2")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			require.ErrorIs(t, engine.Act(ctx, "1", rollout.Act{Kind: rollout.Abort, Actor: "anna"}), rollout.ErrOver)
			require.ErrorIs(t, engine.Act(ctx, "2", rollout.Act{Kind: rollout.Abort, Actor: "anna"}), rollout.ErrNotFound)
		}
	})
}

func TestRunsAreRefused(t *testing.T) {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	require.NoError(t, err)
	other, err := rollout.New(&rollout.Memory{}, rollout.Options{})
	require.NoError(t, err)
	guard, err := other.Guard(pages(t), rollout.Guarded{Flag: steady, Manual: true})
	require.NoError(t, err)
	_, err = engine.Run(t.Context(), rollout.RunRequest{Service: "cart"}, line(rollout.Stage{Name: "a"}, rollout.Stage{Name: "flag", Guard: guard}))
	require.ErrorIs(t, err, rollout.ErrInvalid)
	for _, problem := range []string{
		`stages[0] "a": do, deploy, guard: found 0 of them, want one`, `id: found "", want some text in UTF-8`,
		`stages[1] "flag": guard: it is of another engine`, `found "cart" in "", want "shop" in ""`,
	} {
		require.ErrorContains(t, err, problem)
	}
	for every := range 2 {
		memory := &rollout.Memory{CheckpointEvery: every}
		engine, err = rollout.New(memory, rollout.Options{})
		require.NoError(t, err)
		_, err = engine.Run(t.Context(), rollout.RunRequest{ID: "1", Service: "cart"}, line(rollout.Stage{Name: "a", Do: noop}))
		require.NoError(t, err)
		_, err = rollout.New(memory, rollout.Options{Service: "shop"})
		require.ErrorIs(t, err, rollout.ErrConflict, "the journal is of another service")
	}
}

// TestPreviousRelease: a run is told the release of the last one that has succeeded.
func TestPreviousRelease(t *testing.T) {
	memory := &rollout.Memory{}
	var told []string
	p := line(
		rollout.Stage{Name: "a", Do: noop, Undo: func(_ context.Context, s *rollout.StageRun) error {
			told = append(told, s.Previous.Version)
			return nil
		}},
		rollout.Stage{Name: "b", Do: func(_ context.Context, s *rollout.StageRun) error {
			if strings.HasPrefix(s.Run, "bad") {
				return errors.New("no")
			}
			return nil
		}},
	)
	ran(t, memory, "bad 1", p)
	ran(t, memory, "good 2", p)
	ran(t, memory, "bad 3", p)
	require.Equal(t, []string{"", "good 2"}, told)
}

// TestPreviousIsGood: where rollouts are, a run is told what Good says: no release that
// was taken back, and a hotfix, too.
func TestPreviousIsGood(t *testing.T) {
	memory, w := &rollout.Memory{}, harmless()
	engine := newEngine(t, memory)
	var told []string
	look := rollout.Stage{Name: "look", Do: func(_ context.Context, s *rollout.StageRun) error {
		told = append(told, s.Previous.Version)
		return nil
	}}
	ship := func(v string) {
		report, err := engine.Run(t.Context(), rollout.RunRequest{ID: v, Release: version(v)}, line(look, shipping(toFifty, w)))
		require.NoError(t, err)
		require.NoError(t, report.Err())
	}
	ship("1")
	ship("2")
	require.NoError(t, engine.Act(t.Context(), "2/ship", rollout.Act{Kind: rollout.RollBack, Actor: "anna"}))
	_, err := engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("2/ship"), Target: w})
	require.NoError(t, err)
	ship("3")
	_, err = engine.Deploy(t.Context(), rollout.Request{ID: "hotfix", Release: version("3.1"), Plan: toFifty, Target: w})
	require.NoError(t, err)
	engine = newEngine(t, memory)
	ship("4")
	require.Equal(t, []string{"", "1", "1", "3.1"}, told)
}

// TestOneRunAtATime: runs of a pipeline in a service and environment come one after the
// other, in order of arrival, and each is told what the one before it brought.
func TestOneRunAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		var mu sync.Mutex
		var order []string
		p := line(rollout.Stage{Name: "a", Do: func(ctx context.Context, s *rollout.StageRun) error {
			mu.Lock()
			order = append(order, s.Run+" after "+s.Previous.Version)
			mu.Unlock()
			return sleep(ctx, time.Hour)
		}})
		var wait sync.WaitGroup
		run := func(id, service string, p rollout.Pipeline, want error) context.CancelFunc {
			ctx, stop := context.WithCancel(t.Context())
			wait.Go(func() {
				_, err := engine.Run(ctx, rollout.RunRequest{ID: id, Service: service, Release: version(id)}, p)
				assert.ErrorIs(t, err, want)
				stop()
			})
			time.Sleep(time.Minute)
			return stop
		}
		run("1", "shop", p, nil)
		run("2", "shop", p, nil)
		stop := run("3", "shop", p, context.Canceled)
		run("4", "shop", p, nil)
		run("5", "cart", p, nil)
		other := p
		other.Name = "other"
		run("6", "shop", other, nil)
		stop()
		synctest.Wait()
		_, err := engine.Report("2")
		require.ErrorIs(t, err, rollout.ErrNotFound, "it waits")
		mu.Lock()
		require.Equal(t, []string{"1 after ", "5 after ", "6 after "}, order)
		mu.Unlock()
		wait.Wait()
		require.Equal(t, []string{"2 after 1", "4 after 2"}, order[3:])
	})
}

// TestRunsThatNobodyCarriesOut keep others from beginning, and are listed.
func TestRunsThatNobodyCarriesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		p := line(rollout.Stage{Name: "a", Do: func(ctx context.Context, _ *rollout.StageRun) error { return sleep(ctx, time.Hour) }})
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		engine := newEngine(t, memory)
		waits := make(chan error)
		go func() {
			time.Sleep(time.Second)
			_, err := engine.Run(t.Context(), rollout.RunRequest{ID: "2"}, p)
			waits <- err
		}()
		_, err := engine.Run(ctx, rollout.RunRequest{ID: "1"}, p)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, <-waits, rollout.ErrConflict)

		engine = newEngine(t, memory)
		_, err = engine.Run(t.Context(), rollout.RunRequest{ID: "2"}, p)
		require.ErrorIs(t, err, rollout.ErrConflict)
		require.ErrorContains(t, err, `run "1" of pipeline "pipeline" is not over, and nobody carries it out here: Run it again to carry it on, or Act on it`)
		runs := slices.Collect(engine.Runs())
		require.Len(t, runs, 1)
		require.Equal(t, "1", runs[0].ID)
		for _, id := range []string{"1", "2"} {
			_, err = engine.Run(t.Context(), rollout.RunRequest{ID: id}, p)
			require.NoError(t, err)
		}
		require.Empty(t, slices.Collect(engine.Runs()))
	})
}

// TestRunsAreNoRollouts: what is told of rollouts leaves runs out, and has what they
// deploy.
func TestRunsAreNoRollouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, every := range []int{0, 3} {
			memory := &rollout.Memory{CheckpointEvery: every}
			ship := rollout.Stage{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) {
				return rollout.Request{Plan: toFifty, Target: harmless()}, nil
			}}
			report := ran(t, memory, "1", line(rollout.Stage{Name: "build", Do: noop}, ship))
			require.NoError(t, report.Err())
			engine := newEngine(t, memory)
			deliveries, err := engine.Delivery(rollout.DeliveryOptions{})
			require.NoError(t, err)
			require.Equal(t, 1, deliveries[0].Deployments)
			var ids []string
			for s, err := range engine.History() {
				require.NoError(t, err)
				ids = append(ids, s.ID)
			}
			require.Equal(t, []string{"1/ship"}, ids)
			require.Empty(t, slices.Collect(engine.Live()))
			status, err := engine.Status("1/ship")
			require.NoError(t, err)
			require.Equal(t, "1", status.Release.Version, "the run says which release")
			for _, r := range records(t, memory) {
				if r.Request != nil {
					require.Equal(t, "1", r.Parent)
				}
			}
		}
	})
}

// TestRunsAreFound by what they are about, as rollouts are.
func TestRunsAreFound(t *testing.T) {
	memory := &rollout.Memory{}
	engine := newEngine(t, memory)
	for _, service := range []string{"shop", "cart"} {
		_, err := engine.Run(t.Context(), rollout.RunRequest{ID: service, Service: service}, line(rollout.Stage{Name: "a", Do: noop}))
		require.NoError(t, err)
	}
	n := 0
	for r, err := range (rollout.Filter{Service: "shop"}).Of(memory.Records()) {
		require.NoError(t, err)
		require.Equal(t, "shop", r.Rollout)
		n++
	}
	require.Equal(t, 4, n)
}
