package health_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// Traffic that is spread over processes, merged, is the traffic of one process,
// and so is what every judge says of it.
func TestMergeEqualsOne(t *testing.T) {
	for _, tt := range []struct {
		name    string
		options health.CohortsOptions
	}{
		{"usual", health.CohortsOptions{}},
		{"floor", health.CohortsOptions{Floor: 2_000}},
		{"strict", health.CohortsOptions{Strict: 3}},
		{"latency", health.CohortsOptions{Slow: []time.Duration{300 * time.Millisecond, 900 * time.Millisecond}, Seed: 7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outcomes := traffic(8, 6_000, func(i int) int32 { return []int32{0, 5_000, 20_000, 60_000}[i/1_500] })
			rng := rand.New(rand.NewPCG(4, 4))
			one := health.NewCohorts(tt.options)
			parts := make([]health.Checkpoint, 3)
			processes := make([]*health.Cohorts, len(parts))
			for i := range processes {
				processes[i] = health.NewCohorts(tt.options)
			}
			for i, o := range outcomes {
				one.Record(o)
				p := rng.IntN(len(processes))
				processes[p].Record(o)
				if i%250 == 0 { // each has its own journal
					var err error
					parts[p], err = throughJSON(t, processes[p].Checkpoint()).After(parts[p])
					require.NoError(t, err)
				}
			}
			for p := range parts {
				var err error
				parts[p], err = throughJSON(t, processes[p].Checkpoint()).After(parts[p])
				require.NoError(t, err)
			}
			merged, err := health.Merge(parts...)
			require.NoError(t, err)
			whole := withoutLatency(one.Snapshot())
			if diff := cmp.Diff(whole, merged); diff != "" {
				t.Fatalf("-one +merged:\n%.2000s", diff)
			}
			whole.Elapsed, merged.Elapsed = time.Hour, time.Hour
			for _, judge := range []health.Judge{health.DefaultJudge(time.Hour), health.DefaultJudge(time.Hour, health.Errors, health.Latency)} {
				want, _ := judge.Look(nil, whole)
				got, _ := judge.Look(nil, merged)
				require.Equal(t, want, got)
			}
		})
	}
}

// Kept failures are drawn by each process on its own; a unit is one coin all the same.
func TestMergeKept(t *testing.T) {
	options := health.CohortsOptions{Harm: 2}
	parts := make([]health.Checkpoint, 2)
	for i := range parts {
		c := health.NewCohorts(options)
		c.Record(health.Outcome{Unit: 1, Slot: 70_000, Ramp: 10_000})
		c.Record(health.Outcome{Unit: uint64(5 + i), Slot: 70_000, Ramp: 10_000})
		c.Record(health.Outcome{Unit: 8, Slot: 70_000, Ramp: int32(10_000 * (i + 1))})
		parts[i] = c.Checkpoint()
		parts[i].Sample.Elapsed = time.Duration(2-i) * time.Minute
	}
	sum, err := health.Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, health.Coins{Firsts: []health.First{{Ramp: 10_000, Baseline: 4}}, Units: 4}, sum.Kept)
	require.Equal(t, 2*time.Minute, sum.Elapsed)
	require.Zero(t, sum.Halved)
	parts[0].Sample.Halved, parts[1].Sample.Slow.Halved, parts[0].Sample.Kept.Halved = 3, 4, 5
	again, err := health.Merge(parts...)
	require.NoError(t, err)
	require.Equal(t, []int{3, 4, 5}, []int{again.Halved, again.Slow.Halved, again.Kept.Halved})
	require.Equal(t, sum.Firsts, again.Firsts, "what was counted counts")
}

// A process that came later did not see who had been exposed before it: in strict
// mode it has no say in a step that is another one to it.
func TestMergeStrictLatecomer(t *testing.T) {
	options := health.CohortsOptions{Strict: 2}
	first, late := health.NewCohorts(options), health.NewCohorts(options)
	first.Record(health.Outcome{Unit: 1, Slot: 50, Ramp: 10_000})
	first.Record(health.Outcome{Unit: 2, Slot: 15_000, Ramp: 20_000})
	late.Record(health.Outcome{Unit: 3, Slot: 60, Ramp: 20_000}) // was exposed before, which it cannot know
	sum, err := health.Merge(first.Checkpoint(), late.Checkpoint())
	require.NoError(t, err)
	require.Equal(t, health.Coins{Firsts: []health.First{{Ramp: 10_000, Candidate: 1}, {Lo: 10_000, Ramp: 20_000, Candidate: 1}}, Units: 2}, sum.Coins)
}

func TestMergeRefuses(t *testing.T) {
	part := func(options health.CohortsOptions, slot int32) health.Checkpoint {
		c := health.NewCohorts(options)
		c.Record(health.Outcome{Unit: 1, Slot: slot, Ramp: 10_000})
		c.Record(health.Outcome{Unit: 2, Slot: 99_999, Ramp: 10_000})
		return c.Checkpoint()
	}
	whole := part(health.CohortsOptions{}, 5)
	half := part(health.CohortsOptions{}, 5)
	half.Marks = half.Marks[1:]
	for _, tt := range []struct {
		name  string
		parts []health.Checkpoint
		want  string
	}{
		{"other options", []health.Checkpoint{whole, part(health.CohortsOptions{Floor: 1}, 5)}, "parts[1] was counted with options"},
		{"not all of it", []health.Checkpoint{whole, half}, "parts[1]: invalid: marks of 1 units, the sample has 2"},
		{"other salt", []health.Checkpoint{whole, part(health.CohortsOptions{}, 50_000)}, "do not share a salt"},
	} {
		_, err := health.Merge(tt.parts...)
		require.ErrorIs(t, err, health.ErrInvalid, tt.name)
		require.ErrorContains(t, err, tt.want, tt.name)
	}
	none, err := health.Merge()
	require.NoError(t, err)
	require.Equal(t, health.Sample{}, none)
}
