package health_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// roundTrip is a client's transport that is one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is of a server that gives this body.
func answer(status int, body io.ReadCloser) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: body, Request: r}, nil
	}
}

// heard makes a window that keeps what it was told.
func heard() (*health.Window, *[]health.Response) {
	var all []health.Response
	return health.NewWindow(health.WindowOptions{Classify: func(res health.Response) health.Class {
		all = append(all, res)
		return res.Class()
	}}), &all
}

// parts is a body that gives one part at a time and then an error.
type parts struct {
	parts []string
	err   error
	pause time.Duration
}

func (b *parts) Read(p []byte) (int, error) {
	time.Sleep(b.pause)
	if len(b.parts) == 0 {
		return 0, b.err
	}
	n := copy(p, b.parts[0])
	b.parts = b.parts[1:]
	return n, nil
}

func (b *parts) Close() error { return nil }

func TestTransport(t *testing.T) {
	broken := errors.New("connection reset")
	all := func(b io.ReadCloser) { _, _ = io.Copy(io.Discard, b) }
	for _, tt := range []struct {
		name    string
		next    roundTrip
		use     func(io.ReadCloser) // nil: closes only
		want    health.Response
		class   health.Class
		pending bool // not recorded before the body is closed
	}{
		{name: "read to the end", next: answer(200, &parts{[]string{"a", "b"}, io.EOF, time.Second}), use: all,
			want: health.Response{Status: 200, Latency: 3 * time.Second}, class: health.Success},
		{name: "the service's fault", next: answer(503, &parts{[]string{"a"}, io.EOF, time.Second}), use: all,
			want: health.Response{Status: 503, Latency: 2 * time.Second}},
		{name: "closed before the end", next: answer(200, &parts{[]string{"a", "b"}, io.EOF, time.Second}), pending: true,
			use:  func(b io.ReadCloser) { _, _ = b.Read(make([]byte, 1)) },
			want: health.Response{Status: 200, Latency: time.Second}, class: health.Success},
		{name: "not read at all", next: answer(404, &parts{[]string{"a"}, io.EOF, time.Second}), pending: true,
			want: health.Response{Status: 404}, class: health.Success},
		{name: "breaks half way", next: answer(200, &parts{[]string{"a"}, io.ErrUnexpectedEOF, time.Second}), use: all,
			want: health.Response{Status: 200, Latency: 2 * time.Second, Err: io.ErrUnexpectedEOF}},
		{name: "the caller gives up half way", next: answer(200, &parts{[]string{"a"}, context.Canceled, time.Second}), use: all,
			want: health.Response{Status: 200, Latency: 2 * time.Second, Err: context.Canceled}},
		{name: "no body", next: answer(204, http.NoBody),
			want: health.Response{Status: 204}, class: health.Success},
		{name: "no answer", next: func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			return nil, broken
		}, want: health.Response{Latency: time.Minute, Err: broken}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, told := heard()
				res, err := w.Transport(tt.next).RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
				if err != nil {
					require.Equal(t, tt.want.Err, err, "passed on as it is")
				} else {
					if tt.use != nil {
						tt.use(res.Body)
					}
					require.Equal(t, tt.pending, len(*told) == 0)
					require.NoError(t, res.Body.Close())
					require.NoError(t, res.Body.Close(), "again")
					_, _ = res.Body.Read(make([]byte, 1)) // too late to count
				}
				require.Equal(t, []health.Response{tt.want}, *told)
				rate, ok := w.Snapshot(time.Now()).SuccessRate()
				require.True(t, ok)
				require.Equal(t, tt.class == health.Success, rate == 1)
			})
		})
	}
}

// However many close at once, while another reads: a request counts once.
func TestTransportOnce(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	client := w.Transport(roundTrip(func(r *http.Request) (*http.Response, error) {
		return answer(200, io.NopCloser(strings.NewReader("")))(r)
	}))
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	const requests, closers = 3_000, 3
	for range requests {
		res, err := client.RoundTrip(r)
		require.NoError(t, err)
		var wg sync.WaitGroup
		var ready atomic.Int32
		for range closers {
			wg.Go(func() {
				for ready.Add(1); ready.Load() < closers; {
					runtime.Gosched()
				}
				_ = res.Body.Close()
			})
		}
		_, _ = res.Body.Read(make([]byte, 1))
		wg.Wait()
	}
	require.EqualValues(t, requests, w.Snapshot(time.Now()).Requests())
}

// interrupted is a body whose Close makes a Read fail and waits until it has.
type interrupted struct{ closing, failed chan struct{} }

func (b *interrupted) Read([]byte) (int, error) {
	<-b.closing
	return 0, io.ErrClosedPipe
}

func (b *interrupted) Close() error {
	close(b.closing)
	<-b.failed
	return nil
}

// A reader that is interrupted by Close has not met a broken answer.
func TestTransportCloseInterruptsRead(t *testing.T) {
	w, told := heard()
	b := &interrupted{make(chan struct{}), make(chan struct{})}
	res, err := w.Transport(answer(200, b)).RoundTrip(httptest.NewRequest(http.MethodGet, "/", nil))
	require.NoError(t, err)
	go func() {
		_, _ = res.Body.Read(make([]byte, 1))
		close(b.failed)
	}()
	require.NoError(t, res.Body.Close())
	require.Len(t, *told, 1)
	require.NoError(t, (*told)[0].Err)
}

// Real clients and servers.
func TestTransportClient(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	mux.HandleFunc("/nothing", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // or the client may read a proper end yet
	})
	for _, proto := range []int{1, 2} {
		server := httptest.NewUnstartedServer(mux)
		server.EnableHTTP2 = proto == 2
		server.StartTLS()
		for _, tt := range []struct {
			method, path string
			statuses     []int
			broken       bool
		}{
			{http.MethodGet, "/", []int{200}, false},
			{http.MethodHead, "/", []int{200}, false},
			{http.MethodGet, "/nothing", []int{204}, false},
			{http.MethodGet, "/away", []int{302, 200}, false},
			{http.MethodGet, "/broken", []int{200}, true},
			{http.MethodGet, "/never", []int{200}, true},
		} {
			t.Run(fmt.Sprintf("HTTP %d %s %s", proto, tt.method, tt.path), func(t *testing.T) {
				w, told := heard()
				client := &http.Client{Transport: w.Transport(server.Client().Transport)}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				r, err := http.NewRequestWithContext(ctx, tt.method, server.URL+tt.path, nil)
				require.NoError(t, err)
				res, err := client.Do(r)
				require.NoError(t, err)
				require.Equal(t, proto, res.ProtoMajor)
				if tt.path == "/never" {
					cancel()
				}
				_, err = io.ReadAll(res.Body)
				require.Equal(t, tt.broken, err != nil)
				require.NoError(t, res.Body.Close())
				var statuses []int
				for _, ended := range *told {
					statuses = append(statuses, ended.Status)
				}
				require.Equal(t, tt.statuses, statuses)
				last := (*told)[len(*told)-1]
				require.ErrorIs(t, last.Err, err)
				require.Equal(t, tt.path == "/never", errors.Is(last.Err, context.Canceled), "%T %v", last.Err, last.Err)
				require.Equal(t, tt.broken, last.Class() == health.Failure)
			})
		}
		server.Close()
	}
}

// Who gave up can be told from the error, whatever the transport makes of it.
func TestTransportGivenUp(t *testing.T) {
	closed := errors.New("use of closed connection")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
	w, told := heard()
	_, err := w.Transport(roundTrip(func(*http.Request) (*http.Response, error) { return nil, closed })).RoundTrip(r)
	require.Equal(t, closed, err, "passed on as it is")
	res, err := w.Transport(answer(200, &parts{err: closed})).RoundTrip(r)
	require.NoError(t, err)
	_, err = io.ReadAll(res.Body)
	require.Equal(t, closed, err, "passed on as it is")
	require.Len(t, *told, 2)
	for _, ended := range *told {
		require.ErrorIs(t, ended.Err, context.Canceled)
		require.ErrorIs(t, ended.Err, closed)
		require.Equal(t, health.Failure, ended.Class())
	}
}

// An upgraded connection is passed on as it is, and has answered by that.
func TestTransportUpgrade(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\n\r\n")
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString(strings.ToUpper(line))
		_ = rw.Flush()
	}))
	defer server.Close()
	w, told := heard()
	r, err := http.NewRequest(http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "shout")
	res, err := w.Transport(nil).RoundTrip(r)
	require.NoError(t, err)
	require.Len(t, *told, 1)
	require.Equal(t, 101, (*told)[0].Status)
	conn, ok := res.Body.(io.ReadWriteCloser)
	require.True(t, ok)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	got, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HELLO\n", got)
	require.NoError(t, conn.Close())
	require.Len(t, *told, 1)
}

// idle counts calls of CloseIdleConnections.
type idle struct {
	roundTrip
	closed int
}

func (i *idle) CloseIdleConnections() { i.closed++ }

func TestTransportClosesIdleConnections(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	next := &idle{}
	(&http.Client{Transport: w.Transport(next)}).CloseIdleConnections()
	require.Equal(t, 1, next.closed)
	(&http.Client{Transport: w.Transport(roundTrip(nil))}).CloseIdleConnections() // has none
}

func TestTransportAllocs(t *testing.T) {
	w := health.NewWindow(health.WindowOptions{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	res := &http.Response{StatusCode: 200}
	for _, tt := range []struct {
		name string
		body io.ReadCloser
		want float64
	}{
		{"a body", &parts{err: io.EOF}, 1},
		{"none", http.NoBody, 0},
	} {
		client := w.Transport(roundTrip(func(*http.Request) (*http.Response, error) {
			res.Body = tt.body
			return res, nil
		}))
		call := func() {
			res, err := client.RoundTrip(r)
			if err == nil {
				_ = res.Body.Close()
			}
		}
		call() // opens the window's step
		require.LessOrEqual(t, testing.AllocsPerRun(1_000, call), tt.want, tt.name)
	}
}
