package histogram_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/histogram"
)

func TestIndex(t *testing.T) {
	for _, tt := range []struct {
		name   string
		d      time.Duration
		index  int
		middle time.Duration
	}{
		{"below zero", -1, 0, 2064},
		{"zero", 0, 0, 2064},
		{"just below the range", 2047, 0, 2064},
		{"start of the range", 2048, 0, 2064},
		{"end of the first bucket", 2079, 0, 2064},
		{"second bucket", 2080, 1, 2096},
		{"end of the first octave", 4095, 63, 4080},
		{"second octave", 4096, 64, 4128},
		{"a millisecond", time.Millisecond, 8*64 + 58, 1_003_520},
		{"end of the range", histogram.Max - 1, histogram.Buckets - 1, histogram.Max - 1<<28},
		{"beyond the range", time.Hour, histogram.Buckets - 1, histogram.Max - 1<<28},
		{"longest", math.MaxInt64, histogram.Buckets - 1, histogram.Max - 1<<28},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := histogram.Index(tt.d)
			if got != tt.index || histogram.Middle(got) != tt.middle {
				t.Errorf("got %d of middle %d, want %d of %d", got, histogram.Middle(got), tt.index, tt.middle)
			}
		})
	}
}

// The buckets cover the range without gap or overlap, and the middle of each is
// within the bound of everything it holds.
func TestBound(t *testing.T) {
	require.Equal(t, 1600, histogram.Buckets)
	require.LessOrEqual(t, histogram.Error, 0.0079)
	start := histogram.Min
	for i := range histogram.Buckets {
		half := histogram.Middle(i) - start
		end := start + 2*half
		require.Equal(t, i, histogram.Index(start), "start of bucket %d", i)
		require.Equal(t, i, histogram.Index(end-1), "end of bucket %d", i)
		require.LessOrEqual(t, float64(half)/float64(start), histogram.Error, "bucket %d", i)
		start = end
	}
	require.Equal(t, histogram.Max, start)
}

// Against sorting, on data of many shapes.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, tt := range []struct {
		name string
		draw func() float64 // ms
	}{
		{"lognormal", func() float64 { return 20 * math.Exp(rng.NormFloat64()) }},
		{"constant", func() float64 { return 12.345678 }},
		{"gap", func() float64 {
			if rng.Float64() < 0.99 {
				return 5 + rng.Float64()
			}
			return 2000
		}},
		{"uniform", func() float64 { return 0.01 + 1000*rng.Float64() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var live histogram.Live
			all := make([]time.Duration, 10_000)
			for i := range all {
				all[i] = time.Duration(tt.draw() * float64(time.Millisecond))
				live.Add(all[i])
			}
			slices.Sort(all)
			var counts histogram.Counts
			counts.Add(&live)
			require.EqualValues(t, len(all), counts.Total())
			for _, q := range []float64{0, 0.001, 0.5, 0.9, 0.99, 0.999, 1} {
				want := all[max(int(math.Ceil(q*float64(len(all)))), 1)-1]
				got, ok := counts.Quantile(q)
				require.True(t, ok)
				if off := math.Abs(float64(got-want)) / float64(want); off > histogram.Error {
					t.Errorf("q %v: got %v, want %v, off by %.2f %%", q, got, want, 100*off)
				}
			}
		})
	}
}

func TestQuantileNoValue(t *testing.T) {
	var empty, one histogram.Counts
	var live histogram.Live
	live.Add(time.Second)
	one.Add(&live)
	for _, tt := range []struct {
		name   string
		counts *histogram.Counts
		q      float64
	}{
		{"empty", &empty, 0.5},
		{"below 0", &one, -0.1},
		{"above 1", &one, 1.1},
		{"not a number", &one, math.NaN()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := tt.counts.Quantile(tt.q); ok {
				t.Errorf("got %v, want no value", got)
			}
		})
	}
}

func TestCountsAddUp(t *testing.T) {
	var a, b histogram.Live
	a.Add(time.Millisecond)
	a.Add(time.Millisecond)
	b.Add(time.Second)
	var sum histogram.Counts
	sum.Add(&a)
	sum.Add(&b)
	require.EqualValues(t, 3, sum.Total())
	got, _ := sum.Quantile(1)
	require.InEpsilon(t, time.Second, got, histogram.Error)
}

// A Short counts as a Live does, and says when there is no more than half the room.
func TestShort(t *testing.T) {
	var short histogram.Short
	var live histogram.Live
	for d := time.Duration(1); d < 2*histogram.Max; d += d/100 + 1 {
		require.False(t, short.Add(d))
		live.Add(d)
	}
	var got, want histogram.Counts
	got.AddShort(&short)
	want.Add(&live)
	require.Equal(t, want, got)

	at := histogram.Index(time.Second)
	short[at].Store(1<<31 - 2)
	require.False(t, short.Add(time.Second))
	require.True(t, short.Add(time.Second), "half full")
	require.True(t, short.Add(time.Second), "beyond half full")
	require.False(t, short.Add(2*time.Second), "another bucket")
	got = histogram.Counts{}
	got.AddShort(&short)
	require.Greater(t, got.Total(), uint64(1<<31))
}

func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var one, other, both histogram.Live
	for range 1_000 {
		d := time.Duration(rng.Int64N(int64(2 * histogram.Max)))
		both.Add(d)
		if rng.IntN(3) == 0 {
			one.Add(d)
		} else {
			other.Add(d)
		}
	}
	var got, more, want histogram.Counts
	got.Add(&one)
	more.Add(&other)
	got.Merge(&more)
	want.Add(&both)
	require.Equal(t, want, got)
}

func BenchmarkAddNoAlloc(b *testing.B) {
	var live histogram.Live
	b.ReportAllocs()
	for b.Loop() {
		live.Add(12345678)
	}
}
