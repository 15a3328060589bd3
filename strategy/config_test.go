package strategy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestParse reads every field of every strategy.
func TestParse(t *testing.T) {
	hold := strategy.Hold{For: 90 * time.Minute, Exposed: 100, Judges: []string{"errors"}, Approval: true}
	const holds = `{"for": "1h30m", "exposed": 100, "judges": ["errors"], "approval": true}`
	tests := []struct {
		text string
		want strategy.Config
	}{
		{`{"strategy": "rolling", "environment": "production", "version": "2", "replaces": "1", "instances": 10, "progress": "5m", "no_return": "it is dropped",
			"surge": "25%", "unavailable": 1, "min_ready": "30s", "gates": ["smoke"], "judges": ["errors"], "after": ` + holds + `}`, strategy.Config{
			Strategy:    strategy.Rolling{Surge: part(25 * percent), Unavailable: count(1), MinReady: 30 * time.Second, Gates: []string{"smoke"}, Judges: []string{"errors"}, After: hold},
			Environment: "production", Input: strategy.Input{Old: "1", New: "2", Instances: 10, Progress: 5 * time.Minute, NoReturn: "it is dropped"},
		}},
		{`{"strategy": "rolling", "batch": "50 %"}`, strategy.Config{Strategy: strategy.Rolling{Batch: part(50 * percent)}}},
		{`{"strategy": "blue-green", "from": 0.1, "gates": ["smoke"], "mirror": 10, "before": ` + holds + `, "after": {"for": "0s"}, "keep": "1h"}`, strategy.Config{
			Strategy: strategy.BlueGreen{Gates: []string{"smoke"}, Mirror: 10 * percent, Before: hold, Keep: time.Hour}, Input: strategy.Input{From: 100},
		}},
		{`{"strategy": "canary", "weights": [1, 10.5, 100], "hold": "10m", "exposed": 50, "gates": ["smoke"], "judges": ["errors"], "mirror": 5,
			"before": ` + holds + `, "after": ` + holds + `, "keep": "1h", "by_instances": true}`, strategy.Config{Strategy: strategy.Canary{
			Weights: []strategy.Share{1 * percent, 10_500, strategy.All}, Hold: 10 * time.Minute, Exposed: 50, Gates: []string{"smoke"}, Judges: []string{"errors"},
			Mirror: 5 * percent, Before: hold, After: hold, Keep: time.Hour, ByInstances: true,
		}}},
		{`{"strategy": "canary", "rungs": [{"weight": 5, "gates": ["login"], "hold": "1m", "exposed": 5, "judges": ["speed"], "approval": true}, {"weight": 100}]}`, strategy.Config{Strategy: strategy.Canary{
			Rungs: []strategy.Rung{{Weight: 5 * percent, Gates: []string{"login"}, Hold: time.Minute, Exposed: 5, Judges: []string{"speed"}, Approval: true}, {Weight: strategy.All}},
		}}},
		{`{"strategy": "canary", "weights": {"linear": 40}}`, strategy.Config{Strategy: strategy.Canary{Weights: strategy.Linear(40 * percent)}}},
		{`{"strategy": "canary", "weights": {"exponential": 1, "factor": 10}}`, strategy.Config{Strategy: strategy.Canary{Weights: []strategy.Share{percent, 10 * percent, strategy.All}}}},
		{`{"strategy": "recreate", "gates": ["smoke"], "after": ` + holds + `}`, strategy.Config{Strategy: strategy.Recreate{Gates: []string{"smoke"}, After: hold}}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := strategy.Parse([]byte(tt.text))
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(tt.want, got))
		})
	}
}

// TestParseRefuses: everything that is wrong with a file, each with its place.
func TestParseRefuses(t *testing.T) {
	const names = "want one of rolling, blue-green, canary, recreate"
	tests := []struct{ name, text, want string }{
		{"nothing", ``, `strategy: line 1, column 1: found the end of the document, want a value`},
		{"a list", `[]`, `strategy: line 1, column 1: found an array, want an object`},
		{"no strategy", `{"weights": [100]}`, `strategy: strategy (line 1, column 1): missing, ` + names},
		{"another kind", `{"strategy": 5}`, `strategy: strategy (line 1, column 14): found number 5, ` + names},
		{"unknown", `{"strategy": "big-bang", "speed": 1}`, `strategy: strategy (line 1, column 14): found "big-bang", ` + names},
		{"nearly known, and what else is wrong", `{"strategy": "bluegreen", "keep": 5, "weight": []}`, `strategy: strategy (line 1, column 14): found "bluegreen", did you mean "blue-green"?
keep (line 1, column 35): found number 5, want a duration like "10m"
weight (line 1, column 38): unknown field`},
		{"twice", `{"strategy": "x", "strategy": "y"}`, `strategy: strategy (line 1, column 14): found "x", want one of rolling, blue-green, canary, recreate
strategy (line 1, column 19): duplicate key, the first is at line 1, column 2`},
		{"another's field", `{"strategy": "recreate", "surge": 1}`, `strategy: surge (line 1, column 26): unknown field`},
		{"several", `{
  "strategy": "canary", "instances": "ten", "progress": "soon",
  "weights": [1, 101, "all"], "hodl": "10m",
  "before": {"for": 5, "aproval": true},
  "rungs": [{"weight": 0.0001}, 5]
}`, `strategy: instances (line 2, column 38): found string "ten", want a whole number
progress (line 2, column 57): found string "soon", want a duration like "10m"
weights[1] (line 3, column 18): found 101, want a percentage from 0 to 100
weights[2] (line 3, column 23): found "all", want a percentage from 0 to 100
hodl (line 3, column 31): unknown field, did you mean "hold"?
before.for (line 4, column 21): found number 5, want a duration like "10m"
before.aproval (line 4, column 24): unknown field, did you mean "approval"?
rungs[0].weight (line 5, column 24): 0.0001 % is finer than 0.001 %, the smallest share
rungs[1] (line 5, column 33): found number 5, want an object`},
		{"weights of another kind", `{"strategy": "canary", "weights": 5}`, `strategy: weights (line 1, column 35): found number 5, want a list of percentages or a rule like {"linear": 10}`},
		{"weights by no rule", `{"strategy": "canary", "weights": {}}`, `strategy: weights (line 1, column 35): found linear 0 %, exponential 0 % and factor 0, want the first above 0, or the second above 0 and the third above 1`},
		{"weights by two rules", `{"strategy": "canary", "weights": {"linear": 5, "exponential": 1, "factor": 2}}`, `strategy: weights (line 1, column 35): found linear 5 %, exponential 1 % and factor 2, want the first above 0, or the second above 0 and the third above 1`},
		{"weights by half a rule", `{"strategy": "canary", "weights": {"exponential": 1}}`, `strategy: weights (line 1, column 35): found linear 0 %, exponential 1 % and factor 0, want the first above 0, or the second above 0 and the third above 1`},
		{"weights by another rule", `{"strategy": "canary", "weights": {"lineal": 5}}`, `strategy: weights.lineal (line 1, column 36): unknown field, did you mean "linear"?`},
		{"an amount in words", `{"strategy": "rolling", "surge": "some", "unavailable": 2.5, "batch": true}`, `strategy: surge (line 1, column 34): found "some", want a number of instances or a percentage like "25%"
unavailable (line 1, column 57): found 2.5, want a number of instances or a percentage like "25%"
batch (line 1, column 71): found true, want a number of instances or a percentage like "25%"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config, err := strategy.Parse([]byte(tt.text))
			require.EqualError(t, err, tt.want)
			require.Zero(t, config)
		})
	}
}

// TestConfigPlan: what is written well and means no plan, the plan refuses.
func TestConfigPlan(t *testing.T) {
	config, err := strategy.Parse([]byte(`{"strategy": "rolling", "surge": -1}`))
	require.NoError(t, err)
	_, err = config.Plan()
	require.EqualError(t, err, `strategy: rolling: instances: found none, want how many serve everybody
strategy: rolling: surge: found -1, want from 0 to 100000`)
	_, err = strategy.Config{}.Plan()
	require.EqualError(t, err, "strategy: found none, want one")
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"strategy": "rolling", "instances": 3, "surge": "25%", "unavailable": 1, "min_ready": "30s", "judges": ["errors"], "after": {"for": "1h"}}`,
		`{"strategy": "blue-green", "version": "2", "replaces": "1", "instances": 3, "mirror": 10, "before": {"for": "5m", "approval": true}, "keep": "1h"}`,
		`{"strategy": "canary", "from": 0.5, "weights": [1, 10, 100], "hold": "10m"}`,
		`{"strategy": "canary", "instances": 7, "by_instances": true, "weights": {"exponential": 1, "factor": 2}}`,
		`{"strategy": "canary", "rungs": [{"weight": 5, "hold": "1m"}, {"weight": 100}], "no_return": "x"}`,
		`{"strategy": "recreate", "instances": 3}`,
		`{"strategy": "blue green", "x": 1}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		config, err := strategy.Parse([]byte(text))
		if err != nil {
			require.Zero(t, config)
			return
		}
		if config.Input.Instances > 50 {
			return // too long to wait for
		}
		plan, err := config.Plan()
		if err != nil {
			require.Zero(t, plan)
			return
		}
		last := len(plan.Steps) - 1
		require.NoError(t, plan.Check(everything{}))
		require.Equal(t, strategy.Observation{Share: config.Input.From, Old: config.Input.Instances}, plan.Start())
		require.Equal(t, strategy.Observation{Share: strategy.All, New: config.Input.Instances}, plan.After(last))
		require.NotEmpty(t, plan.Undo(last))
	})
}
