package verify

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text that knows where in the first text each of its bytes came from.
// Without that it is the first text.
type view struct {
	text  string
	froms []int32
	tos   []int32
}

func (v *view) from(i int) int {
	if v.froms == nil {
		return i
	}
	return int(v.froms[i])
}

func (v *view) to(i int) int {
	if v.tos == nil {
		return i + 1
	}
	return int(v.tos[i])
}

// escape is a way of writing characters as others, or bytes as digits.
type escape struct {
	kind   int
	begins string // what an escape may begin with
	undo   func(s string) (plain string, width int)

	bits int // of a digit
	skip int // how many digits are not of the first byte: they may be of something before
}

// The kinds of escapes; each undoes the same as often as texts are written so.
const (
	quoted = iota
	percent
	form
	entity
	inBase64
	inHex
)

var escapes = []escape{
	{kind: quoted, begins: `\`, undo: unquote},
	{kind: percent, begins: "%", undo: unpercent},
	{kind: form, begins: "%+", undo: func(s string) (string, int) {
		if s[0] == '+' {
			return " ", 1
		}
		return unpercent(s)
	}},
	{kind: entity, begins: "&", undo: unhtml},
	{kind: inBase64, bits: 6},
	{kind: inBase64, bits: 6, skip: 1},
	{kind: inBase64, bits: 6, skip: 2},
	{kind: inBase64, bits: 6, skip: 3},
	{kind: inHex, bits: 4},
	{kind: inHex, bits: 4, skip: 1},
}

func (v *view) undo(e escape) (plain view, changed bool) {
	if e.bits > 0 {
		return v.decode(e)
	}
	if !strings.ContainsAny(v.text, e.begins) {
		return view{}, false
	}
	w := writer{of: v}
	for i := 0; i < len(v.text); {
		piece, width := v.text[i:i+1], 1
		if strings.IndexByte(e.begins, v.text[i]) >= 0 {
			if p, w := e.undo(v.text[i:]); w > 0 {
				piece, width, changed = p, w, true
			}
		}
		for _, c := range []byte(piece) {
			w.write(c, i, i+width-1)
		}
		i += width
	}
	return w.view(), changed
}

// writer writes a view of another.
type writer struct {
	of         *view
	text       []byte
	froms, tos []int32
}

// write adds a byte that the bytes from one to another of the first view stand for.
func (w *writer) write(c byte, first, last int) {
	w.text = append(w.text, c)
	w.froms, w.tos = append(w.froms, int32(w.of.from(first))), append(w.tos, int32(w.of.to(last)))
}

func (w *writer) view() view { return view{string(w.text), w.froms, w.tos} }

// unquote undoes an escape of JSON or Go.
func unquote(s string) (string, int) {
	if len(s) < 2 {
		return "", 0
	}
	if i := strings.IndexByte(`"\/'`, s[1]); i >= 0 {
		return s[1:2], 2
	}
	if i := strings.IndexByte("abfnrtv", s[1]); i >= 0 {
		return "\a\b\f\n\r\t\v"[i : i+1], 2
	}
	switch s[1] {
	case 'x':
		if n, ok := hexDigits(s, 2, 2); ok {
			return string([]byte{byte(n)}), 4
		}
	case 'u':
		high, ok := hexDigits(s, 2, 4)
		if !ok {
			return "", 0
		}
		if utf16.IsSurrogate(high) && strings.HasPrefix(s[6:], `\u`) {
			if low, ok := hexDigits(s, 8, 4); ok {
				return string(utf16.DecodeRune(high, low)), 12
			}
		}
		return string(high), 6
	case 'U':
		if r, ok := hexDigits(s, 2, 8); ok {
			return string(r), 10
		}
	}
	return "", 0
}

func unpercent(s string) (string, int) {
	n, ok := hexDigits(s, 1, 2)
	if !ok {
		return "", 0
	}
	return string([]byte{byte(n)}), 3
}

func unhtml(s string) (string, int) {
	const most = 12 // "&#x0010ffff;"
	end := strings.IndexByte(s[:min(len(s), most)], ';')
	if end < 0 {
		return "", 0
	}
	plain := html.UnescapeString(s[:end+1])
	if plain == s[:end+1] || !utf8.ValidString(plain) {
		return "", 0
	}
	return plain, end + 1
}

// hexDigits reads digits of s.
func hexDigits(s string, from, digits int) (rune, bool) {
	if len(s) < from+digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[from:from+digits], 16, 31)
	return rune(n), err == nil
}
