package rollout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
)

// unwritten is a record that the journal does not take.
type unwritten struct {
	err  error
	back error // what went wrong meanwhile: not unwrapped, as whether it heals is up to the journal
}

func (u unwritten) Error() string {
	text := "the journal cannot be written: " + u.err.Error()
	if u.back != nil {
		text += "; " + u.back.Error()
	}
	return text
}

func (u unwritten) Unwrap() error { return u.err }

// heals says whether it makes sense to try again later.
func heals(err error) bool {
	var u unwritten
	if !errors.As(err, &u) {
		return false
	}
	for _, never := range []error{ErrFenced, ErrCorrupt, ErrLocked, ErrInvalid, os.ErrClosed} {
		if errors.Is(err, never) {
			return false
		}
	}
	return true
}

func (e *Engine) machine(r *run) Machine {
	e.mu.Lock()
	defer e.mu.Unlock()
	return r.machine
}

// wakeUp lets the driver look at once what comes next.
func (r *run) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// record appends a record of a rollout, if it may follow, and folds it in. One of an
// older generation is dropped; a negative one means the present one.
func (e *Engine) record(ctx context.Context, run *run, r Record) error {
	select { // a channel, as a mutex must not be held while something is written
	case run.writing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	notice := e.noticing(run)
	r, err := e.append(ctx, run, r)
	n, tells := Notice{}, false
	if err == nil && r.Seq > 0 && notice != nil {
		n, tells = notice(r)
	}
	<-run.writing
	if err == nil && r.Seq > 0 {
		var tell []func()
		if on := e.options.OnRecord; on != nil {
			tell = append(tell, func() { on(r) })
		}
		if tells {
			tell = append(tell, func() { e.options.OnNotice(n) })
		}
		e.tellAll(run, tell)
		if e.machine(run).State().Phase != Back { // a way back waits for no checkpoint
			e.rotate(ctx)
		}
	}
	return err
}

func (e *Engine) append(ctx context.Context, run *run, r Record) (Record, error) {
	if r.At.IsZero() {
		r.At = e.clock.now()
	}
	if run.course != nil {
		e.mu.Lock()
		r, err := run.sealed(r)
		e.mu.Unlock()
		if err != nil {
			return r, err
		}
		return e.commit(ctx, r)
	}
	m := e.machine(run)
	if r.Generation < 0 {
		r.Generation = m.State().Generation
	}
	if m.stale(r) {
		return Record{}, nil
	}
	r.Rollout, r.From = run.id, m.State().String()
	if err := m.Apply(r); err != nil {
		return r, err
	}
	r.To = m.State().String()
	return e.commit(ctx, r)
}

// commit appends a record that may follow, and folds it in. A journal that does not
// answer is as one that cannot be written.
func (e *Engine) commit(ctx context.Context, r Record) (Record, error) {
	asking, cancel := e.clock.within(ctx, slowest, nil)
	defer cancel()
	err, foreign := e.enter(asking), false
	if err == nil {
		r, err = e.journal.Append(asking, r)
		foreign = e.leave(r, err)
	}
	if err == nil && !foreign {
		return r, e.fold(r)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return r, err
	case err != nil:
		return r, unwritten{err: err}
	}
	return r, unwritten{err: fmt.Errorf("%w: record %d follows one that this engine has not written", ErrFenced, r.Seq)}
}

// noticing returns what makes a notice of the record that comes next; nil if nobody
// wants to be told.
func (e *Engine) noticing(run *run) func(Record) (Notice, bool) {
	if e.options.OnNotice == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := run.course; c != nil {
		was := c.glance()
		return func(r Record) (Notice, bool) {
			e.mu.Lock()
			defer e.mu.Unlock()
			return c.notice(was, r)
		}
	}
	before := run.machine
	return func(r Record) (Notice, bool) { return noticeOf(before, r) }
}

// tellAll tells people after what was to be told of the run before, and outside any
// lock: whoever finds nobody telling tells all that is untold.
func (e *Engine) tellAll(run *run, tell []func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	run.untold = append(run.untold, tell...)
	if run.telling {
		return
	}
	run.telling = true
	for len(run.untold) > 0 {
		next := run.untold[0]
		run.untold = run.untold[1:]
		e.mu.Unlock()
		show(run.id, next)
		e.mu.Lock()
	}
	run.telling = false
}

// show calls OnRecord, OnNotice or OnProblem, and contains its panics: the rollout goes on
// all the same.
func show(id string, tell func()) {
	defer func() {
		if p := recover(); p != nil {
			slog.Default().Error("rollout: OnRecord, OnNotice or OnProblem panicked", "panic", p, "rollout", id, "stack", string(debug.Stack()))
		}
	}()
	tell()
}

// problem keeps, and says once, why a rollout cannot go on; nil says that it can.
func (e *Engine) problem(run *run, err error) {
	e.mu.Lock()
	before := run.problem
	run.problem = err
	e.mu.Unlock()
	if (before == nil) == (err == nil) {
		return
	}
	switch {
	case e.options.OnProblem != nil:
		show(run.id, func() { e.options.OnProblem(run.id, err) })
	case err != nil:
		slog.Default().Error("rollout: it cannot go on, and tries again", "rollout", run.id, "error", err)
	default:
		slog.Default().Info("rollout: it goes on", "rollout", run.id)
	}
}
