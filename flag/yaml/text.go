package yaml

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	goyaml "go.yaml.in/yaml/v4"
)

// editor changes the text of a file. Places are offsets in bytes.
type editor struct {
	bom     string
	text    string // without that
	lines   []int  // where they begin
	eol     string
	patches []patch
}

// patch is text in the place of what stands from start to end.
type patch struct {
	start, end int
	text       string
}

// lost is what a panic says about text that is not where it was looked for.
type lost struct{ line int }

func newEditor(data []byte) *editor {
	text, found := strings.CutPrefix(string(data), bom)
	e := &editor{text: text, lines: []int{0}, eol: "\n"}
	if found {
		e.bom = bom
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' && !strings.HasPrefix(text[i+1:], "\n") {
			e.lines = append(e.lines, i+1)
		}
	}
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		e.eol = "\r\n"
	}
	return e
}

func (e *editor) patch(start, end int, text string) {
	e.patches = append(e.patches, patch{start, end, text})
}

// apply returns the file with all patches, of which none reaches into another.
func (e *editor) apply() []byte {
	slices.SortStableFunc(e.patches, func(a, b patch) int { return cmp.Compare(a.start, b.start) })
	out, at := []byte(e.bom), 0
	for _, p := range e.patches {
		if p.start < at {
			e.lose(p.start)
		}
		out = append(append(out, e.text[at:p.start]...), p.text...)
		at = p.end
	}
	return append(out, e.text[at:]...)
}

func (e *editor) lose(at int) {
	line, found := slices.BinarySearch(e.lines, at)
	if found {
		line++
	}
	panic(lost{line})
}

// start is where a node stands, with its anchor and tag.
func (e *editor) start(n *goyaml.Node) int {
	if n.Line < 1 || n.Line > len(e.lines) {
		panic(lost{n.Line})
	}
	at := e.lines[n.Line-1]
	for range n.Column - 1 {
		if at >= len(e.text) {
			break
		}
		_, size := utf8.DecodeRuneInString(e.text[at:])
		at += size
	}
	return at
}

// content is where a node stands without its anchor. A tag is part of what it says.
func (e *editor) content(n *goyaml.Node) int {
	at := e.start(n)
	if n.Anchor != "" {
		rest, ok := strings.CutPrefix(e.text[at:], "&"+n.Anchor)
		if !ok {
			e.lose(at) // the tag stands first
		}
		if n.Kind == goyaml.ScalarNode && n.Value == "" && n.Style&quoted == 0 {
			return len(e.text) - len(rest)
		}
		at = e.skip(len(e.text) - len(rest))
	}
	return at
}

// skip steps over white space, ends of lines and comments.
func (e *editor) skip(at int) int {
	for at < len(e.text) {
		switch c := e.text[at]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			at++
		case c == '#' && (at == 0 || strings.IndexByte(" \t\r\n", e.text[at-1]) >= 0):
			at = e.lineEnd(at)
		default:
			return at
		}
	}
	return at
}

// end is where a node ends.
func (e *editor) end(n *goyaml.Node) int {
	at := e.content(n)
	if n.Style&goyaml.TaggedStyle != 0 || n.Tag == "!" {
		at = e.skip(at + strings.IndexAny(e.text[at:]+" ", " \t\r\n"))
	}
	switch {
	case n.Kind == goyaml.AliasNode:
		return at + len("*"+n.Value)
	case n.Kind == goyaml.ScalarNode:
		return e.scalarEnd(n, at)
	}
	flowing := !isBlock(n)
	if flowing {
		at++
	}
	if len(n.Content) > 0 {
		at = e.end(n.Content[len(n.Content)-1])
	}
	if !flowing {
		return at
	}
	for at = e.skip(at); at < len(e.text) && strings.IndexByte(",:", e.text[at]) >= 0; {
		at = e.skip(at + 1)
	}
	if at >= len(e.text) || e.text[at] != ']' && e.text[at] != '}' {
		e.lose(at)
	}
	return at + 1
}

func (e *editor) scalarEnd(n *goyaml.Node, at int) int {
	switch {
	case n.Style&(goyaml.LiteralStyle|goyaml.FoldedStyle) != 0:
		return e.blockScalarEnd(at)
	case n.Style&goyaml.SingleQuotedStyle != 0:
		for i := at + 1; i < len(e.text); i++ {
			if e.text[i] == '\'' {
				if !strings.HasPrefix(e.text[i:], "''") {
					return i + 1
				}
				i++
			}
		}
		e.lose(at)
	case n.Style&goyaml.DoubleQuotedStyle != 0:
		for i := at + 1; i < len(e.text); i++ {
			switch e.text[i] {
			case '\\':
				i++
			case '"':
				return i + 1
			}
		}
		e.lose(at)
	}
	for i, word := range strings.Fields(n.Value) { // which may stand on several lines
		if i > 0 {
			at = e.skip(at)
		}
		if !strings.HasPrefix(e.text[at:], word) {
			e.lose(at)
		}
		at += len(word)
	}
	return at
}

// blockScalarEnd is the end of the last line that is indented like the first one.
func (e *editor) blockScalarEnd(at int) int {
	end, indent := e.lineEnd(at), 0
	for next := e.nextLine(at); next < len(e.text); next = e.nextLine(next) {
		line := e.text[next:e.lineEnd(next)]
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) == "" {
			continue
		}
		if indent == 0 {
			indent = depth
		}
		if depth == 0 || depth < indent {
			break
		}
		end = e.lineEnd(next)
	}
	return end
}

func (e *editor) lineStart(at int) int {
	return strings.LastIndexAny(e.text[:at], "\r\n") + 1
}

func (e *editor) lineEnd(at int) int {
	if i := strings.IndexAny(e.text[at:], "\r\n"); i >= 0 {
		return at + i
	}
	return len(e.text)
}

// nextLine is where the line behind the one at hand begins.
func (e *editor) nextLine(at int) int {
	at = e.lineEnd(at)
	if strings.HasPrefix(e.text[at:], "\r\n") {
		return at + 2
	}
	return min(at+1, len(e.text))
}

// column is how many characters stand before a place on its line.
func (e *editor) column(at int) int {
	return utf8.RuneCountInString(e.text[e.lineStart(at):at])
}

// alone says whether a key is the first on its line.
func (e *editor) alone(key *goyaml.Node) bool {
	at := e.start(key)
	return strings.TrimLeft(e.text[e.lineStart(at):at], " ") == ""
}

// indent is the white space before what stands in the column of a key.
func (e *editor) indent(key *goyaml.Node) string {
	return strings.Repeat(" ", e.column(e.start(key)))
}

// dash is the column of an item's dash, or -1 if there is more before it, or none.
func (e *editor) dash(item *goyaml.Node) int {
	at := e.start(item)
	before := strings.TrimRight(e.text[e.lineStart(at):at], " ")
	if indent, ok := strings.CutSuffix(before, "-"); ok && strings.Trim(indent, " ") == "" {
		return len(indent)
	}
	return -1
}

// colon is the place behind a key's colon.
func (e *editor) colon(key *goyaml.Node) int {
	at := e.skip(e.end(key))
	if !strings.HasPrefix(e.text[at:], ":") {
		e.lose(at)
	}
	return at + 1
}
