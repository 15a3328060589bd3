package flag_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestHashOfAllThatDecides changes random stores, one thing at a time: two sets with one
// hash decide every flag the same for everybody.
func TestHashOfAllThatDecides(t *testing.T) {
	seeds := uint64(300)
	if testing.Short() {
		seeds = 60
	}
	changes := map[string]int{} // that somebody noticed
	for seed := range seeds {
		a := &author{dice: newDice(seed, nil)}
		doc := a.document()
		b, err := newBench(t, doc)
		require.NoError(t, err)
		keys := slices.Sorted(maps.Keys(doc.Flags))
		var people []flag.Subject
		for range 12 {
			p := a.person(attributes)
			if p.now.IsZero() { // by the clock, which goes on
				p.now = launch
			}
			people = append(people, p.subject())
		}
		decisions := func(set *flag.Set) (all []flag.Explanation) {
			for i := range people {
				for _, key := range keys {
					e := set.Explain(key, &people[i])
					all = append(all, flag.Explanation{Variant: e.Variant, Reason: e.Reason, Rule: e.Rule, Unit: e.Unit, Slot: e.Slot, Ramp: e.Ramp})
				}
			}
			return all
		}
		before := b.store.Snapshot()
		known, last := map[string][]flag.Explanation{before.Hash(): decisions(before)}, decisions(before)
		ramps := map[string]flag.Ramp{}
		for step := range 40 {
			key := oneOf(a.dice, keys)
			variants := slices.Sorted(maps.Keys(variantsOf(doc.Flags[key])))
			op, err := "", error(nil)
			switch a.n(20) {
			case 0:
				op, err = "kill", b.store.Kill(key, me)
			case 1:
				op, err = "revive", b.store.Revive(key, me)
			case 2:
				op, err = "override", b.store.Override(key, oneOf(a.dice, variants), me)
			case 3:
				_, err = b.store.Toggle(key, me)
				op = "toggle"
			case 4:
				op, err = "clear", b.store.Clear(key, me)
				delete(ramps, key)
			case 5:
				op, err = "put", b.store.Put(key, a.flag(), me)
			default:
				next, other := ramps[key], *a.ramp(oneOf(a.dice, variants))
				kind := a.n(6)
				if _, laid := ramps[key]; !laid {
					kind = 0
				}
				switch kind {
				case 1:
					op, next.Share = "share", other.Share
				case 2:
					op, next.Schedule, next.Linear = "schedule", other.Schedule, next.Linear && other.Schedule != nil
				case 3:
					op, next.Linear = "linear", !next.Linear && next.Schedule != nil
				case 4:
					op, next.Salt = "salt", other.Salt
				case 5:
					op, next.By = "unit", other.By
				default:
					op, next = "ramp", other
				}
				if err = b.store.SetRamp(key, next, me); err == nil {
					ramps[key] = next
				}
			}
			if err != nil { // it does not fit what is there
				continue
			}
			set := b.store.Snapshot()
			now := decisions(set)
			if want, found := known[set.Hash()]; found {
				require.Equal(t, want, now, "seed %d, step %d: %s of %s", seed, step, op, key)
			}
			known[set.Hash()] = now
			if !slices.EqualFunc(now, last, flag.Explanation.Same) {
				changes[op]++
			}
			last = now
		}
	}
	for _, op := range []string{"kill", "revive", "override", "toggle", "clear", "put", "share", "schedule", "linear", "salt", "unit", "ramp"} {
		require.Positive(t, changes[op], "nobody noticed a change by %s: %v", op, changes)
	}
}
