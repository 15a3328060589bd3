package flag

import (
	"fmt"
	"slices"
	"strings"
)

// graph writes the tests that lead from one place of a program to one of two others.
// Each is written by how far it is behind the first; no test leads backwards.
func (w *writer) graph(p *program, start, yes, no int32) {
	target := func(at int32) int32 { return w.skip(p, at, yes, no) }
	code := func(at int32) uint64 {
		switch at = target(at); at {
		case yes:
			return 1
		case no:
			return 2
		}
		return 3 + uint64(start-at)
	}
	switch code(start) {
	case 1:
		w.byte(condAlways)
		return
	case 2:
		w.byte(condNever)
		return
	}
	w.byte(condGraph)
	first := target(start)
	reached := map[int32]bool{first: true}
	for at := first; len(reached) > 0; at-- {
		if !reached[at] {
			continue
		}
		delete(reached, at)
		in := &p.code[at]
		w.word(code(at))
		w.instr(p, in)
		for _, next := range [...]int32{in.yes, in.no} {
			w.word(code(next))
			if next = target(next); next != yes && next != no {
				reached[next] = true
			}
		}
	}
}

// skip goes on past what is known.
func (w *writer) skip(p *program, at, yes, no int32) int32 {
	for at >= 0 && at != yes && at != no {
		in := &p.code[at]
		holds, known := w.known(p, in)
		if !known {
			break
		}
		if at = in.no; holds != in.not {
			at = in.yes
		}
	}
	return at
}

// known says what an instruction's leaf is, if it is the same for everybody.
func (w *writer) known(p *program, in *instr) (holds, known bool) {
	if !w.resolve {
		return false, false
	}
	switch in.op {
	case opTime:
		return p.more.windows[in.num].test(w.now) == yes, true
	case opSegment:
		switch w.always(p.more.segments[in.num], !in.not) {
		case yes:
			return !in.not, true
		case no:
			return in.not, true
		}
	case opServes:
		pre := &p.more.serves[in.num]
		h := w.sides[w.side].header(pre.key)
		switch {
		case h == nil:
			return in.not, true // unknown, which is never what it must be
		case h.mode != modeStatic:
			return false, false
		case h.serves[0] < 0:
			return in.not, true
		}
		return slices.Contains(pre.serves, h.flag.names[h.serves[0]]), true
	}
	return false, false
}

// instr writes one test.
func (w *writer) instr(p *program, in *instr) {
	w.word(uint64(in.op)<<1 | bit(in.not))
	w.word(in.about)
	switch in.op {
	case opAmong:
		w.word(uint64(len(p.more.among[in.num])))
		for _, v := range p.more.among[in.num] {
			w.word(uint64(v.kind))
			w.word(v.num)
			w.string(v.str)
		}
	case opLeaf:
		l := p.more.leaves[in.num]
		w.string(fmt.Sprintf("%T %v", l, l))
	case opListed:
		w.word(w.list(p.more.lists[in.num]))
	case opSegment:
		w.word(w.segment(p.more.segments[in.num]))
	case opServes:
		pre := &p.more.serves[in.num]
		w.string(pre.key)
		w.word(uint64(len(pre.serves)))
		for _, name := range pre.serves {
			w.string(name)
		}
		if w.resolve && w.changed[pre.key] {
			w.byte(byte(w.side))
		}
	case opTime:
		w.word(uint64(p.more.windows[in.num].from))
		w.word(uint64(p.more.windows[in.num].until))
	default:
		w.word(in.num)
	}
}

// number is the same for the same content.
func (d *differ) number(of any, content func() string) uint64 {
	n, known := d.contents[of]
	if !known {
		text := content()
		if n, known = d.numbers[text]; !known {
			n = uint64(len(d.numbers))
			d.numbers[text] = n
		}
		d.contents[of] = n
	}
	return n
}

func (d *differ) list(k *keySet) uint64 {
	return d.number(k, func() string {
		keys := k.keys()
		for i, key := range keys {
			keys[i] = fmt.Sprintf("%d:%s", len(key), key)
		}
		return strings.Join(keys, "")
	})
}

// keys lists the keys in order.
func (k *keySet) keys() (keys []string) {
	for i, tag := range k.tags {
		if tag != 0 {
			keys = append(keys, k.text[k.spots[i].from:k.spots[i].to])
		}
	}
	slices.Sort(keys)
	return keys
}

// always says whether everybody, or nobody, is known to be in a segment; or, if that is
// asked, known not to be.
func (w *writer) always(g *segment, in bool) truth {
	p := &g.in
	if !in {
		p = &g.out
	}
	at := sidedProgram{p, w.side, w.now}
	known, done := w.constant[at]
	if !done {
		switch w.skip(p, p.start, ^0, ^1) {
		case ^0:
			known = yes
		case ^1:
			known = no
		}
		w.constant[at] = known
	}
	return known
}

// sidedProgram is one of a segment's as one side runs it.
type sidedProgram struct {
	program *program
	side    int
	now     int64
}

func (w *writer) segment(g *segment) uint64 {
	if number, known := w.alias[g]; known {
		return number
	}
	type sided struct {
		segment *segment
		resolve bool
		side    int
		now     int64
	}
	return w.number(sided{g, w.resolve, w.side, w.now}, func() string {
		inner := writer{differ: w.differ, resolve: w.resolve, side: w.side}
		inner.graph(&g.in, g.in.start, ^0, ^1)
		inner.graph(&g.out, g.out.start, ^0, ^1)
		return "segment " + string(inner.text)
	})
}
