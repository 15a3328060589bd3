package health_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestWindowNoValueWithoutData(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	check := func(name string, m *health.Metrics) {
		require.Zero(t, m.Requests(), name)
		for _, ask := range []func() bool{
			func() bool { _, ok := m.SuccessRate(); return ok },
			func() bool { _, ok := m.ErrorRate(); return ok },
			func() bool { _, ok := m.Quantile(0.5); return ok },
			func() bool { _, ok := m.Max(); return ok },
		} {
			require.False(t, ask(), name)
		}
		require.Equal(t, "no requests", m.String(), name)
	}
	check("fresh", w.Snapshot(noon))
	_, ok := w.Snapshot(noon).Throughput()
	require.False(t, ok)

	w.Record(noon, time.Second, health.Excluded)
	check("excluded only", w.Snapshot(noon))

	w.Record(noon, time.Second, health.Success)
	check("gone silent", w.Snapshot(noon.Add(67*time.Second)))
	got, ok := w.Snapshot(noon.Add(67 * time.Second)).Throughput()
	require.True(t, ok, "silence is a throughput of 0")
	require.Zero(t, got)
}

func TestWindowRates(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	for i := range 1_000 {
		class := health.Success
		switch {
		case i%100 == 0:
			class = health.Failure
		case i%100 == 1:
			class = health.Class(77) // unknown: a failure
		case i%100 == 2:
			class = health.Excluded
		}
		w.Record(noon.Add(time.Duration(i)*10*time.Millisecond), time.Duration(i)*time.Millisecond, class)
	}
	m := w.Snapshot(noon.Add(10 * time.Second))
	require.EqualValues(t, 990, m.Requests())
	errors, _ := m.ErrorRate()
	require.InDelta(t, 20.0/990, errors, 1e-12)
	successes, _ := m.SuccessRate()
	require.InDelta(t, 970.0/990, successes, 1e-12)
	perSecond, ok := m.Throughput()
	require.True(t, ok)
	require.InDelta(t, 99, perSecond, 1e-9)
	for q, want := range map[float64]time.Duration{0.5: 499 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		got, ok := m.Quantile(q)
		require.True(t, ok)
		require.InEpsilon(t, want, got, 0.0079)
	}
	longest, _ := m.Max()
	require.Equal(t, 999*time.Millisecond, longest)
	top, _ := m.Quantile(1)
	require.LessOrEqual(t, top, longest)
	require.Zero(t, m.Dropped())
}

func TestWindowLatencyOutOfRange(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	w.Record(noon, -time.Second, health.Success)
	m := w.Snapshot(noon)
	got, ok := m.Quantile(0.5)
	require.True(t, ok)
	require.Zero(t, got)

	w.Record(noon, 48*time.Hour, health.Success)
	longest, _ := w.Snapshot(noon).Max()
	require.Equal(t, 48*time.Hour, longest)
}

// An outcome is in every snapshot for Span, and in none after Span and one step.
func TestWindowSlides(t *testing.T) {
	const (
		span = 10 * time.Second
		step = span / 5
		gap  = 700 * time.Millisecond
	)
	w := health.NewWindow(health.WindowOptions{Span: span, Slots: 5})
	for at := time.Duration(0); at < time.Minute; at += gap {
		w.Record(noon.Add(at), 0, health.Success)
		got := w.Snapshot(noon.Add(at)).Requests()
		within := func(age time.Duration) uint64 { return uint64(min(at, age)/gap) + 1 }
		if got < within(span) || got > within(span+step) {
			t.Fatalf("at %v: got %d requests, want %d to %d", at, got, within(span), within(span+step))
		}
	}
}

func TestWindowLateAndEarly(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{Span: 10 * time.Second, Slots: 10})
	w.Record(noon, 0, health.Success)
	w.Record(noon.Add(-3*time.Second), 0, health.Success) // before the first: still in the window
	require.EqualValues(t, 2, w.Snapshot(noon).Requests())

	w.Record(noon.Add(9*time.Second), 0, health.Success)
	w.Record(noon.Add(1*time.Second), 0, health.Success) // late, but within the window
	require.EqualValues(t, 3, w.Snapshot(noon.Add(9*time.Second)).Requests())

	w.Record(noon.Add(12*time.Second), 0, health.Success)
	w.Record(noon, 0, health.Success) // its place was taken over
	m := w.Snapshot(noon.Add(12 * time.Second))
	require.EqualValues(t, 2, m.Requests())
	require.EqualValues(t, 1, m.Dropped())

	// A reader behind the writers does not see into its future.
	require.EqualValues(t, 1, w.Snapshot(noon.Add(5*time.Second)).Requests())
	// Nonsense times do not panic.
	w.Record(time.Time{}, 0, health.Success)
	w.Snapshot(time.Time{})
}

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

func TestWindowMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := health.NewWindow(health.WindowOptions{})
		h := w.Middleware(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Millisecond)
			switch r.URL.Path {
			case "/bad":
				rw.WriteHeader(http.StatusBadGateway)
			case "/panic":
				panic(http.ErrAbortHandler)
			}
		}))
		for _, path := range []string{"/", "/", "/bad", "/panic"} {
			func() {
				defer func() { _ = recover() }()
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
			}()
		}
		m := w.Snapshot(time.Now())
		require.EqualValues(t, 4, m.Requests())
		share, _ := m.ErrorRate()
		require.Equal(t, 0.5, share)
		longest, _ := m.Max()
		require.Equal(t, 20*time.Millisecond, longest)
	})
}

func TestWindowRecordNoAlloc(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	for _, class := range []health.Class{health.Success, health.Failure} {
		got := testing.AllocsPerRun(1_000, func() { w.Record(noon, time.Millisecond, class) })
		require.Zero(t, got, class)
	}
}

func BenchmarkWindowRecordNoAlloc(b *testing.B) {
	b.Run("serial", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		now := time.Now()
		b.ReportAllocs()
		for b.Loop() {
			w.Record(now, 12*time.Millisecond, health.Success)
		}
	})
	b.Run("serial with clock", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		b.ReportAllocs()
		for b.Loop() {
			w.Record(time.Now(), 12*time.Millisecond, health.Success)
		}
	})
	b.Run("parallel", func(b *testing.B) {
		w := health.NewWindow(health.WindowOptions{})
		now := time.Now()
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				w.Record(now, 12*time.Millisecond, health.Success)
			}
		})
	})
}

func BenchmarkWindowSnapshot(b *testing.B) {
	w := health.NewWindow(health.WindowOptions{})
	now := time.Now()
	for i := range 11 {
		w.Record(now.Add(time.Duration(i)*6*time.Second), 12*time.Millisecond, health.Success)
	}
	now = now.Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		m := w.Snapshot(now)
		m.Quantile(0.5)
		m.Quantile(0.99)
	}
}
