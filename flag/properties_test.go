package flag_test

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/stretchr/testify/require"
)

// TestRampsGrowInOneOrder: each unit has one share from which on a ramp admits it,
// in whatever order shares follow one another. So raising a ramp removes nobody,
// and lowering it removes those first who came last.
func TestRampsGrowInOneOrder(t *testing.T) {
	for seed := range uint64(60) {
		d := newDice(seed, nil)
		a := &author{dice: d, flags: []string{"random-a"}}
		ramp := a.ramp("")
		ramp.Schedule, ramp.Linear = nil, false
		at := func(share flag.Share) (*flag.Ramp, flag.FeatureFlag) {
			one, f := *ramp, flag.FeatureFlag{Salt: "s"}
			if one.Share = share; seed%2 == 0 {
				f.Ramp = &one
			} else {
				f.Rules = []flag.Rule{{If: flag.Condition{All: []flag.Condition{}}, Ramp: &one}}
			}
			return &one, f
		}
		a.layers()
		compiled := func(f flag.FeatureFlag) *flag.Set {
			set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"random-a": f}, Layers: a.doc.Layers})
			require.NoError(t, err)
			return set
		}
		// One document that has every share at one moment each: a slot a second.
		every, f := at(0)
		every.Linear = true
		every.Schedule = []flag.Point{{At: launch}, {At: launch.Add(time.Duration(flag.All) * time.Second), Share: flag.All}}
		clock := compiled(f)
		on := flag.ByKey("random-a", false)
		in := func(p person, share flag.Share) bool {
			p.now = launch.Add(time.Duration(share) * time.Second)
			return on.From(clock.View(p.subject()))
		}
		people := make([]person, 20)
		entry := make([]flag.Share, len(people)) // the least share that admits them
		for i := range people {
			people[i] = d.person(attributes)
			entry[i] = flag.Share(sort.Search(int(flag.All)+1, func(s int) bool { return in(people[i], flag.Share(s)) }))
			for _, share := range append([]flag.Share{min(entry[i], flag.All), max(entry[i]-1, 0), a.share(), a.share(), a.share()}, poolShares...) {
				require.Equal(t, share >= entry[i], in(people[i], share), "seed %d: %+v at %v", seed, people[i], share)
			}
		}
		for _, share := range poolShares { // the same without a schedule
			_, f := at(share)
			set := compiled(f)
			for i, p := range people {
				require.Equal(t, share >= entry[i], on.From(set.View(p.subject())), "seed %d: %+v at %v", seed, p, share)
			}
		}
	}
}

// TestRebalancedUnits looks at units where TestRebalanceMovesTheFewest looks at
// slots: a unit moves only from a variant that shrinks to one that grows.
func TestRebalancedUnits(t *testing.T) {
	variants := map[string]any{"a": "a", "b": "b", "c": "c", "d": "d"}
	f := flag.ByKey("random-a", "")
	for seed := range uint64(40) {
		a := &author{dice: newDice(seed, nil)}
		old, next := a.split([]string{"a", "b", "c", "d"}), a.split([]string{"d", "b", "a", "c"})
		old.By, next.By, next.Salt = "", "", ""
		got, err := flag.Rebalance(*old, *next)
		require.NoError(t, err)
		compiled := func(s flag.Split) *flag.Set {
			set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"random-a": {Variants: variants, Split: &s}}})
			require.NoError(t, err)
			return set
		}
		before, after, grows := compiled(*old), compiled(got), map[string]int{}
		for slot := range int32(bucket.Slots) {
			grows[ownerOf(*next, slot)]++
			grows[ownerOf(*old, slot)]--
		}
		for unit := range int64(300) {
			subject := flag.ForInt(unit)
			from, to := f.From(before.View(subject)), f.From(after.View(subject))
			if from != to && (grows[from] >= 0 || grows[to] <= 0) {
				t.Fatalf("seed %d: unit %d moved from %s, which grows by %d, to %s, which grows by %d", seed, unit, from, grows[from], to, grows[to])
			}
		}
	}
}

// TestLayersKeepFlagsApart: no unit is reached by two flags of a layer, and a
// greater holdout takes some away but moves nobody.
func TestLayersKeepFlagsApart(t *testing.T) {
	for seed := range uint64(60) {
		a := &author{dice: newDice(seed, nil)}
		flags, ranges := map[string]flag.FeatureFlag{}, map[string][]flag.Range{}
		cuts := a.cut(8)
		for i, from := range cuts[:len(cuts)-1] {
			key := oneOf(a.dice, []string{"random-a", "random-b", "random-c"})
			flags[key] = flag.FeatureFlag{Ramp: &flag.Ramp{Share: flag.All}}
			ranges[key] = append(ranges[key], flag.Range{From: from, To: cuts[i+1]})
		}
		salt, reached := a.salt(), map[int64]string{}
		for i, holdout := range []flag.Share{0, 5_000, 50_000, flag.All} {
			layer := flag.Layer{Salt: salt, Holdout: holdout, Flags: ranges}
			set, err := flag.Compile(flag.Document{Flags: flags, Layers: map[string]flag.Layer{"page": layer}})
			require.NoError(t, err)
			for unit := range int64(300) {
				by, view := "", set.View(flag.ForInt(unit))
				for key := range flags {
					if !flag.ByKey(key, false).From(view) {
						continue
					}
					require.Empty(t, by, "seed %d: unit %d is reached by %s, too", seed, unit, key)
					by = key
				}
				if i > 0 && by != "" {
					require.Equal(t, reached[unit], by, "seed %d: unit %d moved at a holdout of %v", seed, unit, holdout)
				}
				if i == 0 || holdout == flag.All {
					require.Equal(t, i > 0, by == "", "seed %d: unit %d at a holdout of %v", seed, unit, holdout)
				}
				reached[unit] = by
			}
		}
	}
}

// TestSlotsTellNothingOfOneAnother: over names and ids as people have them, the
// slots of two salts, and of two purposes of one salt, are independent. Each pair of
// lanes gives two chi-square statistics: of a 10 by 10 table of both slots against
// its margins, and of 100 classes of their difference, which would show a structure
// that xor leaves.
//
// Nothing here is random: it holds for good or not at all. Were the slots random, a
// statistic would be normal after Wilson and Hilferty's cube root, and the most
// extreme of 6,000 would pass 5.5 with a probability of 6,000 * 3.8e-8 = 2.3e-4. The
// sum of all of one sort would pass 4 of its standard deviations with 6.3e-5: two
// pairs that share a lane are uncorrelated, because given that lane they are
// independent, and neither statistic depends on how the lane itself came out.
func TestSlotsTellNothingOfOneAnother(t *testing.T) {
	const units = 10_000
	ids := map[string]func(i int) string{
		"numbers":       strconv.Itoa,
		"large numbers": func(i int) string { return strconv.FormatInt(9_000_000_000_000_000_000+4096*int64(i), 10) },
		"users":         func(i int) string { return fmt.Sprint("user-", i) },
		"addresses":     func(i int) string { return fmt.Sprintf("anna.%d@example.com", i) },
		"uuids":         func(i int) string { return fmt.Sprintf("%08x-7b1c-4c7e-8f00-0123456789ab", i) },
	}
	salts := []string{
		"a", "b", "c", "aa", "ab", "1", "2", "10", "flag", "flag1", "flag2", "flag-1", "flag-2", "flag_1", "new-checkout", "new-checkout-2", "new_checkout", "newCheckout",
		"NewCheckout", "new-search", "checkout", "checkout.v2", "checkout.v3", "dark-mode", "darkmode", "team/payments/retry", "team/payments/retries", "grün", "🚩", "x\x00ramp",
	}
	type lane struct {
		salt    string
		purpose bucket.Purpose
	}
	var couples [][2]lane
	for i, salt := range salts {
		for _, other := range salts[i+1:] {
			couples = append(couples, [2]lane{{salt, bucket.Ramp}, {other, bucket.Ramp}})
		}
		purposes := []bucket.Purpose{bucket.Ramp, bucket.Split, bucket.Layer, bucket.Holdout}
		for j, purpose := range purposes {
			for _, other := range purposes[j+1:] {
				couples = append(couples, [2]lane{{salt, purpose}, {salt, other}})
			}
		}
	}
	var sums [2]float64 // of the normal scores
	for shape, id := range ids {
		slots := map[lane][]int32{}
		for _, couple := range couples {
			for _, l := range couple {
				for i := len(slots[l]); i < units; i++ {
					slots[l] = append(slots[l], bucket.Slot(bucket.Unit(id(i)), bucket.Lane(l.salt, l.purpose)))
				}
			}
			for which, z := range dependence(slots[couple[0]], slots[couple[1]]) {
				sums[which] += z
				if math.Abs(z) > 5.5 {
					t.Errorf("%s of %v, statistic %d: %.1f standard deviations", shape, couple, which, z)
				}
			}
		}
	}
	for which, sum := range sums {
		if z := sum / math.Sqrt(float64(len(couples)*len(ids))); math.Abs(z) > 4 {
			t.Errorf("statistic %d, all pairs: %.1f standard deviations", which, z)
		}
	}
}

// dependence is how far the two chi-square statistics of a pair of lanes are from
// what they should be, in standard deviations.
func dependence(a, b []int32) [2]float64 {
	const width = bucket.Slots / 10
	n := float64(len(a))
	var table [10][10]float64
	var rows, columns [10]float64
	var differences [100]float64
	for i := range a {
		x, y := a[i]/width, b[i]/width
		table[x][y]++
		rows[x]++
		columns[y]++
		differences[(a[i]-b[i]+bucket.Slots)%bucket.Slots/(bucket.Slots/100)]++
	}
	var both, difference float64
	for x := range table {
		for y, seen := range table[x] {
			want := rows[x] * columns[y] / n
			both += (seen - want) * (seen - want) / want
		}
	}
	for _, seen := range differences {
		difference += (seen - n/100) * (seen - n/100) / (n / 100)
	}
	normal := func(chi, freedom float64) float64 {
		return (math.Cbrt(chi/freedom) - (1 - 2/(9*freedom))) / math.Sqrt(2/(9*freedom))
	}
	return [2]float64{normal(both, 81), normal(difference, 99)}
}
