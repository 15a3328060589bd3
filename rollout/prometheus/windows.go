package prometheus

import (
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/guidon-go/guidon/health"
)

var (
	latency   = metric("window_latency_seconds", "Latencies of what is in the window now, failures included: a native and a classic histogram to be read as a gauge, without rate().", "window")
	errorRate = metric("window_error_ratio", "Share of the requests in the window that failed, 0 to 1; absent without requests.", "window")
	perSecond = metric("window_requests_per_second", "Requests a second over the window; absent while it is too young.", "window")
	dropped   = metric("window_dropped_outcomes_total", "Outcomes that came too late for the window.", "window")
)

func (c *Collector) windows(s *scrape) {
	m := new(health.Metrics)
	for _, name := range slices.Sorted(maps.Keys(c.o.Windows)) {
		w := c.o.Windows[name]
		if w == nil {
			continue
		}
		w.SnapshotTo(s.now, m)
		s.add(newHistogram(m, name))
		if v, ok := m.ErrorRate(); ok {
			s.gauge(errorRate, v, name)
		}
		if v, ok := m.Throughput(); ok {
			s.gauge(perSecond, v, name)
		}
		s.counter(dropped, m.Dropped(), name)
	}
}

// schema is of native histograms: eight buckets an octave, each 9 % wide.
const (
	schema    = 3
	perOctave = 1 << schema
)

// The classic buckets are octaves, 1 ms (2^-10 s) to 64 s, so that the native ones add
// up to them.
const classicFrom, classicTo = -10, 6

// histogram is what a window has counted, by native bucket.
type histogram struct {
	counts map[int]int64 // by the buckets' indexes
	zeros  uint64        // latencies of 0
	sum    float64       // in seconds, estimated
}

// newHistogram takes the metrics' histogram apart by asking for quantiles, rank by rank
// from one native bucket to the next.
func newHistogram(m *health.Metrics, name string) (client.Metric, error) {
	n := m.Requests()
	at := func(rank uint64) time.Duration { // from 0
		d, _ := m.Quantile((float64(rank) + 0.5) / float64(n)) // in the middle of the rank, so that rounding cannot reach the next
		return d
	}
	h := histogram{counts: map[int]int64{}}
	for rank := uint64(0); rank < n; {
		low := at(rank)
		i, size := index(low), uint64(1)
		for rank+size < n && index(at(min(rank+2*size, n)-1)) == i { // most buckets have few of all
			size = min(2*size, n-rank)
		}
		most := min(2*size, n-rank)
		size += uint64(sort.Search(int(most-size), func(k int) bool { return index(at(rank+size+uint64(k))) != i }))
		if h.sum += float64(size) * (low + at(rank+size-1)).Seconds() / 2; low <= 0 {
			h.zeros = size
		} else {
			h.counts[i] = int64(size)
		}
		rank += size
	}
	native, err := client.NewConstNativeHistogram(latency, n, h.sum, h.counts, nil, h.zeros, schema, 0, time.Time{}, name)
	return bothHistograms{native, h.classic()}, err
}

// index is of the native bucket that a latency is in.
func index(d time.Duration) int {
	if d <= 0 {
		return math.MinInt
	}
	return int(math.Ceil(math.Log2(d.Seconds()) * perOctave))
}

func (h *histogram) classic() []*dto.Bucket {
	var buckets []*dto.Bucket
	for octave := classicFrom; octave <= classicTo; octave++ {
		n, bound := h.zeros, math.Exp2(float64(octave))
		for i, count := range h.counts {
			if i <= octave*perOctave {
				n += uint64(count)
			}
		}
		buckets = append(buckets, &dto.Bucket{CumulativeCount: &n, UpperBound: &bound})
	}
	return buckets
}

// bothHistograms is a native histogram that has classic buckets, too, for servers that
// take no native ones.
type bothHistograms struct {
	client.Metric
	classic []*dto.Bucket
}

// Write adds the classic buckets, and takes away when it was created: a window has no
// beginning.
func (h bothHistograms) Write(m *dto.Metric) error {
	if err := h.Metric.Write(m); err != nil {
		return err
	}
	m.Histogram.Bucket, m.Histogram.CreatedTimestamp = h.classic, nil
	return nil
}
