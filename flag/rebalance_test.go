package flag_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func ExampleRebalance() {
	live := flag.Split{Parts: []flag.Part{
		{Serve: "blue", Share: 50 * flag.Percent},
		{Serve: "green", Share: 30 * flag.Percent},
		{Serve: "red", Share: 20 * flag.Percent},
	}}
	next, err := flag.Rebalance(live, flag.Split{Parts: []flag.Part{
		{Serve: "blue", Share: 40 * flag.Percent}, // gives up its highest 10 %
		{Serve: "green", Share: 30 * flag.Percent},
		{Serve: "red", Share: 25 * flag.Percent},
		{Serve: "black", Share: 5 * flag.Percent},
	}})
	if err != nil {
		fmt.Println(err)
	}
	for _, part := range next.Parts {
		for _, r := range part.Ranges {
			fmt.Println(part.Serve, "from", r.From, "to", r.To)
		}
	}
	// Output:
	// blue from 0 % to 40 %
	// green from 50 % to 80 %
	// red from 40 % to 45 %
	// red from 80 % to 100 %
	// black from 45 % to 50 %
}

func TestRebalance(t *testing.T) {
	halves := []flag.Part{percent("a", 50), percent("b", 50)}
	tests := []struct {
		name      string
		old, new  []flag.Part
		wantParts []flag.Part
	}{
		{"unchanged percentages become ranges", halves, halves,
			[]flag.Part{ranges("a", 0, 50), ranges("b", 50, 100)}},
		{"unchanged ranges stay, touching ones become one",
			[]flag.Part{ranges("a", 70, 80, 0, 20, 20, 40), ranges("b", 40, 70, 80, 100)},
			[]flag.Part{percent("a", 50), percent("b", 50)},
			[]flag.Part{ranges("a", 0, 40, 70, 80), ranges("b", 40, 70, 80, 100)}},
		{"reordering moves nobody", halves, []flag.Part{percent("b", 50), percent("a", 50)},
			[]flag.Part{ranges("b", 50, 100), ranges("a", 0, 50)}},
		{"only the sums of new ranges count", halves, []flag.Part{ranges("b", 0, 20, 70, 100), ranges("a", 20, 70)},
			[]flag.Part{ranges("b", 50, 100), ranges("a", 0, 50)}},
		{"one grows next to the one that shrinks", halves, []flag.Part{percent("a", 40), percent("b", 60)},
			[]flag.Part{ranges("a", 0, 40), ranges("b", 40, 100)}},
		{"the highest slots of several ranges",
			[]flag.Part{ranges("a", 0, 20, 40, 50, 90, 100), ranges("b", 20, 40, 50, 90)},
			[]flag.Part{percent("a", 25), percent("b", 75)},
			[]flag.Part{ranges("a", 0, 20, 40, 45), ranges("b", 20, 40, 45, 100)}},
		{"the growing take in the order of new", []flag.Part{percent("a", 100)},
			[]flag.Part{percent("c", 20), percent("a", 70), percent("b", 10)},
			[]flag.Part{ranges("c", 70, 90), ranges("a", 0, 70), ranges("b", 90, 100)}},
		{"the first to grow takes the lowest", halves, []flag.Part{percent("a", 40), percent("d", 5), percent("b", 40), percent("c", 15)},
			[]flag.Part{ranges("a", 0, 40), ranges("d", 40, 45), ranges("b", 50, 90), ranges("c", 45, 50, 90, 100)}},
		{"one variant goes, another comes", halves, []flag.Part{percent("c", 50), percent("b", 50)},
			[]flag.Part{ranges("c", 0, 50), ranges("b", 50, 100)}},
		{"all go", halves, []flag.Part{percent("c", 100)}, []flag.Part{ranges("c", 0, 100)}},
		{"a part of nothing stays in the list", halves, []flag.Part{percent("a", 100), percent("b", 0)},
			[]flag.Part{ranges("a", 0, 100), {Serve: "b"}}},
		{"a part of nothing grows", []flag.Part{percent("a", 100), {Serve: "b"}}, []flag.Part{percent("a", 99), percent("b", 1)},
			[]flag.Part{ranges("a", 0, 99), ranges("b", 99, 100)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := flag.Rebalance(flag.Split{Parts: tt.old}, flag.Split{Parts: tt.new})
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(flag.Split{Parts: tt.wantParts}, got))
		})
	}
}

func TestRebalanceKeepsUnitAndSalt(t *testing.T) {
	parts := []flag.Part{percent("a", 100)}
	old := flag.Split{By: "tenant", Salt: "s", Parts: parts}
	for _, next := range []flag.Split{{Parts: parts}, old} {
		got, err := flag.Rebalance(old, next)
		require.NoError(t, err)
		require.Equal(t, flag.Split{By: "tenant", Salt: "s", Parts: []flag.Part{ranges("a", 0, 100)}}, got)
	}
}

func TestRebalanceProblems(t *testing.T) {
	fine := flag.Split{Parts: []flag.Part{percent("a", 100)}}
	of := func(parts ...flag.Part) flag.Split { return flag.Split{Parts: parts} }
	tests := []struct {
		name string
		new  flag.Split
		want []string
	}{
		{"no parts", of(), []string{"new.parts: sums to 0 %, want 100 %"}},
		{"too little", of(flag.Part{Serve: "a", Share: 99.9 * flag.Percent}), []string{"new.parts: sums to 99.9 %, want 100 %"}},
		{"too much", of(percent("a", 70), percent("b", 31)), []string{"new.parts: sums to 101 %, want 100 %"}},
		{"out of bounds", of(percent("a", -1), percent("b", 101)), []string{
			"new.parts[0].percent: found -1 %, want 0 to 100 %",
			"new.parts[1].percent: found 101 %, want 0 to 100 %"}},
		{"a sum beyond 32 bits", of(append(many(42_950), flag.Part{Serve: "rest", Share: 67_296})...), []string{"new.parts: sums to 2147483.647 %, want 100 %"}},
		{"percent and ranges in one part", of(flag.Part{Serve: "a", Share: 1, Ranges: ranges("", 0, 100).Ranges}),
			[]string{"new.parts[0].percent: found 0.001 % beside the ranges of parts[0], want one or the other in all parts"}},
		{"percent and ranges in two parts", of(percent("a", 50), ranges("b", 50, 100)),
			[]string{"new.parts[0].percent: found 50 % beside the ranges of parts[1], want one or the other in all parts"}},
		{"one variant twice", of(percent("a", 50), percent("b", 25), percent("a", 25)),
			[]string{`new.parts[2].serve: found "a", want another variant than in parts[0]`}},
		{"no variants", of(percent("", 50), percent("", 50)), []string{
			"new.parts[0].serve: missing, want the name of a variant",
			"new.parts[1].serve: missing, want the name of a variant"}},
		{"gaps", of(ranges("a", 10, 20), ranges("b", 30, 99)), []string{
			"new.parts: leaves 0 % to 10 % to nobody, want ranges that cover 0 to 100 % once",
			"new.parts: leaves 20 % to 30 % to nobody, want ranges that cover 0 to 100 % once",
			"new.parts: leaves 99 % to 100 % to nobody, want ranges that cover 0 to 100 % once"}},
		{"overlaps", of(ranges("a", 40, 100, 0, 50), ranges("b", 10, 20, 95, 100)), []string{
			"new.parts[1].ranges[0]: overlaps with new.parts[0].ranges[1] from 10 % to 20 %",
			"new.parts[0].ranges[0]: overlaps with new.parts[0].ranges[1] from 40 % to 50 %",
			"new.parts[1].ranges[1]: overlaps with new.parts[0].ranges[0] from 95 % to 100 %"}},
		{"impossible ranges, which leave a gap", of(ranges("a", 0, 50), ranges("b", 60, 60, 70, 60, -10, 0, 90, 101), ranges("c", 40, 50)), []string{
			"new.parts[1].ranges[0]: found 60 % to 60 %, want from to be less than to",
			"new.parts[1].ranges[1]: found 70 % to 60 %, want from to be less than to",
			"new.parts[1].ranges[2]: found -10 % to 0 %, want a range within 0 to 100 %",
			"new.parts[1].ranges[3]: found 90 % to 101 %, want a range within 0 to 100 %",
			"new.parts[2].ranges[0]: overlaps with new.parts[0].ranges[0] from 40 % to 50 %"}},
		{"another unit and salt", flag.Split{By: "tenant", Salt: "x", Parts: fine.Parts}, []string{
			`new.by: found "tenant" where the old split has "", want the same or nothing: any other moves nearly everybody`,
			`new.salt: found "x" where the old split has "", want the same or nothing: any other moves nearly everybody`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := flag.Rebalance(fine, tt.new)
			require.ErrorIs(t, err, flag.ErrInvalid)
			var problems flag.Problems
			require.ErrorAs(t, err, &problems)
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			require.Empty(t, cmp.Diff(tt.want, got))
		})
	}
	_, err := flag.Rebalance(of(percent("a", 1)), of(percent("a", 2)))
	require.ErrorContains(t, err, "old.parts: sums to 1 %")
	require.ErrorContains(t, err, "new.parts: sums to 2 %", "all mistakes at once")
}

// TestRebalanceMovesTheFewest walks from one random split to the next, and looks at
// every slot that could matter.
func TestRebalanceMovesTheFewest(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	live := randomSplit(random)
	for step := range 5_000 {
		next := randomSplit(random)
		before := shares(t, live)
		after := shares(t, next)
		got, err := flag.Rebalance(live, next)
		require.NoError(t, err)
		require.Equal(t, after, shares(t, got), "step %d: covers everything once, with the shares of next", step)

		fewest, moved := flag.Share(0), flag.Share(0)
		for name, had := range before {
			fewest += max(0, had-after[name])
		}
		for _, piece := range pieces(live, got) {
			was, is := owner(t, live, piece.From), owner(t, got, piece.From)
			if was == is {
				continue
			}
			moved += piece.To - piece.From
			require.Less(t, after[was], before[was], "step %d: %q loses a slot and does not shrink", step, was)
			require.Greater(t, after[is], before[is], "step %d: %q gets a slot and does not grow", step, is)
		}
		require.Equal(t, fewest, moved, "step %d", step)

		same, err := flag.Rebalance(got, next)
		require.NoError(t, err)
		require.Equal(t, got, same, "step %d: once more moves nobody", step)
		back, err := flag.Rebalance(got, live)
		require.NoError(t, err)
		require.Equal(t, before, shares(t, back), "step %d: there and back", step)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		live = flag.Split{}
		require.NoError(t, json.Unmarshal(text, &live), "step %d: a document can say it", step)
		if random.IntN(20) == 0 { // else it becomes all splinters
			live = next
		}
	}
}

// percent is a part by share.
func percent(serve string, n flag.Share) flag.Part {
	return flag.Part{Serve: serve, Share: n * flag.Percent}
}

// ranges is a part by ranges, given as pairs of from and to.
func ranges(serve string, bounds ...flag.Share) flag.Part {
	part := flag.Part{Serve: serve}
	for pair := range slices.Chunk(bounds, 2) {
		part.Ranges = append(part.Ranges, flag.Range{From: pair[0] * flag.Percent, To: pair[1] * flag.Percent})
	}
	return part
}

// many is so many parts of everything.
func many(n int) []flag.Part {
	parts := make([]flag.Part, n)
	for i := range parts {
		parts[i] = percent(fmt.Sprint(i), 100)
	}
	return parts
}

// randomSplit has some of five variants in any order, by percentages or by ranges.
func randomSplit(random *rand.Rand) flag.Split {
	order := random.Perm(5)[:1+random.IntN(5)]
	parts := make([]flag.Part, len(order))
	byRanges := random.IntN(2) == 0
	for i, n := range order {
		parts[i].Serve = string(rune('a' + n))
	}
	cuts := []flag.Share{0, flag.All}
	for range random.IntN(8) {
		cuts = append(cuts, flag.Share(random.IntN(int(flag.All)+1)))
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i, from := range cuts[:len(cuts)-1] {
		part := &parts[random.IntN(len(parts))]
		if byRanges {
			part.Ranges = append(part.Ranges, flag.Range{From: from, To: cuts[i+1]})
		} else {
			part.Share += cuts[i+1] - from
		}
	}
	return flag.Split{Parts: parts}
}

// shares says how much each variant has, and that a split by ranges covers
// everything once.
func shares(t *testing.T, split flag.Split) map[string]flag.Share {
	t.Helper()
	sums, total := map[string]flag.Share{}, flag.Share(0)
	for _, part := range split.Parts {
		if part.Share > 0 {
			sums[part.Serve] += part.Share
		}
		for _, r := range part.Ranges {
			require.Less(t, r.From, r.To)
			sums[part.Serve] += r.To - r.From
		}
		total += sums[part.Serve]
	}
	require.Equal(t, flag.All, total)
	for _, piece := range pieces(split) {
		owner(t, split, piece.From)
	}
	return sums
}

// pieces are the ranges within which nothing changes in any of the splits.
func pieces(splits ...flag.Split) []flag.Range {
	cuts := []flag.Share{0, flag.All}
	for _, split := range splits {
		end := flag.Share(0)
		for _, part := range split.Parts {
			end += part.Share
			cuts = append(cuts, end)
			for _, r := range part.Ranges {
				cuts = append(cuts, r.From, r.To)
			}
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var all []flag.Range
	for i, from := range cuts[:len(cuts)-1] {
		all = append(all, flag.Range{From: from, To: cuts[i+1]})
	}
	return all
}

// owner is who has a slot, of whom there must be one.
func owner(t *testing.T, split flag.Split, slot flag.Share) string {
	t.Helper()
	var owners []string
	end := flag.Share(0)
	for _, part := range split.Parts {
		start := end
		end += part.Share
		if start <= slot && slot < end {
			owners = append(owners, part.Serve)
		}
		for _, r := range part.Ranges {
			if r.From <= slot && slot < r.To {
				owners = append(owners, part.Serve)
			}
		}
	}
	require.Len(t, owners, 1, "slot %v of %v", slot, split)
	return owners[0]
}
