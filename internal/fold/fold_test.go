package fold_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/fold"
	"github.com/stretchr/testify/require"
)

func TestMatches(t *testing.T) {
	const kelvin, longS = "\u212a", "\u017f"
	tests := []struct {
		name, s, pattern         string
		prefix, suffix, contains bool
	}{
		{"all of it", "Straße", "sTRAßE", true, true, true},
		{"the beginning", "carl@Example.com", "CARL@", true, false, true},
		{"the end", "carl@Example.com", "@EXAMPLE.COM", false, true, true},
		{"the middle", "carl@Example.com", "@example.", false, false, true},
		{"nothing of it", "carl", "bert", false, false, false},
		{"longer than the text", "carl", "carla", false, false, false},
		{"longer at the other end", "carl", "acarl", false, false, false},
		{"empty in something", "carl", "", true, true, true},
		{"empty in empty", "", "", true, true, true},
		{"something in empty", "", "a", false, false, false},
		{"the Kelvin sign", "10 " + kelvin, "k", false, true, true},
		{"k in the pattern", "kilo", kelvin, true, false, true},
		{"the long s", "Wach" + longS + "tube", "WACHST", true, false, true},
		{"the capital sharp s", "groß", "SS", false, false, false},
		{"three sigmas", "ΟΔΟΣ οδός οδοσ", "οδος", true, true, true},
		{"titlecase", "ǅ", "ǆ", true, true, true},
		{"no dotless i", "ısparta", "I", false, false, false},
		{"@ is not `", "@", "`", false, false, false},
		{"[ is not {", "[", "{", false, false, false},
		{"Å is the Angstrom sign", "\u212b", "å", true, true, true},
		{"beyond 16 bits", "𐐨x", "𐐀", true, false, true},
		{"invalid is U+FFFD", "a\xffb", "A\ufffdB", true, true, true},
		{"each invalid byte is one", "\xe2\x84x", "\xff\xff", true, false, true},
		{"U+FFFD in empty", "", "\ufffd", false, false, false},
		{"not half a rune", "é", "\xc3", false, false, false},
		{"begins again within", "aabaabaaab", "AABAAA", false, false, true},
		{"almost, over and over", "aaabaaabaaab", "aaaa", false, false, false},
		{"at the very end", "ababac", "ABAC", false, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := fold.Compile(tt.pattern)
			require.Equal(t, tt.prefix, fold.HasPrefix(tt.s, p), "prefix")
			require.Equal(t, tt.suffix, fold.HasSuffix(tt.s, p), "suffix")
			require.Equal(t, tt.contains, fold.Contains(tt.s, p), "contains")
		})
	}
}

// TestEveryRune takes every rune there is, with everything it folds to.
func TestEveryRune(t *testing.T) {
	hashes := map[uint64]rune{}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		one, next := string(r), unicode.SimpleFold(r)
		h := fold.Hash(one)
		if !fold.HasPrefix(one, fold.Compile(string(next))) || h != fold.Hash(string(next)) {
			t.Fatalf("%q and %q: not equal", r, next)
		}
		if other, ok := hashes[h]; ok && !strings.EqualFold(one, string(other)) {
			t.Fatalf("%q and %q: one hash", r, other)
		}
		hashes[h] = r
	}
}

func TestHash(t *testing.T) {
	same := [][2]string{{"", ""}, {"Example", "eXAMPLE"}, {"ΟΔΟΣ", "οδος"}, {"\xff", "\ufffd"}, {"K", "\u212a"}}
	for _, pair := range same {
		require.Equal(t, fold.Hash(pair[0]), fold.Hash(pair[1]), "%q", pair)
	}
	seen := map[uint64]string{}
	for _, prefix := range []string{"", "user-", "Ω", "a\x00", "-"} {
		for i := range 200 * 200 {
			text := prefix + string(rune(200+i/200)) + string(rune(500+i%200))
			h := fold.Hash(text)
			if other, ok := seen[h]; ok && !strings.EqualFold(text, other) {
				t.Fatalf("%q and %q: one hash", text, other)
			}
			seen[h] = text
		}
	}
}

func TestMatchingAllocatesNothing(t *testing.T) {
	for _, s := range []string{"carl@EXAMPLE.com", "Straße ΟΔΟΣ \u212a \xff", strings.Repeat("aB", 10_000)} {
		for _, pattern := range []string{"@example", "οδος", strings.Repeat("a", 1000), ""} {
			p := fold.Compile(pattern)
			require.Zero(t, testing.AllocsPerRun(10, func() {
				_ = fold.HasPrefix(s, p) || fold.HasSuffix(s, p)
				fold.Contains(s, p)
				fold.Hash(s)
			}))
		}
	}
}

// FuzzMatch compares with strings.EqualFold on every slice of runes.
func FuzzMatch(f *testing.F) {
	f.Add("aabaAbaaab", "AABAAA")
	f.Add("ΟΔΟΣ οδός", "οσ")
	f.Add("\u212a\xe2\x84\xaa\xe2\x84", "k\xff\xff")
	f.Add("\xf0\x90\x90\xa8\xf0\x90", "\xff\xf0\x90\x90\x80")
	f.Fuzz(func(t *testing.T, s, pattern string) {
		if len(s) > 200 {
			return
		}
		p := fold.Compile(pattern)
		var prefix, suffix, contains bool
		bounds := []int{}
		for i := range s {
			bounds = append(bounds, i)
		}
		bounds = append(bounds, len(s))
		for i, from := range bounds {
			for _, to := range bounds[i:] {
				if !strings.EqualFold(s[from:to], pattern) {
					continue
				}
				require.Equal(t, fold.Hash(pattern), fold.Hash(s[from:to]))
				contains = true
				prefix = prefix || from == 0
				suffix = suffix || to == len(s)
			}
		}
		require.Equal(t, prefix, fold.HasPrefix(s, p), "prefix")
		require.Equal(t, suffix, fold.HasSuffix(s, p), "suffix")
		require.Equal(t, contains, fold.Contains(s, p), "contains")
		if !strings.EqualFold(s, pattern) {
			require.NotEqual(t, fold.Hash(s), fold.Hash(pattern))
		}
	})
}

func BenchmarkNoAlloc(b *testing.B) {
	const megabyte = 1 << 20
	worst := strings.Repeat("a", 999)
	subjects := []struct{ name, s, pattern string }{
		{"email", "carl.larsson@mail.Example.com", "@example.com"},
		{"Greek", "Ο δρόμος προς το Μέτσοβο", "μέτσοβο"},
		{"1MB", strings.Repeat("carl.larsson@mail.Example.com ", megabyte/30), "@example.net"},
		{"1MB-worst", strings.Repeat(worst+"c", megabyte/1000), worst + "b"},
		{"1MB-Greek", strings.Repeat("Ο δρόμος ", megabyte/17), "μέτσοβο"},
	}
	for _, tt := range subjects {
		p := fold.Compile(tt.pattern)
		run := func(name string, f func()) {
			b.Run(name+"/"+tt.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(tt.s)))
				for b.Loop() {
					f()
				}
			})
		}
		run("suffix", func() { fold.HasSuffix(tt.s, p) })
		run("contains", func() { fold.Contains(tt.s, p) })
		run("hash", func() { fold.Hash(tt.s) })
	}
}
