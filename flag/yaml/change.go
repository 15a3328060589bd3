package yaml

import (
	"strings"

	goyaml "go.yaml.in/yaml/v4"
)

// entry is a key of a mapping with its value; the zero one is none.
type entry struct{ key, value *goyaml.Node }

// entries are what a mapping has itself, by key.
func entries(n *goyaml.Node) map[string]entry {
	out := make(map[string]entry, len(n.Content)/2)
	if n.Kind != goyaml.MappingNode {
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			out[n.Content[i].Value] = entry{n.Content[i], n.Content[i+1]}
		}
	}
	return out
}

// diff changes a node of the file from what it stands for to what it ought to. The key
// is nil for the root and the items of a list.
func (e *editor) diff(key, n, before, after *goyaml.Node) {
	switch {
	case equal(before, after) || e.follows(n, after):
	case n.Kind == goyaml.MappingNode && before.Kind == goyaml.MappingNode && after.Kind == goyaml.MappingNode:
		e.mapping(key, n, before, after)
	case n.Kind == goyaml.SequenceNode && before.Kind == goyaml.SequenceNode && after.Kind == goyaml.SequenceNode:
		e.sequence(key, n, before, after)
	default:
		e.replace(key, n, after)
	}
}

func (e *editor) mapping(key, n, before, after *goyaml.Node) {
	own, had, has := entries(n), entries(before), entries(after)
	spans := e.spans(n)
	last := -1
	for i, s := range spans {
		name := s.nodes[0].Value
		if spans[i].gone = !isMerge(s.nodes[0]) && had[name].key != nil && has[name].key == nil; !spans[i].gone {
			last = i
		}
	}
	var more []string
	add := func(name string, value *goyaml.Node) {
		var like *goyaml.Node
		if !isBlock(n) && len(n.Content) > 0 { // JSON has quotes
			like = n.Content[0]
		}
		text := text(name, like) + ":"
		switch {
		case !isBlock(n):
			more = append(more, text+" "+flow(value))
		case isShort(value):
			more = append(more, e.indent(n.Content[0])+text+" "+flow(value))
		default:
			more = append(more, e.indent(n.Content[0])+text+e.eol+e.block(value, e.indent(n.Content[0])+"  "))
		}
	}
	for i := 0; i < len(before.Content); i += 2 {
		name, was := before.Content[i].Value, before.Content[i+1]
		switch {
		case own[name].key != nil || has[name].key != nil || e.leaves(n, name):
		case was.Value == "true" && was.Style&quoted == 0: // what is false is left out
			add(name, &goyaml.Node{Kind: goyaml.ScalarNode, Value: "false"})
		default:
			e.refuse(e.start(merged(n)[0]), "%s is merged here, and cannot be taken out of that", name)
		}
	}
	for i := 0; i < len(after.Content); i += 2 {
		name, want := after.Content[i].Value, after.Content[i+1]
		is, was := own[name], had[name].value
		switch {
		case is.key != nil && was != nil:
			e.diff(is.key, is.value, was, want)
		case is.key != nil: // it says what need not be said
			e.replace(is.key, is.value, want)
		case (was == nil || !equal(was, want)) && !e.merges(n, name, want):
			add(name, want)
		}
	}
	e.write(key, n, after, spans, last, more)
}

func (e *editor) sequence(key, n, before, after *goyaml.Node) {
	spans := e.spans(n)
	if len(spans) == 0 {
		e.replace(key, n, after)
		return
	}
	from := match(before.Content, after.Content)
	e.pair(n, spans, before.Content, after.Content, from)
	for i := range spans {
		spans[i].gone = true
	}
	for _, i := range from {
		if i >= 0 {
			spans[i].gone = false
		}
	}
	moves := map[string]int{} // what is gone, by what it says
	for i := range spans {
		if spans[i].gone && spans[i].lines {
			moves[flow(before.Content[i])] = i
		}
	}
	at, last := -1, -1
	var first []string
	for i, want := range after.Content {
		if from[i] >= 0 {
			at, last = from[i], max(last, from[i])
			e.diff(nil, n.Content[at], before.Content[at], want)
			continue
		}
		text := flow(want)
		if i, moved := moves[text]; moved && isBlock(n) {
			delete(moves, text)
			spans[i].nodes = nil // they are still written
			text = strings.TrimRight(e.text[spans[i].from:spans[i].to], "\r\n")
		} else if isBlock(n) {
			text = e.item(want, strings.Repeat(" ", e.column(max(0, e.dash(n.Content[0])))))
		}
		if at < 0 {
			first = append(first, text)
		} else {
			spans[at].more = append(spans[at].more, text)
		}
	}
	if last >= 0 {
		e.writeSpans(n, spans, first)
	} else {
		e.write(key, n, after, spans, last, first)
	}
}

// write writes what is gone and new; all of it, if nothing of it stays.
func (e *editor) write(key, n, after *goyaml.Node, spans []span, last int, more []string) {
	switch {
	case last >= 0:
		spans[last].more = append(spans[last].more, more...)
		e.writeSpans(n, spans, nil)
	case len(spans) > 0 && isBlock(n) && spans[0].lines && (len(more) > 0 || key != nil):
		if len(more) == 0 {
			at := e.colon(key)
			if n.Anchor != "" {
				at = e.start(n) + len("&"+n.Anchor)
			}
			e.patch(at, at, " "+flow(after))
		}
		e.writeSpans(n, spans, more)
	default:
		e.replace(key, n, after)
	}
}

func (e *editor) writeSpans(n *goyaml.Node, spans []span, first []string) {
	changes := len(first) > 0
	for _, s := range spans {
		changes = changes || s.gone || len(s.more) > 0
		for _, node := range s.nodes {
			if s.gone {
				e.drop(node)
			}
		}
	}
	switch {
	case !changes:
	case isBlock(n):
		e.blockSpans(spans, first)
	default:
		e.flowSpans(spans, first)
	}
}

// replace writes another value in the place of a node, behind the anchor that it may have.
func (e *editor) replace(key, n, after *goyaml.Node) {
	start, end := e.content(n), e.end(n)
	from := start
	empty := len(after.Content) == 0
	ownLines := key != nil && isBlock(n) && e.lineStart(start) > e.start(key)
	if ownLines {
		from = e.colon(key)
	}
	if at := e.remark(from, end, n); at >= 0 {
		e.refuse(at, "the change would lose the comment here")
	}
	if n.Kind == goyaml.AliasNode {
		e.drop(n)
	}
	for _, item := range n.Content {
		e.drop(item)
	}
	switch {
	case ownLines && (empty || after.Kind == goyaml.ScalarNode):
		at := e.colon(key)
		if n.Anchor != "" {
			at = e.start(n) + len("&"+n.Anchor)
		}
		e.patch(at, at, " "+flow(after))
		e.patch(e.lineStart(start), e.nextLine(end), "")
	case isBlock(n) && !empty && after.Kind != goyaml.ScalarNode:
		indent := strings.Repeat(" ", e.column(start))
		e.patch(start, end, strings.TrimPrefix(e.block(after, indent), indent))
	case n.Kind != goyaml.AliasNode && n.Kind != goyaml.ScalarNode && len(n.Content) == 0 && !empty && key != nil && e.alone(key) && !isShort(after):
		e.patch(e.colon(key), end, "") // nothing was in it, so its flow style says nothing
		e.patch(e.lineEnd(end), e.lineEnd(end), e.eol+e.block(after, e.indent(key)+"  "))
	case start == end:
		e.patch(start, end, " "+flow(after))
	case after.Kind == goyaml.ScalarNode:
		e.patch(start, end, scalar(after, n))
	default:
		e.patch(start, end, flow(after))
	}
}
