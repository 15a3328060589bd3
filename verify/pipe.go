package verify

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// pipe is an HTTP server for one request, reached through memory instead of a
// socket. A real server is what makes a handler behave as it will in
// production: HEAD, hijacking, flushing, a client that goes away.
type pipe struct {
	handler  http.Handler
	server   *http.Server
	client   net.Conn
	stopped  chan struct{} // closed when the server's accept loop has returned
	returned chan struct{} // closed when the handler has, or was never called
	once     sync.Once     // closes returned
	panicked string        // readable once returned is closed
}

// serve starts the server. Requests carry the values of ctx, but end, as they do
// in production, when the client goes away.
func serve(ctx context.Context, handler http.Handler) *pipe {
	client, server := net.Pipe()
	accepted := make(listener, 1)
	accepted <- server
	p := &pipe{
		handler:  handler,
		client:   client,
		stopped:  make(chan struct{}),
		returned: make(chan struct{}),
	}
	p.server = &http.Server{
		Handler:     p,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed { // the server may answer by itself
				p.done()
			}
		},
	}
	go func() {
		defer close(p.stopped)
		_ = p.server.Serve(accepted) // always ErrServerClosed
	}()
	return p
}

// dial is for a transport that sends one request. It may come late, after close:
// then the other end is closed.
func (p *pipe) dial(context.Context, string, string) (net.Conn, error) { return p.client, nil }

// ServeHTTP calls the handler and keeps what it panics with.
func (p *pipe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	finished := false
	defer func() {
		defer p.done()
		if finished {
			return
		}
		switch v := recover(); v {
		case nil:
			p.panicked = "a handler that left its goroutine"
			return
		case http.ErrAbortHandler: // how a handler cuts its answer short on purpose
		default:
			p.panicked = fmt.Sprintf("a panic: %v", v)
		}
		panic(http.ErrAbortHandler) // closes the connection and logs nothing
	}()
	p.handler.ServeHTTP(w, r)
	finished = true
}

func (p *pipe) done() { p.once.Do(func() { close(p.returned) }) }

// wait reports whether the handler returned before the context ended.
func (p *pipe) wait(ctx context.Context) bool {
	select {
	case <-p.returned:
	case <-ctx.Done():
	}
	select {
	case <-p.returned: // preferred, if both are true
		return true
	default:
		return false
	}
}

// close ends the connection and the server. It does not wait for a handler that
// has not returned.
func (p *pipe) close() {
	_ = p.server.Close() // nothing to lose: the answer was read
	<-p.stopped
}

// listener hands the server the connections that are put into it. The server
// closes it exactly once.
type listener chan net.Conn

func (l listener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l listener) Close() error {
	close(l)
	return nil
}

func (l listener) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "pipe" }
func (address) String() string  { return "pipe" }
