package yaml

import (
	"context"
	"errors"

	goyaml "go.yaml.in/yaml/v4"

	"github.com/guidon-go/guidon/flag"
)

// JSON returns the document that a YAML file stands for, as package flag reads it. Its
// lines are those of the file, so that whoever finds a problem in it names the line of
// the file; what is wrong with it already stands at its column, too (see the package's
// comment). The error is a [flag.Problems] with what JSON cannot say, at its place in
// the file.
func JSON(data []byte) ([]byte, error) { return asJSON(context.Background(), data) }

func asJSON(ctx context.Context, data []byte) ([]byte, error) {
	root, err := tree(ctx, data)
	if err != nil {
		return nil, err
	}
	w := newWriter(len(data))
	w.value(root, placeOf(root))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if problems := w.found(); len(problems) > 0 {
		return nil, problems
	}
	// A store that nobody asks is the cheapest way to know that nothing is wrong.
	if flag.New(flag.Bytes(w.out), flag.Options{NoCounts: true}).Load(ctx) == nil {
		return w.out, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	numbered := numberedText(root, len(data))
	again := newWriter(len(data))
	again.pins, again.pinned = map[int]bool{}, map[int32]bool{}
	for _, p := range flag.Lint(numbered.out) {
		if token := p.Line - 2; token >= 0 && token < len(numbered.places) {
			again.pins[token] = true
			again.pinned[numbered.places[token].line] = true
		}
	}
	again.value(root, placeOf(root))
	return again.out, nil
}

// numberedText writes a tree with each token on a line of its own, from the second on.
func numberedText(root *goyaml.Node, size int) *writer {
	w := newWriter(size)
	w.numbered = true
	w.value(root, placeOf(root))
	return w
}

// Parse is [flag.Parse] of a YAML file: the error is a [flag.Problems] with all that is
// wrong, each at its place in the file.
func Parse(data []byte) (flag.Document, error) {
	root, err := tree(context.Background(), data)
	if err != nil {
		return flag.Document{}, err
	}
	return parse(root, len(data))
}

func parse(root *goyaml.Node, size int) (flag.Document, error) {
	w := numberedText(root, size)
	if problems := w.found(); len(problems) > 0 {
		return flag.Document{}, problems
	}
	doc, err := flag.Parse(w.out)
	var problems flag.Problems
	if errors.As(err, &problems) {
		w.locate(problems)
	}
	return doc, err
}

// Lint is [flag.Lint] of a YAML file: everything that is wrong with it and, if nothing
// is, what is hardly meant, as warnings; each at its place in the file.
func Lint(data []byte) flag.Problems {
	root, err := tree(context.Background(), data)
	var problems flag.Problems
	if errors.As(err, &problems) {
		return problems
	}
	w := numberedText(root, len(data))
	if problems := w.found(); len(problems) > 0 {
		return problems
	}
	problems = flag.Lint(w.out)
	w.locate(problems)
	return problems
}

// locate moves problems of a numbered text to their places in the file.
func (w *writer) locate(problems flag.Problems) {
	for i := range problems {
		if token := problems[i].Line - 2; token >= 0 && token < len(w.places) {
			problems[i].Line, problems[i].Col = int(w.places[token].line), int(w.places[token].col)
		}
	}
}
