package verify_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// TestCredentialsOfOtherTests wants what one test has sent, got or captured in no
// result of another, earlier ones included, and not where those are cut.
func TestCredentialsOfOtherTests(t *testing.T) {
	const token = "t0k3n-0f-th3-us3r-9f8e7d6c"
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cookie" {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: token, Path: "/nowhere"})
		}
		fmt.Fprintf(w, `{"a": "%s", "b": %q, "c": "%s"}`, strings.Repeat(".", 100)+token, token, base64.StdEncoding.EncodeToString([]byte("u:"+token)))
	})
	fails := []verify.Expectation{verify.BodyIs{}, verify.JSONEquals{Value: map[string]any{"a": 1, "b": 2, "c": 3}}}
	says := verify.SmokeTest{Name: "says", Endpoint: "/", Expect: fails}
	login := verify.SmokeTest{Name: "login", Endpoint: "/", Expect: fails, Capture: map[string]verify.From{"token": {JSON: "$.b"}}}
	bearer := http.Header{"Authorization": {"Bearer ${token}"}}
	for name, suite := range map[string]*verify.Suite{
		"Set-Cookie":    {Tests: []verify.SmokeTest{says, {Endpoint: "/cookie"}, says}},
		"Authorization": {Tests: []verify.SmokeTest{says, {Endpoint: "/", Header: http.Header{"Authorization": {"Bearer " + token}}}, says}},
		"in a place of its own": {Tests: []verify.SmokeTest{
			{Name: "with " + token, Endpoint: "/?key=" + token, ExpectedStatus: 404, Header: http.Header{"x-api-key": {token}}},
		}},
		"captured":              {Tests: []verify.SmokeTest{says, login, says}, Cleanup: []verify.SmokeTest{{Endpoint: "/", Header: bearer}}},
		"captured and not sent": {Tests: []verify.SmokeTest{login, {Needs: []string{"login"}, Endpoint: "/", Header: bearer}}},
	} {
		for i := range suite.Tests { // names are used once
			if i > 0 && suite.Tests[i].Name == "says" {
				suite.Tests[i].Name = "says again"
			}
		}
		suite.Handler = handler
		if name != "in a place of its own" {
			suite.Tests[0].Expect = fails
		}
		out := outputs(t, suite)
		if strings.HasPrefix(name, "Set-Cookie") || name == "captured" {
			delete(out, "told") // before it was known
		}
		leaks(t, token, name, out)
	}
}

// TestCallbacksHideWhatIsKnown is about a test that ends after another has sent what
// its answer shows.
func TestCallbacksHideWhatIsKnown(t *testing.T) {
	const session = "s3ss10n-5e55ion"
	told := ""
	suite := &verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.SetCookie(w, &http.Cookie{Name: "sid", Value: session})
			}
			_, _ = io.WriteString(w, session)
		}),
		Tests:    []verify.SmokeTest{{Endpoint: "/"}, {Endpoint: "/again", Expect: []verify.Expectation{verify.BodyIs{}}}},
		OnResult: func(r verify.Result) { told += fmt.Sprintf("%+v", r) },
	}
	require.False(t, suite.Probe(t.Context()).Healthy())
	require.Contains(t, told, "[secret]")
	require.NotContains(t, told, session)
}

func TestPartsOfCredentials(t *testing.T) {
	const secret = "t0k3n-9f8e7d6c5b"
	tests := []struct{ name, value string }{
		{"X-Api-Key", secret},
		{"Authorization", "Bearer\t" + secret},
		{"Authorization", `Token token="` + secret + `", option=1`},
		{"Authorization", `Digest username="admin", realm="long enough", uri="/", response="` + secret + `"`},
		{"Authorization", "Basic " + base64.RawStdEncoding.EncodeToString([]byte("u:"+secret))},
		{"Cookie", "a=b; sid=" + secret},
		{"Cookie", "sid=t0k3n%2D9f8e7d6c5b"},
	}
	for _, tt := range tests {
		suite := &verify.Suite{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "long enough "+secret) }),
			Tests:   []verify.SmokeTest{{Endpoint: "/", Header: http.Header{tt.name: {tt.value}}, Expect: []verify.Expectation{verify.BodyIs{}}}},
		}
		require.Equal(t, `body: want "", got "long enough [secret]"`, suite.Probe(t.Context()).Results[0].Mismatches[0].String(), tt.value)
	}
}

// TestFloodOfCookies wants what cannot be looked for in all that is written to be
// shown nowhere.
func TestFloodOfCookies(t *testing.T) {
	for _, tt := range []struct {
		name, format, body string
		want               string
	}{
		{"alike", "a=%01000d", strings.Repeat("0", 5000), `body: want "", got "[secret]"`},
		{"too many", "a=%d" + strings.Repeat("x", 15000), "hello", `[secret]: want [secret], got [secret]`},
	} {
		sent := 0
		suite := &verify.Suite{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for range 30 {
				sent++
				w.Header().Add("Set-Cookie", fmt.Sprintf(tt.format, sent))
			}
			_, _ = io.WriteString(w, tt.body)
		})}
		for i := range 10 {
			suite.Tests = append(suite.Tests, verify.SmokeTest{Endpoint: fmt.Sprint("/", i), Expect: []verify.Expectation{verify.BodyIs{}}})
		}
		for _, r := range suite.Probe(t.Context()).Results {
			require.Equal(t, tt.want, r.Mismatches[0].String(), tt.name)
		}
	}
}
