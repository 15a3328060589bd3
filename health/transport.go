package health

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// Transport records every request that is sent through it by next, and otherwise
// does what next does; nil means [http.DefaultTransport]. Redirects and retries
// that a client makes count one by one.
//
// A request ends when its answer has been read to the end, breaks off, or is closed
// by its reader, whatever comes first. So the latency is that of the whole answer,
// its reader's own pauses included. An answer without a body has ended when its
// header is there; so has one that switches protocols (101), whose body is passed
// on as it is. An answer that is neither read to the end nor closed never ends and
// is never recorded; it leaks a connection, too.
//
// How it counts is up to [WindowOptions.Classify]. Without one, a request without
// an answer and an answer that breaks off are failures ([Response.Err] says why),
// and so is a request that the caller gave up, by a deadline or by cancelling its
// context, because callers give up what is slow; [Response.Err] wraps the context's
// error then. Closing an answer before its end is nobody's failure.
//
// It adds one allocation to a request, and none if there is no body.
func (w *Window) Transport(next http.RoundTripper) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{w, next}
}

type transport struct {
	window *Window
	next   http.RoundTripper
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	res, err := t.next.RoundTrip(r)
	switch {
	case err != nil:
		t.window.ended(r, start, 0, err)
	case res.StatusCode == http.StatusSwitchingProtocols || res.Body == nil || res.Body == http.NoBody:
		t.window.ended(r, start, res.StatusCode, nil)
	default:
		res.Body = &body{ReadCloser: res.Body, window: t.window, request: r, start: start, status: res.StatusCode}
	}
	return res, err
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] looks for.
func (t *transport) CloseIdleConnections() {
	if next, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		next.CloseIdleConnections()
	}
}

// ended records a request that came to its end now.
func (w *Window) ended(r *http.Request, start time.Time, status int, err error) {
	now := time.Now()
	// What a transport returns then may be anything.
	if gaveUp := r.Context().Err(); err != nil && gaveUp != nil && !errors.Is(err, gaveUp) {
		err = fmt.Errorf("%w: %w", gaveUp, err)
	}
	w.answered(now, Response{Status: status, Latency: now.Sub(start), Err: err})
}

// body tells the window how the reading of an answer ended, the first time it did.
type body struct {
	io.ReadCloser
	window  *Window
	request *http.Request
	start   time.Time
	status  int
	ended   atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.end(nil)
	} else if err != nil {
		b.end(err)
	}
	return n, err
}

// Close ends before it closes: a Read that is interrupted by it is no failure.
func (b *body) Close() error {
	b.end(nil)
	return b.ReadCloser.Close()
}

func (b *body) end(err error) {
	if !b.ended.Swap(true) {
		b.window.ended(b.request, b.start, b.status, err)
	}
}
