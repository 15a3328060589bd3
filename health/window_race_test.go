package health_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// Writers and a reader race over many rotations, each writer with a clock of its
// own, up to half a window behind. Nothing may be dropped, all of the last window
// must be there, and no snapshot may show more failures than requests.
func TestWindowConcurrent(t *testing.T) {
	const (
		writers = 4
		steps   = 400
		width   = 10 * time.Millisecond
		end     = (steps + 5) * width
	)
	w := health.NewWindow(health.WindowOptions{Span: 10 * width, Slots: 10})
	w.Record(noon, 0, health.Success) // fixes where the steps begin
	var (
		wg       sync.WaitGroup
		barriers [steps]sync.WaitGroup
		recent   atomic.Uint64 // recorded with a time in the last window
	)
	for i := range barriers {
		barriers[i].Add(writers)
	}
	for id := range writers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(id), 1))
			for step := range steps {
				for range 5 {
					at := time.Duration(step+5)*width - time.Duration(rng.Int64N(int64(5*width)))
					w.Record(noon.Add(at), time.Duration(rng.Int64N(int64(time.Second))), health.Class(rng.IntN(2)))
					if at >= end-11*width {
						recent.Add(1)
					}
				}
				// All stay within a step of one another, so that none is late for the window.
				barriers[step].Done()
				barriers[step].Wait()
			}
		})
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for at := time.Duration(0); ; at = (at + width) % end {
			select {
			case <-stop:
				return
			default:
			}
			if share, ok := w.Snapshot(noon.Add(at)).ErrorRate(); ok && share > 1 {
				t.Errorf("got error rate %v", share)
				return
			}
		}
	}()
	wg.Wait()
	close(stop)
	<-stopped
	m := w.Snapshot(noon.Add(end - 1))
	require.Zero(t, m.Dropped())
	require.Equal(t, recent.Load(), m.Requests())
}

// In a window that never rotates away, concurrent writers lose nothing at all,
// even when they all create the slots.
func TestWindowLosesNothing(t *testing.T) {
	for round := range 50 {
		w := health.NewWindow(health.WindowOptions{Span: time.Second, Slots: 8})
		var wg sync.WaitGroup
		for id := range 4 {
			wg.Go(func() {
				for i := range 80 {
					w.Record(noon.Add(time.Duration(i)*10*time.Millisecond), time.Duration(id), health.Class(i%2))
				}
			})
		}
		wg.Wait()
		m := w.Snapshot(noon.Add(time.Second - 1))
		share, _ := m.ErrorRate()
		if m.Requests() != 4*80 || share != 0.5 {
			t.Fatalf("round %d: got %d requests, error rate %v; want 320, 0.5", round, m.Requests(), share)
		}
	}
}

// No writer counts into a step that is not its own. Every latency tells the step
// in which it was recorded, so that each snapshot can be asked for strangers, and
// the last one for everything that belongs there.
func TestWindowCountsIntoOwnStep(t *testing.T) {
	const (
		writers = 4
		slots   = 4
		steps   = 500
		each    = 8 // outcomes of a writer in a step
		width   = time.Millisecond
	)
	// Apart by 3 %, which quantiles tell.
	tag := func(step int) time.Duration { return time.Duration(10_000 * math.Pow(1.03, float64(step))) }
	w := health.NewWindow(health.WindowOptions{Span: slots * width, Slots: slots})
	w.Record(noon, tag(0), health.Success) // fixes where the steps begin
	var current atomic.Int64               // the highest step that a writer has begun
	var writing, reading sync.WaitGroup
	for id := range writers {
		writing.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(id), 2))
			for step := range steps {
				for s := current.Load(); int64(step) > s && !current.CompareAndSwap(s, int64(step)); {
					s = current.Load()
				}
				for range each {
					at := time.Duration(step)*width + time.Duration(rng.Int64N(int64(width)))
					w.Record(noon.Add(at), tag(step), health.Class(rng.IntN(2)))
				}
			}
		})
	}
	var stop atomic.Bool
	reading.Go(func() {
		var m health.Metrics
		for !stop.Load() {
			last := int(current.Load())
			w.SnapshotTo(noon.Add(time.Duration(last)*width), &m)
			lowest, ok := m.Quantile(0)
			if !ok {
				continue // writers have taken all places meanwhile
			}
			highest, _ := m.Quantile(1)
			if low, high := 0.99*float64(tag(max(last-slots, 0))), 1.01*float64(tag(last)); float64(lowest) < low || float64(highest) > high {
				t.Errorf("at step %d: got latencies from %v to %v, want %v to %v", last, lowest, highest, tag(max(last-slots, 0)), tag(last))
				return
			}
			if share, _ := m.ErrorRate(); share > 1 {
				t.Errorf("got error rate %v", share)
				return
			}
		}
	})
	writing.Wait()
	stop.Store(true)
	reading.Wait()

	// Writers went at their own pace, so some were late for the window. But nobody
	// was late for the last one.
	m := w.Snapshot(noon.Add((steps - 1) * width))
	require.EqualValues(t, writers*each*(slots+1), m.Requests())
	longest, _ := m.Max()
	require.Equal(t, tag(steps-1), longest)
}
