package health

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/histogram"
)

// WindowOptions sets up a [Window]. The zero value is right for most services.
type WindowOptions struct {
	Span  time.Duration // how far back the window looks; zero means 60 s
	Slots int           // in how many steps it moves; zero means 10
}

// Window measures a service over the last [WindowOptions.Span]: rates, latency
// quantiles, throughput. It moves in steps of Span/Slots, so a snapshot covers
// Span and up to one step more. Make one with [NewWindow].
//
// All methods are safe for concurrent use and none takes a lock. Outcomes age by
// the time of the reader, so a service that has gone silent reads "no value" and
// not its last good minute. A window takes about 13 kB for each slot in use.
//
// Times are compared on the monotonic clock, which [time.Now] carries: pass its
// value on as it is. An outcome that is reported later than the window is long is
// dropped and counted ([Metrics.Dropped]); one whose writer was held up in the
// middle of Record for that long is lost without a count.
type Window struct {
	width   time.Duration
	start   atomic.Pointer[time.Time] // of the first outcome; slots are numbered from here
	ring    []atomic.Pointer[slot]
	dropped atomic.Uint64
}

// slot holds the outcomes of one step. Its id never changes: rotation puts a new
// slot in its place, so that no writer can ever count into the wrong step.
type slot struct {
	id       int64
	latency  histogram.Live // counts failures too
	longest  atomic.Int64   // ns
	failures atomic.Uint64
}

// NewWindow returns an empty window. Its clock starts at the first outcome.
func NewWindow(o WindowOptions) *Window {
	if o.Span <= 0 {
		o.Span = time.Minute
	}
	if o.Slots <= 0 {
		o.Slots = 10
	}
	return &Window{
		width: max(o.Span/time.Duration(o.Slots), 1),
		// A snapshot reads Slots+1; one more, so that a writer just ahead of the
		// reader does not replace a slot that is still being read.
		ring: make([]atomic.Pointer[slot], o.Slots+2),
	}
}

// Record counts one outcome that ended at now. It allocates nothing, except once
// for each step of the window.
func (w *Window) Record(now time.Time, latency time.Duration, class Class) {
	if class == Excluded {
		return
	}
	s := w.slot(w.id(now))
	if s == nil {
		w.dropped.Add(1)
		return
	}
	// Longest before count before failures, and read the other way round: no
	// snapshot sees more failures than requests, or a request without its longest.
	latency = max(latency, 0)
	for l := s.longest.Load(); int64(latency) > l && !s.longest.CompareAndSwap(l, int64(latency)); {
		l = s.longest.Load()
	}
	s.latency.Add(latency)
	if class != Success {
		s.failures.Add(1)
	}
}

// Snapshot is the state of the window at now.
func (w *Window) Snapshot(now time.Time) *Metrics {
	m := &Metrics{dropped: w.dropped.Load()}
	start := w.start.Load()
	if start == nil {
		return m
	}
	last := w.id(now)
	first := last - int64(len(w.ring)) + 2
	for i := range w.ring {
		s := w.ring[i].Load()
		if s == nil || s.id < first || s.id > last {
			continue
		}
		m.failures += s.failures.Load()
		m.latency.Add(&s.latency)
		m.longest = max(m.longest, time.Duration(s.longest.Load()))
	}
	age := now.Sub(*start)
	// A window younger than one step has seen too little time to divide by.
	if m.covered = age - max(time.Duration(first)*w.width, 0); age < w.width {
		m.covered = 0
	}
	return m
}

// Middleware records every request that passes: its latency, and [ByStatus] of
// its answer. A handler that panics counts as status 500.
func (w *Window) Middleware(next http.Handler) http.Handler {
	done := func(res Response) { w.Record(time.Now(), res.Latency, ByStatus(res.Status)) }
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		Observe(rw, r, next, done)
	})
}

// id numbers the step in which now falls, rounding down also before the start.
func (w *Window) id(now time.Time) int64 {
	start := w.start.Load()
	if start == nil {
		start = w.begin(now)
	}
	age := now.Sub(*start)
	id := int64(age / w.width)
	if age%w.width < 0 {
		id--
	}
	return id
}

// begin is apart from id, and takes the time by value, to keep the one
// allocation off the path of every later outcome.
//
//go:noinline
func (w *Window) begin(now time.Time) *time.Time {
	w.start.CompareAndSwap(nil, &now)
	return w.start.Load()
}

// slot finds the slot of a step, taking the place of an expired one; nil if the
// place was taken by a newer step already.
func (w *Window) slot(id int64) *slot {
	n := int64(len(w.ring))
	place := &w.ring[(id%n+n)%n]
	for {
		s := place.Load()
		switch {
		case s != nil && s.id == id:
			return s
		case s != nil && s.id > id:
			return nil
		}
		if fresh := (&slot{id: id}); place.CompareAndSwap(s, fresh) {
			return fresh
		}
	}
}
