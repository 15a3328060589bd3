package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// anHour is a plan that holds at 50 % for an hour.
var anHour = strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 50 * strategy.Percent}, strategy.Hold{For: time.Hour}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All}}}

// shipping is a stage that is a rollout.
func shipping(plan strategy.Plan, target strategy.Target) rollout.Stage {
	return rollout.Stage{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) {
		return rollout.Request{Plan: plan, Target: target}, nil
	}}
}

func version(v string) rollout.Release { return rollout.Release{Name: "shop", Version: v} }

// TestRetriesLeaveWhatPeopleDecide: what a person aborts, or another rollout takes the
// place of, is not begun again; nor is it after a crash before the journal had that.
func TestRetriesLeaveWhatPeopleDecide(t *testing.T) {
	tests := map[string]struct {
		meanwhile func(t *testing.T, e *rollout.Engine, w *world)
		reason    string
	}{
		"aborted": {func(t *testing.T, e *rollout.Engine, _ *world) {
			require.NoError(t, e.Act(t.Context(), "run/ship", rollout.Act{Kind: rollout.Abort, Actor: "anna", Reason: "it loses orders"}))
		}, "it loses orders"},
		"superseded": {func(t *testing.T, e *rollout.Engine, w *world) {
			_, err := e.Deploy(t.Context(), rollout.Request{ID: "hotfix", Release: version("1.1"), Plan: toFifty, Target: w})
			require.NoError(t, err)
		}, `rollout "hotfix" takes its place`},
	}
	for name, test := range tests {
		for _, crash := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{}, harmless()
				ctx, stop := context.WithCancel(t.Context())
				engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
					if crash && r.Rollout == "run/ship" && r.Kind == rollout.KindFinished {
						stop()
					}
				}})
				require.NoError(t, err)
				p := line(shipping(anHour, w))
				p.Stages[0].Retry = rollout.Retry{Attempts: 3}
				done := make(chan struct{})
				go func() {
					defer close(done)
					time.Sleep(time.Minute)
					test.meanwhile(t, engine, w)
				}()
				request := rollout.RunRequest{ID: "run", Release: version("1")}
				report, err := engine.Run(ctx, request, p)
				<-done
				stop()
				if crash {
					require.ErrorIs(t, err, context.Canceled)
					report, err = newEngine(t, memory).Run(t.Context(), request, p)
				}
				require.NoError(t, err)
				require.Equal(t, rollout.Failed, report.Outcome, "%s, crash %v", name, crash)
				require.Contains(t, report.Reason, test.reason)
				_, err = engine.Status("run/ship#2")
				require.ErrorIs(t, err, rollout.ErrNotFound, "%s, crash %v", name, crash)
			})
		}
	}
}
