package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
)

// pool is the children of a version that are ready, as one round tripper: it sends a
// request to the least busy of them.
type pool struct {
	version  string
	children atomic.Pointer[[]*child] // never nil
	turn     atomic.Uint32            // among those that are equally busy
}

// RoundTrip sends the request to another child if the first cannot have seen it, and to
// one more if it may be sent twice. What a child has not seen as it had closed the
// connection goes to the same one over another. A request that takes every child down
// with it would be worse than one that fails.
func (p *pool) RoundTrip(r *http.Request) (*http.Response, error) {
	var way way
	body := &body{Reader: r.Body}
	if r.Body != nil {
		defer r.Body.Close()
	}
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: way.got}))
	var tried []*child
	for again := true; ; again = again && !way.sent() {
		c := p.take(tried)
		if c == nil && len(tried) == 0 {
			// As if nobody listened, which is what a splitter answers 503 to.
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("no child of %s is ready", p.version)}
		}
		way.old = false
		response, err := c.ask(r, body)
		if err == nil {
			return response, nil
		}
		c.notice()
		stale := way.old && !way.sent() // the child had closed the connection, and has others
		if !stale {
			tried = append(tried, c)
		}
		if body.read.Load() || r.Context().Err() != nil || way.sent() && (!again || !safe(r)) || !stale && !p.other(tried) {
			return nil, fmt.Errorf("child %d of %s: %w", c.PID, p.version, err)
		}
	}
}

// way is how a request goes to a child: over one connection, or another one if the
// transport finds the first closed.
type way struct {
	over   *wire
	before int64 // written before the request
	left   bool  // something was sent over an earlier connection
	old    bool  // the connection has had another request
}

func (w *way) got(info httptrace.GotConnInfo) {
	w.left = w.sent()
	w.over = info.Conn.(*wire)
	w.before, w.old, w.over.idle = w.over.written.Load(), info.Reused, info.Reused
}

// sent says whether a child can have seen any of the request.
func (w *way) sent() bool { return w.left || w.over != nil && w.over.written.Load() > w.before }

// wire is a connection that knows how much was written.
type wire struct {
	*net.TCPConn
	written atomic.Int64
	idle    bool // until the next request is written
}

// Write does not write a request that nobody would read: the transport may not know yet
// that the child has closed an idle connection.
func (w *wire) Write(p []byte) (int, error) {
	if w.idle && hungUp(w) {
		return 0, net.ErrClosed
	}
	w.idle = false
	n, err := w.TCPConn.Write(p)
	w.written.Add(int64(n))
	return n, err
}

// ReadFrom writes no other way.
func (w *wire) ReadFrom(r io.Reader) (int64, error) { return io.Copy(struct{ io.Writer }{w}, r) }

// dial connects to a child.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &wire{TCPConn: conn.(*net.TCPConn)}, nil
}

// ask sends the request to a child, which is busy until its answer has been read.
func (c *child) ask(r *http.Request, body *body) (*http.Response, error) {
	out, to := r.WithContext(r.Context()), *r.URL
	to.Scheme, to.Host = "http", c.Addr
	out.URL = &to
	if r.Body != nil && r.Body != http.NoBody {
		out.Body = body
	}
	response, err := c.transport.RoundTrip(out)
	if err != nil {
		c.free()
		return nil, err
	}
	a := &answer{ReadCloser: response.Body, child: c}
	response.Body = a
	if w, ok := a.ReadCloser.(io.Writer); ok {
		response.Body = struct {
			*answer
			io.Writer
		}{a, w}
	}
	return response, nil
}

// take chooses the least busy child that was not tried, and makes it busy.
func (p *pool) take(tried []*child) *child {
	children := *p.children.Load()
	first := int(p.turn.Add(1))
	for {
		var best *child
		for i := range children {
			c := children[(first+i)%len(children)]
			if !c.away.Load() && !slices.Contains(tried, c) && (best == nil || c.busy.Load() < best.busy.Load()) {
				best = c
			}
		}
		if best == nil {
			return nil
		}
		best.busy.Add(1)
		if !best.away.Load() { // otherwise whoever sends it away may not have seen us
			return best
		}
		best.free()
	}
}

// other says whether there is a child that was not tried.
func (p *pool) other(tried []*child) bool {
	return slices.ContainsFunc(*p.children.Load(), func(c *child) bool { return !c.away.Load() && !slices.Contains(tried, c) })
}

// notice gives no more requests to a child that is dead.
func (c *child) notice() {
	if l, err := c.life(); err == nil && l != alive {
		c.away.Store(true)
	}
}

// safe says whether a request may be sent twice.
func safe(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return r.Body == nil || r.Body == http.NoBody
	}
	return false
}

// body is a request's, and is left open for the next child as long as it was not read: a
// transport sends the header before.
type body struct {
	io.Reader
	read atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.Reader.Read(p)
}

func (b *body) Close() error { return nil }

// answer is a response's body. Its child is free when it is closed.
type answer struct {
	io.ReadCloser
	child *child
	over  atomic.Bool
}

func (a *answer) Close() error {
	err := a.ReadCloser.Close()
	if a.over.CompareAndSwap(false, true) {
		a.child.free()
	}
	return err
}
