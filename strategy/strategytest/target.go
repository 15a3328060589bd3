package strategytest

import (
	"context"
	"fmt"
	"testing"

	"github.com/guidon-go/guidon/strategy"
)

// Old and New are the versions that a target under test knows.
const (
	Old = "v1" // has all of the traffic, and runs, if the target scales
	New = "v2" // does not run yet
)

// unknown is a version that no target has.
const unknown = "no-such-version"

// TestTarget calls newTarget for each rule, which makes a target at its start: Old has
// all of the traffic and New none, nothing is mirrored, and if it is a
// [strategy.Scaler], at least one instance of Old runs and none of New. The kit never
// asks for more instances of either version than run of Old then, save one more of both
// together. A cleanup of the t that newTarget gets runs when the kit has done with that
// target.
//
// What the kit wants depends on which optional interfaces the target has:
//   - observe: Observe finds the start, each time, and says of nobody that he made it so;
//   - prepare: Prepare moves nothing, takes the same versions again, wherever they stand,
//     and refuses those that are not there, and no name; what it was told before holds on
//     then; when New has all of the traffic it can be the old version of the next plan;
//   - shift, mirror, scale: what was asked for is read back, going up and down, back at
//     the start, and the same call again changes nothing; nothing else changes;
//   - bounds: shares and numbers of instances that make no sense are refused, and change
//     nothing;
//   - order: without an instance of New, a Shift to it is refused, or starts what it
//     needs: traffic never goes where nothing runs;
//   - context: with a context that is over, or ends meanwhile, a call returns soon, with
//     an error if it has not done everything; what is read back then is true, and the
//     same call again gets there;
//   - promote, keeps: Promote and Keeps move nothing and can be repeated; Keeps knows Old;
//     neither takes a version that is not there;
//   - plans: the plans of canary, blue-green, rolling and recreate, as far as the target
//     has what they need, are where [strategy.Plan.After] says after each step, and their
//     way back from each step, done or only begun, leads to the start.
//
// What is found is reported as errors of t, each with its rule.
func TestTarget(t testing.TB, newTarget func(t testing.TB) strategy.Target) {
	t.Helper()
	for _, rule := range []struct {
		name string
		try  func(k *kit)
	}{
		{"observe", (*kit).observe}, {"prepare", (*kit).prepare}, {"shift", (*kit).shift}, {"mirror", (*kit).mirror},
		{"scale", (*kit).scale}, {"bounds", (*kit).bounds}, {"order", (*kit).order}, {"context", (*kit).context},
		{"promote", (*kit).promote}, {"keeps", (*kit).keeps}, {"plans", (*kit).plans},
	} {
		k := &kit{t: t, rule: rule.name}
		if k.begin(newTarget) {
			rule.try(k)
		}
		k.end()
	}
}

// shares go up and down.
var shares = []strategy.Share{
	1, 1 * strategy.Percent, 50 * strategy.Percent, strategy.All - 1, strategy.All,
	99 * strategy.Percent, 1 * strategy.Percent, 0, strategy.All, 0,
}

func (k *kit) observe() {
	for range 3 {
		k.at(k.start, "at the start")
	}
	if k.start.Share != 0 || k.start.Mirror != 0 || k.start.New != 0 || k.start.Why != "" {
		k.fail("it starts at %v, want no traffic, copies or instances for New, and nobody who made it so", shown(k.start))
	}
	if k.scaler != nil && k.start.Old < 1 {
		k.fail("it starts with no instance of Old, want one at least")
	}
}

func (k *kit) prepare() {
	p := k.preparer
	if p == nil {
		return
	}
	ctx := context.Background()
	same := func(when string) bool {
		return k.did(p.Prepare(ctx, Old, New), "Prepare %s", when) && k.at(k.start, "after Prepare "+when)
	}
	if !same("for the second time") {
		return
	}
	for _, v := range [][2]string{{Old, unknown}, {unknown, New}, {unknown, unknown}, {"", ""}, {Old, ""}} {
		if err := p.Prepare(ctx, v[0], v[1]); err == nil {
			k.fail("Prepare takes %q and %q, which are not there", v[0], v[1])
			return
		}
		if !k.at(k.start, "after a Prepare that was refused") {
			return
		}
	}
	if k.shifter != nil && k.runs() && k.moves(strategy.Shift{To: strategy.Percent}) && k.moves(strategy.Shift{}) {
		k.rest()
	}
	if same("after others were refused") && k.runs() && k.resumes() && k.succeeds() {
		k.rest()
	}
}

// prepares wants Prepare to move nothing.
func (k *kit) prepares(old, new, when string) bool {
	return k.did(k.preparer.Prepare(context.Background(), old, new), "Prepare of %q and %q %s", old, new, when) &&
		k.at(k.want, fmt.Sprintf("after Prepare of %q and %q %s", old, new, when))
}

// resumes prepares the same versions again on the way, as another process does that goes
// on. It ends where New has all of the traffic, if the target shifts.
func (k *kit) resumes() bool {
	if !k.prepares(Old, New, "again while both run") {
		return false
	}
	var steps []strategy.Step
	if k.mirrorer != nil {
		steps = append(steps, strategy.Mirror{To: 10 * strategy.Percent}, strategy.Mirror{From: 10 * strategy.Percent})
	}
	if k.shifter != nil {
		steps = append(steps, strategy.Shift{To: 50 * strategy.Percent}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All})
	}
	for _, step := range steps {
		if !k.moves(step) || !k.prepares(Old, New, "again after "+called(step)) {
			return false
		}
	}
	return true
}

// succeeds makes New, which has all of the traffic, the old version of the next plan, and
// goes back to where Old has it.
func (k *kit) succeeds() bool {
	if k.shifter == nil {
		return true
	}
	all := k.want
	k.want.Share, k.want.Old, k.want.New = 0, all.New, all.Old
	if !k.prepares(New, Old, "when New has all of the traffic") || !k.moves(strategy.Shift{To: strategy.Percent}) || !k.moves(strategy.Shift{}) {
		return false
	}
	k.want = all
	return k.prepares(Old, New, "when New has all of it again") && k.moves(strategy.Shift{})
}

func (k *kit) shift() {
	if k.shifter == nil || !k.runs() {
		return
	}
	for _, to := range shares {
		for range 2 {
			if !k.moves(strategy.Shift{To: to}) {
				return
			}
		}
	}
	k.rest()
}

func (k *kit) mirror() {
	if k.mirrorer == nil || !k.runs() {
		return
	}
	for _, to := range shares {
		for range 2 {
			if !k.moves(strategy.Mirror{To: to}) {
				return
			}
		}
	}
	k.rest()
}

func (k *kit) scale() {
	if k.scaler == nil {
		return
	}
	n := k.start.Old
	way := [][2]int{{n, 0}, {n, 1}, {n, n}, {n, 1}, {n, 0}, {n, n}, {n, 0}}
	if k.shifter != nil { // or Old may not go
		way = append(way, [2]int{n, n}, [2]int{-1, -1}, [2]int{1, n}, [2]int{0, n}, [2]int{n, n}, [2]int{-2, -2}, [2]int{n, 0})
	}
	for _, to := range way {
		for range 2 {
			ok := true
			switch to[0] {
			case -1:
				ok = k.moves(strategy.Shift{To: strategy.All})
			case -2:
				ok = k.moves(strategy.Shift{To: 0})
			default:
				ok = k.scales(to[0], to[1])
			}
			if !ok {
				return
			}
		}
	}
}

func (k *kit) bounds() {
	if !k.runs() {
		return
	}
	ctx := context.Background()
	refused := func(err error, what string) {
		if err == nil {
			k.fail("%s is taken", what)
		}
		k.at(k.want, "after "+what)
	}
	for _, share := range []strategy.Share{-1, strategy.All + 1} {
		if k.shifter != nil {
			refused(k.shifter.Shift(ctx, share), "a Shift to "+share.String())
		}
		if k.mirrorer != nil {
			refused(k.mirrorer.Mirror(ctx, share), "a Mirror of "+share.String())
		}
	}
	if k.scaler != nil {
		refused(k.scaler.Scale(ctx, -1, k.start.Old), "a Scale to -1 instances of Old")
		refused(k.scaler.Scale(ctx, k.start.Old, -1), "a Scale to -1 instances of New")
	}
}

func (k *kit) order() {
	if k.shifter == nil || k.scaler == nil {
		return
	}
	for _, to := range []strategy.Share{1, strategy.All} {
		if err := k.shifter.Shift(context.Background(), to); err != nil {
			if !k.at(k.start, "after a Shift that was refused") {
				return
			}
			continue
		}
		if seen, ok := k.see(); !ok || seen.Share > 0 && seen.New == 0 {
			k.fail("a Shift to %v is taken while no instance of New runs", to)
			return
		}
		break // it has started what it needs
	}
	k.want, _ = k.see()
	if k.runs() && k.moves(strategy.Shift{To: strategy.All}) && k.moves(strategy.Shift{}) {
		k.rest()
	}
}

func (k *kit) promote() {
	if k.promoter == nil {
		return
	}
	for _, version := range []string{New, New, Old, Old} {
		if !k.did(k.promoter.Promote(context.Background(), version), "Promote of %s", version) || !k.at(k.start, "after Promote") {
			return
		}
	}
	for _, version := range []string{unknown, ""} {
		if k.promoter.Promote(context.Background(), version) == nil {
			k.fail("Promote takes %q, which is not there", version)
		}
	}
	k.at(k.start, "after a Promote that was refused")
}

func (k *kit) keeps() {
	if k.keeper == nil {
		return
	}
	for range 2 {
		k.did(k.keeper.Keeps(context.Background(), Old), "Keeps of the version that serves")
		if err := k.keeper.Keeps(context.Background(), unknown); err == nil {
			k.fail("it keeps a version that it never had")
		}
	}
	k.at(k.start, "after Keeps")
}
