package verify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/verify"
)

// contain returns what keeps a body from containing a value.
func contain(t testing.TB, value, body string, arrays map[string]verify.ArrayMode, absent ...string) []string {
	t.Helper()
	x := verify.JSONContains{Arrays: arrays, Absent: absent}
	if value != "" {
		x.Value = json.RawMessage(value)
	}
	return strs(expect(t, answers([]byte(body)), verify.SmokeTest{Expect: []verify.Expectation{x}}).Mismatches)
}

// TestArrayModes has the vectors of any order, and what reports say in each mode.
// Those of the default are in TestMatching.
func TestArrayModes(t *testing.T) {
	const (
		inOrder   = verify.ContainsInOrder
		anyOrder  = verify.ContainsAnyOrder
		unordered = verify.Unordered
	)
	tests := []struct {
		mode        verify.ArrayMode
		value, body string
		want        []string
	}{
		{unordered, `[1,2]`, `[2,1]`, nil},
		{unordered, `[]`, `[]`, nil},
		{unordered, `[]`, `[1]`, []string{`length $: want 0 items (unordered), got 1 item`, `unexpected $[0]: want nothing (unordered), got 1`}},
		{unordered, `[{"a":1},{"a":1,"b":2}]`, `[{"a":1,"b":2},{"a":1}]`, nil}, // greedy fails
		{unordered, `[{},{"a":1},{"a":1,"b":2}]`, `[{"a":1,"b":2},{"a":1},{"c":3}]`, nil},
		{unordered, `[1,2]`, `[1,3]`, []string{
			`missing $: want an item 2 (unordered), got none in 1 item left`, `unexpected $[1]: want nothing (unordered), got 3`,
		}},
		{unordered, `[1,1]`, `[1]`, []string{`length $: want 2 items (unordered), got 1 item`, `missing $: want an item 1 (unordered), got none in 0 items left`}},
		{unordered, `[1,"1",1.0]`, `["1",1e0,10e-1]`, nil},
		{unordered, `[5,5]`, `[[],5]`, []string{`missing $: want an item 5 (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got []`}},
		{unordered, `[true,true]`, `[false,true]`, []string{`missing $: want an item true (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got false`}},
		{unordered, `["é","/"]`, `["\/","\u00e9"]`, nil},
		{unordered, `[9007199254740993]`, `[9007199254740992]`, []string{
			`missing $: want an item 9007199254740993 (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got 9007199254740992`,
		}},
		{unordered, `[{"sku":"a","price":1},{"sku":"b","price":2}]`, `[{"sku":"b","price":"2"},{"sku":"a","price":1}]`, []string{
			`missing $: want an item {"sku":"b","price":2} (unordered), got none in 1 item left, closest is [0]`,
			`type $[0].price: want 2, got "2"`,
		}},
		{unordered, `[{"sku":"a","of":{"x":1,"y":2}}]`, `[{"sku":"b","of":{"x":1}}]`, []string{
			`missing $: want an item {"sku":"a","of":{"x":1,"y":2}} (unordered), got none in 1 item left, closest is [0]`,
			`value $[0].sku: want "a", got "b"`, `missing $[0].of.y: want 2, got nothing`,
		}},
		{unordered, `[{"id":1}]`, `[{"id":2}]`, []string{ // nothing in common
			`missing $: want an item {"id":1} (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got {"id":2}`,
		}},
		{unordered, `[{"of":{"x":1,"y":2}}]`, `[{"c":3}]`, []string{ // nor here, although one key alone is missing
			`missing $: want an item {"of":{"x":1,"y":2}} (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got {"c":3}`,
		}},
		{unordered, `[{"id":1,"a":0},{"id":1,"b":0}]`, `[{"id":1},{"id":1}]`, []string{ // each has a closest of its own
			`missing $: want an item {"id":1,"a":0} (unordered), got none in 2 items left, closest is [0]`, `missing $[0].a: want 0, got nothing`,
			`missing $: want an item {"id":1,"b":0} (unordered), got none in 1 item left, closest is [1]`, `missing $[1].b: want 0, got nothing`,
		}},
		{unordered, `[[1,2],[3]]`, `[[3],[1,2]]`, nil},
		{unordered, `[[1,2]]`, `[[2,1]]`, []string{ // the mode is of one array alone
			`missing $: want an item [1,2] (unordered), got none in 1 item left`, `unexpected $[0]: want nothing (unordered), got [2,1]`,
		}},
		{unordered, `[1]`, `{}`, []string{`type $: want [1], got {}`}},

		{anyOrder, `[2,1]`, `[1,5,2]`, nil},
		{anyOrder, `[]`, `[1]`, nil},
		{anyOrder, `[1,2,2]`, `[1,2]`, []string{`missing $: want an item 2 (contains in any order), got none in 0 items left`}},
		{anyOrder, `[1,1]`, `[1]`, []string{`missing $: want an item 1 (contains in any order), got none in 0 items left`}},
		{anyOrder, `["qu"]`, `["enim","qui"]`, []string{`missing $: want an item "qu" (contains in any order), got none in 2 items left`}},
		{anyOrder, `[{"a":1},{"a":1,"b":2}]`, `[{"a":1,"b":2},0,{"a":1}]`, nil},
		{anyOrder, `[null,false]`, `[0,"",false,null]`, nil},
		{anyOrder, `[[]]`, `[[1]]`, []string{`missing $: want an item [] (contains in any order), got none in 1 item left`}},

		{inOrder, `[1,2]`, `[0,1,0,2,0]`, nil},
		{inOrder, `[]`, `[1]`, nil},
		{inOrder, `[1,2]`, `[2,1]`, []string{`missing $: want an item 2 (contains in order), got none in 0 items left behind [1]`}},
		{inOrder, `[1,1]`, `[1]`, []string{`missing $: want an item 1 (contains in order), got none in 0 items left behind [0]`}},
		{inOrder, `[1,9,3]`, `[1,2,3]`, []string{`missing $: want an item 9 (contains in order), got none in 2 items left behind [0]`}},
		{inOrder, `[{"x":0},{"a":1},{"a":1,"b":8}]`, `[{"a":1,"b":1}]`, []string{ // what is behind counts alone
			`missing $: want an item {"x":0} (contains in order), got none in 1 item left`,
			`missing $: want an item {"a":1,"b":8} (contains in order), got none in 0 items left behind [0]`,
		}},
		{inOrder, `["qu"]`, `["enim","qui"]`, []string{`missing $: want an item "qu" (contains in order), got none in 2 items left`}},
		{inOrder, `[{"a":1},{"a":1,"b":2}]`, `[{"a":1,"b":2},{"a":1,"b":3}]`, []string{
			`missing $: want an item {"a":1,"b":2} (contains in order), got none in 1 item left behind [0], closest is [1]`, `value $[1].b: want 2, got 3`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.mode.String()+" "+tt.value+" "+tt.body, func(t *testing.T) {
			got := contain(t, tt.value, tt.body, map[string]verify.ArrayMode{"$": tt.mode})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestArrayModesByPath(t *testing.T) {
	const value = `{"items":[{"sku":"a","tags":["x","y"]},{"sku":"b","tags":["z"]}],"order":[1,2]}`
	modes := map[string]verify.ArrayMode{"$.items": verify.Unordered, "$..tags": verify.ContainsAnyOrder, "$.order": verify.ContainsInOrder}
	tests := []struct {
		body string
		want []string
	}{
		{`{"order":[0,1,2],"items":[{"sku":"b","tags":["w","z"]},{"sku":"a","tags":["y","x"]}]}`, nil},
		{`{"order":[2,1],"items":[{"sku":"b","tags":["z"]},{"sku":"a","tags":["y"]}]}`, []string{
			`missing $.items: want an item {"sku":"a","tags":["x","y"]} (unordered), got none in 1 item left, closest is [1]`,
			`missing $.items[1].tags: want an item "x" (contains in any order), got none in 0 items left`,
			`missing $.order: want an item 2 (contains in order), got none in 0 items left behind [1]`,
		}},
	}
	for _, tt := range tests {
		for range 10 { // the same report each time
			if diff := cmp.Diff(tt.want, contain(t, value, tt.body, modes)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.body, diff)
			}
		}
	}
}

func TestAbsent(t *testing.T) {
	tests := []struct {
		value, body string
		absent      []string
		want        []string
	}{
		{`{}`, `{"a":0}`, []string{`$.a`}, []string{`unexpected $.a: want nothing, got 0`}},
		{``, `{"a":null}`, []string{`$.a`}, []string{`unexpected $.a: want nothing, got null`}},
		{``, `{}`, []string{`$.a`}, nil},
		{``, `[]`, []string{`$.a`}, []string{`type $: want an object without $.a, got []`}},
		{``, `{}`, []string{`$.a.b`}, []string{`missing $.a: want an object without $.a.b, got nothing`}},
		{``, `{"a":"x"}`, []string{`$.a.b`}, []string{`type $.a: want an object without $.a.b, got "x"`}},
		{``, `{"a":[1]}`, []string{`$.a[1]`}, nil},
		{``, `{"a":[1]}`, []string{`$.a[-1]`, `$.a[0]`}, []string{`unexpected $.a[0]: want nothing, got 1`, `unexpected $.a[0]: want nothing, got 1`}},
		{``, `{"a":{}}`, []string{`$.a[0]`}, []string{`type $.a: want an array without $.a[0], got {}`}},
		{``, `{"a":[]}`, []string{`$.a[*].b`}, nil},
		{``, `{"a":[{"b":1},{"c":2},{"b":3}]}`, []string{`$.a[*].b`}, []string{`unexpected $.a[0].b: want nothing, got 1`, `unexpected $.a[2].b: want nothing, got 3`}},
		{``, `{}`, []string{`$.a[*].b`}, []string{`missing $.a: want an array or an object without $.a[*].b, got nothing`}},
		{``, `5`, []string{`$..b`}, []string{`type $: want an array or an object without $..b, got 5`}},
		{`{"c":1}`, `{"a b":{"b":[]}}`, []string{`$..b`, `$["a b"].c`}, []string{
			`missing $.c: want 1, got nothing`, `unexpected $["a b"].b: want nothing, got []`,
		}},
		{``, `{}`, []string{`$`}, []string{`unexpected $: want nothing, got {}`}},
		{``, `x`, []string{`$.a`}, []string{`body body: want JSON, got line 1, column 1: found "x", want a value`}},
		{``, `[` + strings.Repeat("1,", 50_000) + `1]`, []string{`$[` + strings.Repeat("*,", 99) + `*]`}, []string{
			`body $[` + strings.Repeat("*,", 99) + `*]: want nothing, got looks at more than 1448588 values`,
		}},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.absent, " ")+" "+tt.body[:min(len(tt.body), 30)], func(t *testing.T) {
			if diff := cmp.Diff(tt.want, contain(t, tt.value, tt.body, nil, tt.absent...)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestNameOfAnArrayMode wants the names that reports have.
func TestNameOfAnArrayMode(t *testing.T) {
	if got := verify.ArrayMode(0).String(); got != "positional" {
		t.Errorf("got %s, want positional", got)
	}
}

// TestUnorderedIsPolynomial compares 200 elements with 200 that all look alike but for
// their ends, and arrays in any order within such, in which case it may give up, but
// says so.
func TestUnorderedIsPolynomial(t *testing.T) {
	if testing.Short() {
		t.Skip("takes its time under the race detector")
	}
	for _, tt := range worst {
		want, got := worstPair(tt.item)
		mismatches := contain(t, want, got, map[string]verify.ArrayMode{"$": verify.Unordered})
		if len(mismatches) == 0 || strings.HasPrefix(mismatches[0], "body") {
			t.Errorf("%s: got %.200q, want elements without a partner", tt.name, mismatches)
		}
	}
	_, same := worstPair(worst[0].item)
	if passed := contain(t, same, reversed(same), map[string]verify.ArrayMode{"$": verify.Unordered}); len(passed) > 0 {
		t.Errorf("the other way round: got %.200q, want none", passed)
	}
	// 40,000 pairs of arrays, of which each takes 1,000 looks, again and again
	inner := "[" + strings.Repeat("{},", 1000) + `{"x":1}]`
	value := "[" + strings.Repeat(inner+",", 199) + inner + "]"
	body := "[" + strings.Repeat("["+strings.Repeat("{},", 1000)+"{}],", 199) + "[" + strings.Repeat("{},", 1000) + "{}]]"
	mismatches := contain(t, value, body, map[string]verify.ArrayMode{"$": verify.Unordered, "$[*]": verify.Unordered})
	if diff := cmp.Diff([]string{`body body: want at most 67108864 steps to compare it, got more`}, mismatches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func reversed(list string) string {
	var items []json.RawMessage
	_ = json.Unmarshal([]byte(list), &items)
	for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
		items[i], items[j] = items[j], items[i]
	}
	text, _ := json.Marshal(items)
	return string(text)
}
