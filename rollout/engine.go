package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"sync"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Engine carries rollouts out: it asks the machine what comes next, writes to the
// journal that it begins, does it, reads it back, and writes what became of it. It
// is safe for concurrent use and starts no goroutine but those of a pipeline's stages.
//
// To shut down: stop whoever calls Deploy, Resume, Run and Guard.Run by ending their
// contexts, wait until these have returned, and then close the journal. Nothing is
// written, and no target is called, after they have returned, unless by a stage that was
// given up: see [Engine.Run].
type Engine struct {
	journal  Journal
	options  Options
	calendar calendar // of Options.Freezes
	clock    timing   // the real one, but in a simulation
	// simulated says that nobody is told anything but by Options.
	simulated bool

	mu      sync.Mutex // guards what follows, and what is in runs; never held while anything is written or called
	runs    map[string]*run
	over    []string            // the last of runs that are over, oldest first
	ended   map[uint64]struct{} // hashes of all IDs that are over
	later   map[uint64]struct{} // hashes of those that failed later
	salts   map[uint64]struct{} // hashes of the salts of guards that are over
	seed    maphash.Seed        // of these hashes
	lanes   map[lane]*track
	backs   []rollback        // automatic, of late
	guards  map[string]*Guard // by flag
	shipped map[shipment]Release
	sails   map[shipment][]*run // runs of pipelines that this process was asked for, oldest first
	takings int                 // how many rollouts that had succeeded were asked to be taken back
	changed chan struct{}       // closed and made anew when a rollout ends, or nobody drives it any more
	last    uint64              // the newest record that was folded
	pending uint64              // appends under way
	idle    chan struct{}       // closed when there is none
	hush    chan struct{}       // closed when records may be appended again; nil while they may
}

// Options tune an Engine. Every zero is right for most.
type Options struct {
	// Service and Environment are what the journal is about: a request for another
	// one is refused, and so is a journal of another one. Empty leaves it to each
	// request.
	Service, Environment string
	// Freezes are times in which nothing goes forward; a way back always does.
	Freezes []Freeze
	// Cooldown is for how long, after a rollback that no person asked for, no rollout
	// of the same service and environment (and flag) begins. One that a person has left
	// on its way back counts as well. Zero means not at all.
	Cooldown time.Duration
	// RollbacksPerHour is how many rollbacks that no person asked for there may be in
	// an hour; after that, nothing goes forward until the hour is over, or somebody
	// continues it. It counts what Cooldown does. Zero means any number.
	RollbacksPerHour int
	// OnRecord is told of every record that the engine has written, outside any
	// lock, in order for each rollout. It must return soon, and so must OnNotice and
	// OnProblem: whoever drives the rollout waits for it, and does not even begin a way
	// back before. What takes long is for a goroutine of the host's.
	OnRecord func(Record)
	// OnNotice is told what people want to know of it, after OnRecord: what has begun,
	// needs somebody, goes back, is over. What is told to nobody, as the process ends, is
	// told by nobody later: see package rollout/webhook for what must arrive.
	// [LogNotices] is for package slog.
	OnNotice func(Notice)
	// OnProblem is told when a rollout cannot go on, outside any lock: the journal
	// cannot be written, or the target cannot be read back. The engine tries again
	// until it can, and tells of the end of it with a nil error. Nil means that
	// slog.Default is told.
	OnProblem func(id string, err error)
}

// run is one rollout as this process knows it.
type run struct {
	id      string
	parent  string  // the run of a pipeline that it is part of, or the rollout that it takes back
	course  *course // of a run of a pipeline, whose machine stays Pending; nil for a rollout
	machine Machine
	request Requested
	started time.Time
	ended   time.Time
	left    time.Duration // of the hold, as of the last record that its driver wrote
	active  bool          // somebody drives it
	hurries bool          // it takes the place of others, and does not queue
	problem error

	states   map[string]health.State   // of each watch's judge
	verdicts map[string]health.Verdict // of their last looks that the journal has
	verdict  health.Verdict            // the last of all

	writing chan struct{}      // holds one token: whoever has it writes records
	wake    chan struct{}      // something has happened that the driver waits for
	cancel  context.CancelFunc // of the step that the driver takes
	telling bool               // somebody calls OnRecord and OnNotice
	untold  []func()           // what they are to be told

	target strategy.Target // that this process moved last

	// unwritten are the marks that a checkpoint of these cohorts gave out and no
	// record holds yet. Only the driver touches them.
	unwritten map[*health.Cohorts]health.Checkpoint
}

const (
	keepOver = 100 // rollouts that are over and that Status need not look up in the journal
	keepGood = 20  // good releases of a lane
)

// New returns an engine on a journal and folds every record that is there. A
// journal of another service or environment is [ErrConflict].
func New(journal Journal, options Options) (*Engine, error) {
	if journal == nil {
		panic("rollout: New needs a journal")
	}
	return newEngine(journal, options, realClock{})
}

func newEngine(journal Journal, options Options, clock timing) (*Engine, error) {
	calendar, err := options.check()
	if err != nil {
		return nil, &Error{"open", "options", err}
	}
	e := &Engine{
		journal: journal, options: options, calendar: calendar, clock: clock, seed: maphash.MakeSeed(), changed: make(chan struct{}),
		runs: map[string]*run{}, ended: map[uint64]struct{}{}, later: map[uint64]struct{}{}, salts: map[uint64]struct{}{}, lanes: map[lane]*track{}, guards: map[string]*Guard{}, shipped: map[shipment]Release{}, sails: map[shipment][]*run{},
	}
	for r, err := range recent(journal) {
		if err != nil {
			return nil, err
		}
		if err := e.replay(r); err != nil {
			return nil, &Error{"open", cmp.Or(r.Rollout, "journal"), fmt.Errorf("record %d: %w", r.Seq, err)}
		}
	}
	return e, nil
}

// check says everything that is wrong with the options.
func (o Options) check() (calendar, error) {
	var negative error
	if o.Cooldown < 0 || o.RollbacksPerHour < 0 {
		negative = fmt.Errorf("%w: cooldown, rollbacks per hour: found %v and %d, want nothing negative", ErrInvalid, o.Cooldown, o.RollbacksPerHour)
	}
	freezes, err := newCalendar(o.Freezes)
	return freezes, errors.Join(err, negative)
}

// about says whether what a journal was asked for, if anything, is what the engine is for.
func (o Options) about(q *Requested, run *RequestedRun) error {
	var service, environment string
	switch {
	case q != nil:
		service, environment = q.Service, q.Environment
	case run != nil:
		service, environment = run.Service, run.Environment
	default:
		return nil
	}
	if o.Service != "" && service != o.Service || o.Environment != "" && environment != o.Environment {
		return fmt.Errorf("%w: it is of service %q in %q, want %q in %q", ErrConflict, service, environment, o.Service, o.Environment)
	}
	return nil
}

// replay folds in one record that was in the journal when it was opened.
func (e *Engine) replay(r Record) error {
	if err := e.options.about(r.Request, r.Run); err != nil {
		return err
	}
	if r.Kind == KindCheckpoint {
		return e.restore(r)
	}
	if err := e.fold(r); err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return nil
}

// restore begins with a checkpoint. One that is not the first record says nothing
// new.
func (e *Engine) restore(r Record) error {
	first := e.last == 0
	e.last = r.Seq
	if !first {
		return nil
	}
	for _, ended := range r.Checkpoint.Ended {
		if err := e.options.about(ended.Request, ended.Run); err != nil {
			return fmt.Errorf("rollout %q: %w", ended.ID, err)
		}
	}
	e.mu.Lock()
	for _, ended := range r.Checkpoint.Ended {
		run := ended.run()
		if run.course != nil { // its stages are in its records, if these are still there
			e.ship(run)
			e.close(run)
			continue
		}
		e.runs[run.id] = run
		e.end(run)
		if ended.FailedLater {
			e.later[maphash.String(e.seed, run.id)] = struct{}{}
		}
	}
	e.mu.Unlock()
	for _, r := range r.Checkpoint.Live {
		if err := e.replay(r); err != nil {
			return err
		}
	}
	e.last = max(e.last, r.Seq)
	return nil
}

// fold brings the runs up to date with one record.
func (e *Engine) fold(r Record) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = max(e.last, r.Seq)
	if r.Act != nil && r.Act.Kind == FailedLater {
		e.later[maphash.String(e.seed, r.Rollout)] = struct{}{}
	}
	run := e.runs[r.Rollout]
	if run == nil {
		if _, over := e.ended[maphash.String(e.seed, r.Rollout)]; over && r.Kind == KindActed {
			return nil // it failed later, which moves nothing
		}
		run = newRun(r.Rollout)
	}
	if run.machine.stale(r) {
		return nil
	}
	before := run.machine.State()
	if err := run.apply(r); err != nil {
		return err
	}
	e.runs[r.Rollout] = run
	if run.course != nil {
		if run.course.phase == Done {
			e.ship(run)
			e.close(run)
		}
		return nil
	}
	switch now := run.machine.State(); {
	case r.Kind == KindRequested:
		e.begins(run)
		e.tell() // whoever takes its place waits for it to be under way
	case now.Phase == Done && before.Phase != Done:
		e.end(run)
	case run.cancel != nil && run.machine.interrupts(before):
		run.cancel()
	}
	return nil
}

func newRun(id string) *run {
	return &run{
		id: id, states: map[string]health.State{}, verdicts: map[string]health.Verdict{}, unwritten: map[*health.Cohorts]health.Checkpoint{},
		writing: make(chan struct{}, 1), wake: make(chan struct{}, 1),
	}
}

// apply folds one record into what is known of one rollout.
func (r *run) apply(record Record) error {
	if record.Pipeline != "" || r.course != nil {
		return r.sail(record)
	}
	if r.machine.stale(record) {
		return nil
	}
	if err := r.machine.Apply(record); err != nil {
		return err
	}
	switch record.Kind {
	case KindWaiting:
		r.left = record.Until.Sub(record.At)
	case KindRequested:
		r.request, r.started, r.parent = *record.Request, record.At, record.Parent
	case KindLooked:
		look := record.Look
		if !record.Until.IsZero() { // what others write, while nobody watches, does not count
			r.left = max(record.Until.Sub(record.At), 0)
		}
		r.states[look.Watch], r.verdicts[look.Watch] = look.State, look.Verdict
		if look.Verdict.Call == health.Fail || r.machine.counts(look.Watch) { // of several, the first is what it is about
			r.verdict = look.Verdict
		}
	case KindFinished:
		r.ended = record.At
	}
	return nil
}
