package flag

import "github.com/guidon-go/guidon/internal/jsontree"

// condition reports what is odd about a condition, and returns whether it can never
// be true.
func (a *analyser) condition(c *Condition, f *formula, path string) (never bool) {
	a.lists(c, path)
	return a.never(c, f, path)
}

// lists looks for empty lists of conditions, and for values that are listed twice.
func (a *analyser) lists(c *Condition, path string) {
	within := func(name string, of []Condition, empty string) {
		if of == nil {
			return
		}
		at := jsontree.Join(path, name)
		if len(of) == 0 {
			a.add(at, "is empty, so it is %s true", empty)
		}
		for i := range of {
			a.lists(&of[i], jsontree.Index(at, i))
		}
	}
	within("all", c.All, "always")
	within("any", c.Any, "never")
	if c.Not != nil {
		a.lists(c.Not, jsontree.Join(path, "not"))
	}
	if len(c.In) > 1 {
		var in literal
		in.operator(c) // however they are written: 1 and 1.0, or "a" and "A" where case is equal
		duplicates(a, jsontree.Join(path, "in"), in.values)
	}
}

// never says whether a condition can never be true. It reports the smallest parts
// that are to blame. What stands below a "not" is not looked at by itself: that it
// is never true may well be meant.
func (a *analyser) never(c *Condition, f *formula, path string) (never bool) {
	switch {
	case c.All != nil:
		at := jsontree.Join(path, "all")
		for i := range c.All {
			never = a.never(&c.All[i], &f.of[i], jsontree.Index(at, i)) || never
		}
		return never || a.contradicts(f, path)
	case c.Any != nil:
		at := jsontree.Join(path, "any")
		never = true
		for i := range c.Any {
			never = a.never(&c.Any[i], &f.of[i], jsontree.Index(at, i)) && never
		}
		return never
	case c.Not != nil, c.Time != nil:
		return a.contradicts(f, path)
	}
	return false // a single literal holds for somebody
}

// contradicts says whether a condition contradicts itself, and reports it. One
// without any literal has an empty list in it, which is reported already.
func (a *analyser) contradicts(f *formula, path string) bool {
	if !a.refuter.refutes(goals{{f, isTrue}}) {
		return false
	}
	if f.topics != 0 {
		a.add(path, "never true: %s", a.refuter.why())
	}
	return true
}
