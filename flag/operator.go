package flag

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/fold"
	"github.com/guidon-go/guidon/internal/instant"
	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/internal/semver"
)

// operators are the fields of a condition on an attribute.
func (c *Condition) operators() (given []string) {
	return names(
		named{"eq", c.Eq != nil}, named{"in", c.In != nil},
		named{"lt", c.Lt != nil}, named{"le", c.Le != nil}, named{"gt", c.Gt != nil}, named{"ge", c.Ge != nil},
		named{"prefix", c.Prefix != ""}, named{"suffix", c.Suffix != ""}, named{"contains", c.Contains != ""},
		named{"matches", c.Matches != ""}, named{"semver", c.Semver != ""},
		named{"before", !c.Before.IsZero()}, named{"after", !c.After.IsZero()},
		named{"cidr", c.CIDR != nil}, named{"exists", c.Exists}, named{"missing", c.Missing},
	)
}

// comparison checks a condition on an attribute.
func (k *checker) comparison(c Condition, operators []string, path string) node {
	if c.Attr == "" {
		k.add(jsontree.Join(path, "attr"), "missing, want the name of an attribute")
	}
	if len(operators) != 1 {
		found := "no operator"
		if len(operators) > 0 {
			found = strings.Join(operators, " and ")
		}
		k.add(path, "has %s, want exactly one of eq, in, lt, le, gt, ge, prefix, suffix, contains, matches, semver, before, after, cidr, exists, missing", found)
	}
	k.use.add(usage{tests: 1})
	return k.operators(c, operators, path)
}

// operators checks what stands beside each.
func (k *checker) operators(c Condition, operators []string, path string) node {
	folds := func(operator string) bool {
		return slices.Contains([]string{"eq", "in", "prefix", "suffix", "contains"}, operator)
	}
	if c.Fold && len(operators) > 0 && !slices.ContainsFunc(operators, folds) {
		k.add(jsontree.Join(path, "fold"), "found beside %s, want it beside eq, in, prefix, suffix or contains only", strings.Join(operators, " and "))
	}
	n := never
	for _, operator := range operators {
		n = k.operator(c, operator, jsontree.Join(path, operator))
	}
	return n
}

func (k *checker) operator(c Condition, operator, at string) node {
	in := asks(attribute(c.Attr))
	switch operator {
	case "eq":
		return k.equality(in, []any{c.Eq}, c.Fold, func(int) string { return at })
	case "in":
		if len(c.In) == 0 {
			k.add(at, "is empty, so it never matches; want at least one value")
			return never
		}
		return k.equality(in, c.In, c.Fold, func(i int) string { return jsontree.Index(at, i) })
	case "lt", "le", "gt", "ge":
		return k.order(in, c, operator, at)
	case "exists", "missing":
		in.op = opExists
		leaf := node{leaf: in}
		if c.Missing {
			return node{join: joinNot, of: []node{leaf}}
		}
		return leaf
	}
	leaf := k.leaf(c, operator, at)
	if leaf == nil {
		return never
	}
	in.op, in.num = opLeaf, uint64(len(k.more.leaves))
	k.more.leaves = append(k.more.leaves, leaf)
	return node{leaf: in}
}

// leaf builds the operators that need more than an instruction, or reports why not.
func (k *checker) leaf(c Condition, operator, at string) leaf {
	switch operator {
	case "prefix":
		if c.Fold {
			return foldPrefix{fold.Compile(c.Prefix)}
		}
		return prefix(c.Prefix)
	case "suffix":
		if c.Fold {
			return foldSuffix{fold.Compile(c.Suffix)}
		}
		return suffix(c.Suffix)
	case "contains":
		if c.Fold {
			return foldContains{fold.Compile(c.Contains)}
		}
		return contains(c.Contains)
	case "matches":
		return k.pattern(c.Matches, at)
	case "semver":
		r, err := semver.ParseRange(c.Semver)
		if err != nil {
			k.add(at, "%v", err)
			return nil
		}
		return satisfies{r}
	case "before":
		return before(k.moment(c.Before, at))
	case "after":
		return after(k.moment(c.After, at))
	}
	return k.cidr(c.CIDR, at)
}

// maxPattern bounds the length of a regular expression in bytes.
const maxPattern = 1000

func (k *checker) pattern(expression, at string) leaf {
	if len(expression) > maxPattern {
		k.add(at, "has %d bytes, want at most %d", len(expression), maxPattern)
		return nil
	}
	re, err := regexp.Compile(expression)
	if err != nil {
		var wrong *syntax.Error
		if errors.As(err, &wrong) { // without a word about Go, on one line
			err = fmt.Errorf("%s: %q", wrong.Code, wrong.Expr)
		}
		k.add(at, "%v, want RE2 syntax", err)
		return nil
	}
	if n := instructions(expression); n > maxInstructions {
		k.add(at, "is compiled to %d instructions, want at most %d: repeat less", n, maxInstructions)
		return nil
	}
	return matches{re}
}

// maxInstructions bounds what a regular expression can cost for each byte that it is
// matched with.
const maxInstructions = 1000

func instructions(expression string) int {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}

func (k *checker) cidr(list []string, at string) leaf {
	if len(list) == 0 {
		k.add(at, "is empty, so it never matches; want at least one network")
		return nil
	}
	k.use.add(usage{tests: len(list)})
	out := make(networks, len(list))
	for i, text := range list {
		network, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
			k.add(jsontree.Index(at, i), `found %q, want a network like "10.0.0.0/8" or "2001:db8::/32"`, text)
			continue
		case network.Addr().Is4In6():
			k.add(jsontree.Index(at, i), "found %q, want the IPv4 network itself: addresses are compared without ::ffff:", text)
		case network.Masked() != network:
			k.add(jsontree.Index(at, i), "found %q, want %q: it has bits behind its prefix", text, network.Masked())
		}
		out[i] = network
	}
	return out
}

// The moments that nanoseconds in 64 bits can hold, less a bit.
var (
	earliest = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (k *checker) moment(t time.Time, at string) int64 {
	switch {
	case t.IsZero():
		k.add(at, "missing, want a time from 1678 to 2262")
	case t.Before(earliest) || t.After(latest):
		k.add(at, "found %s, want a time from 1678 to 2262", t.Format(time.RFC3339))
	}
	return instant.Of(t)
}

// equality checks values, each at its place.
func (k *checker) equality(in instr, list []any, folded bool, at func(int) string) node {
	values := make([]value, 0, len(list))
	for i, x := range list {
		v, err := scalar(x)
		switch {
		case err != nil:
			k.add(at(i), "%v", err)
		case len(values) > 0 && !v.sameKind(values[0]):
			k.add(at(i), "found %v, want %v like the values before it", v, values[0].kind)
		case folded && v.kind != kindString:
			k.add(at(i), "found %v, want a string beside fold", v)
		default:
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return never
	}
	k.equal(&in, values, folded)
	return node{leaf: in}
}

// few is up to how many values a list is looked through one by one.
const few = 8

// equal chooses the instruction that fits the values.
func (k *checker) equal(in *instr, values []value, folded bool) {
	same := !slices.ContainsFunc(values, func(v value) bool { return v.kind != values[0].kind })
	switch first := values[0]; {
	case folded:
		set := foldOneOf{}
		for _, v := range values {
			hash := fold.Hash(v.str)
			set[hash] = append(set[hash], v.str)
		}
		k.leafOf(in, set)
	case len(values) == 1 && (first.kind == kindInt || first.kind == kindBool || first.kind == kindString && packsWhole(first.num)):
		in.op, in.num = opEqual, first.num
		in.about |= about(0, first.kind, 0)
	case len(values) <= few && same && first.kind != kindFloat:
		in.op, in.num = opAmong, uint64(len(k.more.among))
		k.more.among = append(k.more.among, values)
	case len(values) <= few:
		k.leafOf(in, oneOf(values))
	default:
		set := make(oneOfMany, len(values))
		for _, v := range values {
			set[v] = struct{}{}
		}
		k.leafOf(in, set)
	}
}

func (k *checker) leafOf(in *instr, l leaf) {
	in.op, in.num = opLeaf, uint64(len(k.more.leaves))
	k.more.leaves = append(k.more.leaves, l)
}

func (k *checker) order(in instr, c Condition, operator, at string) node {
	op, operand := opLess, c.Lt
	switch operator {
	case "le":
		op, operand = opLessEqual, c.Le
	case "gt":
		op, operand = opMore, c.Gt
	case "ge":
		op, operand = opMoreEqual, c.Ge
	}
	v, err := scalar(operand)
	switch {
	case err != nil:
		k.add(at, "%s", strings.Replace(err.Error(), "want a string, number or boolean", "want a number", 1))
		return never
	case !v.isNumber():
		k.add(at, "found %v, want a number", v)
		return never
	}
	if v.kind == kindInt {
		in.op, in.num = op, v.num
	} else {
		k.leafOf(&in, than{op, v})
	}
	return node{leaf: in}
}
