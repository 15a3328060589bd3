package strategy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var ladder = []strategy.Share{0.1 * strategy.Percent, 5 * strategy.Percent, strategy.All}

func TestCanaryPlans(t *testing.T) {
	tests := []struct {
		name   string
		canary strategy.Canary
		from   strategy.Share
		want   string
	}{
		{"everything", strategy.Canary{Weights: ladder, Hold: time.Minute, Exposed: 20, Gates: []string{"smoke", "approved"}, Judges: []string{"errors"}}, 0, `
canary, 2m0s of holds
  1  verify by smoke, approved
  2  shift from 0 % to 0.1 %
  3  hold 1m0s and 20 requests under errors
  4  shift from 0.1 % to 5 %
  5  hold 1m0s and 20 requests under errors
  6  shift from 5 % to 100 %
  7  promote`},
		{"all at once", strategy.Canary{Weights: []strategy.Share{strategy.All}}, 0, `
canary, 0s of holds
  1  shift from 0 % to 100 %
  2  promote`},
		{"from between two rungs", strategy.Canary{Weights: ladder, Hold: time.Second}, strategy.Percent, `
canary, 1s of holds
  1  shift from 1 % to 5 %
  2  hold 1s
  3  shift from 5 % to 100 %
  4  promote`},
		{"from a rung", strategy.Canary{Weights: ladder, Hold: time.Second}, 5 * strategy.Percent, `
canary, 0s of holds
  1  shift from 5 % to 100 %
  2  promote`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := tt.canary.Plan(strategy.Input{From: tt.from})
			require.NoError(t, err)
			require.Equal(t, strings.TrimPrefix(tt.want, "\n"), plan.String())

			text, err := json.Marshal(plan)
			require.NoError(t, err)
			var back strategy.Plan
			require.NoError(t, json.Unmarshal(text, &back))
			require.Empty(t, cmp.Diff(plan, back))

			// From wherever it turns round, the way back ends where it began, and
			// every shift begins where the one before ended.
			for at := range plan.Steps {
				end := tt.from
				for _, step := range plan.Steps[:at+1] {
					if shift, ok := step.(strategy.Shift); ok {
						require.Equal(t, end, shift.From)
						end = shift.To
					}
				}
				for _, step := range plan.Undo(at) {
					shift := step.(strategy.Shift)
					require.Equal(t, end, shift.From)
					end = shift.To
				}
				require.Equal(t, tt.from, end, "undo of step %d", at)
				require.LessOrEqual(t, len(plan.Undo(at)), 1)
			}
			require.Empty(t, plan.Undo(-1))
		})
	}
}

func TestCanaryProblems(t *testing.T) {
	tests := []struct {
		name   string
		canary strategy.Canary
		from   strategy.Share
		want   []string
	}{
		{"nothing", strategy.Canary{}, 0, []string{"weights: found none, want a list that ends at 100 %"}},
		{"everything at once", strategy.Canary{Weights: []strategy.Share{10, 10, -1, 200_000}, Hold: -1, Exposed: -1}, strategy.All, []string{
			"from: found 100 %, want less than 100 %",
			"weights: found 200 % at the end, want a list that ends at 100 %",
			"weights[1]: found 0.01 % after 0.01 %, want ascending weights",
			"weights[2]: found -0.001 %, want more than 0 and at most 100 %",
			"weights[3]: found 200 %, want more than 0 and at most 100 %",
			"hold: found -1ns, want no negative time",
			"exposed: found -1, want no negative number",
		}},
		{"nobody to count", strategy.Canary{Weights: ladder, Exposed: 5}, 0, []string{"exposed: found 5 without judges, who would count them"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.canary.Plan(strategy.Input{From: tt.from})
			require.Error(t, err)
			lines := strings.Split(err.Error(), "\n")
			require.Len(t, lines, len(tt.want))
			for i, want := range tt.want {
				require.Contains(t, lines[i], want)
			}
		})
	}
}

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

// still is a target that can be read and not moved.
type still struct{}

func (still) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{}, nil
}

// movable can be moved as well.
type movable struct{ still }

func (movable) Shift(context.Context, strategy.Share) error { return nil }

func TestCheckNamesWhatIsMissing(t *testing.T) {
	plan, err := strategy.Canary{Weights: ladder}.Plan(strategy.Input{})
	require.NoError(t, err)
	err = plan.Check(still{})
	require.ErrorContains(t, err, "strategy: step 1 (shift from 0 % to 0.1 %) needs a target with the method Shift, which strategy_test.still lacks")
	require.Len(t, strings.Split(err.Error(), "\n"), 3)
	err = strategy.Plan{Steps: []strategy.Step{nil, &strategy.Shift{}, strategy.Shift{To: 2 * strategy.All}, strategy.Hold{Exposed: -1}, strategy.Verify{}}}.Check(movable{})
	require.EqualError(t, err, `strategy: step 1 is a <nil>, want a Verify, Scale, Mirror, Shift, Hold, NoReturn or Promote
strategy: step 2 is a *strategy.Shift, want a Verify, Scale, Mirror, Shift, Hold, NoReturn or Promote
strategy: step 3 (shift from 0 % to 200 %): found 0 % to 200 %, want shares from 0 to 100 %
strategy: step 4 (hold 0s): found 0s and -1 requests, want nothing negative
strategy: step 5 (verify by ): names no gates`)
	require.EqualError(t, plan.Check(nil), "strategy: no target")
	require.NoError(t, strategy.Plan{Steps: []strategy.Step{strategy.Promote{}}}.Check(still{}))
}

func FuzzPlanFromJSON(f *testing.F) {
	plan, err := strategy.Canary{Weights: ladder, Hold: time.Minute, Gates: []string{"smoke"}, Judges: []string{"errors"}}.Plan(strategy.Input{})
	require.NoError(f, err)
	text, err := json.Marshal(plan)
	require.NoError(f, err)
	f.Add(string(text))
	f.Fuzz(func(t *testing.T, text string) {
		var plan, back strategy.Plan
		if json.Unmarshal([]byte(text), &plan) != nil {
			return
		}
		out, err := json.Marshal(plan)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(out, &back), "%s", out)
		require.Equal(t, fmt.Sprint(plan), fmt.Sprint(back))
	})
}

func ExampleCanary_Plan() {
	plan, err := strategy.Canary{
		Weights: []strategy.Share{0.1 * strategy.Percent, 5 * strategy.Percent, 100 * strategy.Percent},
		Hold:    10 * time.Minute,
		Gates:   []string{"smoke"},
		Judges:  []string{"errors"},
	}.Plan(strategy.Input{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
	fmt.Println("and back from step 5:", plan.Undo(4))
	// Output:
	// canary, 20m0s of holds
	//   1  verify by smoke
	//   2  shift from 0 % to 0.1 %
	//   3  hold 10m0s under errors
	//   4  shift from 0.1 % to 5 %
	//   5  hold 10m0s under errors
	//   6  shift from 5 % to 100 %
	//   7  promote
	// and back from step 5: [shift from 5 % to 0 %]
}
