package split_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy/split"
)

// behind is a real server with a splitter in front of a handler.
type behind struct {
	*httptest.Server
	splitter *split.Splitter
	told     chan split.Outcome // nil if outcomes are not recorded
	upstream bool
}

// everywhere runs a test with the handler behind a splitter: in this process or behind an
// Upstream, by HTTP/1 or HTTP/2, with outcomes or without, and with copies.
func everywhere(t *testing.T, handler http.HandlerFunc, test func(t *testing.T, b *behind)) {
	for _, proto := range []int{1, 2} {
		for _, upstream := range []bool{false, true} {
			for _, outcomes := range []bool{false, true} {
				t.Run(fmt.Sprintf("HTTP %d, upstream %v, outcomes %v", proto, upstream, outcomes), func(t *testing.T) {
					b := &behind{upstream: upstream}
					var backend http.Handler = handler
					if upstream {
						there := server(t, handler, proto)
						transport := there.Client().Transport.(*http.Transport).Clone()
						transport.DisableCompression = true
						backend = split.Upstream(parsed(t, there.URL), transport)
						t.Cleanup(transport.CloseIdleConnections)
					}
					o := split.Options{}
					if outcomes {
						b.told = make(chan split.Outcome, 64)
						o.Outcome = func(o split.Outcome) {
							if !o.Mirrored {
								b.told <- o
							}
						}
					}
					b.splitter = newSplitter(t, o, split.Backend{Name: "1", Handler: backend},
						served("2", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
					require.NoError(t, b.splitter.Prepare(t.Context(), "1", "2"))
					require.NoError(t, b.splitter.Mirror(t.Context(), 100*pc))
					b.Server = server(t, b.splitter, proto)
					test(t, b)
				})
			}
		}
	}
}

func server(t *testing.T, handler http.Handler, proto int) *httptest.Server {
	s := httptest.NewUnstartedServer(handler)
	s.EnableHTTP2 = proto == 2
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of panics
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func parsed(t *testing.T, address string) *url.URL {
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

// ended is the outcome of the last request, if any is recorded.
func (b *behind) ended(t *testing.T, check func(o split.Outcome)) {
	t.Helper()
	if b.told != nil {
		check(<-b.told)
	}
}

func (b *behind) do(t *testing.T, ctx context.Context, method, path string, body io.Reader) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, b.URL+path, body)
	require.NoError(t, err)
	res, err := b.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// What is flushed is there before the handler has ended, with a length or without.
func TestStreamsPass(t *testing.T) {
	goOn := make(chan struct{})
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sse":
			w.Header().Set("Content-Type", "text/event-stream")
		case "/length":
			w.Header().Set("Content-Length", "12")
		}
		_, _ = io.WriteString(w, "first ")
		if f, ok := w.(http.Flusher); ok && r.URL.Path == "/flusher" {
			f.Flush()
		} else if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		select {
		case <-goOn:
		case <-r.Context().Done(): // the test has failed
		}
		_, _ = io.WriteString(w, "second")
	}, func(t *testing.T, b *behind) {
		for _, path := range []string{"/flusher", "/sse", "/length"} {
			res := b.do(t, t.Context(), "GET", path, nil)
			first := make([]byte, len("first "))
			_, err := io.ReadFull(res.Body, first)
			require.NoError(t, err)
			require.Equal(t, 1, b.splitter.InFlight("1"))
			goOn <- struct{}{}
			rest, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, "second", string(rest))
			require.NoError(t, b.splitter.Drain(t.Context(), "1"))
			b.ended(t, func(o split.Outcome) { require.Equal(t, 200, o.Status) })
		}
	})
}

// An answer begins while its request is still being sent.
func TestFullDuplexPasses(t *testing.T) {
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		if err := c.EnableFullDuplex(); err != nil {
			panic(err)
		}
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			_, _ = fmt.Fprintln(w, strings.ToUpper(lines.Text()))
			_ = c.Flush()
		}
	}, func(t *testing.T, b *behind) {
		if b.upstream && b.TLS.NextProtos[0] != "h2" {
			t.Skip("a reverse proxy does not read on when an HTTP/1 answer has begun")
		}
		reader, writer := io.Pipe()
		go func() { _, _ = writer.Write([]byte("one\n")) }()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // or client and server wait for one another, if this fails
		defer cancel()
		res := b.do(t, ctx, "POST", "/", reader)
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
	})
}

// Hints, headers, trailers, the Host and the query come through as they are.
func TestHeadersPass(t *testing.T) {
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "Sum")
		w.Header().Set("Encoding", r.Header.Get("Accept-Encoding"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = fmt.Fprint(w, r.Proto, " ", r.Host, " ", r.URL.RequestURI(), " ", r.Header.Get("Agent"))
		w.Header().Set("Sum", "42")
	}, func(t *testing.T, b *behind) {
		var hints []int
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, _ textproto.MIMEHeader) error { hints = append(hints, code); return nil },
		})
		r, err := http.NewRequestWithContext(ctx, "GET", b.URL+"/a%2Fb//c?x=1;y=%zz&z", nil)
		require.NoError(t, err)
		r.Host = "shop.example"
		r.Header.Set("Agent", "me")
		r.Header.Set("Accept-Encoding", "identity")
		res, err := b.Client().Do(r)
		require.NoError(t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		proto := "HTTP/1.1"
		if b.TLS.NextProtos[0] == "h2" {
			proto = "HTTP/2.0"
		}
		require.Equal(t, proto+" shop.example /a%2Fb//c?x=1;y=%zz&z me", string(text))
		require.Equal(t, []int{103}, hints)
		require.Equal(t, "42", res.Trailer.Get("Sum"))
		require.Equal(t, "identity", res.Header.Get("Encoding"))
		require.Equal(t, proto, res.Proto)
		b.ended(t, func(o split.Outcome) { require.Equal(t, 418, o.Status) })
	})
}

// A connection that changes its protocol goes both ways, and is in flight until it ends.
func TestUpgradesPass(t *testing.T) {
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer conn.Close()
		_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + r.Header.Get("Upgrade") + "\r\n\r\n")
		_ = rw.Flush()
		for {
			line, err := rw.ReadString('\n')
			if err != nil {
				return
			}
			_, _ = rw.WriteString(strings.ToUpper(line))
			_ = rw.Flush()
		}
	}, func(t *testing.T, b *behind) {
		conn, err := tls.Dial("tcp", b.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		require.NoError(t, err)
		defer conn.Close()
		_, err = io.WriteString(conn, "GET /chat HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		require.NoError(t, err)
		reader := bufio.NewReader(conn)
		res, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusSwitchingProtocols, res.StatusCode)
		require.Equal(t, "websocket", res.Header.Get("Upgrade"))
		for _, word := range []string{"hello\n", "there\n"} {
			_, err = io.WriteString(conn, word)
			require.NoError(t, err)
			line, err := reader.ReadString('\n')
			require.NoError(t, err)
			require.Equal(t, strings.ToUpper(word), line)
		}
		require.Equal(t, 1, b.splitter.InFlight("1"))
		require.NoError(t, conn.Close())
		require.NoError(t, b.splitter.Drain(t.Context(), "1"))
		b.ended(t, func(o split.Outcome) { require.Equal(t, http.StatusSwitchingProtocols, o.Status) })
		require.Zero(t, b.splitter.Copies().Begun, "it cannot be copied")
	})
}

// An answer that breaks off breaks off for the client, too.
func TestBrokenAnswersPass(t *testing.T) {
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}, func(t *testing.T, b *behind) {
		res := b.do(t, t.Context(), "GET", "/", nil)
		_, err := io.ReadAll(res.Body)
		require.Error(t, err, "the client is told that this was not all")
		b.ended(t, func(o split.Outcome) { require.True(t, o.Panicked) })
	})
}

// A client that gives up takes its request with it.
func TestGivingUpPasses(t *testing.T) {
	arrived := make(chan struct{})
	everywhere(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-r.Context().Done()
	}, func(t *testing.T, b *behind) {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		r, err := http.NewRequestWithContext(ctx, "GET", b.URL, nil)
		require.NoError(t, err)
		if res, err := b.Client().Do(r); err == nil { // it may be answered while it hangs up
			require.NoError(t, res.Body.Close())
		}
		require.NoError(t, b.splitter.Drain(t.Context(), "1"))
		b.ended(t, func(o split.Outcome) {
			require.True(t, o.Err == nil || b.upstream && errors.Is(o.Err, context.Canceled), "%v", o.Err)
			require.True(t, o.Status == 0 || b.upstream && o.Status == 200, "%d: there is no answer, or one that comes as the upstream is hung up on", o.Status)
			require.False(t, o.Panicked)
		})
	})
}

// A client that leaves a stream is not the version's failure.
func TestLeavingPasses(t *testing.T) {
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
		}
	}, func(t *testing.T, b *behind) {
		res := b.do(t, t.Context(), "GET", "/", nil)
		_, err := io.ReadFull(res.Body, make([]byte, 8))
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.NoError(t, b.splitter.Drain(t.Context(), "1"))
		b.ended(t, func(o split.Outcome) {
			require.Equal(t, 200, o.Status)
			require.False(t, o.Panicked)
			require.NoError(t, o.Err)
		})
	})
}

// A file is handed to the connection, and is whole.
func TestLongAnswersPass(t *testing.T) {
	page := strings.Repeat("all of it ", 100_000)
	everywhere(t, func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "page.txt", time.Time{}, strings.NewReader(page))
	}, func(t *testing.T, b *behind) {
		for range 3 {
			text, err := io.ReadAll(b.do(t, t.Context(), "GET", "/", nil).Body)
			require.NoError(t, err)
			require.Equal(t, page, string(text))
		}
	})
}
