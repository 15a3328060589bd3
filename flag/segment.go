package flag

import (
	"maps"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// segmentState is a segment on its way to being compiled.
type segmentState struct {
	*segment
	use   usage
	depth int  // how many are above it,
	open  bool // as long as it is being compiled

	text string   // the definition, if it was read from text
	def  *Segment // the definition, if it was not
}

// segment compiles a segment, and those that it names before it.
func (c *compilation) segment(name string, above []string) {
	if s := c.segments[name]; s != nil {
		return
	}
	k, def := c.under("segments", name), c.doc.Segments[name]
	k.name(k.path, name, "name")
	state := &segmentState{segment: &segment{}, depth: len(above), open: true}
	c.segments[name] = state
	above = append(above, name)
	inside, _ := mentioned(def.If)
	for _, inner := range inside {
		if s := c.segments[inner]; s != nil && s.open {
			k.add(k.path, "names itself: %s", spell(name, above[s.depth:]))
		} else if _, known := c.doc.Segments[inner]; known {
			c.segment(inner, above)
		}
	}
	by := uint32(0)
	if def.By != "" {
		by = attribute(def.By)
	}
	others := node{join: joinAll}
	if len(def.Except) > 0 {
		k.keys(k.at("except"), def.Except)
		others.of = append(others.of, node{join: joinNot, of: []node{k.listed(by, def.Except)}})
	}
	if def.If != nil {
		others.of = append(others.of, k.condition(*def.If, k.at("if")))
	} else {
		others.of = append(others.of, never)
	}
	all := node{join: joinAny}
	if len(def.Keys) > 0 {
		k.keys(k.at("keys"), def.Keys)
		all.of = append(all.of, k.listed(by, def.Keys))
	}
	all.of = append(all.of, others)
	// Exit 0 is what is asked for, exit 1 is that it is not known.
	state.in.start = state.in.emit(all, true, ^0, ^1)
	state.out.start = state.out.emit(all, false, ^0, ^1)
	state.in.more = k.operands()
	state.out.more = state.in.more
	state.use, state.open = k.use, false
	c.finished = append(c.finished, name)
}

// spell writes names of segments as the way along their paths. A long way may lack its
// middle, which [shorten] leaves out.
func spell(name string, way []string) string {
	const most = 50
	names := append([]string{name}, way[:min(len(way), most)]...)
	names = append(names, way[max(len(way)-most, min(len(way), most)):]...)
	for i, name := range names {
		names[i] = jsontree.Join("segments", name)
	}
	return strings.Join(names, " -> ")
}

// mentioned lists the segments and the flags that a condition names.
func mentioned(c *Condition) (segments, flags []string) {
	found := [2]map[string]bool{{}, {}}
	var walk func(*Condition)
	walk = func(c *Condition) {
		if c == nil {
			return
		}
		found[0][c.Segment], found[1][c.Flag] = true, true
		for i := range c.All {
			walk(&c.All[i])
		}
		for i := range c.Any {
			walk(&c.Any[i])
		}
		walk(c.Not)
	}
	walk(c)
	for i := range found {
		delete(found[i], "")
	}
	return slices.Sorted(maps.Keys(found[0])), slices.Sorted(maps.Keys(found[1]))
}
