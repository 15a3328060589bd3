package verify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// probe returns the lines a body leaves in the report of a suite that wants
// expected.
func probe(t testing.TB, expected any, body string) verify.Result {
	t.Helper()
	suite := verify.Suite{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) }),
		Tests:   []verify.SmokeTest{{Endpoint: "/", ExpectedResponse: expected}},
	}
	report := suite.Probe(t.Context())
	require.Empty(t, report.Problems)
	require.Len(t, report.Results, 1)
	return report.Results[0]
}

func strs(mismatches []verify.Mismatch) []string {
	var list []string
	for _, m := range mismatches {
		list = append(list, string(m.Kind)+" "+m.String())
	}
	return list
}

func TestMatching(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		expected, body string
		want           []string
	}{
		{`{}`, `{"a":1}`, nil},
		{`{}`, `[]`, []string{`type $: want {}, got []`}},
		{`{}`, `null`, []string{`type $: want {}, got null`}},
		{`[]`, `[]`, nil},
		{`[]`, `[1]`, []string{`length $: want 0 items, got 1 item`}},
		{`{"a":null}`, `{}`, []string{`missing $.a: want null, got nothing`}},
		{`{"a":null}`, `{"a":null}`, nil},
		{`{"a":null}`, `{"a":0}`, []string{`type $.a: want null, got 0`}},
		{`{"a":0}`, `{"a":null}`, []string{`type $.a: want 0, got null`}},
		{`1`, `1.0`, nil},
		{`1e0`, `1`, nil},
		{`310.1e-1`, `31.01`, nil},
		{`-0`, `0`, nil},
		{`1`, `-1`, []string{`value $: want 1, got -1`}},
		{`1`, `1e400000000`, []string{`value $: want 1, got 1e400000000`}},
		{`1`, `"1"`, []string{`type $: want 1, got "1"`}},
		{`true`, `"true"`, []string{`type $: want true, got "true"`}},
		{`true`, `false`, []string{`value $: want true, got false`}},
		{`9007199254740993`, `9007199254740992`, []string{`value $: want 9007199254740993, got 9007199254740992`}},
		{`0.1`, `0.10000000000000000001`, []string{`value $: want 0.1, got 0.10000000000000000001`}},
		{`{"a":{"b":1}}`, `{"a":{"b":1,"c":2}}`, nil},
		{`[{"a":1}]`, `[{"a":1,"b":2}]`, nil},
		{`[1,2]`, `[2,1]`, []string{`value $[0]: want 1, got 2`, `value $[1]: want 2, got 1`}},
		{`[1,2]`, `[1,2,3]`, []string{`length $: want 2 items, got 3 items`}},
		{`[1,2,2]`, `[1,3]`, []string{`length $: want 3 items, got 2 items`, `value $[1]: want 2, got 3`}},
		{`"qu"`, `"qui"`, []string{`value $: want "qu", got "qui"`}},
		{`"é"`, `"\u00e9"`, nil},
		{`"é"`, `"e\u0301"`, []string{`value $: want "é", got "e\u0301"`}},
		{`{"items":[{},{},{"price":10.5}]}`, `{"items":[{},{},{"price":"10.5"}]}`, []string{`type $.items[2].price: want 10.5, got "10.5"`}},
		{`{"a.b":{"":1}}`, `{"a.b":{}}`, []string{`missing $["a.b"][""]: want 1, got nothing`}},
		{`{"a":1,"b":{"c":2},"d":[3]}`, `{"a":2,"b":{},"d":4}`, []string{
			`value $.a: want 1, got 2`, `missing $.b.c: want 2, got nothing`, `type $.d: want [3], got 4`,
		}},
		{`{}`, `{}x`, []string{`body body: want JSON, got line 1, column 3: trailing data at offset 2: found "x", want the end of the document`}},
		{`{}`, ``, []string{`body body: want JSON, got line 1, column 1: found the end of the document, want a value`}},
		{`{}`, `<html>`, []string{`body body: want JSON, got line 1, column 1: found '<', want a value`}},
		{`{}`, `{"a":1,"a":1}`, []string{`body body: want JSON, got a (line 1, column 8): duplicate key, the first is at line 1, column 2`}},
		{`{}`, "{\"a\":\"\xff\"}", []string{`body body: want JSON, got a (line 1, column 7): found invalid UTF-8 (byte 0xff), want UTF-8`}},
		{nested(100), nested(100), nil},
		{`[]`, nested(101), []string{`body body: want JSON, got ` + cut(strings.Repeat("[0]", 100)+` (line 1`)}},
		{`0`, "[\n 1,\t\"\u202e\u0085x\" ]", []string{`type $: want 0, got [1,"\u202e\u0085x"]`}},
		{`0`, `["a\" b \\", 1]`, []string{`type $: want 0, got ["a\" b \\",1]`}},
		{`""`, `"` + strings.Repeat("é", 100) + `"`, []string{`value $: want "", got "` + strings.Repeat("é", 59) + `...`}},
	}
	for _, tt := range tests {
		t.Run(tt.expected+" "+tt.body, func(t *testing.T) {
			got := probe(t, json.RawMessage(tt.expected), tt.body)
			if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (got.State == verify.Passed) != (tt.want == nil) {
				t.Errorf("got %v with mismatches %v", got.State, got.Mismatches)
			}
		})
	}
}

// cut is where a report cuts text in ASCII.
func cut(s string) string { return s[:120] + "..." }

func TestMatchingOfGoValues(t *testing.T) {
	type cart struct {
		ID    int      `json:"id"`
		Items []string `json:"items"`
	}
	tests := []struct {
		name     string
		expected any
		body     string
		want     []string
	}{
		{"map", map[string]any{"status": "ok"}, `{"status":"ok","more":1}`, nil},
		{"struct", cart{ID: 7, Items: []string{"a"}}, `{"id":7,"items":["a"]}`, nil},
		{"a string is not JSON text", `{}`, `{}`, []string{`type $: want "{}", got {}`}},
		{"number", 10.5, `10.50`, nil},
		{"nil is no expectation", nil, `<html>`, nil},
		{"null is one", json.RawMessage("null"), `<html>`, []string{`body body: want JSON, got line 1, column 1: found '<', want a value`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, strs(probe(t, tt.expected, tt.body).Mismatches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatchingKeepsTwentyMismatches(t *testing.T) {
	want := make([]int, 25)
	got := probe(t, want, "["+strings.TrimSuffix(strings.Repeat("1,", 25), ",")+"]")
	if len(got.Mismatches) != verify.MaxMismatches || got.Omitted != 5 {
		t.Errorf("got %d mismatches and %d omitted, want 20 and 5", len(got.Mismatches), got.Omitted)
	}
	if !strings.HasSuffix(got.String(), "\n    GET / -> and 5 more") {
		t.Errorf("got %s, want it to say that there are 5 more", got)
	}
}

// longExponent is what big.Rat would carry out.
var longExponent = regexp.MustCompile(`[eE][+-]?[0-9]{4,}`)

func FuzzMatching(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":1}`, `{"a":1.0,"b":[]}`}, {`[1,2]`, `[2,1]`}, {`{"a":null}`, `{}`}, {`9007199254740993`, `9007199254740992`}, {`{}`, `{}x`}, {`""`, `"\u0000"`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expected, body string) {
		if longExponent.MatchString(expected + body) {
			return
		}
		suite := verify.Suite{
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, body) }),
			Tests:   []verify.SmokeTest{{Endpoint: "/", ExpectedResponse: json.RawMessage(expected)}},
		}
		report := suite.Probe(t.Context())
		if len(report.Problems) > 0 {
			return
		}
		got := report.Results[0]
		if len(got.Mismatches) > verify.MaxMismatches || (got.State == verify.Passed) != (len(got.Mismatches) == 0) {
			t.Fatalf("%q and %q: %+v", expected, body, got)
		}
		if len(got.Mismatches) > 0 && got.Mismatches[0].Kind == verify.KindBody {
			return
		}
		if want := (obvious{}).fits("$", plain(t, expected), plain(t, body)); want != (got.State == verify.Passed) {
			t.Fatalf("%q and %q: got %v, want a match: %v", expected, body, got.Mismatches, want)
		}
		if again := probe(t, json.RawMessage(body), body); again.State != verify.Passed {
			t.Fatalf("%q does not match itself: %v", body, again.Mismatches)
		}
	})
}

func plain(t *testing.T, text string) (v any) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&v))
	return v
}
