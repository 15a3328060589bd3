package simulation

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// Result is what many runs of a world came to.
type Result struct {
	Runs, Hits int
	Median     time.Duration // of the time of the hits
}

// Share is which part of the runs were hits.
func (r Result) Share() float64 { return float64(r.Hits) / float64(r.Runs) }

// Trial says when a judge came to its verdict in one run, and whether it did.
type Trial func(users *Crowd, seed uint64) (at time.Duration, hit bool)

// Play runs a world many times, on all processors.
func (w World) Play(runs int, trial Trial) Result {
	users := w.Crowd()
	var mu sync.Mutex
	var times []time.Duration
	var wg sync.WaitGroup
	seeds := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for seed := range seeds {
				if at, hit := trial(users, seed); hit {
					mu.Lock()
					times = append(times, at)
					mu.Unlock()
				}
			}
		})
	}
	for seed := range runs {
		seeds <- uint64(seed)
	}
	close(seeds)
	wg.Wait()
	r := Result{Runs: runs, Hits: len(times)}
	if slices.Sort(times); len(times) > 0 {
		r.Median = times[len(times)/2]
	}
	return r
}
