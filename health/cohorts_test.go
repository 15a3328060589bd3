package health_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
)

func TestCohortsRecord(t *testing.T) {
	fail := func(unit uint64, slot, ramp int32) health.Outcome {
		return health.Outcome{Unit: unit, Slot: slot, Ramp: ramp}
	}
	ok := func(slot, ramp int32) health.Outcome {
		return health.Outcome{Slot: slot, Ramp: ramp, Class: health.Success}
	}
	for _, tt := range []struct {
		name     string
		options  health.CohortsOptions
		outcomes []health.Outcome
		want     health.Sample
	}{
		{name: "nothing"},
		{
			name:     "the ramp decides the side",
			outcomes: []health.Outcome{ok(0, 10), ok(9, 10), ok(10, 10), fail(1, 9, 10), fail(2, 10, 10)},
			want: health.Sample{
				Candidate: health.Side{Successes: 2, Failures: 1},
				Baseline:  health.Side{Successes: 1, Failures: 1},
				Coins:     health.Coins{Firsts: []health.First{{Lo: 0, Ramp: 10, Candidate: 1, Baseline: 1}}, Units: 2},
			},
		},
		{
			name:     "a unit is one coin",
			outcomes: []health.Outcome{fail(1, 5, 10), fail(1, 5, 10), fail(1, 5, 20), fail(2, 50, 10), fail(2, 50, 10)},
			want: health.Sample{
				Candidate: health.Side{Failures: 3},
				Baseline:  health.Side{Failures: 2},
				Coins:     health.Coins{Firsts: []health.First{{Lo: 0, Ramp: 10, Candidate: 1, Baseline: 1}}, Units: 2},
			},
		},
		{
			name:     "and once more when the ramp has risen",
			outcomes: []health.Outcome{fail(1, 50, 10), fail(1, 50, 5), fail(1, 50, 40), fail(1, 50, 60), fail(1, 50, 70)},
			want: health.Sample{
				Candidate: health.Side{Failures: 2},
				Baseline:  health.Side{Failures: 3},
				Coins: health.Coins{Firsts: []health.First{
					{Lo: 0, Ramp: 10, Baseline: 1},
					{Lo: 10, Ramp: 40, Baseline: 1},
					{Lo: 40, Ramp: 60, Candidate: 1},
				}, Units: 1},
			},
		},
		{
			name:     "floor: exposed before",
			options:  health.CohortsOptions{Floor: 100},
			outcomes: []health.Outcome{ok(99, 200), fail(1, 99, 200), fail(2, 100, 200), fail(3, 150, 100), fail(4, 150, 50)},
			want: health.Sample{
				Candidate: health.Side{Failures: 1},
				Options:   health.SampleOptions{Floor: 100},
				Coins:     health.Coins{Firsts: []health.First{{Lo: 100, Ramp: 200, Candidate: 1}}, Units: 1},
			},
		},
		{
			name:     "a ramp of nothing or all is no coin",
			outcomes: []health.Outcome{fail(1, 5, 0), fail(2, 5, 100_000), fail(3, 5, -7), fail(4, 5, math.MaxInt32)},
			want:     health.Sample{Candidate: health.Side{Failures: 2}},
		},
		{
			name:     "out of range is counted apart",
			outcomes: []health.Outcome{fail(1, -1, 10), ok(100_000, 10), ok(math.MinInt32, 10)},
			want:     health.Sample{Invalid: 3},
		},
		{
			name: "excluded, unknown and negative",
			outcomes: []health.Outcome{
				{Slot: 5, Ramp: 10, Class: health.Excluded},
				{Unit: 1, Slot: 5, Ramp: 10, Class: 99},
				{Slot: 50, Ramp: 10, Class: health.Success, Latency: -time.Hour},
			},
			want: health.Sample{
				Candidate: health.Side{Failures: 1},
				Baseline:  health.Side{Successes: 1},
				Coins:     health.Coins{Firsts: []health.First{{Lo: 0, Ramp: 10, Candidate: 1}}, Units: 1},
			},
		},
		{
			name:     "full: half of the units go on",
			options:  health.CohortsOptions{MaxUnits: 2},
			outcomes: []health.Outcome{fail(3, 50, 10), fail(1, 50, 10), fail(2, 5, 10), fail(6, 5, 10), fail(3, 50, 60), fail(1, 50, 60)},
			want: health.Sample{
				Candidate: health.Side{Failures: 4},
				Baseline:  health.Side{Failures: 2},
				Coins: health.Coins{Firsts: []health.First{
					{Lo: 0, Ramp: 10, Candidate: 1, Baseline: 2}, // 3 is dropped to make room for 2, and 6 is of its half
					{Lo: 10, Ramp: 60, Candidate: 1},
				}, Units: 3, Halved: 1},
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := health.NewCohorts(tt.options)
			for _, o := range tt.outcomes {
				c.Record(o)
			}
			if diff := cmp.Diff(tt.want, totals(c.Snapshot())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func withoutLatency(s health.Sample) health.Sample {
	s.Candidate.P50, s.Candidate.P99, s.Baseline.P50, s.Baseline.P99 = 0, 0, 0, 0
	return s
}

// totals leaves out what is counted by bucket as well.
func totals(s health.Sample) health.Sample {
	s.Tables = nil
	return withoutLatency(s)
}

func TestCohortsLatency(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{})
	for i := range 1_000 {
		c.Record(health.Outcome{Slot: 5, Ramp: 10, Class: health.Success, Latency: time.Duration(i+1) * time.Millisecond})
	}
	s := c.Snapshot()
	require.InEpsilon(t, 500*time.Millisecond, s.Candidate.P50, 0.0079)
	require.InEpsilon(t, 990*time.Millisecond, s.Candidate.P99, 0.0079)
	require.Zero(t, s.Baseline.P99)
}

func TestSide(t *testing.T) {
	_, ok := health.Side{}.ErrorRate()
	require.False(t, ok)
	got, ok := health.Side{Successes: 3, Failures: 1}.ErrorRate()
	require.True(t, ok)
	require.Equal(t, 0.25, got)
	require.Equal(t, "candidate: no requests; baseline: 2,000 requests, 0.05 % fail, p50 1.5ms, p99 80ms",
		health.Sample{Baseline: health.Side{
			Successes: 1999, Failures: 1, P50: 1_499_600 * time.Nanosecond, P99: 80 * time.Millisecond,
		}}.String())
}

// Goroutines that record at once lose nothing, a snapshot never tears, and what is
// counted depends on the outcomes alone.
func TestCohortsConcurrent(t *testing.T) {
	const each, writers = 2_000, 4
	outcomes := make([][]health.Outcome, writers)
	one := health.NewCohorts(health.CohortsOptions{})
	for id := range outcomes {
		outcomes[id] = traffic(uint64(id), each, func(int) int32 { return 20_000 })
		for _, o := range outcomes[id] {
			one.Record(o)
		}
	}
	c := health.NewCohorts(health.CohortsOptions{})
	var wg sync.WaitGroup
	for _, mine := range outcomes {
		wg.Go(func() {
			for i, o := range mine {
				c.Record(o)
				if i%200 == 0 {
					s := c.Snapshot()
					if s.Candidate.Requests()+s.Baseline.Requests() > each*writers {
						t.Errorf("torn: %v", s)
					}
					coins := uint64(0)
					for _, f := range s.Firsts {
						coins += f.Candidate + f.Baseline
					}
					if coins != uint64(s.Units) {
						t.Errorf("got %d coins of %d units", coins, s.Units)
					}
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(one.Snapshot(), c.Snapshot()); diff != "" {
		t.Errorf("-serial +concurrent:\n%s", diff)
	}
}

// traffic is a reproducible run of outcomes, one in five a failure.
func traffic(seed uint64, n int, ramp func(i int) int32) []health.Outcome {
	rng := rand.New(rand.NewPCG(seed, 11))
	lane := bucket.Lane("traffic", bucket.Ramp)
	out := make([]health.Outcome, n)
	for i := range out {
		unit := bucket.Unit(string(rune('a' + rng.IntN(500))))
		out[i] = health.Outcome{
			Unit: unit, Slot: bucket.Slot(unit, lane), Ramp: ramp(i),
			Class: health.Class(min(rng.IntN(5), 1)), Latency: time.Duration(rng.Int64N(int64(time.Second))),
		}
	}
	return out
}

// The same outcomes give the same bytes.
func TestSampleJSON(t *testing.T) {
	encode := func() string {
		c := health.NewCohorts(health.CohortsOptions{})
		for _, o := range traffic(1, 3_000, func(i int) int32 { return int32(i/100) * 1_050 }) {
			c.Record(o)
		}
		cp := c.Checkpoint()
		data, err := json.Marshal(cp)
		require.NoError(t, err)
		var back health.Checkpoint
		require.NoError(t, json.Unmarshal(data, &back))
		cp.Sample.Tables = nil
		require.Empty(t, cmp.Diff(cp, back))
		return string(data)
	}
	first := encode()
	for range 5 {
		require.Equal(t, first, encode())
	}
}

func TestCohortsRecordNoAlloc(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{})
	success := health.Outcome{Unit: 1, Slot: 5, Ramp: 10, Class: health.Success, Latency: time.Millisecond}
	require.Zero(t, testing.AllocsPerRun(1_000, func() { c.Record(success) }))
	repeated := health.Outcome{Unit: 1, Slot: 5, Ramp: 10, Latency: time.Millisecond}
	require.Zero(t, testing.AllocsPerRun(1_000, func() { c.Record(repeated) }))
}

func BenchmarkCohortsRecord(b *testing.B) {
	for _, class := range []health.Class{health.Success, health.Failure} {
		o := health.Outcome{Unit: 1, Slot: 5, Ramp: 10, Class: class, Latency: 12 * time.Millisecond}
		b.Run("serial "+class.String()+" NoAlloc", func(b *testing.B) {
			c := health.NewCohorts(health.CohortsOptions{})
			b.ReportAllocs()
			for b.Loop() {
				c.Record(o)
			}
		})
		b.Run("parallel "+class.String()+" NoAlloc", func(b *testing.B) {
			c := health.NewCohorts(health.CohortsOptions{})
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					c.Record(o)
				}
			})
		})
	}
}

func BenchmarkCohortsSnapshot(b *testing.B) {
	c := health.NewCohorts(health.CohortsOptions{})
	for _, o := range traffic(1, 3_000, func(i int) int32 { return int32(i/1_000) * 10_000 }) {
		c.Record(o)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Snapshot()
	}
}

// BenchmarkOutcome sets what the default judge costs a request beside a bare window.
func BenchmarkOutcome(b *testing.B) {
	now := time.Now()
	slots := make([]int32, 1024)
	for i := range slots {
		slots[i] = rand.Int32N(bucket.Slots)
	}
	b.Run("of=window NoAlloc", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		i := 0
		for b.Loop() {
			i++
			w.Record(now, time.Duration(slots[i&1023])*100, health.Success)
		}
	})
	for _, slow := range [][]time.Duration{nil, {20 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond, 50 * time.Millisecond}} {
		b.Run("of=cohorts slow="+strconv.Itoa(len(slow))+" NoAlloc", func(b *testing.B) {
			c := health.NewCohorts(health.CohortsOptions{Slow: slow})
			i := 0
			for b.Loop() {
				i++
				slot := slots[i&1023]
				c.Record(health.Outcome{Unit: uint64(i), Slot: slot, Ramp: 10_000, Class: health.Success, Latency: time.Duration(slot) * 100})
			}
		})
	}
}

// Options are those that it was made with, as they count: changing them changes nothing.
func TestCohortsOptions(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{Floor: -1, Slow: []time.Duration{2, 1}, Harm: 1, Strict: 100, Seed: 7})
	want := health.CohortsOptions{MaxUnits: 65536, Slow: []time.Duration{1, 2}, Strict: 64, Seed: 7}
	o := c.Options()
	require.Equal(t, want, o)
	o.Slow[0] = 9
	require.Equal(t, want, c.Options())
}
