package jsonpath

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// supported is what an error says if a path asks for more.
const supported = `supported are names, indexes, "*", slices, ".." and lists of these`

// mostText keeps a path, which is written by hand, to a length that is.
const mostText = 4096

// Compile reads a path by the grammar of RFC 9535. The error says at which byte,
// from 0, what was found and what was wanted.
func Compile(text string) (*Path, error) {
	p := &parser{text: text}
	path := &Path{text: text}
	switch {
	case len(text) > mostText:
		return nil, fmt.Errorf("found %d bytes, want at most %d", len(text), mostText)
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("%q is not UTF-8", text)
	case !p.skip("$"):
		return nil, p.want(`"$"`)
	}
	for p.at < len(text) {
		s, err := p.segment()
		if err != nil {
			return nil, err
		}
		path.segments = append(path.segments, s)
	}
	return path, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) segment() (s segment, err error) {
	if p.space(); p.at == len(p.text) {
		return s, p.want("no space at the end")
	}
	s.deep = p.skip("..")
	switch {
	case p.skip("["):
		s.selectors, err = p.list()
		return s, err
	case !s.deep && !p.skip("."):
		return s, p.want(`"." or "["`)
	case p.skip("*"):
		s.selectors = []selector{{kind: wildcard}}
		return s, nil
	}
	start := p.at
	for p.at < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.at:])
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= utf8.RuneSelf
		if !letter && (p.at == start || r < '0' || r > '9') {
			break
		}
		p.at += size
	}
	if p.at == start {
		return s, p.want(`a name, "*" or a list in brackets; quote other names: ["a-b"]`)
	}
	s.selectors = []selector{{kind: byName, name: p.text[start:p.at]}}
	return s, nil
}

// list reads what stands in brackets, behind the first.
func (p *parser) list() (list []selector, err error) {
	for {
		p.space()
		sel, err := p.selector()
		if err != nil {
			return nil, err
		}
		list = append(list, sel)
		p.space()
		switch {
		case p.skip("]"):
			return list, nil
		case !p.skip(","):
			return nil, p.want(`"," or "]"`)
		}
	}
}

func (p *parser) selector() (sel selector, err error) {
	switch c := p.peek(); {
	case c == '*':
		p.at++
		return selector{kind: wildcard}, nil
	case c == '"' || c == '\'':
		sel.name, err = p.quoted(c)
		return sel, err
	case c == '-' || c == ':' || '0' <= c && c <= '9':
		return p.numbers()
	case c == '?':
		return sel, p.fail("filters are not supported; " + supported)
	}
	return sel, p.want(`a quoted name, an index, a slice or "*"`)
}

// numbers reads an index or a slice.
func (p *parser) numbers() (sel selector, err error) {
	first, err := p.number()
	if err != nil {
		return sel, err
	}
	if first != nil {
		end := p.at
		if p.space(); p.peek() != ':' {
			p.at = end
			return selector{kind: byIndex, index: *first}, nil
		}
	}
	p.at++ // the colon
	sel = selector{kind: slice, start: first, step: 1}
	p.space()
	if sel.end, err = p.number(); err != nil {
		return sel, err
	}
	p.space()
	if !p.skip(":") {
		return sel, nil
	}
	p.space()
	at := p.at
	step, err := p.number()
	if err != nil || step == nil {
		return sel, err
	}
	if sel.step = *step; sel.step == 0 {
		p.at = at
		return sel, p.fail("a slice with step 0 selects nothing")
	}
	return sel, nil
}

// number reads an integer as the RFC has it, and nothing where there is none.
func (p *parser) number() (*int, error) {
	start := p.at
	p.skip("-")
	for p.at < len(p.text) && '0' <= p.peek() && p.peek() <= '9' {
		p.at++
	}
	text := p.text[start:p.at]
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	const most = 1<<53 - 1
	if err != nil || n > most || n < -most || strconv.FormatInt(n, 10) != text {
		p.at = start
		return nil, p.fail("found %q, want a whole number without leading zeros, within 2^53", text)
	}
	// no array is as long as what does not fit an int
	i := int(max(min(n, math.MaxInt32), -math.MaxInt32))
	return &i, nil
}

func (p *parser) quoted(quote byte) (string, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); {
		switch c := p.text[p.at]; {
		case c == quote:
			p.at++
			return b.String(), nil
		case c == '\\':
			r, size := escaped(p.text[p.at:], quote)
			if size == 0 {
				return "", p.fail(`found a wrong escape, want one of \%c \\ \/ \b \f \n \r \t or \u and four hex digits`, quote)
			}
			b.WriteRune(r)
			p.at += size
		case c < ' ':
			return "", p.fail("found control character U+%04X, want it escaped", c)
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	return "", p.want(fmt.Sprintf("%c at the end of the name", quote))
}

// escaped reads an escape, or the two of a surrogate pair. Its size is 0 if it is
// none.
func escaped(s string, quote byte) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	if s[1] == quote {
		return rune(quote), 2
	}
	if i := strings.IndexByte(`\/bfnrt`, s[1]); i >= 0 {
		return rune("\\/\b\f\n\r\t"[i]), 2
	}
	r = hex(s)
	switch {
	case r < 0:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if r = utf16.DecodeRune(r, hex(s[6:])); r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex reads \u and four hex digits, and returns -1 if there are none.
func hex(s string) rune {
	if len(s) < 6 || s[:2] != `\u` {
		return -1
	}
	code, err := strconv.ParseUint(s[2:6], 16, 16)
	if err != nil {
		return -1
	}
	return rune(code)
}

func (p *parser) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

// peek returns the byte at hand, or 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) skip(token string) bool {
	found := strings.HasPrefix(p.text[p.at:], token)
	if found {
		p.at += len(token)
	}
	return found
}

// want says what stands at hand, and what should.
func (p *parser) want(what string) error {
	switch {
	case p.at == len(p.text):
		return p.fail("found the end, want %s", what)
	case p.peek() == '(' || p.peek() == '@':
		return p.fail("found '%c': functions and filters are not supported; %s", p.peek(), supported)
	}
	r, _ := utf8.DecodeRuneInString(p.text[p.at:])
	return p.fail("found %q, want %s", r, what)
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%q, at byte %d: "+format, append([]any{p.text, p.at}, args...)...)
}
