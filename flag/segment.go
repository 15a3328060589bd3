package flag

import (
	"maps"
	"slices"
	"strings"
)

// segmentState is a segment on its way to being compiled.
type segmentState struct {
	*segment
	use   usage
	named []string // the segments it names
}

// segment compiles a segment, and those that it names before it.
func (c *compilation) segment(name string, above []string) {
	if s := c.segments[name]; s != nil {
		return
	}
	k, def := c.under("segments", name), c.doc.Segments[name]
	if name == "" {
		k.add(k.path, "has no name")
	}
	state := &segmentState{segment: &segment{}}
	c.segments[name] = state
	above = append(above, name)
	for _, inner := range mentioned(def.If) {
		if i := slices.Index(above, inner); i >= 0 {
			k.add(k.path, "names itself: %s", strings.Join(append(slices.Clone(above[i:]), inner), " -> "))
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
	state.use, state.named = k.use, k.named
}

// mentioned lists the segments that a condition names.
func mentioned(c *Condition) []string {
	found := map[string]bool{}
	var walk func(*Condition)
	walk = func(c *Condition) {
		if c == nil {
			return
		}
		if c.Segment != "" {
			found[c.Segment] = true
		}
		for i := range c.All {
			walk(&c.All[i])
		}
		for i := range c.Any {
			walk(&c.Any[i])
		}
		walk(c.Not)
	}
	walk(c)
	return slices.Sorted(maps.Keys(found))
}
