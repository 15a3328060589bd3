package jsontree_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

func TestCanonicalNumber(t *testing.T) {
	tests := []struct{ literal, want string }{
		{"0", "0"}, {"-0", "0"}, {"0.000e7", "0"}, {"-0e-9999999999999999999999", "0"},
		{"1", "1e0"}, {"1.0", "1e0"}, {"1e0", "1e0"}, {"10e-1", "1e0"}, {"0.1E+1", "1e0"}, {"1e-00", "1e0"},
		{"100", "1e2"}, {"-1.50", "-15e-1"}, {"310.1e-1", "3101e-2"}, {"31.01", "3101e-2"},
		{"9007199254740993", "9007199254740993e0"}, {"9007199254740992", "9007199254740992e0"},
		{"0.1", "1e-1"}, {"0.10000000000000000001", "10000000000000000001e-20"},
		{"1e400000000", "1e400000000"}, {"1e-400000000", "1e-400000000"},
		{"10e99999999999999999999", "1e100000000000000000000"}, {"1.5e-99999999999999999999", "15e-100000000000000000000"},
		{"0.1e1000000000000000000", "1e999999999999999999"}, {"10e-1000000000000000000", "1e-999999999999999999"},
		{"10e0999999999999999999", "1e1000000000000000000"}, {"0.1e2000000000000000000", "1e1999999999999999999"},
		{"1e+000000000000000000000000000007", "1e7"}, {"10e-1", "1e0"},
		{"0.1e9223372036854775807", "1e9223372036854775806"}, {"10e9223372036854775807", "1e9223372036854775808"},
		{"", ""}, {"01", ""}, {"+1", ""}, {"1.", ""}, {".5", ""}, {"1e", ""}, {"NaN", ""}, {"1 ", ""}, {"--1", ""}, {"0x1", ""}, {"-", ""},
	}
	for _, tt := range tests {
		if got := jsontree.CanonicalNumber(tt.literal); got != tt.want {
			t.Errorf("CanonicalNumber(%q): got %q, want %q", tt.literal, got, tt.want)
		}
	}
}

func TestCanonicalNumberOfHugeLiterals(t *testing.T) {
	digits := strings.Repeat("9", 1<<20)
	begin := time.Now()
	for _, literal := range []string{digits, "0." + digits, "1e" + digits, "10e-" + digits} {
		if got := jsontree.CanonicalNumber(literal); len(got) > len(literal)+20 {
			t.Errorf("got %d bytes for a literal of %d", len(got), len(literal))
		}
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzCanonicalNumber(f *testing.F) {
	for _, seed := range [][2]string{{"1", "1.0"}, {"310.1e-1", "31.01"}, {"-0", "0"}, {"1e5", "100000"}, {"12", "1.3"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		ca, cb := jsontree.CanonicalNumber(a), jsontree.CanonicalNumber(b)
		if ca == "" || cb == "" || longExponent(a) || longExponent(b) {
			return // big.Rat carries an exponent out
		}
		ra, _ := new(big.Rat).SetString(a)
		rb, _ := new(big.Rat).SetString(b)
		if (ca == cb) != (ra.Cmp(rb) == 0) {
			t.Errorf("%s and %s: canonical %s and %s, but comparing gives %d", a, b, ca, cb, ra.Cmp(rb))
		}
		if jsontree.CanonicalNumber(ca) != ca {
			t.Errorf("%s is not canonical itself", ca)
		}
	})
}

func longExponent(literal string) bool {
	i := strings.IndexAny(literal, "eE")
	return i >= 0 && len(literal)-i > 5
}
