package verify_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

func TestSecretsDoNotPrint(t *testing.T) {
	s := verify.Secret("hunter22")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "a", s, "b", struct{ S verify.Secret }{s})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "a", s, "b", map[string]verify.Secret{"s": s})
	encoded, err := json.Marshal(map[string]any{"a": s, "b": []verify.Secret{s}})
	require.NoError(t, err)
	printed := fmt.Sprint(s, &s, []verify.Secret{s}, verify.Suite{Secrets: map[string]verify.Secret{"s": s}}) +
		fmt.Sprintf("%s %q %v %+v %#v %x %X %d %t %5.2s", s, s, s, s, s, s, s, s, s, s)
	for _, text := range []string{log.String(), string(encoded), printed, s.String(), s.GoString()} {
		require.NotContains(t, text, "unter2")
		require.NotContains(t, text, hex.EncodeToString([]byte("unter2")))
		require.Contains(t, text, "[secret]")
	}
}

func TestProblemsOfSecrets(t *testing.T) {
	suite := verify.Suite{
		Handler: http.NotFoundHandler(),
		Secrets: map[string]verify.Secret{
			"short": "abc", "long": verify.Secret(strings.Repeat("y", 4097)), "bad": "abc\xff", "a b": "12345678", "token": "t0psecret",
		},
		Tests: []verify.SmokeTest{
			{Endpoint: "/${tokn}"},
			{Endpoint: "/t0psecret#", Capture: map[string]verify.From{"token": {Status: true}}},
			{Endpoint: "/${" + strings.Repeat("x", 55) + "t0psecret"},
			{Endpoint: "/", ExpectedResponse: json.RawMessage(strings.Repeat("x", 55) + "t0psecret")},
		},
	}
	got := suite.Probe(t.Context()).Problems
	want := []string{
		`Secrets["a b"]: want a name of letters, digits, '_' and '-', found "a b"`,
		`Secrets.bad: want UTF-8`,
		`Secrets.long: want 4 to 4096 bytes, found 4097`,
		`Secrets.short: want 4 to 4096 bytes, found 3`,
		`Tests[1].Endpoint: want no fragment, which is never sent, found "/[secret]#"`,
		`Tests[2].Endpoint: want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${` + strings.Repeat("x", 55) + `[secr..."`,
		`Tests[3].ExpectedResponse: line 1, column 1: found "` + strings.Repeat("x", 55) + `[secret]...", want a value`,
		`Tests[1].Capture.token: it is the name of a secret already`,
		`Tests[0]: nothing captures ${tokn}, did you mean ${token}?`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSecretsAreSent(t *testing.T) {
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.URL.Path+" "+r.URL.Query().Get("q")+" "+r.Header.Get("Authorization")+" "+string(body))
		}),
		Secrets: map[string]verify.Secret{"token": `a b"c/d`},
		Tests: []verify.SmokeTest{{
			Method: "POST", Endpoint: "/${token}?q=${token}", Header: http.Header{"Authorization": {"Bearer ${token}"}}, Body: `{"t": "${token}"}`,
			Expect: []verify.Expectation{verify.BodyIs{Text: `/a b"c/d a b"c/d Bearer a b"c/d {"t": "a b\"c/d"}`}},
		}},
	}
	require.NoError(t, suite.Check(t.Context()))
}

// ways are how a text may be written, by what others write it with.
var ways = map[string]func(string) string{
	"raw":         func(s string) string { return s },
	"path":        url.PathEscape,
	"query":       url.QueryEscape,
	"json":        func(s string) string { b, _ := json.Marshal(s); return string(b[1 : len(b)-1]) },
	"go":          func(s string) string { q := strconv.QuoteToASCII(s); return q[1 : len(q)-1] },
	"html":        html.EscapeString,
	"hex":         func(s string) string { return hex.EncodeToString([]byte(s)) },
	"HEX":         func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"base64":      func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64url":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"basic of 1":  func(s string) string { return base64.StdEncoding.EncodeToString([]byte("u:" + s)) },
	"basic of 2":  func(s string) string { return base64.URLEncoding.EncodeToString([]byte("us:" + s)) },
	"basic of 3":  func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte("use:" + s + "\n")) },
	"every point": func(s string) string { return every(s, `\u%04x`) },
	"every byte":  func(s string) string { return every(s, `%%%02X`) },
	"every &#":    func(s string) string { return every(s, `&#x%x;`) },
}

// every writes each character with a format for bytes, for UTF-16 or for characters.
func every(s, format string) string {
	var b strings.Builder
	for _, r := range s {
		switch format[:2] {
		case "%%":
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, format, c)
			}
		case `\u`:
			for _, c := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, format, c)
			}
		default:
			fmt.Fprintf(&b, format, r)
		}
	}
	return b.String()
}

func wayNames() []string {
	var names []string
	for name := range ways {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// encodes says whether a way leaves nothing as it was. What else is done before
// is not undone.
func encodes(way string) bool {
	return strings.HasPrefix(strings.ToLower(way), "hex") || strings.HasPrefix(way, "bas")
}

// parts are pieces of a secret in the forms that stand alone: if a text shows one
// of them, it shows a part of the secret. In base64 they are away from its ends.
func parts(secret string) []string {
	const size = 8
	var list []string
	pieces := func(s string) {
		for i := 0; i+size <= len(s); i++ {
			if part := s[i : i+size]; !strings.Contains(part, "&#") { // which is there anyway
				list = append(list, part)
			}
		}
	}
	for _, way := range []string{"raw", "path", "query", "json", "html", "hex", "HEX", "base64", "base64url"} {
		pieces(ways[way](secret))
	}
	for _, way := range []string{"basic of 1", "basic of 2", "basic of 3"} {
		pieces(ways[way](secret)[6:])
	}
	return list
}

// secretOf is mostly letters, so that parts of it are the same in most forms.
func secretOf(r *rand.Rand, n int) string {
	odd := []string{`"`, `\`, "/", "+", "%", "&", "<", "'", " ", "é", "$", "=", ":", "😀"}
	var b strings.Builder
	for i := range n {
		if c := r.IntN(8); c == 0 && i > 0 && i < n-1 { // what surrounds a value is lost in headers
			b.WriteString(odd[r.IntN(len(odd))])
		} else {
			b.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[r.IntN(62)])
		}
	}
	return b.String()
}

// hostile answers in many ways with what it was told to.
func hostile(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		quoted, _ := json.Marshal(text)
		switch r.URL.Path {
		case "/text":
			_, _ = io.WriteString(w, text)
		case "/json":
			fmt.Fprintf(w, `{"a": %s, "b": [%s, {"c": %s}], "d": 7}`, quoted, quoted, quoted)
		case "/key":
			fmt.Fprintf(w, `{%s: {%s: 1}, "a": "b"}`, quoted, quoted)
		case "/twice":
			fmt.Fprintf(w, `{%s: 1, %s: 2}`, quoted, quoted)
		case "/header":
			w.Header().Set("X-Echo", strings.ToValidUTF8(text, ""))
			w.Header().Set("Location", "/"+url.PathEscape(text))
			w.WriteHeader(http.StatusFound)
		case "/panic":
			panic(text)
		}
	})
}

// asks is a suite whose every test fails, and shows as much as it can.
func asks(secret, text string) *verify.Suite {
	all := []verify.Expectation{
		verify.BodyIs{Text: "x"}, verify.BodyContains{Text: "no such text"}, verify.BodyMatches{Pattern: "^nothing$"},
		verify.HeaderIs{Name: "X-Echo", Value: "x"}, verify.HeaderAbsent{Name: "X-Echo"},
		verify.JSONEquals{Value: map[string]any{"a": 1, "b": []int{}}}, verify.JSONContains{Value: map[string]any{"a": text + "x", "d": text}},
		verify.JSONContains{Value: map[string]any{"b": []any{text, text}}, Arrays: map[string]verify.ArrayMode{"$.b": verify.Unordered}},
		verify.JSONPath{Path: "$..*", Nodes: verify.Any, Equals: text + "!"}, verify.JSONPath{Path: "$.a", Equals: 1},
		verify.Custom{Name: "own", Func: func(a verify.Answer) error { return fmt.Errorf("found %q and %s", a.Body, text) }},
		verify.Custom{Name: "panics", Func: func(a verify.Answer) error { panic(errors.New(text)) }},
	}
	suite := &verify.Suite{
		Name: "of " + secret, Handler: hostile(text), Secrets: map[string]verify.Secret{"token": verify.Secret(secret)},
	}
	for _, path := range []string{"/text", "/json", "/key", "/twice", "/header", "/panic"} {
		suite.Tests = append(suite.Tests, verify.SmokeTest{
			Name: path + " " + secret, Endpoint: path + "?q=${token}", Method: "PUT", Redirects: 1, Expect: all,
			Header: http.Header{"X-Token": {"${token}"}, "Authorization": {"Basic ${token}"}}, Body: `{"t": "${token}", "u": ["${token}"]}`,
		})
	}
	suite.Tests = append(suite.Tests, verify.SmokeTest{Endpoint: "/text", Needs: []string{"/key " + secret}, Retry: verify.Retry{Attempts: 2, Backoff: 1}})
	return suite
}

// outputs are all that a run gives away.
func outputs(t testing.TB, suite *verify.Suite) map[string]string {
	told := ""
	suite.OnStart = func(r verify.Result) { told += fmt.Sprintf("%+v\n", r) }
	suite.OnResult = suite.OnStart
	err := suite.Check(t.Context())
	var typed *verify.Error
	require.ErrorAs(t, err, &typed)
	return written(t, typed, told)
}

func leaks(t testing.TB, secret, how string, outputs map[string]string) {
	t.Helper()
	for name, text := range outputs {
		for _, part := range parts(secret) {
			if at := strings.Index(text, part); at >= 0 {
				t.Fatalf("%s of %q shows %q, a part of the secret %q: ...%s", how, name, part, secret, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}

// TestNoSecretInAnyOutput sends a secret in all places, and gets it back in all
// forms and places, at the edge of what is cut too.
func TestNoSecretInAnyOutput(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	names := wayNames()
	for i := range 150 {
		secret := secretOf(r, 12+r.IntN(30))
		if i%10 == 0 {
			secret = secretOf(r, 200)
		}
		inner, outer := names[i%len(names)], names[r.IntN(len(names))]
		if i < 3*len(names) || encodes(outer) {
			outer = "raw"
		}
		text := strings.Repeat(".", r.IntN(140)) + ways[outer](ways[inner](secret)) + strings.Repeat("-", r.IntN(3))
		if i%3 == 0 {
			text += text
		}
		leaks(t, secret, outer+" of "+inner, outputs(t, asks(secret, text)))
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add("hunter22", "..hunter22..", byte(0), byte(0))
	f.Fuzz(func(t *testing.T, secret, around string, inner, outer byte) {
		names := wayNames()
		if strings.TrimSpace(secret) != secret || len(secret) < 8 || len(secret) > 100 || strings.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }) {
			return
		}
		if encodes(names[int(outer)%len(names)]) {
			outer = inner
			inner = byte(slices.Index(names, "raw"))
		}
		text := around + ways[names[int(outer)%len(names)]](ways[names[int(inner)%len(names)]](secret)) + around
		if strings.Contains(strings.Repeat("[secret]", 3), secret) {
			return
		}
		for name, out := range outputs(t, asks(secret, text)) {
			if strings.Contains(out, secret) {
				t.Fatalf("%s shows %q:\n%s", name, secret, out)
			}
		}
	})
}
