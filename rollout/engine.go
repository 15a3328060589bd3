package rollout

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Engine carries rollouts out: it asks the machine what comes next, writes to the
// journal that it begins, does it, reads it back, and writes what became of it. It
// is safe for concurrent use and starts no goroutine.
type Engine struct {
	journal Journal
	options Options

	mu     sync.Mutex // guards runs and what is in them; never held while anything is written or called
	runs   map[string]*run
	guards map[string]*Guard // by flag
}

// Options tune an Engine. Every zero is right for most.
type Options struct {
	// Service and Environment say what the journal is about. One journal is about
	// one of each.
	Service, Environment string
	// OnRecord is told of every record that the engine has written, outside any
	// lock, in order for each rollout.
	OnRecord func(Record)
}

// run is one rollout as this process knows it.
type run struct {
	id      string
	machine Machine
	request Requested
	started time.Time
	active  bool // somebody drives it

	states  map[string]health.State // of each watch's judge
	verdict health.Verdict          // of the last look that the journal has

	// unwritten are the marks that a checkpoint of these cohorts gave out and no
	// record holds yet. Only the driver touches them.
	unwritten map[*health.Cohorts]health.Checkpoint
}

// New returns an engine on a journal and folds every record that is there. A
// journal of another service or environment is [ErrConflict].
func New(journal Journal, options Options) (*Engine, error) {
	if journal == nil {
		panic("rollout: New needs a journal")
	}
	e := &Engine{journal: journal, options: options, runs: map[string]*run{}, guards: map[string]*Guard{}}
	for r, err := range journal.Records() {
		if err != nil {
			return nil, err
		}
		if q := r.Request; q != nil && (q.Service != options.Service || q.Environment != options.Environment) {
			return nil, &Error{"open", "journal", fmt.Errorf("it is of service %q in %q, want %q in %q: %w", q.Service, q.Environment, options.Service, options.Environment, ErrConflict)}
		}
		if err := e.fold(r); err != nil {
			return nil, &Error{"open", r.Rollout, fmt.Errorf("%w: record %d: %w", ErrCorrupt, r.Seq, err)}
		}
	}
	return e, nil
}

// fold brings the runs up to date with one record.
func (e *Engine) fold(r Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	run := e.runs[r.Rollout]
	if run == nil {
		run = newRun(r.Rollout)
	}
	if run.machine.stale(r) {
		return nil
	}
	if err := run.machine.Apply(r); err != nil {
		return err
	}
	e.runs[r.Rollout] = run
	switch r.Kind {
	case KindRequested:
		run.request, run.started = *r.Request, r.At
	case KindLooked:
		run.states[r.Look.Watch], run.verdict = r.Look.State, r.Look.Verdict
	}
	return nil
}

func newRun(id string) *run {
	return &run{id: id, states: map[string]health.State{}, unwritten: map[*health.Cohorts]health.Checkpoint{}}
}

// Cohorts returns cohorts for one watch of a rollout, as the journal left them:
// empty for a new rollout, and after a crash with every failed unit that a judge
// has counted, so that none is counted twice. Take them before the host listens.
func (e *Engine) Cohorts(id, watch string, options health.CohortsOptions) (*health.Cohorts, error) {
	cohorts := health.NewCohorts(options)
	for r, err := range e.journal.Records() {
		if err == nil && r.Rollout == id && r.Look != nil && r.Look.Watch == watch {
			err = cohorts.Restore(r.Look.Checkpoint)
		}
		if err != nil {
			return nil, &Error{"resume", id, err}
		}
	}
	return cohorts, nil
}

// Deploy carries a request out and returns its outcome. When the context ends
// first, it stops where it is and returns the context's error: that is no abort,
// and the same request, given again, goes on from there, also in another process.
// A request that is over returns its outcome at once.
func (e *Engine) Deploy(ctx context.Context, request Request) (Outcome, error) {
	if err := request.check(); err != nil {
		return Unfinished, &Error{"deploy", request.ID, err}
	}
	asked := digest(struct {
		Release Release
		Plan    any
	}{request.Release.anonymous(), request.Plan})
	return e.deploy(ctx, request, Requested{Digest: asked})
}

// anonymous leaves out what may differ between two requests for the same thing.
func (r Release) anonymous() Release {
	r.Committed = time.Time{}
	return r
}

func (e *Engine) deploy(ctx context.Context, request Request, asked Requested) (Outcome, error) {
	op := "deploy"
	if request.guard != nil {
		op = "run"
	}
	fail := func(err error) (Outcome, error) { return Unfinished, &Error{op, request.ID, err} }
	run, err := e.claim(request, asked.Digest)
	if err != nil {
		return fail(err)
	}
	defer func() {
		e.mu.Lock()
		run.active = false
		e.mu.Unlock()
	}()
	if s := run.machine.State(); s.Phase == Done {
		return s.Outcome, nil
	} else if s.Phase != Pending {
		request.Plan = run.request.Plan
	}
	if err := request.check(); err != nil {
		return fail(err)
	}
	if request.guard != nil {
		if err := e.replace(ctx, request); err != nil {
			return fail(err)
		}
	}
	d := &driver{engine: e, run: run, request: request}
	if run.machine.State().Phase == Pending {
		asked.Service, asked.Environment = e.options.Service, e.options.Environment
		asked.Release, asked.Plan = request.Release, request.Plan
		if err := d.write(ctx, Record{Kind: KindRequested, Actor: "host", Request: &asked, Reason: request.Plan.Strategy + " of " + what(asked)}); err != nil {
			return fail(err)
		}
	}
	outcome, err := d.drive(ctx)
	if err != nil {
		return fail(err)
	}
	return outcome, nil
}

// what names what a request is about, for people.
func what(q Requested) string {
	switch {
	case q.Flag != "":
		return "flag " + q.Flag
	case q.Release.Name != "" || q.Release.Version != "":
		return q.Release.Name + " " + q.Release.Version
	}
	return "a release"
}

// claim finds or makes the run of an ID, for one driver at a time.
func (e *Engine) claim(request Request, digest string) (*run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runs[request.ID]
	if r == nil {
		r = newRun(request.ID)
		e.runs[request.ID] = r
	}
	switch {
	case r.active:
		return nil, ErrRunning
	case r.machine.State().Phase != Pending && r.request.Digest != digest:
		return nil, r.conflict(request.Plan)
	}
	r.active = true
	return r, nil
}

// conflict says where another request with the ID of this run differs.
func (r *run) conflict(plan strategy.Plan) error {
	there, here := r.request.Plan.Steps, plan.Steps
	for i := range max(len(there), len(here)) {
		was, is := "nothing", "nothing"
		if i < len(there) {
			was = there[i].String()
		}
		if i < len(here) {
			is = here[i].String()
		}
		if was != is {
			return fmt.Errorf("%w: the journal has this ID for another plan: its step %d is %q, and this one's %q; a plan cannot change on its way; under another ID, it takes the place of the one there, which goes back first", ErrConflict, i+1, was, is)
		}
	}
	return fmt.Errorf("%w: the journal has this ID for another request; give this one an ID of its own", ErrConflict)
}

// Status is where one rollout stands, for people and programs.
type Status struct {
	ID      string         // the rollout's
	Release Release        // what is rolled out
	Flag    string         // the guarded flag's key, if any
	State   State          // where it stands
	Phase   string         // the same in people's words: "analysing", "rolling back", ...
	Plan    []string       // the steps, a line each
	Started time.Time      // when it was requested
	Verdict health.Verdict // of the last look that the journal has

	hold strategy.Hold // while it waits
}

// All yields every rollout that the journal knows, oldest first.
func (e *Engine) All() iter.Seq[Status] {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Status
	for _, r := range e.runs {
		if r.machine.State().Phase != Pending {
			all = append(all, r.status())
		}
	}
	slices.SortFunc(all, func(a, b Status) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
	})
	return slices.Values(all)
}

// Status returns one rollout, and whether the journal knows it.
func (e *Engine) Status(id string) (Status, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runs[id]
	if r == nil {
		return Status{}, false
	}
	return r.status(), r.machine.State().Phase != Pending
}

func (r *run) status() Status {
	s := Status{ID: r.id, Release: r.request.Release, Flag: r.request.Flag, State: r.machine.State(), Phase: r.machine.phase(), Started: r.started, Verdict: r.verdict}
	s.hold, _ = r.machine.current().(strategy.Hold)
	for _, step := range r.request.Plan.Steps {
		s.Plan = append(s.Plan, step.String())
	}
	return s
}

func (e *Engine) judgeState(id, watch string) health.State {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[id]; r != nil {
		return slices.Clone(r.states[watch])
	}
	return nil
}
