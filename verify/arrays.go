package verify

import (
	"fmt"
	"strconv"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// ArrayMode says how the elements that are expected of an array are looked for in
// the array that came. In all modes each of them needs an element of its own: one
// that came never stands for two.
type ArrayMode uint8

// The modes.
const (
	Positional       ArrayMode = iota // as many, each in its place: the zero value
	ContainsInOrder                   // in this order, with others before, between and behind them
	ContainsAnyOrder                  // anywhere, with others among them
	Unordered                         // as many, anywhere
)

// String is "positional", "contains in order", "contains in any order" or
// "unordered".
func (a ArrayMode) String() string {
	switch a {
	case Positional:
		return "positional"
	case ContainsInOrder:
		return "contains in order"
	case ContainsAnyOrder:
		return "contains in any order"
	case Unordered:
		return "unordered"
	}
	return fmt.Sprintf("ArrayMode(%d)", uint8(a))
}

func (m *matcher) array(want, got *jsontree.Node) {
	mode := m.modes[want]
	if len(want.Items) != len(got.Items) && (mode == Positional || mode == Unordered) {
		m.length(want, got, mode)
	}
	switch mode {
	case ContainsInOrder:
		m.inOrder(want, got)
	case ContainsAnyOrder, Unordered:
		if m.found < m.enough {
			m.anyOrder(want, got, mode)
		}
	default:
		for i := range min(len(want.Items), len(got.Items)) {
			w, g := &want.Items[i], &got.Items[i]
			if m.steps++; w.Kind == g.Kind && w.RawString() == g.RawString() {
				continue // as most are, and fast
			}
			m.match(w, g)
		}
	}
}

func (m *matcher) length(want, got *jsontree.Node, mode ArrayMode) {
	if m.differs(nil) {
		text := items(want)
		if mode != Positional {
			text += " (" + mode.String() + ")"
		}
		m.out.add(KindLength, m.path(got), text, items(got))
	}
	if mode == Positional && m.enough > 1 && m.out == nil {
		for i := len(got.Items); i < len(want.Items); i++ {
			m.found += leaves(&want.Items[i])
		}
	}
}

// inOrder takes for each element the first that fits behind the one before: if that
// does not lead to the end, nothing else would.
func (m *matcher) inOrder(want, got *jsontree.Node) {
	from := 0
	var free []bool // those that nobody took; made when one is alone
	for i := range want.Items {
		w := &want.Items[i]
		at := from
		for at < len(got.Items) && m.steps <= mostSteps && !m.fits(w, &got.Items[at]) {
			at++
		}
		if at < len(got.Items) {
			from = at + 1
			continue
		}
		if free == nil {
			free = make([]bool, len(got.Items))
			for j := from; j < len(free); j++ {
				free[j] = true
			}
		}
		clear(free[:from])
		m.alone(w, got, free, ContainsInOrder, from)
	}
}

// anyOrder pairs as many elements as can be paired, and reports those left over.
func (m *matcher) anyOrder(want, got *jsontree.Node, mode ArrayMode) {
	p := &pairing{m: m, want: want.Items, got: got.Items}
	partners := p.pair()
	free := make([]bool, len(got.Items))
	for j, owner := range p.owners {
		free[j] = owner < 0
	}
	for i, partner := range partners {
		if partner < 0 {
			m.alone(&want.Items[i], got, free, mode, 0)
		}
	}
	for j := range free {
		// one that is not free any more was reported as the closest of another
		if mode == Unordered && free[j] && m.differs(nil) {
			m.out.add(KindUnexpected, m.path(&got.Items[j]), "nothing (unordered)", text(&got.Items[j]))
		}
	}
}

// alone reports that w found no partner. If there is a free element that has
// something in common with it, all that differs between the two is reported, too.
func (m *matcher) alone(w, got *jsontree.Node, free []bool, mode ArrayMode, from int) {
	if !m.differs(w) {
		return
	}
	left := 0
	closest, least := -1, leaves(w)
	for j := range free {
		if !free[j] {
			continue
		}
		left++
		if len(w.Items) == 0 { // nothing but itself is like it
			continue
		}
		if d := m.distance(w, &got.Items[j], max(least, 2)); d < least && m.steps <= mostSteps {
			closest, least = j, d
		}
	}
	reason := fmt.Sprintf("none in %s left", count(left, "item"))
	if from > 0 {
		reason += " behind [" + strconv.Itoa(from-1) + "]"
	}
	if closest >= 0 {
		reason += ", closest is [" + strconv.Itoa(closest) + "]"
	}
	const room = 80 // for the element, so that the mode is not cut off
	m.out.add(KindMissing, m.path(got), "an item "+m.out.show(text(w), room)+" ("+mode.String()+")", reason)
	if closest >= 0 {
		free[closest] = false
		m.match(w, &got.Items[closest])
	}
}

// pairing is a bipartite matching: each wanted element gets an element of its own
// that fits, for as many as possible. It grows by augmenting paths: an element that
// finds all that fit it taken asks their owners to take another.
type pairing struct {
	m       *matcher
	want    []jsontree.Node
	got     []jsontree.Node
	column  *column   // of got; nil until somebody asks
	places  []int32   // for column to work in
	owners  []int     // of each element that came: who has it, -1 for nobody
	fitting [][]int32 // for each wanted element, the places of those that fit; nil if nobody looked yet
	asked   []bool    // the elements that came which were asked for in this round
}

// pair returns the place of each wanted element's partner, -1 if it has none. The
// result is always the same, but what is left over need not be the last.
func (p *pairing) pair() []int {
	partners := make([]int, len(p.want))
	p.owners = make([]int, len(p.got))
	p.fitting = make([][]int32, len(p.want))
	p.asked = make([]bool, len(p.got))
	for j := range p.owners {
		p.owners[j] = -1
	}
	for i := range partners {
		partners[i] = -1
		// most stand where they are wanted
		if i < len(p.got) && p.m.fits(&p.want[i], &p.got[i]) {
			partners[i], p.owners[i] = i, i
		}
	}
	// In one round nobody is asked twice: who could not make room for one cannot
	// for another, until something has moved.
	for moved := true; moved; {
		moved = false
		clear(p.asked)
		for i := range partners {
			if partners[i] < 0 && p.find(i, partners) {
				moved = true
			} else if partners[i] < 0 && p.m.enough == 1 && len(p.fitting[i]) == 0 {
				return partners // one that nothing fits is enough to know
			}
		}
	}
	return partners
}

// find gives i a partner, if need be by giving owners others.
func (p *pairing) find(i int, partners []int) bool {
	for _, j := range p.fits(i) {
		if p.m.steps++; p.asked[j] || p.m.steps > mostSteps {
			continue
		}
		p.asked[j] = true
		if owner := p.owners[j]; owner < 0 || p.find(owner, partners) {
			partners[i], p.owners[j] = int(j), i
			return true
		}
	}
	return false
}

// fits returns the places of the elements that fit i. As many as there are wanted
// ones are enough: one of them is free whatever the others take.
func (p *pairing) fits(i int) []int32 {
	if p.fitting[i] == nil {
		if p.column == nil {
			p.column = newColumn(p.got)
		}
		p.places = append(p.places[:0], p.column.at...)
		list := p.m.narrow(p.column, &p.want[i], p.places)
		p.fitting[i] = append([]int32{}, list[:min(len(list), len(p.want))]...)
	}
	return p.fitting[i]
}
