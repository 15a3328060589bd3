package rollout

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

// patience is how long a stage has to return once its context has ended.
const patience = 10 * time.Second

var (
	errTurned  = errors.New(cutShort + ": the run goes back")
	errLate    = errors.New("its time is over")
	errTaken   = errors.New("taken back")
	errForGood = errors.New("not tried again")
	errGiven   = fmt.Errorf("it has not returned %v later: it is given up, and its goroutine is left behind", patience)
)

// flight is an attempt at a stage, or at its way back, that is under way.
type flight struct {
	undo   bool
	cancel context.CancelCauseFunc
	run    *StageRun
}

// landing is what became of a flight.
type landing struct {
	stage int
	err   error
	cut   bool // nobody knows how far it has come
}

// begin writes that an attempt begins, and begins it.
func (c *conductor) begin(ctx context.Context, m move, at time.Time) error {
	stage, undo := c.pipeline.Stages[m.stage], m.do == courseUndo
	c.engine.mu.Lock()
	course := c.run.course
	report := course.stages[m.stage].StageReport
	release, previous, service, environment := course.asked.Release, course.asked.Previous, course.asked.Service, course.asked.Environment
	c.engine.mu.Unlock()
	attempt, what := report.Attempts+1, "run "
	if undo {
		attempt, what = 1, "undo "
		if report.Undo != nil {
			attempt = report.Undo.Attempts + 1
		}
	}
	r := Record{Kind: KindBegun, At: at, Stage: stage.Name, Attempt: attempt, Actor: actor, Reason: what + stage.Name}
	if stage.Timeout > 0 {
		r.Until = at.Add(stage.Timeout)
	}
	child, err := c.child(stage, undo, report.Status == StageRunning)
	if err == nil {
		err = c.write(ctx, r)
	}
	if err != nil {
		return err
	}
	s := &StageRun{
		Run: c.run.id, Stage: stage.Name, Attempt: attempt, Release: release, Previous: previous, Service: service, Environment: environment, Rollout: child,
		outputs: func(of string) (map[string]json.RawMessage, error) {
			c.engine.mu.Lock()
			defer c.engine.mu.Unlock()
			return course.outputs(of, m.stage, undo)
		},
	}
	ctx, cancel := context.WithCancelCause(ctx)
	c.flights[m.stage] = &flight{undo: undo, cancel: cancel, run: s}
	clock := c.engine.clock
	clock.start(func() {
		defer cancel(nil)
		if stage.Timeout > 0 {
			timed, stop := clock.within(ctx, stage.Timeout, errLate)
			defer stop()
			ctx = timed
		}
		c.landed <- c.supervise(ctx, m.stage, s, c.action(stage, undo))
		c.run.wakeUp()
	})
	return nil
}

// action is what a stage does, or its way back.
func (c *conductor) action(stage Stage, undo bool) Action {
	do := stage.Do
	switch {
	case undo && stage.Do != nil:
		return stage.Undo
	case undo:
		return func(ctx context.Context, s *StageRun) error { return c.takeBack(ctx, stage, s) }
	case stage.Do == nil:
		do = func(ctx context.Context, s *StageRun) error { return c.deploy(ctx, stage, s) }
	}
	return func(ctx context.Context, s *StageRun) error {
		if stage.When != nil {
			if err := stage.When(ctx, s); err != nil || ctx.Err() != nil {
				return cmp.Or(err, ctx.Err())
			}
		}
		if err := c.pass(ctx, stage, s); err != nil {
			return err
		}
		return do(ctx, s)
	}
}

// pass writes that a stage goes past its point of no return now: not before it knows that
// there is something to do, and not once the run has turned round.
func (c *conductor) pass(ctx context.Context, stage Stage, s *StageRun) error {
	c.engine.mu.Lock()
	course := c.run.course
	passed := stage.NoReturn == "" || course.stages[course.find(stage.Name)].passed
	c.engine.mu.Unlock()
	if passed {
		return nil
	}
	err := c.write(ctx, Record{Kind: KindBegun, Stage: stage.Name, Attempt: s.Attempt, Actor: actor, Reason: "go past the point of no return: " + stage.NoReturn})
	if errors.Is(err, errOutOfPlace) {
		return errTurned
	}
	return err
}

// supervise waits for an action, and, once its context has ended, for some seconds more.
func (c *conductor) supervise(ctx context.Context, stage int, s *StageRun, do Action) landing {
	clock := c.engine.clock
	last := landing{stage: stage, cut: true, err: errors.New("it has ended its goroutine")} // the goroutine's, until it has returned
	returned := make(chan struct{})
	clock.start(func() {
		defer close(returned)
		what := "panic"
		defer func() {
			if p := recover(); p != nil {
				last = landing{stage: stage, cut: true, err: panicked{bounded(fmt.Sprintf("%s: %v", what, p))}}
				if c.engine.simulated { // no two stacks are the same
					return
				}
				fmt.Fprintf(s, "panic: %v\n\n%s", p, debug.Stack())
				slog.Default().Error("rollout: a stage panicked", "panic", last.err, "run", s.Run, "stage", s.Stage, "stack", string(debug.Stack()))
			}
		}()
		err := do(ctx, s)
		what = fmt.Sprintf("its error, a %T, panics as it is read", err) // a nil pointer that is no nil error, for example
		last.err, last.cut = plain(err), err != nil && (ctx.Err() != nil || errors.Is(err, errTaken))
	})
	clock.wait(ctx, forever, returned)
	clock.wait(context.Background(), patience, returned)
	l := landing{stage: stage, cut: true, err: errGiven}
	select {
	case <-returned:
		l = last
	default:
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errLate) && l.err == nil:
		l.err, l.cut = errLate, true
	case errors.Is(cause, errTurned) && errors.Is(l.err, context.Canceled):
		l.err = errTurned
	case l.err != nil && (errors.Is(cause, errLate) || errors.Is(cause, errTurned)):
		l.err = fmt.Errorf("%w: %w", cause, l.err)
	}
	return l
}

// failure is what an error said while its panics were contained: nothing of the host's is
// called later.
type failure struct {
	text string
	is   error // what a run goes by, or nil
}

func (f failure) Error() string { return f.text }

func (f failure) Unwrap() error { return f.is }

func plain(err error) error {
	if err == nil {
		return nil
	}
	f := failure{text: bounded(err.Error())}
	for _, is := range []error{context.Canceled, ErrSkip, ErrNoWayBack, errForGood, errTaken} {
		if errors.Is(err, is) {
			f.is = is
		}
	}
	return f
}

// bounded is a reason as the journal keeps it: valid, and not longer than people read.
func bounded(text string) string {
	const most = 4 << 10
	more := ""
	if over := len(text) - most; over > 0 {
		text, more = text[:most], fmt.Sprintf("... and %d bytes more", over)
	}
	return strings.ToValidUTF8(text, "\uFFFD") + more
}

// ended is the record of what became of a flight.
func (c *conductor) ended(l landing) Record {
	f, stage := c.flights[l.stage], c.pipeline.Stages[l.stage]
	delete(c.flights, l.stage)
	result := f.run.end()
	result.Cut = l.cut
	r := Record{Kind: KindDone, Stage: stage.Name, Attempt: f.run.Attempt, Actor: actor, Reason: "run " + stage.Name, Result: &result, At: c.engine.clock.now()}
	given := errors.Is(l.err, errGiven)
	text := ""
	if l.err != nil {
		text = l.err.Error()
		result.Outputs = nil
	}
	c.engine.mu.Lock()
	fresh := c.run.course.stages[l.stage].fresh
	c.engine.mu.Unlock()
	switch {
	case f.undo && l.err == nil:
		r.Reason = "undo " + stage.Name
	case f.undo:
		r.Kind, r.Reason = KindFailed, text
		if !given && !errors.Is(l.err, ErrNoWayBack) {
			r.Until = r.At.Add(min(time.Second<<min(f.run.Attempt-1, 6), longestRest))
		}
	case l.err != nil && errors.Is(l.err, ErrSkip) && !l.cut:
		r.Kind, r.Reason = KindSkipped, strings.TrimPrefix(text, ErrSkip.Error()+": ")
	case l.err != nil:
		r.Kind, r.Reason = KindFailed, text
		if tries := f.run.Attempt - fresh; tries < stage.Retry.Attempts && !given && !errors.Is(l.err, errTurned) && !errors.Is(l.err, errForGood) && !errors.Is(l.err, errTaken) {
			r.Until = r.At.Add(stage.Retry.rest(tries))
		}
	}
	if len(result.Outputs) == 0 && result.Output == "" && !result.Cut {
		r.Result = nil
	}
	return r
}
