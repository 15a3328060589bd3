package yaml

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/guidon-go/guidon/flag"
)

// Edit makes a change to the document of a YAML file and returns the file with it: a share
// set, a flag disabled, added or removed, or whatever else a document can say.
//
//	file, err = yaml.Edit(file, func(doc *flag.Document) error {
//		checkout, found := doc.Flags["new-checkout"]
//		if !found {
//			return errors.New("no such flag")
//		}
//		checkout.Disabled = true
//		doc.Flags["new-checkout"] = checkout
//		return nil
//	})
//
// Comments, order, anchors, quotes and layout stay as they are, and only the lines change
// that must. What is removed takes its comments along: those behind it, and those on the
// lines directly above it. Items of a list are known by what they say, so that no comment
// comes to stand at another; a rule or part that is changed is still the same one if its
// first value is.
//
// What cannot be done like that is an error with the line that stands in the way, and the
// file is nil: a comment that would be lost or left behind, an anchor that is referred to,
// and what would change elsewhere as well, by an alias or a merge key, though the edit
// does not say so. What was written is read again, and equals the changed document.
//
// Put the file in its place whole (see [File]):
//
//	err = os.WriteFile("flags.yaml.new", file, 0o644)
//	if err == nil {
//		err = os.Rename("flags.yaml.new", "flags.yaml")
//	}
//
// A file that [Parse] refuses cannot be edited, nor can a change be written that
// [flag.Parse] would refuse; the error is a [flag.Problems] then. Whether the document
// compiles is for [Lint] to say. Where nothing has changed, it returns data itself. An
// error of edit is returned as it is. The slices and maps of the document are its own.
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
	if bytes.Equal(have, want) {
		return data, nil
	}
	return changed(data, root, jsonNode(have), jsonNode(want))
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

// changed writes a document in the place of another in a file.
func changed(data []byte, root, have, want *goyaml.Node) (out []byte, err error) {
	e := newEditor(data)
	defer func() {
		if p := recover(); p != nil {
			refused, ours := p.(refusal)
			if !ours {
				panic(p)
			}
			out, err = nil, refused
		}
	}()
	e.foresee(root, want)
	e.diff(nil, root, have, want)
	e.orphans(root)
	out = e.apply()
	_, _, text, err := readable(out)
	if err != nil {
		e.lose(e.first())
	}
	if got := jsonNode(text); !equal(got, want) {
		if all := e.stray(root, got, want, ""); len(all) > 0 {
			return nil, errors.Join(all...)
		}
		e.lose(e.first())
	}
	return out, nil
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
