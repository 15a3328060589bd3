package flag_test

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/guidon-go/guidon/flag"
)

// truth is ordered so that "all" is the least, "any" the greatest, and "not" the
// distance from true.
type truth int

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

func truthOf(b bool) truth {
	if b {
		return isTrue
	}
	return isFalse
}

// holds is "Conditions" of DOCUMENTS.md.
func (r reference) holds(c flag.Condition, p person) truth {
	name, is := "", isUnknown
	switch {
	case c.Attr != "":
		name, is = r.attribute(c, p)
	case c.Segment != "":
		name, is = "segment", r.segment(c.Segment, p)
	case c.Flag != "":
		name, is = "flag", r.prerequisite(c, p)
	case c.Time != nil:
		from, until := c.Time.From, c.Time.Until
		name, is = "time", truthOf((from.IsZero() || from.Compare(p.now) <= 0) && (until.IsZero() || p.now.Compare(until) < 0))
	case c.All != nil:
		name, is = "all", isTrue
		for _, one := range c.All {
			is = min(is, r.holds(one, p))
		}
	case c.Any != nil:
		name, is = "any", isFalse
		for _, one := range c.Any {
			is = max(is, r.holds(one, p))
		}
	case c.Not != nil:
		name, is = "not", isTrue-r.holds(*c.Not, p)
	default:
		panic("a condition says nothing")
	}
	if r.seen != nil {
		r.seen(name, is)
	}
	return is
}

// segment is any of (the unit is in keys; all of (not: the unit is in except; if)).
func (r reference) segment(name string, p person) truth {
	s, found := r.doc.Segments[name]
	if !found {
		panic("no segment " + name)
	}
	unit, known := p.unit(s.By)
	in := func(list []string) truth {
		if len(list) > 0 && !known {
			return isUnknown
		}
		return truthOf(slices.Contains(list, unit))
	}
	others := isFalse
	if s.If != nil {
		others = r.holds(*s.If, p)
	}
	return max(in(s.Keys), min(isTrue-in(s.Except), others))
}

// prerequisite is {"flag": F, "serves": [...]}.
func (r reference) prerequisite(c flag.Condition, p person) truth {
	if r.newest != nil {
		r = *r.newest // where it may be gone
	} else if !r.has(c.Flag) {
		panic("no flag " + c.Flag)
	}
	variant := r.decide(c.Flag, p).Variant
	switch {
	case variant == "":
		return isUnknown
	case len(c.Serves) == 0:
		return truthOf(variant == onlyOne(r.definition(c.Flag), true))
	default:
		return truthOf(slices.Contains(c.Serves, variant))
	}
}

// attr is what a person's attribute is, or nil. NaN and a zero time say nothing.
func (p person) attr(name string) any {
	v := p.attrs[name]
	if f, ok := v.(float64); ok && math.IsNaN(f) {
		return nil
	}
	if f, ok := v.(float32); ok && math.IsNaN(float64(f)) {
		return nil
	}
	if t, ok := v.(time.Time); ok && t.IsZero() {
		return nil
	}
	return v
}

// attribute is one operator on an attribute: of a list, on any element.
func (r reference) attribute(c flag.Condition, p person) (operator string, is truth) {
	operator, ask := operatorOf(c)
	v := p.attr(c.Attr)
	switch list, isList := v.([]string); {
	case c.Exists:
		return operator, truthOf(v != nil)
	case c.Missing:
		return operator, truthOf(v == nil)
	case v == nil:
		return operator, isUnknown
	case isList:
		is = isFalse
		for _, element := range list {
			is = max(is, ask(element))
		}
		return operator + " of a list", is
	default:
		return operator, ask(v)
	}
}

// operatorOf is the table of operators: each asks one value that is no list.
func operatorOf(c flag.Condition) (name string, ask func(any) truth) {
	switch {
	case c.Eq != nil:
		return folding("eq", c), func(v any) truth { return equals(v, c.Eq, c.Fold) }
	case c.In != nil:
		return folding("in", c), func(v any) truth {
			is := isFalse
			for _, one := range c.In {
				is = max(is, equals(v, one, c.Fold))
			}
			return is
		}
	case c.Lt != nil:
		return "lt", number(c.Lt, func(order int) bool { return order < 0 })
	case c.Le != nil:
		return "le", number(c.Le, func(order int) bool { return order <= 0 })
	case c.Gt != nil:
		return "gt", number(c.Gt, func(order int) bool { return order > 0 })
	case c.Ge != nil:
		return "ge", number(c.Ge, func(order int) bool { return order >= 0 })
	case c.Prefix != "":
		return folding("prefix", c), text(func(s string) truth { return truthOf(strings.HasPrefix(fold(s, c.Fold), fold(c.Prefix, c.Fold))) })
	case c.Suffix != "":
		return folding("suffix", c), text(func(s string) truth { return truthOf(strings.HasSuffix(fold(s, c.Fold), fold(c.Suffix, c.Fold))) })
	case c.Contains != "":
		return folding("contains", c), text(func(s string) truth { return truthOf(strings.Contains(fold(s, c.Fold), fold(c.Contains, c.Fold))) })
	case c.Matches != "":
		return "matches", text(func(s string) truth { return truthOf(regexp.MustCompile(c.Matches).MatchString(s)) })
	case c.Semver != "":
		return "semver", text(func(s string) truth { return satisfies(s, c.Semver) })
	case !c.Before.IsZero():
		return "before", moment(func(t time.Time) bool { return t.Compare(c.Before) < 0 })
	case !c.After.IsZero():
		return "after", moment(func(t time.Time) bool { return t.Compare(c.After) >= 0 })
	case c.CIDR != nil:
		return "cidr", text(func(s string) truth { return inNetworks(s, c.CIDR) })
	case c.Exists:
		return "exists", nil
	case c.Missing:
		return "missing", nil
	}
	panic("no operator on attribute " + c.Attr)
}

func folding(name string, c flag.Condition) string {
	if c.Fold {
		return name + " fold"
	}
	return name
}

// equals is unknown for two values of different kinds.
func equals(v, want any, folded bool) truth {
	switch want := want.(type) {
	case bool:
		v, ok := v.(bool)
		return knownTo(ok, v == want)
	case string:
		v, ok := v.(string)
		return knownTo(ok, fold(v, folded) == fold(want, folded))
	}
	return number(want, func(order int) bool { return order == 0 })(v)
}

func knownTo(known, is bool) truth {
	if !known {
		return isUnknown
	}
	return truthOf(is)
}

func number(want any, holds func(order int) bool) func(any) truth {
	return func(v any) truth {
		n := exact(v)
		if n == nil {
			return isUnknown
		}
		return truthOf(holds(n.Cmp(exact(want))))
	}
}

func text(holds func(string) truth) func(any) truth {
	return func(v any) truth {
		s, ok := v.(string)
		if !ok {
			return isUnknown
		}
		return holds(s)
	}
}

func moment(holds func(time.Time) bool) func(any) truth {
	return func(v any) truth {
		t, ok := v.(time.Time)
		if s, isText := v.(string); isText {
			t, ok = parseTime(s)
		}
		return knownTo(ok, ok && holds(t))
	}
}

// timeText is the grammar of RFC 3339, which package time takes less strictly.
var timeText = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

func parseTime(s string) (t time.Time, ok bool) {
	if !timeText.MatchString(s) {
		return t, false
	}
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil
}

// exact is a number without rounding; nil for what is none. A literal that is not
// a 64-bit integer is the float64 nearest to it.
func exact(v any) *big.Float {
	switch v := v.(type) {
	case int:
		return new(big.Float).SetInt64(int64(v))
	case int32:
		return new(big.Float).SetInt64(int64(v))
	case int64:
		return new(big.Float).SetInt64(v)
	case uint32:
		return new(big.Float).SetUint64(uint64(v))
	case uint64:
		return new(big.Float).SetUint64(v)
	case float32:
		return new(big.Float).SetFloat64(float64(v))
	case float64:
		return new(big.Float).SetFloat64(v)
	case json.Number:
		n, _, err := big.ParseFloat(v.String(), 10, 1000, big.ToNearestEven)
		if err != nil {
			panic(err)
		}
		if i, accuracy := n.Int64(); n.IsInt() && accuracy == big.Exact {
			return exact(i)
		}
		if u, accuracy := n.Uint64(); n.IsInt() && accuracy == big.Exact {
			return exact(u)
		}
		f, err := v.Float64()
		if err != nil {
			return nil // beyond all numbers, which no document may say
		}
		return exact(f)
	}
	return nil
}

// fold writes the least of the runes that differ from one another by case only.
// A byte that is no UTF-8 becomes U+FFFD.
func fold(s string, folded bool) string {
	if !folded {
		return s
	}
	return strings.Map(func(r rune) rune {
		least := r
		for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
			least = min(least, next)
		}
		return least
	}, s)
}

func inNetworks(s string, networks []string) truth {
	address, err := netip.ParseAddr(s)
	if err != nil || address.Zone() != "" {
		return isUnknown
	}
	for _, network := range networks {
		if netip.MustParsePrefix(network).Contains(address.Unmap()) {
			return isTrue
		}
	}
	return isFalse
}

// semver is a version: https://semver.org, whose own expression this is.
type semver struct {
	core [3]*big.Int
	pre  []string
}

var semverText = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?` +
	`(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$`)

func parseSemver(s string) (v semver, ok bool) {
	m := semverText.FindStringSubmatch(s)
	if m == nil {
		return v, false
	}
	for i := range v.core {
		v.core[i], _ = new(big.Int).SetString(m[i+1], 10)
	}
	if m[4] != "" {
		v.pre = strings.Split(m[4], ".")
	}
	return v, true
}

// compare is precedence, section 11 of SemVer 2.
func (v semver) compare(w semver) int {
	for i := range v.core {
		if order := v.core[i].Cmp(w.core[i]); order != 0 {
			return order
		}
	}
	switch {
	case len(v.pre) == 0 && len(w.pre) == 0:
		return 0
	case len(v.pre) == 0:
		return +1
	case len(w.pre) == 0:
		return -1
	}
	return slices.CompareFunc(v.pre, w.pre, func(a, b string) int {
		m, isNumber := new(big.Int).SetString(a, 10)
		n, areNumbers := new(big.Int).SetString(b, 10)
		isNumber, areNumbers = isNumber && a[0] != '-', areNumbers && b[0] != '-' // "-1" is a word
		switch {
		case isNumber && areNumbers:
			return m.Cmp(n)
		case isNumber:
			return -1
		case areNumbers:
			return +1
		}
		return strings.Compare(a, b)
	})
}

var comparison = regexp.MustCompile(`^(=|<=|<|>=|>|\^|~)?([^=<>^~ ]+)$`)

// satisfies says whether a version is within all of the comparisons.
func satisfies(s, comparisons string) truth {
	v, ok := parseSemver(s)
	if !ok {
		return isUnknown
	}
	is := true
	for _, one := range strings.FieldsFunc(comparisons, func(r rune) bool { return r == ' ' }) {
		m := comparison.FindStringSubmatch(one)
		if m == nil {
			panic("no comparison of versions: " + comparisons)
		}
		operator, least := m[1], m[2]
		parts := 3
		if (operator == "^" || operator == "~") && !strings.ContainsAny(least, "-+") {
			parts = strings.Count(least, ".") + 1
			least += strings.Repeat(".0", 3-parts)
		}
		bound, ok := parseSemver(least)
		if !ok {
			panic("no version: " + one)
		}
		order := v.compare(bound)
		switch operator {
		case "", "=":
			is = is && order == 0
		case "<":
			is = is && order < 0
		case "<=":
			is = is && order <= 0
		case ">":
			is = is && order > 0
		case ">=":
			is = is && order >= 0
		case "^":
			grows := 0 // the first part that is not zero, of those that are given
			for grows < parts-1 && bound.core[grows].Sign() == 0 {
				grows++
			}
			is = is && order >= 0 && v.compare(bound.next(grows)) < 0
		case "~":
			is = is && order >= 0 && v.compare(bound.next(min(1, parts-1))) < 0
		}
	}
	return truthOf(is)
}

// next is the least version with a greater part: of 1.2.3 and part 1 it is 1.3.0-0.
func (v semver) next(part int) semver {
	up := semver{core: [3]*big.Int{new(big.Int), new(big.Int), new(big.Int)}, pre: []string{"0"}}
	copy(up.core[:part], v.core[:])
	up.core[part] = new(big.Int).Add(v.core[part], big.NewInt(1))
	return up
}

// TestReferenceRanges judges the judge by the examples of DOCUMENTS.md.
func TestReferenceRanges(t *testing.T) {
	for short, long := range map[string]string{
		"^1.2.3": ">=1.2.3 <2.0.0-0", "~1.2.3": ">=1.2.3 <1.3.0-0", "^1": ">=1.0.0 <2.0.0-0", "^1.2": ">=1.2.0 <2.0.0-0",
		"^0.2.3": ">=0.2.3 <0.3.0-0", "^0.0.3": ">=0.0.3 <0.0.4-0", "^0.0": ">=0.0.0 <0.1.0-0", "^0": ">=0.0.0 <1.0.0-0",
		"~1": ">=1.0.0 <2.0.0-0", "~1.2": ">=1.2.0 <1.3.0-0", "1.2.3": "=1.2.3+b",
	} {
		for _, version := range append(poolVersions, poolNoVersions...) {
			if got, want := satisfies(version, short), satisfies(version, long); got != want {
				t.Errorf("%s: %s gives %d, %s %d", version, short, got, long, want)
			}
		}
	}
	// The order of section 11 of SemVer 2.
	order := strings.Fields("0.9.0 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 2.0.0 2.1.0 2.1.1")
	for i, version := range order[1:] {
		if satisfies(order[i], "<"+version) != isTrue || satisfies(version, "<="+order[i]) != isFalse {
			t.Errorf("%s is not before %s", order[i], version)
		}
	}
}
