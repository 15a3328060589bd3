package flag_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/stretchr/testify/require"
)

// everySlot finds a key for each slot of a lane.
func everySlot(salt string, purpose bucket.Purpose) []flag.Subject {
	people, lane := make([]flag.Subject, bucket.Slots), bucket.Lane(salt, purpose)
	for i, found := 0, 0; found < len(people); i++ {
		key := strconv.Itoa(i)
		if at := &people[bucket.Slot(bucket.Unit(key), lane)]; at.Key() == "" {
			*at = flag.For(key)
			found++
		}
	}
	return people
}

// TestDiffSlotBySlot: where a flag's own ramp or split alone decides, slot arithmetic
// says what a population says that has one subject in each slot.
func TestDiffSlotBySlot(t *testing.T) {
	variants := map[string]any{"a": "a", "b": "b", "c": "c", "d": "d", "e": "a"} // two are the same
	random := rand.New(rand.NewPCG(1, 2))
	check := func(people []flag.Subject, of func() flag.FeatureFlag) {
		one := func() *flag.Set {
			set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"f": of()}})
			require.NoError(t, err)
			return set
		}
		old, new := one(), one()
		slots, counted := flag.Diff(old, new, nil), flag.Diff(old, new, slices.Values(people))
		require.Equal(t, counted.Moved, int(slots.Most()))
		require.Len(t, slots.Flags, len(counted.Flags))
		for i, f := range slots.Flags {
			var want []flag.Move
			for _, m := range counted.Flags[i].Moves {
				want = append(want, flag.Move{From: m.From, To: m.To, Share: flag.Share(m.Count), Basis: flag.BasisExact})
			}
			require.Equal(t, want, f.Moves)
			require.Equal(t, flag.BasisExact, f.Basis)
		}
	}
	splits, ramps := everySlot("f", bucket.Split), everySlot("f", bucket.Ramp)
	rounds := 4
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		check(splits, func() flag.FeatureFlag {
			split := randomSplit(random)
			return flag.FeatureFlag{Variants: variants, Split: &split}
		})
		check(ramps, func() flag.FeatureFlag {
			return flag.FeatureFlag{Variants: variants, Serve: "a", Ramp: &flag.Ramp{Serve: []string{"b", "c", "e"}[random.IntN(3)], Share: flag.Share(random.IntN(int(flag.All) + 1))}}
		})
	}
}

// TestDiffOfRebalance: what moves is what shrinks, and nothing else.
func TestDiffOfRebalance(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	variants := map[string]any{"a": "a", "b": "b", "c": "c", "d": "d", "e": "e"}
	for range 300 {
		old, next := randomSplit(random), randomSplit(random)
		split, err := flag.Rebalance(old, next)
		require.NoError(t, err)
		set := func(s flag.Split) *flag.Set {
			set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"f": {Variants: variants, Split: &s}}})
			require.NoError(t, err)
			return set
		}
		was, is, shrinks := shares(t, old), shares(t, split), flag.Share(0)
		for name, share := range was {
			shrinks += max(0, share-is[name])
		}
		got := flag.Diff(set(old), set(split), nil)
		require.Equal(t, shrinks, got.Most())
		for _, m := range append(got.Flags, flag.FlagDifference{})[0].Moves {
			require.Less(t, is[m.From], was[m.From])
			require.Greater(t, is[m.To], was[m.To])
		}
	}
}

// TestDiffOfSlotsAndSamples: among people drawn at random, as many move as slot
// arithmetic says: with layers, salts, units and schedules; and in the group of
// people for whom the same rules hold in which the most move, no more than its bound.
func TestDiffOfSlotsAndSamples(t *testing.T) {
	const n, rules = 1000, 2
	units, bases := []string{"", "", "random-tenant"}, map[flag.Basis]int{}
	holds := [rules]flag.Attribute[bool]{flag.Attr[bool]("sampled-0"), flag.Attr[bool]("sampled-1")}
	tenant := flag.Attr[int64]("random-tenant")
	seeds := uint64(60)
	if testing.Short() {
		seeds = 30
	}
	for seed := range seeds {
		d := newDice(seed, nil)
		document := func() flag.Document {
			a := &author{dice: d, flags: []string{"f"}}
			variants := []string{"a", "b", "c"}
			f := flag.FeatureFlag{Variants: map[string]any{"a": 1, "b": 2, "c": 3}, Serve: oneOf(d, variants), Salt: a.salt()}
			drawn := func() (ramp *flag.Ramp, split *flag.Split) {
				if d.chance(50) {
					ramp = a.ramp(oneOf(d, variants))
					ramp.By = oneOf(d, units)
					return ramp, nil
				}
				split = a.split(variants)
				split.By = oneOf(d, units)
				return nil, split
			}
			f.Ramp, f.Split = drawn()
			for i := range rules {
				if rule := (flag.Rule{If: flag.Condition{Attr: holds[i].Name(), Eq: true}}); d.chance(40) {
					if d.chance(60) {
						rule.Ramp, rule.Split = drawn()
					} else {
						rule.Serve = oneOf(d, variants)
					}
					f.Rules = append(f.Rules, rule)
				}
			}
			a.layers()
			for name, layer := range a.doc.Layers {
				layer.By = oneOf(d, units)
				a.doc.Layers[name] = layer
			}
			a.doc.Flags = map[string]flag.FeatureFlag{"f": f}
			return a.doc
		}
		one := document()
		other := document()
		if d.chance(50) { // only the numbers differ
			f := one.Flags["f"]
			f.Ramp, f.Split = other.Flags["f"].Ramp, other.Flags["f"].Split
			other = flag.Document{Flags: map[string]flag.FeatureFlag{"f": f}, Layers: one.Layers}
		}
		old, err := flag.Compile(one)
		require.NoError(t, err)
		new, err := flag.Compile(other)
		require.NoError(t, err)
		slots := byKey(flag.DiffAt(old, new, nil, launch))["f"]
		most := 0.0
		for class := range 1 << (rules + 2) {
			people := func(yield func(flag.Subject) bool) {
				for i := range int64(n) {
					key, facts := "", []flag.Fact{holds[0].Is(class&1 > 0), holds[1].Is(class&2 > 0)}
					if class&4 == 0 {
						key = fmt.Sprint(i + n*int64(class))
					}
					if class&8 == 0 {
						facts = append(facts, tenant.Is(7*i+int64(seed)))
					}
					if !yield(flag.For(key, facts...)) {
						return
					}
				}
			}
			counted := byKey(flag.DiffAt(old, new, people, launch))["f"]
			most = max(most, float64(counted.Count)/n)
			if slots.Basis == flag.BasisBound || class >= 4 {
				continue
			}
			found := map[string]float64{}
			for _, m := range counted.Moves {
				found[fmt.Sprint(m.From, m.To)] = float64(m.Count) / n
			}
			for _, m := range slots.Moves {
				near(t, found[fmt.Sprint(m.From, m.To)], m.Share, n, seed)
				delete(found, fmt.Sprint(m.From, m.To))
			}
			require.Empty(t, found, "seed %d", seed)
		}
		near(t, most, slots.Share, n, seed)
		bases[slots.Basis]++
	}
	for _, basis := range []flag.Basis{flag.BasisExact, flag.BasisExpected, flag.BasisBound} {
		require.Greater(t, bases[basis], 2, basis)
	}
}

// near allows for chance.
func near(t *testing.T, found float64, share flag.Share, n int, seed uint64) {
	t.Helper()
	p := float64(share) / float64(flag.All)
	require.InDelta(t, p, found, 5.5*math.Sqrt(p*(1-p)/float64(n))+3/float64(n), "seed %d", seed)
}

// TestDiffBounds: what each group does to the share of everybody.
func TestDiffBounds(t *testing.T) {
	flagOf := func(f string) *flag.Set {
		return compiled(t, `{"flags": {"f": {`+f+`}}, "layers": {"page": {"flags": {"f": [{"from": 0, "to": 50}]}}}}`)
	}
	targets := flag.Diff(flagOf(`"targets": {"on": ["anna"]}`), flagOf(`"targets": {"off": ["anna"]}`), nil)
	require.Equal(t, flag.Share(1), targets.Most(), "one by name is no share of everybody")
	require.Equal(t, flag.BasisBound, targets.Flags[0].Basis)

	const rules = `"rules": [{"if": {"attr": "age", "eq": 1}, "ramp": {"percent": 100}}, {"if": {"attr": "age", "ge": 1}, "serve": `
	layered := flag.Diff(flagOf(rules+`"off"}]`), flagOf(rules+`"on"}]`), nil)
	require.Equal(t, flag.All, layered.Most(), "of those in the second rule alone")
	require.Contains(t, layered.String(), "50.000 % of rules[0] and rules[1]: off -> on", "whom the layer keeps from the first rule")

	alone := func(f string) *flag.Set { return compiled(t, `{"flags": {"f": {`+f+`}}}`) }
	units := flag.Diff(alone(`"ramp": {"percent": 25}`), alone(`"ramp": {"percent": 25, "by": "tenant"}`), nil)
	require.Contains(t, units.String(), "18.750 % of everybody, expected: on -> off", "two units are independent, whatever the salt")
}
