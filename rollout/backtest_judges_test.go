package rollout_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// guarded runs a guarded rollout on live traffic, in processes that each live for a
// while, until it is over.
func guarded(t *testing.T, journal rollout.Journal, g rollout.Guarded, failing float64, process time.Duration) rollout.Outcome {
	t.Helper()
	store := pages(t)
	for {
		guard, err := engineOn(t, journal).Guard(store, g)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), process)
		go newSite(guard, store, failing).busy(ctx)
		outcome, err := guard.Run(ctx)
		over := ctx.Err() == nil
		cancel()
		synctest.Wait()
		if over {
			require.NoError(t, err)
			return outcome
		}
	}
}

// TestBacktestSeesWhatJudgesSaw: given the judges that a rollout had, a backtest has the
// same verdicts at the same looks, and finds that nothing would have been different: with
// all kinds of evidence, over restarts, and from a checkpoint on.
func TestBacktestSeesWhatJudgesSaw(t *testing.T) {
	noShortRace(t)
	shop := rollout.Guarded{Flag: newPage, Hold: 3 * time.Minute, Cohorts: health.CohortsOptions{Slow: []time.Duration{time.Second}}}
	plan := 9 * time.Minute // three holds
	judges := map[string]health.Judge{
		"errors":  health.DefaultJudge(plan, health.Errors, health.Latency),
		"traffic": health.Placebo{Of: health.Traffic, Alpha: 0.01, Over: plan},
	}
	tests := []struct {
		name    string
		failing float64
		process time.Duration
		every   int
		want    rollout.Outcome
	}{
		{"good", 0, 2 * time.Hour, 0, rollout.Succeeded},
		{"good, restarted", 0.001, 2 * time.Minute, 0, rollout.Succeeded},
		{"bad", 0.3, 2 * time.Hour, 0, rollout.RolledBack},
		{"a little bad, restarted, checkpoints", 0.02, 4 * time.Minute, 20, rollout.RolledBack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := &rollout.Memory{CheckpointEvery: tt.every}
				outcome := guarded(t, memory, shop, tt.failing, tt.process)
				require.Equal(t, tt.want, outcome)
				seen, said := map[string][]health.Sample{}, map[string][]health.Verdict{}
				policy := rollout.Policy{Watches: map[string]rollout.Watch{}}
				for name, judge := range judges {
					policy.Watches[name] = rollout.Watch{Judge: health.JudgeFunc(func(state health.State, sample health.Sample) (health.Verdict, health.State) {
						v, next := judge.Look(state, sample)
						seen[name], said[name] = append(seen[name], sample), append(said[name], v)
						return v, next
					})}
				}
				all := records(t, memory) // which have whole samples still
				report := backtest(t, sequence(fromText(t, all), nil), policy)
				looks, counted := map[string]int{}, time.Time{}
				for _, r := range all {
					if r.Look == nil {
						continue
					}
					name, want := r.Look.Watch, r.Look.Checkpoint.Sample
					got, verdict := seen[name][looks[name]], said[name][looks[name]]
					looks[name]++
					if name == "errors" {
						counted = r.At
						require.Empty(t, cmp.Diff(r.Look.Verdict, verdict), r.String())
					} else if r.At != counted { // the counts by bucket stand in the look of the other
						got.Tables, want.Tables = nil, nil
					}
					require.Equal(t, r.Look.Verdict.Call, verdict.Call)
					want.Tables = slices.DeleteFunc(slices.Clone(want.Tables), func(t health.Table) bool { return slices.Max(t.Counts) == 0 })
					require.Equal(t, asJSON(t, want), asJSON(t, got), r.String())
				}
				require.Greater(t, looks["errors"], 5)
				require.Equal(t, looks["errors"]+looks["traffic"], report.Looks)
				require.Equal(t, 1, report.Same, report.String())
				require.Empty(t, report.Differ)
				if tt.every > 0 {
					from := 0
					for i, r := range all {
						if r.Checkpoint != nil && len(r.Checkpoint.Live) > 0 {
							from = i
						}
					}
					require.Positive(t, from)
					require.Equal(t, report.Looks, backtest(t, sequence(all[from:], nil), policy).Looks, "a checkpoint has the records of what was under way")
				}
			})
		})
	}
}

// fromText is the records as a file has them.
func fromText(t testing.TB, all []rollout.Record) []rollout.Record {
	t.Helper()
	var read []rollout.Record
	require.NoError(t, json.Unmarshal([]byte(asJSON(t, all)), &read))
	return read
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
