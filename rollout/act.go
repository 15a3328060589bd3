package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/strategy"
)

// Act is what a person does to a rollout. It is one record in the journal, and
// [Engine.Act] is the one place to authorise.
type Act struct {
	Kind   ActKind `json:"kind"`             // what
	Actor  string  `json:"actor"`            // who; required
	Reason string  `json:"reason,omitempty"` // why, for the journal
	// Seen is where the actor saw the rollout, as State.String says it ("waiting 3"), and
	// "state" in the JSON of a [Status]: if it stands elsewhere by now, nothing is done.
	// Empty means wherever it stands.
	Seen string `json:"seen,omitempty"`
}

// ActKind is what a person does.
type ActKind string

// What people do.
const (
	// Pause keeps a rollout from going forward; judges go on watching.
	Pause ActKind = "pause"
	// Continue ends a pause, or overrides the freeze that keeps it.
	Continue ActKind = "continue"
	// Approve says the yes that a hold waits for. It may come before the hold's time
	// is over.
	Approve ActKind = "approve"
	// Abort takes a rollout back that is under way. One that goes back already, and
	// is held because the old version is no better, goes back regardless.
	Abort ActKind = "abort"
	// Promote goes through all further steps at once: no hold, no gate, no judge and
	// no freeze keeps it. One that is going back turns round, and begins anew: at first with
	// as many instances as its first steps want, whatever traffic the new version still has.
	Promote ActKind = "promote"
	// Leave ends a rollout whose way back has failed, where it stands: as [Failed], with
	// what is left for people to see to. It makes room for the next one. What it was to
	// take back counts as not taken back.
	Leave ActKind = "leave"
	// RollBack takes a rollout back that has succeeded, as a rollout of its own (see
	// [Engine.Act]). One that is under way it aborts.
	RollBack ActKind = "roll back"
	// FailedLater says that a rollout that has succeeded turned out bad: it counts as
	// a failed change in [Delivery], and nothing moves.
	FailedLater ActKind = "failed later"
)

// check says everything that is wrong with the act by itself.
func (a Act) check() error {
	var problems []error
	switch a.Kind {
	case Pause, Continue, Approve, Abort, Promote, Leave, RollBack, FailedLater:
	default:
		problems = append(problems, fmt.Errorf("kind: found %q, want pause, continue, approve, abort, promote, leave, roll back or failed later", string(a.Kind)))
	}
	if a.Actor == "" {
		problems = append(problems, errors.New("actor: missing, want who does it"))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// fits says whether the rollout stands where the actor saw it.
func (a Act) fits(s State) error {
	if a.Seen != "" && a.Seen != s.String() {
		return refused("it is %v by now, and was seen %s", s, a.Seen)
	}
	return nil
}

// Act is what a person does: one record in the journal, whoever drives the rollout,
// and whether or not somebody does at the moment. What keeps it from being done is
// an error, and then nothing was written: [ErrInvalid] if it has no actor or no
// known kind, [ErrNotFound], [ErrOver], [ErrConflict] if it does not fit to where
// the rollout stands, and [ErrNoWayBack].
//
// RollBack of a rollout that has succeeded requests another one, whose ID is its
// [BackID] and whose plan is the way back, after a look whether there is one: an
// earlier release that succeeded, its artifact, and no point of no return before it.
// Nothing moves until [Engine.Resume] carries it out, or the guard's Run.
//
// A run of a pipeline can be paused, continued and aborted: see [Engine.Run].
func (e *Engine) Act(ctx context.Context, id string, act Act) error {
	fail := func(err error) error { return &Error{string(cmp.Or(act.Kind, "act")), id, err} }
	if err := act.check(); err != nil {
		return fail(err)
	}
	r, err := e.lookUp(id)
	switch {
	case err != nil:
		return fail(err)
	case r == nil:
		return fail(ErrNotFound)
	}
	if r.course != nil {
		r = e.remember(r)
		err := e.record(ctx, r, Record{Kind: KindActed, Actor: act.Actor, Reason: act.Reason, Act: &act})
		if err != nil {
			return fail(err)
		}
		r.wakeUp()
		return nil
	}
	s := e.machine(r).State()
	switch {
	case s.Phase == Pending:
		return fail(refused("it waits for its turn, and nothing was written: end the context of its Deploy"))
	case act.Kind == RollBack && s.Outcome == Succeeded:
		err := act.fits(s)
		if err == nil {
			err = e.takeBack(ctx, r, act)
		}
		if err != nil {
			return fail(err)
		}
		return nil
	}
	r = e.remember(r)
	err = e.record(ctx, r, Record{Kind: KindActed, Step: s.Step, Generation: -1, Actor: act.Actor, Reason: act.Reason, Act: &act})
	if err != nil {
		return fail(err)
	}
	r.wakeUp()
	return nil
}

// known says whether the journal has a rollout.
func (e *Engine) known(id string) bool {
	r, err := e.lookUp(id)
	return err == nil && r != nil
}

// remember keeps a rollout that was looked up, so that records of it can be folded
// in.
func (e *Engine) remember(r *run) *run {
	e.mu.Lock()
	defer e.mu.Unlock()
	if live := e.runs[r.id]; live != nil {
		return live // somebody looked it up at the same time: its records are written one by one
	}
	e.runs[r.id] = r
	e.over = append(e.over, r.id)
	return r
}

// BackID is the ID of the rollout that takes another one back: see [Engine.Act].
func BackID(id string) string { return id + " back" }

// takeBack requests the way back of a rollout that has succeeded.
func (e *Engine) takeBack(ctx context.Context, r *run, act Act) error {
	q := r.request
	e.mu.Lock()
	l := e.track(q.lane())
	newest := ""
	if n := len(l.good); n > 0 {
		newest = l.good[n-1].id
	}
	target, active := r.target, l.active
	e.mu.Unlock()
	before, err := e.Status(BackID(r.id))
	taken := err == nil && before.TakesBack == r.id
	switch {
	case taken && before.State.Outcome == Failed:
		return none("%q was to take it back, and was left where it stands: deploy what is to be there", before.ID)
	case newest != r.id && taken:
		return none("it was taken back already")
	case newest != r.id:
		return none("%q has come after it", newest)
	case active != nil && active != r:
		return refused("rollout %q is under way on top of it: abort that", active.id)
	}
	if err := q.wayBack(); err != nil {
		return err
	}
	if err := (&driver{engine: e, request: Request{Target: target}}).preflight(ctx, q.Previous); err != nil {
		return err
	}
	back := q
	back.TakesBack, back.Release, back.Previous = r.id, q.Previous, q.Release
	back.Promotion = NoHarmSeen // no judge watches a way back
	back.Plan = strategy.Plan{Strategy: "roll back", Old: q.Plan.Old, New: q.Plan.New, Steps: q.Plan.Undo(len(q.Plan.Steps) - 1)}
	back.Digest = digest(back)
	child := newRun(BackID(r.id))
	child.target = target
	if other, err := e.lookUp(child.id); err != nil {
		return err
	} else if other != nil {
		return refused("the journal has the ID %q for another rollout", child.id)
	}
	e.mu.Lock()
	if (l.active == nil || l.active == r) && e.runs[child.id] == nil {
		l.active, e.runs[child.id], child.active = child, child, true // nobody else's before it is written
	}
	won := l.active == child
	e.mu.Unlock()
	if !won {
		return refused("another rollout has begun meanwhile")
	}
	err = e.record(ctx, child, Record{Kind: KindRequested, Parent: r.id, Actor: act.Actor, Request: &back, Act: &act,
		Reason: fmt.Sprintf("roll back of %s: %s", q.what(), act.Reason)})
	e.release(child)
	return err
}

// none is why there is no way back.
func none(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNoWayBack, fmt.Sprintf(format, args...))
}

// wayBack says why what was asked for could not be taken back after it has succeeded.
func (q Requested) wayBack() error {
	end := len(q.Plan.Steps) - 1
	switch {
	case !q.Plan.Returns(end):
		return none("it is past its point of no return")
	case len(q.Plan.Undo(end)) == 0:
		return none("its plan moved nothing")
	case q.Flag == "" && q.Previous == (Release{}):
		return none("the journal knows no earlier release that succeeded")
	case q.Flag == "" && q.Previous.Digest == q.Release.Digest && q.Release.Digest != "":
		return none("the release before it, %v, has the same digest", q.Previous)
	}
	return nil
}

// refused is an act that does not fit.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConflict, fmt.Sprintf(format, args...))
}

// act folds in what a person did.
func (m *Machine) act(r Record) error {
	s := &m.state
	if s.Phase == Pending {
		return errOutOfPlace
	}
	if err := r.Act.fits(*s); err != nil {
		return err
	}
	forward := s.Phase == Forward || s.Phase == Waiting
	hold, holds := m.current().(strategy.Hold)
	late := Effect{} // a deadline that is over, and nobody was there to see it
	if forward {
		late = m.due(r.At, m.ready(r.At))
	}
	switch kind := r.Act.Kind; {
	case (kind == Approve || kind == Continue) && late.Do == DoExpire && late.Then == ThenAbort && !m.gone():
		return refused("it comes too late: %s", late.Why)
	case kind == FailedLater:
		if s.Outcome != Succeeded || s.FailedLater {
			return refused("it is %v, and only what has succeeded can fail later, once", *s)
		}
		s.FailedLater = true
	case s.Phase == Done:
		return fmt.Errorf("%w: it is %v", ErrOver, *s)
	case m.left:
		return refused("it was left where it stands, and only its end is not written yet")
	case kind == Pause:
		switch {
		case !forward:
			return refused("it is going back, and a way back is never paused")
		case s.Paused.on():
			return refused("it is paused already: %s", s.Paused.Reason)
		}
		m.pause(r)
	case kind == Continue:
		if !s.Paused.on() && !s.Frozen.on() {
			return refused("it is neither paused nor frozen")
		}
		if s.Frozen.on() {
			s.thawed = s.Frozen.Until
		}
		m.resume(r.At)
	case kind == Approve:
		switch {
		case s.Phase != Waiting || !holds || !hold.Approval:
			return refused("it is %v, and no hold there waits for approval", *s)
		case s.Approved:
			return refused("this hold is approved already")
		}
		s.Approved = true
	case (kind == Abort || kind == RollBack) && forward:
		if m.gone() {
			return refused("it is past its point of no return")
		}
		m.turn(r, false)
	case kind == Abort || kind == RollBack:
		if !s.Automatic {
			return refused("it is going back already: %s", s.Reason)
		}
		s.Automatic, s.Actor = false, r.Actor
		m.hurry()
	case kind == Leave:
		if !m.failing() {
			return refused("it is %v, and no way back of it has failed", *s)
		}
		m.step(len(m.back))
		m.left, s.Reason, s.Actor = true, s.Reason+" (left by "+r.Actor+" where it stands)", r.Actor
		s.Generation++
	case kind == Promote && forward:
		if s.Forced {
			return refused("it is being promoted already")
		}
		m.resume(r.At)
		s.Forced, s.Actor, s.Reason = true, r.Actor, r.Reason
	case kind == Promote:
		if m.replaced || m.route.TakesBack != "" {
			return refused("it makes room for another, and does not turn round")
		}
		m.back = nil
		m.step(0)
		s.Phase, s.Reason, s.Actor, s.Forced, s.Held, s.Automatic = Forward, r.Reason, r.Actor, true, false, false
		s.Generation++
	default:
		return errOutOfPlace
	}
	return nil
}
