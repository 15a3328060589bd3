package yaml

import (
	"math"
	"slices"
	"strings"

	goyaml "go.yaml.in/yaml/v4"
)

// span is an entry of a mapping or an item of a list as it stands in the text.
type span struct {
	nodes      []*goyaml.Node // the key and the value, or the item
	start, end int
	from, to   int  // with its comments, and in flow style its comma
	lines      bool // whether that is whole lines
	comma      bool // whether one follows
	behind     int  // where that ends, or else the span
	gone       bool
	more       []string // what is new behind it
}

// spans are what a mapping or a list has, in its order.
func (e *editor) spans(n *goyaml.Node) []span {
	each := 1
	if n.Kind == goyaml.MappingNode {
		each = 2
	}
	var out []span
	for nodes := range slices.Chunk(n.Content, each) {
		s := span{nodes: nodes, start: e.start(nodes[0]), end: e.end(nodes[each-1])}
		s.behind = s.end
		column := math.MaxInt
		if isBlock(n) {
			column = e.column(s.start)
			s.lines = e.alone(nodes[0])
			if each == 1 {
				dash := e.dash(nodes[0])
				if s.lines = dash >= 0; s.lines {
					s.start, column = dash, e.column(dash)
				}
			}
		} else {
			if at := e.skip(s.end); strings.HasPrefix(e.text[at:], ",") {
				s.comma, s.behind = true, at+1
			}
			rest := strings.TrimLeft(e.text[s.behind:e.lineEnd(s.behind)], " \t")
			s.lines = e.alone(nodes[0]) && (rest == "" || rest[0] == '#')
		}
		s.from, s.to = s.start, s.behind
		if s.lines {
			s.from, s.to = e.above(s.start, column), e.below(s.behind, column)
		}
		out = append(out, s)
	}
	return out
}

// above is where the line of a place begins, or the comments on the lines over it that
// are not indented more than a column.
func (e *editor) above(at, column int) int {
	at = e.lineStart(at)
	for at > 0 {
		before := e.lines[e.line(at)-2]
		depth, is := e.comment(before)
		if !is || depth > column {
			break
		}
		at = before
	}
	return at
}

// below is where the line behind a place begins, or that behind the comments under it that
// are indented more than a column.
func (e *editor) below(at, column int) int {
	at = e.nextLine(at)
	for at < len(e.text) {
		depth, is := e.comment(at)
		if !is || depth <= column {
			break
		}
		at = e.nextLine(at)
	}
	return at
}

// comment says whether a line has only a comment, and how far that is indented.
func (e *editor) comment(line int) (depth int, is bool) {
	text := strings.TrimLeft(e.text[line:e.lineEnd(line)], " \t")
	return e.lineEnd(line) - line - len(text), strings.HasPrefix(text, "#")
}

// remark is where the first comment between two places is, or -1; the nodes are all that
// stands there.
func (e *editor) remark(from, to int, nodes ...*goyaml.Node) int {
	var scan func(nodes []*goyaml.Node) int
	gap := func(end int) int {
		for i := from; i < min(end, to); i++ {
			if e.text[i] == '#' && (i == 0 || strings.IndexByte(" \t\r\n", e.text[i-1]) >= 0) {
				return i
			}
		}
		return -1
	}
	scan = func(nodes []*goyaml.Node) int {
		for _, n := range nodes {
			at := -1
			if len(n.Content) > 0 {
				at = scan(n.Content)
			} else {
				start := e.start(n)
				at = gap(start)
				from = e.end(n)
				if i := strings.Index(e.text[start:e.lineEnd(start)], " #"); at < 0 && i >= 0 && n.Style&(goyaml.LiteralStyle|goyaml.FoldedStyle) != 0 {
					at = start + i + 1
				}
			}
			if at >= 0 {
				return at
			}
		}
		return -1
	}
	if at := scan(nodes); at >= 0 {
		return at
	}
	return gap(to)
}

// blockSpans writes what is gone and new in a mapping or list on lines of its own. What
// is new in front of all is first.
func (e *editor) blockSpans(spans []span, first []string) {
	if len(first) > 0 {
		if !spans[0].lines {
			e.lose(spans[0].start)
		}
		e.insert(spans[0].from, first)
	}
	for i, s := range spans {
		to := s.to
		switch {
		case s.gone && s.lines:
			e.patch(s.from, s.to, "")
		case s.gone && i == 0 && len(s.nodes) == 2 && len(spans) > 1:
			// It stands behind a dash: the next comes up to it, unless a comment is between.
			next := spans[1]
			if !next.gone && next.lines && next.from == e.nextLine(s.end) && e.lineStart(next.start) == next.from {
				e.patch(s.start, next.start, "")
			} else {
				e.patch(len(strings.TrimRight(e.text[:s.start], " ")), e.lineEnd(s.end), "")
			}
		case s.gone:
			e.lose(s.start)
		}
		if !s.lines { // what stands behind a dash has its comments below in its column
			to = e.below(s.end, e.column(s.start))
		}
		e.insert(to, s.more)
	}
}

// insert puts lines at the beginning of one, or at the end of the file.
func (e *editor) insert(at int, lines []string) {
	for _, line := range lines {
		if at == len(e.text) && e.lineStart(at) < at {
			e.patch(at, at, e.eol+line)
		} else {
			e.patch(at, at, line+e.eol)
		}
	}
}

// flowSpans does the same between brackets.
func (e *editor) flowSpans(spans []span, first []string) {
	last, trailing := -1, spans[len(spans)-1].comma // a comma in front of the bracket stays
	for i, s := range spans {
		if !s.gone {
			last = i
		}
	}
	// What is new stands behind the one before it that stays.
	behind := -1
	for i := range spans {
		if !spans[i].gone {
			behind = i
		} else if behind < 0 {
			first = append(first, spans[i].more...)
		} else {
			spans[behind].more = append(spans[behind].more, spans[i].more...)
		}
	}
	seen := false
	for i, s := range spans {
		ending := e.text[s.behind:e.lineEnd(s.behind)]
		rest := strings.TrimLeft(ending, " \t")
		remarked := strings.HasPrefix(rest, "#")
		if s.gone {
			switch {
			case s.lines:
				e.patch(s.from, s.to, "")
			case remarked || e.remark(s.end, s.behind) >= 0 || e.alone(s.nodes[0]) && e.above(s.start, math.MaxInt) < e.lineStart(s.start):
				e.refuse(s.start, "a comment beside what the change removes would be left to something else")
			case seen:
				e.patch(len(strings.TrimRight(e.text[:s.start], " \t")), s.behind, "")
			default:
				e.patch(s.start, s.behind+len(ending)-len(rest), "")
			}
			continue
		}
		if !seen && len(first) > 0 {
			if e.alone(s.nodes[0]) {
				e.insert(e.above(s.start, math.MaxInt), prefixed(first, strings.Repeat(" ", e.column(s.start)), ","))
			} else {
				e.patch(s.start, s.start, strings.Join(first, ", ")+", ")
			}
		}
		seen = true
		needs := i < last || len(s.more) > 0 || trailing
		if needs && !s.comma {
			e.patch(s.end, s.end, ",")
		} else if s.comma && !needs {
			e.patch(s.behind-1, s.behind, "")
		}
		if len(s.more) == 0 {
			continue
		}
		end := ","
		if i == last && !trailing {
			end = ""
		}
		if s.lines || remarked {
			lines := prefixed(s.more, strings.Repeat(" ", e.column(s.start)), ",")
			lines[len(lines)-1] = strings.TrimSuffix(lines[len(lines)-1], ",") + end
			e.insert(e.nextLine(s.behind), lines)
		} else {
			e.patch(s.behind, s.behind, " "+strings.Join(s.more, ", ")+end)
		}
	}
}

func prefixed(items []string, before, after string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = before + item + after
	}
	return out
}
