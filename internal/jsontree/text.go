package jsontree

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text reads a string, from its opening to its closing quote, and decodes it.
func (p *parser) text() (string, *Problem) {
	start := p.off + 1
	p.off = start
	var decoded []byte // nil as long as the text stands for itself
	for {
		c := p.peek()
		switch {
		case p.off == len(p.src):
			return "", p.want("'\"' at the end of the string")
		case c == '"':
			s := p.src[start:p.off]
			p.off++
			if decoded != nil {
				return string(append(decoded, s...)), nil
			}
			return s, nil
		case c == '\\':
			decoded = append(decoded, p.src[start:p.off]...)
			r, bad := p.escape()
			if bad != nil {
				return "", bad
			}
			decoded = utf8.AppendRune(decoded, r)
			start = p.off
		case c < ' ':
			return "", p.fail(p.off, "found control character U+%04X in a string, want it escaped", c)
		case c < utf8.RuneSelf:
			p.off++
		default:
			r, size := utf8.DecodeRuneInString(p.src[p.off:])
			if r == utf8.RuneError && size == 1 {
				return "", p.want("UTF-8")
			}
			p.off += size
		}
	}
}

// escape reads one escape, or the two that make a surrogate pair.
func (p *parser) escape() (rune, *Problem) {
	start := p.off
	p.off++
	if i := strings.IndexByte(`"\/bfnrt`, p.peek()); i >= 0 && p.off < len(p.src) {
		p.off++
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	p.off = start
	high, ok := p.unicode()
	if !ok {
		return 0, p.fail(start, `found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`)
	}
	if !utf16.IsSurrogate(high) {
		return high, nil
	}
	if low, ok := p.unicode(); ok {
		if r := utf16.DecodeRune(high, low); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, p.fail(start, `found the lone surrogate escape \u%04x, want a pair`, high)
}

// unicode reads \u and four hex digits.
func (p *parser) unicode() (rune, bool) {
	rest, ok := strings.CutPrefix(p.src[p.off:], `\u`)
	if !ok || len(rest) < 4 {
		return 0, false
	}
	code, err := strconv.ParseUint(rest[:4], 16, 16)
	if err != nil {
		return 0, false
	}
	p.off += 6
	return rune(code), true
}
