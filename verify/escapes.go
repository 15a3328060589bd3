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

// escape is a way of writing characters as others.
type escape struct {
	begins string // what each may begin with
	undo   func(s string) (plain string, width int)
}

var escapes = []escape{
	{`\`, unquote},
	{"%", unpercent},
	{"%+", func(s string) (string, int) {
		if s[0] == '+' {
			return " ", 1
		}
		return unpercent(s)
	}},
	{"&", unhtml},
}

func (v *view) undo(e escape) (plain view, changed bool) {
	if !strings.ContainsAny(v.text, e.begins) {
		return view{}, false
	}
	var b strings.Builder
	for i := 0; i < len(v.text); {
		piece, width := v.text[i:i+1], 1
		if strings.IndexByte(e.begins, v.text[i]) >= 0 {
			if p, w := e.undo(v.text[i:]); w > 0 {
				piece, width, changed = p, w, true
			}
		}
		b.WriteString(piece)
		from, to := int32(v.from(i)), int32(v.to(i+width-1))
		for range len(piece) {
			plain.froms, plain.tos = append(plain.froms, from), append(plain.tos, to)
		}
		i += width
	}
	plain.text = b.String()
	return plain, changed
}

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
