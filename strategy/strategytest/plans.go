package strategytest

import (
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// plans carries out what the strategies of package strategy plan for the target, on one
// target, as one rollout after another does.
func (k *kit) plans() {
	in := strategy.Input{Old: Old, New: New}
	if k.scaler != nil {
		in.Instances = k.start.Old
	}
	for _, s := range k.strategies() {
		plan, err := s.Plan(in)
		if err != nil {
			k.fail("%T makes no plan: %v", s, err)
			return
		}
		if plan.Check(k.target) != nil {
			continue // it needs what the target does not have
		}
		for at := range plan.Steps {
			for _, begun := range []bool{false, true} {
				if !k.thereAndBack(plan, at, begun) {
					return
				}
			}
		}
	}
}

// strategies are those that the target may be moved by.
func (k *kit) strategies() []strategy.Strategy {
	mirror, before := strategy.Share(0), strategy.Hold{}
	if k.mirrorer != nil {
		mirror, before = 10*strategy.Percent, strategy.Hold{For: time.Minute}
	}
	ladder := []strategy.Share{1 * strategy.Percent, 50 * strategy.Percent, strategy.All}
	all := []strategy.Strategy{
		strategy.Canary{Weights: ladder, Mirror: mirror, Before: before},
		strategy.BlueGreen{Mirror: mirror, Before: before},
	}
	if k.scaler == nil || k.start.Old == 0 {
		return all
	}
	return append(all,
		strategy.Canary{Weights: ladder, ByInstances: true},
		strategy.Rolling{Surge: strategy.Amount{Count: 1}},
		strategy.Rolling{Unavailable: strategy.Amount{Count: 1}},
		strategy.Recreate{},
	)
}

// thereAndBack goes on to a step of the plan, which is then done, or only begun: nothing
// has happened yet. And then it goes back.
func (k *kit) thereAndBack(plan strategy.Plan, at int, begun bool) bool {
	for i, step := range plan.Steps[:at+1] {
		if i == at && begun {
			break
		}
		if !k.moves(step) {
			return k.fail("in step %d, %q, of\n%v", i+1, step, plan)
		}
		want := plan.After(i)
		if k.scaler == nil { // others run what it has
			want.Old, want.New = k.want.Old, k.want.New
		}
		if k.want != want {
			return k.fail("after step %d the plan is at %v, and its steps lead to %v, of\n%v", i+1, shown(want), shown(k.want), plan)
		}
	}
	for i, step := range plan.Undo(at) {
		if !k.moves(step) {
			return k.fail("in step %d, %q, of the way back from step %d of\n%v", i+1, step, at+1, plan)
		}
	}
	return k.at(k.start, "at the end of the way back") || k.fail("from step %d of\n%v", at+1, plan)
}
