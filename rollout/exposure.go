package rollout

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// Middleware joins exposure and outcome. It must stand inside flaghttp.Middleware,
// which gives each request its view of the flags, and outside the handlers that
// evaluate the flag. A request counts if it evaluated the flag through its view,
// before it was answered, and the ramp decided; those that a rule, a kill or
// another ramp decided are left out, and so are those whose view overrides any flag, as
// a tester's does. It counts once, when its handler returns: as a failure if that
// panics, or if the client gave up before there was an answer; or when no answer has
// begun in time, see [Guarded.Within].
func (g *Guard) Middleware(next http.Handler) http.Handler {
	g.wrapped.Store(true)
	if _, wrong := next.(interface{ PutsView() }); wrong { // as a handler of flaghttp does
		g.around.Store(true)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		view := g.view(r.Context())
		if view == nil {
			next.ServeHTTP(w, r)
			return
		}
		a := g.answers.Get().(*answer)
		a.view, a.exposure, a.counted = view, g.flag.Watch(view), false
		health.ObserveWithin(w, r, next, g.within, a.done)
		if a.counted {
			a.view, a.exposure = nil, nil
			g.answers.Put(a)
		}
	})
}

// answer is one request in the middleware. It is used again, to save allocations, but
// not if it was late: then another goroutine may still have it.
type answer struct {
	view     *flag.View
	exposure *flag.Exposure
	done     func(health.Response)
	counted  bool // on the request's own goroutine
}

func newAnswer(g *Guard) *answer {
	a := new(answer)
	a.done = func(res health.Response) {
		if res.Err == nil { // a server's only error is that it was late
			a.counted = true
		}
		g.count(a.view, a.exposure, res)
	}
	return a
}

// view is the context's.
func (g *Guard) view(ctx context.Context) *flag.View {
	view := flag.FromContext(ctx)
	if view == nil {
		g.noView.Add(1)
	} else if !g.viewed.Load() {
		g.viewed.Store(true)
	}
	return view
}

// Do joins exposure and outcome of work that is no HTTP request: a job of a queue, a
// message, a call. It does the work, with the context, and returns its error, which
// is how it counts: nil is a success, unless Guarded.Classify says otherwise. The
// context carries the view of the flags ([flag.NewContext]) of whom the work is for.
// As in [Guard.Middleware], it counts once, and only if the flag was evaluated
// through that view; as a failure if it panics, or has not returned within
// [Guarded.Within].
func (g *Guard) Do(ctx context.Context, work func(context.Context) error) error {
	view := g.view(ctx)
	if view == nil {
		return work(ctx)
	}
	w := g.works.Get().(*Work)
	w.begin(view)
	res := health.Response{Status: http.StatusInternalServerError, Panicked: true} // if it does not return
	defer func() {
		inTime := w.timer.Stop() // otherwise its function has it, now or soon
		w.end(res)
		if inTime {
			w.view, w.exposure, w.timer = nil, nil, nil
			g.works.Put(w)
		}
	}()
	err := work(ctx)
	res = answerOf(err)
	return err
}

// Begin is the first half of [Guard.Do], for work that ends elsewhere: call Done, or
// else it counts as a failure when Guarded.Within is over, if the flag was evaluated
// by then. A context without a view gives a Work that counts as no more than that.
func (g *Guard) Begin(ctx context.Context) *Work {
	view := g.view(ctx)
	if view == nil {
		return nil
	}
	w := newWork(g)
	w.begin(view)
	return w
}

// Work is something that [Guard.Begin] has begun. A nil Work counts nothing.
type Work struct {
	guard    *Guard
	view     *flag.View
	exposure *flag.Exposure
	began    time.Time
	timer    *time.Timer
	late     func()
	over     atomic.Bool
}

func newWork(g *Guard) *Work {
	w := &Work{guard: g}
	w.late = func() { w.end(health.Response{Err: context.DeadlineExceeded}) }
	return w
}

func (w *Work) begin(view *flag.View) {
	w.view, w.exposure, w.began = view, w.guard.flag.Watch(view), time.Now()
	w.over.Store(false)
	w.timer = time.AfterFunc(w.guard.within, w.late)
}

// Begun says, from any goroutine, that an answer has begun, as the first message of a
// stream is: in time, so that the work counts when Done is called, however long it takes.
// What hangs after that is no evidence until then.
func (w *Work) Begun() {
	if w != nil {
		w.timer.Stop()
	}
}

// Done says how the work ended, from any goroutine. The first call counts, and later
// ones do nothing.
func (w *Work) Done(err error) {
	if w == nil {
		return
	}
	w.timer.Stop()
	w.end(answerOf(err))
}

func answerOf(err error) health.Response {
	if err != nil {
		return health.Response{Status: http.StatusInternalServerError, Err: err}
	}
	return health.Response{Status: http.StatusOK}
}

func (w *Work) end(res health.Response) {
	if w.over.CompareAndSwap(false, true) {
		res.Latency = time.Since(w.began)
		w.guard.count(w.view, w.exposure, res)
	}
}

// count counts what became of a request, if it says anything about the change.
func (g *Guard) count(view *flag.View, exposure *flag.Exposure, res health.Response) {
	if !exposure.Seen() {
		g.notAsked.Add(1)
		return
	}
	d := g.flag.DecideFrom(view)
	if exposure.Overridden() || d.Reason != flag.ReasonRamp || bucket.Slot(d.Unit, g.lane) != d.Slot || strategy.Share(d.Ramp) < g.asked.Floor {
		g.notByRamp.Add(1)
		return
	}
	o := health.Outcome{Unit: d.Unit, Slot: d.Slot, Ramp: int32(d.Ramp), Latency: res.Latency}
	defer func() {
		if p := recover(); p != nil {
			o.Class = health.Failure // a Classify that panics must not hide what it was given
		}
		g.cohorts.Record(o)
	}()
	o.Class = g.class(res)
}
