package health_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

const (
	shortest  = 1 << 11 // ns; quantiles tell latencies from here
	tooLong   = 1 << 36 // up to, not including, here
	maxError  = 1.0 / 128
	lastTold  = tooLong - 1<<29 // where the last bucket begins
	inASecond = float64(time.Second)
)

// Quantiles against those of all samples, sorted: a million of them each.
func TestWindowQuantileError(t *testing.T) {
	samples := 1_000_000
	if testing.Short() || raceEnabled {
		samples = 50_000
	}
	for _, tt := range []struct {
		name string
		draw func(i int, rng *rand.Rand) float64 // seconds
	}{
		{"lognormal", func(_ int, rng *rand.Rand) float64 { return 0.02 * math.Exp(rng.NormFloat64()) }},
		{"lognormal, wide", func(_ int, rng *rand.Rand) float64 { return 0.02 * math.Exp(3*rng.NormFloat64()) }},
		{"bimodal, 90 to 10", func(_ int, rng *rand.Rand) float64 {
			if rng.Float64() < 0.9 {
				return 0.005 + 0.0005*rng.NormFloat64()
			}
			return 0.2 + 0.02*rng.NormFloat64()
		}},
		{"gap at p99, from below", func(i int, rng *rand.Rand) float64 { return gap(i%100 < 99, rng) }},
		{"gap at p99, from above", func(i int, rng *rand.Rand) float64 { return gap(i%100 < 99 && i != 0, rng) }},
		{"gap at p90", func(i int, rng *rand.Rand) float64 { return gap(i%10 < 9, rng) }},
		{"constant", func(int, *rand.Rand) float64 { return 0.012345678 }},
		{"powers of two", func(_ int, rng *rand.Rand) float64 { return float64(int64(1)<<rng.IntN(36)) / inASecond }},
		{"one below powers of two", func(_ int, rng *rand.Rand) float64 { return float64(int64(1)<<rng.IntN(37)-1) / inASecond }},
		{"zero", func(int, *rand.Rand) float64 { return 0 }},
		{"zero, one in two", func(i int, rng *rand.Rand) float64 { return float64(i%2) * (0.001 + 0.001*rng.Float64()) }},
		{"below the range", func(_ int, rng *rand.Rand) float64 { return rng.Float64() * shortest / inASecond }},
		{"over the range", func(_ int, rng *rand.Rand) float64 { return 60 + 60*rng.Float64() }},
		{"far over the range", func(int, *rand.Rand) float64 { return 3600 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 7))
			w := health.NewWindow(health.WindowOptions{})
			all := make([]time.Duration, samples)
			for i := range all {
				all[i] = time.Duration(math.Round(tt.draw(i, rng) * inASecond))
				w.Record(noon.Add(time.Duration(i)*50*time.Microsecond), all[i], health.Class(i%2))
			}
			slices.Sort(all)
			m := w.Snapshot(noon.Add(time.Minute))
			require.EqualValues(t, samples, m.Requests())
			for _, q := range []float64{0, 0.5, 0.9, 0.99, 0.999, 1} {
				want := all[max(int(math.Ceil(q*float64(samples))), 1)-1]
				got, ok := m.Quantile(q)
				require.True(t, ok)
				switch {
				case want < shortest: // told as the first bucket's middle, or the longest of all if that is less
					require.Equal(t, min(shortest+16, all[samples-1]), got, "q %v of %v", q, want)
				case want >= tooLong: // told as the last bucket
					require.Equal(t, time.Duration(lastTold+1<<28), got, "q %v of %v", q, want)
				default:
					if off := math.Abs(float64(got-want)) / float64(want); off > maxError {
						t.Errorf("q %v: got %v, want %v: off by %.2f %%", q, got, want, 100*off)
					}
				}
			}
		})
	}
}

// gap is fast or slow, with nothing in between.
func gap(fast bool, rng *rand.Rand) float64 {
	if fast {
		return 0.005 + 0.001*rng.Float64()
	}
	return 2 + 0.1*rng.Float64()
}

// Known traps of others, by name.

// Only writing expires old outcomes: a service that has gone silent keeps its last
// error rate for ever.
func TestTrapRateAfterIdle(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{Span: time.Second})
	for range 10 {
		w.Record(noon, time.Millisecond, health.Failure)
	}
	rate, ok := w.Snapshot(noon).ErrorRate()
	require.True(t, ok)
	require.Equal(t, 1.0, rate)
	m := w.Snapshot(noon.Add(2500 * time.Millisecond))
	_, ok = m.ErrorRate()
	require.False(t, ok, "there are no requests to have a rate of")
	require.Zero(t, m.Requests())
}

// Interpolating between what is on both sides of a gap: a latency that no request
// had, off by up to 2,255 %.
func TestTrapQuantileAtGap(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	for i := range 100 {
		latency := 5 * time.Millisecond
		if i == 99 {
			latency = 2 * time.Second
		}
		w.Record(noon, latency, health.Success)
	}
	m := w.Snapshot(noon)
	for q, want := range map[float64]time.Duration{0.99: 5 * time.Millisecond, 0.991: 2 * time.Second, 1: 2 * time.Second} {
		got, ok := m.Quantile(q)
		require.True(t, ok)
		require.InEpsilon(t, want, got, maxError, "q %v", q)
	}
}

// Interpolating within a wide bucket: off by 101 % where every request took the same.
func TestTrapQuantileOfConstant(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	for range 1_000 {
		w.Record(noon, 12345678, health.Success)
	}
	m := w.Snapshot(noon)
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		got, ok := m.Quantile(q)
		require.True(t, ok)
		require.InEpsilon(t, 12345678, got, maxError, "q %v", q)
	}
}
