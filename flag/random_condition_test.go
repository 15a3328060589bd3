package flag_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/flag"
)

func (a *author) segment() flag.Segment {
	s := flag.Segment{By: a.by(), Keys: someOf(a.dice, poolKeys, 3), Except: someOf(a.dice, poolKeys, 3)}
	if a.chance(20) {
		for range 100 {
			s.Keys, s.Except = append(s.Keys, a.name()), append(s.Except, a.name())
		}
	}
	if len(s.Keys) == 0 || a.chance(70) {
		s.If = new(a.condition(2))
	}
	return s
}

func (a *author) condition(depth int) flag.Condition {
	if depth > 0 && a.chance(40) {
		list := []flag.Condition{}
		for range a.n(4) {
			list = append(list, a.condition(depth-1))
		}
		switch a.n(3) {
		case 0:
			return flag.Condition{All: list}
		case 1:
			return flag.Condition{Any: list}
		}
		return flag.Condition{Not: new(a.condition(depth - 1))}
	}
	switch kind := a.n(10); {
	case kind == 0:
		window := a.times(2)
		w := &flag.Window{From: oneOf(a.dice, poolTimes)}
		if len(window) == 2 {
			*w = flag.Window{From: window[0], Until: window[1]}
		} else if a.chance(50) {
			*w = flag.Window{Until: w.From}
		}
		return flag.Condition{Time: w}
	case kind <= 2 && len(a.segments) > 0:
		return flag.Condition{Segment: oneOf(a.dice, a.segments)}
	case kind <= 4 && len(a.flags) > 0:
		c := flag.Condition{Flag: oneOf(a.dice, a.flags)}
		f := a.doc.Flags[c.Flag]
		variants := slices.Sorted(maps.Keys(variantsOf(f)))
		if onlyOne(f, true) == "" || a.chance(50) {
			c.Serves = append(someOf(a.dice, variants[1:], 2), variants[0])
		}
		return c
	}
	return a.operator()
}

// plain is what most rules ask: that a few attributes are what they must be.
func (a *author) plain() flag.Condition {
	c := flag.Condition{All: []flag.Condition{}}
	for _, attr := range someOf(a.dice, []string{"random-country", "random-plan", "random-age", "random-beta", "random-country", "random-age"}, 4) {
		one := flag.Condition{Attr: attr}
		switch homes[attr] {
		case "number":
			*oneOf(a.dice, []*any{&one.Lt, &one.Le, &one.Gt, &one.Ge, &one.Eq}) = oneOf(a.dice, []any{18, 19, 7.0, 0, 65})
		case "boolean":
			one.Eq = a.chance(50)
		default:
			one.Eq = a.text()
			if a.chance(50) {
				one.Eq, one.In = nil, []any{a.text(), a.text(), a.text()}
			}
		}
		c.All = append(c.All, one)
	}
	return c
}

// operator is one that suits the attribute, as a rule.
func (a *author) operator() flag.Condition {
	c := flag.Condition{Attr: oneOf(a.dice, attributes)}
	home := homes[c.Attr]
	if a.chance(10) {
		home = oneOf(a.dice, []string{"text", "number", "boolean", "version", "time", "address"})
	}
	switch a.n(14) {
	case 0:
		c.Exists = true
		return c
	case 1:
		c.Missing = true
		return c
	}
	if home == "list" && a.chance(35) {
		home = oneOf(a.dice, []string{"number", "version", "version", "time", "address"})
	}
	switch home {
	case "number":
		n := oneOf(a.dice, poolNumbers)
		switch a.n(6) {
		case 0:
			c.Lt = n
		case 1:
			c.Le = n
		case 2:
			c.Gt = n
		case 3:
			c.Ge = n
		case 4:
			c.Eq = n
		default:
			c.In = append(someOf(a.dice, poolNumbers, a.few()), n)
		}
	case "boolean":
		if c.Eq = a.chance(50); a.chance(30) {
			c.Eq, c.In = nil, []any{a.chance(50), a.chance(50)}
		}
	case "version":
		var list []string
		for range 1 + a.n(3) {
			if a.chance(40) {
				list = append(list, oneOf(a.dice, []string{"^", "~"})+oneOf(a.dice, poolPartial))
			} else {
				list = append(list, oneOf(a.dice, []string{"", "=", "<", "<=", ">", ">=", "^", "~"})+oneOf(a.dice, poolVersions))
			}
		}
		c.Semver = strings.Join(list, " ")
	case "time":
		if c.Before = oneOf(a.dice, poolTimes); a.chance(50) {
			c.Before, c.After = time.Time{}, c.Before
		}
	case "address":
		c.CIDR = append(someOf(a.dice, poolNetworks, 2), oneOf(a.dice, poolNetworks))
	default:
		a.textOperator(&c)
	}
	return c
}

// few is how many there are in a list at most; in some it is many.
func (a *author) few() int {
	if a.chance(15) {
		return 40
	}
	return 4
}

func (a *author) textOperator(c *flag.Condition) {
	s := a.text()
	if homes[c.Attr] == "key" {
		s = a.name()
	}
	part := string([]rune(s)[:1+a.n(len([]rune(s)))])
	c.Fold = a.chance(50)
	switch a.n(6) {
	case 0:
		c.Eq = s
	case 1:
		c.In = []any{s}
		for range a.n(a.few()) {
			c.In = append(c.In, a.text())
		}
	case 2:
		c.Prefix = part
	case 3:
		c.Suffix = oneOf(a.dice, []string{part, s, "e", "E", "ß", "-rc"})
	case 4:
		c.Contains = part
	default:
		c.Fold, c.Matches = false, oneOf(a.dice, poolExprs)
	}
}
