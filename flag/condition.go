package flag

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// node is a condition that was checked: a leaf, or all, any or the opposite of
// others.
type node struct {
	join join
	of   []node
	leaf instr
}

type join uint8

const (
	joinLeaf join = iota
	joinAll
	joinAny
	joinNot
)

// never stands in for a condition that was refused.
var never = node{join: joinAny}

// emit adds the tests of whether a condition is known to be true, or known to be
// false, and returns where they begin. What follows is there already, since a
// program is written from its end.
func (p *program) emit(n node, want bool, then, otherwise int32) int32 {
	switch {
	case n.join == joinNot:
		return p.emit(n.of[0], !want, then, otherwise)
	case n.join == joinLeaf:
		n.leaf.not, n.leaf.yes, n.leaf.no = !want, then, otherwise
		p.code = append(p.code, n.leaf)
		return int32(len(p.code) - 1)
	case (n.join == joinAll) == want: // each of them
		for i := len(n.of) - 1; i >= 0; i-- {
			then = p.emit(n.of[i], want, then, otherwise)
		}
		return then
	}
	for i := len(n.of) - 1; i >= 0; i-- { // one of them
		otherwise = p.emit(n.of[i], want, then, otherwise)
	}
	return otherwise
}

type named struct {
	name  string
	given bool
}

func names(all ...named) (given []string) {
	for _, n := range all {
		if n.given {
			given = append(given, n.name)
		}
	}
	return given
}

// condition checks a condition.
func (k *checker) condition(c Condition, path string) node {
	operators := c.operators()
	forms := names(
		named{"attr", c.Attr != "" || len(operators) > 0},
		named{"segment", c.Segment != ""}, named{"flag", c.Flag != "" || c.Serves != nil}, named{"time", c.Time != nil},
		named{"all", c.All != nil}, named{"any", c.Any != nil}, named{"not", c.Not != nil},
	)
	switch len(forms) {
	case 0:
		k.add(path, "has no condition, want exactly one of attr, segment, flag, time, all, any, not")
		return never
	case 1:
		if forms[0] == "attr" {
			return k.comparison(c, operators, path)
		}
	default:
		k.add(path, "has %s, want exactly one of attr, segment, flag, time, all, any, not", strings.Join(c.given(forms, operators), " and "))
	}
	if c.Fold && len(operators) == 0 {
		k.add(jsontree.Join(path, "fold"), "found beside %s, want it beside eq, in, prefix, suffix or contains only", strings.Join(forms, " and "))
	}
	n := never
	for _, form := range forms {
		if form == "flag" && c.Flag == "" && len(forms) > 1 {
			continue
		}
		n = k.form(c, form, operators, path)
	}
	return n
}

// given names what makes a condition one of its forms.
func (c *Condition) given(forms, operators []string) (given []string) {
	for _, form := range forms {
		switch {
		case form == "attr" && c.Attr == "":
			given = append(given, operators...)
		case form == "flag" && c.Flag == "":
			given = append(given, "serves")
		default:
			given = append(given, form)
		}
	}
	return given
}

// form checks one of the forms that a condition has.
func (k *checker) form(c Condition, form string, operators []string, path string) node {
	at := jsontree.Join(path, form)
	switch form {
	case "all":
		return node{join: joinAll, of: k.conditions(c.All, at)}
	case "any":
		return node{join: joinAny, of: k.conditions(c.Any, at)}
	case "not":
		return node{join: joinNot, of: []node{k.condition(*c.Not, at)}}
	}
	k.use.add(usage{tests: 1})
	switch form {
	case "segment":
		return k.inSegment(c.Segment, at)
	case "flag":
		return k.served(c, path)
	case "time":
		return k.window(*c.Time, at)
	}
	return k.operators(c, operators, path)
}

func (k *checker) conditions(of []Condition, path string) []node {
	out := make([]node, len(of))
	for i, c := range of {
		out[i] = k.condition(c, jsontree.Index(path, i))
	}
	return out
}

// inSegment is true in a segment.
func (k *checker) inSegment(name, at string) node {
	s := k.segments[name]
	if s == nil {
		if k.whole.hide("segments") {
			return never
		}
		k.add(at, "unknown segment %q%s", name, want(k.compilation, name, k.doc.Segments))
		return never
	}
	k.use.segment(name, s)
	in := instr{op: opSegment, num: uint64(len(k.more.segments))}
	k.more.segments = append(k.more.segments, s.segment)
	return node{leaf: in}
}

// want suggests a name.
func want[T any](c *compilation, name string, known map[string]T) string {
	if c.compared < maxCompared {
		if closest := c.closest(name, slices.Sorted(maps.Keys(known))); closest != "" {
			return fmt.Sprintf(", did you mean %q?", closest)
		}
	}
	return ""
}

// maxCompared bounds how many names are compared with wrong ones: a document can
// have any number of both.
const maxCompared = 500_000

func (c *compilation) closest(name string, known []string) string {
	if c.compared += len(known); c.compared > maxCompared {
		return ""
	}
	return jsontree.Closest(name, known)
}

// wantOne lists the names of a flag's variants or, if there are many, the one that was
// most likely meant.
func (c *compilation) wantOne(instead string, of *shape) string {
	const many = 10
	if len(of.names) > many {
		if closest := c.closest(instead, of.names); closest != "" {
			return fmt.Sprintf("did you mean %q?", closest)
		}
	}
	return "want one of " + spellNames(of.names)
}

// served is a prerequisite.
func (k *checker) served(c Condition, path string) node {
	at := jsontree.Join(path, "flag")
	shape := k.shapes[c.Flag]
	switch {
	case c.Flag == "":
		k.add(at, "missing, want the key of a flag beside serves")
		return never
	case shape == nil && k.whole.hide("flags"):
		return never
	case shape == nil:
		k.add(at, "unknown flag %q%s", c.Flag, want(k.compilation, c.Flag, k.doc.Flags))
		return never
	}
	p := prerequisite{key: c.Flag}
	at = jsontree.Join(path, "serves")
	for i, name := range c.Serves {
		if _, ok := slices.BinarySearch(shape.names, name); !ok && !k.unread[c.Flag] {
			k.add(jsontree.Index(at, i), "unknown variant %q of flag %q, %s", name, c.Flag, k.wantOne(name, shape))
		}
		p.serves = append(p.serves, name)
	}
	switch {
	case c.Serves != nil && len(c.Serves) == 0:
		k.add(at, "is empty, so it never matches; want one of %s", spellNames(shape.names))
	case c.Serves == nil && shape.yes < 0:
		k.add(at, "missing, want some of %s", spellNames(shape.names))
	case c.Serves == nil:
		p.serves = []string{shape.names[shape.yes]}
	}
	k.use.flag(c.Flag)
	in := instr{op: opServes, num: uint64(len(k.more.serves))}
	k.more.serves = append(k.more.serves, p)
	return node{leaf: in}
}

// window is true while it is open.
func (k *checker) window(w Window, path string) node {
	if w.From.IsZero() && w.Until.IsZero() {
		k.add(path, "is always open, want from or until")
		return never
	}
	out := window{-1 << 63, 1<<63 - 1}
	if !w.From.IsZero() {
		out.from = k.moment(w.From, jsontree.Join(path, "from"))
	}
	if !w.Until.IsZero() {
		out.until = k.moment(w.Until, jsontree.Join(path, "until"))
	}
	k.use.timed = true
	in := instr{op: opTime, num: uint64(len(k.more.windows))}
	k.more.windows = append(k.more.windows, out)
	return node{leaf: in}
}

// listed is true of a unit that is one of many keys.
func (k *checker) listed(by uint32, keys []string) node {
	in := asks(by)
	in.op, in.num = opListed, uint64(len(k.more.lists))
	k.more.lists = append(k.more.lists, newKeySet(keys))
	k.use.add(usage{tests: 1})
	return node{leaf: in}
}

// keys checks a list of keys.
func (k *checker) keys(path string, keys []string) {
	for i, key := range keys {
		if key == "" {
			k.add(jsontree.Index(path, i), "is empty, want a key")
		}
	}
}
