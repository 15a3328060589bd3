package verify_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// obvious is the slow, obvious matcher: it tries every way to pair the elements of
// arrays. Paths are those of the expected value.
type obvious struct {
	arrays map[string]verify.ArrayMode
	exact  bool
}

func (o obvious) fits(path string, want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for key, value := range want {
			actual, present := object[key]
			ok = ok && present && o.fits(path+"."+key, value, actual)
		}
		return ok && (!o.exact || len(object) == len(want))
	case []any:
		list, ok := got.([]any)
		return ok && o.pairs(path, want, list, make([]bool, len(list)), 0, 0)
	case json.Number:
		number, ok := got.(json.Number)
		if !ok {
			return false
		}
		a, _ := new(big.Rat).SetString(string(want))
		b, _ := new(big.Rat).SetString(string(number))
		return a.Cmp(b) == 0
	}
	return want == got
}

// pairs finds partners for the wanted elements from i on, among those that are not
// taken, and behind the last one taken if order matters.
func (o obvious) pairs(path string, want, got []any, taken []bool, i, from int) bool {
	mode := o.arrays[path]
	whole := mode == verify.Positional || mode == verify.Unordered
	if whole && len(want) != len(got) {
		return false
	}
	if i == len(want) {
		return true
	}
	inOrder := mode == verify.Positional || mode == verify.ContainsInOrder
	for j := range got {
		if taken[j] || inOrder && j < from || !o.fits(fmt.Sprintf("%s[%d]", path, i), want[i], got[j]) {
			continue
		}
		taken[j] = true
		if o.pairs(path, want, got, taken, i+1, j+1) {
			return true
		}
		taken[j] = false
	}
	return false
}

// documents makes small values out of few parts, so that they often fit.
type documents struct {
	*rand.Rand
	arrays map[string]verify.ArrayMode // by path; nil if none are wanted
}

func (d documents) value(path string, depth int) string {
	switch kind := d.IntN(8); {
	case kind < 3 && depth > 0:
		if d.arrays != nil {
			d.arrays[path] = verify.ArrayMode(d.IntN(4))
		}
		var items []string
		for i := range d.IntN(5) {
			items = append(items, d.value(fmt.Sprintf("%s[%d]", path, i), depth-1))
		}
		return "[" + strings.Join(items, ",") + "]"
	case kind < 6 && depth > 0:
		var members []string
		for _, i := range d.Perm(3)[:d.IntN(4)] {
			key := string(rune('a' + i))
			members = append(members, fmt.Sprintf("%q:%s", key, d.value(path+"."+key, depth-1)))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return [...]string{"1", "1.0", "10e-1", "2", `"1"`, `"\u0031"`, "null", "true", "false"}[d.IntN(9)]
}

// shuffled changes a value a little, and the order of its arrays.
func (d documents) shuffled(v any) any {
	switch v := v.(type) {
	case []any:
		list := []any{}
		for _, i := range d.Perm(len(v)) {
			list = append(list, d.shuffled(v[i]))
		}
		for d.IntN(3) == 0 {
			list = append(list, json.Number("7"))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for key, value := range v {
			object[key] = d.shuffled(value)
		}
		if d.IntN(3) == 0 {
			object["more"] = true
		}
		return object
	}
	if d.IntN(40) == 0 {
		return json.Number("2")
	}
	return v
}

// TestMatchingIsTheSlowObviousWay compares random documents in random modes.
func TestMatchingIsTheSlowObviousWay(t *testing.T) {
	d := documents{Rand: rand.New(rand.NewPCG(7, 2026))}
	fitting := 0
	for range 1_500 {
		d.arrays = map[string]verify.ArrayMode{}
		value := d.value("$", 3)
		arrays := d.arrays
		d.arrays = nil
		body := d.value("$", 3)
		if d.IntN(3) > 0 {
			text, err := json.Marshal(d.shuffled(plain(t, value)))
			require.NoError(t, err)
			body = string(text)
		}
		for _, exact := range []bool{false, true} {
			var got []string
			o := obvious{arrays: arrays}
			if exact {
				o = obvious{exact: true}
				got = strs(expect(t, answers([]byte(body)), verify.SmokeTest{Expect: []verify.Expectation{verify.JSONEquals{Value: json.RawMessage(value)}}}).Mismatches)
			} else {
				got = contain(t, value, body, arrays)
			}
			want := o.fits("$", plain(t, value), plain(t, body))
			if want != (len(got) == 0) {
				t.Fatalf("%s and %s with %v, exact: %v: got %q, want a match: %v", value, body, arrays, exact, got, want)
			}
			if want {
				fitting++
			}
		}
	}
	if fitting < 300 {
		t.Errorf("only %d fit", fitting)
	}
}

// FuzzArrayModes does the same with what the fuzzer makes up.
func FuzzArrayModes(f *testing.F) {
	for _, seed := range [][2]string{
		{`[1,2]`, `[2,1]`}, {`[{"a":1},{"a":1,"b":2}]`, `[{"a":1,"b":2},{"a":1}]`}, {`[[1,1.0],["x"]]`, `[["x"],[1e0,1,2]]`}, {`{"a":[{},[]]}`, `{"a":[[],{"b":1}]}`},
	} {
		for mode := range uint8(4) {
			f.Add(seed[0], seed[1], mode, mode+1)
		}
	}
	f.Fuzz(func(t *testing.T, value, body string, outer, inner uint8) {
		if longExponent.MatchString(value+body) || len(value)+len(body) > 200 {
			return
		}
		x := verify.JSONContains{Value: json.RawMessage(value), Arrays: map[string]verify.ArrayMode{}}
		o := obvious{arrays: x.Arrays}
		if strings.HasPrefix(value, "[") {
			x.Arrays["$"] = verify.ArrayMode(outer % 4)
		}
		if strings.HasPrefix(value, "[[") {
			x.Arrays["$[0]"] = verify.ArrayMode(inner % 4)
		}
		suite := verify.Suite{Handler: answers([]byte(body)), Tests: []verify.SmokeTest{{Endpoint: "/", Expect: []verify.Expectation{x}}}}
		report := suite.Probe(t.Context())
		if len(report.Problems) > 0 {
			return
		}
		got := report.Results[0]
		if len(got.Mismatches) > verify.MaxMismatches || (got.State == verify.Passed) != (len(got.Mismatches) == 0) {
			t.Fatalf("%q and %q: %+v", value, body, got)
		}
		if len(got.Mismatches) > 0 && got.Mismatches[0].Kind == verify.KindBody {
			return
		}
		if list, ok := plain(t, body).([]any); ok && len(list) > 7 {
			return // more ways than there is time for
		}
		if want := o.fits("$", plain(t, value), plain(t, body)); want != (got.State == verify.Passed) {
			t.Fatalf("%q and %q with %v: got %v, want a match: %v", value, body, x.Arrays, got.Mismatches, want)
		}
	})
}
