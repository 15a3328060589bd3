package jsonpath

import (
	"fmt"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Path is a compiled JSONPath. It is immutable, and may be used from several
// goroutines. Only [Compile] makes one.
type Path struct {
	text     string
	segments []segment
}

// segment selects from a node or, if it is deep, from it and all below it.
type segment struct {
	deep      bool
	selectors []selector
}

type selectorKind uint8

const (
	byName selectorKind = iota
	byIndex
	wildcard
	slice
)

type selector struct {
	kind  selectorKind
	name  string // of a member
	index int    // in an array, from its end if negative

	start, end *int // of a slice: nil is what its step makes of it
	step       int  // of a slice, never 0
}

// String returns the path as it was written.
func (p *Path) String() string { return p.text }

// Definite says whether the path can lead to one value at most: it is made of
// single names and indexes.
func (p *Path) Definite() bool { return p.definite() == len(p.segments) }

// definite returns how many segments there are before the first that may select
// several values.
func (p *Path) definite() int {
	for i, s := range p.segments {
		if s.deep || len(s.selectors) != 1 || s.selectors[0].kind > byIndex {
			return i
		}
	}
	return len(p.segments)
}

// Stem returns the part of the path that must be there before anything can be
// said to be absent: up to its last step if the path is definite, and otherwise
// up to the first that may select several values. want is what that step looks
// into: "an object", "an array" or [Either].
func (p *Path) Stem() (stem *Path, want string) {
	n := p.definite()
	want = Either
	if n == len(p.segments) && n > 0 {
		n--
		want = jsontree.Object.Article()
		if p.segments[n].selectors[0].kind == byIndex {
			want = jsontree.Array.Article()
		}
	}
	stem = &Path{text: "$", segments: p.segments[:n]}
	for _, s := range stem.segments {
		if sel := s.selectors[0]; sel.kind == byIndex {
			stem.text = Item(stem.text, sel.index)
		} else {
			stem.text = Member(stem.text, sel.name)
		}
	}
	return stem, want
}

// Either is what most steps look into.
const Either = "an array or an object"

// Select returns the nodes the path leads to from root, in the order of the RFC,
// and members of an object as they stand in the document. A node that is selected
// twice is there twice. The only error is that there is too much to look at: each
// descendant segment, and each list, may multiply what the document has.
func (p *Path) Select(root *jsontree.Node) ([]*jsontree.Node, error) {
	s := selection{most: 1<<20 + 4*len(root.Source())} // there are two bytes a value
	nodes := []*jsontree.Node{root}
	for _, segment := range p.segments {
		s.out = nil
		for _, n := range nodes {
			s.segment(segment, n)
		}
		nodes = s.out
	}
	if s.steps > s.most {
		return nil, fmt.Errorf("looks at more than %d values", s.most)
	}
	return nodes, nil
}

type selection struct {
	out   []*jsontree.Node
	steps int
	most  int
}

func (s *selection) segment(segment segment, n *jsontree.Node) {
	if s.steps++; s.steps > s.most {
		return
	}
	for i := range segment.selectors {
		s.selector(&segment.selectors[i], n)
	}
	if segment.deep {
		for i := range n.Items {
			s.segment(segment, &n.Items[i])
		}
	}
}

func (s *selection) selector(sel *selector, n *jsontree.Node) {
	if s.steps > s.most {
		return
	}
	switch {
	case sel.kind == wildcard:
		for i := range n.Items {
			s.add(&n.Items[i])
		}
	case sel.kind == byName:
		s.steps += len(n.Items) / 16 // names are compared faster than values are visited
		if member := n.Get(sel.name); member != nil {
			s.add(member)
		}
	case n.Kind != jsontree.Array:
	case sel.kind == byIndex:
		i := fromEnd(sel.index, len(n.Items))
		if 0 <= i && i < len(n.Items) {
			s.add(&n.Items[i])
		}
	default:
		from, to := sel.bounds(len(n.Items))
		for i := from; i < to && sel.step > 0 || i > to && sel.step < 0; i += sel.step {
			s.add(&n.Items[i])
		}
	}
}

func (s *selection) add(n *jsontree.Node) {
	s.steps++
	s.out = append(s.out, n)
}

func fromEnd(i, length int) int {
	if i < 0 {
		return length + i
	}
	return i
}

// bounds are those of RFC 9535, section 2.3.4.2.2: where a slice begins, and what
// it stops before, in the direction of its step.
func (sel *selector) bounds(length int) (from, to int) {
	least, most := 0, length
	from, to = 0, length
	if sel.step < 0 {
		least, most = -1, length-1
		from, to = length-1, -1
	}
	if sel.start != nil {
		from = min(max(fromEnd(*sel.start, length), least), most)
	}
	if sel.end != nil {
		to = min(max(fromEnd(*sel.end, length), least), most)
	}
	return from, to
}
