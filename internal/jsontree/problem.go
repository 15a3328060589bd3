package jsontree

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	Path string // of the value, as written by [Join] and [Index]; "" is the whole document
	Pos  Pos    // zero if the problem has no place in a text
	Text string // what is wrong and what was wanted
}

// Error writes path, place and text on one line:
//
//	flags.x.rules[2].ramp.percent (line 7, column 21): 100.5 is more than 100, want 0 to 100
func (p Problem) Error() string {
	place := ""
	if p.Pos != (Pos{}) {
		place = fmt.Sprintf("line %d, column %d", p.Pos.Line, p.Pos.Column)
	}
	switch {
	case p.Path == "" && place == "":
		return p.Text
	case p.Path == "":
		return place + ": " + p.Text
	case place == "":
		return p.Path + ": " + p.Text
	}
	return p.Path + " (" + place + "): " + p.Text
}

// String is Error.
func (p Problem) String() string { return p.Error() }

// Problems are all the problems of one document, as one error.
type Problems []Problem

// Error writes one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns nil if there are no problems, and ps itself otherwise.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// sort puts problems into document order and leaves those at one place as they
// are.
func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.Pos.Offset, b.Pos.Offset) })
}

// rebase moves a problem that was found in the text of n alone to where n
// stands in the whole document.
func (p Problem) rebase(base string, n *Node) Problem {
	if p.Pos == (Pos{}) {
		p.Pos = n.Nearest(p.Path).Pos()
	} else {
		from := n.Pos()
		if p.Pos.Line == 1 {
			p.Pos.Column += from.Column - 1
		}
		p.Pos.Line += from.Line - 1
		p.Pos.Offset += from.Offset
	}
	switch {
	case base == "":
	case p.Path == "" || p.Path[0] == '[':
		p.Path = base + p.Path
	default:
		p.Path = base + "." + p.Path
	}
	return p
}

// Cut shortens what is quoted from a document, so that a problem stays one line.
func Cut(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "..."
}

func quote(s string) string { return strconv.Quote(Cut(s)) }
