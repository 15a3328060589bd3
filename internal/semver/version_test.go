package semver_test

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/semver"
	"github.com/stretchr/testify/require"
)

// official is the expression that semver.org suggests.
var official = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$`)

func TestParse(t *testing.T) {
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"a release", "1.2.3", true},
		{"zeros", "0.0.0", true},
		{"numbers beyond 64 bits", "99999999999999999999.99999999999999999999.99999999999999999999", true},
		{"a pre-release", "1.0.0-alpha.1", true},
		{"hyphens in a pre-release", "1.0.0-x-y-z.--", true},
		{"a zero as identifier", "1.0.0-0.a", true},
		{"a zero before letters", "1.0.0-0a", true},
		{"build metadata", "1.0.0+20130313144700", true},
		{"a zero before a number of build metadata", "1.0.0+001", true},
		{"both", "1.0.0-beta+exp.sha.5114f85", true},
		{"a hyphen in build metadata only", "1.0.0+21AF26D3---117B344092BD", true},
		{"empty", "", false},
		{"one part", "1", false},
		{"two parts", "1.2", false},
		{"four parts", "1.2.3.4", false},
		{"a leading v", "v1.2.3", false},
		{"an operator", "=1.2.3", false},
		{"a space", "1.2.3 ", false},
		{"a leading zero", "1.02.3", false},
		{"a sign", "+1.2.3", false},
		{"a negative number", "1.-2.3", false},
		{"no number", "1.x.3", false},
		{"a missing part", "1..3", false},
		{"an empty pre-release", "1.2.3-", false},
		{"an empty identifier", "1.2.3-a..b", false},
		{"a leading zero in a pre-release", "1.2.3-a.01", false},
		{"a letter from elsewhere", "1.2.3-ä", false},
		{"digits from elsewhere", "1.2.٣", false},
		{"empty build metadata", "1.2.3+", false},
		{"an empty identifier in build metadata", "1.2.3+a.", false},
		{"build metadata twice", "1.2.3+a+b", false},
		{"a pre-release of two parts", "1.2-rc.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := semver.Parse(tt.text)
			require.Equal(t, tt.ok, ok)
			if ok {
				release, _, _ := strings.Cut(tt.text, "+")
				require.Equal(t, release, v.String())
			}
		})
	}
}

// TestPrecedence goes through chains in ascending order, every pair of each.
func TestPrecedence(t *testing.T) {
	tests := []struct{ name, chain string }{
		{"section 11.2 of the specification", "1.0.0 2.0.0 2.1.0 2.1.1"},
		{"section 11.4 of the specification", "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"},
		{"the very first pre-release", "1.9.9 2.0.0-0 2.0.0-0.0 2.0.0-1 2.0.0-- 2.0.0-A 2.0.0-a 2.0.0"},
		{"numbers by size", "2.0.0 10.0.0 10.9.0 10.10.0 10.10.9 10.10.10"},
		{"numbers beyond 64 bits", "1.0.18446744073709551615 1.0.18446744073709551616-99999999999999999999 1.0.18446744073709551616-100000000000000000000 1.0.18446744073709551616"},
		{"numbers before text, digits among letters as text", "1.0.0-2 1.0.0-99 1.0.0-10a 1.0.0-1a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chain := strings.Fields(tt.chain)
			for i, a := range chain {
				for j, b := range chain {
					require.Equal(t, sign(i-j), sign(compare(t, a, b)), "%s and %s", a, b)
				}
			}
		})
	}
	require.Zero(t, compare(t, "1.0.0-rc.1+linux", "1.0.0-rc.1+windows.2"), "build metadata does not count")
}

func TestComparingAllocatesNothing(t *testing.T) {
	r, err := semver.ParseRange("^1.2 <1.99999999999999999999.0 >=1.2.0-rc.1.2.3")
	require.NoError(t, err)
	for _, text := range []string{"1.12.3-rc.1.2.4+build.5", "1.12.3-rc.01", "no version", ""} {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			v, ok := semver.Parse(text)
			_ = ok && r.Has(v) && v.Compare(v) == 0
		}), "%q", text)
	}
}

// FuzzParse holds Parse against the official expression, and the order against a
// slow one that must be the same whichever way it is asked.
func FuzzParse(f *testing.F) {
	f.Add("1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta+2")
	f.Add("1.0.0-0", "1.0.0-01", "01.0.0")
	f.Add("18446744073709551616.0.0", "1.2", "1.2.3+a-b+c")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var versions []semver.Version
		var texts []string
		for _, text := range []string{a, b, c} {
			v, ok := semver.Parse(text)
			require.Equal(t, official.MatchString(text), ok, "%q", text)
			if ok {
				versions, texts = append(versions, v), append(texts, text)
			}
		}
		for i, v := range versions {
			for j, w := range versions {
				require.Equal(t, slowCompare(texts[i], texts[j]), v.Compare(w), "%q and %q", texts[i], texts[j])
				require.Equal(t, -w.Compare(v), v.Compare(w), "%q and %q", texts[i], texts[j])
			}
		}
		if slices.SortFunc(versions, semver.Version.Compare); len(versions) == 3 {
			require.LessOrEqual(t, versions[0].Compare(versions[2]), 0, "%q: not transitive", texts)
		}
	})
}

// slowCompare goes by the letter of section 11 of the specification.
func slowCompare(a, b string) int {
	x, y := official.FindStringSubmatch(a), official.FindStringSubmatch(b)
	for part := 1; part <= 3; part++ {
		if c := number(x[part]).Cmp(number(y[part])); c != 0 {
			return c
		}
	}
	switch {
	case x[4] == y[4]:
		return 0
	case x[4] == "":
		return 1
	case y[4] == "":
		return -1
	}
	return slices.CompareFunc(strings.Split(x[4], "."), strings.Split(y[4], "."), func(a, b string) int {
		m, n := number(a), number(b)
		switch {
		case m != nil && n != nil:
			return m.Cmp(n)
		case m != nil:
			return -1
		case n != nil:
			return 1
		}
		return strings.Compare(a, b)
	})
}

// number is nil for what is not made of digits only.
func number(s string) *big.Int {
	if strings.Trim(s, "0123456789") != "" {
		return nil
	}
	n, _ := new(big.Int).SetString(s, 10)
	return n
}

func compare(t *testing.T, a, b string) int {
	t.Helper()
	v, ok := semver.Parse(a)
	require.True(t, ok, a)
	w, ok := semver.Parse(b)
	require.True(t, ok, b)
	return v.Compare(w)
}

func sign(n int) int { return min(max(n, -1), 1) }
