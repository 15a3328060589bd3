package health_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func TestObserve(t *testing.T) {
	for _, tt := range []struct {
		name     string
		handler  http.HandlerFunc
		status   int
		panicked any
		gone     bool // the client gives up
	}{
		{name: "nothing written", handler: func(http.ResponseWriter, *http.Request) {}, status: 200},
		{name: "implicit", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("ok"))
			w.WriteHeader(500) // too late
		}, status: 200},
		{name: "implicit by a string", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ok")
			w.WriteHeader(500)
		}, status: 200},
		{name: "implicit by a flush", handler: func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			w.WriteHeader(500)
		}, status: 200},
		{name: "explicit", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }, status: 418},
		{name: "first one counts", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(503)
			w.WriteHeader(200)
		}, status: 503},
		{name: "hints do not count", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusProcessing)
			w.WriteHeader(http.StatusTeapot)
		}, status: 418},
		{name: "switching protocols counts", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusSwitchingProtocols)
		}, status: 101},
		{name: "the client gives up", handler: func(http.ResponseWriter, *http.Request) {}, gone: true, status: 0},
		{name: "the client gives up after the answer", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, gone: true, status: 204},
		{name: "the client gives up and the handler panics", handler: func(http.ResponseWriter, *http.Request) { panic("boom") }, gone: true, status: 500, panicked: "boom"},
		{name: "panic", handler: func(http.ResponseWriter, *http.Request) { panic("boom") }, status: 500, panicked: "boom"},
		{name: "panic after the answer", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(200)
			panic(http.ErrAbortHandler)
		}, status: 500, panicked: http.ErrAbortHandler},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []health.Response
			call := func() (p any) {
				defer func() { p = recover() }()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.gone {
					cancel()
				}
				health.Observe(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil), tt.handler,
					func(res health.Response) { got = append(got, res) })
				return nil
			}
			require.Equal(t, tt.panicked, call())
			require.Len(t, got, 1)
			require.Equal(t, tt.status, got[0].Status)
			require.Equal(t, tt.panicked != nil, got[0].Panicked)
		})
	}
}

func TestObserveLatency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(30 * time.Millisecond) })
		health.Observe(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), slow, func(res health.Response) {
			require.Equal(t, 30*time.Millisecond, res.Latency)
		})
	})
}

// What a handler can do with a real server's writer, it can do while observed.
func TestObserveServer(t *testing.T) {
	done := make(chan health.Response, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/flush", func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "flushed")
	})
	mux.HandleFunc("/copy", func(w http.ResponseWriter, _ *http.Request) {
		_, isReaderFrom := w.(io.ReaderFrom)
		_, _ = io.Copy(w, strings.NewReader(map[bool]string{true: "from", false: "no"}[isReaderFrom]))
	})
	mux.HandleFunc("/deadline", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	hijack := func(conn net.Conn, rw *bufio.ReadWriter, err error) {
		if err == nil {
			_, _ = rw.WriteString("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			_ = rw.Flush()
			_ = conn.Close()
		}
	}
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, _ *http.Request) { hijack(http.NewResponseController(w).Hijack()) })
	mux.HandleFunc("/hijacker", func(w http.ResponseWriter, _ *http.Request) { hijack(w.(http.Hijacker).Hijack()) })
	observed := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		health.Observe(w, r, mux, func(res health.Response) { done <- res })
	})
	for _, proto := range []int{1, 2} {
		server := httptest.NewUnstartedServer(observed)
		server.EnableHTTP2 = proto == 2
		server.StartTLS()
		for _, tt := range []struct {
			path, body string
			status     int
		}{
			{"/flush", "flushed", 200},
			{"/copy", map[int]string{1: "from", 2: "no"}[proto], 200},
			{"/deadline", "", 200},
			{"/hijack", "", 101},
			{"/hijacker", "", 101},
		} {
			if proto == 2 && tt.status == 101 {
				continue // HTTP/2 has no connection to take over
			}
			res, err := server.Client().Get(server.URL + tt.path)
			require.NoError(t, err, tt.path)
			require.Equal(t, proto, res.ProtoMajor)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err, tt.path)
			require.NoError(t, res.Body.Close())
			require.Equal(t, tt.body, string(body), "HTTP/%d %s", proto, tt.path)
			require.Equal(t, tt.status, (<-done).Status, "HTTP/%d %s", proto, tt.path)
		}
		server.Close()
	}
}

// bare is a writer that can do nothing but what it must.
type bare struct{ http.ResponseWriter }

func TestObservePlainWriter(t *testing.T) {
	health.Observe(bare{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil),
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, flusher := w.(http.Flusher)
			_, hijacker := w.(http.Hijacker)
			require.False(t, flusher || hijacker)
			err := http.NewResponseController(w).Flush()
			require.True(t, errors.Is(err, http.ErrNotSupported), "got %v", err)
			w.WriteHeader(404)
		}),
		func(res health.Response) { require.Equal(t, 404, res.Status) })
}

func TestObserveAllocs(t *testing.T) {
	w, r := bare{httptest.NewRecorder()}, httptest.NewRequest(http.MethodGet, "/", nil)
	var writer http.ResponseWriter = w
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	got := testing.AllocsPerRun(1_000, func() { health.Observe(writer, r, next, func(health.Response) {}) })
	require.LessOrEqual(t, got, 1.0)
}

func BenchmarkObserve(b *testing.B) {
	var w http.ResponseWriter = bare{httptest.NewRecorder()}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	b.ReportAllocs()
	for b.Loop() {
		health.Observe(w, r, next, func(health.Response) {})
	}
}

// What never answers is told of once, when its time is over; what has begun to answer
// has all the time it needs.
func TestObserveWithin(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve http.HandlerFunc
		want  health.Response
		at    time.Duration
	}{
		{"in time", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) }, health.Response{Status: 200, Latency: time.Second}, time.Second},
		{"too late", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Minute) }, health.Response{Latency: 10 * time.Second, Err: context.DeadlineExceeded}, 10 * time.Second},
		{"a hint is no answer", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			time.Sleep(time.Minute)
		}, health.Response{Latency: 10 * time.Second, Err: context.DeadlineExceeded}, 10 * time.Second},
		{"a stream", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusAccepted)
			time.Sleep(time.Minute)
		}, health.Response{Status: 202, Latency: time.Minute}, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var told []health.Response
				var at time.Duration
				health.ObserveWithin(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), tt.serve, 10*time.Second, func(res health.Response) {
					told, at = append(told, res), time.Since(start)
				})
				time.Sleep(time.Hour)
				synctest.Wait()
				require.Equal(t, []health.Response{tt.want}, told)
				require.Equal(t, tt.at, at)
			})
		})
	}
	require.Equal(t, health.Failure, health.Response{Err: context.DeadlineExceeded}.Class())
}
