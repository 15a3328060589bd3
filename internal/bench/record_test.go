package bench

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/guidon-go/guidon/health"
)

// recorder counts latencies. Like a [System], it is called through an interface
// once per loop.
type recorder interface {
	// record counts the latencies from one on, again and again, n in all.
	record(from, n int)
	// count is how many have been counted.
	count() uint64
}

// recorders are what is compared, by the names of the benchmarks.
var recorders = []struct {
	name string
	make func() recorder
}{
	{"guidon", func() recorder {
		return &guidonWindow{health.NewWindow(health.WindowOptions{}), time.Now()}
	}},
	{"counter", func() recorder { return new(counter) }},
	{"hdrhistogram-mutex", func() recorder {
		return &hdrMutex{h: hdr.New(1, int64(time.Minute), 2)}
	}},
	{"prometheus-classic", func() recorder {
		return &promClassic{prometheus.NewHistogram(prometheus.HistogramOpts{Name: "latency", Buckets: prometheus.DefBuckets})}
	}},
}

// latencies are lognormal: median 20 ms, sigma 1.
var latencies = func() (all [1024]time.Duration) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range all {
		all[i] = time.Duration(20e6 * math.Exp(rng.NormFloat64()))
	}
	return all
}()

// guidonWindow is ours; the caller knows when the request has ended.
type guidonWindow struct {
	w   *health.Window
	now time.Time
}

func (g *guidonWindow) record(from, n int) {
	for i := from; i < from+n; i++ {
		g.w.Record(g.now, latencies[i%len(latencies)], health.Success)
	}
}

func (g *guidonWindow) count() uint64 { return g.w.Snapshot(g.now).Requests() }

// counter is the floor: it does not even look at the latency.
type counter struct{ n atomic.Uint64 }

func (c *counter) record(_, n int) {
	for range n {
		c.n.Add(1)
	}
}

func (c *counter) count() uint64 { return c.n.Load() }

// hdrMutex is HdrHistogram with two digits; it leaves locking to its user.
type hdrMutex struct {
	mu sync.Mutex
	h  *hdr.Histogram
}

func (h *hdrMutex) record(from, n int) {
	for i := from; i < from+n; i++ {
		h.mu.Lock()
		_ = h.h.RecordValue(int64(latencies[i%len(latencies)]))
		h.mu.Unlock()
	}
}

func (h *hdrMutex) count() uint64 { return uint64(h.h.TotalCount()) }

// promClassic is Prometheus' histogram with its eleven default buckets.
type promClassic struct{ h prometheus.Histogram }

func (p *promClassic) record(from, n int) {
	for i := from; i < from+n; i++ {
		p.h.Observe(latencies[i%len(latencies)].Seconds())
	}
}

func (p *promClassic) count() uint64 {
	var m dto.Metric
	if p.h.Write(&m) != nil {
		return 0
	}
	return m.GetHistogram().GetSampleCount()
}

// Every recorder counts everything, whoever else does.
func TestRecorders(t *testing.T) {
	for _, r := range recorders {
		t.Run(r.name, func(t *testing.T) {
			const goroutines, n = 4, 10_000
			all := r.make()
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() { all.record(0, n) })
			}
			wg.Wait()
			if got := all.count(); got != goroutines*n {
				t.Errorf("got %d latencies, want %d", got, goroutines*n)
			}
		})
	}
}

// BenchmarkRecord is one latency counted by as many goroutines as -cpu says, all in
// one recorder: "ns/record" is what each of them waits for one. Ours is measured in
// turns with each, so that what else the machine does hits both; "times" is the
// median of the ratios, by ours, and "counted" how many they are.
func BenchmarkRecord(b *testing.B) {
	for _, r := range recorders {
		b.Run(r.name, func(b *testing.B) {
			ours, other := recorders[0].make(), r.make()
			var base, own, times []float64
			for range b.N { // Loop would do the first run without heeding -cpu
				g, ok := inParallel(ours.record)
				if o, too := inParallel(other.record); ok && too {
					base, own, times = append(base, g), append(own, o), append(times, o/g)
				}
			}
			b.ReportMetric(0, "ns/op") // of a turn: means nothing
			b.ReportMetric(medianOf(base), "ns/ours")
			b.ReportMetric(medianOf(own), "ns/record")
			b.ReportMetric(medianOf(times), "times")
			b.ReportMetric(float64(len(times)), "counted")
		})
	}
}

// inParallel runs a loop of its own in as many goroutines as -cpu says, and returns
// the ns that one turn took in each. It is not ok when they were not all running at
// once: then the machine had other things to do, and this says nothing.
func inParallel(loop func(from, n int)) (ns float64, ok bool) {
	const turns = 5_000
	procs := runtime.GOMAXPROCS(0)
	begun, ended := make([]time.Time, procs), make([]time.Time, procs)
	var ready atomic.Int32
	var wg sync.WaitGroup
	for i := range procs {
		wg.Go(func() {
			// Many times, so that all are awake when they have met.
			for meeting := range 100 {
				ready.Add(1)
				for int(ready.Load()) < procs*(meeting+1) {
				}
			}
			begun[i] = time.Now()
			loop(i*512, turns)
			ended[i] = time.Now()
		})
	}
	wg.Wait()
	first, last := slices.MinFunc(begun, time.Time.Compare), slices.MaxFunc(begun, time.Time.Compare)
	took := slices.MaxFunc(ended, time.Time.Compare).Sub(first)
	together := slices.MinFunc(ended, time.Time.Compare).Sub(last)
	return float64(took) / turns, together > took*8/10
}

func medianOf(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}
