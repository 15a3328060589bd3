package verify

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// mostHeader is how many bytes of header are read, 1 MiB, those of interim answers
// included.
const mostHeader = 1 << 20

// outside sends requests through sockets. Every exchange has a connection of its
// own, so that none depends on what an earlier one left behind, and each has all
// its phases.
type outside struct {
	tls *tls.Config // nil is the default
}

func (out *outside) exchange(ctx context.Context, request *http.Request, e *exchanged) error {
	d := dialer{ctx: ctx}
	defer d.close()
	transport := &http.Transport{
		DialContext:            d.dial,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: mostHeader,
		TLSClientConfig:        out.tls.Clone(),
	}
	defer transport.CloseIdleConnections()
	c := clock{start: e.start}
	defer func() { e.phases = e.phases.plus(c.stop()) }()
	// a Client would follow redirects, or stumble over where they lead
	response, err := transport.RoundTrip(request.WithContext(c.trace(ctx)))
	if err == nil {
		err = e.read(response)
		_ = response.Body.Close() // all that matters of it was read
	}
	e.at = time.Now()
	return err
}

func (out *outside) close() {}

// dialer opens connections that end with the exchange they are for. A transport
// would go on dialing after it.
type dialer struct {
	ctx context.Context

	mu     sync.Mutex
	open   []net.Conn // guarded by mu
	closed bool       // guarded by mu
}

// dial uses its context only for what watches it.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(d.ctx, func() { cancel(context.Cause(d.ctx)) })()
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	d.open = append(d.open, c)
	return c, nil
}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for _, c := range d.open {
		_ = c.Close() // it is closed already, unless something went wrong
	}
}
