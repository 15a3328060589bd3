package flag

import (
	"bytes"
	"reflect"
	"slices"
)

// same says whether a flag decides the same on both sides, if those do that it needs.
func (d *differ) same(old, new *compiled) bool {
	if old == new || old == nil || new == nil {
		return old == new
	}
	a, b := d.outlined(old, 0, false), d.outlined(new, 1, false)
	return d.sameVariants(old, new) && sameExit(&a, &a.rest, &b, &b.rest) && d.sameQuestions(&a, &b)
}

func (d *differ) sameQuestions(a, b *outline) bool {
	return slices.EqualFunc(a.questions, b.questions, func(p, q question) bool {
		return p.kind == q.kind && bytes.Equal(a.cond(&p), b.cond(&q)) && (p.keys == nil || d.list(p.keys) == d.list(q.keys)) &&
			sameExit(a, &p.exit, b, &q.exit)
	})
}

func (d *differ) sameVariants(old, new *compiled) bool {
	if old.values == new.values && len(old.names) == len(new.names) && &old.names[0] == &new.names[0] {
		return true
	}
	return slices.Equal(old.names, new.names) && slices.EqualFunc(old.values.any, new.values.any, sameValue)
}

// sameValue compares values that may have been compiled to different types, as where
// a fraction came to whole numbers.
func sameValue(a, b any) bool {
	switch x := a.(type) {
	case bool, string:
		return a == b
	case int64:
		if y, ok := b.(float64); ok {
			return intValue(x).compare(floatValue(y)) == 0
		}
		return a == b
	case float64:
		if y, ok := b.(int64); ok {
			return intValue(y).compare(floatValue(x)) == 0
		}
		return a == b
	}
	return reflect.DeepEqual(a, b)
}

// sameExit says whether what is served there is the same, to whom it is drawn included.
func sameExit(a *outline, p *exit, b *outline, q *exit) bool {
	if a.flag.name(p.serve) != b.flag.name(q.serve) || (p.draw == nil) != (q.draw == nil) {
		return false
	}
	return p.draw == nil || sameDraw(a.flag, p.draw, b.flag, q.draw)
}

func sameDraw(f *compiled, p *draw, g *compiled, q *draw) bool {
	return reflect.DeepEqual(p.layer, q.layer) && p.by == q.by && p.lane == q.lane && p.share == q.share &&
		(p.cuts != nil || q.cuts != nil || f.name(p.serve) == g.name(q.serve)) && reflect.DeepEqual(p.schedule, q.schedule) &&
		slices.EqualFunc(p.cuts, q.cuts, func(c, d cut) bool { return c.limit == d.limit && f.name(c.serve) == g.name(d.serve) })
}
