package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// shop is a service with everything a probe can meet.
func shop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"items":[{"price":1},{"price":2},{"price":"10.5"}],"user":"`+r.FormValue("user")+`"}`)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"method": r.Method, "body": string(body), "agent": r.UserAgent(), "host": r.Host, "length": r.ContentLength,
			"key": r.Header["X-Key"], "encoding": r.Header["Accept-Encoding"], "remote": r.RemoteAddr != "", "close": r.Close, "uri": r.RequestURI,
		})
	})
	mux.HandleFunc("/down", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) })
	mux.Handle("/old", http.RedirectHandler("/cart", http.StatusFound))
	mux.HandleFunc("/lost", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "://")
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/empty", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/limit", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", verify.BodyLimit-2)+`"`)
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `"`+strings.Repeat("x", verify.BodyLimit-1)+`"`)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/short", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "short")
	})
	mux.HandleFunc("/abort", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/hijack", func(w http.ResponseWriter, r *http.Request) {
		c, buffer, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = buffer.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
			_ = buffer.Flush()
			_ = c.Close()
		}
	})
	return mux
}

// tests pairs each test of the shop with what it leaves in a report.
var shopTests = []struct {
	test verify.SmokeTest
	want []string
}{
	{verify.SmokeTest{Endpoint: "/cart?user=42", ExpectedResponse: json.RawMessage(`{"user":"42"}`)}, nil},
	{verify.SmokeTest{Endpoint: "/cart", ExpectedResponse: json.RawMessage(`{"items":[{},{},{"price":10.5}]}`)}, []string{
		`GET /cart -> $.items[2].price: want 10.5, got "10.5"`,
	}},
	{verify.SmokeTest{Name: "no cart", Endpoint: "/cart", ExpectedStatus: 404, ExpectedResponse: json.RawMessage(`{"items":1}`)}, []string{
		`no cart: GET /cart -> status: want 404, got 200`,
		`no cart: GET /cart -> $.items: want 1, got [{"price":1},{"price":2},{"price":"10.5"}]`,
	}},
	{verify.SmokeTest{
		Method: "POST", Endpoint: "/echo?x=%2F", Body: "hello", Header: http.Header{"x-key": {"a", "b"}, "Host": {"shop.example"}},
		ExpectedResponse: json.RawMessage(`{"method":"POST","body":"hello","agent":"guidon-verify","host":"shop.example","length":5,"key":["a","b"],"encoding":null,"remote":true,"close":false,"uri":"/echo?x=%2F"}`),
	}, nil},
	{verify.SmokeTest{Endpoint: "/echo", Header: http.Header{"User-Agent": {"me"}}, ExpectedResponse: json.RawMessage(`{"agent":"me","length":0,"body":""}`)}, nil},
	{verify.SmokeTest{Endpoint: "/down"}, []string{`GET /down -> status: want 200, got 503`}},
	{verify.SmokeTest{Endpoint: "/down", ExpectedStatus: 503}, nil},
	{verify.SmokeTest{Endpoint: "/down", Optional: true}, []string{`GET /down (optional) -> status: want 200, got 503`}},
	{verify.SmokeTest{Endpoint: "/old"}, []string{`GET /old -> status: want 200, got 302`}},
	{verify.SmokeTest{Endpoint: "/old", ExpectedStatus: 302}, nil},
	{verify.SmokeTest{Endpoint: "/lost", ExpectedStatus: 302}, nil},
	{verify.SmokeTest{Endpoint: "/empty", ExpectedStatus: 204}, nil},
	{verify.SmokeTest{Endpoint: "/empty", ExpectedStatus: 204, ExpectedResponse: json.RawMessage(`{}`)}, []string{
		`GET /empty -> body: want JSON, got line 1, column 1: found the end of the document, want a value`,
	}},
	{verify.SmokeTest{Method: "HEAD", Endpoint: "/echo"}, nil},
	{verify.SmokeTest{Endpoint: "/nowhere", ExpectedStatus: 404}, nil},
	{verify.SmokeTest{Endpoint: "/limit", ExpectedResponse: strings.Repeat("x", verify.BodyLimit-2)}, nil},
	{verify.SmokeTest{Endpoint: "/long", ExpectedResponse: ""}, []string{`GET /long -> body: want at most 1048576 bytes, got more`}},
	{verify.SmokeTest{Endpoint: "/long"}, nil},
	{verify.SmokeTest{Endpoint: "/endless"}, nil},
	{verify.SmokeTest{Endpoint: "/short"}, []string{`GET /short -> body: want all of it, got a part: unexpected EOF`}},
	{verify.SmokeTest{Endpoint: "/abort"}, []string{`GET /abort -> request: want an answer, got none: EOF`}},
	{verify.SmokeTest{Endpoint: "/echo", Header: http.Header{"Expect": {"the server to answer"}}}, []string{`GET /echo -> status: want 200, got 417`}},
	{verify.SmokeTest{Endpoint: "/hijack", ExpectedResponse: json.RawMessage(`[]`)}, nil},
}

func TestSuiteSeesTheSameThroughASocketAndWithout(t *testing.T) {
	server := httptest.NewServer(shop())
	defer server.Close()
	suites := map[string]*verify.Suite{"URL": {URL: server.URL}, "Handler": {Handler: shop()}}
	for name, suite := range suites {
		for _, tt := range shopTests {
			suite.Tests = append(suite.Tests, tt.test)
		}
		report := suite.Probe(t.Context())
		require.Empty(t, report.Problems)
		require.Len(t, report.Results, len(shopTests))
		for i, tt := range shopTests {
			got := strings.Split(report.Results[i].String(), "\n    ")[1:]
			if diff := cmp.Diff(strings.Join(tt.want, "\n"), strings.Join(got, "\n")); diff != "" {
				t.Errorf("%s: %s %s (-want +got):\n%s", name, tt.test.Method, tt.test.Endpoint, diff)
			}
			if passed := report.Results[i].State == verify.Passed; passed != (tt.want == nil) {
				t.Errorf("%s: %s: got %v", name, tt.test.Endpoint, report.Results[i].State)
			}
		}
		for i := range report.Results {
			report.Results[i].ResponseTime, report.Results[i].Phases, report.Results[i].Curl = 0, verify.Phases{}, ""
		}
		suites[name] = &verify.Suite{Name: report.String()}
	}
	without := func(text string) string { // where it went, and how long it took
		_, text, _ = strings.Cut(text, "\n")
		text, _, _ = strings.Cut(text, "; response time")
		return text
	}
	if diff := cmp.Diff(without(suites["URL"].Name), without(suites["Handler"].Name)); diff != "" {
		t.Errorf("the reports differ (-URL +Handler):\n%s", diff)
	}
}

func TestSuiteAppendsEndpointsToItsURL(t *testing.T) {
	server := httptest.NewServer(http.StripPrefix("/v2", shop()))
	defer server.Close()
	for _, base := range []string{"/v2", "/v2/"} {
		suite := verify.Suite{URL: server.URL + base, Tests: []verify.SmokeTest{{
			Endpoint: "/echo", ExpectedResponse: map[string]any{"uri": "/v2/echo"},
		}}}
		require.NoError(t, suite.Check(t.Context()))
	}
}

func TestSuiteWithNobodyThere(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	suite := verify.Suite{URL: server.URL, Tests: []verify.SmokeTest{{Endpoint: "/"}}}
	err := suite.Check(t.Context())
	require.ErrorIs(t, err, verify.ErrUnhealthy)
	require.ErrorContains(t, err, "connection refused")
}

// TestMain sets a proxy for the whole process, because net/http reads it once.
func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, name := range []string{"HTTP_PROXY", "http_proxy"} {
		if err := os.Setenv(name, proxy.URL); err != nil {
			panic(err)
		}
	}
	roots := trust(soon, late, short)
	code := m.Run()
	_ = os.Remove(roots)
	os.Exit(code)
}

func TestSuiteTakesNoProxyFromTheEnvironment(t *testing.T) {
	suite := verify.Suite{URL: "http://shop.invalid", Tests: []verify.SmokeTest{{Endpoint: "/"}}}
	require.Error(t, suite.Check(t.Context()))
}

func TestSuiteVerifiesCertificates(t *testing.T) {
	server := httptest.NewUnstartedServer(shop())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	suite := verify.Suite{URL: server.URL, Tests: []verify.SmokeTest{{Endpoint: "/cart"}}}
	require.ErrorContains(t, suite.Check(t.Context()), "certificate")
}

func TestHandlerThatPanics(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"at once", func(http.ResponseWriter, *http.Request) { panic("boom\x1b[31m") }, `request: want an answer, got a panic: boom\u001b[31m`},
		{"with nil", func(http.ResponseWriter, *http.Request) { panic(nil) }, `request: want an answer, got a panic: ` + new(runtime.PanicNilError).Error()},
		{"after an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "2")
			_, _ = io.WriteString(w, "{}")
			_ = http.NewResponseController(w).Flush()
			panic(errors.New("late"))
		}, `request: want an answer, got a panic: late`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			suite := verify.Suite{Handler: tt.handler, Tests: []verify.SmokeTest{
				{Endpoint: "/"}, {Endpoint: "/again", ExpectedResponse: map[string]any{}},
			}}
			report := suite.Probe(t.Context())
			require.Len(t, report.Results, 2)
			for _, r := range report.Results {
				if diff := cmp.Diff([]string{"panic " + tt.want}, strs(r.Mismatches)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestHandlerThatLeavesItsGoroutine(t *testing.T) {
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { (&testing.T{}).SkipNow() }),
		Tests:   []verify.SmokeTest{{Endpoint: "/"}},
	}
	require.ErrorContains(t, suite.Check(t.Context()), "a handler that left its goroutine")
}

type key struct{}

func TestHandlerSeesTheValuesOfTheContext(t *testing.T) {
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Context().Value(key{})) }),
		Tests:   []verify.SmokeTest{{Endpoint: "/", ExpectedResponse: 7}},
	}
	require.NoError(t, suite.Check(context.WithValue(t.Context(), key{}, 7)))
}

func TestTimeouts(t *testing.T) {
	stuck := make(chan struct{})
	wait := func(d time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(d):
			case <-r.Context().Done():
			}
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/4s", wait(4*time.Second))
	mux.Handle("/6s", wait(6*time.Second))
	mux.HandleFunc("/stuck", func(http.ResponseWriter, *http.Request) { <-stuck })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/lingers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "2")
		_, _ = io.WriteString(w, "{}")
		_ = http.NewResponseController(w).Flush()
		<-stuck
	})
	tests := []struct {
		name    string
		suite   verify.Suite
		cancel  time.Duration
		took    time.Duration
		average time.Duration
		want    []string
	}{
		{"in time", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/4s"}}}, 0, 4 * time.Second, 4 * time.Second, nil},
		{"the test's default", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/6s"}, {Endpoint: "/4s"}}}, 0, 9 * time.Second, 4500 * time.Millisecond, []string{
			`GET /6s -> request: want an answer, got none: the test's 5s are over`,
		}},
		{"the test's own", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/6s", Timeout: 7 * time.Second}}}, 0, 6 * time.Second, 6 * time.Second, nil},
		{"a handler that ignores its context", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/stuck"}, {Endpoint: "/4s"}}}, 0, 9 * time.Second, 4500 * time.Millisecond, []string{
			`GET /stuck -> request: want an answer, got none: the test's 5s are over`,
		}},
		{"in the body", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/half"}}}, 0, 5 * time.Second, 5 * time.Second, []string{
			`GET /half -> body: want all of it, got a part: the test's 5s are over`,
		}},
		{"a handler that answers and does not return", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/lingers"}}}, 0, 5 * time.Second, 0, []string{
			`GET /lingers -> request: want a handler that returns, got none: the test's 5s are over`,
		}},
		{"the suite's", verify.Suite{Timeout: 6 * time.Second, Tests: []verify.SmokeTest{{Endpoint: "/4s"}, {Endpoint: "/4s"}, {Endpoint: "/4s"}}}, 0, 6 * time.Second, 3 * time.Second, []string{
			`GET /4s -> request: want an answer, got none: the suite's 6s are over`,
			`GET /4s -> skipped: the suite's 6s are over`,
		}},
		{"the suite's default", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/stuck", Timeout: time.Hour}}}, 0, time.Minute, time.Minute, []string{
			`GET /stuck -> request: want an answer, got none: the suite's 1m0s are over`,
		}},
		{"the context's", verify.Suite{Tests: []verify.SmokeTest{{Endpoint: "/4s"}, {Endpoint: "/4s"}}}, 3 * time.Second, 3 * time.Second, 3 * time.Second, []string{
			`GET /4s -> request: want an answer, got none: enough`,
			`GET /4s -> skipped: enough`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck = make(chan struct{})
				defer close(stuck) // and then the bubble ends: nothing else stays behind
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cancel > 0 {
					time.AfterFunc(tt.cancel, func() { cancel(errors.New("enough")) })
				}
				tt.suite.Handler = mux
				report := tt.suite.Probe(ctx)
				var got []string
				for _, r := range report.Results {
					got = append(got, strings.Split(r.String(), "\n    ")[1:]...)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if report.Took != tt.took || report.Healthy() != (tt.want == nil) {
					t.Errorf("took %v and is healthy: %v, want %v and %v", report.Took, report.Healthy(), tt.took, tt.want == nil)
				}
				if average, _ := report.Summary().AverageResponseTime(); average != tt.average {
					t.Errorf("got an average of %v, want %v", average, tt.average)
				}
			})
		})
	}
}

func TestHandlerIsToldWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan error, 1)
		suite := verify.Suite{
			Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				<-r.Context().Done()
				told <- r.Context().Err()
			}),
			Tests: []verify.SmokeTest{{Endpoint: "/"}},
		}
		require.Error(t, suite.Check(t.Context()))
		require.Error(t, <-told)
	})
}
