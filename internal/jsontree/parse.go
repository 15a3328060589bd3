package jsontree

import (
	"fmt"
	"math"
	"slices"
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
// cases an error comes with a nil tree. Text of 2 GiB or more is refused.
func Parse(data []byte) (*Node, error) {
	if len(data) > math.MaxInt32 {
		return nil, Problems{{Text: fmt.Sprintf("found %d bytes, want less than 2 GiB", len(data))}}
	}
	text := string(data)
	p := &parser{src: text, doc: &document{text: text}, open: make([]Node, 0, few)}
	root, bad := p.document()
	if bad != nil {
		return nil, append(p.duplicates, *bad)
	}
	return &root, p.duplicates.Err()
}

type parser struct {
	src        string
	off        int
	doc        *document
	open       []Node // what was read of the arrays and objects that are not closed yet
	slab       []Node // where the items of closed ones are
	trail      trail
	duplicates Problems
}

func (p *parser) document() (root Node, bad *Problem) {
	if strings.HasPrefix(p.src, "\ufeff") {
		return root, p.fail("found a byte order mark, want JSON without one")
	}
	p.space()
	if root, bad = p.value(0); bad != nil {
		return root, bad
	}
	if p.space(); p.off < len(p.src) {
		return root, p.fail("trailing data at offset %d: found %s, want the end of the document", p.off, p.found())
	}
	return root, nil
}

// value reads a value at depth enclosing arrays and objects. It starts and ends
// at a token, not at white space.
func (p *parser) value(depth int) (n Node, bad *Problem) {
	n = Node{doc: p.doc, start: int32(p.off)}
	switch c := p.peek(); {
	case c == '"':
		n.Kind = String
		_, n.escaped, bad = p.text()
	case c == '{' || c == '[':
		if depth == MaxDepth {
			return n, p.fail("nested deeper than %d levels", MaxDepth)
		}
		if c == '{' {
			n.Kind = Object
			n.Items, bad = p.object(depth + 1)
		} else {
			n.Kind = Array
			n.Items, bad = p.array(depth + 1)
		}
	case c == '-' || '0' <= c && c <= '9':
		n.Kind = Number
		length, want := scanNumber(p.src[p.off:])
		p.off += length
		if want != "" {
			bad = p.want(want)
		}
	default:
		n.Kind, n.Bool, bad = p.word()
	}
	n.end = int32(p.off)
	return n, bad
}

func (p *parser) object(depth int) ([]Node, *Problem) {
	keys := keys{from: len(p.open)}
	for more, want := p.enter('}'), "a key in double quotes or '}'"; more; want = "a key in double quotes" {
		if p.peek() != '"' {
			return nil, p.want(want)
		}
		at := int32(p.off)
		key, escaped, bad := p.text()
		if bad != nil {
			return nil, bad
		}
		if escaped {
			key = unescape(key)
		}
		p.trail = append(p.trail, step{key: key, index: -1})
		first, duplicate := keys.add(p.open, key, at)
		if duplicate {
			p.duplicate(first, at)
		}
		if p.space(); p.peek() != ':' {
			return nil, p.want("':' after the key")
		}
		p.off++
		p.space()
		member, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		p.trail = p.trail[:len(p.trail)-1]
		if !duplicate {
			member.Key, member.key = key, at
			p.push(member)
		}
		if more, bad = p.next('}'); bad != nil {
			return nil, bad
		}
	}
	return p.closed(keys.from), nil
}

func (p *parser) duplicate(first, again int32) {
	earlier := p.doc.pos(first)
	p.duplicates = append(p.duplicates, Problem{
		Path: p.trail.under(""), Pos: p.doc.pos(again),
		Text: fmt.Sprintf("duplicate key, the first is at line %d, column %d", earlier.Line, earlier.Column),
	})
}

func (p *parser) array(depth int) ([]Node, *Problem) {
	from := len(p.open)
	for more := p.enter(']'); more; {
		p.trail = append(p.trail, step{index: len(p.open) - from})
		item, bad := p.value(depth)
		if bad != nil {
			return nil, bad
		}
		p.trail = p.trail[:len(p.trail)-1]
		p.push(item)
		if more, bad = p.next(']'); bad != nil {
			return nil, bad
		}
	}
	return p.closed(from), nil
}

// push adds a value to what is open. Where that is a lot, it makes room for what
// the rest of the text will have if it is like the text so far: a long array that
// grew step by step would cost several times its size.
func (p *parser) push(n Node) {
	if have := len(p.open); have == cap(p.open) && have >= 512 {
		more := int(int64(have) * int64(len(p.src)-p.off) / int64(p.off))
		p.open = slices.Grow(p.open, more+more/8)
	}
	p.open = append(p.open, n)
}

// closed takes what was read since the array or object at hand was entered and
// puts it where it stays. Many arrays and objects share a slab, so that there are
// few allocations.
func (p *parser) closed(from int) []Node {
	read := p.open[from:]
	if cap(p.slab)-len(p.slab) < len(read) {
		p.slab = make([]Node, 0, max(len(read), min(2*cap(p.slab)+8, 512)))
	}
	p.slab = append(p.slab, read...)
	p.open = p.open[:from]
	end := len(p.slab)
	return p.slab[end-len(read) : end : end]
}

// enter steps into an array or object and says whether there is anything in it.
func (p *parser) enter(end byte) bool {
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

func (p *parser) word() (Kind, bool, *Problem) {
	word := p.src[p.off:wordEnd(p.src, p.off)]
	kind := Bool
	switch word {
	case "null":
		kind = Null
	case "true", "false":
	default:
		return 0, false, p.want("a value")
	}
	p.off += len(word)
	return kind, word == "true", nil
}

func wordEnd(s string, i int) int {
	for i < len(s) && ('a' <= s[i] && s[i] <= 'z' || 'A' <= s[i] && s[i] <= 'Z' || '0' <= s[i] && s[i] <= '9' || s[i] == '_') {
		i++
	}
	return i
}

func (p *parser) space() {
	for p.off < len(p.src) && (p.src[p.off] == ' ' || p.src[p.off] == '\n' || p.src[p.off] == '\r' || p.src[p.off] == '\t') {
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

func (p *parser) want(what string) *Problem {
	return p.fail("found %s, want %s", p.found(), what)
}

func (p *parser) fail(format string, args ...any) *Problem {
	return &Problem{Path: p.trail.under(""), Pos: p.doc.pos(int32(p.off)), Text: fmt.Sprintf(format, args...)}
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
