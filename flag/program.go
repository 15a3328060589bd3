package flag

import (
	"slices"
)

// program is conditions compiled to a flat list of tests. A rule matches only when
// its condition is true, so each test asks whether its leaf is known to be true, or
// known to be false, and goes on at yes or at no: what is unknown is neither. (In
// Kleene's logic De Morgan's laws hold, and what remains after every "not" has been
// pushed to the leaves is true exactly when it is true with all unknowns false.)
//
// A target of yes or no that is negative leaves the program: ^target is what the
// program was asked for.
type program struct {
	code  []instr
	more  *operands // nil if no instruction needs one
	start int32
}

// instr is one test, small because evaluation is mostly the reading of these.
type instr struct {
	op    op
	not   bool // whether the leaf must be false
	yes   int32
	no    int32
	about uint64 // what it is about, with the kind of the operand, as in a Fact; 0 is the subject's key
	num   uint64 // the operand, or its place in operands
}

// asks returns an instruction about an attribute.
func asks(attr uint32) instr { return instr{about: about(attr, 0, 0)} }

func (in *instr) attr() uint32 { return uint32(in.about >> 40) }

func (in *instr) kind() kind { return kind(in.about >> 32) }

type op uint8

const (
	opEqual     op = iota // a packed string, a boolean or an integer
	opAmong               // a few values
	opLess                // than an integer; the next three as well
	opLessEqual           //
	opMore                //
	opMoreEqual           //
	opLeaf                // any other operator
	opExists              // the attribute
	opListed              // the unit is one of many keys
	opSegment             // another program
	opServes              // another flag serves one of some variants
	opTime                // a window
)

// operands are what does not fit into an instruction.
type operands struct {
	among    [][]value
	leaves   []leaf
	lists    []*keySet
	segments []*segment
	serves   []prerequisite
	windows  []window
}

// leaf is an operator on one value. It never sees a list.
type leaf interface{ test(v value) truth }

// truth is three-valued.
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func truly(b bool) truth {
	if b {
		return yes
	}
	return no
}

// run tests from an instruction on until a target leaves the program.
func (p *program) run(at int32, set *Set, s *Subject, now int64) int32 {
	for at >= 0 {
		in := &p.code[at]
		at = in.no
		var holds bool
		switch in.op {
		case opEqual:
			f := s.look(in.attr())
			if f.kind() != in.kind() {
				if p.other(in, set, s, now) {
					at = in.yes
				}
				continue
			}
			holds = f.num == in.num
		case opLess, opLessEqual, opMore, opMoreEqual:
			f := s.look(in.attr())
			if f.kind() != kindInt {
				if p.other(in, set, s, now) {
					at = in.yes
				}
				continue
			}
			switch have, want := int64(f.num), int64(in.num); in.op {
			case opLess:
				holds = have < want
			case opLessEqual:
				holds = have <= want
			case opMore:
				holds = have > want
			default:
				holds = have >= want
			}
		case opListed:
			if in.about != 0 || s.key == "" {
				if p.other(in, set, s, now) {
					at = in.yes
				}
				continue
			}
			holds = p.more.lists[in.num].has(s.unit, s.key)
		default:
			if p.other(in, set, s, now) {
				at = in.yes
			}
			continue
		}
		if holds != in.not {
			at = in.yes
		}
	}
	return ^at
}

// other says whether an instruction's leaf is known to be what it must be, for
// everything that run does not do by itself.
func (p *program) other(in *instr, set *Set, s *Subject, now int64) bool {
	want := yes
	if in.not {
		want = no
	}
	switch in.op {
	case opListed:
		return p.more.lists[in.num].test(in.attr(), s) == want
	case opSegment:
		return p.more.segments[in.num].run(!in.not, set, s, now)
	case opServes:
		return p.more.serves[in.num].test(set, s, now) == want
	case opTime:
		return p.more.windows[in.num].test(now) == want
	}
	f := s.look(in.attr())
	switch {
	case in.op == opExists:
		return truly(f.kind() != 0) == want
	case f.kind() != kindList:
		return p.leaf(in, f.value()) == want
	}
	all := no // any element
	for _, element := range f.list() {
		all = max(all, p.leaf(in, stringValue(element)))
	}
	return all == want
}

// leaf tests one value slowly.
func (p *program) leaf(in *instr, v value) truth {
	switch in.op {
	case opLeaf:
		return p.more.leaves[in.num].test(v)
	case opAmong:
		return oneOf(p.more.among[in.num]).test(v)
	case opEqual:
		switch {
		case v.kind == in.kind():
			return truly(v.num == in.num)
		case in.kind() == kindInt && v.isNumber(): // equal numbers are of one kind
			return no
		}
		return unknown
	}
	return than{in.op, intValue(int64(in.num))}.test(v)
}

// window is a time from which, and one until which; both in nanoseconds since 1970.
type window struct{ from, until int64 }

func (w window) test(now int64) truth { return truly(w.from <= now && now < w.until) }

// prerequisite is that another flag serves one of some variants. They are names,
// since the other flag may be compiled anew without this one.
type prerequisite struct {
	key    string
	serves []string
}

func (p *prerequisite) test(set *Set, s *Subject, now int64) truth {
	h := set.header(p.key)
	if h == nil {
		return unknown
	}
	v := h.pickAt(set, s, now)
	if v < 0 {
		return unknown
	}
	return truly(slices.Contains(p.serves, h.flag.names[v]))
}

// segment is a set of subjects: who is known to be in it, and who is known not to.
type segment struct {
	in, out program
}

func (g *segment) run(in bool, set *Set, s *Subject, now int64) bool {
	p := &g.in
	if !in {
		p = &g.out
	}
	return p.run(p.start, set, s, now) == 0
}
