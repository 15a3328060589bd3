package health

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/histogram"
)

// Metrics is what a [Window] saw at one moment, or several windows together. It
// changes by [Window.SnapshotTo] and [Metrics.Merge] only, and otherwise may be
// shared. The zero value has seen nothing. Where there is no data there is no
// value: the second result is false, and the first is zero but means nothing.
// Metrics are 13 kB: pass pointers to them.
type Metrics struct {
	latency    histogram.Counts
	failures   uint64
	clamped    uint64
	longest    time.Duration
	throughput float64
	timed      bool // there is a throughput
	dropped    uint64
}

// Merge adds to m what other windows saw at the same moment: of other instances of
// a service, or of its routes. Counts add up, and so do latencies, exactly:
// quantiles of the sum are as good as those of one window, which quantiles of
// quantiles are not. Max is the longest of all. Throughputs add up, as windows see
// different requests; a window that is too young for a value adds none.
func (m *Metrics) Merge(o *Metrics) {
	m.latency.Merge(&o.latency)
	m.failures += o.failures
	m.clamped += o.clamped
	m.longest = max(m.longest, o.longest)
	m.throughput += o.throughput
	m.timed = m.timed || o.timed
	m.dropped += o.dropped
}

// Requests is how many outcomes counted, successes and failures.
func (m *Metrics) Requests() uint64 { return m.latency.Total() }

// SuccessRate is the share of requests that succeeded, 0 to 1.
func (m *Metrics) SuccessRate() (float64, bool) {
	rate, ok := rate(m.failures, m.Requests())
	if !ok {
		return 0, false
	}
	return 1 - rate, true
}

// ErrorRate is the share of requests that failed, 0 to 1.
func (m *Metrics) ErrorRate() (float64, bool) { return rate(m.failures, m.Requests()) }

// Quantile is the latency that a share q of the requests, failed ones included,
// did not exceed, by nearest rank: 0.5 is the median. It is off by at most 0.78 %
// between 2 µs and 68 s, and clamped to that range outside. A q outside 0 to 1
// has no value.
func (m *Metrics) Quantile(q float64) (time.Duration, bool) {
	d, ok := m.latency.Quantile(q)
	return min(d, m.longest), ok
}

// Max is the longest latency, exactly.
func (m *Metrics) Max() (time.Duration, bool) { return m.longest, m.Requests() > 0 }

// Throughput is requests per second. A window younger than one step has no value;
// one that has gone silent has the value 0.
func (m *Metrics) Throughput() (float64, bool) { return m.throughput, m.timed }

// Clamped is how many of the requests had a latency below zero, which counted as
// zero, or beyond the 68 s that quantiles can tell.
func (m *Metrics) Clamped() uint64 { return m.clamped }

// Dropped is how many outcomes came too late for the window, since it was made.
func (m *Metrics) Dropped() uint64 { return m.dropped }

// Slow is what 50, 90, 95 and 99 % of the requests did not exceed: ascending, equal ones
// once, and nil without data. It is for [CohortsOptions.Slow]: take it before the rollout
// begins, of what served until then.
func (m *Metrics) Slow() []time.Duration {
	if m.Requests() == 0 {
		return nil
	}
	var slow []time.Duration
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
		d, _ := m.Quantile(q)
		slow = append(slow, d)
	}
	return slices.Compact(slow)
}

// metricsJSON is what can be told of metrics, and nothing where there is no value.
type metricsJSON struct {
	Requests    uint64         `json:"requests"`
	SuccessRate *float64       `json:"success_rate,omitempty"`
	ErrorRate   *float64       `json:"error_rate,omitempty"`
	Throughput  *float64       `json:"throughput,omitempty"`
	P50         *time.Duration `json:"p50,omitempty"`
	P90         *time.Duration `json:"p90,omitempty"`
	P99         *time.Duration `json:"p99,omitempty"`
	Max         *time.Duration `json:"max,omitempty"`
}

func (m *Metrics) told() metricsJSON {
	return metricsJSON{
		Requests: m.Requests(), SuccessRate: value(m.SuccessRate()), ErrorRate: value(m.ErrorRate()), Throughput: value(m.Throughput()),
		P50: value(m.Quantile(0.5)), P90: value(m.Quantile(0.9)), P99: value(m.Quantile(0.99)), Max: value(m.Max()),
	}
}

// MarshalJSON is requests, success_rate, error_rate, throughput (a second), p50, p90, p99
// and max (in nanoseconds), each left out where it has no value; and clamped and dropped,
// where there are any. It cannot be read back: merge metrics and not their JSON.
func (m *Metrics) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		metricsJSON
		Clamped uint64 `json:"clamped,omitempty"`
		Dropped uint64 `json:"dropped,omitempty"`
	}{m.told(), m.clamped, m.dropped})
}

// LogValue lays the metrics out for package slog, by the names that they have in JSON.
func (m *Metrics) LogValue() slog.Value {
	t := m.told()
	attrs := []slog.Attr{slog.Uint64("requests", t.Requests)}
	for _, f := range []struct {
		name string
		x    *float64
	}{{"success_rate", t.SuccessRate}, {"error_rate", t.ErrorRate}, {"throughput", t.Throughput}} {
		if f.x != nil {
			attrs = append(attrs, slog.Float64(f.name, *f.x))
		}
	}
	for _, f := range []struct {
		name string
		d    *time.Duration
	}{{"p50", t.P50}, {"p90", t.P90}, {"p99", t.P99}, {"max", t.Max}} {
		if f.d != nil {
			attrs = append(attrs, slog.Duration(f.name, *f.d))
		}
	}
	return slog.GroupValue(attrs...)
}

// String is one line for people.
func (m *Metrics) String() string {
	n := m.Requests()
	if n == 0 {
		return "no requests"
	}
	s := count(n, "request")
	if t, ok := m.Throughput(); ok {
		s += fmt.Sprintf(" (%s/s)", figure(t))
	}
	s += ", " + percent(m.failures, n) + " fail"
	for _, q := range []struct {
		name string
		q    float64
	}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}} {
		d, _ := m.Quantile(q.q)
		s += fmt.Sprintf(", %s %s", q.name, short(d))
	}
	return s + ", max " + short(m.longest)
}

func rate(part, whole uint64) (float64, bool) {
	if whole == 0 {
		return 0, false
	}
	return float64(part) / float64(whole), true
}
