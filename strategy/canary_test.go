package strategy_test

import (
	"encoding/json"
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
