package flag_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// list writes n elements of a list or an object.
func list(n int, element func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(element(i))
	}
	return b.String()
}

func same(element string) func(int) string { return func(int) string { return element } }

// TestBrokenHuge: documents that are too big for testdata/broken get the complete
// list of their problems as well, in short texts, and without a wait.
func TestBrokenHuge(t *testing.T) {
	alone(t)
	flag := func(body string) string { return `{"flags": {"a": ` + body + `}}` }
	when := func(condition string) string { return flag(`{"when": ` + condition + `}`) }
	nines, long := strings.Repeat("9", 1_000_000), strings.Repeat("x", 1_000_000)
	longText := strings.Repeat("x", 300-len(`unknown variant "`)) + " ... " + strings.Repeat("x", 200-len(`", want one of ["off" "on"]`))
	tests := []struct {
		name     string
		document string
		problems int
		want     func(i int) string // each problem, in order
	}{
		{
			"one wrong flag of 30,000",
			`{"flags": {` + list(30_000, func(i int) string {
				if i == 7_777 {
					return `"f07777": {"serve": "x"}`
				}
				return fmt.Sprintf(`"f%05d": {}`, i)
			}) + `}}`,
			1, same(`flags.f07777.serve (line 1, column 108910): unknown variant "x", want one of ["off" "on"]`),
		},
		{
			"20,000 wrong flags",
			`{"flags": {` + "\n" + list(20_000, func(i int) string { return fmt.Sprintf("%q: {\"serve\": \"x\"}\n", fmt.Sprintf("f%05d", i)) }) + `}}`,
			20_000, func(i int) string {
				return fmt.Sprintf(`flags.f%05d.serve (line %d, column %d): unknown variant "x", want one of ["off" "on"]`, i, i+2, 21+min(i, 1)*2)
			},
		},
		{
			"one key 100,000 times",
			`{"flags": {` + list(100_000, same(`"a": {}`)) + `}}`,
			99_999, func(i int) string {
				return fmt.Sprintf("flags.a (line 1, column %d): duplicate key, the first is at line 1, column 12", 21+9*i)
			},
		},
		{
			"10,000 keys of one target that are no keys, and 10,000 of the other",
			flag(`{"targets": {"on": [` + list(10_000, same("null")) + "],\n" + `"off": [` + list(10_000, same(`""`)) + `]}}`),
			20_000, func(i int) string {
				if i < 10_000 {
					return fmt.Sprintf("flags.a.targets.on[%d] (line 1, column %d): found null, want a string", i, 37+6*i)
				}
				return fmt.Sprintf("flags.a.targets.off[%d] (line 2, column %d): is empty, want a key", i-10_000, 9+4*(i-10_000))
			},
		},
		{
			"3,000 times a key that another variant has",
			flag(`{"targets": {"off": ["u"], "on": [` + list(3_000, same(`"u"`)) + `]}}`),
			3_000, func(i int) string {
				return fmt.Sprintf(`flags.a.targets.on[%d] (line 1, column %d): "u" is a target of "off" already`, i, 51+5*i)
			},
		},
		{
			"one wrong value of 100,000",
			when(`{"attr": "x", "in": [` + list(100_000, same("7")) + `, "8"]}`),
			1, same(`flags.a.when.in[100000] (line 1, column 300047): found "8", want a number like the values before it`),
		},
		{
			"one wrong key of a segment of 100,000",
			`{"flags": {}, "segments": {"s": {"keys": [` + list(100_000, same(`"k"`)) + `, 8]}}}`,
			1, same(`segments.s.keys[100000] (line 1, column 500043): found number 8, want a string`),
		},
		{"10,000 variants", flag(`{"variants": {` + list(10_000, func(i int) string { return fmt.Sprintf(`"v%d": %d`, i, i) }) + `}, "serve": "v1"}`), 1, same("flags.a.variants (line 1, column 30): found 10000, want at most 500")},
		{"a million digits", when(`{"attr": "x", "eq": ` + nines + `}`), 1, same("flags.a.when.eq (line 1, column 46): found " + nines[:60] + "..., which no number can hold")},
		{"a million decimals", flag(`{"ramp": {"percent": 0.` + nines + `}}`), 1, same("flags.a.ramp.percent (line 1, column 38): 0." + nines[:58] + "... % is finer than 0.001 %, the smallest share")},
		{"a million digits of the exponent", flag(`{"variants": {"a": 1e` + nines + `}, "serve": "a"}`), 1, same("flags.a.variants.a (line 1, column 36): found 1e" + nines[:58] + "..., which no number can hold")},
		{"a long name of a variant", flag(`{"serve": "` + long + `"}`), 1, same(`flags.a.serve (line 1, column 27): unknown variant "` + longText + `", want one of ["off" "on"]`)},
		{"a long string of the wrong kind", flag(`{"disabled": "` + long + `"}`), 1, same(`flags.a.disabled (line 1, column 30): found string "` + long[:60] + `...", want true or false`)},
		{"a long name of a field", flag(`{"` + long + `": 1}`), 1, same("flags.a." + long + " (line 1, column 18): unknown field")},
		{"a million brackets", strings.Repeat("[", 1_000_000), 1, same(strings.Repeat("[0]", 100) + " (line 1, column 101): nested deeper than 100 levels")},
		{"a million spaces", strings.Repeat(" ", 1_000_000), 1, same("(line 1, column 1000001): found the end of the document, want a value")},
		{
			"300 unknown segments of 1,000",
			`{"flags": {` + list(300, func(i int) string {
				return fmt.Sprintf(`"f%03d": {"when": {"segment": "sagment-%03d"}}`, i, i)
			}) + `}, "segments": {` + list(1_000, func(i int) string { return fmt.Sprintf(`"segment-%03d": {}`, i) }) + `}}`,
			300, func(i int) string {
				return fmt.Sprintf(`flags.f%03d.when.segment (line 1, column %d): unknown segment "sagment-%03d", did you mean "segment-%03d"?`, i, 41+46*i, i, i)
			},
		},
		{
			"a circle of 500 flags",
			`{"flags": {` + list(500, func(i int) string { return fmt.Sprintf(`"f%03d": {"when": {"flag": "f%03d"}}`, i, (i+1)%500) }) + `}}`,
			500, func(i int) string {
				way := fmt.Sprintf("flags.f%03d", i)
				for hop := range 50 {
					way += fmt.Sprintf(" -> flags.f%03d", (i+hop+1)%500)
				}
				text := "needs itself: " + way + " -> ..."
				return fmt.Sprintf("flags.f%03d (line 1, column %d): %s ... %s", i, 20+36*i, text[:300], text[len(text)-200:])
			},
		},
		{
			"a circle of 5,000 segments",
			`{"flags": {}, "segments": {` + list(5_000, func(i int) string { return fmt.Sprintf(`"s%04d": {"if": {"segment": "s%04d"}}`, i, (i+1)%5_000) }) + `}}`,
			1, func(int) string {
				way := "segments.s4999"
				for i := range 5_000 {
					way += fmt.Sprintf(" -> segments.s%04d", i)
				}
				text := "names itself: " + way
				return fmt.Sprintf("segments.s4999 (line 1, column %d): %s ... %s", 37+39*4_999, text[:300], text[len(text)-200:])
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := refused(t, []byte(tt.document))
			require.Len(t, got, tt.problems)
			for i, p := range got {
				if want := tt.want(i); want != p.String() {
					t.Fatalf("problem %d\n got %.900s\nwant %.900s", i, p, want)
				}
			}
		})
	}
}
