package verify_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// handlers do all that a handler can do to an answer.
var handlers = map[string]http.HandlerFunc{
	"nothing":       func(http.ResponseWriter, *http.Request) {},
	"a status":      func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(418) },
	"sniffed":       func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "<html><body>x") },
	"two statuses":  func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(201); w.WriteHeader(500) },
	"a late header": func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(200); w.Header().Set("Late", "1") },
	"an interim":    func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); _, _ = io.WriteString(w, "x") },
	"204 with a body": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(204)
		_, err := io.WriteString(w, "x")
		note(r, err)
	},
	"304 with a body": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(304)
		_, err := io.WriteString(w, "x")
		note(r, err)
	},
	"long": func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, strings.Repeat("long ", 20000)) },
	"copied": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, strings.NewReader(strings.Repeat("x", 9000)))
	},
	"flushed": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "a")
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, "b")
	},
	"too much": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, err := io.WriteString(w, "xyz")
		note(r, err)
	},
	"too little": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		_, _ = io.WriteString(w, "xyz")
	},
	"a wrong length": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "x")
		_, _ = io.WriteString(w, "xyz")
	},
	"closes": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "xyz")
	},
	"line breaks": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X", "a\r\nEvil: b")
		_, _ = io.WriteString(w, "xyz")
	},
	"a large header": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X", strings.Repeat("x", 50000)) },
	"many headers": func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X"] = strings.Split(strings.Repeat("x,", 500), ",")
	},
	"trailers": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X")
		_, _ = io.WriteString(w, "x")
		w.Header().Set("X", "1")
	},
	"reads all": func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n, err)
	},
	"reads a little": func(w http.ResponseWriter, r *http.Request) {
		_, err := r.Body.Read(make([]byte, 1))
		_, _ = fmt.Fprint(w, err == nil)
	},
	"reads up to": func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 10))
		_, _ = fmt.Fprint(w, err)
	},
	"full duplex": func(w http.ResponseWriter, r *http.Request) {
		note(r, http.NewResponseController(w).EnableFullDuplex())
		_, _ = io.WriteString(w, "a")
		_, _ = io.Copy(w, r.Body)
	},
	"aborts": func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
	"aborts half way": func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		panic(http.ErrAbortHandler)
	},
	"what it sees": func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "%s %s %s %v %v %d %v %v", r.Method, r.RequestURI, r.Proto, r.Header, r.TransferEncoding, r.ContentLength, r.Close, r.TLS)
	},
	"hijacks":                  hijacker("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"),
	"hijacks to the end":       hijacker("HTTP/1.0 200 OK\r\n\r\n[]"),
	"hijacks and cuts":         hijacker("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[]"),
	"hijacks and says nothing": hijacker(""),
	"hijacks and has an endless header": func(w http.ResponseWriter, r *http.Request) {
		hijacker("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("y", 3<<20))(w, r)
	},
	"deadlines": func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		note(r, c.SetReadDeadline(time.Now().Add(time.Hour)))
		note(r, c.SetWriteDeadline(time.Time{}))
		_, _ = io.WriteString(w, "x")
	},
	"more than is read": func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return // nobody would stop it
		}
		_, _ = io.Copy(w, endless{})
	},
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

func hijacker(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = io.WriteString(c, text)
			_ = c.Close()
		}
	}
}

// notes are what handlers were told.
type notes struct {
	mu sync.Mutex
	by map[string][]string // by what was asked for
}

func note(r *http.Request, err error) {
	told := r.Context().Value(noteKey{}).(*notes)
	told.mu.Lock()
	defer told.mu.Unlock()
	told.by[r.RequestURI] = append(told.by[r.RequestURI], fmt.Sprint(err))
}

type noteKey struct{}

// cause is what the two ways say in words of their own.
var cause = regexp.MustCompile(`(none|a part): .*\]$`)

func TestAHandlerBehavesAsItDoesBehindASocket(t *testing.T) {
	nothingStays(t)
	requests := []verify.SmokeTest{
		{Method: "GET"}, {Method: "HEAD"}, {Method: "OPTIONS"}, {Method: "DELETE"}, {Method: "POST"}, {Method: "POST", Body: "small"},
		{Method: "PUT", Body: strings.Repeat("large", 200_000)}, {Method: "POST", Body: strings.Repeat("x", 5000)},
		{Method: "GET", Header: http.Header{"X": {strings.Repeat("x", 10_000)}}}, {Method: "GET", Header: http.Header{"Expect": {"nonsense"}}},
		{Method: "GET", Header: http.Header{"Connection": {"close"}, "X-Two": {"1", "2"}, "Accept-Encoding": {"identity"}}},
		{Method: "GET", Header: http.Header{"X": {strings.Repeat("x", 2<<20)}}}, // more than a server reads
	}
	var told notes
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			_, _ = io.WriteString(w, "plain")
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), noteKey{}, &told))
		handlers[r.URL.Path[1:]](w, r)
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	see := func(suite verify.Suite) []string {
		told.by = map[string][]string{}
		suite.BodyLimit = 200_000
		answers := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(handlers)) {
			for i, request := range requests {
				if strings.HasPrefix(name, "hijacks") || strings.HasPrefix(name, "aborts") {
					request.Body = "" // which a socket that is closed would not bear
				}
				at := fmt.Sprintf("/%s?%d", url.PathEscape(name), i)
				request.Endpoint, request.Statuses = at, []verify.StatusRange{{From: 200, To: 599}}
				request.Expect = []verify.Expectation{verify.Custom{Name: "kept", Func: func(a verify.Answer) error {
					a.Header.Del("Date")
					answers[at] = fmt.Sprintf("%d %v %.100q %d", a.Status, a.Header, a.Body, len(a.Body))
					return nil
				}}}
				suite.Tests = append(suite.Tests, request, verify.SmokeTest{Endpoint: "/", Expect: []verify.Expectation{verify.BodyIs{Text: "plain"}}})
			}
		}
		report := suite.Probe(t.Context())
		require.Empty(t, report.Problems)
		var seen []string
		for i, r := range report.Results {
			if i%2 == 1 {
				require.Equal(t, verify.Passed, r.State, "after %v: %v", report.Results[i-1], r)
				continue
			}
			text := cause.ReplaceAllString(fmt.Sprint(r.Status, strs(r.Mismatches)), "$1")
			seen = append(seen, fmt.Sprintf("%s %s: %s; %s; told %v", r.Method, r.Endpoint, answers[r.Endpoint], text, told.by[r.Endpoint]))
		}
		return seen
	}
	if diff := cmp.Diff(see(verify.Suite{URL: server.URL}), see(verify.Suite{Handler: handler})); diff != "" {
		t.Errorf("(-URL +Handler):\n%s", diff)
	}
}

func TestABodyThatIsExpected(t *testing.T) {
	server := httptest.NewServer(handlers["reads all"])
	defer server.Close()
	for _, suite := range []verify.Suite{{URL: server.URL}, {Handler: handlers["reads all"]}} {
		suite.Tests = []verify.SmokeTest{{
			Method: "POST", Endpoint: "/", Body: strings.Repeat("x", 5000), Header: http.Header{"Expect": {"100-continue"}},
			Expect: []verify.Expectation{verify.BodyIs{Text: "5000 <nil>"}},
		}}
		require.NoError(t, suite.Check(t.Context()))
	}
}

// TestAHandlerThatKeepsItsConnection: what is left of a long request is not waited
// for, and the handler sees the client go.
func TestAHandlerThatKeepsItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, size := range []int{1, 1 << 16} {
			var read error
			suite := verify.Suite{
				Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					c, _, err := http.NewResponseController(w).Hijack()
					require.NoError(t, err)
					_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
					require.NoError(t, err)
					go func() {
						time.Sleep(time.Second)
						_, read = io.Copy(io.Discard, c)
					}()
				}),
				Tests: []verify.SmokeTest{{Method: "POST", Endpoint: "/", Body: strings.Repeat("x", size)}},
			}
			report := suite.Probe(t.Context())
			require.True(t, report.Healthy(), report)
			require.Zero(t, report.Took)
			time.Sleep(2 * time.Second)
			synctest.Wait()
			require.NoError(t, read)
		}
	})
}

// TestAHandlerThatClosesItsServer closes none that another test needs.
func TestAHandlerThatClosesItsServer(t *testing.T) {
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			require.NoError(t, r.Context().Value(http.ServerContextKey).(*http.Server).Close())
		}),
		Tests: []verify.SmokeTest{{Endpoint: "/a"}, {Endpoint: "/b"}},
	}
	require.NoError(t, suite.Check(t.Context()))
}

func TestAHandlerWithAnEndlessHeader(t *testing.T) {
	suite := verify.Suite{Handler: handlers["hijacks and has an endless header"], Tests: []verify.SmokeTest{{Endpoint: "/"}}}
	require.ErrorContains(t, suite.Check(t.Context()), "request: want an answer, got none: more than 1048576 bytes of header")
}

func TestALingeringServerIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		suite := verify.Suite{Handler: handlers["nothing"], Tests: []verify.SmokeTest{
			{Endpoint: "/", ExpectedStatus: 431, Header: http.Header{"X": {strings.Repeat("x", 2<<20)}}}, {Endpoint: "/"},
		}}
		report := suite.Probe(t.Context())
		require.True(t, report.Healthy(), report)
		require.Zero(t, report.Results[0].ResponseTime)
	})
}

func TestAHandlerThatIsStuckKeepsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		mux := http.NewServeMux()
		mux.HandleFunc("/stuck", func(http.ResponseWriter, *http.Request) { <-release })
		mux.HandleFunc("POST /stuck", func(w http.ResponseWriter, r *http.Request) { <-release; _, _ = io.Copy(io.Discard, r.Body) })
		mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
		suite := verify.Suite{Handler: mux, Tests: []verify.SmokeTest{
			{Endpoint: "/stuck"}, {Endpoint: "/"}, {Endpoint: "/stuck", Method: "POST", Body: strings.Repeat("x", 1<<20)}, {Endpoint: "/"},
		}}
		report := suite.Probe(t.Context())
		require.Equal(t, 10*time.Second, report.Took)
		for i, r := range report.Results {
			require.Equal(t, i%2 == 1, r.State == verify.Passed, r)
		}
		close(release)
		time.Sleep(time.Second) // net/http lets a connection linger for half of it; then the bubble ends, and nothing stays behind
	})
}
