package split_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

// What was said of the client before is kept, as a handler of this process would see it.
func TestForwarded(t *testing.T) {
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Accept-Encoding", "User-Agent"} {
			_, _ = fmt.Fprintf(w, "%s: %q\n", name, r.Header[name])
		}
	}))
	defer there.Close()
	s := newSplitter(t, split.Options{}, split.Backend{Name: "1", Handler: split.Upstream(parsed(t, there.URL), nil)})
	require.Equal(t, `Forwarded: []
X-Forwarded-For: ["192.0.2.1"]
X-Forwarded-Host: ["example.com"]
X-Forwarded-Proto: ["http"]
Accept-Encoding: []
User-Agent: []
`, ask(s, "GET", nil).Body.String())
	require.Equal(t, `Forwarded: ["for=198.51.100.7"]
X-Forwarded-For: ["198.51.100.7, 192.0.2.1"]
X-Forwarded-Host: ["shop.example"]
X-Forwarded-Proto: ["https"]
Accept-Encoding: ["br"]
User-Agent: ["me"]
`, ask(s, "GET", nil, "Forwarded", "for=198.51.100.7", "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Host", "shop.example",
		"X-Forwarded-Proto", "https", "Accept-Encoding", "br", "User-Agent", "me").Body.String())
}

func TestUpstreamPath(t *testing.T) {
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) }))
	defer there.Close()
	to := parsed(t, there.URL+"/base")
	s := newSplitter(t, split.Options{}, split.Backend{Name: "1", Handler: split.Upstream(to, nil)})
	to.Path = "/changed later"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest("GET", "/a/b?c", nil))
	require.Equal(t, "/base/a/b?c", w.Body.String())
}

// An upstream that does not answer is told apart from one that is not there.
func TestUnanswered(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	gone := &url.URL{Scheme: "http", Host: listener.Addr().String()}
	require.NoError(t, listener.Close())
	var last split.Outcome
	o := split.Options{Outcome: func(o split.Outcome) { last = o }}
	for _, tt := range []struct {
		name      string
		transport http.RoundTripper
		want      int
		retry     string
		text      string
	}{
		{"not running", nil, 503, "1", "no version is serving\n"},
		{"breaks off", failing{io.ErrUnexpectedEOF}, 502, "", "there was no answer\n"},
		{"too slow", failing{context.DeadlineExceeded}, 504, "", "the answer took too long\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSplitter(t, o, split.Backend{Name: "1", Handler: wrapping(split.Upstream(gone, tt.transport))})
			w := ask(s, "GET", nil)
			require.Equal(t, tt.want, w.Code)
			require.Equal(t, tt.retry, w.Header().Get("Retry-After"))
			require.Equal(t, tt.text, w.Body.String(), "and nothing of where it runs")
			require.Equal(t, tt.want, last.Status)
			require.Error(t, last.Err)
		})
	}
	s := newSplitter(t, split.Options{}, split.Backend{Name: "1", Handler: split.Upstream(gone, nil)})
	require.Equal(t, 503, ask(s, "GET", nil).Code)
}

// A request that breaks off is not the upstream's failure.
func TestBrokenRequest(t *testing.T) {
	there := httptest.NewServer(http.HandlerFunc(readAll))
	defer there.Close()
	var last split.Outcome
	s := newSplitter(t, split.Options{Outcome: func(o split.Outcome) { last = o }}, split.Backend{Name: "1", Handler: split.Upstream(parsed(t, there.URL), nil)})
	require.Equal(t, "whole", ask(s, "POST", strings.NewReader("whole")).Body.String())
	require.Equal(t, "whole", ask(s, "POST", io.MultiReader(strings.NewReader("whole"))).Body.String())
	w := ask(s, "POST", io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF)))
	require.Equal(t, 400, w.Code)
	require.Equal(t, "the request broke off\n", w.Body.String())
	require.Equal(t, 400, last.Status)
	require.ErrorIs(t, last.Err, io.ErrUnexpectedEOF)
}

type failing struct{ error }

func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.error }

// wrapping is a middleware between the splitter and an upstream.
func wrapping(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(unwraps{w}, r) })
}

type unwraps struct{ http.ResponseWriter }

func (u unwraps) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// Connections are used again, and Remove lets go of them.
func TestUpstreamConnections(t *testing.T) {
	opened, closed := make(chan struct{}, 16), make(chan struct{}, 16)
	there := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	there.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			opened <- struct{}{}
		case http.StateClosed:
			closed <- struct{}{}
		}
	}
	there.Start()
	defer there.Close()
	s := newSplitter(t, sticky, split.Backend{Name: "1", Handler: split.Upstream(parsed(t, there.URL), nil)}, says("2"))
	for range 5 {
		require.Equal(t, 200, ask(s, "GET", nil).Code)
	}
	require.Len(t, opened, 1)
	require.NoError(t, s.SetWeights(split.Weight{"2", strategy.All}))
	require.NoError(t, s.Remove(t.Context(), "1"))
	<-closed
}
