package evidence_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/evidence"
)

// Vectors computed apart from this code.
func TestOneSampleVectors(t *testing.T) {
	for _, tt := range []struct {
		failures, requests uint64
		want               float64
	}{{20, 1000, 14.635555}, {10, 1000, 0.198333}, {0, 500, 0.061378}, {0, 0, 1}} {
		require.InDelta(t, tt.want, math.Exp(evidence.OneSample(tt.failures, tt.requests, 0.01)), 5e-7)
	}
}

// Over all outcomes of 12 requests the mean is 1 at the limit and below it under it,
// also where some bets are left out, and where the share moves but stays below.
func TestOneSampleIsFair(t *testing.T) {
	const n = 12
	mean := func(limit float64, share func(i int) float64) (sum float64) {
		for world := range 1 << n {
			p, failures := 1.0, uint64(0)
			for i := range n {
				if world>>i&1 == 1 {
					p *= share(i)
					failures++
				} else {
					p *= 1 - share(i)
				}
			}
			sum += p * math.Exp(evidence.OneSample(failures, n, limit))
		}
		return sum
	}
	for _, limit := range []float64{0.001, 0.1, 0.3, 0.5} {
		require.InDelta(t, 1, mean(limit, func(int) float64 { return limit }), 1e-12, limit)
		require.Less(t, mean(limit, func(int) float64 { return limit / 2 }), 1.0, limit)
		require.Less(t, mean(limit, func(i int) float64 { return limit * float64(i%3) / 2 }), 1.0, limit)
		require.Greater(t, mean(limit, func(int) float64 { return limit * 1.5 }), 1.0, limit)
	}
}

func TestOneSampleIsFinite(t *testing.T) {
	for _, failures := range []uint64{0, 1, 1 << 40, math.MaxUint64} {
		for _, limit := range []float64{1e-300, 0.01, 0.5} {
			got := evidence.OneSample(failures, math.MaxUint64, limit)
			require.False(t, math.IsNaN(got) || math.IsInf(got, 0), "%v of all at %v: got %v", failures, limit, got)
		}
	}
}

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		part, whole uint64
		low, high   float64
	}{
		// Published, in percent: 1.8 to 40; 0.18 to 5.5; up to 1.3.
		{1, 10, 0.017876, 0.404150},
		{1, 100, 0.001767, 0.054486},
		{0, 300, 0, 0.012643},
		{300, 300, 0.987357, 1},
	} {
		low, high := evidence.Wilson(tt.part, tt.whole, 1.959964)
		require.InDelta(t, tt.low, low, 2e-6, "%d of %d", tt.part, tt.whole)
		require.InDelta(t, tt.high, high, 2e-6, "%d of %d", tt.part, tt.whole)
	}
	low, high := evidence.Wilson(math.MaxUint64, math.MaxUint64, 1.96)
	require.True(t, low <= 1 && high <= 1)
}
