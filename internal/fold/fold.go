package fold

import (
	"unicode"
	"unicode/utf8"
)

// Pattern is what to look for. The zero Pattern is the empty text.
type Pattern struct {
	runes []rune // canonical
	// borders holds, for each rune, how long the longest beginning of the pattern
	// is that also ends there, the whole up to there aside: how much is still
	// matched when the next rune is wrong (Knuth, Morris, Pratt).
	borders []int
}

// Compile prepares a text to be looked for.
func Compile(text string) Pattern {
	p := Pattern{runes: []rune(text)}
	for i, r := range p.runes {
		p.runes[i] = Canonical(r)
	}
	p.borders = make([]int, len(p.runes))
	n := 0
	for i := 1; i < len(p.runes); i++ {
		n = p.next(n, p.runes[i])
		p.borders[i] = n
	}
	return p
}

// next is how much of the pattern is matched with one more rune, if n runes of it
// were, but not all.
func (p *Pattern) next(n int, r rune) int {
	for p.runes[n] != r {
		if n == 0 {
			return 0
		}
		n = p.borders[n-1]
	}
	return n + 1
}

// HasPrefix says whether the text begins with the pattern.
func HasPrefix(s string, p Pattern) bool {
	n := 0
	for _, r := range s {
		if n == len(p.runes) {
			return true
		}
		if Canonical(r) != p.runes[n] {
			return false
		}
		n++
	}
	return n == len(p.runes)
}

// HasSuffix says whether the text ends with the pattern.
func HasSuffix(s string, p Pattern) bool {
	for n := len(p.runes) - 1; n >= 0; n-- {
		r, size := utf8.DecodeLastRuneInString(s)
		if size == 0 || Canonical(r) != p.runes[n] {
			return false
		}
		s = s[:len(s)-size]
	}
	return true
}

// Contains says whether the pattern is somewhere in the text. It takes no longer
// for a long pattern than for a short one.
func Contains(s string, p Pattern) bool {
	n := 0
	for _, r := range s {
		if n == len(p.runes) {
			return true
		}
		n = p.next(n, Canonical(r))
	}
	return n == len(p.runes)
}

// Hash is the same for texts that strings.EqualFold calls equal, and hardly ever
// for others. It means nothing outside of this process: it may change with the
// version of Unicode that Go has.
func Hash(s string) uint64 {
	h := uint64(0xcbf29ce484222325) // FNV-1a, by runes instead of bytes
	for _, r := range s {
		h ^= uint64(Canonical(r))
		h *= 0x100000001b3
	}
	return h ^ h>>32 // the low bits of FNV know nothing of the high bits of a rune
}

// Canonical is the least rune that folds to the same. For ASCII that is the upper
// case.
func Canonical(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	return least(r)
}

// least goes around: SimpleFold leads from each rune to the next greater one that
// folds to the same, and from the greatest to the least. Not inlining it lets
// Canonical be: ASCII is twice as fast.
//
//go:noinline
func least(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
