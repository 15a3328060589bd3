package semver

import (
	"fmt"
	"strings"
)

// Range is what a version must satisfy: comparisons, all of which must hold. The
// zero Range has every version.
type Range struct {
	comparisons []comparison
}

// comparison is one of =, <, <=, >, >= and a version: ^ and ~ become two of them.
type comparison struct {
	op string
	v  Version
}

// ParseRange reads comparisons separated by spaces, each an operator (=, <, <=, >,
// >=, ^, ~; none is =) directly before a version. Only after ^ and ~ may parts of
// the version be left out.
func ParseRange(s string) (Range, error) {
	var r Range
	for text := range strings.SplitSeq(s, " ") {
		if text == "" { // more than one space
			continue
		}
		comparisons, err := parseComparison(text)
		if err != nil {
			return Range{}, err
		}
		r.comparisons = append(r.comparisons, comparisons...)
	}
	if len(r.comparisons) == 0 {
		return r, fmt.Errorf("found %q, want versions to compare with, such as >=1.2.0 or ^1.2", s)
	}
	return r, nil
}

// Has says whether a version satisfies every comparison. Nothing but precedence
// counts: 2.0.0-rc.1 is in >=1.0.0.
func (r Range) Has(v Version) bool {
	for i := range r.comparisons {
		if !r.comparisons[i].holds(v) {
			return false
		}
	}
	return true
}

// String is the range with ^ and ~ spelled out: "^1.2" is ">=1.2.0 <2.0.0-0".
func (r Range) String() string {
	texts := make([]string, len(r.comparisons))
	for i, c := range r.comparisons {
		texts[i] = c.op + c.v.String()
	}
	return strings.Join(texts, " ")
}

func (c *comparison) holds(v Version) bool {
	order := v.Compare(c.v)
	switch c.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	}
	return order == 0
}

func parseComparison(s string) ([]comparison, error) {
	op, text := cutOperator(s)
	v, parts := parsePartial(text)
	switch {
	case parts > 0 && (op == "^" || op == "~"):
		return []comparison{{">=", v}, {"<", end(op, v, parts)}}, nil
	case parts == 3:
		return []comparison{{op, v}}, nil
	case parts > 0:
		return nil, fmt.Errorf("found %q, want all three parts, as in %s%v: they may be left out after ^ and ~ only", s, op, v)
	case text == "":
		return nil, fmt.Errorf("found %q, want a version directly behind it", s)
	case text[0] == 'v' || text[0] == 'V':
		return nil, fmt.Errorf("found %q, want the version without %q", s, text[:1])
	}
	return nil, fmt.Errorf("found %q, want a semantic version such as 1.2.3 or 1.2.3-rc.1, with one of = < <= > >= ^ ~ before it or none", s)
}

// cutOperator cuts off the longest operator; none is =.
func cutOperator(s string) (op, rest string) {
	for _, op := range []string{"<=", ">=", "<", ">", "=", "^", "~"} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			return op, rest
		}
	}
	return "=", s
}

// parsePartial reads a version that may lack its last parts, which are zero then,
// and says how many are there; 0 if it is no version.
func parsePartial(s string) (v Version, parts int) {
	for missing, zeros := range []string{"", ".0", ".0.0"} {
		if v, ok := Parse(s + zeros); ok {
			return v, 3 - missing
		}
	}
	return Version{}, 0
}

// end is where ^ and ~ end: before the first pre-release of the next version in
// which a part changes that they hold fixed. For ~ that is the minor number, if it
// is there; for ^ it is the first number that is not zero, or the last one there.
func end(op string, v Version, parts int) Version {
	next := Version{major: "0", minor: "0", patch: "0", pre: "0"}
	switch {
	case parts == 1, op == "^" && v.major != "0":
		next.major = increment(v.major)
	case parts == 2, op == "~", v.minor != "0":
		next.major, next.minor = v.major, increment(v.minor)
	default:
		next.major, next.minor, next.patch = v.major, v.minor, increment(v.patch)
	}
	return next
}

// increment adds one to a number of any size.
func increment(number string) string {
	digits := []byte(number)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] != '9' {
			digits[i]++
			return string(digits)
		}
		digits[i] = '0'
	}
	return "1" + string(digits)
}
