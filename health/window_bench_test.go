package health_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
)

// BenchmarkRecord is one outcome whose end the caller knows, and what it is
// measured by: an atomic counter. Run it with -cpu 1,2; with 2, the goroutines
// share the counter, and ns/op times 2 is what one of them waits. In "hot" all
// latencies are the same, so that the goroutines meet in one bucket.
func BenchmarkRecord(b *testing.B) {
	b.Run("counter", func(b *testing.B) {
		var count atomic.Uint64
		inParallel(b, func(n int) {
			for range n {
				count.Add(1)
			}
		})
	})
	now := time.Now()
	b.Run("hot", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		inParallel(b, func(n int) {
			for range n {
				w.Record(now, 12*time.Millisecond, health.Success)
			}
		})
	})
	latencies := manyLatencies()
	for _, class := range []health.Class{health.Success, health.Failure} {
		b.Run(class.String(), func(b *testing.B) {
			w := health.NewWindow(health.WindowOptions{})
			inParallel(b, func(n int) {
				for i := range n {
					w.Record(now, latencies[i%len(latencies)], class)
				}
			})
		})
	}
	b.Run("with clock", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		inParallel(b, func(n int) {
			for i := range n {
				w.Record(time.Now(), latencies[i%len(latencies)], health.Success)
			}
		})
	})
}

// inParallel shares the turns of a benchmark between as many goroutines as -cpu
// says. Each runs a loop of its own, so that no turn pays for a call.
func inParallel(b *testing.B, loop func(n int)) {
	b.ReportAllocs()
	procs := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for i := range procs {
		wg.Go(func() { loop((b.N + i) / procs) })
	}
	wg.Wait()
}

// manyLatencies are lognormal: median 20 ms, sigma 1.
func manyLatencies() (all [1024]time.Duration) {
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range all {
		all[i] = time.Duration(20e6 * math.Exp(rng.NormFloat64()))
	}
	return all
}
