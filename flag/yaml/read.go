package yaml

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/guidon-go/guidon/flag"
)

// maxFile is in bytes. Of a file of nothing but short values, the tree takes up to 300
// times its size, and a second or two for each MiB; of flags, about a third of that.
const maxFile = 8 << 20

const bom = "\ufeff"

// place is where something stands in a file: line and column from 1, the column in
// characters. The zero place is none.
type place struct{ line, col int32 }

func placeOf(n *goyaml.Node) place { return place{int32(n.Line), int32(n.Column)} }

// until reads data as long as a context is not over.
type until struct {
	ctx  context.Context
	data *bytes.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.data.Read(p)
}

// tree reads the one document of a file. A context that is over is an error as it is.
func tree(ctx context.Context, data []byte) (root *goyaml.Node, err error) {
	data = bytes.TrimPrefix(data, []byte(bom))
	if len(data) > maxFile {
		return nil, wrong(place{}, "found %d bytes, want at most %d MiB", len(data), maxFile>>20)
	}
	if err := characters(data); err != nil {
		return nil, err
	}
	defer func() {
		// The library is not ours, and a file is no reason for a host to end.
		if p := recover(); p != nil {
			root, err = nil, wrong(place{}, "it cannot be read as YAML: %v", p)
		}
	}()
	defer func() {
		if over := ctx.Err(); over != nil && err != nil {
			root, err = nil, over
		}
	}()
	from, err := goyaml.NewLoader(until{ctx, bytes.NewReader(data)})
	if err != nil {
		return nil, unreadable(data, err)
	}
	var first, second goyaml.Node
	switch err := from.Load(&first); {
	case errors.Is(err, io.EOF):
		return nil, wrong(place{1, 1}, "found an empty file, want a document")
	case err != nil:
		return nil, unreadable(data, err)
	}
	switch err := from.Load(&second); {
	case err == nil:
		return nil, wrong(placeOf(&second), "found a second document, want one in a file")
	case !errors.Is(err, io.EOF):
		return nil, unreadable(data, err)
	}
	return first.Content[0], nil
}

// characters refuses what the library would refuse without a place, or would take for
// the end of a line where editors see none.
func characters(data []byte) error {
	at := place{1, 1}
	for i := 0; i < len(data); at.col++ {
		if c := data[i]; c >= ' ' && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return wrong(at, "found the byte 0x%02x, want UTF-8", data[i])
		case r == '\n', r == '\r' && !bytes.HasPrefix(data[i+1:], []byte("\n")):
			at = place{at.line + 1, 0}
		case r == '\r', r == '\t':
		case unicode.IsControl(r), r == '\u2028', r == '\u2029', r == '\ufeff', r == '\ufffe', r == '\uffff':
			return wrong(at, "found the character %U, want it escaped in double quotes", r)
		}
		i += size
	}
	return nil
}

func wrong(at place, format string, args ...any) error {
	return flag.Problems{{Line: int(at.line), Col: int(at.col), Text: fmt.Sprintf(format, args...)}}
}

// advice is what to write instead, by what the library says.
var advice = map[string]string{
	"mapping values are not allowed in this context": "; a value with \": \" in it needs quotes, and a key stands below the one before it",
	"found unknown escape character":                 "; write \\\\ for a backslash, or single quotes around the text",
	"did not find expected key":                      "; a key stands exactly below the one before it, and a text with quotes in it needs the other quotes around it",
	"did not find expected ',' or '}'":               "",
	"did not find expected ',' or ']'":               "",
}

// unreadable is what the library says, as a problem.
func unreadable(data []byte, err error) error {
	var load *goyaml.LoadError
	if !errors.As(err, &load) {
		return wrong(place{}, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	at, text := load.Mark, load.Message
	if load.ContextMsg != "" {
		text = load.ContextMsg + ": " + text
	}
	more, known := advice[load.Message]
	switch begun := load.ContextMark; {
	case load.Message == "found unexpected end of stream":
		at, text = begun, "found a quote that nothing closes"
	case known && more == "":
		more = fmt.Sprintf("; it begins at line %d, column %d", begun.Line, begun.Column)
	case strings.HasPrefix(load.Message, "unknown anchor"):
		more = "; a value that begins with * needs quotes, and an anchor stands above what refers to it"
	case load.Message == "found character that cannot start any token":
		e := newEditor(data)
		switch rest := e.text[e.start(&goyaml.Node{Line: at.Line, Column: at.Column}):]; {
		case strings.HasPrefix(rest, "\t"):
			text = "found a tab, want spaces for indentation"
		case rest != "":
			text = fmt.Sprintf("found %q, with which no value begins; want quotes around it", rest[:1])
		}
	}
	return wrong(place{int32(at.Line), int32(at.Column)}, "%s", text+more)
}
