package rollout

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// driver carries one request out.
type driver struct {
	engine  *Engine
	run     *run
	request Request
}

const actor = "engine"

// drive goes on until the rollout is over or the context ends.
func (d *driver) drive(ctx context.Context) (Outcome, error) {
	for {
		m := d.machine()
		step := m.State().Step
		var err error
		switch effect := m.Next(time.Now()); effect.Do {
		case DoRest:
			return effect.Outcome, nil
		case DoBegin:
			err = d.take(ctx, m.State(), effect.Step)
		case DoHold:
			hold := effect.Step.(strategy.Hold)
			err = d.write(ctx, Record{Kind: KindWaiting, Step: step, Actor: actor, Reason: hold.String(), Until: now().Add(hold.For)})
		case DoWait, DoWatch:
			err = d.watch(ctx, effect)
		case DoAdvance:
			err = d.write(ctx, Record{Kind: KindDone, Step: step, Actor: actor, Reason: d.noHarm(effect.Step.(strategy.Hold))})
		case DoFinish:
			err = d.write(ctx, Record{Kind: KindFinished, Step: step, Actor: actor, Reason: d.why(effect.Outcome)})
		}
		if err != nil {
			return Unfinished, err
		}
	}
}

// take begins a step, carries it out, and writes what became of it. A step that
// was begun before is begun again: every act may be repeated.
func (d *driver) take(ctx context.Context, s State, step strategy.Step) error {
	deadline := now().Add(cmp.Or(d.request.StepTimeout, time.Minute))
	r := Record{Kind: KindBegun, Step: s.Step, Attempt: s.Attempt + 1, Actor: actor, Reason: step.String(), Until: deadline}
	if err := d.write(ctx, r); err != nil {
		return err
	}
	stepCtx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	err := d.act(stepCtx, step)
	if ctx.Err() != nil {
		return ctx.Err() // stopped, not failed: whoever resumes takes the step again
	}
	r.Kind, r.Until = KindDone, time.Time{}
	if err != nil {
		r.Kind, r.Reason = KindFailed, fmt.Sprintf("%v: %v", step, err)
		if s.Phase == Back {
			r.Until = now().Add(min(time.Second<<min(s.Attempt, 6), time.Minute))
		}
	}
	return d.write(ctx, r)
}

// retreat takes back a change that fails although the journal cannot be written:
// less than the journal allows is always allowed, and the next run finds it so.
func (d *driver) retreat(ctx context.Context, unwritten error) error {
	m := d.machine()
	for _, step := range m.plan.Undo(m.state.Step) {
		if err := d.act(ctx, step); err != nil {
			return fmt.Errorf("the change fails, and could neither be written down nor taken back: %w", errors.Join(unwritten, err))
		}
	}
	return fmt.Errorf("the change fails and was taken back, but could not be written down: %w", unwritten)
}

// act is the only place where anything moves.
func (d *driver) act(ctx context.Context, step strategy.Step) error {
	switch step := step.(type) {
	case strategy.Verify:
		for _, name := range step.Gates {
			if err := ask(ctx, d.request.Gates[name]); err != nil {
				return fmt.Errorf("gate %q says no: %w", name, err)
			}
		}
	case strategy.Shift:
		return ask(ctx, func(ctx context.Context) error {
			err := d.request.Target.(strategy.Shifter).Shift(ctx, step.To)
			if seen := d.readBack(ctx, step.To); err == nil || seen == nil && d.machine().State().Phase == Back {
				return seen // on the way back, being there is what counts
			}
			return err
		})
	}
	return nil
}

// judge lets a judge look; one that panics fails the change.
func judge(j health.Judge, state health.State, sample health.Sample) (v health.Verdict, next health.State) {
	defer func() {
		if p := recover(); p != nil {
			v, next = health.Verdict{Call: health.Fail, Reason: fmt.Sprintf("the judge panicked: %v", p)}, state
		}
		for _, x := range []*float64{&v.LogE, &v.LogPeak, &v.LogThreshold} {
			if *x != *x {
				*x = 0
			}
			*x = min(max(*x, -math.MaxFloat64), math.MaxFloat64) // JSON knows no infinity
		}
	}()
	return j.Look(state, sample)
}

// readBack looks whether the target is where the journal has it. On the way back
// less is fine: somebody else may have turned it off altogether.
func (d *driver) readBack(ctx context.Context, want strategy.Share) error {
	seen, err := d.request.Target.Observe(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errUnseen, err)
	}
	back := d.machine().State().Phase == Back
	switch {
	case back && seen.Share <= want, seen.Share == want && seen.Why == "":
		return nil
	case seen.Why != "":
		return errors.New(seen.Why)
	}
	return fmt.Errorf("read back %v, want %v", seen.Share, want)
}

// errUnseen is a target that cannot be read back: nobody knows where it is.
var errUnseen = errors.New("cannot be read back")

// ask contains panics: code of the host must not take the engine down.
func ask(ctx context.Context, gate Gate) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return errors.Join(gate(ctx), ctx.Err())
}

// watch sleeps until the effect's time, looking at intervals; it returns as soon
// as a look changes what comes next.
func (d *driver) watch(ctx context.Context, effect Effect) error {
	hold, holding := effect.Step.(strategy.Hold)
	every := cmp.Or(d.request.Look, time.Second)
	began, told := time.Now(), false
	for {
		if holding {
			if err := d.look(ctx, hold, effect.Do == DoWatch); err != nil {
				return err
			}
		}
		at := time.Now()
		if d.machine().Next(at).Do != effect.Do {
			return nil
		}
		if effect.Do == DoWatch && !told && at.Sub(began) >= time.Minute {
			told = true
			slog.Default().Warn("rollout: the hold is over, and waits for more requests on the new side", "rollout", d.run.id, "progress", d.tell())
		}
		pause := every
		if effect.Do == DoWait {
			pause = min(every, effect.At.Sub(at))
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// look lets every judge of a hold look once. A look is written when it has marks of
// units that no record has, when its judge has something new to remember, when it
// fails the change, and when the hold may end by it.
//
// Before that it looks whether the target is still where the journal has it: if
// somebody else moved it, the rollout is over.
func (d *driver) look(ctx context.Context, hold strategy.Hold, last bool) error {
	s := d.machine().State()
	err := ask(ctx, func(ctx context.Context) error { return d.readBack(ctx, s.Share) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUnseen):
		return nil // whoever cannot see it must not go on either; the next look tries again
	case err != nil:
		return d.write(ctx, Record{Kind: KindFailed, Step: s.Step, Actor: actor, Reason: fmt.Sprintf("%v (during %v)", err, hold)})
	}
	for _, name := range hold.Judges {
		w := d.request.Watches[name]
		cp, err := w.Cohorts.Checkpoint().After(d.run.unwritten[w.Cohorts])
		if err != nil {
			return err
		}
		d.run.unwritten[w.Cohorts] = cp
		cp.Sample.Elapsed = s.elapsed(now())
		before := d.engine.judgeState(d.run.id, name)
		verdict, state := judge(w.Judge, before, cp.Sample)
		// A sample that is full has stopped to see new units: no data, so no end.
		ends := last && !cp.Sample.Full && !cp.Sample.Slow.Full && cp.Sample.Candidate.Requests() >= s.ExposedBefore+uint64(hold.Exposed)
		// Which looks are written must not depend on what they say, or a crash would
		// keep the incriminating ones and lose the others.
		marks := len(cp.Marks) + len(cp.Slow) + len(cp.Kept)
		if verdict.Call != health.Fail && marks == 0 && bytes.Equal(state, before) && !ends {
			continue
		}
		err = d.write(ctx, Record{Kind: KindLooked, Step: s.Step, Actor: "judge " + name, Reason: verdict.Reason,
			Look: &Look{Watch: name, Verdict: verdict, State: state, Checkpoint: cp}})
		if err != nil {
			if verdict.Call == health.Fail {
				err = d.retreat(ctx, err)
			}
			return err
		}
		delete(d.run.unwritten, w.Cohorts)
		if verdict.Call == health.Fail {
			return nil
		}
	}
	return nil
}

func (d *driver) machine() Machine {
	d.engine.mu.Lock()
	defer d.engine.mu.Unlock()
	return d.run.machine
}

// write appends a record of this rollout, if it may follow, and folds it in.
func (d *driver) write(ctx context.Context, r Record) error {
	m := d.machine()
	r.Rollout, r.Generation, r.From, r.At = d.run.id, m.State().Generation, m.State().String(), now()
	if err := m.Apply(r); err != nil {
		return err
	}
	r.To = m.State().String()
	r, err := d.engine.journal.Append(ctx, r)
	if err != nil {
		return err
	}
	if err := d.engine.fold(r); err != nil {
		return err
	}
	if d.engine.options.OnRecord != nil {
		d.engine.options.OnRecord(r)
	}
	return nil
}

// now is a time as the journal keeps it: no monotonic reading, no zone.
func now() time.Time { return time.Now().Round(0).UTC() }

// noHarm says why a hold may end: what was not seen, and how much was looked at.
func (d *driver) noHarm(hold strategy.Hold) string {
	if len(hold.Judges) == 0 {
		return fmt.Sprintf("held %v", hold.For)
	}
	status, _ := d.engine.Status(d.run.id)
	return fmt.Sprintf("held %v at %v, no harm seen: %s", hold.For, status.State.Share, status.Verdict.Reason)
}

// tell says how the rollout stands, for a log.
func (d *driver) tell() string {
	if d.request.guard != nil {
		return d.request.guard.Progress().String()
	}
	status, _ := d.engine.Status(d.run.id)
	return status.Phase
}

func (d *driver) why(outcome Outcome) string {
	if outcome != Succeeded {
		return d.machine().State().Reason
	}
	return "every step was taken and no judge saw harm"
}
