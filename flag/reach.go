package flag

import (
	"iter"
	"slices"
)

// Variants yields the variants that the flag can serve in the view's snapshot, by name
// and in that order, with their values; the caller's default comes first, without a
// name, if somebody may be left to it. What is not among them nobody gets, whatever the
// subject and the moment; a variant whose ramp is at 0 % is among them, since it waits.
// The flag's targets, rules and shares are looked at, not what their conditions mean, nor
// what the view overrides. It is for tests and for pages that list flags. Nothing is
// yielded for a flag that the view's document does not have, or has with values of another
// type.
func (r Ref[T]) Variants(view *View) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		if view == nil || view.set == nil || r.decl == nil {
			return
		}
		h := view.set.header(r.decl.key)
		if h == nil {
			return
		}
		if _, ok := valueOf[T](h.flag.values, 0); !ok {
			return
		}
		for _, v := range h.flag.reachable(true) {
			value, ok := valueOf[T](h.flag.values, v)
			if !ok {
				value = r.decl.def
			}
			if !yield(h.flag.name(v), value) {
				return
			}
		}
	}
}

// reachable is the indices of the variants that the flag can serve, or more; a negative
// one is the caller's default. Ramps at 0 % count if they wait.
func (f *compiled) reachable(waiting bool) []int32 {
	switch {
	case f.killed, f.override < 0 && f.disabled:
		return []int32{max(f.off, -1)}
	case f.override >= 0:
		return []int32{f.override}
	}
	w := tour{compiled: f, waiting: waiting, code: make([]bool, len(f.code)), exit: make([]bool, len(f.exits))}
	for _, t := range f.targets {
		w.leave(t.exit)
	}
	w.enter(f.start)
	if f.table != nil {
		for i := range f.exits[f.firstRule:] {
			w.leave(f.firstRule + int32(i))
		}
	}
	slices.Sort(w.served)
	return slices.Compact(w.served)
}

// tour goes through a flag's program, both ways at each test.
type tour struct {
	*compiled
	waiting bool
	code    []bool // where it was
	exit    []bool // likewise
	served  []int32
}

// enter goes on from a place in the program, or leaves it there.
func (w *tour) enter(at int32) {
	for todo := []int32{at}; len(todo) > 0; {
		at, todo = todo[len(todo)-1], todo[:len(todo)-1]
		switch {
		case at < 0:
			if next, more := w.leave(^at); more {
				todo = append(todo, next)
			}
		case !w.code[at]:
			w.code[at] = true
			todo = append(todo, w.compiled.code[at].yes, w.compiled.code[at].no)
		}
	}
}

// leave notes what an exit serves, and says where those go on whom its draw leaves out.
func (w *tour) leave(i int32) (next int32, more bool) {
	e := &w.exits[i]
	if w.exit[i] {
		return 0, false
	}
	w.exit[i] = true
	if e.draw == nil {
		w.serve(e.serve)
		return 0, false
	}
	for _, c := range e.draw.cuts {
		w.serve(c.serve)
	}
	if e.draw.cuts == nil && (w.waiting || e.draw.admits()) {
		w.serve(e.draw.serve)
	}
	if e.rule < 0 {
		w.serve(e.serve)
	}
	return e.next, e.rule >= 0
}

func (w *tour) serve(variant int32) { w.served = append(w.served, max(variant, -1)) }

// admits says whether a ramp ever admits anybody.
func (d *draw) admits() bool {
	return d.share > 0 || d.schedule != nil && slices.ContainsFunc(d.schedule.points, func(p point) bool { return p.share > 0 })
}
