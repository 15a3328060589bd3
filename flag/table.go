package flag

import (
	"math/bits"
	"slices"
)

// table is the rules of a flag where each is a conjunction of simple tests. What
// most of them ask first, which string an attribute is, is looked up once for all;
// then only those rules are tested that it leaves.
type table struct {
	index index
	tests []test   // what else the rules ask, one rule behind the other
	ends  []uint16 // where each rule's tests end, behind a zero
}

// index says by one attribute which rules are left, one bit for each: those that do
// not ask about it, and those that ask for the string that it is.
type index struct {
	about uint32 // the attribute and kindString, as in a Fact; 0 leaves all
	free  uint64 // the rules that do not ask
	mult  uint64 // sends each string to a cell of its own
	cells []cell
}

// cell is a string, packed whole, with the rules that ask for it.
type cell struct{ num, rules uint64 }

// test is one simple test, of a string, an integer or a boolean: whether its word is
// from on, and not more than width above it, or one of some strings.
type test struct {
	about uint32 // the attribute and the kind
	op    op
	from  uint64
	width uint64
	words *words // nil if there is one string or none
}

// words are strings, packed whole, each in a place of its own, to which mult sends it.
type words struct {
	at   []uint64
	mult uint64
}

func (t *test) holds(num uint64) bool {
	return num-t.from <= t.width || t.words != nil && t.words.have(num)
}

func (w *words) have(num uint64) bool {
	return w.at[cellOf(num, w.mult, len(w.at))] == num
}

// first returns the first rule that matches, or a negative number. It does so only if
// every fact that it asks for is of its kind, and stands where it is looked for first.
// It calls nothing, so that everything stays in registers.
func (t *table) first(s *Subject) (rule int, ok bool) {
	x, facts := &t.index, s.facts
	left := x.free
	if x.about != 0 {
		at := uint64(x.about>>8 - s.first)
		if at >= uint64(len(facts)) || uint32(facts[at].about>>32) != x.about {
			return 0, false
		}
		left = x.rules(facts[at].num)
	}
next:
	for ; left != 0; left &= left - 1 {
		rule := bits.TrailingZeros64(left)
		tests := t.tests[t.ends[rule]:t.ends[rule+1]]
		for i := range tests {
			t := &tests[i]
			at := uint64(t.about>>8 - s.first)
			if at >= uint64(len(facts)) || uint32(facts[at].about>>32) != t.about {
				return 0, false
			}
			if !t.holds(facts[at].num) {
				continue next
			}
		}
		return rule, true
	}
	return -1, true
}

// left returns the rules that the index leaves.
func (t *table) left(s *Subject) uint64 {
	x := &t.index
	if x.about == 0 {
		return x.free
	}
	rules := x.free
	switch f := s.look(x.about >> 8); f.kind() {
	case kindString:
		return x.rules(f.num)
	case kindList:
		for _, element := range f.list() {
			rules |= x.rules(pack(element))
		}
	}
	return rules
}

// match returns the first of some rules that matches, or a negative number.
func (t *table) match(left uint64, s *Subject) int {
	for ; left != 0; left &= left - 1 {
		rule := bits.TrailingZeros64(left)
		fails := func(t test) bool { return !t.holdsFor(s) }
		if !slices.ContainsFunc(t.tests[t.ends[rule]:t.ends[rule+1]], fails) {
			return rule
		}
	}
	return -1
}

// bit is 1 or 0, without a branch.
func bit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// rules returns those that a string leaves.
func (x *index) rules(num uint64) uint64 {
	c := &x.cells[cellOf(num, x.mult, len(x.cells))]
	return x.free | c.rules&-bit(c.num == num)
}

// holdsFor is for any subject.
func (t *test) holdsFor(s *Subject) bool {
	f := s.look(t.about >> 8)
	k := kind(t.about)
	switch {
	case f.kind() == k:
		return t.holds(f.num)
	case k == kindString && f.kind() == kindList:
		for _, element := range f.list() {
			if t.holds(pack(element)) {
				return true
			}
		}
	case k == kindInt && f.value().isNumber() && t.op != opEqual: // a number that is no integer equals none
		operand := t.from
		switch t.op {
		case opLess:
			operand += t.width + 1
		case opLessEqual:
			operand += t.width
		case opMore:
			operand--
		}
		return than{t.op, intValue(int64(operand))}.test(f.value()) == yes
	}
	return false
}
