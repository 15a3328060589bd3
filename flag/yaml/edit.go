package yaml

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/guidon-go/guidon/flag"
)

// maxRounds is how often a file is changed until it says what it ought to: to change what
// an anchor names takes one round, and to keep what its aliases brought in another.
const maxRounds = 8

// Edit makes a change to the document of a YAML file and returns the file with it: a share
// set, a flag disabled, added or removed, or whatever else a document can say.
//
//	file, err = yaml.Edit(file, func(doc *flag.Document) error {
//		checkout := doc.Flags["new-checkout"]
//		checkout.Ramp.Share = 25 * flag.Percent
//		doc.Flags["new-checkout"] = checkout
//		return nil
//	})
//
// Comments, order, anchors, quotes and layout stay as they are, and only the lines change
// that must. Where a value is changed that an anchor names, its aliases keep what they
// brought in, written out. A comment goes only with the lines of what it stands in; one
// above a flag that is removed stays. What was written is read again, and equals the
// changed document; else the error says why it cannot be written, and the file is nil.
//
// A file that [Parse] refuses cannot be edited, nor can a change be written that
// [flag.Parse] would refuse; the error is a [flag.Problems] then. Whether the document
// compiles is for [Lint] to say. Where nothing has changed, it returns data itself. An error of edit is returned as it is. The slices and maps
// of the document are its own.
func Edit(data []byte, edit func(doc *flag.Document) error) ([]byte, error) {
	root, doc, have, err := readable(data)
	if err != nil {
		return nil, err
	}
	if err := edit(&doc); err != nil {
		return nil, err
	}
	want, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("yaml: the document cannot be written: %w", err)
	}
	if _, err := flag.Parse(want); err != nil {
		return nil, err
	}
	for range maxRounds {
		if bytes.Equal(have, want) {
			return data, nil
		}
		if data, err = changed(data, root, have, want); err != nil {
			return nil, err
		}
		if root, _, have, err = readable(data); err != nil {
			return nil, fmt.Errorf("yaml: with the change, the file could not be read any more: %w", err)
		}
	}
	return nil, errors.New("yaml: the change cannot be written into a file that is laid out like this")
}

// readable is a file's tree, and its document, in JSON as well.
func readable(data []byte) (root *goyaml.Node, doc flag.Document, asJSON []byte, err error) {
	root, err = tree(context.Background(), data)
	if err != nil {
		return nil, doc, nil, err
	}
	if doc, err = parse(root, len(data)); err != nil {
		return nil, doc, nil, err
	}
	asJSON, err = json.Marshal(doc)
	return root, doc, asJSON, err
}

// changed goes a step from one document to another in a file.
func changed(data []byte, root *goyaml.Node, have, want []byte) (out []byte, err error) {
	e := newEditor(data)
	defer func() {
		if p := recover(); p != nil {
			lost, ours := p.(lost)
			if !ours {
				panic(p)
			}
			out, err = nil, fmt.Errorf("yaml: line %d is laid out in a way that cannot be edited", lost.line)
		}
	}()
	e.diff(nil, root, jsonNode(have), jsonNode(want))
	return e.apply(), nil
}

// jsonNode reads JSON that is right as a tree; strings have double quotes.
func jsonNode(data []byte) *goyaml.Node {
	from := json.NewDecoder(bytes.NewReader(data))
	from.UseNumber()
	var read func() *goyaml.Node
	read = func() *goyaml.Node {
		token, err := from.Token()
		if err != nil && !errors.Is(err, io.EOF) {
			panic(err) // json.Marshal wrote it
		}
		switch token := token.(type) {
		case json.Delim:
			n := &goyaml.Node{Kind: goyaml.SequenceNode}
			if token == '{' {
				n.Kind = goyaml.MappingNode
			}
			for from.More() {
				n.Content = append(n.Content, read())
				if n.Kind == goyaml.MappingNode {
					n.Content = append(n.Content, read())
				}
			}
			_, _ = from.Token() // the end
			return n
		case string:
			return &goyaml.Node{Kind: goyaml.ScalarNode, Style: goyaml.DoubleQuotedStyle, Value: token}
		case nil:
			return &goyaml.Node{Kind: goyaml.ScalarNode, Value: "null"}
		default:
			return &goyaml.Node{Kind: goyaml.ScalarNode, Value: fmt.Sprint(token)}
		}
	}
	return read()
}

// equal compares what jsonNode read.
func equal(a, b *goyaml.Node) bool {
	return a.Kind == b.Kind && a.Style == b.Style && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, equal)
}

// entry is a key of a mapping with its value; the zero one is none.
type entry struct{ key, value *goyaml.Node }

// entries are what a mapping has itself, by key.
func entries(n *goyaml.Node) map[string]entry {
	out := make(map[string]entry, len(n.Content)/2)
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
	case equal(before, after):
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
	// What a merge key brings in cannot go alone: then the rest of it is written out.
	unmerge := false
	for name := range had {
		unmerge = unmerge || has[name].key == nil && own[name].key == nil
	}
	var last *goyaml.Node // the value of the last that stays
	var removed []entry
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if isMerge(k) && unmerge || !isMerge(k) && had[k.Value].key != nil && has[k.Value].key == nil {
			removed = append(removed, entry{k, v})
		} else {
			last = v
		}
	}
	shares := func(r entry) bool { return !isBlock(n) || !e.alone(r.key) }
	if last == nil || slices.ContainsFunc(removed, shares) {
		e.replace(key, n, after)
		return
	}
	for _, r := range removed {
		e.patch(e.lineStart(e.start(r.key)), e.nextLine(e.end(r.value)), "")
	}
	for i := 0; i < len(after.Content); i += 2 {
		name, want := after.Content[i].Value, after.Content[i+1]
		is, was := own[name], had[name].value
		switch {
		case is.key != nil && was != nil:
			e.diff(is.key, is.value, was, want)
		case is.key != nil: // it says what need not be said
			e.replace(is.key, is.value, want)
		case was == nil || unmerge || !equal(was, want): // new, or other than what is merged
			e.insert(n, last, text(name, nil)+":"+e.behindKey(want, n))
		}
	}
}

// insert puts what belongs to a mapping behind the value that is its last.
func (e *editor) insert(n, last *goyaml.Node, member string) {
	if isBlock(n) {
		end := e.lineEnd(e.end(last))
		e.patch(end, end, e.eol+e.indent(n.Content[0])+member)
	} else {
		end := e.end(last)
		e.patch(end, end, ", "+member)
	}
}

// behindKey renders a value that is new in a mapping.
func (e *editor) behindKey(want, n *goyaml.Node) string {
	if !isBlock(n) || isShort(want) {
		return " " + flow(want)
	}
	return e.eol + e.block(want, e.indent(n.Content[0])+"  ")
}

func (e *editor) sequence(key, n, before, after *goyaml.Node) {
	b, a := before.Content, after.Content
	head := 0
	for head < min(len(a), len(b)) && equal(a[head], b[head]) {
		head++
	}
	tail := 0
	for tail < min(len(a), len(b))-head && equal(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	both := min(len(a), len(b)) - tail // the end of those that are changed
	if len(a) != len(b) {
		lines := isBlock(n) && len(a) > 0
		for _, item := range n.Content {
			lines = lines && e.dash(item) >= 0
		}
		if !lines {
			e.replace(key, n, after)
			return
		}
	}
	for i := head; i < both; i++ {
		e.diff(nil, n.Content[i], b[i], a[i])
	}
	for _, item := range n.Content[both : len(b)-tail] {
		e.patch(e.lineStart(e.start(item)), e.nextLine(e.end(item)), "")
	}
	for _, item := range a[both : len(a)-tail] {
		indent := strings.Repeat(" ", e.dash(n.Content[0]))
		text := e.item(item, indent)
		if both == 0 {
			at := e.lineStart(e.start(n.Content[0]))
			e.patch(at, at, text+e.eol)
		} else {
			at := e.lineEnd(e.end(n.Content[both-1]))
			e.patch(at, at, e.eol+text)
		}
	}
}

// replace writes another value in the place of a node, behind the anchor that it may have.
func (e *editor) replace(key, n, after *goyaml.Node) {
	start, end := e.content(n), e.end(n)
	empty := len(after.Content) == 0
	ownLines := key != nil && isBlock(n) && e.lineStart(start) > e.start(key)
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
