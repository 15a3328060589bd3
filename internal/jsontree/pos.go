package jsontree

import (
	"fmt"
	"sync"
	"unicode/utf8"
)

// Pos is a place in a document. The zero value is no place.
type Pos struct {
	Line   int // from 1
	Column int // from 1, counted in runes
	Offset int // from 0, counted in bytes
}

// String writes line and column: "3:14".
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// next is the place behind a byte that stands at p.
func (p Pos) next(c byte) Pos {
	switch {
	case c == '\n':
		p.Line, p.Column = p.Line+1, 1
	case utf8.RuneStart(c):
		p.Column++
	}
	p.Offset++
	return p
}

// document is the text that the nodes of a tree share. Lines and columns are
// counted when the first one is asked for, which is when something is wrong.
type document struct {
	text  string
	once  sync.Once
	marks []Pos // the places of every markEvery-th byte
}

// markEvery is how far apart the marks are: no place is further than that from
// one that is known, however many are asked for and however long the lines are.
const markEvery = 1024

// pos returns the place of a byte, or of the end of the text.
func (d *document) pos(offset int32) Pos {
	d.once.Do(d.mark)
	at := d.marks[offset/markEvery]
	for at.Offset < int(offset) {
		at = at.next(d.text[at.Offset])
	}
	return at
}

func (d *document) mark() {
	for at := (Pos{Line: 1, Column: 1}); ; at = at.next(d.text[at.Offset]) {
		if at.Offset%markEvery == 0 {
			d.marks = append(d.marks, at)
		}
		if at.Offset == len(d.text) {
			return
		}
	}
}
