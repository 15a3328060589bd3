package verify_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/verify"
)

const cart = `{"items":[{"sku":"a","price":10.50,"tags":["x"]},{"sku":"b","price":"7"},{"sku":"c","price":0.95,"note":null}],"total":11.45,"big":9007199254740993,"empty":[],"first-name":"Ada"}`

func TestJSONPath(t *testing.T) {
	null := json.RawMessage("null")
	tests := []struct {
		expected verify.JSONPath
		want     []string
	}{
		// that it is there
		{verify.JSONPath{Path: "$"}, nil},
		{verify.JSONPath{Path: "$.items[-1].note"}, nil},
		{verify.JSONPath{Path: `$["first-name"]`}, nil},
		{verify.JSONPath{Path: "$..note"}, nil},
		{verify.JSONPath{Path: "$.items[3]"}, []string{`missing $.items[3]: want a value, got nothing`}},
		{verify.JSONPath{Path: "$.total.x"}, []string{`missing $.total.x: want a value, got nothing`}},
		{verify.JSONPath{Path: "$.empty[*]"}, []string{`missing $.empty[*]: want a value, got nothing`}},

		// equality
		{verify.JSONPath{Path: "$.total", Equals: 11.45}, nil},
		{verify.JSONPath{Path: "$.total", Equals: json.RawMessage("1145e-2")}, nil},
		{verify.JSONPath{Path: "$.total", Equals: "11.45"}, []string{`type $.total: want "11.45", got 11.45`}},
		{verify.JSONPath{Path: "$.big", Equals: int64(9007199254740992)}, []string{`value $.big: want 9007199254740992, got 9007199254740993`}},
		{verify.JSONPath{Path: "$.items[-1].note", Equals: null}, nil},
		{verify.JSONPath{Path: "$.note", Equals: null}, []string{`missing $.note: want null, got nothing`}},
		{verify.JSONPath{Path: "$.items[1]", Equals: map[string]any{"sku": "b"}}, []string{`unexpected $.items[1].price: want nothing, got "7"`}},
		{verify.JSONPath{Path: "$.items[-3]", Equals: map[string]any{"sku": "z", "price": 10.5, "tags": []int{}}}, []string{
			`value $.items[0].sku: want "z", got "a"`, `length $.items[0].tags: want 0 items, got 1 item`,
		}},

		// any, all, exactly
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Any, Equals: "b"}, nil},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Any, Equals: "z"}, []string{`value $.items[*].sku: want any "z", got none in 3 values: "a", "b", "c"`}},
		{verify.JSONPath{Path: "$.empty[*]", Nodes: verify.Any, Equals: "z"}, []string{`missing $.empty[*]: want any "z", got nothing`}},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Any, Pattern: "^[bc]$", Equals: "a"}, []string{`value $.items[*].sku: want any "a", a match of "^[bc]$", got none in 3 values: "a", "b", "c"`}},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.All, Pattern: "^[a-c]$"}, nil},
		{verify.JSONPath{Path: "$.items[*].price", Nodes: verify.All, Type: verify.TypeNumber}, []string{`type $.items[1].price: want a number, got "7"`}},
		{verify.JSONPath{Path: "$.empty[*]", Nodes: verify.All, Type: verify.TypeNumber}, []string{`missing $.empty[*]: want all of type number, got nothing`}},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: []string{"a", "b", "c"}}, nil},
		{verify.JSONPath{Path: "$.items[::-1].sku", Nodes: verify.Exactly, Equals: []string{"c", "b", "a"}}, nil},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: []string{"a", "c"}}, []string{
			`length $.items[*].sku: want exactly 2 values, got 3 values`, `value $.items[1].sku: want "c", got "b"`,
		}},
		{verify.JSONPath{Path: "$.empty[*]", Nodes: verify.Exactly, Equals: []string{}}, nil},
		{verify.JSONPath{Path: "$.empty[*]", Nodes: verify.Exactly, Equals: []string{"a"}}, []string{`missing $.empty[*]: want exactly ["a"], got nothing`}},
		{verify.JSONPath{Path: "$.items[*].none", Nodes: verify.Exactly, Equals: []string{}}, nil},
		{verify.JSONPath{Path: "$.itmes[*].none", Nodes: verify.Exactly, Equals: []string{}}, []string{`missing $.itmes: want an array or an object without $.itmes[*].none, got nothing`}},
		{verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: []string{}}, []string{`length $.items[*].sku: want exactly 0 values, got 3 values`}},
		{verify.JSONPath{Path: "$.total", Nodes: verify.Any, Equals: 11.45}, nil},

		// patterns, types, ranges
		{verify.JSONPath{Path: "$.items[1].price", Pattern: `^\d$`}, nil},
		{verify.JSONPath{Path: "$.items[1].price", Pattern: `^\d\d$`}, []string{`value $.items[1].price: want a match of "^\\d\\d$", got "7"`}},
		{verify.JSONPath{Path: "$.total", Pattern: `11`}, []string{`type $.total: want a match of "11", got 11.45`}},
		{verify.JSONPath{Path: "$.items", Type: verify.TypeArray}, nil},
		{verify.JSONPath{Path: "$", Type: verify.TypeObject}, nil},
		{verify.JSONPath{Path: "$.items[-1].note", Type: verify.TypeNull}, nil},
		{verify.JSONPath{Path: "$.items[-1].note", Type: verify.TypeBool}, []string{`type $.items[2].note: want a bool, got null`}},
		{verify.JSONPath{Path: "$.items", Type: verify.TypeString}, []string{`type $.items: want a string, got [{"sku":"a","price":10.50,"tags":["x"]},{"sku":"b","price":"7"},{"sku":"c","price":0.95,"note":null}]`}},
		{verify.JSONPath{Path: "$.total", Min: "11.45", Max: "11.450"}, nil},
		{verify.JSONPath{Path: "$.total", Min: "-1", Max: "1e1"}, []string{`value $.total: want at most 1e1, got 11.45`}},
		{verify.JSONPath{Path: "$.items[2].price", Max: "1"}, nil},
		{verify.JSONPath{Path: "$.items[2].price", Min: "1"}, []string{`value $.items[2].price: want at least 1, got 0.95`}},
		{verify.JSONPath{Path: "$.items[1].price", Min: "1"}, []string{`type $.items[1].price: want at least 1, got "7"`}},
		{verify.JSONPath{Path: "$.rate", Max: "5"}, []string{`missing $.rate: want at most 5, got nothing`}},
		{verify.JSONPath{Path: "$.big", Max: "9007199254740992"}, []string{`value $.big: want at most 9007199254740992, got 9007199254740993`}},

		// counts
		{verify.JSONPath{Path: "$.items[*]", Count: 3}, nil},
		{verify.JSONPath{Path: "$.items[*]", Count: 2}, []string{`length $.items[*]: want 2 values, got 3 values`}},
		{verify.JSONPath{Path: "$.none[*]", Count: 1}, []string{`length $.none[*]: want 1 value, got 0 values`}},
		{verify.JSONPath{Path: "$..price", Nodes: verify.All, Count: 2, Type: verify.TypeNumber}, []string{
			`length $..price: want 2 values, got 3 values`, `type $.items[1].price: want a number, got "7"`,
		}},

		// absence
		{verify.JSONPath{Path: "$.error", Absent: true}, nil},
		{verify.JSONPath{Path: "$.items[*].error", Absent: true}, nil},
		{verify.JSONPath{Path: "$.items[*].note", Absent: true}, []string{`unexpected $.items[2].note: want nothing, got null`}},
		{verify.JSONPath{Path: "$.data.error", Absent: true}, []string{`missing $.data: want an object without $.data.error, got nothing`}},
	}
	for _, tt := range tests {
		t.Run(tt.expected.String(), func(t *testing.T) {
			got := expect(t, answers([]byte(cart)), verify.SmokeTest{Expect: []verify.Expectation{tt.expected}})
			if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestJSONPathGivesUp wants a path that looks at too much to fail.
func TestJSONPathGivesUp(t *testing.T) {
	path := "$[" + strings.Repeat("*,", 99) + "*]"
	body := "[" + strings.Repeat("1,", 50_000) + "1]"
	got := expect(t, answers([]byte(body)), verify.SmokeTest{Expect: []verify.Expectation{verify.JSONPath{Path: path, Nodes: verify.Any, Equals: 1}}})
	want := []string{"body " + path + ": want any 1, got looks at more than 1448588 values"}
	if diff := cmp.Diff(want, strs(got.Mismatches)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestPathsOfHostileKeys wants paths that fit a report, whatever the keys are.
func TestPathsOfHostileKeys(t *testing.T) {
	body := `{"` + strings.Repeat("k", 1000) + `":1,"a\u001b[2J\u202e":2,"\"":{"\ud83d\ude00-":3}}`
	got := strs(expect(t, answers([]byte(body)), verify.SmokeTest{Expect: []verify.Expectation{verify.JSONPath{Path: "$..*", Nodes: verify.All, Type: verify.TypeNull}}}).Mismatches)
	want := []string{
		`type $.` + strings.Repeat("k", 478) + `...: want null, got 1`,
		`type $["a\u001b[2J\u202e"]: want null, got 2`,
		`type $["\""]: want null, got {"\ud83d\ude00-":3}`,
		`type $["\""]["😀-"]: want null, got 3`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDoubtfulNumbers(t *testing.T) {
	tests := []struct {
		body string
		want []string
	}{
		{`1e999999999`, []string{`value $: want at most 1e3, got 1e999999999`}},
		{`1e-999999999`, nil},
		{`1e9999999999999999999999`, []string{`value $: want at least 0, got 1e9999999999999999999999`, `value $: want at most 1e3, got 1e9999999999999999999999`}},
		{`0e9999999999999999999999`, []string{`value $: want at least 0, got 0e9999999999999999999999`, `value $: want at most 1e3, got 0e9999999999999999999999`}},
		{`-0.0`, nil},
		{`1000.000`, nil},
		{`1000.0001`, []string{`value $: want at most 1e3, got 1000.0001`}},
	}
	for _, tt := range tests {
		got := expect(t, answers([]byte(tt.body)), verify.SmokeTest{Expect: []verify.Expectation{verify.JSONPath{Path: "$", Min: "0", Max: "1e3"}}})
		if diff := cmp.Diff(tt.want, strs(got.Mismatches)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
	// equality knows no limit
	for _, pair := range [][2]string{{`1e9999999999999999999999`, `10.0e9999999999999999999998`}, {`10`, `1e0000000001`}, {`1e0000000001`, `10`}, {`0`, `-0e12345678901`}} {
		got := expect(t, answers([]byte(pair[0])), verify.SmokeTest{Expect: []verify.Expectation{verify.JSONEquals{Value: json.RawMessage(pair[1])}}})
		if len(got.Mismatches) > 0 {
			t.Errorf("%s and %s: got %v, want none", pair[0], pair[1], got.Mismatches)
		}
	}
}

// TestNumbersAreExact compares many numbers, written in all sorts of ways, with each
// other, against math/big.
func TestNumbersAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 5))
	digits := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("000123459"[r.IntN(9)])
		}
		return b.String()
	}
	number := func() json.Number {
		text := [...]string{"", "-"}[r.IntN(2)]
		if whole := strings.TrimLeft(digits(r.IntN(4)), "0"); whole != "" {
			text += whole
		} else {
			text += "0"
		}
		if r.IntN(2) == 0 {
			text += "." + digits(1+r.IntN(4))
		}
		if r.IntN(2) == 0 {
			text += [...]string{"e", "E"}[r.IntN(2)] + [...]string{"", "+", "-"}[r.IntN(3)] + digits(1)
		}
		return json.Number(text)
	}
	var numbers []json.Number
	for range 60 {
		numbers = append(numbers, number())
	}
	body, err := json.Marshal(numbers)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbers {
		var least, most, equal []json.Number
		a, _ := new(big.Rat).SetString(string(n))
		for _, other := range numbers {
			b, _ := new(big.Rat).SetString(string(other))
			if b.Cmp(a) >= 0 {
				least = append(least, other)
			}
			if b.Cmp(a) <= 0 {
				most = append(most, other)
			}
			if b.Cmp(a) == 0 {
				equal = append(equal, other)
			}
		}
		for _, tt := range []struct {
			say  verify.JSONPath
			want []json.Number
		}{{verify.JSONPath{Min: n}, least}, {verify.JSONPath{Max: n}, most}, {verify.JSONPath{Equals: n}, equal}} {
			tt.say.Path, tt.say.Nodes = "$[*]", verify.All
			got := expect(t, answers(body), verify.SmokeTest{Expect: []verify.Expectation{tt.say}})
			if failed := len(got.Mismatches) + got.Omitted; failed != len(numbers)-len(tt.want) {
				t.Errorf("%v of %s: got %d that are not, want %d", tt.say, body, failed, len(numbers)-len(tt.want))
			}
		}
	}
}
