package split

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"time"
)

// record wraps w in the recorder that has the optional interfaces w has: those that one
// cannot do without, as ReadFrom and WriteString work on any writer. A writer that can
// hijack or push and cannot flush gets a Flush that does nothing.
func record(w http.ResponseWriter) (http.ResponseWriter, *recorder) {
	_, flusher := w.(http.Flusher)
	_, hijacker := w.(http.Hijacker)
	_, pusher := w.(http.Pusher)
	switch {
	case hijacker && pusher: // a middleware's, for any protocol
		rec := &fullRecorder{connRecorder{flushRecorder{recorder{ResponseWriter: w}}}}
		return rec, &rec.recorder
	case hijacker: // HTTP/1
		rec := &connRecorder{flushRecorder{recorder{ResponseWriter: w}}}
		return rec, &rec.recorder
	case pusher: // HTTP/2
		rec := &pushRecorder{flushRecorder{recorder{ResponseWriter: w}}}
		return rec, &rec.recorder
	case flusher:
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
	status int       // zero: none yet
	taken  time.Time // when the connection was taken over
	err    error     // why an Upstream has no answer
	cut    bool      // an Upstream's answer broke off
}

func (r *recorder) answer(status int) {
	if r.status == 0 {
		r.status = status
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

func (r *recorder) ReadFrom(src io.Reader) (int64, error) {
	r.answer(http.StatusOK)
	return io.Copy(r.ResponseWriter, src)
}

// Unwrap is how http.ResponseController reaches the writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// FlushError is what http.ResponseController looks for first; a flush sends the header,
// so the status is decided by it.
func (r *recorder) FlushError() error {
	err := http.NewResponseController(r.ResponseWriter).Flush()
	if err == nil {
		r.answer(http.StatusOK)
	}
	return err
}

// recorderOf is the recorder that a backend's writer wraps, or nil.
func recorderOf(w http.ResponseWriter) *recorder {
	for w != nil {
		if r, ok := w.(interface{ self() *recorder }); ok {
			return r.self()
		}
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = outer.Unwrap()
	}
	return nil
}

func (r *recorder) self() *recorder { return r }

type flushRecorder struct{ recorder }

func (r *flushRecorder) Flush() { _ = r.FlushError() } // http.Flusher has nowhere to report to

type connRecorder struct{ flushRecorder }

func (r *connRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := r.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		r.answer(http.StatusSwitchingProtocols)
		r.taken = time.Now()
	}
	return conn, rw, err
}

type pushRecorder struct{ flushRecorder }

func (r *pushRecorder) Push(target string, o *http.PushOptions) error {
	return r.ResponseWriter.(http.Pusher).Push(target, o)
}

type fullRecorder struct{ connRecorder }

func (r *fullRecorder) Push(target string, o *http.PushOptions) error {
	return r.ResponseWriter.(http.Pusher).Push(target, o)
}
