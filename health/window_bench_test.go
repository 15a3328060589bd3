package health_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
)

// BenchmarkRecord is one outcome whose end the caller knows, measured against an
// atomic counter. Run it with -cpu 1,2: with 1, nobody else touches the counter;
// with 2, two goroutines share it, and the window, too. "times" is the ratio. In
// "hot" all latencies are the same, so that the goroutines meet in one bucket.
func BenchmarkRecord(b *testing.B) {
	now := time.Now()
	w := health.NewWindow(health.WindowOptions{})
	b.Run("hot", func(b *testing.B) {
		againstCounter(b, func(_, n int) {
			for range n {
				w.Record(now, 12*time.Millisecond, health.Success)
			}
		})
	})
	latencies := manyLatencies()
	for _, class := range []health.Class{health.Success, health.Failure} {
		b.Run(class.String(), func(b *testing.B) {
			againstCounter(b, func(from, n int) {
				for i := from; i < from+n; i++ {
					w.Record(now, latencies[i%len(latencies)], class)
				}
			})
		})
	}
	b.Run("with clock", func(b *testing.B) {
		againstCounter(b, func(from, n int) {
			for i := from; i < from+n; i++ {
				w.Record(time.Now(), latencies[i%len(latencies)], health.Success)
			}
		})
	})
}

func BenchmarkRecordNoAlloc(b *testing.B) {
	now := time.Now()
	w := health.NewWindow(health.WindowOptions{})
	b.ReportAllocs()
	for b.Loop() {
		w.Record(now, 12*time.Millisecond, health.Success)
	}
}

// againstCounter measures a loop and the same loop around a counter in turns, so
// that what else the machine does hits both, and reports medians, and how many turns
// they are of.
func againstCounter(b *testing.B, loop func(from, n int)) {
	var count atomic.Uint64
	counter := func(_, n int) {
		for range n {
			count.Add(1)
		}
	}
	var floor, own, times []float64
	for range b.N { // Loop would do the first run without heeding -cpu
		f, ok := inParallel(counter)
		if o, too := inParallel(loop); ok && too {
			floor, own, times = append(floor, f), append(own, o), append(times, o/f)
		}
	}
	b.ReportMetric(0, "ns/op") // of a turn: means nothing
	b.ReportMetric(median(floor), "ns/add")
	b.ReportMetric(median(own), "ns/record")
	b.ReportMetric(median(times), "times")
	b.ReportMetric(float64(len(times)), "counted")
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

func median(all []float64) float64 {
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// manyLatencies are lognormal: median 20 ms, sigma 1.
func manyLatencies() (all [1024]time.Duration) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range all {
		all[i] = time.Duration(20e6 * math.Exp(rng.NormFloat64()))
	}
	return all
}
