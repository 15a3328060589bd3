package flag

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// large are documents with more in them than anybody writes by hand.
func large() map[string]Document {
	flags := Document{Flags: map[string]FeatureFlag{}, Segments: map[string]Segment{"s": {}}}
	for i := range 10_000 {
		flags.Flags[fmt.Sprintf("flag-%d", i)] = FeatureFlag{
			When: &Condition{Time: &Window{From: time.Unix(1, 0)}},
			Rules: []Rule{
				{If: Condition{Segment: "s"}, Serve: "on"},
				{If: Condition{All: []Condition{{Attr: "country", In: []any{"SE", "NO"}}, {Attr: "age", Ge: 18}}}, Ramp: &Ramp{Share: 50 * Percent}},
				{If: Condition{Not: &Condition{Any: []Condition{{Attr: "age", Lt: 18}, {Attr: "country", Eq: "DK"}}}}, Serve: "on"},
			},
			Ramp: &Ramp{Share: 5 * Percent},
		}
	}
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("user-%d", i)
	}
	flags.Segments["s"] = Segment{Keys: keys, Except: keys[:1]}

	rules := func(rule func(i int) Condition) Document {
		var f FeatureFlag
		for i := range 1000 {
			f.Rules = append(f.Rules, Rule{If: rule(i), Serve: "on"})
		}
		return Document{Flags: map[string]FeatureFlag{"x": f}}
	}
	deep := Condition{Attr: "age", Eq: 1}
	for range 40 {
		deep = Condition{All: []Condition{deep, {Not: &Condition{All: []Condition{{Attr: "age", Ge: 18}, {Attr: "email", Eq: "a"}}}}}}
	}
	return map[string]Document{
		"flags": flags,
		"rules": rules(func(i int) Condition { return Condition{Attr: "country", Eq: fmt.Sprint(i)} }),
		"rules with two conditions": rules(func(i int) Condition {
			return Condition{All: []Condition{{Attr: "country", Eq: fmt.Sprint(i)}, {Attr: "age", Ge: i}}}
		}),
		"rules with choices": rules(func(i int) Condition {
			return Condition{Any: []Condition{{Attr: "country", Eq: fmt.Sprint(i)}, {Attr: "age", Ge: -i}, {Not: &Condition{Attr: "age", Eq: i}}}}
		}),
		"rules with lists": rules(func(i int) Condition {
			list := make([]any, 1000) // of which only the last is not in the others
			for j := range list {
				list[j] = fmt.Sprint(j)
			}
			list[999] = fmt.Sprint("only ", i)
			return Condition{Attr: "country", In: list}
		}),
		"rules on many attributes": rules(func(i int) Condition { return Condition{Attr: fmt.Sprint(i), Eq: "a"} }),
		"depth":                    {Flags: map[string]FeatureFlag{"x": {When: &deep}}},
		"width": {Flags: map[string]FeatureFlag{"x": {When: &Condition{All: conditions(100_000, func(i int) Condition {
			return Condition{Any: []Condition{{Attr: "age", Lt: i}, {Attr: "age", Gt: i}}}
		})}}}},
	}
}

func conditions(n int, of func(i int) Condition) []Condition {
	out := make([]Condition, n)
	for i := range out {
		out[i] = of(i)
	}
	return out
}

func BenchmarkAnalyse(b *testing.B) {
	documents := large()
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				analyse(documents[name])
			}
		})
	}
}
