package prometheus_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout/prometheus"
)

const (
	manyFlags   = 10_000
	manyWindows = 100
	perWindow   = 10_000 // requests
)

// BenchmarkScrape gathers 10,000 flags and 100 windows, and as many series of each kind
// that are registered with the client itself.
func BenchmarkScrape(b *testing.B) {
	ours := client.NewRegistry()
	ours.MustRegister(prometheus.New(prometheus.Options{Flags: usedFlags(b), Windows: usedWindows()}))
	natively := native()
	got, want := must(testutil.GatherAndCount(ours)), must(testutil.GatherAndCount(natively))
	if got-2-6 != want { // what is said of the scrape, and the states of all flags
		b.Fatalf("%d series, and natively %d", got, want)
	}
	for _, side := range []struct {
		name string
		from client.Gatherer
	}{{"guidon", ours}, {"native", natively}} {
		b.Run(side.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				must(side.from.Gather())
			}
		})
	}
}

// usedFlags have a ramp each, and were evaluated on both of its sides.
func usedFlags(b *testing.B) *flag.Store {
	var text strings.Builder
	for i := range manyFlags {
		fmt.Fprintf(&text, `,"flag-%05d": {"ramp": {"percent": 50}}`, i)
	}
	s := store(b, `{"flags": {`+text.String()[1:]+`}}`)
	for i := range manyFlags {
		ref := flag.ByKey(fmt.Sprintf("flag-%05d", i), false)
		for on, off, user := false, false, int64(0); !on || !off; user++ {
			subject := flag.ForInt(user)
			if ref.Value(s, &subject) {
				on = true
			} else {
				off = true
			}
		}
	}
	return s
}

func latencies(record func(time.Duration)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range perWindow {
		record(time.Duration(20e6 * (0.2 + rng.ExpFloat64())))
	}
}

func usedWindows() map[string]*health.Window {
	windows := map[string]*health.Window{}
	for i := range manyWindows {
		w, at := health.NewWindow(health.WindowOptions{Span: 24 * time.Hour}), time.Now().Add(-4*time.Hour)
		latencies(func(d time.Duration) { w.Record(at, d, health.Success) })
		windows[fmt.Sprint("window-", i)] = w
	}
	return windows
}

// native is what a host would have written by hand.
func native() *client.Registry {
	registry := client.NewRegistry()
	counts := client.NewCounterVec(client.CounterOpts{Name: "evaluations_total"}, []string{"flag", "variant"})
	ramps := client.NewGaugeVec(client.GaugeOpts{Name: "ramp_ratio"}, []string{"flag"})
	for i := range manyFlags {
		key := fmt.Sprintf("flag-%05d", i)
		counts.WithLabelValues(key, "on").Inc()
		counts.WithLabelValues(key, "off").Inc()
		ramps.WithLabelValues(key).Set(0.5)
	}
	seconds := client.NewHistogramVec(client.HistogramOpts{Name: "latency_seconds", NativeHistogramBucketFactor: 1.1, Buckets: client.ExponentialBuckets(1./1024, 2, 17)}, []string{"window"})
	errorRates := client.NewGaugeVec(client.GaugeOpts{Name: "error_ratio"}, []string{"window"})
	rates := client.NewGaugeVec(client.GaugeOpts{Name: "requests_per_second"}, []string{"window"})
	dropped := client.NewCounterVec(client.CounterOpts{Name: "dropped_total"}, []string{"window"})
	for i := range manyWindows {
		name := fmt.Sprint("window-", i)
		latencies(func(d time.Duration) { seconds.WithLabelValues(name).Observe(d.Seconds()) })
		errorRates.WithLabelValues(name).Set(0)
		rates.WithLabelValues(name).Set(1)
		dropped.WithLabelValues(name).Inc()
	}
	registry.MustRegister(counts, ramps, seconds, errorRates, rates, dropped)
	return registry
}
