package flag

import (
	"maps"
	"math"
	"slices"
)

// ask is a test on its way into a table: with all the strings that it is for.
type ask struct {
	test
	strings []uint64 // packed whole
}

// maxRules is how many an index has bits for.
const maxRules = 64

// newTable returns the rules as a table, or nil if they are not simple enough.
func newTable(rules []node, among [][]value) *table {
	if len(rules) == 0 || len(rules) > maxRules {
		return nil
	}
	asks := make([][]ask, len(rules))
	for i, rule := range rules {
		var ok bool
		if asks[i], ok = conjunction(nil, rule, among); !ok {
			return nil
		}
	}
	t := &table{index: newIndex(asks), ends: make([]uint16, 1, 1+len(rules))}
	for _, asks := range asks {
		for _, a := range asks {
			switch len(a.strings) {
			case 0:
			case 1:
				a.from, a.width = a.strings[0], 0
			default:
				a.from, a.width, a.words = noString, 0, newWords(a.strings)
				if a.words == nil {
					return nil
				}
			}
			t.tests = append(t.tests, a.test)
		}
		if len(t.tests) > math.MaxUint16 {
			return nil
		}
		t.ends = append(t.ends, uint16(len(t.tests)))
	}
	t.tests = exactly(t.tests)
	return t
}

// conjunction adds what a condition asks, and says whether it is a conjunction of
// simple tests.
func conjunction(asks []ask, n node, among [][]value) ([]ask, bool) {
	ok := true
	switch n.join {
	case joinAll:
		for _, inner := range n.of {
			if asks, ok = conjunction(asks, inner, among); !ok {
				return nil, false
			}
		}
		return asks, true
	case joinLeaf:
		a, ok := simple(n.leaf, among)
		return append(asks, a), ok
	}
	return nil, false
}

// simple says what an instruction asks, if that is simple.
func simple(in instr, among [][]value) (a ask, ok bool) {
	kind, from, to := kindInt, int64(-1<<63), int64(1<<63-1)
	ok = true
	switch n := int64(in.num); in.op {
	case opEqual:
		kind, from, to = in.kind(), n, n
		if kind == kindString {
			a.strings = []uint64{in.num}
		}
	case opAmong:
		kind = kindString
		for _, v := range among[in.num] {
			ok = ok && v.kind == kindString && packsWhole(v.num)
			a.strings = append(a.strings, v.num)
		}
		slices.Sort(a.strings)
		a.strings = slices.Compact(a.strings)
	case opLess:
		ok, to = n != from, n-1
	case opLessEqual:
		to = n
	case opMore:
		ok, from = n != to, n+1
	case opMoreEqual:
		from = n
	default:
		ok = false
	}
	a.test = test{about: uint32(about(in.attr(), kind, 0) >> 32), op: in.op, from: uint64(from), width: uint64(to) - uint64(from)}
	return a, ok
}

// newIndex takes the attribute that most rules ask about for the index, and what they
// ask out of them.
func newIndex(rules [][]ask) index {
	all := ^uint64(0) >> (maxRules - len(rules))
	x := index{free: all}
	// Where as many rules ask, that about which they ask for more strings, since the
	// index takes no longer for many.
	rank := map[uint32]int{}
	for _, asks := range rules {
		for about, at := range firstOfEach(asks) {
			rank[about] += 1000 + min(len(asks[at].strings), 999)
		}
	}
	for about, r := range rank {
		if best := rank[x.about]; r > best || r == best && about < x.about {
			x.about = about
		}
	}
	left := map[uint64]uint64{}
	for i, asks := range rules {
		if at, ok := firstOfEach(asks)[x.about]; ok {
			x.free &^= 1 << i
			for _, s := range asks[at].strings {
				left[s] |= 1 << i
			}
		}
	}
	if x.about == 0 || !x.fill(left) {
		return index{free: all}
	}
	for i, asks := range rules {
		if at, ok := firstOfEach(asks)[x.about]; ok {
			rules[i] = append(asks[:at:at], asks[at+1:]...)
		}
	}
	return x
}

// firstOfEach finds the first test for strings of each attribute.
func firstOfEach(asks []ask) map[uint32]int {
	found := map[uint32]int{}
	for i, a := range asks {
		if _, twice := found[a.about]; !twice && a.strings != nil {
			found[a.about] = i
		}
	}
	return found
}

func (x *index) fill(left map[uint64]uint64) bool {
	strings := slices.Collect(maps.Keys(left))
	size, mult := scatter(strings)
	x.cells, x.mult = make([]cell, size), mult
	for i := range x.cells {
		x.cells[i].num = noString
	}
	for _, s := range strings {
		x.cells[cellOf(s, mult, size)] = cell{s, left[s]}
	}
	return size > 0
}

func newWords(strings []uint64) *words {
	size, mult := scatter(strings)
	if size == 0 {
		return nil
	}
	w := &words{make([]uint64, size), mult}
	for i := range w.at {
		w.at[i] = noString
	}
	for _, s := range strings {
		w.at[cellOf(s, mult, size)] = s
	}
	return w
}

// cellOf is where a string stands; size is a power of two. Only the highest bits of a
// product are reached by all bits of a factor.
func cellOf(s, mult uint64, size int) uint64 { return s * mult >> cellShift & uint64(size-1) }

const (
	maxCells  = 1024
	cellShift = 64 - 10
)

// scatter finds how many places, and which multiplier, give every string a place of
// its own; none if that is too hard.
func scatter(strings []uint64) (size int, mult uint64) {
	for size = 2; size <= maxCells; size *= 2 {
		mult = 0x9e3779b97f4a7c15
		for range 64 {
			if size >= len(strings) && apart(strings, mult, size) {
				return size, mult
			}
			mult = mult*0xd1342543de82ef95 + 2
		}
	}
	return 0, 0
}

func apart(strings []uint64, mult uint64, size int) bool {
	var taken [maxCells / 64]uint64
	for _, s := range strings {
		at := cellOf(s, mult, size)
		if taken[at/64]>>(at%64)&1 == 1 {
			return false
		}
		taken[at/64] |= 1 << (at % 64)
	}
	return true
}
