package verify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// expect returns what is left in a report of a handler's answer.
func expect(t testing.TB, handler http.Handler, test verify.SmokeTest) verify.Result {
	t.Helper()
	test.Endpoint = "/"
	suite := verify.Suite{Handler: handler, Tests: []verify.SmokeTest{test}}
	report := suite.Probe(t.Context())
	require.Empty(t, report.Problems)
	require.Len(t, report.Results, 1)
	result := report.Results[0]
	if (result.State == verify.Passed) != (len(result.Mismatches) == 0) {
		t.Errorf("got %v with %d mismatches", result.State, len(result.Mismatches))
	}
	return result
}

// page answers with some headers and a body.
func page(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["X-Tag"] = []string{"first", "second, third", ""}
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("X-Odd", "\xff\u202e")
		_, _ = w.Write([]byte(body))
	})
}

func TestStatuses(t *testing.T) {
	tests := []struct {
		status   int
		statuses []verify.StatusRange
		want     []string
	}{
		{204, []verify.StatusRange{verify.Status2xx}, nil},
		{200, []verify.StatusRange{verify.Status2xx}, nil},
		{299, []verify.StatusRange{verify.Status2xx}, nil},
		{301, []verify.StatusRange{verify.Status2xx, {From: 301}}, nil},
		{302, []verify.StatusRange{verify.Status2xx, {From: 301}}, []string{`status status: want 2xx or 301, got 302`}},
		{404, []verify.StatusRange{{From: 500, To: 503}, verify.Status3xx, {From: 200}}, []string{`status status: want 500 to 503, 3xx or 200, got 404`}},
		{300, []verify.StatusRange{{From: 200, To: 299}}, []string{`status status: want 2xx, got 300`}},
		{503, []verify.StatusRange{{From: 500, To: 503}}, nil},
		{504, []verify.StatusRange{{From: 500, To: 503}}, []string{`status status: want 500 to 503, got 504`}},
		{499, []verify.StatusRange{verify.Status4xx, verify.Status5xx}, nil},
		{200, nil, nil},
		{201, nil, []string{`status status: want 200, got 201`}},
	}
	for _, tt := range tests {
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(tt.status) })
		got := expect(t, handler, verify.SmokeTest{Statuses: tt.statuses})
		if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
			t.Errorf("%d with %v (-want +got):\n%s", tt.status, tt.statuses, diff)
		}
	}
}

// TestExpectations has, for each expectation, one answer that is as expected, and
// others that are not.
func TestExpectations(t *testing.T) {
	long := strings.Repeat("0123456789", 20)
	tests := []struct {
		expected verify.Expectation
		body     string
		want     []string
	}{
		{verify.HeaderIs{Name: "x-tag", Value: "first"}, "", nil},
		{verify.HeaderIs{Name: "X-TAG", Value: "second, third"}, "", nil},
		{verify.HeaderIs{Name: "X-Tag"}, "", nil},
		{verify.HeaderIs{Name: "X-Tag", Value: "third"}, "", []string{`value header X-Tag: want "third", got "first", "second, third", ""`}},
		{verify.HeaderIs{Name: "X-Tag", Value: "First"}, "", []string{`value header X-Tag: want "First", got "first", "second, third", ""`}},
		{verify.HeaderIs{Name: "etag", Value: ""}, "", []string{`missing header Etag: want "", got nothing`}},
		{verify.HeaderIs{Name: "X-Odd", Value: "x"}, "", []string{`value header X-Odd: want "x", got "\xff\u202e"`}},
		{verify.HeaderMatches{Name: "content-type", Pattern: "html"}, "", nil},
		{verify.HeaderMatches{Name: "x-tag", Pattern: "^sec.*d$"}, "", nil},
		{verify.HeaderMatches{Name: "x-tag", Pattern: "^second$"}, "", []string{`value header X-Tag: want a match of "^second$", got "first", "second, third", ""`}},
		{verify.HeaderMatches{Name: "Etag", Pattern: ".*"}, "", []string{`missing header Etag: want a match of ".*", got nothing`}},
		{verify.HeaderAbsent{Name: "etag"}, "", nil},
		{verify.HeaderAbsent{Name: "x-tag"}, "", []string{`unexpected header X-Tag: want nothing, got "first", "second, third", ""`}},

		{verify.BodyIs{Text: "pong"}, "pong", nil},
		{verify.BodyIs{}, "", nil},
		{verify.BodyIs{}, "x", []string{`value body: want "", got "x"`}},
		{verify.BodyIs{Text: "pong"}, "pong\n", []string{`value body: want "pong", got "pong\n"`}},
		{verify.BodyIs{Text: long + "a"}, long + "b", []string{`value body: want "01234567890123456789a" at byte 180, got "01234567890123456789b" at byte 180`}},
		{verify.BodyIs{Text: long}, long + "b", []string{`value body: want "01234567890123456789" at byte 180, got "01234567890123456789b" at byte 180`}},
		{verify.BodyIs{Text: "a"}, long, []string{`value body: want "a", got ` + cut(`"`+long)}},
		{verify.BodyContains{Text: "<h1>"}, "<html><h1>x", nil},
		{verify.BodyContains{Text: "a\x00b"}, "xa\x00b", nil},
		{verify.BodyContains{Text: "<h1>"}, "<H1>\xff\x1b", []string{`value body: want "<h1>" in it, got "<H1>\xff\x1b"`}},
		{verify.BodyMatches{Pattern: `^v\d+$`}, "v17", nil},
		{verify.BodyMatches{Pattern: `\d`}, "v17", nil},
		{verify.BodyMatches{Pattern: `^v\d+$`}, "v17\n", []string{`value body: want a match of "^v\\d+$", got "v17\n"`}},

		{verify.JSONEquals{Value: json.RawMessage(`{"a":[1,{"b":null}],"c":"d"}`)}, ` {"c":"d","a":[1.0,{"b":null}]}`, nil},
		{verify.JSONEquals{Value: map[string]any{}}, `{"a":1,"b":2}`, []string{`unexpected $.a: want nothing, got 1`, `unexpected $.b: want nothing, got 2`}},
		{verify.JSONEquals{Value: json.RawMessage(`{"a":{"b":1},"c":[{}]}`)}, `{"a":{"x":2},"c":[{"y":3}]}`, []string{
			`missing $.a.b: want 1, got nothing`, `unexpected $.a.x: want nothing, got 2`, `unexpected $.c[0].y: want nothing, got 3`,
		}},
		{verify.JSONEquals{Value: []int{1}}, `[1,2]`, []string{`length $: want 1 item, got 2 items`}},
		{verify.JSONEquals{Value: json.RawMessage("null")}, `null`, nil},
		{verify.JSONEquals{Value: "<&>"}, `"<b>"`, []string{`value $: want "<&>", got "<b>"`}},
		{verify.JSONEquals{Value: 1}, `1 2`, []string{`body body: want JSON, got line 1, column 3: trailing data at offset 2: found "2", want the end of the document`}},

		{verify.Custom{Name: "even", Func: even}, `{"n":4}`, nil},
		{verify.Custom{Name: "even", Func: even}, `{"n":3}`, []string{`custom even: want no error, got an error: 3 is odd`}},
		{verify.Custom{Name: "even", Func: even}, `{"n":1,"n":2}`, []string{`custom even: want no error, got an error: n (line 1, column 8): duplicate key, the first is at line 1, column 2`}},
		{verify.Custom{Name: "even", Func: even}, `[]`, []string{`panic even: want no error, got a panic: interface conversion: interface {} is []interface {}, not map[string]interface {}`}},
		{verify.Custom{Name: "two\nlines", Func: func(verify.Answer) error { return errors.New("a\nb") }}, ``, []string{`custom two\u000alines: want no error, got an error: a\u000ab`}},
		{verify.Custom{Name: "bad error", Func: func(verify.Answer) error { return (*badError)(nil) }}, ``, []string{`panic bad error: want no error, got a panic: runtime error: invalid memory address or nil pointer dereference`}},
		{verify.Custom{Name: "bad end", Func: func(verify.Answer) error { runtime.Goexit(); return nil }}, ``, []string{`panic bad end: want no error, got an end of its goroutine, as t.FailNow makes`}},
		{verify.Custom{Name: "bad panic", Func: func(verify.Answer) error { panic(&badError{nil}) }}, ``, []string{`panic bad panic: want no error, got a panic: %!v(PANIC=Error method: runtime error: invalid memory address or nil pointer dereference)`}},
		{verify.Custom{Name: "answer", Func: seen}, `body`, nil},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v %.20q", tt.expected, tt.body), func(t *testing.T) {
			got := expect(t, page(tt.body), verify.SmokeTest{Expect: []verify.Expectation{tt.expected}})
			if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func even(a verify.Answer) error {
	v, err := a.JSON()
	if err != nil {
		return err
	}
	n, _ := v.(map[string]any)["n"].(json.Number).Int64()
	if n%2 != 0 {
		return fmt.Errorf("%d is odd", n)
	}
	return nil
}

// badError is an error that cannot say what it is.
type badError struct{ what *string }

func (e *badError) Error() string { return *e.what }

func seen(a verify.Answer) error {
	if a.Status != 200 || a.Header.Get("X-Tag") != "first" || string(a.Body) != "body" || a.ResponseTime <= 0 || a.TLS != nil {
		return fmt.Errorf("%+v", a)
	}
	return nil
}

// TestAllExpectationsAreLookedAt wants no failure to hide another, and one that many
// share to be told once.
func TestAllExpectationsAreLookedAt(t *testing.T) {
	spoil := verify.Custom{Name: "writes to what it was given", Func: func(a verify.Answer) error {
		clear(a.Body)
		clear(a.Header)
		return nil
	}}
	test := verify.SmokeTest{
		Statuses:         []verify.StatusRange{{From: 201}},
		ExpectedResponse: map[string]int{"a": 1},
		Expect: []verify.Expectation{
			spoil,
			verify.HeaderAbsent{Name: "X-Tag"},
			&verify.JSONPath{Path: "$.b"},
			verify.JSONEquals{Value: map[string]int{"c": 2}},
			verify.BodyIs{Text: "x"},
			verify.Within{Limit: time.Nanosecond},
		},
	}
	got := strs(expect(t, page(`{"c":3}`), test).Mismatches)
	got[6], _, _ = strings.Cut(got[6], ", got")
	want := []string{
		`status status: want 201, got 200`,
		`missing $.a: want 1, got nothing`,
		`unexpected header X-Tag: want nothing, got "first", "second, third", ""`,
		`missing $.b: want a value, got nothing`,
		`value $.c: want 2, got 3`,
		`value body: want "x", got "{\"c\":3}"`,
		`slow response time: want at most 1ns`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	test.Expect = append(test.Expect[:5], verify.Custom{Name: "no JSON needed", Func: func(verify.Answer) error { return nil }})
	for body, want := range map[string]string{
		`<html>`:                                `body body: want JSON, got line 1, column 1: found '<', want a value`,
		strings.Repeat(" ", verify.BodyLimit+1): `body body: want at most 1048576 bytes, got more`,
	} {
		got := strs(expect(t, page(body), test).Mismatches)
		if n := strings.Count(strings.Join(got, "\n"), want); n != 1 || got[0] != `status status: want 201, got 200` {
			t.Errorf("got %d times that %s, want 1:\n%s", n, want, strings.Join(got, "\n"))
		}
	}
}

// TestExpectationsOfHalfAnAnswer wants what needs the body to keep silent if it did
// not come.
func TestExpectationsOfHalfAnAnswer(t *testing.T) {
	never := verify.Custom{Name: "never", Func: func(verify.Answer) error { panic("called") }}
	suite := verify.Suite{Handler: shop(), Tests: []verify.SmokeTest{
		{Endpoint: "/short", Expect: []verify.Expectation{never, verify.BodyIs{Text: "x"}, verify.HeaderIs{Name: "Content-Length", Value: "99"}}},
		{Endpoint: "/abort", Expect: []verify.Expectation{never, verify.HeaderAbsent{Name: "X"}, verify.Within{Limit: time.Nanosecond}}},
	}}
	report := suite.Probe(t.Context())
	require.Len(t, report.Results, 2)
	want := []string{`value header Content-Length: want "99", got "100"`, `transport body: want all of it, got a part: unexpected EOF`}
	if diff := cmp.Diff(want, strs(report.Results[0].Mismatches)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []string{`transport request: want an answer, got none: EOF`}
	if diff := cmp.Diff(want, strs(report.Results[1].Mismatches)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWithin wants the time to the last byte to count, and a late answer to be
// compared.
func TestWithin(t *testing.T) {
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond)
		_, _ = w.Write([]byte("a"))
		_ = http.NewResponseController(w).Flush()
		time.Sleep(200 * time.Millisecond)
		_, _ = w.Write([]byte("b"))
	})
	tests := []struct {
		limit time.Duration
		want  []string
	}{
		{300 * time.Millisecond, nil},
		{299 * time.Millisecond, []string{`slow response time: want at most 299ms, got 300ms`}},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			got := expect(t, slow, verify.SmokeTest{Expect: []verify.Expectation{verify.Within{Limit: tt.limit}, verify.BodyIs{Text: "ab"}}})
			if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
				t.Errorf("within %v (-want +got):\n%s", tt.limit, diff)
			}
		})
	}
}
