package flag

import (
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// truth is three-valued; its order makes "all" a minimum and "any" a maximum
// (Kleene's strong logic).
type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

// test is a compiled condition: a leaf compares attr with values, an inner node
// combines its children.
type test struct {
	op     op
	attr   uint32
	values []value
	of     []test
}

type op uint8

const (
	opIn op = iota
	opAll
	opAny
	opNot
)

func (t *test) eval(s *Subject) truth {
	switch t.op {
	case opAll:
		result := yes
		for i := range t.of {
			result = min(result, t.of[i].eval(s))
		}
		return result
	case opAny:
		result := no
		for i := range t.of {
			result = max(result, t.of[i].eval(s))
		}
		return result
	case opNot:
		return -t.of[0].eval(s)
	}
	v, ok := s.fact(t.attr)
	if !ok || !v.sameKind(t.values[0]) {
		return unknown
	}
	if slices.Contains(t.values, v) {
		return yes
	}
	return no
}

func compileCondition(c Condition, path string, problems *Problems) test {
	given := 0
	for _, is := range []bool{c.Attr != "" || c.Eq != nil || c.In != nil, c.All != nil, c.Any != nil, c.Not != nil} {
		if is {
			given++
		}
	}
	if given != 1 {
		problems.add(path, "has %d conditions, want exactly one of attr, all, any, not", given)
		return test{op: opAny}
	}
	children := func(name string, of []Condition) []test {
		out := make([]test, len(of))
		for i, child := range of {
			out[i] = compileCondition(child, jsontree.Index(jsontree.Join(path, name), i), problems)
		}
		return out
	}
	switch {
	case c.All != nil:
		return test{op: opAll, of: children("all", c.All)}
	case c.Any != nil:
		return test{op: opAny, of: children("any", c.Any)}
	case c.Not != nil:
		return test{op: opNot, of: []test{compileCondition(*c.Not, jsontree.Join(path, "not"), problems)}}
	}
	return compileComparison(c, path, problems)
}

func compileComparison(c Condition, path string, problems *Problems) test {
	if c.Attr == "" {
		problems.add(path, "names no attribute, want attr")
	}
	list, at := c.In, jsontree.Join(path, "in")
	switch {
	case (c.Eq != nil) == (c.In != nil):
		problems.add(path, "want exactly one of eq and in")
		return test{op: opAny}
	case c.Eq != nil:
		list, at = []any{c.Eq}, jsontree.Join(path, "eq")
	case len(c.In) == 0:
		problems.add(at, "is empty, so it never matches; want at least one value")
		return test{op: opAny}
	}
	t := test{op: opIn, attr: attribute(c.Attr)}
	for i, x := range list {
		here := at
		if c.In != nil {
			here = jsontree.Index(at, i)
		}
		v, err := scalar(x)
		switch {
		case err != nil:
			problems.add(here, "%v", err)
		case len(t.values) > 0 && !v.sameKind(t.values[0]):
			problems.add(here, "found %v, want %v like the values before it", v, t.values[0].kind)
		default:
			t.values = append(t.values, v)
		}
	}
	if len(t.values) == 0 {
		return test{op: opAny}
	}
	return t
}
