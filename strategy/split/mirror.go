package split

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// MirrorHeader is in each copy of a request, with the name of the backend that answers
// the request itself. Anybody can send one: where that matters, strip it at the edge.
const MirrorHeader = "Guidon-Mirror"

// Copies counts the requests that were drawn to be copied.
type Copies struct {
	Begun  uint64 // copies that were sent
	Busy   uint64 // not sent, as Options.Mirrors were under way
	Large  uint64 // not sent, as the body is longer than Options.MirrorBody
	Unread uint64 // not sent, as the body was not read to its end
}

// Copies is how many there were since the splitter was made.
func (s *Splitter) Copies() Copies {
	return Copies{s.counts.begun.Load(), s.counts.busy.Load(), s.counts.large.Load(), s.counts.unread.Load()}
}

type counts struct{ begun, busy, large, unread atomic.Uint64 }

// Close gives up the copies that are under way, by their context, and returns when they
// have ended, or with an error when the context ends first. No copy is made from then
// on. Requests are served as before: they end with their server. It can be called again.
func (s *Splitter) Close(ctx context.Context) error {
	s.end()
	if err := s.running.wait(ctx); err != nil {
		return fmt.Errorf("split: close: %d copies have not ended: %w", s.running.count(), err)
	}
	return nil
}

// defaults fills in what the options leave open.
func (s *Splitter) defaults() (problems []error) {
	o := &s.o
	if o.Mirrors < 0 || o.MirrorBody < 0 || o.MirrorTimeout < 0 {
		problems = append(problems, fmt.Errorf("split: mirrors %d, mirror body %d, mirror timeout %v: want nothing negative", o.Mirrors, o.MirrorBody, o.MirrorTimeout))
	}
	if slices.Contains(o.MirrorMethods, "") {
		problems = append(problems, errors.New(`split: mirror methods: found "", want names like GET`))
	}
	if o.Mirrors == 0 {
		o.Mirrors = 100
	}
	if o.MirrorBody == 0 {
		o.MirrorBody = 64 << 10
	}
	if o.MirrorTimeout == 0 {
		o.MirrorTimeout = 10 * time.Second
	}
	if o.MirrorMethods == nil {
		o.MirrorMethods = []string{http.MethodGet, http.MethodHead}
	}
	return problems
}

// duplicate is a copy of a request, which begins when the request's body has been read.
type duplicate struct {
	splitter *Splitter
	backend  *backend
	flight   *counter
	request  *http.Request
	outcome  Outcome
	body     []byte      // that was read so far
	decided  atomic.Bool // it has begun, or never will
}

// drawn says whether there is to be a copy of a request.
func (s *Splitter) drawn(r *http.Request, p placement) bool {
	return p.backend != p.routes.shadow && rand.Uint64() <= p.routes.copied &&
		slices.Contains(s.o.MirrorMethods, r.Method) && len(r.Header["Upgrade"]) == 0 && s.life.Err() == nil
}

// copyOf makes a copy of the request, which was counted in already. A request without a
// body is copied at once. Otherwise the copy is returned, with the request to serve
// instead, which tells it what is read.
func (s *Splitter) copyOf(r *http.Request, p placement) (*duplicate, *http.Request) {
	d := &duplicate{splitter: s, backend: p.routes.shadow, flight: p.copied, outcome: s.outcome(p)}
	if s.slots.Add(1) > int64(s.o.Mirrors) {
		d.drop(&s.counts.busy)
		return nil, nil
	}
	if r.ContentLength > s.o.MirrorBody {
		d.drop(&s.counts.large)
		return nil, nil
	}
	d.request = r.Clone(s.copyContext(r.Context()))
	d.request.Body = http.NoBody
	if d.request.Header == nil {
		d.request.Header = http.Header{}
	}
	d.request.Header.Set(MirrorHeader, p.backend.Name)
	d.outcome.Backend, d.outcome.Mirrored = d.backend.Name, true
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		d.begin()
		return nil, nil
	}
	with := r.WithContext(r.Context())
	with.Body = &overheard{r.Body, d}
	return d, with
}

// copyContext is a copy's own context. Of the values of the request's it has those that
// net/http's server puts there, and no others: they may change, or serve another
// request, while the copy is under way.
func (s *Splitter) copyContext(of context.Context) context.Context {
	ctx := s.life
	for _, key := range []any{http.ServerContextKey, http.LocalAddrContextKey} {
		if v := of.Value(key); v != nil {
			ctx = context.WithValue(ctx, key, v)
		}
	}
	return ctx
}

// gone lets others be copied.
func (d *duplicate) gone() {
	d.splitter.slots.Add(-1)
	d.backend.flights.leave(d.flight)
}

// drop is the end of a copy that never begins.
func (d *duplicate) drop(why *atomic.Uint64) {
	if d.decided.CompareAndSwap(false, true) {
		why.Add(1)
		d.gone()
	}
}

// unread is called when the request has been answered.
func (d *duplicate) unread() { d.drop(&d.splitter.counts.unread) }

// begin sends the copy, from a goroutine of its own.
func (d *duplicate) begin() {
	if !d.decided.CompareAndSwap(false, true) {
		return
	}
	s := d.splitter
	running := s.running.enter()
	if s.life.Err() != nil { // Close cancels first and looks at the count then
		s.running.leave(running)
		d.gone()
		return
	}
	s.counts.begun.Add(1)
	go func() {
		defer s.running.leave(running)
		defer d.gone()
		d.send()
	}()
}

// send serves the copy. Whatever the backend does ends here.
func (d *duplicate) send() {
	s := d.splitter
	ctx, cancel := context.WithTimeout(d.request.Context(), s.o.MirrorTimeout)
	defer cancel()
	r := d.request.WithContext(ctx)
	writer, rec := record(nowhere{ctx, http.Header{}})
	d.outcome.Start = time.Now()
	returned := false
	defer func() {
		_ = recover()
		if s.o.Outcome != nil {
			s.told(d.outcome, rec, r, returned)
		}
	}()
	d.backend.Handler.ServeHTTP(writer, r)
	returned = true
}

// nowhere is where answers to copies go.
type nowhere struct {
	ctx    context.Context
	header http.Header
}

func (n nowhere) Header() http.Header { return n.header }
func (n nowhere) WriteHeader(int)     {}
func (n nowhere) Flush()              {}

// Write fails when the copy's time is over, or a stream would never end.
func (n nowhere) Write(p []byte) (int, error) {
	if err := n.ctx.Err(); err != nil {
		return 0, err
	}
	return len(p), nil
}
