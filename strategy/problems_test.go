package strategy_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestProblems: everything that is wrong with a strategy and its input is said at once,
// by place, with what was found and what is wanted.
func TestProblems(t *testing.T) {
	bad := strategy.Hold{For: -time.Second, Exposed: 3, Judges: []string{"errors", "errors"}}
	countless := strategy.Hold{Exposed: 3}
	ten := strategy.Input{Instances: 10}
	tests := []struct {
		name     string
		strategy strategy.Strategy
		input    strategy.Input
		want     string
	}{
		{"rolling: nothing", strategy.Rolling{}, strategy.Input{}, `
instances: found none, want how many serve everybody
surge, unavailable: found 0 and 0, want room to move: one of them above zero`},
		{"rolling: no room, written as a share", strategy.Rolling{Surge: part(0)}, ten, `
surge, unavailable: found 0 and 0, want room to move: one of them above zero`},
		{"rolling: all at once", strategy.Rolling{Surge: count(10), MinReady: time.Minute, Judges: []string{"errors"}}, ten, `
judges: found ["errors"], and no hold in which the new version has traffic, when would they watch`},
		{"canary: all at once", strategy.Canary{Weights: []strategy.Share{strategy.All}, Judges: []string{"errors", "speed"}, After: strategy.Hold{Judges: []string{"speed"}}}, ten, `
judges: found ["errors"], and no hold in which the new version has traffic, when would they watch`},
		{"canary: from there on", strategy.Canary{Weights: ladder, Hold: time.Minute, Judges: []string{"errors"}}, strategy.Input{From: 99 * percent}, `
judges: found ["errors"], and no hold in which the new version has traffic, when would they watch`},
		{"rolling: everything", strategy.Rolling{
			Surge: count(-1), Unavailable: part(101 * percent), Batch: strategy.Amount{Count: 1, Share: 1}, MinReady: -1, Judges: []string{""}, Gates: []string{"smoke", "smoke"}, After: bad,
		}, strategy.Input{Instances: -1, From: -1, Progress: -1, Old: "1", New: "1"}, `
from: found -0.001 %, want less than 100 %: there is nothing left to move
instances: found -1, want from 0 to 100000
progress: found -1ns, want no negative time
old, new: found "1" for both, want two versions
batch: found 0.001% beside surge -1 and unavailable 101%, want one or the other
surge: found -1, want from 0 to 100000
unavailable: found 1 and 0.001 %, want one or the other
min_ready: found -1ns, want no negative time
gates[1]: found "smoke", want each name once, and none empty
judges[0]: found "", want each name once, and none empty
after: found -1s and 3 requests, want nothing negative
after.judges[1]: found "errors", want each name once, and none empty`},
		{"rolling: a deadline shorter than the holds", strategy.Rolling{Surge: count(1), MinReady: time.Minute}, strategy.Input{Instances: 10, Progress: time.Minute}, `
min_ready: found 1m0s, want less than the progress deadline of 1m0s`},
		{"rolling: the default deadline is one, too", strategy.Rolling{Surge: count(1), MinReady: 10 * time.Minute}, ten, `
min_ready: found 10m0s, want less than the progress deadline of 10m0s`},
		{"rolling: judges that never watch", strategy.Rolling{Surge: count(1), Judges: []string{"errors"}}, ten, `
judges: found ["errors"] with no min_ready, when would they watch`},
		{"rolling: absurd", strategy.Rolling{Surge: count(math.MaxInt32), Unavailable: part(math.MinInt32)}, strategy.Input{Instances: math.MaxInt32, From: math.MaxInt32}, `
from: found 2147483.647 %, want less than 100 %: there is nothing left to move
instances: found 2147483647, want from 0 to 100000
surge: found 2147483647, want from 0 to 100000
unavailable: found -2147483.648 %, want from 0 to 100 %`},
		{"blue-green: everything", strategy.BlueGreen{
			Gates: []string{""}, Mirror: -1, Before: bad, After: countless, Keep: -1,
		}, strategy.Input{From: strategy.All, Old: "1"}, `
from: found 100 %, want less than 100 %: there is nothing left to move
new: found none beside the old version "1", want one
gates[0]: found "", want each name once, and none empty
before: found -1s and 3 requests, want nothing negative
before.judges[1]: found "errors", want each name once, and none empty
after: found 3 requests without judges, who would count them
mirror: found -0.001 %, want from 0 to 100 %
keep: found -1ns, want no negative time`},
		{"blue-green: copies for nobody", strategy.BlueGreen{Mirror: percent}, ten, `
mirror: found 1 % for no time, want a hold before anybody is exposed`},
		{"blue-green: who knows which", strategy.BlueGreen{}, strategy.Input{Instances: 10, From: percent}, `
from: found 1 % with 10 instances, want 0 %: nobody knows how many of them are new`},
		{"canary: nothing", strategy.Canary{}, strategy.Input{}, `
weights: found none, want a list that ends at 100 %`},
		{"canary: everything", strategy.Canary{
			Weights: []strategy.Share{10, 10, -1, 200_000}, Hold: -1, Exposed: -1, Judges: []string{"a", "a"}, Gates: []string{"b", "b"},
			Mirror: 101 * percent, Before: bad, After: bad, Keep: -1, ByInstances: true,
		}, strategy.Input{Progress: -1}, `
progress: found -1ns, want no negative time
weights: found 200 % at the end, want a list that ends at 100 %
weights[1]: found 0.01 % after 0.01 %, want ascending weights
weights[2]: found -0.001 %, want more than 0 and at most 100 %
weights[3]: found 200 %, want more than 0 and at most 100 %
gates[1]: found "b", want each name once, and none empty
judges[1]: found "a", want each name once, and none empty
hold: found -1ns, want no negative time
exposed: found -1, want no negative number
instances: found none, want how many serve everybody
mirror: found 101 %, want from 0 to 100 %
mirror: found 101 % for no time, want a hold before anybody is exposed
before: found -1s and 3 requests, want nothing negative
before.judges[1]: found "errors", want each name once, and none empty
after: found -1s and 3 requests, want nothing negative
after.judges[1]: found "errors", want each name once, and none empty
keep: found -1ns, want no negative time`},
		{"canary: nobody to count", strategy.Canary{Weights: ladder, Exposed: 5}, strategy.Input{}, `
exposed: found 5 without judges, who would count them`},
		{"canary: weights that fall", strategy.Canary{Weights: []strategy.Share{50 * percent, 10 * percent, strategy.All}}, strategy.Input{}, `
weights[1]: found 10 % after 50 %, want ascending weights`},
		{"canary: weights that go on", strategy.Canary{Weights: []strategy.Share{strategy.All, strategy.All}}, strategy.Input{}, `
weights[1]: found 100 % after 100 %, want ascending weights`},
		{"canary: rungs", strategy.Canary{
			Hold: time.Minute, Judges: []string{"errors"},
			Rungs: []strategy.Rung{
				{Weight: 50 * percent, Exposed: 5, Hold: -1, Gates: []string{"a", "a"}},
				{Weight: 10 * percent, Judges: []string{"speed", "speed"}},
				{Weight: strategy.All, Exposed: 5}, // here the canary's judges have nothing to compare
			},
		}, strategy.Input{}, `
rungs: found 3 beside weights [], hold 1m0s and exposed 0, want one or the other
rungs[1]: found 10 % after 50 %, want ascending weights
rungs[0].gates[1]: found "a", want each name once, and none empty
rungs[0]: found -1ns and 5 requests, want nothing negative
rungs[1].judges[1]: found "speed", want each name once, and none empty
rungs[2]: found 5 requests without judges, who would count them`},
		{"recreate: everything", strategy.Recreate{Gates: []string{"", ""}, After: bad}, strategy.Input{From: percent}, `
instances: found none, want how many serve everybody
gates[0]: found "", want each name once, and none empty
gates[1]: found "", want each name once, and none empty
after: found -1s and 3 requests, want nothing negative
after.judges[1]: found "errors", want each name once, and none empty`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, _, _ := strings.Cut(tt.name, ":")
			plan, err := tt.strategy.Plan(tt.input)
			require.Error(t, err)
			require.Zero(t, plan)
			require.Equal(t, strings.ReplaceAll(tt.want, "\n", "\nstrategy: "+name+": ")[1:], err.Error())
		})
	}
}
