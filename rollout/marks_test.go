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

// TestLostLookOnce: a look that fails past the point of no return while the journal is
// full is written once there is room, and its marks are in one record.
func TestLostLookOnce(t *testing.T) {
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
		require.NoError(t, engine.Act(ctx, "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
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
		require.NoError(t, err)
		require.Equal(t, 2, marks)
	})
}

// TestSharedCohorts: the marks of cohorts that judges share are in the looks of the
// first of them, and nothing else could be restored; so a plan that has another one
// first is refused.
func TestSharedCohorts(t *testing.T) {
	one, other := health.NewCohorts(health.CohortsOptions{}), health.NewCohorts(health.CohortsOptions{})
	quiet := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil })
	watches := map[string]rollout.Watch{"a": {Judge: quiet, Cohorts: one}, "b": {Judge: quiet, Cohorts: one}, "c": {Judge: quiet, Cohorts: other}}
	tests := []struct {
		name   string
		second []string
		want   string
	}{
		{"the same", []string{"a", "b"}, ""},
		{"the first alone", []string{"a"}, ""},
		{"another that shares nothing", []string{"c"}, ""},
		{"another that shares nothing before it", []string{"c", "a", "b"}, ""},
		{"the second alone", []string{"b"}, `plan: step 4 (hold 1m0s under b): "b" shares its cohorts with "a", which an earlier step names first: want "a" here, too, and before it`},
		{"the other way round", []string{"b", "a"}, `plan: step 4 (hold 1m0s under b, a): "b" shares`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := strategy.Plan{Steps: []strategy.Step{
					strategy.Shift{To: 10 * strategy.Percent}, strategy.Hold{For: time.Minute, Judges: []string{"a", "b"}},
					strategy.Shift{From: 10 * strategy.Percent, To: 50 * strategy.Percent}, strategy.Hold{For: time.Minute, Judges: tt.second},
				}}
				_, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), rollout.Request{ID: "r", Plan: p, Target: harmless(), Watches: watches})
				if tt.want == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, rollout.ErrInvalid)
				require.ErrorContains(t, err, tt.want)
			})
		})
	}
}
