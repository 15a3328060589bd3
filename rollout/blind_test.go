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

// TestAJudgeThatSeesNothing: a judge that has had nothing to judge a hold by cannot tell,
// as a gate cannot: with everybody on the new version there is no old side to compare with.
func TestAJudgeThatSeesNothing(t *testing.T) {
	allAtOnce := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Minute, Judges: []string{"errors"}, Exposed: 20}}}
	compares := health.FirstFailure{} // of the default judge, the quick half
	tests := []struct {
		name   string
		judge  health.Judge
		class  health.Class
		change func(*rollout.Request)
		want   rollout.Outcome
		reason string
	}{
		{"nothing to compare with", compares, health.Failure, nil, rollout.RolledBack, `judge "errors" cannot tell at the end of its hold: candidate fails 100 % of 40 requests, baseline has none`},
		{"too few", health.Threshold{ErrorRate: 0.5, MinRequests: 1000}, health.Success, nil, rollout.RolledBack, `judge "errors" cannot tell at the end of its hold: candidate has 40 requests, a verdict takes 1,000`},
		{"a limit", health.ErrorLimit{Rate: 0.5}, health.Success, nil, rollout.Succeeded, ""},
		{"a limit that is passed", health.ErrorLimit{Rate: 0.5}, health.Failure, nil, rollout.RolledBack, "candidate"},
		{"it goes on", compares, health.Success, func(r *rollout.Request) { r.Doubt = rollout.ThenGoOn }, rollout.Succeeded, ""},
		{"it only reports", compares, health.Success, func(r *rollout.Request) {
			w := r.Watches["errors"]
			w.Then = rollout.ThenGoOn
			r.Watches["errors"] = w
		}, rollout.Succeeded, ""},
		{"in the shadow", compares, health.Success, func(r *rollout.Request) { r.Shadow = true }, rollout.Succeeded, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := newEngine(t, &rollout.Memory{})
				outcome, err := engine.Deploy(t.Context(), everybody(t, engine, allAtOnce, tt.judge, tt.class, tt.change))
				require.NoError(t, err)
				status, err := engine.Status("r")
				require.NoError(t, err)
				require.Equal(t, tt.want, outcome, status.State.Reason)
				require.Contains(t, status.State.Reason, tt.reason)
			})
		})
	}
	t.Run("a person decides", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			engine := newEngine(t, &rollout.Memory{})
			request := everybody(t, engine, allAtOnce, compares, health.Success, func(r *rollout.Request) { r.Doubt = rollout.ThenPause })
			done := make(chan rollout.Outcome)
			go func() {
				outcome, _ := engine.Deploy(t.Context(), request)
				done <- outcome
			}()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			status, err := engine.Status("r")
			require.NoError(t, err)
			require.Equal(t, "paused", status.Phase)
			require.Contains(t, status.State.Paused.Reason, "cannot tell")
			for _, user := range []uint64{1, 2, 3} { // an old side has come
				request.Watches["errors"].Cohorts.Record(health.Outcome{Unit: user, Slot: 99_999, Ramp: 99_000})
			}
			require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
			require.Equal(t, rollout.Succeeded, <-done)
		})
	})
}

// everybody is a request of which 40 users come to the new version, and nobody to the old.
func everybody(t *testing.T, engine *rollout.Engine, p strategy.Plan, judge health.Judge, class health.Class, change func(*rollout.Request)) rollout.Request {
	cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
	require.NoError(t, err)
	w := harmless()
	r := w.request(p, cohorts)
	r.Watches = map[string]rollout.Watch{"errors": {Judge: judge, Cohorts: cohorts}}
	if change != nil {
		change(&r)
	}
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() {
		for user := range uint64(40) {
			select {
			case <-time.After(time.Second):
				cohorts.Record(health.Outcome{Unit: user + 1, Slot: int32(user), Ramp: int32(strategy.All), Class: class})
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}
