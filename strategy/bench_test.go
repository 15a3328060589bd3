package strategy_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// work is what people do with a plan, each of them once.
var work = []struct {
	name string
	do   func(strategy.Plan, []byte) any
}{
	{"Plan", func(p strategy.Plan, _ []byte) any { return rollingOf(p.Start().Old) }},
	{"Undo", func(p strategy.Plan, _ []byte) any { return p.Undo(len(p.Steps) - 1) }},
	{"UndoOfUndo", func(p strategy.Plan, _ []byte) any {
		back := strategy.Plan{Steps: p.Undo(len(p.Steps) - 1)}
		return back.Undo(len(back.Steps) - 1)
	}},
	{"String", func(p strategy.Plan, _ []byte) any { return p.String() }},
	{"Marshal", func(p strategy.Plan, _ []byte) any { text, err := json.Marshal(p); return [2]any{text, err} }},
	{"Unmarshal", func(_ strategy.Plan, text []byte) any { var p strategy.Plan; return json.Unmarshal(text, &p) }},
	{"After", func(p strategy.Plan, _ []byte) any { return p.After(len(p.Steps) - 1) }},
	{"Check", func(p strategy.Plan, _ []byte) any { return p.Check(everything{}) }},
	{"Names", func(p strategy.Plan, _ []byte) any { return [2]any{p.Gates(), p.Judges()} }},
	{"Length", func(p strategy.Plan, _ []byte) any { return p.Length() }},
}

// rollingOf is the longest plan there is for so many instances.
func rollingOf(instances int) strategy.Plan {
	plan, err := strategy.Rolling{Surge: count(1), MinReady: 1, Judges: []string{"errors"}, Gates: []string{"smoke"}}.Plan(strategy.Input{Old: "1", New: "2", Instances: instances})
	if err != nil {
		panic(err)
	}
	return plan
}

var kept any

// BenchmarkPlans is to grow with the instances, and no faster.
func BenchmarkPlans(b *testing.B) {
	for _, w := range work {
		for _, n := range []int{1_000, 10_000} {
			plan := rollingOf(n)
			text, err := json.Marshal(plan)
			require.NoError(b, err)
			b.Run(fmt.Sprintf("%s/%d", w.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					kept = w.do(plan, text)
				}
			})
		}
	}
}

// TestPlansGrowWithTheirInstances counts steps and allocations: four times the instances
// are four times as many, not sixteen times.
func TestPlansGrowWithTheirInstances(t *testing.T) {
	small, large := rollingOf(400), rollingOf(1_600)
	require.Less(t, len(large.Steps), 5*len(small.Steps))
	require.Less(t, len(large.Undo(len(large.Steps)-1)), 5*len(small.Undo(len(small.Steps)-1)))
	texts := map[int][]byte{}
	for _, plan := range []strategy.Plan{small, large} {
		text, err := json.Marshal(plan)
		require.NoError(t, err)
		texts[len(plan.Steps)] = text
	}
	for _, w := range work {
		t.Run(w.name, func(t *testing.T) {
			allocs := func(plan strategy.Plan) float64 {
				return testing.AllocsPerRun(1, func() { kept = w.do(plan, texts[len(plan.Steps)]) })
			}
			require.LessOrEqual(t, allocs(large), 6*allocs(small)+10)
		})
	}
}
