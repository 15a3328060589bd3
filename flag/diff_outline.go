package flag

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// outline is a flag as the questions that decide it, in the order in which they are
// asked, with every condition in a form that is equal for equal conditions.
type outline struct {
	flag      *compiled // nil for none
	questions []question
	rest      exit // for whom no question decides
	text      []byte
}

// question is a condition and what is served if it holds.
type question struct {
	kind     matter
	rule     int     // its index
	keys     *keySet // of a target
	from, to int     // of the condition in the outline's text
	exit     exit    // of a When, what is served if it does not hold
}

type matter uint8

const (
	askedWhen matter = iota
	askedTarget
	askedRule
)

// What a condition begins with.
const (
	condAlways byte = iota + 1
	condNever
	condAll   // simple tests, in order
	condGraph // anything
)

// writer writes conditions.
type writer struct {
	*differ
	outline
	// resolve tells what is known of a condition as of the differ's moment: windows,
	// and flags that serve everybody the same. What needs a flag that differs is then
	// marked with its side.
	resolve bool
	side    int
	written int // of the text, that belongs to questions
}

// outlined writes down a flag.
func (d *differ) outlined(f *compiled, side int, resolve bool) outline {
	w := writer{differ: d, outline: outline{flag: f, rest: exit{rule: -1, serve: -1}}, side: side, resolve: resolve}
	if f == nil {
		return w.outline
	}
	switch {
	case f.killed:
		w.rest.serve = f.off
		return w.outline
	case f.override >= 0:
		w.rest.serve = f.override
		return w.outline
	case f.disabled:
		w.rest.serve = f.off
		return w.outline
	}
	w.rest = f.exits[exitServe]
	at := f.within
	if f.start != f.within {
		w.graph(&f.program, f.start, f.within, ^exitOff)
		w.ask(question{kind: askedWhen, exit: f.exits[exitOff]})
	}
	for i := range f.targets {
		t := &f.targets[i]
		w.questions = append(w.questions, question{kind: askedTarget, keys: t.keys, exit: f.exits[t.exit]})
	}
	for at >= 0 && f.code[at].yes < 0 && f.exits[^f.code[at].yes].reason == ReasonTarget {
		in := &f.code[at]
		w.questions = append(w.questions, question{kind: askedTarget, keys: f.more.lists[in.num], exit: f.exits[^in.yes]})
		at = in.no
	}
	for i, e := range f.exits[f.firstRule:] {
		yes := ^(f.firstRule + int32(i))
		if f.table != nil {
			w.all(f.table.asks(i))
		} else if !w.simple(&f.program, at, yes, e.next) {
			w.graph(&f.program, at, yes, e.next)
		}
		w.ask(question{kind: askedRule, rule: i, exit: e})
		at = e.next
	}
	return w.outline
}

// ask adds a question, whose condition is what was written since the last one.
func (w *writer) ask(q question) {
	q.from, q.to = w.written, len(w.text)
	w.written = q.to
	w.questions = append(w.questions, q)
}

// cond is the condition of a question.
func (o *outline) cond(q *question) []byte { return o.text[q.from:q.to] }

// size is how much there is to write, as questions asked take time.
func (o *outline) size() int {
	n := len(o.text) / 8
	for _, q := range o.questions {
		if q.keys != nil {
			n += len(q.keys.spots)
		}
	}
	return n
}

func (w *writer) byte(b byte)     { w.text = append(w.text, b) }
func (w *writer) word(n uint64)   { w.text = binary.LittleEndian.AppendUint64(w.text, n) }
func (w *writer) string(s string) { w.word(uint64(len(s))); w.text = append(w.text, s...) }

// all writes a conjunction of simple tests, whose order means nothing.
func (w *writer) all(asks []ask) {
	if len(asks) == 0 {
		w.byte(condAlways)
		return
	}
	slices.SortFunc(asks, func(a, b ask) int {
		return cmp.Or(cmp.Compare(a.about, b.about), cmp.Compare(a.op, b.op), cmp.Compare(a.from, b.from), cmp.Compare(a.width, b.width), slices.Compare(a.strings, b.strings))
	})
	w.byte(condAll)
	for _, a := range asks {
		w.word(uint64(a.about)<<8 | uint64(a.op))
		w.word(a.from)
		w.word(a.width)
		w.word(uint64(len(a.strings)))
		for _, s := range a.strings {
			w.word(s)
		}
	}
}

// simple writes a condition of a program as a table would have it, if it can.
func (w *writer) simple(p *program, at, yes, no int32) bool {
	var room [4]ask
	asks := room[:0]
	for at != yes {
		if at < 0 || at == no {
			return false
		}
		in := &p.code[at]
		if in.not || in.no != no || in.op > opMoreEqual {
			return false
		}
		var among [][]value
		if p.more != nil {
			among = p.more.among
		}
		a, ok := simple(*in, among)
		if !ok {
			return false
		}
		asks, at = append(asks, a.canonical()), in.yes
	}
	w.all(asks)
	return true
}

// canonical leaves out by which operator strings are asked for.
func (a ask) canonical() ask {
	if a.strings != nil {
		a.op, a.from, a.width = opEqual, 0, 0
	}
	return a
}

// asks is what a rule of a table asks.
func (t *table) asks(rule int) (asks []ask) {
	tests := t.tests[t.ends[rule]:t.ends[rule+1]]
	asks = make([]ask, 0, len(tests)+1)
	for _, one := range tests {
		a := ask{test: one}
		switch {
		case one.words != nil:
			a.words = nil
			for _, s := range one.words.at {
				if s != noString {
					a.strings = append(a.strings, s)
				}
			}
			slices.Sort(a.strings)
		case kind(one.about) == kindString:
			a.strings = []uint64{one.from}
		}
		asks = append(asks, a.canonical())
	}
	if x := &t.index; x.about != 0 && x.free>>rule&1 == 0 {
		a := ask{test: test{about: x.about}}
		for _, c := range x.cells {
			if c.num != noString && c.rules>>rule&1 == 1 {
				a.strings = append(a.strings, c.num)
			}
		}
		slices.Sort(a.strings)
		asks = append(asks, a.canonical())
	}
	return asks
}
