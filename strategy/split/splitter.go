package split

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// Backend is one version that requests can go to.
type Backend struct {
	Name    string       // the version, as plans call it
	Handler http.Handler // serves it: a handler of this process, or an [Upstream]
}

// Options sets up a [Splitter]. The zero value places each request at random. Its
// functions are called for each request, at the same time for several, and have to be
// quick.
type Options struct {
	// Unit says who a request is for. The same unit stays where it is as long as its
	// slot does, in every process. Nil, or "" for a request, places it at random.
	Unit func(*http.Request) string
	// Salt decides, with the unit and the new version, which slot of the traffic it has. The
	// new version is the one of [Splitter.Prepare], or the first of [Splitter.SetWeights].
	// The slot is what a ramp of package flag gives the unit whose salt is this one, a slash
	// and the version's name: "shop/2.0". So each version begins with other users, which
	// judges of package health rely on; one that comes back under the same name begins with
	// the same ones. Empty is a salt like any other.
	Salt string
	// Pin names the backend that a request goes to, whatever the weights: for testers.
	// "", or a name that is not there, leaves it to the weights; so does a nil Pin. It may
	// be called more than once for a request. See [PinHeader] and [PinCookie].
	Pin func(*http.Request) string
	// Outcome is told of each request when it has been answered, on the goroutine that
	// served it. What it panics with is thrown away. Nil records nothing, and reads no
	// clock. With it the backend's writer has no CloseNotify, which is deprecated.
	Outcome func(Outcome)
	// Mirrors is how many copies may be under way at most; zero means 100. Beyond it
	// requests are not copied: see [Splitter.Copies].
	Mirrors int
	// MirrorBody is how long a request's body may be if it is to be copied, in bytes; zero
	// means 64 KiB. It and Mirrors bound the memory that copies take.
	MirrorBody int64
	// MirrorTimeout is how long a copy may take; zero means ten seconds.
	MirrorTimeout time.Duration
	// MirrorMethods are the methods of requests that may be copied. Nil means GET and
	// HEAD, as others have effects that would come twice.
	MirrorMethods []string
}

// Splitter sends each request to one of several versions. It is an [http.Handler], and
// as a [strategy.Target] it is a [strategy.Preparer], a [strategy.Shifter] and a
// [strategy.Mirrorer]. All methods are safe for concurrent use. Make it with [New]. It
// starts goroutines for copies only: see [Splitter.Close].
type Splitter struct {
	o      Options
	routes atomic.Pointer[routes]
	none   *backend // answers for those that nobody serves

	life    context.Context // of copies
	end     context.CancelFunc
	slots   atomic.Int64 // copies that are under way, or wait for the end of a body
	running flights      // copies that are under way
	counts  counts

	mu       sync.Mutex // held to change what routes are made of
	backends []*backend
	weights  []Weight       // in the order of their slots; the first is of the new version
	old, new string         // of Prepare
	mirror   strategy.Share // that new gets copies of
}

// backend is one, with what is in flight to it.
type backend struct {
	Backend
	flights flights
	leaving int // so many Removes wait for its last requests; guarded by Splitter.mu
}

// New returns a splitter that sends everything to the first backend. Without any, it
// answers 503 until [Splitter.SetWeights] says who serves.
func New(o Options, backends ...Backend) (*Splitter, error) {
	s := &Splitter{o: o, none: &backend{Backend: Backend{Handler: http.HandlerFunc(unavailable)}}}
	problems := s.defaults()
	for i, b := range backends {
		if err := s.add(b); err != nil {
			problems = append(problems, fmt.Errorf("split: backends[%d]: %w", i, err))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(backends) > 0 {
		s.weights = []Weight{{backends[0].Name, strategy.All}}
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.publish()
	return s, nil
}

// placement is where a request goes, and why.
type placement struct {
	routes  *routes
	backend *backend
	flight  *counter
	unit    uint64 // its hash, or a random one
	named   bool   // there is a unit
	pinned  bool
	copied  *counter // where the shadow counts the copy in; nil if there will be none
}

// ServeHTTP sends the request to the backend that it is pinned to, or else to the one
// whose slots have its unit. It allocates nothing and takes no lock, and what the
// backend gets is what it would get without the splitter, panics included. If nobody
// serves, the answer is 503 with a Retry-After of a second.
func (s *Splitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := s.place(r)
	defer p.backend.flights.leave(p.flight)
	if p.copied != nil {
		if c, with := s.copyOf(r, p); c != nil {
			defer c.unread()
			r = with
		}
	}
	if s.o.Outcome == nil {
		p.backend.Handler.ServeHTTP(w, r)
		return
	}
	s.recorded(w, r, p)
}

// place decides where a request goes, and counts it in there. Only then does it look
// whether that still stands. Whoever takes a backend out of service changes the routes
// first and looks at the count then, so one of the two sees the other, and nobody is
// sent to a backend that is gone.
func (s *Splitter) place(r *http.Request) (p placement) {
	if s.o.Unit != nil {
		if unit := s.o.Unit(r); unit != "" {
			p.unit, p.named = bucket.Unit(unit), true
		}
	}
	if !p.named {
		p.unit = rand.Uint64()
	}
	for {
		p.routes = s.routes.Load()
		p.backend = nil
		if s.o.Pin != nil {
			p.backend = p.routes.pinned(s.o.Pin(r))
		}
		p.pinned = p.backend != nil
		if !p.pinned {
			p.backend = p.routes.weighted(bucket.Hash(p.unit, p.routes.lane))
		}
		if p.backend == nil {
			p.backend = s.none
		}
		p.flight = p.backend.flights.enter()
		p.copied = nil
		if p.routes.shadow != nil && s.drawn(r, p) {
			p.copied = p.routes.shadow.flights.enter()
		}
		if s.routes.Load() == p.routes {
			return p
		}
		p.backend.flights.leave(p.flight)
		if p.copied != nil {
			p.routes.shadow.flights.leave(p.copied)
		}
	}
}

// unavailable answers for a version that is not running.
func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "1")
	http.Error(w, "no version is serving", http.StatusServiceUnavailable)
}
