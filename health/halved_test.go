package health_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// A memory that is too small, beside one that is not: whoever counts in the small one
// counts as in the large one, until it counts no more, and then for good. No coin is
// counted twice, over crashes as well, and what is remembered stays within bounds.
func TestHalvedIsTheModel(t *testing.T) {
	const most = 25
	for _, tt := range []struct {
		name    string
		options health.CohortsOptions
	}{
		{"usual", health.CohortsOptions{}},
		{"floor", health.CohortsOptions{Floor: 2_000, Seed: 3}},
		{"strict", health.CohortsOptions{Strict: 4}},
		{"latency and kept", health.CohortsOptions{Slow: []time.Duration{800 * time.Millisecond}, Harm: 2, Seed: 9}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			small := tt.options
			small.MaxUnits = most
			rng := rand.New(rand.NewPCG(7, 7))
			large, c := health.NewCohorts(tt.options), health.NewCohorts(small)
			var journal []health.Checkpoint
			for i, o := range traffic(12, 8_000, func(i int) int32 { return []int32{3_000, 10_000, 30_000, 60_000}[i/2_000] }) {
				large.Record(o)
				c.Record(o)
				if rng.IntN(200) == 0 {
					journal = append(journal, throughJSON(t, c.Checkpoint()))
				}
				if rng.IntN(1_000) == 0 {
					before := withoutLatency(c.Snapshot())
					journal = append(journal, throughJSON(t, c.Checkpoint()))
					c = health.NewCohorts(small)
					for _, cp := range journal {
						require.NoError(t, c.Restore(cp))
					}
					require.Empty(t, cmp.Diff(before, withoutLatency(c.Snapshot())), "restored after %d", i)
				}
			}
			journal = append(journal, c.Checkpoint())
			all := large.Checkpoint()
			got, want := c.Snapshot(), all.Sample
			var marks, slow, kept health.Marks
			for _, cp := range journal {
				marks, slow, kept = append(marks, cp.Marks...), append(slow, cp.Slow...), append(kept, cp.Kept...)
			}
			halved(t, "errors", marks, all.Marks, got.Coins, want.Coins, most)
			if len(tt.options.Slow) > 0 {
				halved(t, "slower", slow, all.Slow, got.Slow, want.Slow, most)
				halved(t, "kept", kept, all.Kept, got.Kept, want.Kept, most)
			}
			require.Equal(t, want.Tables, got.Tables, "counts by bucket need no memory")
			require.Equal(t, want.Candidate.Failures, got.Candidate.Failures)
		})
	}
}

// halved compares the marks of a small memory with those of a large one.
func halved(t *testing.T, name string, small, large health.Marks, got, want health.Coins, most int) {
	t.Helper()
	require.Positive(t, got.Halved, name)
	byUnit := func(marks health.Marks) map[uint64]health.Marks {
		units := map[uint64]health.Marks{}
		for _, m := range marks {
			units[m.Unit] = append(units[m.Unit], m)
		}
		return units
	}
	counted, reference := byUnit(small), byUnit(large)
	whole := 0
	for unit, marks := range counted {
		all := reference[unit]
		if len(marks) > len(all) || !cmp.Equal(all[:len(marks)], marks) {
			t.Fatalf("%s: unit %x counted as %v, of %v", name, unit, marks, all)
		}
		if len(marks) == len(all) {
			whole++
		}
	}
	coins := uint64(0)
	for _, f := range got.Firsts {
		coins += f.Candidate + f.Baseline
	}
	require.EqualValues(t, len(small), coins, name)
	require.Equal(t, len(counted), got.Units, name)
	require.Equal(t, len(reference), want.Units, name)
	require.Less(t, got.Units, want.Units, name)
	// Of all units one in 2^Halved is remembered, and each halving left some behind.
	require.LessOrEqual(t, got.Units, most+got.Halved*most, name)
	require.LessOrEqual(t, want.Units>>got.Halved, 2*most, name)
	require.GreaterOrEqual(t, whole, want.Units>>got.Halved/2, name)
}

// A unit that was dropped is never let in again, also if it comes back over and over,
// and a checkpoint that says so is refused.
func TestDroppedForGood(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{MaxUnits: 4})
	seen := map[uint64]bool{}
	var first health.Checkpoint
	for round := range 50 {
		for unit := range uint64(200) {
			c.Record(health.Outcome{Unit: unit, Slot: int32(unit) * 500, Ramp: 10_000})
		}
		cp := c.Checkpoint()
		if round == 0 {
			first = cp
		}
		for _, m := range cp.Marks {
			require.False(t, seen[m.Unit], "round %d: %v", round, m)
			seen[m.Unit] = true
		}
		require.Equal(t, len(seen), cp.Sample.Units)
	}
	require.Equal(t, first.Sample.Coins, c.Snapshot().Coins)

	back := health.NewCohorts(health.CohortsOptions{MaxUnits: 4})
	require.NoError(t, back.Restore(first))
	again := first
	again.Marks = first.Marks[:1]
	again.Tables = nil
	require.ErrorContains(t, back.Restore(again), fmt.Sprintf("marks[0]: unit %x counts no more", first.Marks[0].Unit))
	less := c.Checkpoint()
	less.Sample.Halved--
	require.ErrorContains(t, back.Restore(less), "times, after")
	require.NoError(t, back.Restore(c.Checkpoint()))

	// A restart with room for more does not bring anybody back; one with less makes room.
	for _, most := range []int{1, 1_000} {
		other := health.NewCohorts(health.CohortsOptions{MaxUnits: most})
		require.NoError(t, other.Restore(first))
		for unit := range uint64(200) {
			other.Record(health.Outcome{Unit: unit, Slot: int32(unit) * 500, Ramp: 10_000})
		}
		for unit := range uint64(2_000) {
			other.Record(health.Outcome{Unit: 1_000 + unit, Slot: 50_000, Ramp: 10_000})
		}
		for _, m := range other.Checkpoint().Marks {
			require.False(t, seen[m.Unit])
		}
	}
}

// Processes whose memory is too small, merged, count each coin once.
func TestMergeHalved(t *testing.T) {
	options := health.CohortsOptions{MaxUnits: 30}
	a, b, one := health.NewCohorts(options), health.NewCohorts(options), health.NewCohorts(health.CohortsOptions{})
	for i, o := range traffic(3, 6_000, func(i int) int32 { return int32(i/2_000+1) * 20_000 }) {
		one.Record(o)
		if i%3 == 0 {
			b.Record(o)
		} else {
			a.Record(o)
		}
	}
	first, second, all := a.Checkpoint(), b.Checkpoint(), one.Checkpoint()
	sum, err := health.Merge(throughJSON(t, first), throughJSON(t, second))
	require.NoError(t, err)
	require.Equal(t, max(first.Sample.Halved, second.Sample.Halved), sum.Halved)
	require.Positive(t, sum.Halved)
	units := map[uint64]bool{}
	for _, m := range append(first.Marks, second.Marks...) {
		units[m.Unit] = true
	}
	require.Equal(t, len(units), sum.Units)
	require.Less(t, sum.Units, first.Sample.Units+second.Sample.Units, "some units are in both")
	coins, most := uint64(0), uint64(0)
	for _, f := range sum.Firsts {
		coins += f.Candidate + f.Baseline
	}
	for _, f := range all.Sample.Firsts {
		most += f.Candidate + f.Baseline
	}
	require.Less(t, coins, most)
}
