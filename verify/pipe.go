package verify

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// inside is an HTTP server for a handler, reached through memory instead of
// sockets. A real server is what makes a handler behave as it will in production:
// HEAD, hijacking, flushing, a client that goes away. Its connections are kept
// from one exchange to the next as long as all goes well, because opening one
// costs more than using it.
type inside struct {
	handler http.Handler
	server  *http.Server
	accept  listener
	stopped chan struct{} // closed when the server's accept loop has returned

	mu   sync.Mutex
	idle []*pipe // guarded by mu
	all  []*pipe // guarded by mu
}

// serve starts the server. Requests carry the values of ctx, but end, as they do
// in production, when the client goes away. The server that they are told of is not
// the one that carries them, so that a handler which closes it ends no test.
func serve(ctx context.Context, handler http.Handler) *inside {
	in := &inside{handler: handler, accept: make(listener, 1), stopped: make(chan struct{})}
	told := &http.Server{Handler: handler}
	in.server = &http.Server{
		Handler:     in,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			ctx = context.WithValue(ctx, http.ServerContextKey, told)
			return context.WithValue(ctx, pipeKey{}, c.(*serverEnd).pipe)
		},
		ConnState: func(c net.Conn, state http.ConnState) { c.(*serverEnd).pipe.became(state) },
	}
	go func() {
		defer close(in.stopped)
		_ = in.server.Serve(in.accept) // always ErrServerClosed
	}()
	return in
}

// close ends all connections and the server, and waits for all of it but for
// handlers that have not returned.
func (in *inside) close() {
	_ = in.server.Close() // nothing to lose: the answers were read
	<-in.stopped
	for _, p := range in.all {
		if !p.stuck {
			<-p.closed
		}
	}
}

// ServeHTTP calls the handler and keeps what it panics with.
func (in *inside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p := r.Context().Value(pipeKey{}).(*pipe)
	p.called.Store(true)
	finished := false
	defer func() {
		if p.hijacked { // and so the server says no more about it
			defer p.became(http.StateClosed)
		}
		defer func() { p.returned <- struct{}{} }()
		if finished {
			return
		}
		switch v := recover(); v {
		case nil:
			p.panicked = "a handler that left its goroutine"
			return
		case http.ErrAbortHandler: // how a handler cuts its answer short on purpose
		default:
			p.panicked = "a panic: " + printed(v)
		}
		panic(http.ErrAbortHandler) // closes the connection and logs nothing
	}()
	in.handler.ServeHTTP(w, r)
	finished = true
}

// pipe is one connection to the server, and used by one exchange at a time.
type pipe struct {
	conn    net.Conn
	in      headerLimit
	reader  *bufio.Reader
	out     bytes.Buffer
	written chan struct{} // closed when a long request was sent; nil otherwise
	stuck   bool          // the handler may not have returned

	called   atomic.Bool   // the handler
	returned chan struct{} // gets a value when the handler has returned
	idle     chan struct{} // gets a value when the server takes another request
	closed   chan struct{} // closed when the server has closed its end
	hijacked bool          // written before returned
	panicked string        // written before returned
}

// serverEnd is the server's end of a pipe.
type serverEnd struct {
	net.Conn
	pipe *pipe
}

// CloseWrite is what a server does when it has said all, before it lets the
// connection linger: the client reads on up to here. As nothing is buffered, it has.
func (s *serverEnd) CloseWrite() error {
	s.pipe.in.ended.Store(true)
	return s.pipe.conn.SetReadDeadline(time.Unix(1, 0))
}

type pipeKey struct{}

// get returns a connection that nobody uses.
func (in *inside) get(ctx context.Context) *pipe {
	for {
		in.mu.Lock()
		last := len(in.idle) - 1
		if last < 0 {
			defer in.mu.Unlock()
			return in.dial()
		}
		p := in.idle[last]
		in.idle = in.idle[:last]
		in.mu.Unlock()
		if p.another(ctx) {
			return p
		}
		_ = p.conn.Close()
	}
}

// dial is called with mu held.
func (in *inside) dial() *pipe {
	client, server := net.Pipe()
	p := &pipe{
		conn: client, in: headerLimit{from: client},
		returned: make(chan struct{}, 1), idle: make(chan struct{}, 1), closed: make(chan struct{}),
	}
	p.reader = bufio.NewReader(&p.in)
	in.all = append(in.all, p)
	in.accept <- &serverEnd{server, p}
	return p
}

func (p *pipe) became(state http.ConnState) {
	switch state {
	case http.StateIdle:
		p.idle <- struct{}{} // there is room: it was idle once for each request
	case http.StateClosed:
		close(p.closed)
	case http.StateHijacked:
		p.hijacked = true
	}
}

// exchange sends a request and reads the answer. Then it waits for the handler to
// return, which is part of the answer.
func (in *inside) exchange(ctx context.Context, request *http.Request, e *exchanged) error {
	p := in.get(ctx)
	stop := context.AfterFunc(ctx, func() { _ = p.conn.Close() })
	response, err := p.roundTrip(request)
	if !p.in.first.IsZero() {
		e.phases.FirstByte = p.in.first.Sub(e.start)
	}
	if err == nil {
		err = e.read(response)
	}
	e.at = time.Now()
	again := err == nil && !e.long && !response.Close
	if !again {
		_ = p.conn.Close()
	}
	again = p.wait(ctx, err, e) && again && !p.hijacked
	if !again {
		_ = p.conn.Close() // the handler may not have read all of the request
	}
	if p.written != nil {
		<-p.written // at the latest when the context's end closes the connection
		p.written = nil
	}
	if stop() && again {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.idle = append(in.idle, p)
	}
	return err
}

// serverBuffer is how much of a request a server takes before it answers.
const serverBuffer = 4 << 10

func (p *pipe) roundTrip(request *http.Request) (*http.Response, error) {
	p.out.Reset()
	if err := request.Write(&p.out); err != nil {
		return nil, err
	}
	p.in.left, p.in.first = mostHeader, time.Time{}
	p.called.Store(false)
	if p.out.Len() <= serverBuffer {
		_, _ = p.conn.Write(p.out.Bytes()) // if it fails, so does reading
	} else {
		p.written = make(chan struct{})
		go func() {
			defer close(p.written)
			_, _ = p.conn.Write(p.out.Bytes())
		}()
	}
	if _, err := p.reader.Peek(1); err != nil {
		return nil, err
	}
	for {
		response, err := http.ReadResponse(p.reader, request)
		if err != nil {
			return nil, err
		}
		if response.StatusCode >= 200 || response.StatusCode == http.StatusSwitchingProtocols {
			p.in.left = math.MaxInt64
			return response, nil
		}
	}
}

// wait waits until the handler has returned, and says whether it was called and
// has.
func (p *pipe) wait(ctx context.Context, err error, e *exchanged) bool {
	if err == nil && !p.called.Load() {
		return false // the server answered by itself, and it closes the connection
	}
	select {
	case <-p.returned:
	case <-p.closed:
		if !p.called.Load() {
			return false
		}
		<-p.returned
	case <-ctx.Done():
		select {
		case <-p.returned: // preferred, if both are true
		default:
			p.stuck = true
			e.stuck = err == nil // otherwise that is failure enough
			return false
		}
	}
	e.panicked = p.panicked
	return true
}

// another says whether the server takes one more request. It is asked as late as
// can be: the server is done with the last one meanwhile.
func (p *pipe) another(ctx context.Context) bool {
	select {
	case <-p.idle:
		return true
	case <-p.closed:
	case <-ctx.Done():
	}
	return false
}

// headerLimit reads up to a limit, which is lifted once the header was read.
type headerLimit struct {
	from  io.Reader
	left  int64
	first time.Time // when the first byte came
	ended atomic.Bool
}

var errHeader = fmt.Errorf("more than %d bytes of header", mostHeader)

func (l *headerLimit) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, errHeader
	}
	n, err := l.from.Read(b[:min(int64(len(b)), l.left)])
	if err != nil && l.ended.Load() {
		err = io.EOF
	}
	if l.left -= int64(n); l.first.IsZero() && n > 0 {
		l.first = time.Now()
	}
	return n, err
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
