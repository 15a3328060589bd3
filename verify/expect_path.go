package verify

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// Nodes says which of the values that a JSONPath leads to must be as it is said.
// The zero value is for paths that lead to one value at most.
type Nodes uint8

// The choices.
const (
	One     Nodes = iota // the one there is: the zero value
	Any                  // at least one of them
	All                  // each of them, and there is one
	Exactly              // all of them, in the order of the document, are the elements of Equals
)

// String is "one", "any", "all" or "exactly".
func (n Nodes) String() string {
	names := [...]string{"one", "any", "all", "exactly"}
	if int(n) < len(names) {
		return names[n]
	}
	return fmt.Sprintf("Nodes(%d)", uint8(n))
}

// JSONType is one of the six sorts of JSON value.
type JSONType string

// The types.
const (
	TypeNull   JSONType = "null"
	TypeBool   JSONType = "bool"
	TypeNumber JSONType = "number"
	TypeString JSONType = "string"
	TypeArray  JSONType = "array"
	TypeObject JSONType = "object"
)

// JSONPath says something of the values that a path leads to in the body. All that
// is said must hold; if nothing but the path is, it must lead to a value. A path
// that leads nowhere fails, whatever is said but Absent.
//
// Paths are those of RFC 9535: names ($.user.name, $["first-name"]), indexes
// ($.items[0], $.items[-1]), wildcards ($.items[*]), slices ($.items[1:3]),
// descendants ($..price) and lists of these ($["a","b"]). Filters and functions
// are refused.
//
//	verify.JSONPath{Path: "$.user.name", Equals: "Ada"}
//	verify.JSONPath{Path: "$.items[*].price", Nodes: verify.All, Min: "0.01"}
//	verify.JSONPath{Path: "$.items[*].sku", Nodes: verify.Exactly, Equals: []string{"a", "b"}}
type JSONPath struct {
	// Path leads from "$", the body. It is required.
	Path string

	// Nodes must be set if the path may lead to several values and something is
	// said of them.
	Nodes Nodes

	// Equals is what a value must be, by the rules of [JSONEquals]. Nil says
	// nothing; null is json.RawMessage("null").
	Equals any

	// Pattern is a regular expression that a value, which must be a string, has a
	// match of. Empty says nothing.
	Pattern string

	// Type is what a value must be. Empty says nothing.
	Type JSONType

	// Min and Max are the least and the most a value, which must be a number, may
	// be, compared as exact decimals. Empty says nothing.
	Min, Max json.Number

	// Count is how many values the path must lead to. Zero says nothing: for none
	// there is Absent.
	Count int

	// Absent says that the path leads nowhere. What it looks into must be there:
	// see [JSONContains]. Nothing else may be said beside it.
	Absent bool
}

// String is "$.items[*].price: all at least 0.01".
func (j JSONPath) String() string { return j.Path + ": " + j.said(nil) }

func (j JSONPath) said(d *differences) string {
	if j.Absent {
		return "absent"
	}
	said := []string{}
	if j.Count != 0 {
		said = append(said, count(j.Count, "value"))
	}
	if j.Equals != nil {
		said = append(said, shown(j.Equals, d))
	}
	if j.Type != "" {
		said = append(said, "of type "+string(j.Type))
	}
	if j.Pattern != "" {
		said = append(said, "a match of "+strconv.Quote(j.Pattern))
	}
	if j.Min != "" {
		said = append(said, "at least "+string(j.Min))
	}
	if j.Max != "" {
		said = append(said, "at most "+string(j.Max))
	}
	if len(said) == 0 {
		return "a value"
	}
	which := ""
	if j.Nodes != One {
		which = j.Nodes.String() + " "
	}
	return which + strings.Join(said, ", ")
}

// condition is one thing that is said of a value.
type condition struct {
	want  string
	kind  jsontree.Kind // that a value must have; 0: any
	fits  func(n *jsontree.Node) bool
	equal *expected // says more of what differs; nil if this is no equality
}

func (j JSONPath) compile(c *compiler, path string) check {
	p := c.jsonPath(jsontree.Join(path, "Path"), j.Path)
	conditions := j.conditions(c, path)
	if j.Count < 0 {
		c.add(jsontree.Join(path, "Count"), "%d is negative", j.Count)
	}
	nodes := jsontree.Join(path, "Nodes")
	several := p != nil && !p.Definite()
	switch {
	case j.Nodes > Exactly:
		c.add(nodes, "%v is none of the choices", j.Nodes)
	case j.Absent:
		if len(conditions) > 0 || j.Count != 0 || j.Nodes != One {
			c.add(jsontree.Join(path, "Absent"), "want nothing said of values that are absent")
		}
	case j.Nodes == One && several && len(conditions) > 0:
		c.add(nodes, "want %s, %s or %s, since %s may lead to several values", c.name("Any"), c.name("All"), c.name("Exactly"), j.Path)
	case j.Nodes == Exactly:
		if len(conditions) != 1 || conditions[0].equal == nil || conditions[0].kind != jsontree.Array {
			c.add(nodes, "want with %s an array in %s, and nothing else said of the values", c.name("Exactly"), c.name("Equals"))
		}
	case j.Nodes != One && len(conditions) == 0:
		c.add(nodes, "want something said of the values")
	}
	if j.Count > 1 && p != nil && !several {
		c.add(jsontree.Join(path, "Count"), "%s leads to one value at most, found %d", j.Path, j.Count)
	}
	return check{body: true, look: func(e *exchanged, d *differences) {
		root := e.json(d)
		switch {
		case root == nil:
		case j.Absent:
			checkAbsent(p, root, d)
		default:
			j.look(p, root, conditions, d)
		}
	}}
}

func (j JSONPath) conditions(c *compiler, path string) (list []condition) {
	if j.Equals != nil {
		x := &expected{Node: c.value(jsontree.Join(path, "Equals"), j.Equals), exact: true}
		equal := condition{equal: x, fits: x.fits}
		if x.Node != nil {
			equal.kind, equal.want = x.Kind, text(x.Node)
		}
		list = append(list, equal)
	}
	if j.Type != "" {
		kind := jsontree.Null
		for kind <= jsontree.Object && kind.String() != string(j.Type) {
			kind++
		}
		if kind > jsontree.Object {
			c.add(jsontree.Join(path, "Type"), "%q is none of null, bool, number, string, array, object", j.Type)
		}
		list = append(list, condition{want: kind.Article(), kind: kind, fits: func(*jsontree.Node) bool { return true }})
	}
	if j.Pattern != "" {
		re := c.pattern(jsontree.Join(path, "Pattern"), j.Pattern)
		list = append(list, condition{
			want: "a match of " + strconv.Quote(j.Pattern), kind: jsontree.String,
			fits: func(n *jsontree.Node) bool { return re.MatchString(n.Text()) },
		})
	}
	least, lower := j.bound(c, jsontree.Join(path, "Min"), j.Min)
	most, upper := j.bound(c, jsontree.Join(path, "Max"), j.Max)
	if lower && upper && least.compare(most) > 0 {
		c.add(jsontree.Join(path, "Min"), "%s is more than %s, %s", j.Min, c.name("Max"), j.Max)
	}
	if lower {
		list = append(list, condition{want: "at least " + string(j.Min), kind: jsontree.Number, fits: func(n *jsontree.Node) bool {
			x, ok := parseDecimal(n.Text())
			return ok && x.compare(least) >= 0
		}})
	}
	if upper {
		list = append(list, condition{want: "at most " + string(j.Max), kind: jsontree.Number, fits: func(n *jsontree.Node) bool {
			x, ok := parseDecimal(n.Text())
			return ok && x.compare(most) <= 0
		}})
	}
	return list
}

func (j JSONPath) bound(c *compiler, path string, n json.Number) (decimal, bool) {
	if n == "" {
		return decimal{}, false
	}
	if jsontree.CanonicalNumber(string(n)) != "" {
		if x, ok := parseDecimal(string(n)); ok {
			return x, true
		}
	}
	c.add(path, "want a JSON number with an exponent of at most %d digits, found %q", exponentDigits, string(n))
	return decimal{}, false
}

// look compares what the path leads to.
func (j JSONPath) look(p *jsonpath.Path, root *jsontree.Node, conditions []condition, d *differences) {
	nodes, err := p.Select(root)
	switch {
	case err != nil:
		d.add(KindBody, j.Path, j.said(d), err.Error())
		return
	case j.Count != 0 && len(nodes) != j.Count:
		d.add(KindLength, j.Path, count(j.Count, "value"), count(len(nodes), "value"))
	case len(nodes) == 0 && (j.Nodes != Exactly || len(conditions[0].equal.Items) > 0):
		d.add(KindMissing, j.Path, j.said(d), "nothing")
	case len(nodes) == 0: // no value at all is wanted, where there could be some
		checkAbsent(p, root, d)
	}
	switch {
	case len(nodes) == 0:
	case j.Nodes == Exactly:
		j.exactly(root, nodes, conditions[0].equal, d)
	case j.Nodes == Any:
		j.any(nodes, conditions, d)
	default:
		for _, n := range nodes {
			for _, c := range conditions {
				c.report(root, n, d)
			}
		}
	}
}

func (j JSONPath) exactly(root *jsontree.Node, nodes []*jsontree.Node, list *expected, d *differences) {
	if len(nodes) != len(list.Items) {
		d.add(KindLength, j.Path, "exactly "+count(len(list.Items), "value"), count(len(nodes), "value"))
	}
	for i := range min(len(nodes), len(list.Items)) {
		item := expected{Node: &list.Items[i], exact: true}
		item.match(root, nodes[i], d)
	}
}

// any wants one value of which everything holds.
func (j JSONPath) any(nodes []*jsontree.Node, conditions []condition, d *differences) {
	for _, n := range nodes {
		all := true
		for _, c := range conditions {
			all = all && c.holds(n)
		}
		if all {
			return
		}
	}
	const most = 5
	texts := []string{}
	for _, n := range nodes[:min(len(nodes), most)] {
		texts = append(texts, d.show(text(n), mostBytes/most))
	}
	d.add(KindValue, j.Path, j.said(d), "none in "+count(len(nodes), "value")+": "+strings.Join(texts, ", "))
}

func (c *condition) holds(n *jsontree.Node) bool {
	return (c.kind == 0 || c.kind == n.Kind) && c.fits(n)
}

func (c *condition) report(root, n *jsontree.Node, d *differences) {
	switch {
	case c.holds(n):
	case c.equal != nil:
		c.equal.match(root, n, d)
	case d.full():
	case c.kind != n.Kind:
		d.add(KindType, jsonpath.Where(root, n), c.want, text(n))
	default:
		d.add(KindValue, jsonpath.Where(root, n), c.want, text(n))
	}
}
