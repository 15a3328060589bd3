package health

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Response is what became of one HTTP request, as its server or its client saw it.
type Response struct {
	Status   int           // of the final answer; 200 if the handler named none, 500 if it panicked, 101 if it took the connection over, 0 if the client gave up before there was any, or there was none in time
	Latency  time.Duration // in the server, from the call of the handler to its return, or to where it took the connection over; in the client, see [Window.Transport]
	Panicked bool          // the handler did not return
	Err      error         // in the client: why there is no answer, or only a part of one; in a server only of ObserveWithin
}

// Class is how an answer counts where nobody says otherwise: [ByStatus], and a
// [Failure] when it is not whole.
func (r Response) Class() Class {
	if r.Err != nil {
		return Failure
	}
	return ByStatus(r.Status)
}

// Observe serves the request by next and then calls done, exactly once, on the
// same goroutine. When next panics, done is told so and the panic goes on as it
// was, [http.ErrAbortHandler] included.
//
// What next is given behaves as w does: [http.ResponseController] works through
// it, and it is an [http.Flusher], [http.Hijacker] and [io.ReaderFrom] where an
// HTTP/1 server's writer is. It is one allocation.
func Observe(w http.ResponseWriter, r *http.Request, next http.Handler, done func(Response)) {
	observe(w, r, next, func(_ time.Time, res Response) { done(res) })
}

// ObserveWithin is [Observe] for those who count what never answers: when no answer
// has begun within that time, done is called then, from a goroutine of its own, with
// a [Response] of status 0 whose Err is [context.DeadlineExceeded], and not again. The
// request goes on undisturbed. It is one allocation more.
func ObserveWithin(w http.ResponseWriter, r *http.Request, next http.Handler, within time.Duration, done func(Response)) {
	writer, rec := record(w)
	call := waits.Get().(*wait)
	call.rec, call.within, call.done = rec, within, done
	call.over.Store(false)
	timer := time.AfterFunc(within, call.late)
	defer func() {
		if timer.Stop() { // otherwise its function has it, now or soon
			call.rec, call.done = nil, nil
			waits.Put(call)
		}
	}()
	observed(writer, rec, r, next, call.answered)
}

// wait is a call of ObserveWithin. It is used again, to save allocations; its timer is
// not, as that may belong to a bubble of testing/synctest.
type wait struct {
	rec      *recorder
	within   time.Duration
	done     func(Response)
	over     atomic.Bool
	late     func()
	answered func(time.Time, Response)
}

var waits = sync.Pool{New: func() any {
	w := new(wait)
	w.late = func() {
		if w.rec.status.Load() == 0 && w.over.CompareAndSwap(false, true) {
			w.done(Response{Latency: w.within, Err: context.DeadlineExceeded})
		}
	}
	w.answered = func(_ time.Time, res Response) {
		if w.over.CompareAndSwap(false, true) {
			w.done(res)
		}
	}
	return w
}}

// observe is Observe that also tells the time, so that nobody has to ask again.
func observe(w http.ResponseWriter, r *http.Request, next http.Handler, done func(time.Time, Response)) {
	writer, rec := record(w)
	observed(writer, rec, r, next, done)
}

func observed(writer http.ResponseWriter, rec *recorder, r *http.Request, next http.Handler, done func(time.Time, Response)) {
	start := time.Now()
	returned := false
	// Without recover, so that the panic keeps its stack.
	defer func() {
		now := time.Now()
		res := Response{Status: int(rec.status.Load()), Latency: now.Sub(start), Panicked: !returned}
		if !rec.taken.IsZero() {
			res.Latency = rec.taken.Sub(start)
		}
		switch {
		case res.Panicked:
			res.Status = http.StatusInternalServerError
		case res.Status == 0 && r.Context().Err() == nil:
			res.Status = http.StatusOK
		}
		done(now, res)
	}()
	next.ServeHTTP(writer, r)
	returned = true
}

// record wraps w in the recorder that has the optional interfaces w has. These
// three sets are those of net/http's HTTP/1 server, of its HTTP/2 server, and of
// a plain writer; other mixes get the largest set that fits.
func record(w http.ResponseWriter) (http.ResponseWriter, *recorder) {
	flusher, _ := w.(http.Flusher)
	hijacker, _ := w.(http.Hijacker)
	from, _ := w.(io.ReaderFrom)
	switch {
	case flusher != nil && hijacker != nil && from != nil:
		rec := &connRecorder{flushRecorder{recorder{ResponseWriter: w}}}
		return rec, &rec.recorder
	case flusher != nil:
		rec := &flushRecorder{recorder{ResponseWriter: w}}
		return rec, &rec.recorder
	default:
		rec := &recorder{ResponseWriter: w}
		return rec, rec
	}
}

// recorder remembers the first final status.
type recorder struct {
	http.ResponseWriter
	status atomic.Int32 // zero: none yet; ObserveWithin reads it from outside
	taken  time.Time    // when the connection was taken over
}

func (r *recorder) answer(status int) {
	if r.status.Load() == 0 {
		r.status.Store(int32(status))
	}
}

func (r *recorder) WriteHeader(status int) {
	// Other 1xx are hints that come before the answer; 101 is the answer.
	if status >= 200 || status == http.StatusSwitchingProtocols {
		r.answer(status)
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.answer(http.StatusOK)
	return r.ResponseWriter.Write(p)
}

func (r *recorder) WriteString(s string) (int, error) {
	r.answer(http.StatusOK)
	return io.WriteString(r.ResponseWriter, s)
}

// Unwrap is how http.ResponseController reaches the writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// FlushError is what http.ResponseController looks for first; a flush sends the
// header, so the status is decided by it.
func (r *recorder) FlushError() error {
	err := http.NewResponseController(r.ResponseWriter).Flush()
	if err == nil {
		r.answer(http.StatusOK)
	}
	return err
}

type flushRecorder struct{ recorder }

func (r *flushRecorder) Flush() { _ = r.FlushError() } // http.Flusher has nowhere to report to

type connRecorder struct{ flushRecorder }

func (r *connRecorder) ReadFrom(src io.Reader) (int64, error) {
	r.answer(http.StatusOK)
	return r.ResponseWriter.(io.ReaderFrom).ReadFrom(src)
}

func (r *connRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := r.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		r.answer(http.StatusSwitchingProtocols)
		r.taken = time.Now()
	}
	return conn, rw, err
}
