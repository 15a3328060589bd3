package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// driver carries one request out. Nothing but it touches its fields.
type driver struct {
	engine   *Engine
	run      *run
	request  Request
	hold     time.Time            // when the hold is over by the monotonic clock, which never jumps, and runs only while somebody watches
	waits    time.Time            // since when a hold waits for more than time
	told     bool                 // it has said so
	prepared bool                 // the target knows which versions it is about
	lost     *Record              // what fails the change, and could not be written
	stalls   int                  // how often in a row it could not go on
	doubts   map[string]time.Time // since when an alarm cannot tell
}

const actor = "engine"

func (d *driver) timeout() time.Duration { return cmp.Or(d.request.StepTimeout, time.Minute) }

// within is how long a step may take.
func (d *driver) within(step strategy.Step) time.Duration {
	if scale, ok := step.(strategy.Scale); ok && scale.Within > 0 {
		return scale.Within
	}
	return d.timeout()
}

// drive goes on until the rollout is over or the context ends.
func (d *driver) drive(ctx context.Context) (Outcome, error) {
	d.engine.mu.Lock()
	d.run.target = d.request.Target
	left := d.run.left
	d.engine.mu.Unlock()
	d.rejoin(left)
	for {
		m := d.engine.machine(d.run)
		if s := m.State(); s.Phase == Done {
			return s.Outcome, nil
		}
		var err error
		if !d.prepared {
			err = d.prepare(ctx, m.route.Plan)
		}
		if err == nil {
			err = d.next(ctx, m)
		}
		switch {
		case ctx.Err() != nil:
			return Unfinished, ctx.Err()
		case errors.Is(err, errOutOfPlace) && d.engine.machine(d.run).records != m.records:
			// somebody acted meanwhile: look again
		case err != nil && !heals(err):
			return Unfinished, err
		case err != nil:
			d.stall(ctx, err)
		case d.stalls > 0:
			d.stalls = 0
			d.engine.problem(d.run, nil)
		}
	}
}

// rejoin goes on with a hold that another process began. Of the time before, only that
// counts in which somebody certainly watched: up to the last look.
func (d *driver) rejoin(left time.Duration) {
	m := d.engine.machine(d.run)
	if hold, ok := m.current().(strategy.Hold); ok && m.State().Phase == Waiting {
		d.hold = d.engine.clock.steady().Add(min(left, hold.For))
	}
}

// next carries out the single thing that comes next.
func (d *driver) next(ctx context.Context, m Machine) error {
	if d.lost != nil && d.lost.Generation == m.State().Generation { // otherwise it has turned round without
		if err := d.write(ctx, m, *d.lost); err != nil {
			return err
		}
		if look := d.lost.Look; look != nil && (look.Checkpoint.Marks != nil || look.Checkpoint.Tables != nil) {
			delete(d.run.unwritten, d.request.Watches[look.Watch].Cohorts) // a record has them now
		}
		d.lost = nil
		return nil
	}
	d.lost = nil
	clock := d.engine.clock
	at := clock.now()
	effect := m.Next(at)
	if until, frozen := d.frozen(m, effect, at); frozen != "" {
		return d.write(ctx, m, Record{Kind: KindFrozen, At: at, Actor: actor, Until: until, Reason: frozen})
	}
	switch effect.Do {
	case DoBegin:
		held, note, err := d.held(ctx, m, at)
		if held || err != nil {
			return err
		}
		return d.take(ctx, m, effect.Step, note)
	case DoHold:
		hold := effect.Step.(strategy.Hold)
		d.hold, d.waits = clock.steady().Add(hold.For), time.Time{}
		return d.write(ctx, m, Record{Kind: KindWaiting, At: at, Actor: actor, Reason: hold.String(), Until: at.Add(hold.For)})
	case DoAdvance:
		if left := d.hold.Sub(clock.steady()); !m.State().Forced && left > 0 { // the clock on the wall has jumped, or nobody watched for a while
			return d.watch(ctx, m, Effect{Do: DoWait, At: at.Add(left)})
		}
		if d.unseen(ctx, m) { // a hold without a judge would go on blindly
			return d.watch(ctx, m, Effect{Do: DoWait, At: at.Add(cmp.Or(d.request.Look, time.Second))})
		}
		hold := effect.Step.(strategy.Hold)
		if r, blind := d.blind(m, hold); blind {
			r.At = at
			return d.write(ctx, m, r)
		}
		return d.write(ctx, m, Record{Kind: KindDone, At: at, Actor: actor, Reason: d.noHarm(m, hold)})
	case DoExpire:
		return d.expire(ctx, m, effect, at)
	case DoFinish:
		return d.write(ctx, m, Record{Kind: KindFinished, At: at, Actor: actor, Reason: why(m, effect.Outcome)})
	}
	return d.watch(ctx, m, effect)
}

// frozen says what keeps an effect from going forward, and until when.
func (d *driver) frozen(m Machine, effect Effect, at time.Time) (until time.Time, why string) {
	s := m.State()
	forward := s.Phase == Forward && effect.Do == DoBegin && !s.Begun || effect.Do == DoAdvance
	if !forward || s.Forced {
		return until, ""
	}
	reason, until, frozen := d.engine.frozen(d.run.request.lane(), at, s.Phase == Forward && s.Step == 0)
	if !frozen || !until.After(s.thawed) {
		return until, ""
	}
	return until, reason
}

// held asks, before the way back begins, whether the old version is better. An answer that
// is none holds nothing, as all that is known is that the new one fails; the journal gets
// it as a note. It leaves held what a no has held.
func (d *driver) held(ctx context.Context, m Machine, at time.Time) (held bool, note string, err error) {
	s := m.State()
	if s.Phase != Back || !s.Automatic || s.regardless || s.Step > 0 || s.Attempt > 0 || d.request.Stable == nil || s.Since.IsZero() {
		return false, "", nil
	}
	asking, cancel := d.interruptible(ctx, m, d.timeout())
	defer cancel()
	err = ask(asking, d.request.Stable)
	switch {
	case err == nil || ctx.Err() != nil || asking.Err() == context.Canceled:
		return ctx.Err() != nil || err != nil, "", ctx.Err()
	case s.Held: // it was written once; the next record says how it ended
		d.rest(ctx, holdFor)
		return true, "", ctx.Err()
	case doubtful(err):
		return false, fmt.Sprintf(", as nobody could tell whether the old version is better: %v", err), nil
	}
	return true, "", d.write(ctx, m, Record{Kind: KindHeld, At: at, Actor: actor, Until: at.Add(holdFor), Reason: fmt.Sprintf("the old version is no better: %v", err)})
}

// holdFor is between two questions whether the old version is better.
const holdFor = 10 * time.Second

// expire does what the request says about a deadline that is over.
func (d *driver) expire(ctx context.Context, m Machine, effect Effect, at time.Time) error {
	r := Record{Kind: KindFailed, Step: m.State().Step, At: at, Actor: actor, Reason: fmt.Sprintf("%s: %v", effect.Why, effect.Then)}
	switch {
	case effect.Then == ThenPause:
		r.Kind = KindPaused
	case effect.Then == ThenGoOn && m.State().Paused.on():
		r.Kind, r.Act = KindActed, &Act{Kind: Continue, Actor: actor, Reason: r.Reason}
	case effect.Then == ThenGoOn:
		r.Kind = KindDone
	}
	return d.write(ctx, m, r)
}

// write appends a record that follows from what m is.
func (d *driver) write(ctx context.Context, m Machine, r Record) error {
	s := m.State()
	r.Step, r.Generation = s.Step, s.Generation
	return d.engine.record(ctx, d.run, r)
}

// interruptible is a context with the time of a step, that ends, too, when somebody
// does what makes that step pointless, or has done so since m was read.
func (d *driver) interruptible(ctx context.Context, m Machine, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := d.engine.clock.within(ctx, within, nil)
	d.engine.mu.Lock()
	d.run.cancel = cancel
	if d.run.machine.interrupts(m.State()) {
		cancel()
	}
	d.engine.mu.Unlock()
	return ctx, func() {
		d.engine.mu.Lock()
		d.run.cancel = nil
		d.engine.mu.Unlock()
		cancel()
	}
}

// take begins a step, carries it out, and writes what became of it. A step that
// was begun before is begun again: every act may be repeated.
func (d *driver) take(ctx context.Context, m Machine, step strategy.Step, note string) error {
	s := m.State()
	at := d.engine.clock.now()
	deadline := at.Add(d.within(step))
	if err := d.write(ctx, m, Record{Kind: KindBegun, At: at, Attempt: s.Attempt + 1, Actor: actor, Reason: step.String() + note, Until: deadline}); err != nil {
		if s.Phase == Back && heals(err) { // the journal has said that it goes back
			return d.meanwhile(ctx, m, err)
		}
		return err
	}
	m = d.engine.machine(d.run)
	if m.State().Generation != s.Generation {
		return nil // somebody was faster
	}
	stepCtx, cancel := d.interruptible(ctx, m, d.within(step))
	defer cancel()
	r := Record{Kind: KindDone, Attempt: s.Attempt + 1, Actor: actor, Reason: step.String()}
	err := d.intact(stepCtx, m, step)
	if err != nil {
		r.Actor = "artifact"
	} else {
		err = d.act(stepCtx, m, step)
	}
	if ctx.Err() != nil {
		return ctx.Err() // stopped, not failed: whoever resumes takes the step again
	}
	_, gates := step.(strategy.Verify)
	if gates && d.engine.machine(d.run).State().Forced {
		r.Reason += ": not waited for, as a person promotes it"
		err = nil
	}
	if err != nil {
		r.Kind, r.Reason = KindFailed, fmt.Sprintf("%v: %v", step, err)
		doubt := d.request.Doubt
		switch {
		case s.Phase == Back:
			r.Until = d.engine.clock.now().Add(min(time.Second<<min(s.Attempt, 6), longestRest))
		case errors.Is(err, ErrInconclusive) && doubt == ThenPause:
			r.Kind = KindPaused
		case gates && errors.Is(err, ErrInconclusive) && doubt == ThenGoOn: // a target that says so has moved nothing
			r.Kind = KindDone
		}
	}
	return d.write(ctx, m, r) // dropped, if the rollout has turned round meanwhile
}

// fail writes what takes the change back. If the journal cannot be written, the
// change is taken back all the same: less than the journal allows is always allowed.
func (d *driver) fail(ctx context.Context, m Machine, r Record) error {
	err := d.write(ctx, m, r)
	if err == nil || errors.Is(err, ErrFenced) || !heals(err) && ctx.Err() == nil && !errors.As(err, new(unwritten)) {
		return err
	}
	r.Generation = m.State().Generation
	d.lost = &r
	return d.meanwhile(ctx, m, err)
}

// meanwhile takes the change back while the journal cannot be written for a reason.
func (d *driver) meanwhile(ctx context.Context, m Machine, err error) error {
	if back := d.retreat(ctx, m); back != nil {
		u := unwritten{err: err}
		errors.As(err, &u)
		u.back = back
		return u
	}
	return err
}
