package flag_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/flag"
)

// compile is for documents that are right.
func compile(document string) *flag.Set {
	doc, err := flag.Parse([]byte(document))
	if err != nil {
		fmt.Println(err)
	}
	set, err := flag.Compile(doc)
	if err != nil {
		fmt.Println(err)
	}
	return set
}

// Who moves if I change this? Without a population, slots say it.
func ExampleDiff() {
	old := compile(`{"flags": {
		"new-checkout": {"ramp": {"percent": 25}},
		"new-search": {"ramp": {"percent": 10}},
		"cart-limit": {"variants": {"small": 20, "large": 100}, "serve": "small"}}}`)
	new := compile(`{"flags": {
		"new-checkout": {"ramp": {"percent": 50}},
		"new-search": {"salt": "again", "ramp": {"percent": 10}},
		"cart-limit": {"variants": {"small": 20, "large": 100}, "serve": "small",
			"rules": [{"if": {"attr": "staff", "eq": true}, "serve": "large"}]}}}`)
	fmt.Println(flag.Diff(old, new, nil))
	// Output:
	// cart-limit    100.000 % of rules[0]: small -> large (rules[0] is new)
	// new-checkout   25.000 % of everybody: off -> on (ramp 25 % to 50 %)
	// new-search      9.000 % of everybody, expected: off -> on (ramp with another salt)
	//                 9.000 % of everybody, expected: on -> off
	// at most 100 % of everybody, by cart-limit: only a population tells how many its groups have
}

// With a population, every one of its subjects is decided on both sets.
func ExampleDiff_population() {
	old := compile(`{"flags": {"new-checkout": {"rules": [{"if": {"attr": "staff", "eq": true}, "serve": "on"}]}}}`)
	new := compile(`{"flags": {"new-checkout": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}]}}}`)
	customers := []flag.Subject{
		flag.For("anna", Country.Is("SE"), Staff.Is(true)),
		flag.For("bert", Country.Is("SE"), Staff.Is(false)),
		flag.For("carl", Country.Is("NO"), Staff.Is(true)),
		flag.For("dora", Country.Is("NO"), Staff.Is(false)),
	}
	fmt.Println(flag.Diff(old, new, slices.Values(customers)))
	// Output:
	// new-checkout   25.000 % (1 of 4): off -> on (rules[0] has another condition)
	//                25.000 % (1 of 4): on -> off
	// 2 of 4 subjects moved by at least one flag
}

// A test or a build can hold a change to a limit.
func ExampleDifference_Most() {
	old := compile(`{"flags": {"new-checkout": {"ramp": {"percent": 25}}}}`)
	new := compile(`{"flags": {"new-checkout": {"ramp": {"percent": 35}}}}`)
	if most := flag.Diff(old, new, nil).Most(); most > 5*flag.Percent {
		fmt.Println("found a flag that moves", most, "of everybody, want at most 5 %")
	}
	// Output: found a flag that moves 10 % of everybody, want at most 5 %
}

// Who moves if this document is loaded, with what operators changed at run time over it?
// What a schedule does later counts.
func ExampleStore_PreviewDocument() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {
		"new-checkout": {"ramp": {"percent": 25}},
		"new-search": {"ramp": {"percent": 10}},
		"new-basket": {"ramp": {"percent": 10}}}}`)), quiet)
	_ = flags.Load(context.Background())
	_ = flags.Kill("new-search", flag.Change{Actor: "ann", Reason: "results are empty"})
	next, err := flags.PreviewDocument([]byte(`{"flags": {
		"new-checkout": {"ramp": {"percent": 25, "schedule": [{"at": "2099-12-01T08:00:00Z", "percent": 100}]}},
		"new-search": {"ramp": {"percent": 50}},
		"new-basket": {"ramp": {"percent": 20}, "serve": "of"}}}`))
	fmt.Println(err)
	fmt.Println(flag.Diff(flags.Snapshot(), next, nil))
	// Output:
	// flag: load document: invalid document: flags.new-basket.serve (line 4, column 52): unknown variant "of", want one of ["off" "on"]
	// new-checkout   75.000 % of everybody: off -> on (schedule changed), at 2099-12-01T08:00:00Z
}

// A re-split by Rebalance moves the fewest; new percentages alone, in their place, move
// others, too.
func ExampleDiff_rebalance() {
	live := flag.Split{Parts: []flag.Part{
		{Serve: "blue", Share: 50 * flag.Percent}, {Serve: "green", Share: 30 * flag.Percent}, {Serve: "red", Share: 20 * flag.Percent}}}
	naive := flag.Split{Parts: []flag.Part{
		{Serve: "blue", Share: 40 * flag.Percent}, {Serve: "green", Share: 30 * flag.Percent}, {Serve: "red", Share: 30 * flag.Percent}}}
	fewest, err := flag.Rebalance(live, naive)
	if err != nil {
		fmt.Println(err)
	}
	button := func(split flag.Split) *flag.Set {
		set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"button": {
			Variants: map[string]any{"blue": "#00f", "green": "#0f0", "red": "#f00"}, Split: &split}}})
		if err != nil {
			fmt.Println(err)
		}
		return set
	}
	resplits := map[string]flag.Split{"naive": naive, "fewest": fewest}
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(resplits))) {
		moved := flag.Diff(button(live), button(resplits[name]), nil)
		fmt.Println(name, "moves", moved.Most())
		fmt.Println(strings.ReplaceAll(moved.String(), " (split changed)", ""))
	}
	// Output:
	// naive moves 20 %
	// button   10.000 % of everybody: blue -> green
	//          10.000 % of everybody: green -> red
	// fewest moves 10 %
	// button   10.000 % of everybody: blue -> red
}
