package health_test

import (
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
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
	require.EqualValues(t, 1, m.Clamped())

	for _, in := range []time.Duration{0, 1, time.Second, 1<<36 - 1} {
		w.Record(noon, in, health.Success)
	}
	require.EqualValues(t, 1, w.Snapshot(noon).Clamped(), "in range")

	w.Record(noon, 1<<36, health.Success)
	w.Record(noon, math.MaxInt64, health.Failure)
	w.Record(noon, math.MinInt64, health.Failure)
	w.Record(noon, math.MinInt64, health.Excluded)
	m = w.Snapshot(noon)
	require.EqualValues(t, 4, m.Clamped())
	require.EqualValues(t, 8, m.Requests(), "what is clamped counts")
	longest, _ := m.Max()
	require.Equal(t, time.Duration(math.MaxInt64), longest)
	require.Zero(t, w.Snapshot(noon.Add(2*time.Minute)).Clamped(), "expires")
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

func TestWindowClassify(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{Classify: func(res health.Response) health.Class {
		switch res.Status {
		case http.StatusTooManyRequests:
			return health.Failure
		case http.StatusNoContent:
			return health.Excluded
		}
		return res.Class()
	}})
	h := w.Middleware(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Path[1:])
		rw.WriteHeader(status)
	}))
	for _, path := range []string{"/200", "/404", "/204", "/429", "/500"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	m := w.Snapshot(time.Now())
	require.EqualValues(t, 4, m.Requests())
	share, _ := m.ErrorRate()
	require.Equal(t, 0.5, share)
}

func TestWindowRecordNoAlloc(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	for _, class := range []health.Class{health.Success, health.Failure} {
		got := testing.AllocsPerRun(1_000, func() { w.Record(noon, time.Millisecond, class) })
		require.Zero(t, got, class)
	}
}

func TestWindowSnapshotToNoAlloc(t *testing.T) {
	w, now := fullWindow()
	var m health.Metrics
	var sum health.Metrics
	got := testing.AllocsPerRun(100, func() {
		w.SnapshotTo(now, &m)
		sum.Merge(&m)
		m.Quantile(0.99)
	})
	require.Zero(t, got)
}

// Whatever the metrics held before is gone.
func TestWindowSnapshotTo(t *testing.T) {
	w, now := fullWindow()
	w.Record(now, -1, health.Failure)
	w.Record(now.Add(-time.Hour), 0, health.Failure)
	var m health.Metrics
	for _, at := range []time.Time{now, now, now.Add(time.Hour)} {
		w.SnapshotTo(at, &m)
		require.Equal(t, w.Snapshot(at), &m)
	}
	health.NewWindow(health.WindowOptions{}).SnapshotTo(now, &m)
	require.Equal(t, health.Metrics{}, m)
}

// Two windows that saw one half each are as good as one that saw all.
func TestMetricsMerge(t *testing.T) {
	all := health.NewWindow(health.WindowOptions{})
	halves := [2]*health.Window{health.NewWindow(health.WindowOptions{}), health.NewWindow(health.WindowOptions{})}
	rng := rand.New(rand.NewPCG(3, 3))
	now := noon
	for i := range 20_000 {
		latency := time.Duration(20e6 * math.Exp(2*rng.NormFloat64()))
		if i%1000 == 999 {
			latency = -1
		}
		class := health.Class(rng.IntN(3))
		all.Record(now, latency, class)
		halves[i%2].Record(now, latency, class)
		if i%2 == 1 {
			now = now.Add(3 * time.Millisecond)
		}
	}
	late := noon.Add(-time.Hour)
	all.Record(late, 0, health.Success)
	halves[1].Record(late, 0, health.Success)

	var got health.Metrics
	for _, w := range halves {
		got.Merge(w.Snapshot(now))
	}
	want := all.Snapshot(now)
	require.NotZero(t, want.Clamped())
	for _, m := range []func(*health.Metrics) any{
		func(m *health.Metrics) any { return m.Requests() },
		func(m *health.Metrics) any { return m.Clamped() },
		func(m *health.Metrics) any { return m.Dropped() },
		func(m *health.Metrics) any { return m.String() },
		func(m *health.Metrics) any { rate, _ := m.ErrorRate(); return rate },
		func(m *health.Metrics) any { longest, _ := m.Max(); return longest },
		func(m *health.Metrics) any { p, _ := m.Quantile(0.999); return p },
	} {
		require.Equal(t, m(want), m(&got))
	}
	perSecond, ok := got.Throughput()
	require.True(t, ok)
	expected, _ := want.Throughput()
	require.InEpsilon(t, expected, perSecond, 1e-9)
}

// Throughputs of windows of different age add up; who has none adds none.
func TestMetricsMergeThroughput(t *testing.T) {
	old, young, silent := health.NewWindow(health.WindowOptions{}), health.NewWindow(health.WindowOptions{}), health.NewWindow(health.WindowOptions{})
	for i := range 40 {
		old.Record(noon.Add(time.Duration(i)*time.Second), 0, health.Success)
		if i >= 20 {
			young.Record(noon.Add(time.Duration(i)*time.Second), 0, health.Success)
		}
	}
	now := noon.Add(40 * time.Second)
	var m health.Metrics
	m.Merge(silent.Snapshot(now))
	_, ok := m.Throughput()
	require.False(t, ok)
	m.Merge(old.Snapshot(now))
	m.Merge(young.Snapshot(now))
	m.Merge(silent.Snapshot(now))
	got, ok := m.Throughput()
	require.True(t, ok)
	require.InDelta(t, 2, got, 1e-9)
}

// TestWindowSize: 80 kB for a window of the default size, all of its steps in use.
func TestWindowSize(t *testing.T) {
	const windows = 64
	kept := make([]*health.Window, windows)
	before := heap()
	for i := range kept {
		kept[i], _ = fullWindow()
	}
	each := (heap() - before) / windows
	runtime.KeepAlive(kept)
	if each > 80_000 || each < 60_000 {
		t.Errorf("got %d bytes a window, want at most 80,000, and not so few that this measures nothing", each)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // what the first one left to be swept
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// fullWindow has an outcome in each step that it can hold, up to now.
func fullWindow() (w *health.Window, now time.Time) {
	w = health.NewWindow(health.WindowOptions{})
	for i := range 12 {
		now = noon.Add(time.Duration(i) * 6 * time.Second)
		w.Record(now, 12*time.Millisecond, health.Success)
	}
	return w, now
}

func BenchmarkWindowSnapshotToNoAlloc(b *testing.B) {
	w, now := fullWindow()
	var m health.Metrics
	b.ReportAllocs()
	for b.Loop() {
		w.SnapshotTo(now, &m)
		m.Quantile(0.5)
		m.Quantile(0.99)
	}
}
