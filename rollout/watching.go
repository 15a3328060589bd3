package rollout

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// watch sleeps until the effect's time, looking at intervals; it returns as soon
// as something changes what comes next.
func (d *driver) watch(ctx context.Context, m Machine, effect Effect) error {
	every, clock := cmp.Or(d.request.Look, time.Second), d.engine.clock
	if effect.Do == DoWatch && d.waits.IsZero() {
		d.waits, d.told = clock.steady(), false
	}
	comes := m.Next(clock.now()).Do
	for {
		if err := d.look(ctx, m, effect.Do == DoWatch); err != nil {
			return err
		}
		at := clock.now()
		if m = d.engine.machine(d.run); m.Next(at).Do != comes {
			return nil
		}
		if effect.Do == DoWatch && !d.told && !d.engine.simulated && clock.steady().Sub(d.waits) >= time.Minute {
			d.told = true
			slog.Default().Warn("rollout: the hold is over, and waits for more than time", "rollout", d.run.id, "progress", d.tell())
		}
		pause := every
		if effect.Do == DoWait && !effect.At.IsZero() {
			if pause = min(every, effect.At.Sub(at)); pause <= 0 {
				return nil
			}
		}
		if d.rest(ctx, pause) != nil {
			return ctx.Err()
		}
	}
}

// rest sleeps for a while, or until something happens to the rollout.
func (d *driver) rest(ctx context.Context, pause time.Duration) error {
	d.engine.clock.wait(ctx, pause, d.run.wake)
	return ctx.Err()
}

// look asks the alarms and lets every judge look once. A look is written when it has
// marks of units that no record has, when its judge has something new to remember,
// when it fails the change, and when the hold may end by it.
//
// Before that it looks whether the target is still where the journal has it: if
// somebody else moved it, the rollout is over.
func (d *driver) look(ctx context.Context, m Machine, last bool) error {
	hold, exposed := m.watched()
	s := m.State()
	if s.Phase == Back || !exposed && s.Share <= d.run.request.Floor || s.Paused.on() && m.gone() {
		return nil // nothing would come of it
	}
	err := ask(ctx, func(ctx context.Context) error { return d.inPlace(ctx, m) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errUnseen):
		d.engine.problem(d.run, err)
		return nil // whoever cannot see it must not go on either; the next look tries again
	case err != nil:
		return d.write(ctx, m, Record{Kind: KindFailed, Actor: actor, Reason: fmt.Sprintf("%v (during %v)", err, hold)})
	}
	if d.request.guard != nil {
		d.request.guard.complain()
	}
	if r, no := d.alarm(ctx, m); no {
		return d.fail(ctx, m, r)
	}
	if d.stalls == 0 && ctx.Err() == nil {
		d.engine.problem(d.run, d.silent())
	}
	taken := map[*health.Cohorts]health.Checkpoint{}
	for _, name := range hold.Judges {
		if !exposed {
			break
		}
		w := d.request.Watches[name]
		if w.Cohorts == nil { // whoever takes its place drives it without
			continue
		}
		cp, shared := taken[w.Cohorts]
		if !shared {
			if cp, err = w.Cohorts.Checkpoint().After(d.run.unwritten[w.Cohorts]); err != nil {
				return err
			}
			d.run.unwritten[w.Cohorts] = cp
			cp.Sample.Elapsed = s.elapsed(d.engine.clock.now())
		}
		written, err := d.judge(ctx, m, hold, name, cp, last)
		if err != nil {
			return err
		}
		if written && !shared {
			delete(d.run.unwritten, w.Cohorts)
		}
		cp.Marks, cp.Slow, cp.Kept, cp.Tables = nil, nil, nil, nil // those are for the records of the first
		taken[w.Cohorts] = cp
		if m = d.engine.machine(d.run); m.State().Generation != s.Generation {
			return nil
		}
	}
	return nil
}

// judge lets one judge look, and says whether its look was written.
func (d *driver) judge(ctx context.Context, m Machine, hold strategy.Hold, name string, cp health.Checkpoint, last bool) (written bool, err error) {
	s, q := m.State(), d.run.request
	before := d.engine.judgeState(d.run.id, name)
	verdict, state := judge(d.request.Watches[name].Judge, before, cp.Sample)
	counts, want := m.counts(name), s.ExposedBefore+uint64(hold.Exposed)
	enough := s.Exposed >= want || counts && cp.Sample.Candidate.Requests() >= want
	ends := last && enough && (s.Looked.Before(s.Until) || s.Exposed < want)
	fails := verdict.Call == health.Fail && m.heeds(name)
	passes := q.Promotion == EvidenceOfNoHarm && (verdict.Call == health.Pass) != m.passed(name)
	// Which looks are written must not depend on what they say, or a crash would
	// keep the incriminating ones and lose the others.
	marks := len(cp.Marks) + len(cp.Slow) + len(cp.Kept)
	if !fails && !passes && marks == 0 && bytes.Equal(state, before) && !ends && !(counts && s.uncounted) {
		return false, nil
	}
	r := Record{Kind: KindLooked, Actor: "judge " + name, Reason: verdict.Reason, Look: &Look{Watch: name, Verdict: verdict, State: state, Checkpoint: cp}}
	if fails && !q.Shadow && q.Fails[name] == ThenAbort {
		return true, d.fail(ctx, m, r)
	}
	if s.Phase == Waiting { // for how long it has to be watched still
		r.At = d.engine.clock.now()
		r.Until = r.At.Add(max(d.hold.Sub(d.engine.clock.steady()), 0))
	}
	return true, d.write(ctx, m, r) // dropped, if somebody made it turn round meanwhile, and then no look counts any more
}

// blind says that a judge that may send the rollout back has had nothing to judge a hold
// by, and what follows from it: who has seen nothing has seen no harm.
func (d *driver) blind(m Machine, hold strategy.Hold) (Record, bool) {
	s, q := m.State(), d.run.request
	if s.Forced || q.Shadow || s.Share <= q.Floor || d.request.Doubt == ThenGoOn || d.request.guard != nil { // a guard waits for requests
		return Record{}, false
	}
	for _, name := range hold.Judges {
		w := d.request.Watches[name]
		if q.Fails[name] != ThenAbort || w.Cohorts == nil {
			continue
		}
		sample := w.Cohorts.Snapshot()
		sample.Elapsed = s.elapsed(d.engine.clock.now())
		if v, _ := judge(w.Judge, d.engine.judgeState(d.run.id, name), sample); v.Missing != health.Present && v.Call == health.Inconclusive {
			r := Record{Kind: KindFailed, Actor: "judge " + name, Reason: fmt.Sprintf("judge %q cannot tell at the end of its hold: %s", name, v.Reason)}
			if d.request.Doubt == ThenPause {
				r.Kind = KindPaused
			}
			return r, true
		}
	}
	return Record{}, false
}

// alarm asks the alarms, and returns the first no. They get the time between two
// looks; one that takes longer cannot tell.
func (d *driver) alarm(ctx context.Context, m Machine) (Record, bool) {
	s := m.State()
	if len(d.request.Alarms) == 0 || s.Forced || s.Share <= d.run.request.Floor {
		return Record{}, false
	}
	clock := d.engine.clock
	until := clock.steady().Add(cmp.Or(d.request.Look, time.Second))
	for _, name := range slices.Sorted(maps.Keys(d.request.Alarms)) {
		asking, cancel := clock.within(ctx, until.Sub(clock.steady()), nil)
		err := ask(asking, d.request.Alarms[name])
		cancel()
		switch {
		case err == nil:
			delete(d.doubts, name)
		case doubtful(err) || ctx.Err() != nil:
			if d.doubts == nil {
				d.doubts = map[string]time.Time{}
			}
			if _, already := d.doubts[name]; !already {
				d.doubts[name] = clock.steady()
			}
		default:
			return Record{Kind: KindFailed, Actor: "alarm " + name, Reason: fmt.Sprintf("alarm %q says no: %v", name, err)}, true
		}
	}
	return Record{}, false
}

// silent says that an alarm has not been able to tell for a minute: perhaps nobody runs
// what it asks.
func (d *driver) silent() error {
	for _, name := range slices.Sorted(maps.Keys(d.doubts)) {
		if d.engine.clock.steady().Sub(d.doubts[name]) >= time.Minute {
			return fmt.Errorf("alarm %q cannot tell, for a minute or more: the rollout goes on without it", name)
		}
	}
	return nil
}

// unseen says whether the target, which somebody is exposed by, cannot be read back.
func (d *driver) unseen(ctx context.Context, m Machine) bool {
	s := m.State()
	if s.Forced || s.Share <= d.run.request.Floor {
		return false
	}
	err := ask(ctx, func(ctx context.Context) error { return d.inPlace(ctx, m) })
	if !errors.Is(err, errUnseen) {
		d.engine.problem(d.run, nil)
		return false
	}
	d.engine.problem(d.run, err)
	return true
}
