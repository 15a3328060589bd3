package health_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// served is a real server with a window as middleware, and what the window was told.
type served struct {
	*httptest.Server
	window *health.Window
	ended  chan health.Response
}

// onServers runs the test against an HTTP/1.1 and an HTTP/2 server.
func onServers(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, s *served)) {
	for _, proto := range []int{1, 2} {
		t.Run(fmt.Sprint("HTTP ", proto), func(t *testing.T) {
			s := &served{ended: make(chan health.Response, 16)}
			s.window = health.NewWindow(health.WindowOptions{Classify: func(res health.Response) health.Class {
				s.ended <- res
				return res.Class()
			}})
			s.Server = httptest.NewUnstartedServer(s.window.Middleware(handler))
			s.EnableHTTP2 = proto == 2
			s.Config.ErrorLog = log.New(io.Discard, "", 0) // of panics
			s.StartTLS()
			defer s.Close()
			test(t, s)
		})
	}
}

func (s *served) get(t *testing.T, ctx context.Context, path string) (*http.Response, string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	require.NoError(t, err)
	res, err := s.Client().Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res, string(text)
}

// What is flushed is there before the handler has ended.
func TestMiddlewareStreams(t *testing.T) {
	goOn := make(chan struct{})
	onServers(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first ")
		if r.URL.Path == "/flusher" {
			w.(http.Flusher).Flush()
		} else if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		select {
		case <-goOn:
		case <-r.Context().Done(): // the test has failed
		}
		_, _ = io.WriteString(w, "second")
	}, func(t *testing.T, s *served) {
		for _, path := range []string{"/flusher", "/controller"} {
			res, err := s.Client().Get(s.URL + path)
			require.NoError(t, err)
			first := make([]byte, len("first "))
			_, err = io.ReadFull(res.Body, first)
			require.NoError(t, err)
			require.Empty(t, s.ended, "a stream counts when it ends")
			goOn <- struct{}{}
			rest, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, "second", string(rest))
			require.Equal(t, 200, (<-s.ended).Status)
		}
	})
}

// Everything of http.ResponseController works that works without the middleware.
func TestMiddlewareResponseController(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		c := http.NewResponseController(w)
		in := time.Now().Add(time.Minute)
		err := errors.Join(c.SetReadDeadline(in), c.SetWriteDeadline(in), c.EnableFullDuplex(), c.Flush())
		_, _ = fmt.Fprint(w, "error: ", err)
	}
	onServers(t, handler, func(t *testing.T, s *served) {
		_, text := s.get(t, t.Context(), "/")
		require.Equal(t, "error: <nil>", text)
	})
}

// An answer begins while its request is still being sent.
func TestMiddlewareFullDuplex(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			panic(err)
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = c.Flush()
		}
	}
	onServers(t, handler, func(t *testing.T, s *served) {
		reader, writer := io.Pipe()
		go func() { _, _ = writer.Write([]byte("one\n")) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or client and server wait for one another, if this fails
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, reader)
		require.NoError(t, err)
		res, err := s.Client().Do(r)
		require.NoError(t, err)
		lines := bufio.NewReader(res.Body)
		got, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "ONE\n", got)
		_, err = writer.Write([]byte("two\n"))
		require.NoError(t, err)
		require.NoError(t, writer.Close())
		got, err = lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "TWO\n", got)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 200, (<-s.ended).Status)
	})
}

func TestMiddlewareHints(t *testing.T) {
	handler := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	onServers(t, handler, func(t *testing.T, s *served) {
		var hints []int
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints = append(hints, code); return nil },
		})
		res, _ := s.get(t, ctx, "/")
		require.Equal(t, []int{103}, hints)
		require.Equal(t, 503, res.StatusCode)
		require.Equal(t, 503, (<-s.ended).Status)
	})
}

func TestMiddlewareFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.txt")
	page := strings.Repeat("all of it ", 10_000)
	require.NoError(t, os.WriteFile(name, []byte(page), 0o600))
	onServers(t, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }, func(t *testing.T, s *served) {
		_, text := s.get(t, t.Context(), "/")
		require.Equal(t, page, text)
		require.Equal(t, 200, (<-s.ended).Status)
	})
}

func TestMiddlewarePanics(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	onServers(t, handler, func(t *testing.T, s *served) {
		res, err := s.Client().Get(s.URL)
		require.NoError(t, err)
		_, err = io.ReadAll(res.Body)
		require.Error(t, err, "the client is told that this was not all")
		require.NoError(t, res.Body.Close())
		ended := <-s.ended
		require.Equal(t, 500, ended.Status)
		require.True(t, ended.Panicked)
		require.Equal(t, health.Failure, ended.Class())
	})
}

func TestMiddlewareClientGivesUp(t *testing.T) {
	arrived := make(chan struct{})
	handler := func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}
	onServers(t, handler, func(t *testing.T, s *served) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
		require.NoError(t, err)
		_, err = s.Client().Do(r)
		require.ErrorIs(t, err, context.Canceled)
		ended := <-s.ended
		require.Zero(t, ended.Status)
		require.Equal(t, health.Failure, ended.Class())
	})
}

// hijackable is the writer of an HTTP/1 server, of which only Hijack and ReadFrom
// are asked for.
type hijackable struct {
	*httptest.ResponseRecorder
	conn net.Conn
	from int // how often ReadFrom was called
}

func (h *hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.conn == nil {
		return nil, nil, errors.New("in use")
	}
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

func (h *hijackable) ReadFrom(r io.Reader) (int64, error) {
	h.from++
	return io.Copy(struct{ io.Writer }{h.ResponseRecorder}, r)
}

// A connection that is taken over has answered by that, however long it is in use.
func TestMiddlewareHijack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		w := health.NewWindow(health.WindowOptions{})
		serve := func(writer http.ResponseWriter) {
			w.Middleware(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				time.Sleep(20 * time.Millisecond)
				conn, _, err := rw.(http.Hijacker).Hijack()
				if err != nil {
					http.Error(rw, err.Error(), http.StatusInternalServerError)
					return
				}
				time.Sleep(time.Hour)
				_ = conn.Close()
			})).ServeHTTP(writer, httptest.NewRequest(http.MethodGet, "/", nil))
		}
		serve(&hijackable{ResponseRecorder: httptest.NewRecorder(), conn: here})
		m := w.Snapshot(time.Now())
		require.EqualValues(t, 1, m.Requests(), "recorded at its end")
		longest, _ := m.Max()
		require.Equal(t, 20*time.Millisecond, longest, "with the time of its answer")
		rate, _ := m.SuccessRate()
		require.Equal(t, 1.0, rate)

		serve(&hijackable{ResponseRecorder: httptest.NewRecorder()})
		rate, _ = w.Snapshot(time.Now()).SuccessRate()
		require.Equal(t, 0.5, rate, "what was not taken over is answered as usual")
	})
}

// A server hands a file to the kernel in ReadFrom.
func TestMiddlewareReadFrom(t *testing.T) {
	writer := &hijackable{ResponseRecorder: httptest.NewRecorder()}
	h := health.NewWindow(health.WindowOptions{}).Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(strings.NewReader("all of it"), 9))
	}))
	h.ServeHTTP(writer, httptest.NewRequest(http.MethodGet, "/", nil))
	require.Equal(t, 1, writer.from)
	require.Equal(t, "all of it", writer.Body.String())
}

// At most one allocation a request, in front of every kind of writer.
func TestMiddlewareAllocs(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	p := []byte("ok")
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(p) })
	for name, writer := range map[string]http.ResponseWriter{
		"HTTP/1": &hijackable{ResponseRecorder: discarding()},
		"HTTP/2": discarding(),
		"plain":  bare{discarding()},
	} {
		h := health.NewWindow(health.WindowOptions{}).Middleware(next)
		h.ServeHTTP(writer, r) // opens the window's step
		got := testing.AllocsPerRun(1_000, func() { h.ServeHTTP(writer, r) })
		require.LessOrEqual(t, got, 1.0, name)
	}
}

func discarding() *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	rec.Body = nil
	return rec
}

// BenchmarkMiddleware is what a window adds to a request, its two looks at the
// clock included.
func BenchmarkMiddleware(b *testing.B) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	h := health.NewWindow(health.WindowOptions{}).Middleware(next)
	var writer http.ResponseWriter = &hijackable{ResponseRecorder: discarding()}
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(writer, r)
	}
}
