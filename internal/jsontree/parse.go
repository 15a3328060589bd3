package jsontree

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxDepth is how many arrays and objects may stand inside one another.
const MaxDepth = 100

// Parse reads one JSON value and nothing but white space around it. The error is
// [Problems]: duplicate keys, each with both its places, and the first mistake
// against the grammar, where reading ends. If duplicate keys are all that is
// wrong, the tree is returned beside the error, with the first of each key, so
// that a caller who reports everything at once can go on looking; in all other
// cases an error comes with a nil tree.
func Parse(data []byte) (*Node, error) {
	p := &parser{src: string(data), mark: Pos{Line: 1, Column: 1}}
	n, bad := p.document()
	if bad != nil {
		return nil, append(p.duplicates, *bad)
	}
	return n, p.duplicates.Err()
}

type parser struct {
	src        string
	off        int
	mark       Pos // the last place asked for, so that lines are counted once
	trail      trail
	duplicates Problems
}

func (p *parser) document() (*Node, *Problem) {
	if strings.HasPrefix(p.src, "\ufeff") {
		return nil, p.fail(0, "found a byte order mark, want JSON without one")
	}
	p.space()
	n, bad := p.value(0)
	if bad != nil {
		return nil, bad
	}
	if p.space(); p.off < len(p.src) {
		return nil, p.fail(p.off, "trailing data at offset %d: found %s, want the end of the document", p.off, p.found())
	}
	return n, nil
}

// value reads a value at depth enclosing arrays and objects. It starts and ends
// at a token, not at white space.
func (p *parser) value(depth int) (n *Node, bad *Problem) {
	n = &Node{Pos: p.pos(p.off)}
	start := p.off
	switch c := p.peek(); {
	case c == '{' || c == '[':
		if depth == MaxDepth {
			return nil, p.fail(p.off, "nested deeper than %d levels", MaxDepth)
		}
		if c == '{' {
			bad = p.object(n, depth+1)
		} else {
			bad = p.array(n, depth+1)
		}
	case c == '"':
		n.Kind = String
		n.Text, bad = p.text()
	case c == '-' || '0' <= c && c <= '9':
		n.Kind = Number
		length, want := scanNumber(p.src[start:])
		p.off += length
		if want != "" {
			return nil, p.want(want)
		}
		n.Text = p.src[start:p.off]
	default:
		bad = p.word(n)
	}
	if bad != nil {
		return nil, bad
	}
	n.raw = p.src[start:p.off]
	return n, nil
}

func (p *parser) object(n *Node, depth int) *Problem {
	n.Kind = Object
	first := make(map[string]Pos)
	for more, want := p.open('}'), "a key in double quotes or '}'"; more; want = "a key in double quotes" {
		if p.peek() != '"' {
			return p.want(want)
		}
		pos := p.pos(p.off)
		key, bad := p.text()
		if bad != nil {
			return bad
		}
		p.trail = append(p.trail, step{key: key, index: -1})
		earlier, duplicate := first[key]
		if duplicate {
			p.duplicates = append(p.duplicates, Problem{
				Path: p.trail.under(""), Pos: pos,
				Text: fmt.Sprintf("duplicate key, the first is at line %d, column %d", earlier.Line, earlier.Column),
			})
		}
		if p.space(); p.peek() != ':' {
			return p.want("':' after the key")
		}
		p.off++
		p.space()
		value, bad := p.value(depth)
		if bad != nil {
			return bad
		}
		p.trail = p.trail[:len(p.trail)-1]
		if !duplicate {
			first[key] = pos
			n.Members = append(n.Members, Member{Key: key, Pos: pos, Value: value})
		}
		if more, bad = p.next('}'); bad != nil {
			return bad
		}
	}
	return nil
}

func (p *parser) array(n *Node, depth int) *Problem {
	n.Kind = Array
	for more := p.open(']'); more; {
		p.trail = append(p.trail, step{index: len(n.Items)})
		item, bad := p.value(depth)
		if bad != nil {
			return bad
		}
		p.trail = p.trail[:len(p.trail)-1]
		n.Items = append(n.Items, item)
		if more, bad = p.next(']'); bad != nil {
			return bad
		}
	}
	return nil
}

// open steps into an array or object and says whether there is anything in it.
func (p *parser) open(end byte) bool {
	p.off++
	if p.space(); p.peek() == end {
		p.off++
		return false
	}
	return true
}

// next steps over what stands between elements and says whether one follows.
func (p *parser) next(end byte) (more bool, bad *Problem) {
	p.space()
	switch p.peek() {
	case ',':
		p.off++
		p.space()
		return true, nil
	case end:
		p.off++
		return false, nil
	}
	return false, p.want(fmt.Sprintf("',' or %q", end))
}

func (p *parser) word(n *Node) *Problem {
	switch word := p.src[p.off:wordEnd(p.src, p.off)]; word {
	case "null":
		n.Kind = Null
	case "true", "false":
		n.Kind, n.Bool = Bool, word == "true"
	default:
		return p.want("a value")
	}
	p.off = wordEnd(p.src, p.off)
	return nil
}

func wordEnd(s string, i int) int {
	for i < len(s) && ('a' <= s[i] && s[i] <= 'z' || 'A' <= s[i] && s[i] <= 'Z' || '0' <= s[i] && s[i] <= '9' || s[i] == '_') {
		i++
	}
	return i
}

func (p *parser) space() {
	for p.off < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.off]) >= 0 {
		p.off++
	}
}

// peek returns the byte at hand, or 0 at the end: no token begins with a 0.
func (p *parser) peek() byte {
	if p.off < len(p.src) {
		return p.src[p.off]
	}
	return 0
}

// pos returns the place of an offset. Offsets are asked for in ascending order,
// so that the text is counted once.
func (p *parser) pos(off int) Pos {
	for ; p.mark.Offset < off; p.mark.Offset++ {
		switch c := p.src[p.mark.Offset]; {
		case c == '\n':
			p.mark.Line, p.mark.Column = p.mark.Line+1, 1
		case utf8.RuneStart(c):
			p.mark.Column++
		}
	}
	return p.mark
}

func (p *parser) want(what string) *Problem {
	return p.fail(p.off, "found %s, want %s", p.found(), what)
}

func (p *parser) fail(off int, format string, args ...any) *Problem {
	return &Problem{Path: p.trail.under(""), Pos: p.pos(off), Text: fmt.Sprintf(format, args...)}
}

// found names the token at hand.
func (p *parser) found() string {
	if p.off == len(p.src) {
		return "the end of the document"
	}
	if end := wordEnd(p.src, p.off); end > p.off {
		return quote(p.src[p.off:end])
	}
	r, size := utf8.DecodeRuneInString(p.src[p.off:])
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("invalid UTF-8 (byte 0x%02x)", p.src[p.off])
	}
	return fmt.Sprintf("%q", r)
}
