package flag

import "math/bits"

// table is the rules of a flag where each is a conjunction of simple tests. What
// most of them ask first, which string an attribute is, is looked up once for all;
// then only those rules are tested that it leaves.
type table struct {
	first index
	rules [][]test // what else each rule asks
}

// index says by one attribute which rules are left, one bit for each: those that do
// not ask about it, and those that ask for the string that it is.
type index struct {
	about uint32 // the attribute and kindString, as in a Fact; 0 leaves all
	home  uint8
	free  uint64 // the rules that do not ask
	mult  uint64 // sends each string to a cell of its own
	cells []cell
}

// cell is a string, packed whole, with the rules that ask for it.
type cell struct{ num, rules uint64 }

// test is one simple test: of a string, or of an integer or boolean.
type test struct {
	about uint32 // the attribute and the kind
	home  uint8
	op    op
	words []uint64 // the strings, packed whole; nil for numbers
	from  uint64   // the least number
	width uint64   // how far the greatest is above it
}

// left returns the rules that the index leaves.
func (t *table) left(s *Subject) uint64 {
	x := &t.first
	f := &s.facts[x.home]
	if uint32(f.about>>32) != x.about {
		return x.other(s)
	}
	c := &x.cells[f.num*x.mult>>cellShift&uint64(len(x.cells)-1)]
	return x.free | c.rules&-bit(c.num == f.num)
}

// match returns the first of some rules that matches, or a negative number.
func (t *table) match(left uint64, s *Subject) int {
next:
	for ; left != 0; left &= left - 1 {
		rule := bits.TrailingZeros64(left)
		tests := t.rules[rule]
		for i := range tests {
			t := &tests[i]
			f := &s.facts[t.home]
			if uint32(f.about>>32) != t.about {
				if !t.other(s) {
					continue next
				}
			} else if t.words == nil {
				if f.num-t.from > t.width {
					continue next
				}
			} else {
				one := uint64(0)
				for _, w := range t.words {
					one |= bit(w == f.num) // nobody could predict which
				}
				if one == 0 {
					continue next
				}
			}
		}
		return rule
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

// other is for a fact that is not at home or is no string.
func (x *index) other(s *Subject) (rules uint64) {
	rules = x.free
	if x.about == 0 {
		return rules
	}
	switch f := s.look(x.about >> 8); f.kind() {
	case kindString:
		rules |= x.rules(f.num)
	case kindList:
		for _, element := range f.list() {
			rules |= x.rules(pack(element))
		}
	}
	return rules
}

func (x *index) rules(num uint64) uint64 {
	if c := &x.cells[num*x.mult>>cellShift&uint64(len(x.cells)-1)]; c.num == num {
		return c.rules
	}
	return 0
}

// other is for a fact that is not at home, or of another kind.
func (t *test) other(s *Subject) bool {
	f := s.look(t.about >> 8)
	k := kind(t.about)
	switch {
	case k == kindString && f.kind() == kindString:
		return t.one(f.num)
	case k == kindString && f.kind() == kindList:
		for _, element := range f.list() {
			if t.one(pack(element)) {
				return true
			}
		}
	case f.kind() == k:
		return f.num-t.from <= t.width
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

func (t *test) one(num uint64) bool {
	for _, w := range t.words {
		if w == num {
			return true
		}
	}
	return false
}

// maxRules is how many an index has bits for.
const maxRules = 64

// newTable returns the rules as a table, or nil if they are not simple enough.
func newTable(rules []node, among [][]value) *table {
	if len(rules) == 0 || len(rules) > maxRules {
		return nil
	}
	t := &table{rules: make([][]test, len(rules))}
	for i, rule := range rules {
		var ok bool
		if t.rules[i], ok = simple(nil, rule, among); !ok {
			return nil
		}
	}
	t.index()
	return t
}

// simple adds the tests of a conjunction, and says whether all of them are simple.
func simple(tests []test, n node, among [][]value) ([]test, bool) {
	ok := true
	switch n.join {
	case joinAll:
		for _, inner := range n.of {
			if tests, ok = simple(tests, inner, among); !ok {
				return nil, false
			}
		}
		return tests, true
	case joinLeaf:
		t := test{op: n.leaf.op, home: n.leaf.home}
		if ok = t.fill(n.leaf, among); ok {
			return append(tests, t), true
		}
	}
	return nil, false
}

func (t *test) fill(in instr, among [][]value) bool {
	kind, from, to := kindInt, int64(-1<<63), int64(1<<63-1)
	switch n := int64(in.num); in.op {
	case opEqual:
		kind, from, to = in.kind(), n, n
		if kind == kindString {
			t.words = []uint64{in.num}
		}
	case opAmong:
		for _, v := range among[in.num] {
			if v.kind != kindString || !packsWhole(v.num) {
				return false
			}
			kind, t.words = kindString, append(t.words, v.num)
		}
	case opLess:
		to = n - 1
		if n == from {
			return false
		}
	case opLessEqual:
		to = n
	case opMore:
		if n == to {
			return false
		}
		from = n + 1
	case opMoreEqual:
		from = n
	default:
		return false
	}
	t.from, t.width = uint64(from), uint64(to)-uint64(from)
	t.about = uint32(about(in.attr(), kind, 0) >> 32)
	return true
}

// index takes the attribute that most rules ask about for the index, and what they
// ask out of them.
func (t *table) index() {
	x := &t.first
	x.free, x.cells = ^uint64(0)>>(maxRules-len(t.rules)), []cell{{num: noString}}
	// Where as many rules ask, that about which they ask for fewer strings, since it
	// leaves fewer rules.
	rank := map[uint32]int{}
	for _, tests := range t.rules {
		for about, at := range texts(tests) {
			rank[about] += 1000 - min(len(tests[at].words), 999)
		}
	}
	for about, r := range rank {
		if best := rank[x.about]; r > best || r == best && about < x.about {
			x.about = about
		}
	}
	rules := map[uint64]uint64{}
	for i, tests := range t.rules {
		if at, ok := texts(tests)[x.about]; ok {
			x.home = tests[at].home
			for _, w := range tests[at].words {
				rules[w] |= 1 << i
			}
		}
	}
	if x.about == 0 || !x.hash(rules) {
		*x = index{free: x.free, cells: []cell{{num: noString}}}
		return
	}
	for i, tests := range t.rules {
		if at, ok := texts(tests)[x.about]; ok {
			x.free &^= 1 << i
			t.rules[i] = append(tests[:at:at], tests[at+1:]...)
		}
	}
}

// texts finds the first test of each attribute for strings, by what it is about.
func texts(tests []test) map[uint32]int {
	found := map[uint32]int{}
	for i, t := range tests {
		if _, twice := found[t.about]; !twice && t.words != nil {
			found[t.about] = i
		}
	}
	return found
}

// cellShift leaves the highest bits of a product, which all bits of a factor reach.
const cellShift = 54

// hash finds a multiplier that gives every string a cell of its own.
func (x *index) hash(rules map[uint64]uint64) bool {
	for size := 2; size <= 1<<(64-cellShift); size *= 2 {
		x.mult = 0x9e3779b97f4a7c15
		for range 64 {
			if size >= len(rules) && x.fill(size, rules) {
				return true
			}
			x.mult = x.mult*0xd1342543de82ef95 + 2
		}
	}
	return false
}

func (x *index) fill(size int, rules map[uint64]uint64) bool {
	x.cells = make([]cell, size)
	for i := range x.cells {
		x.cells[i].num = noString
	}
	for num, rules := range rules {
		c := &x.cells[num*x.mult>>cellShift&uint64(size-1)]
		if c.num != noString {
			return false
		}
		c.num, c.rules = num, rules
	}
	return true
}
