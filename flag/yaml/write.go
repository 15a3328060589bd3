package yaml

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/guidon-go/guidon/flag"
)

const (
	maxDepth = 100 // as in JSON documents
	// What aliases bring in may be this many times as long as the file, and maxSpare.
	maxTimes = 10
	maxSpare = 1 << 20
	// What is wrong is listed up to maxProblems, and then counted: an alias can bring in the
	// same mistake again and again.
	maxProblems = 1000
	maxStep     = 256 // bytes of a key in a path; no name in a document is longer
)

// writer writes a tree as JSON. Each key and each value is a token, and package flag
// says of its problems with which token they stand.
type writer struct {
	out    []byte
	places []place // of the tokens

	// A numbered text has each token on a line of its own, which finds its place. Any
	// other has them on the lines that they have in the file.
	numbered bool
	pins     map[int]bool   // the tokens that stand at their column, too
	pinned   map[int32]bool // the lines with such a token
	line     int32          // where out ends
	col      int32
	counted  int // how much of out the two have counted

	problems flag.Problems
	more     int    // how many there are besides
	trail    []step // the way to the value at hand
	merging  int    // how many merge keys deep
	alias    place  // of the outermost alias at hand: what it brings in stands there
	budget   int    // what aliases may still bring in
	spent    bool   // that, or the depth, was too much, which is said already
}

func newWriter(size int) *writer {
	return &writer{line: 1, col: 1, out: make([]byte, 0, size+size/2), budget: maxTimes*size + maxSpare}
}

// found is all that is wrong.
func (w *writer) found() flag.Problems {
	if w.more == 0 {
		return w.problems
	}
	return append(w.problems, flag.Problem{Text: fmt.Sprintf("found %d problems more", w.more)})
}

func (w *writer) fail(at place, format string, args ...any) {
	if len(w.problems) == maxProblems {
		w.more++
		return
	}
	path := ""
	for _, s := range w.trail {
		path += s.String()
	}
	w.problems = append(w.problems, flag.Problem{Path: trimmed(path), Line: int(at.line), Col: int(at.col), Text: fmt.Sprintf(format, args...)})
}

// at is where a node stands: with the alias that brings it in, if one does. An alias
// may be wrong where its anchor is right.
func (w *writer) at(n *goyaml.Node) place {
	if w.alias != (place{}) {
		return w.alias
	}
	return placeOf(n)
}

// begin is called before each token is written.
func (w *writer) begin(at place) {
	token := len(w.places)
	w.places = append(w.places, at)
	if w.numbered {
		w.out = append(w.out, '\n')
		return
	}
	if w.pinned[at.line] && !w.pins[token] {
		return // what stands before a pin on its line makes room for it, on a line above
	}
	for ; w.line < at.line; w.line++ {
		w.out = append(w.out, '\n')
		w.col, w.counted = 1, len(w.out)
	}
	w.col += int32(utf8.RuneCount(w.out[w.counted:]))
	for ; w.line == at.line && w.col < at.col; w.col++ {
		w.out = append(w.out, ' ')
	}
	w.counted = len(w.out)
}

// value writes a node that stands somewhere.
func (w *writer) value(n *goyaml.Node, at place) {
	if n.Kind == goyaml.AliasNode {
		outer := w.alias
		w.alias = at
		defer func() { w.alias = outer }()
		n = n.Alias
	}
	if !w.afford(n) {
		return
	}
	if n.Kind != goyaml.ScalarNode && len(w.trail) >= maxDepth {
		w.fail(at, "nested deeper than %d levels", maxDepth)
		w.spent = true // or a circle would say so again and again
		return
	}
	w.begin(at)
	switch n.Kind {
	case goyaml.MappingNode:
		w.collection(n, at, "!!map")
		w.mapping(n)
	case goyaml.SequenceNode:
		w.collection(n, at, "!!seq")
		w.sequence(n)
	default:
		is, literal, problem := resolve(n)
		switch {
		case problem != "":
			w.fail(at, "%s", problem)
			w.out = append(w.out, "null"...)
		case is == isString:
			w.text(n.Value)
		default:
			w.out = append(w.out, literal...)
		}
	}
}

// afford pays for what an alias brings in, so that a few lines do not take all memory.
func (w *writer) afford(n *goyaml.Node) bool {
	if w.alias == (place{}) || w.spent {
		return !w.spent
	}
	if w.budget -= 1 + len(n.Value); w.budget < 0 {
		w.spent = true
		w.fail(w.alias, "found aliases that make more than %d times the file of it", maxTimes)
	}
	return !w.spent
}

func (w *writer) collection(n *goyaml.Node, at place, tag string) {
	if n.Style&goyaml.TaggedStyle != 0 && n.ShortTag() != tag {
		w.fail(at, "found the tag %s, want none", cut(n.ShortTag()))
	}
}

func (w *writer) sequence(n *goyaml.Node) {
	w.out = append(w.out, '[')
	for i, item := range n.Content {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.trail = append(w.trail, step{index: i})
		w.value(item, w.at(item))
		w.trail = w.trail[:len(w.trail)-1]
	}
	w.out = append(w.out, ']')
}

func (w *writer) mapping(n *goyaml.Node) {
	w.out = append(w.out, '{')
	comma := false
	for _, m := range w.members(n) {
		if comma {
			w.out = append(w.out, ',')
		}
		comma = true
		outer := w.alias
		if m.alias != (place{}) && outer == (place{}) {
			w.alias = m.alias
		}
		w.trail = append(w.trail, step{key: m.key.Value, index: -1})
		w.begin(w.at(m.key))
		w.text(m.key.Value)
		w.out = append(w.out, ':')
		at := w.at(m.value)
		if isBlock(m.value) && m.value.Line > m.key.Line {
			at = w.at(m.key) // it has no beginning of its own that one would look at
		}
		w.value(m.value, at)
		w.trail = w.trail[:len(w.trail)-1]
		w.alias = outer
	}
	w.out = append(w.out, '}')
}

func isBlock(n *goyaml.Node) bool {
	return (n.Kind == goyaml.MappingNode || n.Kind == goyaml.SequenceNode) && n.Style&goyaml.FlowStyle == 0
}

// text writes a string.
func (w *writer) text(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always can be
			w.out = append(w.out, quoted...)
			return
		}
	}
	w.out = append(append(append(w.out, '"'), s...), '"')
}

// trimmed is a path of steps without the dot before the first.
func trimmed(path string) string { return strings.TrimPrefix(path, ".") }

// step is a part of a path: a key, or else an index that is not negative.
type step struct {
	key   string
	index int
}

// String writes it as the paths of package flag have it.
func (s step) String() string {
	if s.index >= 0 {
		return "[" + strconv.Itoa(s.index) + "]"
	}
	if len(s.key) > maxStep {
		return "[" + strconv.Quote(strings.ToValidUTF8(s.key[:maxStep], "")+"...") + "]"
	}
	for i := range len(s.key) {
		c := s.key[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && !('0' <= c && c <= '9') && c != '_' && c != '-' {
			return "[" + strconv.Quote(s.key) + "]"
		}
	}
	if s.key == "" {
		return `[""]`
	}
	return "." + s.key
}
