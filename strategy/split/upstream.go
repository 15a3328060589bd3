package split

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// Upstream returns a handler that serves requests by passing them on to a URL. What
// comes back is flushed as it comes, connections that change their protocol are
// passed through, and HTTP/2 is spoken where the transport can. A nil transport is one
// of its own, made like [http.DefaultTransport], which asks no proxy and keeps more
// idle connections; [Splitter.Remove] lets go of them.
//
// The upstream sees what a handler of this process would: the client's Host, query and
// headers, X-Forwarded-For with the client's address at its end, and the other
// X-Forwarded headers as the client sent them, or else as they ought to be. Who trusts
// them strips them at the edge.
//
// If there is no connection, the answer is 503 with a Retry-After of a second: the
// version is not running. If the answer takes longer than the request's context allows
// it is 504, if the request's body breaks off 400, and otherwise, if there is none, 502.
// An answer that breaks off panics with [http.ErrAbortHandler], by which the server tells
// its client. Nothing is logged; see [Outcome], where a client that leaves is no failure.
func Upstream(to *url.URL, transport http.RoundTripper) http.Handler {
	target := *to
	u := &upstream{}
	if transport == nil {
		u.own = ownTransport()
		transport = u.own
	}
	u.proxy = httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.RawQuery = r.In.URL.RawQuery // nothing here goes by what it means
			r.SetURL(&target)
			r.Out.Host = r.In.Host
			if r.Out.Body != nil {
				r.Out.Body = body{r.Out.Body}
			}
			forward(r)
		},
		Transport:     transport,
		FlushInterval: -1,
		BufferPool:    buffers{},
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  unanswered,
	}
	return u
}

// upstream is a reverse proxy, with its transport if that is its own.
type upstream struct {
	proxy httputil.ReverseProxy
	own   *http.Transport
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	whole := false
	defer func() {
		if rec := recorderOf(w); !whole && rec != nil {
			rec.cut = true
		}
	}()
	u.proxy.ServeHTTP(w, r)
	whole = true
}

func (u *upstream) closeIdle() {
	if u.own != nil {
		u.own.CloseIdleConnections()
	}
}

func ownTransport() *http.Transport {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok { // the host has put something else there
		t = &http.Transport{ForceAttemptHTTP2: true}
	}
	t = t.Clone()
	t.Proxy = nil
	t.DisableCompression = true // what the client did not ask for, the upstream is not asked for
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 256
	return t
}

// forward tells the upstream of the client.
func forward(r *httputil.ProxyRequest) {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := r.In.Header[name]; ok {
			r.Out.Header[name] = v
		}
	}
	host, proto := r.Out.Header["X-Forwarded-Host"], r.Out.Header["X-Forwarded-Proto"]
	r.SetXForwarded()
	if host != nil {
		r.Out.Header["X-Forwarded-Host"] = host
	}
	if proto != nil {
		r.Out.Header["X-Forwarded-Proto"] = proto
	}
}

// body is a request's, whose errors are told apart from the upstream's.
type body struct{ io.ReadCloser }

func (b body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = &brokenBody{err}
	}
	return n, err
}

// brokenBody is why no more of a body can be read.
type brokenBody struct{ error }

func (b *brokenBody) Unwrap() error { return b.error }

// unanswered answers where the upstream did not.
func unanswered(w http.ResponseWriter, _ *http.Request, err error) {
	if rec := recorderOf(w); rec != nil {
		rec.err = err
	}
	var op *net.OpError
	var broken *brokenBody
	switch {
	case errors.As(err, &broken):
		http.Error(w, "the request broke off", http.StatusBadRequest)
	case errors.Is(err, context.DeadlineExceeded):
		http.Error(w, "the answer took too long", http.StatusGatewayTimeout)
	case errors.As(err, &op) && op.Op == "dial":
		unavailable(w, nil)
	default:
		http.Error(w, "there was no answer", http.StatusBadGateway)
	}
}

// buffers are used again for copying answers.
type buffers struct{}

var pool = sync.Pool{New: func() any { return new([32 << 10]byte) }}

func (buffers) Get() []byte  { return pool.Get().(*[32 << 10]byte)[:] }
func (buffers) Put(b []byte) { pool.Put((*[32 << 10]byte)(b)) }
