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

// A look that fails past the point of no return, while the journal is full; a person
// continues it. Are its marks written twice?
func TestAttackLostLookTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		disk := &full{Journal: memory, kind: rollout.KindLooked}
		p := strategy.Plan{Steps: []strategy.Step{
			strategy.Shift{To: 50 * strategy.Percent}, strategy.NoReturn{Why: "it is gone"}, strategy.Hold{For: 30 * time.Minute, Judges: []string{"a"}},
			strategy.Shift{From: 50 * strategy.Percent, To: strategy.All},
		}}
		judge := health.JudgeFunc(func(_ health.State, s health.Sample) (health.Verdict, health.State) {
			if s.Candidate.Requests() == 1 {
				return health.Verdict{Call: health.Fail, Reason: "it hurts"}, nil
			}
			return health.Verdict{}, nil
		})
		engine := newEngine(t, disk)
		cohorts, err := engine.Cohorts("r", "a", health.CohortsOptions{})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		over := make(chan error)
		go func() {
			_, err := engine.Deploy(ctx, rollout.Request{ID: "r", Plan: p, Target: w, Watches: map[string]rollout.Watch{"a": {Judge: judge, Cohorts: cohorts}}})
			over <- err
		}()
		time.Sleep(time.Minute)
		cohorts.Record(health.Outcome{Unit: 1, Slot: 0, Ramp: w.share.Load(), Class: health.Failure})
		time.Sleep(time.Minute)
		disk.room.Store(true)
		time.Sleep(time.Minute)
		t.Log(engine.Act(ctx, "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
		cohorts.Record(health.Outcome{Unit: 2, Slot: 0, Ramp: w.share.Load(), Class: health.Failure})
		time.Sleep(time.Minute)
		cancel()
		<-over
		marks := 0
		for r := range memory.Records() {
			if r.Look != nil {
				marks += len(r.Look.Checkpoint.Marks)
			}
		}
		_, err = newEngine(t, memory).Cohorts("r", "a", health.CohortsOptions{})
		require.NoError(t, err, "it can never be resumed")
		require.Equal(t, 2, marks)
	})
}
