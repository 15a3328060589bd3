package jsontree_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Base is promoted into target, and its Hidden is hidden by target's own.
type Base struct {
	Inherited string
	Hidden    string `json:"hidden"`
}

type Pointed struct {
	Deep string `json:"deep"`
}

type unexported struct {
	Promoted int `json:"promoted"`
}

// share is what a type with an opinion of its own looks like.
type share int

func (s *share) UnmarshalJSON(data []byte) error {
	var percent float64
	if err := json.Unmarshal(data, &percent); err != nil {
		return errors.New("not a share")
	}
	if percent > 100 {
		return fmt.Errorf("%v is more than 100, want 0 to 100", percent)
	}
	*s = share(percent * 1000)
	return nil
}

// rule reads itself with this package and adds a problem of its own.
type rule struct{ ID, Serve string }

func (r *rule) UnmarshalJSON(data []byte) error {
	type plain rule
	var problems jsontree.Problems
	errors.As(jsontree.Unmarshal(data, (*plain)(r)), &problems)
	if r.Serve == "" {
		problems = append(problems, jsontree.Problem{Path: "Serve", Text: "missing, want a variant"})
	}
	if len(problems) > 0 {
		return fmt.Errorf("rule: %w", problems)
	}
	return nil
}

type target struct {
	Base
	*Pointed
	unexported
	String   string             `json:"string,omitempty"`
	Bool     bool               `json:"bool"`
	Int      int                `json:"int"`
	Int8     int8               `json:"int8"`
	Int64    int64              `json:"int64"`
	Uint8    uint8              `json:"uint8"`
	Uint64   uint64             `json:"uint64"`
	Float    float64            `json:"float"`
	Float32  float32            `json:"float32"`
	Duration time.Duration      `json:"duration"`
	Wait     *time.Duration     `json:"wait"`
	Any      any                `json:"any"`
	Raw      json.RawMessage    `json:"raw"`
	Pointer  *string            `json:"pointer"`
	List     []int              `json:"list"`
	Map      map[string]int     `json:"map"`
	Named    map[named]*Pointed `json:"named"`
	Prefix   netip.Prefix       `json:"prefix"`
	Time     time.Time          `json:"time"`
	Share    share              `json:"share"`
	Rules    []rule             `json:"rules"`
	Hidden   int                `json:"hidden"`
	Channel  chan int           `json:"channel"`
	IntMap   map[int]int        `json:"intMap"`
	Skipped  string             `json:"-"`
	private  string
}

type named string

func TestUnmarshal(t *testing.T) {
	word, wait := "word", 90*time.Second
	tests := []struct {
		text string
		want target
	}{
		{`{}`, target{}},
		{`{"string":"s","bool":true,"Inherited":"i","deep":"d","promoted":3,"hidden":4}`, target{
			String: "s", Bool: true, Base: Base{Inherited: "i"}, Pointed: &Pointed{Deep: "d"}, unexported: unexported{3}, Hidden: 4,
		}},
		{`{"int":1e3,"int8":-128,"int64":-9223372036854775808,"uint8":255.0,"uint64":18446744073709551615}`, target{
			Int: 1000, Int8: -128, Int64: math.MinInt64, Uint8: 255, Uint64: math.MaxUint64,
		}},
		{`{"int64":9223372036854775807,"uint8":-0,"float":0.1,"float32":1e-3}`, target{Int64: math.MaxInt64, Float: 0.1, Float32: 1e-3}},
		{`{"duration":"1h10m","wait":"90s"}`, target{Duration: 70 * time.Minute, Wait: &wait}},
		{`{"any":{"n":9007199254740993,"l":[null,true,"x"]},"raw": [ 1 ] }`, target{
			Any: map[string]any{"n": json.Number("9007199254740993"), "l": []any{nil, true, "x"}}, Raw: json.RawMessage(`[ 1 ]`),
		}},
		{`{"any":null,"raw":null,"pointer":null,"wait":null}`, target{Raw: json.RawMessage(`null`)}},
		{`{"pointer":"word","list":[1,2],"map":{"a.b":1},"named":{"x":{"deep":"y"},"n":null}}`, target{
			Pointer: &word, List: []int{1, 2}, Map: map[string]int{"a.b": 1}, Named: map[named]*Pointed{"x": {Deep: "y"}, "n": nil},
		}},
		{`{"list":[],"map":{}}`, target{List: []int{}, Map: map[string]int{}}},
		{`{"prefix":"10.0.0.0/8","time":"2026-01-02T03:04:05Z","share":12.5,"rules":[{"ID":"a","Serve":"on"}]}`, target{
			Prefix: netip.MustParsePrefix("10.0.0.0/8"), Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Share: 12500,
			Rules: []rule{{"a", "on"}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			var got target
			require.NoError(t, jsontree.Unmarshal([]byte(tt.text), &got))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(target{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnmarshalReports(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"syntax error alone", `{"unknown":1,"int":}`, []string{`int (line 1, column 20): found '}', want a value`}},
		{"unknown field", `{"nothing":1}`, []string{`nothing (line 1, column 2): unknown field`}},
		{"unknown field, close", `{"strnig":"x"}`, []string{`strnig (line 1, column 2): unknown field, did you mean "string"?`}},
		{"wrong case", `{"STRING":"x"}`, []string{`STRING (line 1, column 2): unknown field, did you mean "string"?`}},
		{"skipped and private", `{"Skipped":"x","private":1}`, []string{
			`Skipped (line 1, column 2): unknown field`, `private (line 1, column 16): unknown field`,
		}},
		{"odd key", `{"a.b c":1}`, []string{`["a.b c"] (line 1, column 2): unknown field`}},
		{"wrong kind of the whole", `[]`, []string{`line 1, column 1: found an array, want an object`}},
		{"wrong kinds", `{"string":1,"bool":"true","int":"7","float":true,"list":{},"map":[],"rules":"x"}`, []string{
			`string (line 1, column 11): found number 1, want a string`,
			`bool (line 1, column 20): found string "true", want true or false`,
			`int (line 1, column 33): found string "7", want a whole number`,
			`float (line 1, column 45): found true, want a number`,
			`list (line 1, column 57): found an object, want an array`,
			`map (line 1, column 66): found an array, want an object`,
			`rules (line 1, column 77): found string "x", want an array`,
		}},
		{"null", `{"string":null,"int":null,"list":null,"map":null,"share":null,"prefix":null,"duration":null}`, []string{
			`string (line 1, column 11): found null, want a string`,
			`int (line 1, column 22): found null, want a whole number`,
			`list (line 1, column 34): found null, want an array`,
			`map (line 1, column 45): found null, want an object`,
			`share (line 1, column 58): found null, want a value`,
			`prefix (line 1, column 72): found null, want a string`,
			`duration (line 1, column 88): found null, want a duration like "10m"`,
		}},
		{"numbers that do not fit", `{"int":1.5,"int8":128,"int64":9223372036854775808,"uint8":-1,"uint64":1e400000000,"float":1e999,"float32":1e39}`, []string{
			`int (line 1, column 8): found number 1.5, want a whole number`,
			`int8 (line 1, column 19): 128 is out of range, want -128 to 127`,
			`int64 (line 1, column 31): 9223372036854775808 is out of range, want -9223372036854775808 to 9223372036854775807`,
			`uint8 (line 1, column 59): -1 is out of range, want 0 to 255`,
			`uint64 (line 1, column 71): 1e400000000 is out of range, want 0 to 18446744073709551615`,
			`float (line 1, column 91): 1e999 is out of range of a float64`,
			`float32 (line 1, column 107): 1e39 is out of range of a float32`,
		}},
		{"more that do not fit", `{"int8":-129,"uint64":18446744073709551616,"int":1e-400000000}`, []string{
			`int8 (line 1, column 9): -129 is out of range, want -128 to 127`,
			`uint64 (line 1, column 23): 18446744073709551616 is out of range, want 0 to 18446744073709551615`,
			`int (line 1, column 50): found number 1e-400000000, want a whole number`,
		}},
		{"durations", `{"duration":10,"wait":"ten minutes"}`, []string{
			`duration (line 1, column 13): found number 10, want a duration like "10m"`,
			`wait (line 1, column 23): found string "ten minutes", want a duration like "10m"`,
		}},
		{"text", `{"prefix":"10.0.0.0","time":5}`, []string{
			`prefix (line 1, column 11): netip.ParsePrefix("10.0.0.0"): no '/'`,
			`time (line 1, column 29): found number 5, want a time like "2026-12-01T08:00:00Z"`,
		}},
		{"a day", `{"time":"2026-12-01"}`, []string{`time (line 1, column 9): found string "2026-12-01", want a time like "2026-12-01T08:00:00Z"`}},
		{"a day that there is not", `{"time":"2026-02-30T08:00:00Z"}`, []string{
			`time (line 1, column 9): found string "2026-02-30T08:00:00Z", want a time like "2026-12-01T08:00:00Z": day out of range`,
		}},
		{"an Unmarshaler's error", `{"share":100.5,"named":{"x":{"deep":5}}}`, []string{
			`share (line 1, column 10): 100.5 is more than 100, want 0 to 100`,
			`named.x.deep (line 1, column 37): found number 5, want a string`,
		}},
		{"an Unmarshaler's problems", "{\"rules\":[{\"ID\":\"a\",\"Serve\":\"on\"},\n  {\"ID\":5,\n \"serve\":\"on\"}, {}]}", []string{
			`rules[1].Serve (line 2, column 3): missing, want a variant`,
			`rules[1].ID (line 2, column 9): found number 5, want a string`,
			`rules[1].serve (line 3, column 2): unknown field, did you mean "Serve"?`,
			`rules[2].Serve (line 3, column 17): missing, want a variant`,
		}},
		{"an Unmarshaler finds the duplicates again", `{"rules":[{"ID":"a","ID":"b","Serve":""}]}`, []string{
			`rules[0].ID (line 1, column 21): duplicate key, the first is at line 1, column 12`,
			`rules[0].Serve (line 1, column 38): missing, want a variant`,
		}},
		{"duplicates among the rest", `{"int":"x","int":1,"nothing":1}`, []string{
			`int (line 1, column 8): found string "x", want a whole number`,
			`int (line 1, column 12): duplicate key, the first is at line 1, column 2`,
			`nothing (line 1, column 20): unknown field`,
		}},
		{"targets nothing fits", `{"channel":1,"intMap":{}}`, []string{
			`channel (line 1, column 12): no value can be decoded into a chan int`,
			`intMap (line 1, column 23): no value can be decoded into a map[int]int`,
		}},
		{"long values are cut", `{"int":"` + strings.Repeat("é", 100) + `"}`, []string{
			`int (line 1, column 8): found string "` + strings.Repeat("é", 30) + `...", want a whole number`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got target
			err := jsontree.Unmarshal([]byte(tt.text), &got)
			if diff := cmp.Diff(tt.want, lines(err)); diff != "" {
				t.Errorf("Unmarshal(%s) (-want +got):\n%s", tt.text, diff)
			}
			var problems jsontree.Problems
			require.ErrorAs(t, err, &problems)
		})
	}
}

func TestUnmarshalKeepsWhatIsRight(t *testing.T) {
	got := target{Float: 2.5, private: "mine"}
	err := jsontree.Unmarshal([]byte(`{"int":"x","string":"s","map":{"a":"x","b":2},"list":[1,"x",3],"float":"x","what":1,"bool":true}`), &got)
	require.Error(t, err)
	want := target{String: "s", Bool: true, Map: map[string]int{"a": 0, "b": 2}, List: []int{1, 0, 3}, Float: 2.5, private: "mine"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(target{}), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnmarshalHidesDeeperFields(t *testing.T) {
	type low struct{ X string }
	type Left struct{ low }
	type Right struct{ X int }
	var got struct {
		Left
		Right
	}
	require.NoError(t, jsontree.Unmarshal([]byte(`{"X":7}`), &got))
	if got.Right.X != 7 {
		t.Errorf("got %+v, want 7 in Right, which is nearer to the top", got)
	}
}

func TestDecodeUnderAPath(t *testing.T) {
	root, err := jsontree.Parse([]byte("{\"flags\":{\n \"x\":{\"int\":\"y\"}}}"))
	require.NoError(t, err)
	var got target
	err = root.Find("flags.x").Decode("flags.x", &got)
	want := []string{`flags.x.int (line 2, column 13): found string "y", want a whole number`}
	if diff := cmp.Diff(want, lines(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnmarshalPanicsWithoutAPointer(t *testing.T) {
	for _, v := range []any{nil, 5, (*int)(nil)} {
		require.Panics(t, func() { _ = jsontree.Unmarshal([]byte(`1`), v) }, "%T", v)
	}
}

func TestProblem(t *testing.T) {
	at := jsontree.Pos{Line: 7, Column: 21}
	tests := []struct {
		problem jsontree.Problem
		want    string
	}{
		{jsontree.Problem{Path: "a.b", Pos: at, Text: "x"}, "a.b (line 7, column 21): x"},
		{jsontree.Problem{Path: "a.b", Text: "x"}, "a.b: x"},
		{jsontree.Problem{Pos: at, Text: "x"}, "line 7, column 21: x"},
		{jsontree.Problem{Text: "x"}, "x"},
	}
	for _, tt := range tests {
		if got := tt.problem.Error(); got != tt.want || tt.problem.String() != got {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
	if err := (jsontree.Problems{}).Err(); err != nil {
		t.Errorf("no problems: got %v, want nil", err)
	}
}

func TestClosest(t *testing.T) {
	known := []string{"percent", "minReady", "max-surge", "on", "off", "environment"}
	tests := []struct{ word, want string }{
		{"percnt", "percent"}, {"precent", "percent"}, {"Percent", "percent"}, {"min_ready", "minReady"}, {"maxSurge", "max-surge"},
		{"enviroment", "environment"}, {"onn", "on"}, {"of", "on"}, {"offf", "off"},
		{"colour", ""}, {"x", ""}, {"", ""}, {strings.Repeat("percent", 20), ""},
	}
	for _, tt := range tests {
		if got := jsontree.Closest(tt.word, known); got != tt.want {
			t.Errorf("Closest(%q): got %q, want %q", tt.word, got, tt.want)
		}
	}
}

// FuzzUnmarshal checks that every problem leads back to its place.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"int":1.5,"rules":[{"ID":5},{}],"map":{"a.b":"x"}}`, `{"any":{"x":1},"named":{"q":{"deep":null}}}`, `{"int":1,"int":2}`, `[`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var v target
		err := jsontree.Unmarshal(data, &v)
		var problems jsontree.Problems
		if err == nil || !errors.As(err, &problems) {
			require.NoError(t, err)
			return
		}
		root, _ := jsontree.Parse(data)
		for i, p := range problems {
			if i > 0 && p.Pos.Offset < problems[i-1].Pos.Offset {
				t.Errorf("%v comes after %v", p, problems[i-1])
			}
			if p.Pos.Line < 1 || p.Pos.Offset > len(data) {
				t.Errorf("%v has no place in %q", p, data)
			}
			missing := strings.Contains(p.Text, "missing") || strings.Contains(p.Text, "duplicate")
			if root == nil || missing {
				continue
			}
			n := root.Find(p.Path)
			if n == nil || n.Pos() != p.Pos && !strings.Contains(p.Text, "unknown field") {
				t.Errorf("%v does not lead to its place in %q", p, data)
			}
		}
	})
}
