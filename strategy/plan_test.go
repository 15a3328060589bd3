package strategy_test

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestNamesOnce: whoever binds a plan's names binds each of them once, in order.
func TestNamesOnce(t *testing.T) {
	plan := strategy.Plan{Steps: []strategy.Step{
		strategy.Verify{Gates: []string{"smoke", "approved", "smoke"}}, strategy.Hold{Judges: []string{"errors", "speed"}},
		strategy.Verify{Gates: []string{"late", "smoke"}}, strategy.Hold{Judges: []string{"speed", "money", "errors"}},
	}}
	require.Equal(t, []string{"smoke", "approved", "late"}, plan.Gates())
	require.Equal(t, []string{"errors", "speed", "money"}, plan.Judges())
}

func TestPlanFromJSON(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown step", `{"strategy": "canary", "steps": [{"leap": {}}]}`, "steps[0].leap"},
		{"no step", `{"strategy": "canary", "steps": [{}]}`, "steps[0] (line 1, column 34): has 0 steps, want one"},
		{"two steps", `{"strategy": "canary", "steps": [{"promote": {}, "verify": {"gates": []}}]}`, "has 2 steps, want one"},
		{"nobody to ask", `{"strategy": "canary", "steps": [{"verify": {"gates": []}}]}`, "steps[0].verify (line 1, column 45): names no gates"},
		{"back in time", `{"strategy": "canary", "steps": [{"hold": {"for": "-1s"}}]}`, "found -1s and 0 requests, want nothing negative"},
		{"unknown field", `{"strategy": "canary", "steps": [{"hold": {"for": "1s", "jugdes": []}}]}`, `did you mean "judges"`},
		{"too much", `{"strategy": "canary", "steps": [{"shift": {"from": 0, "to": 101}}]}`, "found 101, want a percentage from 0 to 100"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var plan strategy.Plan
			require.ErrorContains(t, json.Unmarshal([]byte(tt.text), &plan), tt.want)
		})
	}
}

// TestNoReturn: from where on there is no way back, and what people and files see of
// that.
func TestNoReturn(t *testing.T) {
	plan := strategy.Plan{Strategy: "contract", Steps: []strategy.Step{
		strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Minute, Approval: true}, strategy.NoReturn{Why: "orders.total is dropped"}, strategy.Promote{},
	}}
	for at, want := range []bool{true, true, false, false, false} {
		require.Equal(t, want, plan.Returns(at), "from step %d", at)
	}
	require.True(t, plan.Returns(-1))
	require.Equal(t, `contract, 1m0s of holds
  1  shift from 0 % to 100 %
  2  hold 1m0s until approved
  3  point of no return: orders.total is dropped
  4  promote`, plan.String())
	text, err := json.Marshal(plan)
	require.NoError(t, err)
	var back strategy.Plan
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, plan, back)
	require.EqualError(t, strategy.Plan{Steps: []strategy.Step{strategy.NoReturn{}}}.Check(movable{}), "strategy: step 1 (point of no return: ): says not why")
}

// TestStepNumbersBeyondThePlan are as far as it goes.
func TestStepNumbersBeyondThePlan(t *testing.T) {
	plan, err := strategy.BlueGreen{}.Plan(strategy.Input{Instances: 2, NoReturn: "it is dropped"})
	require.NoError(t, err)
	for _, at := range []int{-1, -2, math.MinInt} {
		require.Equal(t, plan.Start(), plan.After(at))
		require.Empty(t, plan.Undo(at))
		require.True(t, plan.Returns(at))
	}
	last := len(plan.Steps) - 1
	for _, at := range []int{last + 1, math.MaxInt} {
		require.Equal(t, plan.After(last), plan.After(at))
		require.Equal(t, plan.Undo(last), plan.Undo(at))
		require.False(t, plan.Returns(at))
	}
}

// TestLengthOfLongPlans is the longest time there is, and not a negative one.
func TestLengthOfLongPlans(t *testing.T) {
	hold := strategy.Hold{For: math.MaxInt64 - 1}
	require.Equal(t, time.Duration(math.MaxInt64), strategy.Plan{Steps: []strategy.Step{hold, hold, hold}}.Length())
}

// TestUndoOfNothing: what a plan leads to and back from is taken back all the same, as its
// last step may not have come through.
func TestUndoOfNothing(t *testing.T) {
	half := strategy.Share(50 * percent)
	there := []strategy.Step{strategy.Mirror{To: 10}, strategy.Scale{New: strategy.Count{To: 3}}, strategy.Shift{To: half}}
	back := []strategy.Step{strategy.Shift{From: half}, strategy.Scale{New: strategy.Count{From: 3}}, strategy.Mirror{From: 10}}
	for i, step := range back {
		plan := strategy.Plan{Steps: slices.Concat(there, back[:i+1])}
		require.Contains(t, plan.Undo(len(plan.Steps)-1), step)
	}
}

func FuzzPlanFromJSON(f *testing.F) {
	all := strategy.Hold{For: time.Minute, Exposed: 5, Judges: []string{"errors"}, Approval: true}
	in := strategy.Input{Old: "1", New: "2", Instances: 2, NoReturn: "it is dropped"}
	for _, s := range []strategy.Strategy{
		strategy.Canary{Weights: ladder, Hold: time.Minute, Gates: []string{"smoke"}, Judges: []string{"errors"}, Mirror: percent, Before: all, After: all, Keep: time.Hour},
		strategy.Rolling{Surge: count(1), MinReady: time.Second, Judges: []string{"errors"}},
		strategy.BlueGreen{Mirror: percent, Before: all},
		strategy.Recreate{After: all},
	} {
		plan, err := s.Plan(in)
		require.NoError(f, err)
		back := plan
		back.Steps = plan.Undo(len(plan.Steps) - 1)
		for _, plan := range []strategy.Plan{plan, back} {
			text, err := json.Marshal(plan)
			require.NoError(f, err)
			f.Add(string(text))
		}
	}
	f.Add(`{"strategy": "x", "steps": [{"promote": {"back": true}}, {"scale": {"old": {"from": 3, "to": 3}}}, {"hold": {"for": "2562047h47m16.854775807s"}}, {"hold": {"for": "1h", "judges": []}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var plan, back strategy.Plan
		if json.Unmarshal([]byte(text), &plan) != nil {
			return
		}
		out, err := json.Marshal(plan)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(out, &back), "%s", out)
		require.Equal(t, plan, back)
		require.Equal(t, plan.String(), back.String())
		if err := plan.Check(everything{}); err != nil { // a journal may have had steps that do not join
			for problem := range strings.Lines(err.Error()) {
				require.Contains(t, problem, "does not begin where the steps before it lead to")
			}
		}
		require.GreaterOrEqual(t, plan.Length(), time.Duration(0))
		if n := len(plan.Steps); n > 0 { // the way back is one, whatever the steps say
			steps := plan.Undo(n - 1)
			start, end := plan.Start(), plan.After(n-1)
			for _, step := range steps {
				switch step := step.(type) {
				case strategy.Shift:
					end.Share = step.To
				case strategy.Mirror:
					end.Mirror = step.To
				case strategy.Scale:
					end.Old, end.New = step.Old.To, step.New.To
				}
			}
			require.Equal(t, start, end)
		}
	})
}
