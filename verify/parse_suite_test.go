package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

func suiteJSON(t testing.TB) []byte {
	data, err := os.ReadFile("testdata/suite.json")
	require.NoError(t, err)
	return data
}

// TestParse: testdata/suite.json has everything that a file can say.
func TestParse(t *testing.T) {
	got, err := verify.Parse(suiteJSON(t))
	require.NoError(t, err)
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	want := &verify.Suite{
		Name: "shop", URL: "https://shop.example/v2",
		Timeout: time.Minute, CleanupTimeout: 10 * time.Second, Parallel: 4, Cookies: true, BodyLimit: 65536,
		Secrets: map[string]verify.Secret{"password": "", "token": ""},
		Setup: []verify.SmokeTest{{
			Name: "login", Method: "POST", Endpoint: "/login", Header: http.Header{"Content-Type": {"application/json"}},
			Body: `{"user": "anna", "n": 1.50, "password": "${password}"}`, Capture: map[string]verify.From{"session": {Cookie: "sid"}},
		}},
		Tests: []verify.SmokeTest{
			{Endpoint: "/healthz", ExpectedResponse: raw(`{"status": "ok", "version": null}`)},
			{Endpoint: "/none", Header: http.Header{"Authorization": {"Bearer ${token}"}}, Statuses: []verify.StatusRange{{From: 404}}},
			{Endpoint: "/gone", Statuses: []verify.StatusRange{verify.Status2xx, {From: 304}, {From: 500, To: 503}}, Optional: true},
			{
				Name: "order", Method: "PUT", Endpoint: "/orders/7?s=${session}", Needs: []string{"login"}, Timeout: 2 * time.Second, Redirects: 3,
				Header: http.Header{"Content-Type": {"text/plain"}, "X-Tag": {"a", "b"}}, Body: "hello <${session}>",
				Retry:   verify.Retry{Attempts: 3, Backoff: 50 * time.Millisecond, Max: time.Second, Timeout: 500 * time.Millisecond, AnyMethod: true},
				Capture: map[string]verify.From{"order": {JSON: "$.id"}, "etag": {Header: "Etag"}, "status": {Status: true}},
			},
			{Endpoint: "/items", Expect: []verify.Expectation{
				verify.HeaderIs{Name: "Content-Type", Value: "application/json"},
				verify.HeaderMatches{Name: "Etag", Pattern: `^"[0-9a-f]+"$`},
				verify.HeaderAbsent{Name: "X-Debug"},
				verify.BodyIs{},
				verify.BodyContains{Text: "items"},
				verify.BodyMatches{Pattern: "items|none"},
				verify.JSONEquals{Value: raw("null")},
				verify.JSONContains{
					Value:  raw(`{"items": [{"sku": "b"}, {"sku": "a", "tags": ["new"]}]}`),
					Arrays: map[string]verify.ArrayMode{"$.items": verify.Unordered, "$..tags": verify.ContainsAnyOrder}, Absent: []string{"$.error"},
				},
				verify.JSONContains{Value: raw("[[1], [2]]"), Arrays: map[string]verify.ArrayMode{"$": verify.Positional, "$[*]": verify.ContainsInOrder}},
				verify.JSONPath{Path: "$.items[*].price", Nodes: verify.All, Min: "0.01", Max: "1e3"},
				verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: raw(`["b", "a"]`)},
				verify.JSONPath{Path: "$..sku", Nodes: verify.Any, Pattern: "^a", Type: verify.TypeString, Count: 2},
				verify.JSONPath{Path: "$.name", Equals: raw("null")},
				verify.JSONPath{Path: "$.error", Absent: true},
				verify.TLSExpiry{Remaining: 336 * time.Hour},
				verify.Within{Limit: 300 * time.Millisecond},
				verify.Custom{Name: "stock adds up"},
			}},
		},
		Cleanup: []verify.SmokeTest{{Method: "DELETE", Endpoint: "/orders/${order}", Statuses: []verify.StatusRange{{From: 200}, {From: 404}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got):", diff)
	}
}

// TestParseContentType: JSON says that it is JSON, unless the file does.
func TestParseContentType(t *testing.T) {
	for header, want := range map[string]http.Header{
		`{"X": "1"}`: {"X": {"1"}, "Content-Type": {"application/json"}},
		`{"content-type": "application/merge-patch+json"}`: {"content-type": {"application/merge-patch+json"}},
	} {
		suite, err := verify.Parse([]byte(`{"tests": [{"method": "PATCH", "endpoint": "/", "json": {}, "header": ` + header + `}]}`))
		require.NoError(t, err)
		require.Equal(t, want, suite.Tests[0].Header)
	}
}

// TestSuiteRoundTrip: a suite that was read can be written, and means the same.
func TestSuiteRoundTrip(t *testing.T) {
	survives(t, suiteJSON(t))
	survives(t, []byte(`{"tests": [{"endpoint": "/"}]}`))
	written, err := json.Marshal(verify.Suite{Handler: api, Tests: []verify.SmokeTest{{
		Endpoint: "/", ExpectedStatus: 204, ExpectedResponse: map[string]any{"a": 1}, Header: http.Header{"None": nil},
		Expect: []verify.Expectation{verify.TLSExpiry{}, verify.JSONPath{Path: "$", Equals: "<"}},
	}}})
	require.NoError(t, err)
	require.Equal(t, `{"tests":[{"endpoint":"/","expected_status":204,"expected_response":{"a":1},`+
		`"expect":[{"tls_expiry":"336h0m0s"},{"json_path":{"path":"$","equals":"\u003c"}}]}]}`, string(written))
	survives(t, written)
}

// survives wants what is written of a suite to be read as the same suite.
func survives(t *testing.T, data []byte) {
	t.Helper()
	first, err := verify.Parse(data)
	require.NoError(t, err)
	written, err := json.Marshal(first)
	require.NoError(t, err)
	var second verify.Suite
	require.NoError(t, json.Unmarshal(written, &second), "%s", written)
	same := cmp.Transformer("value", func(raw json.RawMessage) string {
		compact, err := json.Marshal(raw)
		require.NoError(t, err)
		return string(compact)
	})
	if diff := cmp.Diff(*first, second, same); diff != "" {
		t.Errorf("(-read +read again): %s\n%s", diff, written)
	}
}

func TestSuiteThatCannotBeWritten(t *testing.T) {
	for _, tt := range []struct {
		expected verify.Expectation
		want     string
	}{
		{verify.Custom{Name: "a", Func: func(verify.Answer) error { return nil }}, `Setup[0]: Expect[1]: a function cannot be written: want it in the suite's Custom under "a"`},
		{&verify.BodyIs{}, "Setup[0]: Expect[1]: a *verify.BodyIs cannot be written"},
		{nil, "Setup[0]: Expect[1]: a <nil> cannot be written"},
		{verify.JSONEquals{Value: panics{}}, "Setup[0]: Expect[1]: a panic: at the disco"},
		{verify.JSONEquals{Value: func() {}}, "Setup[0]: Expect[1]: json: unsupported type: func()"},
	} {
		_, err := json.Marshal(&verify.Suite{Setup: []verify.SmokeTest{{Expect: []verify.Expectation{verify.BodyIs{}, tt.expected}}}})
		require.ErrorContains(t, err, tt.want)
	}
}

func TestSuiteWithTextsThatAFileCannotHold(t *testing.T) {
	for want, test := range map[string]verify.SmokeTest{
		"Tests[0].Body": {Body: "\xff"}, "Tests[0].Header.A[1]": {Header: http.Header{"A": {"a", "\xff"}}}, "Tests[0].Capture": {Capture: map[string]verify.From{"\xff": {}}},
		"Tests[0].Expect[1].BodyIs":           {Expect: []verify.Expectation{verify.BodyIs{}, verify.BodyIs{Text: "\xff"}}},
		"Tests[0].Expect[0].JSONPath.Pattern": {Expect: []verify.Expectation{verify.JSONPath{Pattern: "\xff"}}},
	} {
		_, err := json.Marshal(&verify.Suite{Tests: []verify.SmokeTest{test}})
		require.ErrorContains(t, err, ": "+want+": invalid UTF-8, which a file cannot hold")
	}
	_, err := json.Marshal(&verify.Suite{Tests: []verify.SmokeTest{{ExpectedResponse: json.RawMessage("1"), Body: "\ufffd"}}})
	require.NoError(t, err)
}

// TestParseCustom: functions are found by name, and a suite without them sends
// nothing.
func TestParseCustom(t *testing.T) {
	suite, err := verify.Parse([]byte(`{"tests": [{"endpoint": "/healthz", "expect": [{"custom": "old enough"}]}]}`))
	require.NoError(t, err)
	suite.Handler = api
	require.Equal(t, []string{"Tests[0].Expect[0].Func: want a function, found nil"}, suite.Probe(t.Context()).Problems)

	suite.Custom = map[string]func(verify.Answer) error{"old enough": func(a verify.Answer) error {
		if !strings.Contains(string(a.Body), `"version": "2`) {
			return errors.New("it is from before version 2")
		}
		return nil
	}}
	require.ErrorContains(t, suite.Check(t.Context()), "GET /healthz -> old enough: want no error, got an error: it is from before version 2")
}

// TestParseLeavesTheTargetOpen: where a suite is sent to may be said later, also if
// only some targets have certificates.
func TestParseLeavesTheTargetOpen(t *testing.T) {
	suite, err := verify.Parse([]byte(`{"tests": [{"endpoint": "/", "expect": [{"tls_expiry": "1h"}]}]}`))
	require.NoError(t, err)
	require.Equal(t, []string{"URL: want a URL or a Handler, found neither"}, suite.Probe(t.Context()).Problems)
	suite.Handler = api
	require.Equal(t, []string{"Tests[0].Expect[0]: want an https URL, since nothing else has certificates"}, suite.Probe(t.Context()).Problems)
}

// TestParseSecrets: a file names them, and has nothing sent before they are given.
func TestParseSecrets(t *testing.T) {
	suite, err := verify.Parse([]byte(`{"secrets": ["token"], "tests": [{"endpoint": "/${token}"}]}`))
	require.NoError(t, err)
	suite.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/hunter2" {
			http.NotFound(w, r)
		}
	})
	require.Equal(t, []string{"Secrets.token: want 4 to 4096 bytes, found 0"}, suite.Probe(t.Context()).Problems)
	suite.Secrets["token"] = "hunter2"
	require.NoError(t, suite.Check(t.Context()))
	written, err := json.Marshal(suite)
	require.NoError(t, err)
	require.Equal(t, `{"tests":[{"endpoint":"/${token}"}],"secrets":["token"]}`, string(written))
}

// TestHintsAreBounded: a file may be wrong in thousands of places.
func TestHintsAreBounded(t *testing.T) {
	var tests []string
	for i := range 2000 {
		tests = append(tests, fmt.Sprintf(`{"name": "t%d", "endpoint": "/${xy%[1]d}", "needs": ["u%[1]d"], "capture": {"yy%[1]d": {"status": true}}}`, i))
	}
	_, err := verify.Parse([]byte(`{"tests": [` + strings.Join(tests, ",\n") + `]}`))
	problems := refused(t, err)
	require.Len(t, problems, 4000)
	require.Equal(t, 50, strings.Count(err.Error(), "did you mean"))
}

func TestParseError(t *testing.T) {
	_, err := verify.Parse([]byte(`{"name": "shop", "tests": []}`))
	require.EqualError(t, err, "suite \"shop\" is malformed:\ntests (line 1, column 27): want at least one test that is not optional")
	_, err = verify.Parse([]byte(`{"tests": []}`))
	require.EqualError(t, err, "suite is malformed:\ntests (line 1, column 11): want at least one test that is not optional")

	suite := verify.Suite{Name: "kept"}
	require.ErrorIs(t, json.Unmarshal([]byte(`{"tests": []}`), &suite), verify.ErrInvalid)
	require.Equal(t, "kept", suite.Name)
}
