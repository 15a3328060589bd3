package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

func TestMalformedSuites(t *testing.T) {
	one := []verify.SmokeTest{{Endpoint: "/"}}
	called := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a malformed suite sent something") })
	tests := []struct {
		name  string
		suite verify.Suite
		want  []string
	}{
		{"zero", verify.Suite{}, []string{`URL: want a URL or a Handler, found neither`, `Tests: want at least one test that is not optional`}},
		{"both", verify.Suite{URL: "http://x", Handler: called, Tests: one}, []string{`URL: want a URL or a Handler, found both`}},
		{"empty", verify.Suite{Handler: called}, []string{`Tests: want at least one test that is not optional`}},
		{"only optional tests", verify.Suite{Handler: called, Tests: []verify.SmokeTest{{Endpoint: "/", Optional: true}}}, []string{
			`Tests: want at least one test that is not optional`,
		}},
		{"no scheme", verify.Suite{URL: "localhost:80", Tests: one}, []string{`URL: want http:// or https:// and a host, found "localhost:80"`}},
		{"not a URL", verify.Suite{URL: "http://x:y", Tests: one}, []string{`URL: not a URL: invalid port ":y" after host`}},
		{"password", verify.Suite{URL: "http://u:secret@x", Tests: one}, []string{`URL: want no user name or password in it: they belong in the tests' Header`}},
		{"password of what is not a URL", verify.Suite{URL: "http://u:secret/1@x", Tests: one}, []string{`URL: want no user name or password in it: they belong in the tests' Header`}},
		{"password without a host", verify.Suite{URL: "https:u:secret@x", Tests: one}, []string{`URL: want no user name or password in it: they belong in the tests' Header`}},
		{"query without a host", verify.Suite{URL: "https:x?token=secret", Tests: one}, []string{`URL: want http:// or https:// and a host, found "https:x"`}},
		{"query", verify.Suite{URL: "http://x?token=secret", Tests: one}, []string{`URL: want no query and no fragment`}},
		{"headers that would not be sent, or in any order", verify.Suite{Handler: called, Tests: []verify.SmokeTest{
			{Endpoint: "/", Header: http.Header{"Content-Length": {"1"}, "transfer-encoding": {"chunked"}, "X-A": {"1"}, "x-a": {"2"}}},
		}}, []string{
			`Tests[0].Header.Content-Length: is written by the connection, and cannot be chosen`,
			`Tests[0].Header.transfer-encoding: is written by the connection, and cannot be chosen`,
			`Tests[0].Header.x-a: is X-A again, want one of them with all its values`,
		}},
		{"all at once", verify.Suite{Handler: called, Timeout: -1, Tests: []verify.SmokeTest{
			{Endpoint: "cart", Method: "GE T", Timeout: -time.Second, ExpectedStatus: 99},
			{Endpoint: "/%zz", ExpectedStatus: 600, Header: http.Header{"a b": {"x"}, "C": {"y\r\nz"}}},
			{Endpoint: "/a#b", ExpectedResponse: json.RawMessage(`{"a":1,"a":2,}`)},
			{Endpoint: "/", ExpectedResponse: make(chan int)},
			{Endpoint: "/", ExpectedResponse: []byte(`{}`)},
			{Endpoint: "/", ExpectedResponse: json.RawMessage(nil)},
		}}, []string{
			`Timeout: -1ns is negative`,
			`Tests[0].Method: "GE T" is not an HTTP method`,
			`Tests[0].Endpoint: want a path that begins with "/", found "cart"`,
			`Tests[0].ExpectedStatus: want 200 to 599, found 99`,
			`Tests[0].Timeout: -1s is negative`,
			`Tests[1].Endpoint: "/%zz" is not a path: invalid URL escape "%zz"`,
			`Tests[1].ExpectedStatus: want 200 to 599, found 600`,
			`Tests[1].Header.C: has a control character in its value`,
			`Tests[1].Header["a b"]: not the name of a header`,
			`Tests[2].Endpoint: want no fragment, which is never sent, found "/a#b"`,
			`Tests[2].ExpectedResponse: a (line 1, column 8): duplicate key, the first is at line 1, column 2`,
			`Tests[2].ExpectedResponse: line 1, column 14: found '}', want a key in double quotes`,
			`Tests[3].ExpectedResponse: cannot be written as JSON: json: unsupported type: chan int`,
			`Tests[4].ExpectedResponse: want a json.RawMessage, found a []byte, which JSON would write in base64`,
			`Tests[5].ExpectedResponse: line 1, column 1: found the end of the document, want a value`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := tt.suite.Probe(t.Context())
			if diff := cmp.Diff(tt.want, report.Problems); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if report.Healthy() || len(report.Results) > 0 {
				t.Errorf("got healthy: %v with %d results, want neither", report.Healthy(), len(report.Results))
			}
			err := tt.suite.Check(t.Context())
			require.ErrorIs(t, err, verify.ErrInvalid)
			for _, text := range []string{err.Error(), report.String()} {
				require.NotContains(t, text, "secret")
				for _, problem := range tt.want {
					require.Contains(t, text, problem)
				}
			}
		})
	}
}

func TestHealthy(t *testing.T) {
	result := func(s verify.State, optional bool) verify.Result { return verify.Result{State: s, Optional: optional} }
	tests := []struct {
		name   string
		report verify.Report
		want   bool
	}{
		{"zero", verify.Report{}, false},
		{"passed", verify.Report{Results: []verify.Result{result(verify.Passed, false)}}, true},
		{"one failed", verify.Report{Results: []verify.Result{result(verify.Passed, false), result(verify.Failed, false)}}, false},
		{"one skipped", verify.Report{Results: []verify.Result{result(verify.Passed, false), result(verify.Skipped, false)}}, false},
		{"optional failed", verify.Report{Results: []verify.Result{result(verify.Passed, false), result(verify.Failed, true)}}, true},
		{"optional skipped", verify.Report{Results: []verify.Result{result(verify.Passed, false), result(verify.Skipped, true)}}, true},
		{"only optional", verify.Report{Results: []verify.Result{result(verify.Passed, true)}}, false},
		{"zero result", verify.Report{Results: []verify.Result{{}}}, false},
		{"problems", verify.Report{Problems: []string{"x"}, Results: []verify.Result{result(verify.Passed, false)}}, false},
	}
	for _, tt := range tests {
		if got := tt.report.Healthy(); got != tt.want || tt.report.Summary().Healthy != got {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSummary(t *testing.T) {
	report := verify.Report{Results: []verify.Result{
		{State: verify.Passed, ResponseTime: 10 * time.Millisecond},
		{State: verify.Failed, ResponseTime: 50 * time.Millisecond, Optional: true},
		{State: verify.Skipped},
	}}
	s := report.Summary()
	want := "3 tests: 1 passed, 1 failed, 1 skipped; response time 30ms on average, 50ms at most"
	if got := s.String(); got != want || s.Total != 3 || s.Passed != 1 || s.Failed != 1 || s.Skipped != 1 {
		t.Errorf("got %s, want %s", got, want)
	}
	if average, ok := s.AverageResponseTime(); !ok || average != 30*time.Millisecond {
		t.Errorf("average: got %v %v, want 30ms", average, ok)
	}
	if most, ok := s.MaxResponseTime(); !ok || most != 50*time.Millisecond {
		t.Errorf("max: got %v %v, want 50ms", most, ok)
	}
	for _, none := range []verify.Report{{}, {Results: []verify.Result{{}}}} {
		s := none.Summary()
		_, average := s.AverageResponseTime()
		_, most := s.MaxResponseTime()
		if average || most || strings.Contains(s.String(), "response time") {
			t.Errorf("%s: got a response time although nothing ran", s)
		}
	}
}

func TestSummaryOfMany(t *testing.T) {
	for _, tt := range []struct {
		n    int
		p95  time.Duration
		text string
	}{
		{1, 1, "1 tests: 1 passed (1 flaky), 0 failed, 0 skipped; response time 1s on average, 1s at most"},
		{19, 19, "19 tests: 19 passed (1 flaky), 0 failed, 0 skipped; response time 10s on average, 19s at most"},
		{20, 19, "20 tests: 20 passed (1 flaky), 0 failed, 0 skipped; response time 10.5s on average, P95 19s, 20s at most"},
		{100, 95, "100 tests: 100 passed (1 flaky), 0 failed, 0 skipped; response time 50.5s on average, P95 1m35s, 1m40s at most"},
	} {
		report := verify.Report{}
		for i := range tt.n { // in no order
			report.Results = append(report.Results, verify.Result{
				State: verify.Passed, Flaky: i == 0, ResponseTime: time.Duration(i*37%tt.n+1) * time.Second,
			})
		}
		s := report.Summary()
		if p95, ok := s.P95ResponseTime(); !ok || p95 != tt.p95*time.Second || s.Flaky != 1 {
			t.Errorf("%d: got %v %v with %d flaky, want %v s", tt.n, p95, ok, s.Flaky, tt.p95)
		}
		if got := s.String(); got != tt.text {
			t.Errorf("got %s, want %s", got, tt.text)
		}
	}
	if _, ok := (verify.Summary{}).P95ResponseTime(); ok {
		t.Error("got a P95 of nothing")
	}
}

func TestReportString(t *testing.T) {
	report := verify.Report{Suite: "shop", Target: "http://shop.example", Results: []verify.Result{
		{Name: "GET /", Method: "GET", Endpoint: "/", State: verify.Passed, ResponseTime: 1234567 * time.Nanosecond},
		{Name: "cart", Method: "GET", Endpoint: "/cart", State: verify.Failed, ResponseTime: time.Second, Omitted: 1, Mismatches: []verify.Mismatch{
			{Kind: verify.KindStatus, Path: "status", Want: "200", Got: "500"},
		}},
		{Name: "GET /x", Method: "GET", Endpoint: "/x", Reason: "the suite's 1s are over"},
	}}
	want := `suite "shop" against http://shop.example is not healthy
passed  GET / (1.2ms)
failed  cart (1s)
    cart: GET /cart -> status: want 200, got 500
    cart: GET /cart -> and 1 more
skipped GET /x
    GET /x -> skipped: the suite's 1s are over
3 tests: 1 passed, 1 failed, 1 skipped; response time 500.6ms on average, 1s at most`
	if diff := cmp.Diff(want, report.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := verify.State(9).String(); got != "State(9)" {
		t.Errorf("got %s, want State(9)", got)
	}
	zero := (verify.Report{Suite: "", Target: "a handler", Results: report.Results[:1]}).String()
	require.True(t, strings.HasPrefix(zero, "suite against a handler is healthy\n"), zero)
}

func TestCheckErrors(t *testing.T) {
	suite := verify.Suite{Name: "shop", Handler: shop(), Tests: []verify.SmokeTest{
		{Endpoint: "/cart"},
		{Endpoint: "/down", ExpectedResponse: json.RawMessage(`{}`)},
		{Endpoint: "/down", Optional: true},
	}}
	err := suite.Check(t.Context())
	require.ErrorIs(t, err, verify.ErrUnhealthy)
	want := `suite "shop" against a handler is not healthy: 1 of 3 tests passed
GET /down -> status: want 200, got 503
GET /down -> body: want JSON, got line 1, column 1: found "no", want a value
GET /down (optional) -> status: want 200, got 503`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var typed *verify.Error
	require.ErrorAs(t, err, &typed)
	require.Len(t, typed.Report.Results, 3)

	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	err = suite.Check(ctx)
	require.ErrorIs(t, err, enough)
	require.ErrorContains(t, err, "GET /cart -> skipped: enough")
}
