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
	// Classify says how an HTTP answer counts that [Window.Middleware] or
	// [Window.Transport] saw; nil means [Response.Class]. It is called on the
	// request's goroutine, many at once.
	Classify func(Response) Class
}

// Window measures a service over the last [WindowOptions.Span]: rates, latency
// quantiles, throughput. It moves in steps of Span/Slots, so a snapshot covers
// Span and up to one step more. Make one with [NewWindow].
//
// All methods are safe for concurrent use and none takes a lock. Outcomes age by
// the time of the reader, so a service that has gone silent reads "no value" and
// not its last good minute. A window takes 6.5 kB for each step that it holds,
// which are Slots+2: 79 kB with the zero options.
//
// Times are compared on the monotonic clock, which [time.Now] carries: pass its
// value on as it is. An outcome that is reported later than the window is long is
// dropped and counted ([Metrics.Dropped]); one whose writer was held up in the
// middle of Record for that long is lost without a count.
type Window struct {
	classify func(Response) Class
	width    time.Duration
	ring     []atomic.Pointer[slot]
	start    atomic.Pointer[time.Time] // of the first outcome; slots are numbered from here
	newest   atomic.Pointer[slot]      // of the highest id, where nearly every outcome belongs
	_        [64]byte                  // what changes stands apart from what every writer reads
	dropped  atomic.Uint64
}

// slot holds the outcomes of one step. Its id never changes: rotation puts a new
// slot in its place, so that no writer can ever count into the wrong step.
type slot struct {
	id      int64
	start   time.Time
	full    *slot        // an earlier slot of the same step, with a bucket that was about to overflow
	longest atomic.Int64 // ns; written seldom, so it may stand beside what every writer reads
	_       [16]byte     // and the buckets may not

	latency  histogram.Short // counts failures too
	failures atomic.Uint64
	clamped  atomic.Uint64
}

// NewWindow returns an empty window. Its clock starts at the first outcome.
func NewWindow(o WindowOptions) *Window {
	if o.Span <= 0 {
		o.Span = time.Minute
	}
	if o.Slots <= 0 {
		o.Slots = 10
	}
	if o.Classify == nil {
		o.Classify = Response.Class
	}
	return &Window{
		classify: o.Classify,
		width:    max(o.Span/time.Duration(o.Slots), 1),
		// A snapshot reads Slots+1; one more, so that a writer just ahead of the
		// reader does not replace a slot that is still being read.
		ring: make([]atomic.Pointer[slot], o.Slots+2),
	}
}

// Record counts one outcome that ended at now. A latency below zero counts as
// zero, and both it and one beyond 68 s are counted apart ([Metrics.Clamped]).
// Record allocates nothing, except once for each step of the window.
func (w *Window) Record(now time.Time, latency time.Duration, class Class) {
	if class == Excluded {
		return
	}
	s := w.newest.Load()
	if s == nil || uint64(now.Sub(s.start)) >= uint64(w.width) {
		if s = w.slot(now); s == nil {
			w.dropped.Add(1)
			return
		}
	}
	// Longest before count before failures, and read the other way round: no
	// snapshot sees more failures than requests, or a request without its longest.
	if int64(latency) > s.longest.Load() {
		s.stretch(latency)
	}
	if s.latency.Add(latency) {
		w.goOn(s)
	}
	if class != Success {
		s.failures.Add(1)
	}
	if uint64(latency) >= uint64(histogram.Max) { // below zero, too
		s.clamped.Add(1)
	}
}

// Snapshot is the state of the window at now.
func (w *Window) Snapshot(now time.Time) *Metrics {
	m := new(Metrics)
	w.SnapshotTo(now, m)
	return m
}

// SnapshotTo is [Window.Snapshot] into metrics that the caller has already, in
// place of what they held. It allocates nothing. Nobody else may use them meanwhile.
func (w *Window) SnapshotTo(now time.Time, m *Metrics) {
	*m = Metrics{}
	m.dropped = w.dropped.Load()
	start := w.start.Load()
	if start == nil {
		return
	}
	last := w.id(now)
	first := last - int64(len(w.ring)) + 2
	for i := range w.ring {
		s := w.ring[i].Load()
		if s == nil || s.id < first || s.id > last {
			continue
		}
		for ; s != nil; s = s.full {
			m.clamped += s.clamped.Load()
			m.failures += s.failures.Load()
			m.latency.AddShort(&s.latency)
			m.longest = max(m.longest, time.Duration(s.longest.Load()))
		}
	}
	// A window younger than one step has seen too little time to divide by.
	if age := now.Sub(*start); age >= w.width {
		covered := age - max(time.Duration(first)*w.width, 0)
		m.throughput, m.timed = float64(m.Requests())/covered.Seconds(), true
	}
}

// Middleware records every request that passes: its latency, and how
// [WindowOptions.Classify] counts its answer. See [Observe] for what it does with
// panics, streams and connections that are taken over. A stream counts when it
// ends, with as long as it lasted: leave out those that never end. It adds one
// allocation to a request.
func (w *Window) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		observe(rw, r, next, w.answered)
	})
}

// answered records an answer that came to its end at now.
func (w *Window) answered(now time.Time, res Response) {
	w.Record(now, res.Latency, w.classify(res))
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

// slot finds the slot of the step in which now falls, taking the place of an
// expired one; nil if the place was taken by a newer step already.
func (w *Window) slot(now time.Time) *slot {
	id := w.id(now)
	place := w.place(id)
	for {
		s := place.Load()
		switch {
		case s != nil && s.id == id:
			return s
		case s != nil && s.id > id:
			return nil
		}
		fresh := &slot{id: id, start: w.start.Load().Add(time.Duration(id) * w.width)}
		if place.CompareAndSwap(s, fresh) {
			w.advance(fresh)
			return fresh
		}
	}
}

// place is where the slot of a step stands, if it stands anywhere.
func (w *Window) place(id int64) *atomic.Pointer[slot] {
	n := int64(len(w.ring))
	return &w.ring[(id%n+n)%n]
}

// advance makes s the newest, unless its step has one already, or a later step.
func (w *Window) advance(s *slot) {
	for old := w.newest.Load(); old == nil || old.id < s.id; old = w.newest.Load() {
		if w.newest.CompareAndSwap(old, s) {
			return
		}
	}
}

// goOn leads writers from a slot with a full bucket to another one of its step.
func (w *Window) goOn(s *slot) {
	place := w.place(s.id)
	if place.Load() == s {
		place.CompareAndSwap(s, &slot{id: s.id, start: s.start, full: s})
	}
	w.newest.CompareAndSwap(s, place.Load())
}

// stretch makes longest at least d.
func (s *slot) stretch(d time.Duration) {
	for l := s.longest.Load(); int64(d) > l && !s.longest.CompareAndSwap(l, int64(d)); {
		l = s.longest.Load()
	}
}
