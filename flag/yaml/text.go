package yaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	goyaml "go.yaml.in/yaml/v4"
)

// editor changes the text of a file. Places are offsets in bytes.
type editor struct {
	bom     string
	text    string       // without that
	lines   []int        // where they begin
	wide    map[int]bool // those, from 1, with characters of several bytes
	eol     string
	patches []patch

	will map[*goyaml.Node]*goyaml.Node // what nodes with an anchor are to be
	gone map[*goyaml.Node]bool         // nodes that are no longer written
}

// patch is text in the place of what stands from start to end.
type patch struct {
	start, end int
	text       string
}

// refusal is an error with a line of the file. A panic with it ends a change.
type refusal struct {
	line int
	text string
}

func (r refusal) Error() string { return fmt.Sprintf("yaml: line %d: %s", r.line, r.text) }

func newEditor(data []byte) *editor {
	text, found := strings.CutPrefix(string(data), bom)
	e := &editor{text: text, lines: []int{0}, wide: map[int]bool{}, eol: "\n", will: map[*goyaml.Node]*goyaml.Node{}, gone: map[*goyaml.Node]bool{}}
	if found {
		e.bom = bom
	}
	for i := 0; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' && !strings.HasPrefix(text[i+1:], "\n") {
			e.lines = append(e.lines, i+1)
		} else if text[i] >= utf8.RuneSelf {
			e.wide[len(e.lines)] = true
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

// first is where the first patch is.
func (e *editor) first() int {
	if len(e.patches) == 0 {
		return 0
	}
	return e.patches[0].start
}

// apply returns the file with all patches, of which none reaches into another.
func (e *editor) apply() []byte {
	slices.SortStableFunc(e.patches, func(a, b patch) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
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

// lose refuses text that is not where it was looked for.
func (e *editor) lose(at int) {
	e.refuse(at, "the change cannot be written where it is laid out like this")
}

func (e *editor) refuse(at int, format string, args ...any) {
	panic(refusal{e.line(at), fmt.Sprintf(format, args...)})
}

// line is the number of the line that a place is on.
func (e *editor) line(at int) int {
	line, found := slices.BinarySearch(e.lines, at)
	if found {
		line++
	}
	return line
}

// start is where a node stands, with its anchor and tag.
func (e *editor) start(n *goyaml.Node) int {
	if n.Line < 1 || n.Line > len(e.lines) {
		e.lose(0)
	}
	at := e.lines[n.Line-1]
	if !e.wide[n.Line] {
		return min(at+n.Column-1, len(e.text))
	}
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
	at := e.start(n)
	for at < len(e.text) && strings.IndexByte("&!", e.text[at]) >= 0 { // its anchor and tag
		if i := strings.IndexAny(e.text[at:], " \t\r\n,[]{}"); i >= 0 {
			at += i
		} else {
			return len(e.text)
		}
		if n.Kind != goyaml.ScalarNode || n.Value != "" || n.Style&quoted != 0 {
			at = e.skip(at)
		} else if rest := strings.TrimLeft(e.text[at:e.lineEnd(at)], " "); rest != "" && strings.IndexByte("&!", rest[0]) >= 0 {
			at = e.lineEnd(at) - len(rest)
		}
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
	for i, word := range strings.FieldsFunc(n.Value, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }) { // which may stand on several lines
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

// blockScalarEnd is the end of the last line that is indented like the first one, or as
// its head says.
func (e *editor) blockScalarEnd(at int) int {
	end, indent := e.lineEnd(at), 0
	head, _, _ := strings.Cut(e.text[at:end], " ")
	if i := strings.IndexAny(head, "123456789"); i >= 0 {
		before := e.text[e.lineStart(at):at]
		outer := len(before) - len(strings.TrimLeft(before, " -"))
		if outer == len(before) {
			outer = strings.LastIndex(before, "-") // it is an item itself
		}
		indent = outer + int(head[i]-'0')
	}
	for next := e.nextLine(at); next < len(e.text); next = e.nextLine(next) {
		line := e.text[next:e.lineEnd(next)]
		depth := len(line) - len(strings.TrimLeft(line, " "))
		if strings.TrimSpace(line) == "" {
			if strings.Contains(head, "+") {
				end = e.lineEnd(next)
			}
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

func (e *editor) lineStart(at int) int { return e.lines[e.line(at)-1] }

func (e *editor) lineEnd(at int) int {
	next := e.line(at)
	if next == len(e.lines) {
		return len(e.text)
	}
	return e.lines[next] - 1 - strings.Count(e.text[max(e.lines[next]-2, at):e.lines[next]-1], "\r")
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

// dash is where an item's dash is, or -1 if there is more before it, or none. Comments
// may be between.
func (e *editor) dash(item *goyaml.Node) int {
	at := e.start(item)
	before := strings.TrimRight(e.text[e.lineStart(at):at], " ")
	for at = e.lineStart(at); before == "" && at > 0; {
		at = e.lines[e.line(at)-2]
		before, _, _ = strings.Cut(e.text[at:e.lineEnd(at)], "#")
		before = strings.TrimRight(before, " ")
	}
	if indent, ok := strings.CutSuffix(before, "-"); ok && strings.Trim(indent, " ") == "" {
		return at + len(indent)
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
