package flag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// What callers may branch on with errors.Is.
var (
	// ErrInvalid is a document that says something impossible; errors.As finds
	// the [Problems].
	ErrInvalid = errors.New("invalid document")
	// ErrNotFound is a flag that is not in the document.
	ErrNotFound = errors.New("no such flag in the document")
	// ErrConflict is a change that was not made, because another came before it: the
	// flag has changed since [Change.Revision], or is there already. [Error.Revision]
	// is when.
	ErrConflict = errors.New("conflict")
	// ErrNotKept is a change that was made and serves, but could not be written to
	// [Options.State], so that a restart would lose it.
	ErrNotKept = errors.New("serves, but is not kept")
	// ErrDamaged is a file of [Options.State] that is not as a store wrote it. It is
	// renamed, for whoever wants to look at it, and the store begins anew.
	ErrDamaged = errors.New("damaged")
	// ErrShared is a file of [Options.State] that another store has written, too: it has
	// what was changed there, and so stays as it is.
	ErrShared = errors.New("another store writes it, too")
	// ErrRunning is a second Run of the same store.
	ErrRunning = errors.New("already running")
)

var (
	errNoDocument = fmt.Errorf("no document is loaded yet: %w", ErrNotFound)
	errNoSource   = errors.New("the store has no source")
)

// Error says which operation failed, on what.
type Error struct {
	Op  string // "load", "set ramp", ...
	Key string // the flag's key, or the source's name
	Err error  // why
	// Revision is that of the flag's newest change, if Err is [ErrConflict].
	Revision uint64
}

// Error is "flag: load flags.json: ...".
func (e *Error) Error() string { return fmt.Sprintf("flag: %s %s: %v", e.Op, e.Key, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Problem is one mistake in a document.
type Problem struct {
	Path string // where in the document: flags.new-checkout.rules[2].serve
	Line int    // where in the file, from 1; 0 if the document did not come from text
	Col  int    // in characters, from 1
	Text string // what was found, and what was wanted
	// Warning says that the document may be used all the same; only [Lint] warns.
	Warning bool
}

// String is "flags.new-checkout.serve (line 7, column 14): unknown variant ...".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Path)
	if p.Line > 0 {
		if p.Path != "" {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "(line %d, column %d)", p.Line, p.Col)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	return b.String()
}

// Problems are all the mistakes in a document, in its order.
type Problems []Problem

// Error lists every problem, one a line.
func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	if len(p) == 1 {
		return "invalid document: " + p[0].String()
	}
	lines = append(lines, fmt.Sprintf("invalid document: %d problems", len(p)))
	for _, one := range p {
		lines = append(lines, "\t"+one.String())
	}
	return strings.Join(lines, "\n")
}

// Is makes every Problems an [ErrInvalid].
func (p Problems) Is(target error) bool { return target == ErrInvalid }

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Text: shorten(fmt.Sprintf(format, args...))})
}

// shorten leaves out the middle of a long text: what a document says can be of any
// size, and what is wanted stands at the end.
func shorten(text string) string {
	const head, tail = 300, 200
	if len(text) <= head+tail {
		return text
	}
	return strings.ToValidUTF8(text[:head], "") + " ... " + strings.ToValidUTF8(text[len(text)-tail:], "")
}

// err avoids the non-nil error that holds no problem.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// locate fills in where in the text the problems stand, and puts them in the
// text's order.
func (p Problems) locate(root *jsontree.Node) {
	places := jsontree.NewFinder(root)
	for i := range p {
		if p[i].Line == 0 && root != nil {
			at := places.Nearest(p[i].Path).Pos()
			p[i].Line, p[i].Col = at.Line, at.Column
		}
	}
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(a.Line-b.Line, a.Col-b.Col)
	})
}

func asProblems(err error) Problems {
	if err == nil {
		return nil
	}
	var found jsontree.Problems
	if !errors.As(err, &found) {
		return Problems{{Text: err.Error()}}
	}
	problems := make(Problems, len(found))
	for i, p := range found {
		problems[i] = Problem{Path: p.Path, Line: p.Pos.Line, Col: p.Pos.Column, Text: p.Text}
	}
	return problems
}
