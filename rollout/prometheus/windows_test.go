package prometheus_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

// shown is the histogram that a scrape has of a window.
func shown(t testing.TB, w *health.Window) *dto.Histogram {
	t.Helper()
	for _, family := range must(registered(t, prometheus.Options{Windows: map[string]*health.Window{"w": w}}).Gather()) {
		if family.GetName() == "guidon_window_latency_seconds" {
			return family.Metric[0].Histogram
		}
	}
	t.Fatal("no histogram")
	return nil
}

// upTo is how many a native histogram has at or below each bound.
func upTo(h *dto.Histogram) map[float64]uint64 {
	n, count, i, next, cumulative := h.GetZeroCount(), int64(0), 0, 0, map[float64]uint64{}
	for _, span := range h.PositiveSpan {
		i += int(span.GetOffset())
		for range span.GetLength() {
			count += h.PositiveDelta[next]
			n += uint64(count)
			cumulative[math.Exp2(float64(i)/8)] = n
			next++
			i++
		}
	}
	return cumulative
}

func TestHistogramHasWhatTheWindowHas(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		draw func(*rand.Rand) float64 // seconds
	}{
		{"one", 1, func(*rand.Rand) float64 { return 0.02 }},
		{"two apart", 2, func(r *rand.Rand) float64 { return []float64{0.003, 30}[r.IntN(2)] }},
		{"all the same", 5000, func(*rand.Rand) float64 { return 0.0123 }},
		{"lognormal", 20_000, func(r *rand.Rand) float64 { return 0.02 * math.Exp(r.NormFloat64()) }},
		{"two peaks", 20_000, func(r *rand.Rand) float64 { return []float64{0.0004, 2}[r.IntN(2)] * (1 + r.Float64()) }},
		{"everywhere", 5000, func(r *rand.Rand) float64 { return math.Exp2(-18 + 23*r.Float64()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, rng, now := health.NewWindow(health.WindowOptions{}), rand.New(rand.NewPCG(1, 2)), time.Now()
			all, sum := make([]float64, tt.n), 0.0
			for i := range all {
				all[i] = tt.draw(rng)
				sum += all[i]
				w.Record(now, time.Duration(all[i]*1e9), health.Success)
			}
			h := shown(t, w)
			if h.GetSampleCount() != uint64(tt.n) || math.Abs(h.GetSampleSum()/sum-1) > 0.05 {
				t.Errorf("got %d of %v seconds, want %d of %v", h.GetSampleCount(), h.GetSampleSum(), tt.n, sum)
			}
			between := func(bound float64, got uint64) {
				low, high := uint64(0), uint64(0)
				for _, s := range all { // a window's latencies are off by 0.78 %
					if s <= bound/1.008 {
						low++
					}
					if s <= bound*1.008 {
						high++
					}
				}
				if got < low || got > high {
					t.Errorf("got %d up to %v s, want %d to %d", got, bound, low, high)
				}
			}
			last := uint64(0)
			for bound, n := range upTo(h) {
				between(bound, n)
				last = max(last, n)
			}
			if last != uint64(tt.n) {
				t.Errorf("the native buckets have %d, want %d", last, tt.n)
			}
			for _, b := range h.Bucket {
				between(b.GetUpperBound(), b.GetCumulativeCount())
			}
		})
	}
}

func TestHistogramAtItsEdges(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	if h := shown(t, w); h.GetSampleCount() != 0 || h.GetSampleSum() != 0 || h.Bucket[0].GetCumulativeCount() != 0 {
		t.Errorf("of nothing, got %v", h)
	}
	for _, d := range []time.Duration{-time.Second, 0, 0, 0} {
		w.Record(time.Now(), d, health.Success)
	}
	if h := shown(t, w); h.GetSampleCount() != 4 || h.GetZeroCount() != 4 || h.GetSampleSum() != 0 {
		t.Errorf("of zeros, got %v", h)
	}
	w.Record(time.Now(), time.Hour, health.Success) // more than the window can tell
	h := shown(t, w)
	if n := h.Bucket[len(h.Bucket)-1].GetCumulativeCount(); h.GetSampleCount() != 5 || n != 4 {
		t.Errorf("of an hour, got %d in all, and %d up to 64 s", h.GetSampleCount(), n)
	}
	if sum := h.GetSampleSum(); math.Abs(sum/68-1) > 0.05 { // as the documentation says
		t.Errorf("of an hour, got a sum of %v s, want 68", sum)
	}
	if h.CreatedTimestamp != nil {
		t.Error("says when it was created")
	}
}

var _ client.Collector = (*prometheus.Collector)(nil)
