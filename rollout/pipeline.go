package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/dag"
)

// Pipeline is how a release gets out: stages, and which of them each needs. It is a
// plain value, and any number of runs may share it: see [Engine.Run].
type Pipeline struct {
	// Name is what the journal and people call it. Empty means "pipeline".
	Name string
	// Stages are what there is to do, in any order: what counts is what each needs.
	Stages []Stage
	// Parallel is how many stages may be under way at the same time; one that waits for
	// its next attempt is. Zero means 8.
	Parallel int
}

// Stage is one thing to do. Name is required, and one of Do, Deploy and Guard; every
// other zero is right for most.
//
// A stage may be run again: after a failure, if Retry says so, and after a crash, as
// nobody knows then how far it had come. What it does must bear that; StageRun.Run and
// StageRun.Stage together name it to whom it calls. One that was done is never run
// again in the same run.
//
// A stage that has panicked, has taken longer than its Timeout, or was under way when
// another one failed or its process died is cut short: nobody knows how far it has
// come. One that returned an error by itself is taken to have left nothing behind.
type Stage struct {
	// Name is what others need it by: some text without "/" and "#".
	Name string
	// Needs are the stages that must be done before it begins. When one of them fails
	// or is skipped, it is skipped.
	Needs []string
	// Do does it. An error fails the stage, or skips it if it wraps [ErrSkip].
	Do Action
	// Undo takes it back when a later stage has failed. It is called if the stage is
	// done or was cut short, after everything that needs it was taken back, and again,
	// ever later, until it returns nil: so it must bear that there is nothing to undo,
	// or no longer. Nil means that there is nothing to take back.
	Undo Action
	// Deploy makes the stage a rollout of its own, for which Do and Undo are not needed:
	// its request needs no ID, and what it says nothing of, the run says: Release,
	// Service, Environment, Actor and Reason. It is called again for each attempt, each
	// of which is a new rollout, and for the way back, which takes the rollout back. It
	// must only say what to do.
	Deploy func(*StageRun) (Request, error)
	// Guard makes the stage the rollout of a guarded flag, of the same engine. The way
	// back takes it back, if this run has begun it. One that the host, or another run, has
	// begun is waited for, and stays as it is; one that is over has its outcome.
	Guard *Guard
	// When says whether there is anything to do: an error that wraps [ErrSkip] skips the
	// stage, and any other fails it. Nil means always.
	When Action
	// Retry says how often it is tried. Zero means once.
	Retry Retry
	// Timeout bounds each attempt, and each of Undo. A stage that has not returned ten
	// seconds after its context has ended is given up: its goroutine is left behind, the
	// stage has failed, and it is not tried again. Zero means no bound.
	Timeout time.Duration
	// Optional says that the run goes on without it if it fails; if it was cut short, as soon
	// as it is taken back.
	Optional bool
	// NoReturn says why nothing can be taken back once Do has begun: "orders.total is
	// dropped". When is asked before, and the journal says when it is passed. From then on a failure freezes the run, and a person decides: see
	// [Engine.Run].
	NoReturn string
}

// Action is what a stage does. It must return soon after its context ends: when its time
// is over, when the run turns round, and when the engine stops. It runs in a goroutine of
// its own, which [Engine.Run] waits for.
type Action func(ctx context.Context, s *StageRun) error

// Ask is a gate as an action: a smoke suite's Check, for example. What says no fails the
// stage, and so does what cannot tell.
func Ask(gate Gate) Action {
	return func(ctx context.Context, _ *StageRun) error { return gate(ctx) }
}

// Retry is how often to try. The zero value is once. Tried again is whatever has failed,
// was late, or panicked; but not a stage that was given up, nor a rollout that a person has
// made go back, or whose place another one has taken, nor a guarded flag, whose rollout is
// never begun twice: there the stage has failed for good.
type Retry struct {
	// Attempts is how often in all. Zero means once.
	Attempts int
	// Wait is before the second attempt. It doubles from one to the next, up to ten
	// minutes. Zero means one second.
	Wait time.Duration
}

// rest is how long to wait after an attempt, from 1.
func (r Retry) rest(attempt int) time.Duration {
	const most = 10 * time.Minute
	wait := cmp.Or(r.Wait, time.Second)
	for ; attempt > 1 && wait < most; attempt-- {
		wait *= 2
	}
	return max(min(wait, most), r.Wait)
}

// Check says everything that keeps the pipeline from being run, as [ErrInvalid].
func (p Pipeline) Check() error {
	_, err := p.compile()
	return err
}

// compile checks the pipeline, and makes its graph.
func (p Pipeline) compile() (*dag.Graph, error) {
	graph, problems := p.problems()
	if len(problems) > 0 {
		var all []error
		for _, problem := range problems {
			all = append(all, errors.New(problem.in(p)))
		}
		return nil, fmt.Errorf("%w: %w", ErrInvalid, errors.Join(all...))
	}
	return graph, nil
}

// stageProblem is something wrong with one stage, or with the whole pipeline if its
// number is -1.
type stageProblem struct {
	stage int
	field string
	text  string
}

// in is the problem with its place.
func (s stageProblem) in(p Pipeline) string {
	place := s.field
	if s.stage >= 0 {
		place = fmt.Sprintf("stages[%d]", s.stage)
		if name := p.Stages[s.stage].Name; name != "" {
			place += fmt.Sprintf(" %q", name)
		}
		if s.field != "" {
			place += ": " + s.field
		}
	}
	return place + ": " + s.text
}

func (p Pipeline) problems() (*dag.Graph, []stageProblem) {
	var problems []stageProblem
	add := func(stage int, field, format string, args ...any) {
		problems = append(problems, stageProblem{stage, field, fmt.Sprintf(format, args...)})
	}
	if len(p.Stages) == 0 {
		add(-1, "stages", "found none, want at least one")
	}
	if p.Parallel < 0 {
		add(-1, "parallel", "found %d, want at least 1, or nothing", p.Parallel)
	}
	if !utf8.ValidString(p.Name) {
		add(-1, "name", "found %q, want text in UTF-8", p.Name)
	}
	names := make([]string, len(p.Stages))
	for i, s := range p.Stages {
		names[i] = s.Name
		for _, wrong := range s.problems() {
			wrong.stage = i
			problems = append(problems, wrong)
		}
	}
	graph, wrong := dag.New(names, func(i int) []string { return p.Stages[i].Needs })
	for _, w := range wrong {
		field := "needs"
		switch {
		case w.Need >= 0:
			field = fmt.Sprintf("needs[%d]", w.Need)
		case !strings.HasPrefix(w.Text, "is in a cycle"):
			field = "name"
		}
		if names[w.Node] != "" || field != "name" {
			add(w.Node, field, "%s", w.Text)
		}
	}
	return graph, problems
}

// problems are what is wrong with a stage by itself.
func (s Stage) problems() (problems []stageProblem) {
	add := func(field, format string, args ...any) {
		problems = append(problems, stageProblem{0, field, fmt.Sprintf(format, args...)})
	}
	if s.Name == "" || !utf8.ValidString(s.Name) || strings.ContainsAny(s.Name, "/#") {
		add("name", `found %q, want some text in UTF-8 without "/" and "#"`, s.Name)
	}
	ways := 0
	for _, there := range []bool{s.Do != nil, s.Deploy != nil, s.Guard != nil} {
		if there {
			ways++
		}
	}
	if ways != 1 {
		add("do, deploy, guard", "found %d of them, want one", ways)
	}
	if s.Undo != nil && s.Do == nil {
		add("undo", "given without do, and what is deployed or guarded takes itself back")
	}
	if s.Undo != nil && s.NoReturn != "" {
		add("undo", "given beside no return, after which nothing is taken back")
	}
	if s.Optional && s.NoReturn != "" {
		add("optional", "given beside no return: what cannot be taken back is not left out")
	}
	if s.Timeout < 0 {
		add("timeout", "found %v, want no negative time", s.Timeout)
	}
	if s.Retry.Attempts < 0 || s.Retry.Wait < 0 {
		add("retry", "found %d attempts and a wait of %v, want nothing negative", s.Retry.Attempts, s.Retry.Wait)
	}
	return problems
}

// goesBack says whether the stage can be taken back.
func (s Stage) goesBack() bool { return s.NoReturn == "" && (s.Undo != nil || s.Do == nil) }

// RequestedRun is what a run of a pipeline was asked for, as the journal keeps it.
type RequestedRun struct {
	Service     string  `json:"service,omitempty"`     // of RunRequest
	Environment string  `json:"environment,omitempty"` // of RunRequest
	Release     Release `json:"release,omitzero"`      // what gets out
	Previous    Release `json:"previous,omitzero"`     // of StageRun
	// Digest tells whether a later request with the same ID asks for the same: it is of
	// the release and the stages.
	Digest   string           `json:"digest"`
	Parallel int              `json:"parallel"`         // of Pipeline
	Stages   []RequestedStage `json:"stages,omitempty"` // of Pipeline; none in a checkpoint of a run that is over
}

// RequestedStage is what the journal keeps of a stage.
type RequestedStage struct {
	Name     string   `json:"name"`                // of Stage
	Needs    []string `json:"needs,omitempty"`     // of Stage
	Optional bool     `json:"optional,omitempty"`  // of Stage
	NoReturn string   `json:"no_return,omitempty"` // of Stage
	Undo     bool     `json:"undo,omitempty"`      // whether it can be taken back
}

// requested is what the journal keeps of the pipeline.
func (p Pipeline) requested(release Release) RequestedRun {
	q := RequestedRun{Release: release, Parallel: cmp.Or(p.Parallel, 8)}
	for _, s := range p.Stages {
		q.Stages = append(q.Stages, RequestedStage{Name: s.Name, Needs: s.Needs, Optional: s.Optional, NoReturn: s.NoReturn, Undo: s.goesBack()})
	}
	asked := slices.Clone(q.Stages)
	for i := range asked {
		if asked[i].NoReturn != "" {
			asked[i].NoReturn = "yes" // its words may change on the way
		}
	}
	q.Digest = digest(struct {
		Name    string
		Release Release
		Stages  []RequestedStage
	}{p.name(), release.anonymous(), asked})
	return q
}

func (p Pipeline) name() string { return cmp.Or(p.Name, "pipeline") }

// conflict says where another pipeline with the ID of a run differs.
func (q RequestedRun) conflict(other RequestedRun) error {
	for i := range max(len(q.Stages), len(other.Stages)) {
		was, is := "nothing", "nothing"
		if i < len(q.Stages) {
			was = q.Stages[i].String()
		}
		if i < len(other.Stages) {
			is = other.Stages[i].String()
		}
		if was != is && len(q.Stages) > 0 {
			return fmt.Errorf("%w: the journal has this ID for another pipeline: its stage %d is %q, and this one's %q; give this run an ID of its own", ErrConflict, i+1, was, is)
		}
	}
	return fmt.Errorf("%w: the journal has this ID for a run of another release or pipeline; give this run an ID of its own", ErrConflict)
}

// String is "smoke needs build, optional".
func (s RequestedStage) String() string {
	text := s.Name
	if len(s.Needs) > 0 {
		text += " needs " + strings.Join(s.Needs, " and ")
	}
	if s.Optional {
		text += ", optional"
	}
	if s.NoReturn != "" {
		text += ", no return: " + s.NoReturn
	}
	if s.Undo {
		text += ", with a way back"
	}
	return text
}
