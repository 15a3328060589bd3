package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

const shipFile = `{
  "name": "ship", "parallel": 2,
  "stages": [
    {"name": "build", "do": "build", "retry": {"attempts": 3, "wait": "10s"}, "timeout": "10m"},
    {"name": "smoke", "needs": ["build"], "gates": ["smoke", "licences"]},
    {"name": "expand", "needs": ["smoke"], "do": "add column", "undo": "drop column", "when": "migrates"},
    {"name": "preview", "needs": ["smoke"], "do": "preview", "optional": true},
    {"name": "production", "needs": ["smoke"], "deploy": "shop", "strategy":
      {"strategy": "canary", "environment": "production", "weights": [5, 100], "hold": "10m", "gates": ["smoke"], "judges": ["errors"]}},
    {"name": "contract", "needs": ["production"], "do": "drop old", "no_return": "orders.total is dropped"}
  ]
}`

// TestParsePipeline: what a file says is done, by what its names are bound to.
func TestParsePipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		var said []string
		says := func(what string, err error) rollout.Action {
			return func(_ context.Context, s *rollout.StageRun) error {
				said = append(said, what)
				return err
			}
		}
		target := harmless()
		made := ""
		var traffic sync.WaitGroup
		defer traffic.Wait()
		yes := func(context.Context) error { return nil }
		p, err := rollout.ParsePipeline([]byte(shipFile), rollout.Bindings{
			Actions: map[string]rollout.Action{
				"build": says("build", nil), "add column": says("add column", nil), "drop column": says("drop column", nil), "drop old": says("drop old", nil),
				"migrates": says("migrates", fmt.Errorf("%w: no migration", rollout.ErrSkip)), "preview": refuses,
			},
			Gates:    map[string]rollout.Gate{"smoke": yes, "licences": yes},
			Requests: map[string]rollout.Request{"shop": {Service: "shop", Target: target}},
			Watches: map[string]func(*rollout.StageRun) (rollout.Watch, error){"errors": func(s *rollout.StageRun) (rollout.Watch, error) {
				made = s.Rollout
				cohorts, err := engine.Cohorts(s.Rollout, "errors", health.CohortsOptions{})
				traffic.Go(func() {
					for unit := range uint64(40) {
						time.Sleep(20 * time.Second)
						cohorts.Record(health.Outcome{Unit: unit + 1, Ramp: 5_000})
					}
				})
				return rollout.Watch{Judge: health.JudgeFunc(patient), Cohorts: cohorts}, err
			}},
		})
		require.NoError(t, err)
		require.Equal(t, rollout.Retry{Attempts: 3, Wait: 10 * time.Second}, p.Stages[0].Retry)
		require.Equal(t, 10*time.Minute, p.Stages[0].Timeout)
		require.Equal(t, 2, p.Parallel)
		report, err := engine.Run(t.Context(), rollout.RunRequest{ID: "1"}, p)
		require.NoError(t, err)
		require.NoError(t, report.Err())
		require.Equal(t, "every stage was done, but expand was skipped, preview failed", report.Reason)
		require.Equal(t, []string{"build", "migrates", "drop old"}, said)
		require.Equal(t, "1/production", made)
		status, err := engine.Status("1/production")
		require.NoError(t, err)
		require.Equal(t, "shop in production", status.Service+" in "+status.Environment)
		require.Equal(t, "100 %", target.at().String())
	})
}

// TestParsePipelineProblems: all of them, each with its place.
func TestParsePipelineProblems(t *testing.T) {
	bindings := rollout.Bindings{
		Actions:  map[string]rollout.Action{"build": noop, "nil": nil},
		Gates:    map[string]rollout.Gate{"smoke": func(context.Context) error { return nil }},
		Requests: map[string]rollout.Request{"shop": {Target: harmless()}, "mine": {ID: "mine", Target: harmless()}},
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"no JSON", "{", []string{"line 1, column 2: found the end of the document, want a key in double quotes or '}'"}},
		{"no object", "[]", []string{"line 1, column 1: found an array, want an object"}},
		{"nothing", "{}", []string{"stages (line 1, column 1): missing, want a list of stages"}},
		{"no stages", `{"stages": []}`, []string{"stages (line 1, column 12): found none, want at least one"}},
		{"names", `{"stages": [
			{"name": "build", "do": "bild"},
			{"name": "a", "do": "nil", "needs": ["biuld", "q"], "when": "q", "colour": 1},
			{"name": "b", "gates": ["smoke", "smokes"]},
			{"name": "c", "guard": "flag"},
			{"name": "d", "deploy": "shop"},
			{"name": "e", "deploy": "shap", "strategy": {"strategy": "canari"}},
			{"name": "f", "deploy": "shop", "strategy": {"strategy": "canary", "weights": [5, 50], "hold": "1x"}},
			{"name": "g", "deploy": "shop", "strategy": {"strategy": "canary", "weights": [50, 5]}},
			{"name": "h", "deploy": "shop", "strategy": {"strategy": "canary", "weights": [5, 100], "hold": "1m", "gates": ["smoke", "x"], "judges": ["errors"]}},
			{"name": "i", "strategy": {}},
			{"name": "j", "do": "build", "gates": ["smoke"], "timeout": "-1s"},
			{"do": "build", "needs": ["j"], "no_return": "gone", "undo": "build"},
			{"name": "l", "do": "build", "no_return": "gone", "optional": true},
			{"name": "m", "deploy": "mine", "no_return": "", "strategy": {"strategy": "canary", "weights": [100]}}
		]}`, []string{
			`stages[0].do (line 2, column 28): found "bild", which is bound to nothing, did you mean "build"?`,
			`stages[1].do (line 3, column 24): found "nil", which is bound to nothing`,
			`stages[1].needs[0] (line 3, column 41): found "biuld", and nothing has this name, did you mean "build"?`,
			`stages[1].needs[1] (line 3, column 50): found "q", and nothing has this name`,
			`stages[1].when (line 3, column 64): found "q", which is bound to nothing`,
			`stages[1].colour (line 3, column 69): unknown field`,
			`stages[2].gates[1] (line 4, column 37): found "smokes", which is bound to nothing, did you mean "smoke"?`,
			`stages[3].guard (line 5, column 27): found "flag", which is bound to nothing`,
			`stages[4].strategy (line 6, column 4): missing beside "deploy", want how one version replaces the other`,
			`stages[5].deploy (line 7, column 28): found "shap", which is bound to nothing, did you mean "shop"?`,
			`stages[5].strategy.strategy (line 7, column 61): found "canari", did you mean "canary"?`,
			`stages[6].strategy.hold (line 8, column 99): found string "1x", want a duration like "10m"`,
			`stages[7].strategy (line 9, column 48): strategy: canary: weights: found 5 % at the end, want a list that ends at 100 %; strategy: canary: weights[1]: found 5 % after 50 %, want ascending weights`,
			`stages[8].strategy (line 10, column 48): found gate "x", which is bound to nothing`,
			`stages[8].strategy (line 10, column 48): found judge "errors", which is bound to nothing`,
			`stages[9] (line 11, column 4): found 0 of "do", "gates", "deploy" and "guard", want one`,
			`stages[9].strategy (line 11, column 30): given without "deploy"`,
			`stages[10] (line 12, column 4): found 2 of "do", "gates", "deploy" and "guard", want one`,
			`stages[10].timeout (line 12, column 64): found -1s, want no negative time`,
			`stages[11].name (line 13, column 4): missing, want the stage's name`,
			`stages[11].undo (line 13, column 65): given beside no return, after which nothing is taken back`,
			"stages[12].optional (line 14, column 66): given beside no return: what cannot be taken back is not left out",
			`stages[13].deploy (line 15, column 28): found "mine", which is bound to a request with the ID "mine", want none: it follows from the run and the stage`,
			`stages[13].no_return (line 15, column 49): found "", want why nothing can be taken back from there on`,
		}},
		{"a cycle", `{"stages": [{"name": "a", "do": "build", "needs": ["b"]}, {"name": "b", "do": "build", "needs": ["a"]}]}`, []string{
			"stages[0].needs (line 1, column 51): is in a cycle: a needs b needs a",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := rollout.ParsePipeline([]byte(test.text), bindings)
			require.ErrorIs(t, err, rollout.ErrInvalid)
			var typed *rollout.Error
			require.True(t, errors.As(err, &typed))
			got := strings.Split(strings.TrimPrefix(err.Error(), "rollout: parse pipeline: invalid request: "), "\n")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
				t.Logf("%q", got)
			}
		})
	}
}

// TestManyUnknownNames are all told of; hints end after some, as each looks at all names.
func TestManyUnknownNames(t *testing.T) {
	var p struct {
		Stages []map[string]any `json:"stages"`
	}
	for i := range 2000 {
		p.Stages = append(p.Stages, map[string]any{"name": fmt.Sprint("a stage with some name ", i), "do": "build", "needs": []string{fmt.Sprint("another stage with a name ", i)}})
	}
	text, err := json.Marshal(p)
	require.NoError(t, err)
	_, err = rollout.ParsePipeline(text, rollout.Bindings{Actions: map[string]rollout.Action{"build": noop}})
	require.Equal(t, 2000, strings.Count(err.Error(), "nothing has this name"))
	require.LessOrEqual(t, strings.Count(err.Error(), "did you mean"), 50)
}

func FuzzParsePipeline(f *testing.F) {
	f.Add([]byte(shipFile))
	f.Add([]byte(`{"stages": [{"name": "a", "needs": ["a"], "deploy": "shop", "strategy": 1}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := rollout.ParsePipeline(data, rollout.Bindings{Actions: map[string]rollout.Action{"build": noop}, Requests: map[string]rollout.Request{"shop": {Target: harmless()}}})
		if err == nil {
			require.NoError(t, p.Check())
		} else {
			require.ErrorIs(t, err, rollout.ErrInvalid)
		}
	})
}
