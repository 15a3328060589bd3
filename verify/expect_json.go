package verify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// JSONEquals wants the body to be a JSON value: with every key and no other, at
// every depth, and every element in its place. Numbers are exact decimals; the
// order of keys and white space do not matter.
type JSONEquals struct {
	Value any // a json.RawMessage, or what encoding/json can write; required, null is json.RawMessage("null")
}

// String is `body equals {"a":1}`.
func (j JSONEquals) String() string { return "body equals " + shown(j.Value, nil) }

func (j JSONEquals) compile(c *compiler, path string) check {
	x := expected{Node: c.required(jsontree.Join(path, "Value"), j.Value), exact: true}
	return x.check(nil)
}

// JSONContains wants the body to contain a JSON value, by the rules of the package,
// as SmokeTest.ExpectedResponse does. It can say in which order the elements of
// arrays may come, and what must not be there.
//
//	verify.JSONContains{
//		Value:  json.RawMessage(`{"items": [{"sku": "b"}, {"sku": "a", "tags": ["new"]}]}`),
//		Arrays: map[string]verify.ArrayMode{"$.items": verify.Unordered, "$..tags": verify.ContainsAnyOrder},
//		Absent: []string{"$.error", "$.items[*].secret"},
//	}
type JSONContains struct {
	// Value is a json.RawMessage, or what encoding/json can write. Nil: whatever
	// Absent allows; null is json.RawMessage("null").
	Value any

	// Arrays has the modes of those arrays in Value that are not Positional, by
	// JSONPaths that lead to them in Value. Each must lead to an array, and no
	// two to the same.
	Arrays map[string]ArrayMode

	// Absent are JSONPaths in the body that must lead nowhere. What they look
	// into must be there: "$.user.secret" fails if $.user is not an object, and
	// "$.items[*].secret" if $.items is neither an array nor an object.
	Absent []string
}

// String is `body contains {"a":1}`, with the modes of arrays and what is absent.
func (j JSONContains) String() string {
	text := "body contains JSON"
	if j.Value != nil {
		text = "body contains " + shown(j.Value, nil)
	}
	for _, p := range slices.Sorted(maps.Keys(j.Arrays)) {
		text += ", " + p + " " + j.Arrays[p].String()
	}
	for _, p := range j.Absent {
		text += ", " + p + " absent"
	}
	return text
}

func (j JSONContains) compile(c *compiler, path string) check {
	x := expected{}
	at := jsontree.Join(path, "Value")
	if j.Value != nil {
		x.Node = c.value(at, j.Value)
	} else if len(j.Absent) == 0 || len(j.Arrays) > 0 {
		c.add(at, "want a value, found none")
	}
	if x.Node != nil {
		x.modes = c.modes(jsontree.Join(path, "Arrays"), x.Node, j.Arrays)
	}
	var absent []*jsonpath.Path
	for i, text := range j.Absent {
		absent = append(absent, c.jsonPath(jsontree.Index(jsontree.Join(path, "Absent"), i), text))
	}
	return x.check(absent)
}

// modes finds the arrays of the expected value that have a mode of their own.
func (c *compiler) modes(path string, root *jsontree.Node, arrays map[string]ArrayMode) map[*jsontree.Node]ArrayMode {
	modes := map[*jsontree.Node]ArrayMode{}
	from := map[*jsontree.Node]string{}
	for _, text := range slices.Sorted(maps.Keys(arrays)) {
		at := jsontree.Join(path, text)
		if arrays[text] > Unordered {
			c.add(at, "%v is no mode", arrays[text])
		}
		p := c.jsonPath(at, text)
		if p == nil {
			continue
		}
		nodes, err := p.Select(root)
		switch {
		case err != nil:
			c.add(at, "%v", err)
		case len(nodes) == 0:
			c.add(at, "leads nowhere in %s", c.name("Value"))
		}
		for _, n := range nodes {
			where := jsonpath.Where(root, n)
			if n.Kind != jsontree.Array {
				c.add(at, "leads to %s at %s of %s, want an array", n.Describe(), where, c.name("Value"))
			} else if other := from[n]; other != "" && other != text {
				c.add(at, "leads to %s of %s, as does %s", where, c.name("Value"), other)
			}
			modes[n], from[n] = arrays[text], text
		}
	}
	return modes
}

// check wants the body to be as expected, if there is something expected at all,
// and the paths to lead nowhere.
func (x expected) check(absent []*jsonpath.Path) check {
	return check{body: true, look: func(e *exchanged, d *differences) {
		root := e.json(d)
		if root == nil {
			return
		}
		if x.Node != nil {
			x.match(root, root, d)
		}
		for _, p := range absent {
			checkAbsent(p, root, d)
		}
	}}
}

// checkAbsent wants a path to lead nowhere, but what it looks into to be there.
func checkAbsent(p *jsonpath.Path, root *jsontree.Node, d *differences) {
	stem, want := p.Stem()
	parents, _ := stem.Select(root) // it is definite
	if len(parents) == 0 {
		d.add(KindMissing, stem.String(), want+" without "+p.String(), "nothing")
		return
	}
	switch kind := parents[0].Kind; {
	case want == kind.Article(), want == jsonpath.Either && (kind == jsontree.Array || kind == jsontree.Object):
	default:
		d.add(KindType, stem.String(), want+" without "+p.String(), text(parents[0]))
		return
	}
	nodes, err := p.Select(root)
	if err != nil {
		d.add(KindBody, p.String(), "nothing", err.Error())
	}
	for _, n := range nodes {
		if !d.full() {
			d.add(KindUnexpected, jsonpath.Where(root, n), "nothing", text(n))
		}
	}
}

func (c *compiler) jsonPath(path, text string) *jsonpath.Path {
	p, err := jsonpath.Compile(text)
	if err != nil {
		c.add(path, "not a JSONPath: %v", err)
		return nil
	}
	return p
}

// shown is how an expectation prints a value.
func shown(v any, d *differences) string {
	c := &compiler{}
	n := c.value("", v)
	if n == nil {
		return cmp.Or(c.problems.Error(), "nothing")
	}
	return d.show(text(n), mostBytes)
}
