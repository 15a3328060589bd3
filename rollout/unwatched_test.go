package rollout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// holding shifts to 10 %, holds for ten minutes, and shifts to 100 %.
var holding = strategy.Plan{Strategy: "holding", Steps: []strategy.Step{
	strategy.Shift{To: 10 * strategy.Percent}, strategy.Hold{For: 10 * time.Minute}, strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
}}

// TestASilentAlarm: one that has not been able to tell for a minute is told of, once,
// until it can; the rollout goes on.
func TestASilentAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnProblem: func(_ string, err error) { told = append(told, fmt.Sprint(err)) }})
		require.NoError(t, err)
		began := time.Now()
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: holding, Target: harmless(), Alarms: map[string]rollout.Gate{
			"db": func(ctx context.Context) error {
				if time.Since(began) < 5*time.Minute {
					<-ctx.Done()
				}
				return nil
			},
		}})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		require.Equal(t, []string{`alarm "db" cannot tell, for a minute or more: the rollout goes on without it`, "<nil>"}, told)
	})
}

// TestOnlyWatchedTimeCounts: a process that is gone again and again leaves no hold,
// however much time passes.
func TestOnlyWatchedTimeCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := newEngine(t, memory).Deploy(ctx, rollout.Request{ID: "r", Plan: holding, Target: w})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancel()
			time.Sleep(time.Hour)
		}
		require.Equal(t, 10*strategy.Percent, int(w.at()))
		began := time.Now()
		outcome, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "r", Plan: holding, Target: w})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		require.Equal(t, 10*time.Minute, time.Since(began))
	})
}

// TestBackByItsOwnTarget: whoever takes another's place, or takes it back, moves what
// that one moved, as long as this process knows it.
func TestBackByItsOwnTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, old, next := newEngine(t, &rollout.Memory{}), harmless(), harmless()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := engine.Deploy(ctx, rollout.Request{ID: "44", Plan: holding, Target: old})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		cancel()
		status, err := engine.Status("44")
		require.NoError(t, err)
		require.Equal(t, "44: holding at 10 %, and nobody carries it out here", status.String())
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "45", Plan: holding, Target: next})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		require.Zero(t, old.at())
		text, err := json.Marshal(status)
		require.NoError(t, err)
		var page struct {
			ID, Phase, State string
			Share            float64
			Plan             []string
			Driven           bool
		}
		require.NoError(t, json.Unmarshal(text, &page))
		require.Equal(t, []any{"44", "holding", "waiting 1", 10.0, 3, false}, []any{page.ID, page.Phase, page.State, page.Share, len(page.Plan), page.Driven})
		err = engine.Act(t.Context(), "44", rollout.Act{Kind: rollout.Approve, Actor: "ann", Seen: page.State})
		require.ErrorContains(t, err, "it is superseded by now, and was seen waiting 1")
	})
}
