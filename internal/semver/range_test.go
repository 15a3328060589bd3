package semver_test

import (
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/semver"
	"github.com/stretchr/testify/require"
)

func TestRange(t *testing.T) {
	tests := []struct {
		text, spelled string
		in, out       string
	}{
		{"1.2.3", "=1.2.3", "1.2.3 1.2.3+build", "1.2.3-rc.1 1.2.4"},
		{"=1.2.3-rc.1+build", "=1.2.3-rc.1", "1.2.3-rc.1", "1.2.3 1.2.3-rc.1.0"},
		{"<2.0.0", "<2.0.0", "1.9.9 2.0.0-rc.1", "2.0.0 2.0.0+build"},
		{"<=2.0.0", "<=2.0.0", "2.0.0", "2.0.1-0"},
		{">2.0.0", ">2.0.0", "2.0.1-0", "2.0.0"},
		{">=2.0.0", ">=2.0.0", "2.0.0 3.0.0-rc.1", "2.0.0-rc.1"},
		{">=1.2.0  <1.3.0 ", ">=1.2.0 <1.3.0", "1.2.0 1.3.0-rc.1", "1.3.0 1.1.9"},
		{">2.0.0 <1.0.0", ">2.0.0 <1.0.0", "", "0.1.0 1.5.0 3.0.0"},
		{"^1.2.3", ">=1.2.3 <2.0.0-0", "1.2.3 1.10.0 1.9.0-rc.1", "1.2.3-rc.1 1.2.2 2.0.0-0 2.0.0-rc.1 2.0.0"},
		{"^1.2", ">=1.2.0 <2.0.0-0", "1.2.0 1.9.9", "1.1.9 1.2.0-rc.1 2.0.0-0"},
		{"^1", ">=1.0.0 <2.0.0-0", "1.0.0 1.9.9", "0.9.9 2.0.0-0"},
		{"^0.2.3", ">=0.2.3 <0.3.0-0", "0.2.3 0.2.9", "0.2.2 0.3.0-0"},
		{"^0.2", ">=0.2.0 <0.3.0-0", "0.2.0", "0.1.9 0.3.0-0"},
		{"^0.0.3", ">=0.0.3 <0.0.4-0", "0.0.3", "0.0.2 0.0.4-0 0.0.4"},
		{"^0.0.0", ">=0.0.0 <0.0.1-0", "0.0.0", "0.0.1"},
		{"^0.0", ">=0.0.0 <0.1.0-0", "0.0.0 0.0.9", "0.0.0-0 0.1.0-0"},
		{"^0", ">=0.0.0 <1.0.0-0", "0.0.0 0.9.9", "1.0.0-0"},
		{"^1.2.3-rc.1", ">=1.2.3-rc.1 <2.0.0-0", "1.2.3-rc.1 1.2.3", "1.2.3-beta 2.0.0-0"},
		{"~1.2.3", ">=1.2.3 <1.3.0-0", "1.2.3 1.2.10", "1.2.2 1.3.0-0 1.3.0-rc.1"},
		{"~1.2", ">=1.2.0 <1.3.0-0", "1.2.0", "1.1.9 1.3.0-0"},
		{"~1", ">=1.0.0 <2.0.0-0", "1.0.0 1.9.9", "2.0.0-0"},
		{"~0.0.3", ">=0.0.3 <0.1.0-0", "0.0.9", "0.0.2 0.1.0"},
		{"~0", ">=0.0.0 <1.0.0-0", "0.9.9", "1.0.0-0"},
		{"~1.2.3-rc.1+build", ">=1.2.3-rc.1 <1.3.0-0", "1.2.3-rc.2", "1.2.3-beta"},
		{"^1.2 >1.4.0 <=1.8.0", ">=1.2.0 <2.0.0-0 >1.4.0 <=1.8.0", "1.8.0", "1.4.0 1.8.1"},
		{"~9.99", ">=9.99.0 <9.100.0-0", "9.99.9", "9.100.0"},
		{"^99999999999999999999", ">=99999999999999999999.0.0 <100000000000000000000.0.0-0", "99999999999999999999.1.0", "100000000000000000000.0.0"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			r, err := semver.ParseRange(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.spelled, r.String())
			for _, text := range strings.Fields(tt.in) {
				require.True(t, has(t, r, text), "%s is in", text)
			}
			for _, text := range strings.Fields(tt.out) {
				require.False(t, has(t, r, text), "%s is out", text)
			}
		})
	}
}

func TestRangeProblems(t *testing.T) {
	const generic = ", want a semantic version such as 1.2.3 or 1.2.3-rc.1, with one of = < <= > >= ^ ~ before it or none"
	tests := []struct{ name, text, want string }{
		{"empty", "", `found "", want versions to compare with, such as >=1.2.0 or ^1.2`},
		{"spaces", "  ", `found "  ", want versions to compare with, such as >=1.2.0 or ^1.2`},
		{"an operator alone", ">=", `found ">=", want a version directly behind it`},
		{"a space behind the operator", ">= 1.2.3", `found ">=", want a version directly behind it`},
		{"a part left out", ">=1.2", `found ">=1.2", want all three parts, as in >=1.2.0: they may be left out after ^ and ~ only`},
		{"two parts left out, no operator", "1", `found "1", want all three parts, as in =1.0.0: they may be left out after ^ and ~ only`},
		{"a leading v", "^v1.2.3", `found "^v1.2.3", want the version without "v"`},
		{"the second is wrong", ">=1.2.3 V2", `found "V2", want the version without "V"`},
		{"an operator that is none", "==1.2.3", `found "==1.2.3"` + generic},
		{"a wildcard", "1.x", `found "1.x"` + generic},
		{"alternatives", "1.2.3 || 2.0.0", `found "||"` + generic},
		{"a leading zero", "^01.2", `found "^01.2"` + generic},
		{"a pre-release of a partial version", "^1.2-rc.1", `found "^1.2-rc.1"` + generic},
		{"build metadata of a partial version", "~1+build", `found "~1+build"` + generic},
		{"a dot too many", "~1.", `found "~1."` + generic},
		{"four parts", "~1.2.3.4", `found "~1.2.3.4"` + generic},
		{"a tab", "1.2.3\t2.0.0", `found "1.2.3\t2.0.0"` + generic},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := semver.ParseRange(tt.text)
			require.EqualError(t, err, tt.want)
		})
	}
}

// FuzzParseRange: a range spelled out is the same range, and has its own bounds as
// the operators say.
func FuzzParseRange(f *testing.F) {
	f.Add("^1.2 <1.9.0", "1.5.0-rc.1")
	f.Add("~0 =0.1.2-a+b 99.9.9", "0.1.2")
	f.Fuzz(func(t *testing.T, text, version string) {
		r, err := semver.ParseRange(text)
		if err != nil {
			return
		}
		again, err := semver.ParseRange(r.String())
		require.NoError(t, err, "%s", r)
		require.Equal(t, r.String(), again.String())
		v, ok := semver.Parse(version)
		if !ok {
			return
		}
		want := true
		for comparison := range strings.FieldsSeq(r.String()) {
			bound := strings.TrimLeft(comparison, "<=>")
			order := slowCompare(version, bound)
			op := strings.TrimSuffix(comparison, bound)
			want = want && (strings.Contains(op, "<") && order < 0 || strings.Contains(op, "=") && order == 0 || strings.Contains(op, ">") && order > 0)
		}
		require.Equal(t, want, r.Has(v), "%s in %s", version, r)
	})
}

func BenchmarkHasNoAlloc(b *testing.B) {
	r, err := semver.ParseRange("^1.2 <1.9.0")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		v, _ := semver.Parse("1.8.3-rc.1+linux")
		r.Has(v)
	}
}

func has(t *testing.T, r semver.Range, text string) bool {
	t.Helper()
	v, ok := semver.Parse(text)
	require.True(t, ok, text)
	return r.Has(v)
}
