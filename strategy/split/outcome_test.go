package split_test

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

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// hijackable is the writer of an HTTP/1 server.
type hijackable struct {
	http.ResponseWriter
	conn net.Conn
}

func (h hijackable) Flush() {}

func (h hijackable) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{h.ResponseWriter}, r)
}

func (h hijackable) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.conn == nil {
		return nil, nil, errors.New("in use")
	}
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

type pusher struct{}

func (pusher) Push(string, *http.PushOptions) error { return errors.New("pushed") }

// With outcomes, a backend's writer can do what it can do without, and what it does gets
// there.
func TestWriters(t *testing.T) {
	plain := struct{ http.ResponseWriter }{nothing{}}
	for name, w := range map[string]http.ResponseWriter{
		"plain":   plain,
		"flushes": nothing{},
		"flushes and hijacks": struct {
			http.ResponseWriter
			http.Flusher
			http.Hijacker
		}{plain, nothing{}, hijackable{}},
		"HTTP/1": hijackable{nothing{}, nil},
		"HTTP/2": struct {
			nothing
			pusher
		}{},
		"flushes, hijacks and pushes": struct {
			hijackable
			pusher
		}{},
		"hijacks without flush": struct {
			http.ResponseWriter
			http.Hijacker
		}{plain, hijackable{}},
		"pushes without flush": struct {
			http.ResponseWriter
			pusher
		}{plain, pusher{}},
	} {
		t.Run(name, func(t *testing.T) {
			var can [2][]string
			for i, o := range []split.Options{{}, {Outcome: func(split.Outcome) {}}} {
				newSplitter(t, o, served("1", func(w http.ResponseWriter, _ *http.Request) {
					if f, ok := w.(http.Flusher); ok && !strings.HasSuffix(name, "without flush") {
						f.Flush()
						can[i] = append(can[i], "flush")
					}
					if h, ok := w.(http.Hijacker); ok {
						_, _, err := h.Hijack()
						can[i] = append(can[i], err.Error())
					}
					if p, ok := w.(http.Pusher); ok {
						can[i] = append(can[i], p.Push("/", nil).Error())
					}
				})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			}
			require.Equal(t, can[0], can[1])
		})
	}
}

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name    string
		handler http.HandlerFunc
		gone    bool // the client gives up
		want    int
	}{
		{name: "nothing written", handler: func(http.ResponseWriter, *http.Request) {}, want: 200},
		{name: "implicit", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("ok"))
			w.WriteHeader(500) // too late
		}, want: 200},
		{name: "by a string", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ok")
			w.WriteHeader(500)
		}, want: 200},
		{name: "by a flush", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.(http.Flusher).Flush()
			w.WriteHeader(500)
		}, want: 200},
		{name: "by a copy", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("ok"))
			w.WriteHeader(500)
		}, want: 200},
		{name: "explicit", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }, want: 418},
		{name: "hints do not count", handler: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(503)
		}, want: 503},
		{name: "nobody waits any more", handler: func(http.ResponseWriter, *http.Request) {}, gone: true, want: 0},
		{name: "answered, and then nobody waits", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, gone: true, want: 204},
		{name: "taken over", handler: func(w http.ResponseWriter, _ *http.Request) {
			_, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
		}, want: 101},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var told []split.Outcome
			s := newSplitter(t, split.Options{Outcome: func(o split.Outcome) { told = append(told, o) }}, served("1", tt.handler))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.gone {
				cancel()
			}
			here, there := net.Pipe()
			defer here.Close()
			defer there.Close()
			s.ServeHTTP(hijackable{httptest.NewRecorder(), here}, httptest.NewRequestWithContext(ctx, "GET", "/", nil))
			require.Len(t, told, 1)
			require.Equal(t, tt.want, told[0].Status)
			require.False(t, told[0].Panicked)
		})
	}
}

func TestOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []split.Outcome
		slow := func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(30 * time.Millisecond)
			if r.Header.Get("Take") != "" {
				conn, _, err := w.(http.Hijacker).Hijack()
				if err != nil {
					panic(err)
				}
				time.Sleep(time.Hour)
				_ = conn.Close()
			}
		}
		o := sticky
		o.Outcome = func(o split.Outcome) { told = append(told, o) }
		s := newSplitter(t, o, served("1", slow), served("2", slow))
		last := func() split.Outcome { return told[len(told)-1] }

		ask(s, "GET", nil, "User", "somebody")
		require.Zero(t, last().Share, "there is no new version yet")
		require.Equal(t, "1", last().Backend)
		require.NoError(t, s.Prepare(t.Context(), "1", "2"))
		require.NoError(t, s.Shift(t.Context(), 40*pc))
		for i := range 200 {
			began := time.Now()
			ask(s, "GET", nil, "User", user(i))
			o := last()
			require.Equal(t, 40*pc, int(o.Share))
			require.Equal(t, o.Backend == "2", strategy.Share(o.Slot) < o.Share)
			require.NotZero(t, o.Unit)
			require.Equal(t, 30*time.Millisecond, o.Latency)
			require.Equal(t, began, o.Start)
			require.False(t, o.Pinned || o.Mirrored)
		}
		ask(s, "GET", nil)
		require.Zero(t, last().Unit)
		require.Equal(t, last().Backend == "2", strategy.Share(last().Slot) < last().Share)
		ask(s, "GET", nil, "User", "somebody", "Version", "2")
		require.True(t, last().Pinned)

		here, there := net.Pipe()
		defer there.Close()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Take", "it")
		s.ServeHTTP(hijackable{httptest.NewRecorder(), here}, r)
		require.Equal(t, 30*time.Millisecond, last().Latency, "until the connection was taken over")
		require.Equal(t, 101, last().Status)
	})
}
