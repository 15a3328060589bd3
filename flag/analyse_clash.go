package flag

import (
	"slices"
	"strings"
)

// held is a literal with what it must be.
type held struct {
	*literal
	want truths
}

// contradictory says whether no subject is as all these literals about one topic
// want; false if it cannot tell.
func (r *refuter) contradictory(said []held) bool {
	could, exists, missing, known, emptyList := ofAny, false, false, false, true
	for _, h := range said {
		switch {
		case h.op != literalExists:
			emptyList = emptyList && h.want&isFalse != 0
			if h.want&isUnknown == 0 {
				known = true
				could &= h.kinds
			}
		case h.want == isTrue:
			exists = true
		default:
			missing = true
		}
	}
	scalar := said[0].scalar
	switch {
	case missing:
		return known || exists
	case !known, emptyList && !scalar: // of an empty list, each literal is false
		return false
	case could == 0:
		return true
	}
	values := make([]held, 0, 8)
	for _, h := range said {
		if h.op == literalExists || h.want&isUnknown != 0 && could&^h.kinds != 0 {
			continue // met by any value, or by one of another kind
		}
		if h.total {
			h.want &^= isUnknown
		}
		values = append(values, h)
	}
	if scalar || could&ofString == 0 {
		return r.impossible(values, could)
	}
	// A literal is true of a list if it is true of any element, which may be another
	// one for each literal; it is false only if it is false of them all.
	var each []held
	for _, h := range values {
		if h.want&isFalse != 0 {
			each = append(each, h)
		}
	}
	for _, h := range values {
		if h.want&isFalse == 0 && r.impossible(append(each[:len(each):len(each)], h), could) {
			return true
		}
	}
	return false
}

// impossible says whether no single value is as the literals want.
func (r *refuter) impossible(said []held, could kinds) bool {
	for i, p := range said {
		for _, q := range said[:i] {
			if clash(p, q) {
				return true
			}
		}
	}
	values, folded, known := candidates(said, could)
	for _, v := range values {
		if r.steps -= len(said); r.steps < 0 {
			return false
		}
		fits := func(h held) bool { return folded && !h.fold || h.of(v)&h.want != 0 }
		if !slices.ContainsFunc(said, func(h held) bool { return !fits(h) }) {
			return false
		}
	}
	return known
}

// candidates are all values that there can be, if those are known. Where they are
// folded, each stands for all strings that differ from it in case only.
func candidates(said []held, could kinds) (values []value, folded, known bool) {
	if could == ofBool {
		return []value{boolValue(true), boolValue(false)}, false, true
	}
	var best *literal
	for i, p := range said {
		if p.op == literalOneOf && p.want == isTrue {
			if best == nil || best.fold && !p.fold || best.fold == p.fold && len(p.values) < len(best.values) {
				best = p.literal
			}
		}
		for _, q := range said[:i] {
			if could == ofNumber && p.isLimit() && q.isLimit() && p.bound.compare(q.bound) == 0 && p.above() != q.above() {
				values = []value{p.bound} // at least and at most this
			}
		}
	}
	if best != nil {
		return best.values, best.fold, true
	}
	return values, false, values != nil
}

// clash says whether one value cannot be as both literals want.
func clash(p, q held) bool {
	switch {
	case p.want&q.want&isUnknown != 0:
		return false
	case p.op == literalOther || q.op == literalOther:
		return p.op == q.op && p.text == q.text && p.want&q.want == 0
	case p.isLimit() && q.isLimit():
		return p.above() != q.above() && p.misses(q)
	case p.want == isTrue && q.want == isTrue:
		return p.excludes(q.literal)
	case p.want == isTrue:
		return p.implies(q.literal)
	case q.want == isTrue:
		return q.implies(p.literal)
	}
	return false
}

// isLimit says whether the literal is that the value lies above or below a limit.
func (h held) isLimit() bool { return literalLess <= h.op && h.op <= literalAfter }

// above says whether the value must lie above the limit, or below.
func (h held) above() bool {
	up := h.op == literalMore || h.op == literalMoreEqual || h.op == literalAfter
	return up == (h.want&isTrue != 0)
}

// open says whether the limit itself will not do.
func (h held) open() bool {
	strict := h.op == literalLess || h.op == literalMore || h.op == literalBefore
	return strict == (h.want&isTrue != 0)
}

// misses says whether nothing lies within two limits, one above the other's way.
func (h held) misses(other held) bool {
	low, high := h, other
	if !h.above() {
		low, high = other, h
	}
	var order int
	if h.op == literalBefore || h.op == literalAfter {
		order = low.at.Compare(high.at)
	} else {
		order = low.bound.compare(high.bound)
	}
	return order > 0 || order == 0 && (low.open() || high.open())
}

// of says what the literal may be for one value.
func (c *literal) of(v value) truths {
	text := v.str
	if c.fold {
		text = folded(text)
	}
	holds := false
	switch c.op {
	case literalOneOf:
		if c.fold {
			v = stringValue(text)
		}
		holds = c.lookup[v] || c.lookup == nil && slices.Contains(c.values, v)
	case literalLess:
		holds = v.compare(c.bound) < 0
	case literalLessEqual:
		holds = v.compare(c.bound) <= 0
	case literalMore:
		holds = v.compare(c.bound) > 0
	case literalMoreEqual:
		holds = v.compare(c.bound) >= 0
	case literalPrefix:
		holds = strings.HasPrefix(text, c.text)
	case literalSuffix:
		holds = strings.HasSuffix(text, c.text)
	case literalContains:
		holds = strings.Contains(text, c.text)
	default:
		return anyTruth
	}
	if holds {
		return isTrue
	}
	return isFalse
}

// implies says whether the literal about a part of a string makes another one true.
func (c *literal) implies(other *literal) bool {
	text := c.text
	switch {
	case c.fold && !other.fold:
		return false
	case other.fold:
		text = folded(text)
	}
	switch {
	case c.op < literalPrefix:
		return false
	case other.op == literalContains:
		return strings.Contains(text, other.text)
	case c.op != other.op:
		return false
	case c.op == literalPrefix:
		return strings.HasPrefix(text, other.text)
	case c.op == literalSuffix:
		return strings.HasSuffix(text, other.text)
	}
	return false
}

// excludes says whether two beginnings, or two ends, cannot be of one string.
func (c *literal) excludes(other *literal) bool {
	a, b := c.text, other.text
	if c.fold || other.fold {
		a, b = folded(a), folded(b)
	}
	switch {
	case c.op != other.op:
		return false
	case c.op == literalPrefix:
		return !strings.HasPrefix(a, b) && !strings.HasPrefix(b, a)
	case c.op == literalSuffix:
		return !strings.HasSuffix(a, b) && !strings.HasSuffix(b, a)
	}
	return false
}
