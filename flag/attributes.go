package flag

import "slices"

// Attributes returns the names of the attributes that the decision of a flag can depend
// on, in alphabetical order: those that its rules, its ramp or split and its layer ask for,
// and those that its segments and prerequisites do. Facts about other attributes change
// nothing, so a host need not find them out. A flag that the set does not have asks for
// none. It walks the flag, so it is nothing for each request.
func (s *Set) Attributes(key string) []string {
	a := asker{set: s, ids: map[uint32]bool{}, flags: map[*compiled]bool{}, segments: map[*segment]bool{}}
	a.flag(s.defined(key))
	var names []string
	for id := range a.ids {
		if name := attributeName(id); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// asker gathers what flags ask for.
type asker struct {
	set      *Set
	ids      map[uint32]bool // of attributes; 0 is the subject's key
	flags    map[*compiled]bool
	segments map[*segment]bool
}

func (a *asker) flag(f *compiled) {
	if f == nil || a.flags[f] {
		return
	}
	a.flags[f] = true
	a.program(&f.program)
	if t := f.table; t != nil {
		a.ids[t.index.about>>8] = true
		for i := range t.tests {
			a.ids[t.tests[i].about>>8] = true
		}
	}
	for i := range f.exits {
		a.draw(f.exits[i].draw)
	}
}

func (a *asker) draw(d *draw) {
	if d == nil {
		return
	}
	a.ids[d.by] = true
	if d.layer != nil {
		a.ids[d.layer.by] = true
	}
}

func (a *asker) program(p *program) {
	for i := range p.code {
		a.ids[p.code[i].attr()] = true
	}
	if p.more == nil {
		return
	}
	for i := range p.more.serves {
		a.flag(a.set.defined(p.more.serves[i].key))
	}
	for _, g := range p.more.segments {
		if !a.segments[g] {
			a.segments[g] = true
			a.program(&g.in) // who is known not to be in it is known by the same
		}
	}
}
