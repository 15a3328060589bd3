package verify_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// TestCredentialsAreHidden is about what nobody declared.
func TestCredentialsAreHidden(t *testing.T) {
	const session, other, basic, key, sent = "s3ss10n-5e55ion", "0th3rC00kie", "b4sicPassw0rd", "k3yOfTheApi99", "c00kieThatIsSent"
	pair := base64.StdEncoding.EncodeToString([]byte("bob:" + basic))
	says := map[string]string{
		"/set": session, "/other": other, "/jar": session, "/basic": basic, "/pair": pair, "/key": key, "/bearer": key + "2", "/sent": sent, "/captured": session,
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/set" || r.URL.Path == "/other" {
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: session})
			w.Header().Add("Set-Cookie", "other="+other+"; Path=/nowhere")
		}
		_, _ = io.WriteString(w, says[r.URL.Path])
	})
	header := http.Header{
		"authorization": {"Basic " + pair}, "x-api-key": {key}, "Cookie": {"a=" + sent}, "Proxy-Authorization": {"Bearer " + key + "2"},
	}
	empty := []verify.Expectation{verify.BodyIs{}}
	suite := &verify.Suite{
		Cookies: true, Handler: handler,
		Tests: []verify.SmokeTest{
			{Endpoint: "/set", Expect: []verify.Expectation{
				verify.BodyIs{}, verify.HeaderIs{Name: "Set-Cookie", Value: "sid=" + session + "x"},
				verify.HeaderAbsent{Name: "set-cookie"}, verify.HeaderMatches{Name: "Set-Cookie", Pattern: "^$"},
			}},
			{Endpoint: "/other", Expect: empty},
			{Endpoint: "/jar", Expect: empty},
			{Endpoint: "/basic", Expect: empty, Header: header},
			{Endpoint: "/pair", Expect: empty, Header: header},
			{Endpoint: "/key", Expect: empty, Header: header},
			{Endpoint: "/bearer", Expect: empty, Header: header},
			{Endpoint: "/sent", Expect: empty, Header: header},
			{Endpoint: "/", ExpectedStatus: 404, Header: http.Header{"Authorization": {"abc"}}},
		},
	}
	captured := &verify.Suite{Handler: handler, Tests: []verify.SmokeTest{
		{Endpoint: "/set", Capture: map[string]verify.From{"sid": {Cookie: "sid"}}},
		{Endpoint: "/captured?s=${sid}", Expect: empty},
		{Endpoint: "/basic", Expect: empty, Header: http.Header{"Authorization": {"Basic " + pair}}},
		{Endpoint: "/key", Expect: empty, Header: http.Header{"X-Api-Key": {key}}},
	}}
	got, more := outputs(t, suite), outputs(t, captured)
	require.Contains(t, got["text"], "header Set-Cookie: want [secret], got [secret]")
	require.Contains(t, got["text"], `-H 'Cookie: [secret]' -H Accept: "$URL"/jar`)
	require.NotContains(t, got["text"], "abc")
	for _, secret := range []string{session, other, basic, pair, key, sent} {
		leaks(t, secret, "credential", got)
		leaks(t, secret, "credential", more)
	}
}

// TestEdgesOfSecrets is about where one begins and ends.
func TestEdgesOfSecrets(t *testing.T) {
	long, counted := strings.Repeat("x", 110), ""
	for i := range 1000 {
		counted += strconv.Itoa(1000 + i)
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name, secret, body string
		expect             verify.Expectation
		want               string
	}{
		{"overlap", "abab1abab", "<abab1abab1abab>", verify.BodyIs{}, `body: want "", got "<[secret]>"`},
		{"in another", "4567", "<0123456789>", verify.BodyIs{}, `body: want "", got "<[secret]>"`},
		{"within base64", "hunter22", "<" + base64.StdEncoding.EncodeToString([]byte("u:hunter22!!")) + ">", verify.BodyIs{}, `body: want "", got "<dT[secret]Eh>"`},
		{"base64 in lines", "hunter22hunter33", "<" + encode("hunter22hunter33")[:10] + "\r\n" + encode("hunter22hunter33")[10:] + ">", verify.BodyIs{}, `body: want "", got "<[secret]==>"`},
		{"base64 twice", "hunter22hunter33", "<" + encode(encode("hunter22hunter33")) + ">", verify.BodyIs{}, `body: want "", got "<[secret]09>"`},
		{"base64 of JSON", `hunter"22`, encode(`{"p":"hunter\"22"}`), verify.BodyIs{}, `body: want "", got "eyJwIjoi[secret]J9"`},
		{"base64 of a beginning", "hunter22hunter33", long + encode("u:hunter22hunter33"), verify.BodyIs{}, `body: want "", got "` + long + `dT[secret...`},
		{"without space", " hunter22 ", "<hunter22>", verify.BodyIs{}, `body: want "", got "<[secret]>"`},
		{
			"before a difference", "hunter22hunter22hunter22", long + "hunter22hunter22hunter22..x", verify.BodyIs{Text: long + "hunter22hunter22hunter22..y"},
			`body: want "[secret]..y" at byte 110, got "[secret]..x" at byte 110`,
		},
		{"in what is expected", "hunter22", `{"a": 1}`, verify.JSONPath{Path: "$.a", Equals: long + "hunter22"}, `$.a: want "` + long + `[secret]", got 1`},
		{
			"in a name", "hunter22", "", verify.Custom{Name: long + "hunter22", Func: func(verify.Answer) error { return errors.New("no") }},
			long + "[secret]: want no error, got an error: no",
		},
		{
			"in a labyrinth", "hunter22", "hunter22" + strings.Repeat(`%2525252541\\\\n&amp;amp;amp;amp;lt;`, 15000), verify.JSONEquals{Value: 1},
			`body: want JSON, got line 1, column 1: found "[secret]", want a value`,
		},
		{"in a labyrinth that is shown", "hunter22", "hunter22" + strings.Repeat(`%2525252541\\\\n&amp;amp;amp;amp;lt;`, 1000), verify.BodyIs{}, `body: want "", got "[secret]"`},
		{"cut in a problem", "9876543210hunter22", "[" + strings.Repeat("x", 50) + "9876543210hunter22]", verify.JSONEquals{Value: 1}, `body: want JSON, got [0] (line 1, column 2): found "` + strings.Repeat("x", 50) + `[secret]...", want a value`},
		{"begun by a problem", "12hunter22", "[12hunter22]", verify.JSONEquals{Value: 1}, `body: want JSON, got what is not, at a secret in it`},
		{"that is JSON", `{"a": "b c"}`, `[{"a": "b c"}]`, verify.JSONEquals{Value: 1}, `$: want 1, got [[secret]]`},
		{"as long as its mark", "[secret]", "<[secret]>", verify.BodyIs{}, `body: want "", got "<[secret]>"`},
		{"in its mark", "secr", "<secret>secret", verify.BodyIs{}, `body: want "", got "<[secret]et>[secret]et"`},
		{"cut where it is looked at", counted, counted[:3000], verify.BodyIs{}, `body: want "", got "[secret]..."`},
	}
	for _, tt := range tests {
		suite := &verify.Suite{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, tt.body) }),
			Secrets: map[string]verify.Secret{"a": verify.Secret(tt.secret), "b": "0123456789"},
			Tests:   []verify.SmokeTest{{Endpoint: "/", Expect: []verify.Expectation{tt.expect}}},
		}
		result := suite.Probe(t.Context()).Results[0]
		require.Len(t, result.Mismatches, 1, tt.name)
		if got := result.Mismatches[0].String(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}
