package flag

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The truths of the slow evaluator below; "all" is the least, "any" the greatest.
const (
	slowNo = iota - 1
	slowUnknown
	slowYes
)

// world is a subject at a moment: everything that a condition can depend on. An
// attribute is nil, a bool, a float64, a string, a time.Time or a []string.
type world struct {
	attrs   map[string]any
	now     time.Time
	segment int
	serves  string // of flag "f"; empty is the caller's default
}

var days = []time.Time{day(0), day(1), day(2)}

func day(n int) time.Time { return time.Date(2026, 1, 1+n, 0, 0, 0, 0, time.UTC) }

func slowly(b bool) int {
	if b {
		return slowYes
	}
	return slowNo
}

// slow evaluates a condition as the page on documents says, word for word.
func (w *world) slow(c *Condition) int {
	result := slowUnknown
	switch {
	case c.All != nil:
		result = slowYes
		for i := range c.All {
			result = min(result, w.slow(&c.All[i]))
		}
		return result
	case c.Any != nil:
		result = slowNo
		for i := range c.Any {
			result = max(result, w.slow(&c.Any[i]))
		}
		return result
	case c.Not != nil:
		return -w.slow(c.Not)
	case c.Time != nil:
		return slowly((c.Time.From.IsZero() || !w.now.Before(c.Time.From)) && (c.Time.Until.IsZero() || w.now.Before(c.Time.Until)))
	case c.Segment != "":
		return w.segment
	case c.Flag != "" && w.serves == "":
		return slowUnknown
	case c.Flag != "":
		return slowly(slices.Contains(c.Serves, w.serves) || c.Serves == nil && w.serves == "on")
	}
	x := w.attrs[c.Attr]
	switch list, isList := x.([]string); {
	case c.Exists || c.Missing:
		return slowly(c.Exists == (x != nil))
	case x == nil:
		return slowUnknown
	case isList:
		result = slowNo
		for _, element := range list {
			result = max(result, slowOperator(c, element))
		}
		return result
	}
	return slowOperator(c, x)
}

func slowOperator(c *Condition, x any) int {
	s, isString := x.(string)
	n, isNumber := x.(float64)
	if c.Fold {
		s = strings.ToLower(s)
	}
	lower := func(part string) string {
		if c.Fold {
			return strings.ToLower(part)
		}
		return part
	}
	equal := func(y any) int {
		if text, ok := y.(string); ok && isString {
			return slowly(lower(text) == s)
		}
		if fmt.Sprintf("%T", x) != fmt.Sprintf("%T", y) {
			return slowUnknown
		}
		return slowly(x == y)
	}
	number := func(limit any, holds func(float64) bool) int {
		if !isNumber {
			return slowUnknown
		}
		return slowly(holds(limit.(float64)))
	}
	switch at, isTime := x.(time.Time); {
	case c.Eq != nil:
		return equal(c.Eq)
	case c.In != nil:
		result := slowNo
		for _, y := range c.In {
			result = max(result, equal(y))
		}
		if equal(c.In[0]) == slowUnknown {
			return slowUnknown
		}
		return result
	case c.Lt != nil:
		return number(c.Lt, func(limit float64) bool { return n < limit })
	case c.Le != nil:
		return number(c.Le, func(limit float64) bool { return n <= limit })
	case c.Gt != nil:
		return number(c.Gt, func(limit float64) bool { return n > limit })
	case c.Ge != nil:
		return number(c.Ge, func(limit float64) bool { return n >= limit })
	case !c.Before.IsZero() || !c.After.IsZero():
		if isString {
			var err error
			at, err = time.Parse(time.RFC3339, x.(string))
			isTime = err == nil
		}
		switch {
		case !isTime:
			return slowUnknown
		case !c.Before.IsZero():
			return slowly(at.Before(c.Before))
		}
		return slowly(!at.Before(c.After))
	case !isString:
		return slowUnknown
	case c.Prefix != "":
		return slowly(strings.HasPrefix(s, lower(c.Prefix)))
	case c.Suffix != "":
		return slowly(strings.HasSuffix(s, lower(c.Suffix)))
	case c.Contains != "":
		return slowly(strings.Contains(s, lower(c.Contains)))
	case c.Matches != "":
		return slowly(regexp.MustCompile(c.Matches).MatchString(s))
	case c.Semver != "" && !strings.HasSuffix(s, ".0.0"):
		return slowUnknown
	case c.Semver != "":
		return slowly(c.Semver == "="+s)
	}
	panic("no such operator")
}

// attributeValues are what an attribute may be: some of each kind, and between and around
// all that conditions compare with.
func attributeValues(list bool) []any {
	texts := []string{"", "a", "A", "b", "ab", "AB", "ba", "x", "aB", "2026-", "1.0.0", "2.0.0"}
	all := []any{nil, true, false, -1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, day(-1)}
	for _, at := range days {
		all = append(all, at)
		texts = append(texts, at.Format(time.RFC3339))
	}
	for _, text := range texts {
		all = append(all, text)
	}
	if list {
		all = append(all, []string{})
		for i, text := range texts {
			all = append(all, []string{text})
			for _, other := range texts[:i] {
				all = append(all, []string{text, other})
			}
		}
	}
	return all
}

// worlds are all that there are, as far as two topics go.
func worlds(topics []string) []world {
	all := []world{{attrs: map[string]any{}, now: days[0]}}
	each := func(n int, set func(w *world, i int)) {
		var more []world
		for _, w := range all {
			for i := range n {
				w.attrs = maps.Clone(w.attrs)
				set(&w, i)
				more = append(more, w)
			}
		}
		all = more
	}
	for _, topic := range topics {
		switch topic {
		case "time":
			each(7, func(w *world, i int) { w.now = days[0].Add(time.Duration(i-1) * 12 * time.Hour) })
		case "segment":
			each(3, func(w *world, i int) { w.segment = i - 1 })
		case "flag":
			each(4, func(w *world, i int) { w.serves = []string{"", "on", "off", "c"}[i] })
		default:
			values := attributeValues(topic == "tags")
			each(len(values), func(w *world, i int) { w.attrs[topic] = values[i] })
		}
	}
	return all
}

// drawing draws conditions on some topics, with a few operators, so that they have
// to do with each other.
type drawing struct {
	*rand.Rand
	topics    []string
	operators []int
}

func (r *drawing) condition(depth int) Condition {
	part := func() Condition { return r.condition(depth - 1) }
	parts := func() []Condition {
		list := make([]Condition, (1+r.IntN(16))%5) // now and then, none
		for i := range list {
			list[i] = part()
		}
		return list
	}
	switch choice := r.IntN(10); {
	case depth == 0 || choice < 2:
		return r.leaf(r.topics[r.IntN(len(r.topics))])
	case choice < 4:
		c := part()
		return Condition{Not: &c}
	case choice < 7:
		return Condition{Any: parts()}
	}
	return Condition{All: parts()}
}

func (r *drawing) leaf(topic string) Condition {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	switch topic {
	case "time":
		w := Window{From: days[r.IntN(3)], Until: days[r.IntN(3)]}
		switch r.IntN(3) {
		case 0:
			w.From = time.Time{}
		case 1:
			w.Until = time.Time{}
		}
		return Condition{Time: &w}
	case "segment":
		return Condition{Segment: "s"}
	case "flag":
		return Condition{Flag: "f", Serves: [][]string{nil, {"off"}, {"c", "on"}}[r.IntN(3)]}
	}
	c := Condition{Attr: topic}
	number := float64(r.IntN(3))
	switch r.operators[r.IntN(len(r.operators))] {
	case 0:
		c.Eq = number
	case 1:
		c.Eq = r.IntN(2) == 0
	case 2:
		c.Eq, c.Fold = pick("a", "b", "ab", "AB"), r.IntN(3) == 0
	case 3:
		c.In, c.Fold = []any{pick("a", "b"), pick("ab", "A")}, r.IntN(3) == 0
	case 4:
		c.In = []any{number, number + 1}
	case 5, 6:
		*[]*any{&c.Lt, &c.Le, &c.Gt, &c.Ge}[r.IntN(4)] = number
	case 7:
		c.Prefix, c.Fold = pick("a", "A", "ab", "2026-"), r.IntN(3) == 0
	case 8:
		c.Suffix, c.Fold = pick("b", "ab", "B"), r.IntN(3) == 0
	case 9:
		c.Contains, c.Fold = pick("a", "b", "ab"), r.IntN(3) == 0
	case 10:
		*[]*time.Time{&c.Before, &c.After}[r.IntN(2)] = days[r.IntN(3)]
	case 11:
		c.Matches = "^a"
	case 12:
		c.Semver = pick("=1.0.0", "=2.0.0")
	case 13:
		c.Exists = r.IntN(2) == 0
		c.Missing = !c.Exists
	}
	return c
}

const operators = 14

// TestAnalysisIsRight: what it calls never true is true of nobody, what it calls
// always true is true of everybody, and what it says implies another condition
// does. The other way round it need not know everything, but most.
func TestAnalysisIsRight(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	subjects := [][]string{{"country", "tags"}, {"country", "time"}, {"tags", "flag"}, {"tags", "segment"}}
	var all [][]world
	for _, topics := range subjects {
		all = append(all, worlds(topics))
	}
	var found, missed [3]int
	for i := range 500 {
		i %= len(subjects)
		draw := drawing{r, subjects[i], r.Perm(operators)[:3]}
		one, other := draw.condition(3), draw.condition(2)
		a := newAnalyser(Document{Flags: map[string]FeatureFlag{"f": {}}})
		f, g := a.formula(&one), a.formula(&other)
		literals := [3]bool{ // that there is no world of a kind
			a.refuter.refutes(goals{{&f, isTrue}}),
			a.refuter.refutes(goals{{&f, notTrue}}),
			a.refuter.refutes(goals{{&f, isTrue}, {&g, notTrue}}),
		}
		var seen [3]*world
		for j := range all[i] {
			w := &all[i][j]
			if w.slow(&one) != slowYes {
				seen[1] = w
				continue
			}
			if seen[0] = w; w.slow(&other) != slowYes {
				seen[2] = w
			}
			if seen[1] != nil && seen[2] != nil {
				break
			}
		}
		for i, kind := range []string{"never true", "always true", "implies"} {
			if literals[i] && seen[i] != nil {
				left, _ := json.Marshal(one)
				right, _ := json.Marshal(other)
				t.Fatalf("%s: %s (%s), but there is %+v", kind, left, right, *seen[i])
			}
			if seen[i] == nil {
				found[i]++
				if !literals[i] {
					missed[i]++
				}
			}
		}
	}
	for i := range found {
		require.Greater(t, found[i], 50)
		require.Less(t, 10*missed[i], found[i])
	}
}
