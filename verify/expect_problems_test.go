package verify_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/verify"
)

// panics is what a host may hand in.
type panics struct{ verify.Expectation }

func (panics) MarshalJSON() ([]byte, error) { panic("at the disco") }

func TestMalformedExpectations(t *testing.T) {
	var none *verify.HeaderIs
	ok := json.RawMessage(`{"items":[{"tags":[1]}],"n":1}`)
	tests := []struct {
		expected verify.Expectation
		want     []string
	}{
		{nil, []string{`: want an expectation, found nil`}},
		{none, []string{`: want an expectation, found nil`}},
		{panics{}, []string{`: want an expectation, found a verify_test.panics that ends with a panic: runtime error: invalid memory address or nil pointer dereference`}},
		{verify.JSONEquals{Value: panics{}}, []string{`.Value: cannot be written as JSON: a panic: at the disco`}},
		{verify.HeaderIs{}, []string{`.Name: "" is not the name of a header`}},
		{verify.HeaderMatches{Name: "a b", Pattern: "("}, []string{
			`.Name: "a b" is not the name of a header`, ".Pattern: not a regular expression: error parsing regexp: missing closing ): `(`",
		}},
		{verify.HeaderMatches{Name: "A"}, []string{`.Pattern: want a regular expression, found none`}},
		{verify.HeaderAbsent{Name: "transfer-encoding"}, []string{".Name: Transfer-Encoding is of the connection, and in no answer as it can be seen here"}},
		{verify.HeaderIs{Name: "Trailer"}, []string{".Name: Trailer is of the connection, and in no answer as it can be seen here"}},
		{verify.HeaderAbsent{Name: "x:"}, []string{`.Name: "x:" is not the name of a header`}},
		{verify.BodyContains{}, []string{`.Text: every body contains an empty text`}},
		{verify.BodyMatches{Pattern: "a{2000}"}, []string{".Pattern: not a regular expression: error parsing regexp: invalid repeat count: `{2000}`"}},
		{verify.JSONEquals{}, []string{`.Value: want a value, found nil; null is json.RawMessage("null")`}},
		{verify.JSONEquals{Value: json.RawMessage(`{"a":1,"a":2}`)}, []string{`.Value: a (line 1, column 8): duplicate key, the first is at line 1, column 2`}},
		{verify.JSONContains{}, []string{`.Value: want a value, found none`}},
		{verify.JSONContains{Absent: []string{"$.a"}, Arrays: map[string]verify.ArrayMode{"$": 0}}, []string{`.Value: want a value, found none`}},
		{verify.JSONContains{Value: ok, Absent: []string{"$.a", "error"}, Arrays: map[string]verify.ArrayMode{
			"$.items": verify.Unordered, "$..tags": verify.ArrayMode(7), "$.itms": verify.Unordered, "$.n": verify.Unordered, "$.*": 0, "$.items[?@.a]": 0,
		}}, []string{
			`.Arrays["$.*"]: leads to number 1 at $.n of Value, want an array`,
			`.Arrays["$..tags"]: ArrayMode(7) is no mode`,
			`.Arrays["$.items"]: leads to $.items of Value, as does $.*`,
			`.Arrays["$.items[?@.a]"]: not a JSONPath: "$.items[?@.a]", at byte 8: filters are not supported; supported are names, indexes, "*", slices, ".." and lists of these`,
			`.Arrays["$.itms"]: leads nowhere in Value`,
			`.Arrays["$.n"]: leads to number 1 at $.n of Value, want an array`,
			`.Absent[1]: not a JSONPath: "error", at byte 0: found 'e', want "$"`,
		}},
		{verify.JSONPath{Path: "a"}, []string{`.Path: not a JSONPath: "a", at byte 0: found 'a', want "$"`}},
		{verify.JSONPath{Path: "$.a", Equals: make(chan int), Pattern: "(", Type: "int", Min: "x", Max: "1e1234567890", Count: -1}, []string{
			`.Equals: cannot be written as JSON: json: unsupported type: chan int`,
			`.Type: "int" is none of null, bool, number, string, array, object`,
			".Pattern: not a regular expression: error parsing regexp: missing closing ): `(`",
			`.Min: want a JSON number with an exponent of at most 9 digits, found "x"`,
			`.Max: want a JSON number with an exponent of at most 9 digits, found "1e1234567890"`,
			`.Count: -1 is negative`,
		}},
		{verify.JSONPath{Path: "$.a", Min: "0.2", Max: "0.10"}, []string{`.Min: 0.2 is more than Max, 0.10`}},
		{verify.JSONPath{Path: "$.a", Absent: true, Nodes: verify.Any}, []string{`.Absent: want nothing said of values that are absent`}},
		{verify.JSONPath{Path: "$.a", Absent: true, Type: "null"}, []string{`.Absent: want nothing said of values that are absent`}},
		{verify.JSONPath{Path: "$.a", Absent: true, Count: 1}, []string{`.Absent: want nothing said of values that are absent`}},
		{verify.JSONPath{Path: "$.a[*]", Equals: 1}, []string{`.Nodes: want Any, All or Exactly, since $.a[*] may lead to several values`}},
		{verify.JSONPath{Path: "$.a[*]", Nodes: verify.All}, []string{`.Nodes: want something said of the values`}},
		{verify.JSONPath{Path: "$.a[*]", Nodes: verify.Exactly, Equals: 1}, []string{`.Nodes: want with Exactly an array in Equals, and nothing else said of the values`}},
		{verify.JSONPath{Path: "$.a[*]", Nodes: verify.Exactly, Equals: []int{1}, Min: "0"}, []string{`.Nodes: want with Exactly an array in Equals, and nothing else said of the values`}},
		{verify.JSONPath{Path: "$.a", Nodes: 9}, []string{`.Nodes: Nodes(9) is none of the choices`}},
		{verify.JSONPath{Path: "$.a", Count: 2}, []string{`.Count: $.a leads to one value at most, found 2`}},
		{verify.TLSExpiry{}, []string{`: want an https URL, since nothing else has certificates`}},
		{verify.TLSExpiry{Remaining: -1}, []string{`: want an https URL, since nothing else has certificates`, `: -1ns is negative`}},
		{verify.Within{}, []string{`: want more than 0, found 0s`}},
		{verify.Within{Limit: 6 * time.Second}, []string{`: want at most the test's Timeout of 5s, found 6s`}},
		{&verify.Within{Limit: 6 * time.Second}, []string{`: want at most the test's Timeout of 5s, found 6s`}},
		{verify.Custom{}, []string{`.Name: want a name for the report, found none`, `.Func: want a function, found nil`}},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T", tt.expected), func(t *testing.T) {
			suite := verify.Suite{Handler: page(""), Tests: []verify.SmokeTest{{Endpoint: "/", Expect: []verify.Expectation{verify.BodyIs{}, tt.expected}}}}
			want := []string{}
			for _, line := range tt.want {
				want = append(want, "Tests[0].Expect[1]"+line)
			}
			if diff := cmp.Diff(want, suite.Probe(t.Context()).Problems); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMalformedStatuses(t *testing.T) {
	suite := verify.Suite{URL: "http://localhost", Tests: []verify.SmokeTest{{
		Endpoint: "/", ExpectedStatus: 200,
		Statuses: []verify.StatusRange{{}, {From: 200, To: 199}, {From: 500, To: 600}, {To: 300}, {From: 100}, verify.Status2xx},
		Expect:   []verify.Expectation{verify.TLSExpiry{}},
	}}}
	want := []string{
		`Tests[0].ExpectedStatus: want no more than Statuses, found 200 beside them`,
		`Tests[0].Statuses[0]: want from 200 to 599, found 0 to 0`,
		`Tests[0].Statuses[1]: want from 200 to 599, found 200 to 199`,
		`Tests[0].Statuses[2]: want from 200 to 599, found 500 to 600`,
		`Tests[0].Statuses[3]: want from 200 to 599, found 0 to 300`,
		`Tests[0].Statuses[4]: want from 200 to 599, found 100 to 100`,
		`Tests[0].Expect[0]: want an https URL, since nothing else has certificates`,
	}
	if diff := cmp.Diff(want, suite.Probe(t.Context()).Problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExpectationsPrintThemselves(t *testing.T) {
	tests := []struct {
		expected verify.Expectation
		want     string
	}{
		{verify.HeaderIs{Name: "etag", Value: "x"}, `header Etag is "x"`},
		{verify.HeaderMatches{Name: "etag", Pattern: "^x"}, `header Etag matches "^x"`},
		{verify.HeaderAbsent{Name: "etag"}, `header Etag is absent`},
		{verify.BodyIs{Text: "x"}, `body is "x"`},
		{verify.BodyContains{Text: "x"}, `body contains "x"`},
		{verify.BodyMatches{Pattern: "x"}, `body matches "x"`},
		{verify.JSONEquals{Value: map[string]any{"a": "<"}}, `body equals {"a":"<"}`},
		{verify.JSONEquals{}, `body equals null`},
		{verify.JSONContains{Value: []int{1}, Arrays: map[string]verify.ArrayMode{"$": verify.Unordered}, Absent: []string{"$.e"}}, `body contains [1], $ unordered, $.e absent`},
		{verify.JSONContains{Absent: []string{"$.e"}}, `body contains JSON, $.e absent`},
		{verify.JSONPath{Path: "$.a"}, `$.a: a value`},
		{verify.JSONPath{Path: "$.a", Absent: true}, `$.a: absent`},
		{verify.JSONPath{Path: "$..a", Nodes: verify.All, Equals: 1, Type: "number", Pattern: "x", Min: "0", Max: "2", Count: 3}, `$..a: all 3 values, 1, of type number, a match of "x", at least 0, at most 2`},
		{verify.JSONPath{Path: "$..a", Nodes: verify.Exactly, Equals: []int{1}}, `$..a: exactly [1]`},
		{verify.TLSExpiry{}, `certificates good for 336h0m0s`},
		{verify.Within{Limit: time.Second}, `within 1s`},
		{verify.Custom{Name: "x"}, `x`},
	}
	for _, tt := range tests {
		if got := tt.expected.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
