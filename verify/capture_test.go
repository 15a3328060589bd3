package verify_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// mirror answers /give with a body, a header and cookies, and anything else with
// what it was sent.
type mirror struct {
	body, header string
	cookies      []*http.Cookie

	uri, sentHeader, sentCookie, sentBody string
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/give" {
		for _, c := range m.cookies {
			http.SetCookie(w, c)
		}
		w.Header()["X-Value"] = []string{m.header}
		_, _ = io.WriteString(w, m.body)
		return
	}
	body, _ := io.ReadAll(r.Body)
	m.uri, m.sentHeader, m.sentCookie, m.sentBody = r.RequestURI, r.Header.Get("X-Got"), r.Header.Get("Cookie"), string(body)
}

func TestCapturedValuesStayOneValue(t *testing.T) {
	hostile := `a/b?c=d&e#f%2e "quoted\" ` + "\u00e9 } ${id}"
	tests := []struct {
		name       string
		body       string // of the answer
		from       verify.From
		test       verify.SmokeTest
		uri        string
		header     string
		cookie     string
		sent       string
		mismatches []string
	}{
		{name: "a number as it was written", body: `{"id":1.50e3}`, test: verify.SmokeTest{Endpoint: "/u/${v}?v=${v}", Body: `{"v":${v},"s":"v${v}"}`},
			uri: "/u/1.50e3?v=1.50e3", sent: `{"v":1.50e3,"s":"v1.50e3"}`},
		{name: "a large number", body: `{"id":9007199254740993}`, test: verify.SmokeTest{Endpoint: "/", Body: `[${v}]`}, uri: "/", sent: `[9007199254740993]`},
		{name: "a string", body: `{"id":"7"}`, test: verify.SmokeTest{Endpoint: "/${v}", Body: `{"v":${v},"s":"${v}${v}"}`}, uri: "/7", sent: `{"v":"7","s":"77"}`},
		{name: "true", body: `{"id":true}`, test: verify.SmokeTest{Endpoint: "/${v}", Body: `${v}`}, uri: "/true", sent: "true"},
		{name: "null", body: `{"id":null}`, test: verify.SmokeTest{Endpoint: "/", Body: `{"v":${v}}`}, uri: "/", sent: `{"v":null}`},
		{name: "an object", body: `{"id":{"a":[1, "x"]}}`, test: verify.SmokeTest{Endpoint: "/", Body: `{"v":${v}}`}, uri: "/", sent: `{"v":{"a":[1, "x"]}}`},
		{name: "a hostile string in a path and a query", body: marshal(map[string]any{"id": hostile}), test: verify.SmokeTest{Endpoint: "/u/${v}/x?a=${v}&b=1"},
			uri: "/u/" + url.PathEscape(hostile) + "/x?a=" + url.QueryEscape(hostile) + "&b=1"},
		{name: "a hostile string in JSON", body: marshal(map[string]any{"id": hostile}), test: verify.SmokeTest{Endpoint: "/", Body: `{"${v}":${v},"s":"<${v}>"}`},
			uri: "/", sent: `{` + marshal(hostile) + `:` + marshal(hostile) + `,"s":"<` + marshal(hostile)[1:len(marshal(hostile))-1] + `>"}`},
		{name: "a hostile string in a form", body: marshal(map[string]any{"id": hostile}), test: verify.SmokeTest{Endpoint: "/", Body: "a=${v}&b=1", Header: http.Header{"content-type": {"application/x-www-form-urlencoded; charset=utf-8"}}},
			uri: "/", sent: "a=" + url.QueryEscape(hostile) + "&b=1"},
		{name: "in plain text", body: `{"id":"<x>"}`, test: verify.SmokeTest{Endpoint: "/", Body: "v is ${v}, $${v}, $5 and $", Header: http.Header{"Content-Type": {"text/plain"}}},
			uri: "/", sent: "v is <x>, ${v}, $5 and $"},
		{name: "nothing but a value in plain text", body: `{"id":"<x>"}`, test: verify.SmokeTest{Endpoint: "/", Body: "${v}", Header: http.Header{"Content-Type": {"text/plain"}}}, uri: "/", sent: "<x>"},
		{name: "nothing but a value in a form", body: `{"id":"<x>"}`, test: verify.SmokeTest{Endpoint: "/", Body: "${v}", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}}, uri: "/", sent: "%3Cx%3E"},
		{name: "nothing but a value in JSON", body: `{"id":"<x>"}`, test: verify.SmokeTest{Endpoint: "/", Body: "${v}", Header: http.Header{"Content-Type": {"text/json"}}}, uri: "/", sent: `"\u003cx\u003e"`},
		{name: "JSON that is sent as text", body: `{"id":"\"x"}`, test: verify.SmokeTest{Endpoint: "/", Body: `[${v}]`, Header: http.Header{"Content-Type": {"text/plain"}}}, uri: "/", sent: `["\"x"]`},
		{name: "in a cookie", body: `{"id":"x y=1"}`, test: verify.SmokeTest{Endpoint: "/", Header: http.Header{"cookie": {"a=${v}"}}}, uri: "/", cookie: "a=x y=1"},
		{name: "in a header", body: `{"id":"x y"}`, test: verify.SmokeTest{Endpoint: "/", Header: http.Header{"x-got": {"Bearer ${v}"}}}, uri: "/", header: "Bearer x y"},
		{name: "from a header", from: verify.From{Header: "x-value"}, test: verify.SmokeTest{Endpoint: "/${v}"}, uri: "/of%20header"},
		{name: "from a cookie", from: verify.From{Cookie: "session"}, test: verify.SmokeTest{Endpoint: "/${v}"}, uri: "/s1"},
		{name: "from the status", from: verify.From{Status: true}, test: verify.SmokeTest{Endpoint: "/${v}", Body: "${v}"}, uri: "/200", sent: "200"},

		{name: "an object in a path", body: `{"id":{}}`, test: verify.SmokeTest{Endpoint: "/${v}"}, mismatches: []string{`capture Endpoint: want a value for its place, got ${v}: an object`}},
		{name: "an array in a string", body: `{"id":[]}`, test: verify.SmokeTest{Endpoint: "/", Body: `"${v}"`}, mismatches: []string{`capture Body: want a value for its place, got ${v}: an array`}},
		{name: "null in a query", body: `{"id":null}`, test: verify.SmokeTest{Endpoint: "/?${v}"}, mismatches: []string{`capture Endpoint: want a value for its place, got ${v}: null`}},
		{name: "nothing in a path", body: `{"id":""}`, test: verify.SmokeTest{Endpoint: "/a/${v}"}, mismatches: []string{`capture Endpoint: want a value for its place, got ${v}: an empty text`}},
		{name: "nothing in a query", body: `{"id":""}`, test: verify.SmokeTest{Endpoint: "/?a=${v}"}, uri: "/?a="},
		{name: "steps in a path", body: `{"id":"."}`, test: verify.SmokeTest{Endpoint: "/a/${v}${v}/b"}, mismatches: []string{
			`capture Endpoint: want a value for its place, got a segment "." or "..", which leads elsewhere`,
		}},
		{name: "a line break in a header", body: `{"id":"x\r\nEvil: 1"}`, test: verify.SmokeTest{Endpoint: "/", Header: http.Header{"X-Got": {"${v}"}}}, mismatches: []string{
			`capture header X-Got: want a value for its place, got ${v}: a control character`,
		}},
		{name: "one more cookie", body: `{"id":"x; admin=1"}`, test: verify.SmokeTest{Endpoint: "/", Header: http.Header{"cookie": {"a=${v}"}}}, mismatches: []string{
			`capture header Cookie: want a value for its place, got ${v}: a text with ; or , in it, which begin another cookie`,
		}},
		{name: "all that is wrong", body: `{"id":{}}`, test: verify.SmokeTest{Endpoint: "/${v}", Body: `"${v}"`, Header: http.Header{"X-Got": {"${v}"}}}, mismatches: []string{
			`capture Endpoint: want a value for its place, got ${v}: an object`, `capture header X-Got: want a value for its place, got ${v}: an object`,
			`capture Body: want a value for its place, got ${v}: an object`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &mirror{body: tt.body, header: "of header", cookies: []*http.Cookie{{Name: "session", Value: "s1"}}}
			if tt.from == (verify.From{}) {
				tt.from = verify.From{JSON: "$.id"}
			}
			tt.test.Name = "use"
			report := (&verify.Suite{Handler: m, Tests: []verify.SmokeTest{
				{Endpoint: "/give", Capture: map[string]verify.From{"v": tt.from}}, tt.test,
			}}).Probe(t.Context())
			require.Empty(t, report.Problems)
			if diff := cmp.Diff(tt.mismatches, strs(report.Results[1].Mismatches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			got, want := [4]string{m.uri, m.sentHeader, m.sentCookie, m.sentBody}, [4]string{tt.uri, tt.header, tt.cookie, tt.sent}
			if got != want {
				t.Errorf("sent %q, want %q", got, want)
			}
		})
	}
}

func marshal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestCapturesThatFail(t *testing.T) {
	tests := []struct {
		from verify.From
		want string
	}{
		{verify.From{JSON: "$.none"}, `capture $.none: want one value, got nothing`},
		{verify.From{JSON: "$.list[*]"}, `capture $.list[*]: want one value, got 2`},
		{verify.From{Header: "X-None"}, `capture header X-None: want one value, got nothing`},
		{verify.From{Header: "Set-Cookie"}, `capture header Set-Cookie: want one value, got 4`},
		{verify.From{Cookie: "none"}, `capture cookie none: want one value, got nothing`},
		{verify.From{Cookie: "gone"}, `capture cookie gone: want one value, got nothing`},
		{verify.From{Cookie: "twice"}, `capture cookie twice: want one value, got 2`},
	}
	m := &mirror{body: `{"list":[1,2]}`, cookies: []*http.Cookie{
		{Name: "gone", Value: "x", MaxAge: -1}, {Name: "twice", Value: "1"}, {Name: "twice", Value: "2"}, {Name: "once", Value: "1"},
	}}
	for _, tt := range tests {
		report := (&verify.Suite{Handler: m, Tests: []verify.SmokeTest{
			{Name: "give", Endpoint: "/give", Capture: map[string]verify.From{"v": tt.from}}, {Endpoint: "/${v}"},
		}}).Probe(t.Context())
		if diff := cmp.Diff([]string{tt.want}, strs(report.Results[0].Mismatches)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", tt.from, diff)
		}
		if got, want := report.Results[1].Reason, `needs "give", which failed`; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	require.Empty(t, m.uri)
}

func TestACaptureOfABodyThatIsNotJSONOrTooLong(t *testing.T) {
	for body, want := range map[string]string{
		"x":      `body body: want JSON, got line 1, column 1: found "x", want a value`,
		`"long"`: `body body: want at most 5 bytes, got more`,
	} {
		report := (&verify.Suite{BodyLimit: 5, Handler: &mirror{body: body}, Tests: []verify.SmokeTest{
			{Endpoint: "/give", Capture: map[string]verify.From{"v": {JSON: "$"}}},
		}}).Probe(t.Context())
		if diff := cmp.Diff([]string{want}, strs(report.Results[0].Mismatches)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestProblemsOfCaptures(t *testing.T) {
	give := func(from map[string]verify.From) verify.SmokeTest {
		return verify.SmokeTest{Endpoint: "/give", Capture: from}
	}
	tests := []struct {
		name  string
		tests []verify.SmokeTest
		want  []string
	}{
		{"nobody captures it", []verify.SmokeTest{give(map[string]verify.From{"cart": {Status: true}}), {Endpoint: "/${card}", Body: `"${x}"`}}, []string{
			"Tests[1]: nothing captures ${card}, did you mean ${cart}?", "Tests[1]: nothing captures ${x}",
		}},
		{"twice", []verify.SmokeTest{give(map[string]verify.From{"v": {Status: true}}), give(map[string]verify.From{"v": {Status: true}})}, []string{
			"Tests[1].Capture.v: Tests[0] captures it already",
		}},
		{"from nowhere and from everywhere", []verify.SmokeTest{give(map[string]verify.From{"a": {}, "b": {JSON: "$", Header: "x", Cookie: "y", Status: true}})}, []string{
			"Tests[0].Capture.a: want one of JSON, Header, Cookie and Status, found none",
			"Tests[0].Capture.b: want one of JSON, Header, Cookie and Status, found four",
		}},
		{"names", []verify.SmokeTest{
			give(map[string]verify.From{"a b": {Status: true}, "": {Status: true}, "c": {Header: "x y"}}),
			{Endpoint: "/${}"}, {Endpoint: "/${c"}, {Endpoint: "/", Body: "${a b}"}, {Endpoint: "/", Header: http.Header{"X": {"$${c}${"}}},
		}, []string{
			`Tests[0].Capture[""]: want a name of letters, digits, '_' and '-', found ""`,
			`Tests[0].Capture["a b"]: want a name of letters, digits, '_' and '-', found "a b"`,
			`Tests[0].Capture.c.Header: "x y" is not the name of a header`,
			`Tests[1].Endpoint: want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${}"`,
			`Tests[2].Endpoint: want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${c"`,
			`Tests[3].Body: want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${a b}"`,
			`Tests[4].Header.X: want "${", a name of letters, digits, '_' and '-', and "}", or "$${" for "${" itself, found "${"`,
		}},
		{"a body that is neither JSON nor said to be anything else", []verify.SmokeTest{
			give(map[string]verify.From{"v": {Status: true}}), {Endpoint: "/", Body: `{"v":${v}`}, {Endpoint: "/", Body: `v${v}`, Header: http.Header{"content-type": {"application/problem+json"}}},
			{Endpoint: "/", Body: `{"a\${v}":1}`}, {Endpoint: "/", Body: `["\${v}n"]`}, {Endpoint: "/", Body: `["\u00${v}41"]`},
		}, []string{
			"Tests[1].Body: want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither",
			"Tests[2].Body: want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither",
			"Tests[3].Body: want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither",
			"Tests[4].Body: want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither",
			"Tests[5].Body: want JSON with ${...} as its values or in its strings, or a Content-Type that says what else it is, found neither",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report := (&verify.Suite{Handler: &mirror{}, Tests: tt.tests}).Probe(t.Context())
			if diff := cmp.Diff(tt.want, report.Problems); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzCapture holds that no value breaks out of its place.
func FuzzCapture(f *testing.F) {
	for _, s := range []string{"", "x", `","admin":true,"x":"`, "../..", "..", "a?b#c", "\x00", "\r\nX: y", "\xff", "%2e%2e", "${v}", "é\u2028"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m := &mirror{body: marshal(s)}
		report := (&verify.Suite{Handler: m, Tests: []verify.SmokeTest{
			{Endpoint: "/give", Capture: map[string]verify.From{"v": {JSON: "$"}}},
			{Endpoint: "/u/x${v}/end?a=${v}&b=1", Body: `{"value":${v},"text":"x${v}y"}`},
		}}).Probe(t.Context())
		require.Empty(t, report.Problems)
		if s == "" {
			require.Equal(t, verify.Failed, report.Results[1].State)
			return
		}
		require.True(t, report.Healthy(), report)
		if !utf8.ValidString(s) {
			require.NoError(t, json.Unmarshal([]byte(m.body), &s)) // what was sent instead
		}
		u, err := url.ParseRequestURI(m.uri)
		require.NoError(t, err)
		require.Equal(t, "/u/x"+s+"/end", u.Path)
		require.Equal(t, url.Values{"a": {s}, "b": {"1"}}, u.Query())
		var sent map[string]any
		require.NoError(t, json.Unmarshal([]byte(m.sentBody), &sent))
		require.Equal(t, map[string]any{"value": s, "text": fmt.Sprintf("x%sy", s)}, sent)
	})
}
