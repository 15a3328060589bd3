package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestActIsNotWatching: what a person does to a rollout that nobody drives does not make
// the time before part of its hold.
func TestActIsNotWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		request := rollout.Request{ID: "r", Plan: holding, Target: w}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := newEngine(t, memory).Deploy(ctx, request)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(9 * time.Hour) // nobody drives it
		engine := newEngine(t, memory)
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Pause, Actor: "ann"}))
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
		began := time.Now()
		_, err = engine.Deploy(t.Context(), request)
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(began), 9*time.Minute, "a hold of 10 minutes was watched for one")
	})
}

// TestGapsAreNotWatched: nor do the looks of many short processes make the time between
// them so.
func TestGapsAreNotWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		p, err := strategy.Canary{Weights: []strategy.Share{10 * strategy.Percent, strategy.All}, Hold: 10 * time.Minute, Judges: []string{"errors"}}.Plan(strategy.Input{})
		require.NoError(t, err)
		var watched time.Duration
		for n := 0; n < 40; n++ {
			engine := newEngine(t, memory)
			cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			cohorts.Record(health.Outcome{Unit: uint64(n), Slot: 0, Ramp: max(w.share.Load(), 1), Class: health.Success})
			cohorts.Record(health.Outcome{Unit: uint64(1000 + n), Slot: 99_999, Ramp: 1, Class: health.Failure}) // one mark, one look
			began := time.Now()
			outcome, err := engine.Deploy(ctx, w.request(p, cohorts))
			watched += time.Since(began)
			cancel()
			if err == nil {
				require.GreaterOrEqual(t, watched, 10*time.Minute, "%v after %d processes", outcome, n+1)
				return
			}
			time.Sleep(5 * time.Minute)
		}
	})
}
