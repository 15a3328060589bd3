package strategytest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/strategy"
)

// kit tries one rule on one target.
type kit struct {
	t      testing.TB
	rule   string
	life   *life
	target strategy.Target

	// What the target also is, or nil.
	preparer strategy.Preparer
	shifter  strategy.Shifter
	mirrorer strategy.Mirrorer
	scaler   strategy.Scaler
	promoter strategy.Promoter
	keeper   strategy.Keeper

	start strategy.Observation // where it began
	want  strategy.Observation // where it has to be now
}

// life is a test whose cleanups run when the kit has done with a target.
type life struct {
	testing.TB
	cleanups []func()
}

func (l *life) Cleanup(f func()) { l.cleanups = append(l.cleanups, f) }

// begin makes a target, and says whether it can be tried.
func (k *kit) begin(newTarget func(t testing.TB) strategy.Target) bool {
	k.life = &life{TB: k.t}
	if k.target = newTarget(k.life); k.target == nil {
		return k.fail("there is no target")
	}
	k.preparer, _ = k.target.(strategy.Preparer)
	k.shifter, _ = k.target.(strategy.Shifter)
	k.mirrorer, _ = k.target.(strategy.Mirrorer)
	k.scaler, _ = k.target.(strategy.Scaler)
	k.promoter, _ = k.target.(strategy.Promoter)
	k.keeper, _ = k.target.(strategy.Keeper)
	if k.preparer != nil && !k.did(k.preparer.Prepare(context.Background(), Old, New), "Prepare of %q and %q", Old, New) {
		return false
	}
	seen, ok := k.see()
	k.start, k.want = seen, seen
	return ok
}

func (k *kit) end() {
	for _, f := range slices.Backward(k.life.cleanups) { // as testing does
		f()
	}
}

// fail reports and returns false, for what cannot go on.
func (k *kit) fail(format string, args ...any) bool {
	k.t.Helper()
	k.t.Errorf("%s: %s", k.rule, fmt.Sprintf(format, args...))
	return false
}

// did wants no error.
func (k *kit) did(err error, format string, args ...any) bool {
	k.t.Helper()
	return err == nil || k.fail("%s fails: %v", fmt.Sprintf(format, args...), err)
}

// see reads the target back.
func (k *kit) see() (strategy.Observation, bool) {
	k.t.Helper()
	seen, err := k.target.Observe(context.Background())
	return seen, k.did(err, "Observe")
}

// at wants the target to be there.
func (k *kit) at(want strategy.Observation, when string) bool {
	k.t.Helper()
	seen, ok := k.see()
	if ok && seen != want {
		return k.fail("it is at %v %s, want %v", shown(seen), when, shown(want))
	}
	return ok
}

// moves takes one step, and wants the target to be where that leads and nothing else to
// have changed.
func (k *kit) moves(step strategy.Step) bool {
	k.t.Helper()
	return k.did(k.take(context.Background(), step), "%v", called(step)) && k.arrived(step)
}

// arrived wants the target to be where the step leads.
func (k *kit) arrived(step strategy.Step) bool {
	k.t.Helper()
	k.want = after(k.want, step)
	return k.at(k.want, "after "+called(step))
}

// scales is moves for numbers of instances.
func (k *kit) scales(old, new int) bool {
	k.t.Helper()
	return k.moves(strategy.Scale{Old: strategy.Count{From: k.want.Old, To: old}, New: strategy.Count{From: k.want.New, To: new}})
}

// runs makes New run beside Old, if the target scales.
func (k *kit) runs() bool {
	k.t.Helper()
	return k.scaler == nil || k.scales(k.start.Old, k.start.Old)
}

// rest takes New's instances away again.
func (k *kit) rest() bool {
	k.t.Helper()
	return k.scaler == nil || k.scales(k.start.Old, 0)
}

// take carries a step out, if anything has to move.
func (k *kit) take(ctx context.Context, step strategy.Step) error {
	switch step := step.(type) {
	case strategy.Shift:
		return k.shifter.Shift(ctx, step.To)
	case strategy.Mirror:
		return k.mirrorer.Mirror(ctx, step.To)
	case strategy.Scale:
		to := after(k.want, step)
		return k.scaler.Scale(ctx, to.Old, to.New)
	case strategy.Promote:
		version := New
		if step.Back {
			version = Old
		}
		if k.promoter != nil {
			return k.promoter.Promote(ctx, version)
		}
	}
	return nil
}

// after is where a step leads from there.
func after(at strategy.Observation, step strategy.Step) strategy.Observation {
	switch step := step.(type) {
	case strategy.Shift:
		at.Share = step.To
	case strategy.Mirror:
		at.Mirror = step.To
	case strategy.Scale:
		if step.Old.From != step.Old.To {
			at.Old = step.Old.To
		}
		if step.New.From != step.New.To {
			at.New = step.New.To
		}
	}
	return at
}

// called is how errors name a call.
func called(step strategy.Step) string {
	switch step := step.(type) {
	case strategy.Shift:
		return fmt.Sprintf("a Shift to %v", step.To)
	case strategy.Mirror:
		return fmt.Sprintf("a Mirror of %v", step.To)
	}
	return fmt.Sprintf("%q", step)
}

// shown is where a target stands, as errors have it.
func shown(o strategy.Observation) string {
	text := fmt.Sprintf("share %v, mirror %v, old %d, new %d", o.Share, o.Mirror, o.Old, o.New)
	if o.Why != "" {
		text += fmt.Sprintf(", why %q", o.Why)
	}
	return text
}
