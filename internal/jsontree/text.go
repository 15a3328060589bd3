package jsontree

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string, from its opening to its closing quote, and returns what
// is between them.
func (p *parser) text() (inner string, escaped bool, bad *Problem) {
	p.off++
	for start := p.off; ; {
		for p.off < len(p.src) && itself[p.src[p.off]] {
			p.off++
		}
		switch c := p.peek(); {
		case p.off == len(p.src):
			return "", false, p.want("'\"' at the end of the string")
		case c == '"':
			p.off++
			return p.src[start : p.off-1], escaped, nil
		case c == '\\':
			escaped = true
			r, size := escape(p.src[p.off:])
			if size == 0 {
				return "", false, p.fail(`found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`)
			}
			if utf16.IsSurrogate(r) {
				return "", false, p.fail(`found the lone surrogate escape \u%04x, want a pair`, r)
			}
			p.off += size
		case c == '\n' || c == '\r':
			return "", false, p.fail(`found the end of the line in a string, want '"' before it`)
		case c < ' ':
			return "", false, p.fail("found control character U+%04X in a string, want it escaped", c)
		default:
			r, size := utf8.DecodeRuneInString(p.src[p.off:])
			if r == utf8.RuneError && size == 1 {
				return "", false, p.want("UTF-8")
			}
			p.off += size
		}
	}
}

// itself has the bytes that stand for themselves in a string, and alone.
var itself = func() (set [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\'
	}
	return set
}()

// unescape decodes what [parser.text] found no fault with.
func unescape(inner string) string {
	decoded := make([]byte, 0, len(inner))
	for {
		i := strings.IndexByte(inner, '\\')
		if i < 0 {
			return string(append(decoded, inner...))
		}
		decoded = append(decoded, inner[:i]...)
		r, size := escape(inner[i:])
		decoded = utf8.AppendRune(decoded, r)
		inner = inner[i+size:]
	}
}

// escape returns the rune that the escape at the beginning of s stands for, or
// the two escapes that make a surrogate pair, and their size: 0 if there is none.
// A surrogate that is not half of a pair is returned as it is.
func escape(s string) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	high, ok := unicode(s)
	if !ok {
		return 0, 0
	}
	if utf16.IsSurrogate(high) {
		low, _ := unicode(s[6:])
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, 12
		}
	}
	return high, 6
}

// unicode reads \u and four hex digits.
func unicode(s string) (rune, bool) {
	rest, ok := strings.CutPrefix(s, `\u`)
	if !ok || len(rest) < 4 {
		return 0, false
	}
	code, err := strconv.ParseUint(rest[:4], 16, 16)
	return rune(code), err == nil
}
