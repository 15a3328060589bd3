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

// TestActedBetween: what a person does after a step was written down and before it is
// taken counts: who aborts a shift then has nothing moved forward any more.
func TestActedBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, memory := harmless(), &rollout.Memory{}
		var engine *rollout.Engine
		engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
			if r.Kind == rollout.KindBegun && r.Step == 1 && r.Generation == 0 {
				if err := engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Abort, Actor: "ann"}); err != nil {
					t.Error(err)
				}
			}
		}})
		require.NoError(t, err)
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: w})
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, []strategy.Share{50 * strategy.Percent, 0}, w.shifts)
		checkJournal(t, memory)
	})
}

// TestActedWhileNothingIsWritten: a no that could not be written down is of no account
// any more once a person has sent the rollout back.
func TestActedWhileNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, memory := harmless(), &rollout.Memory{}
		w.badAbove = 0
		engine, err := rollout.New(&full{Journal: memory, kind: rollout.KindLooked}, rollout.Options{OnProblem: func(string, error) {}})
		require.NoError(t, err)
		time.AfterFunc(time.Minute, func() {
			if err := engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Abort, Actor: "ann", Reason: "so"}); err != nil {
				t.Error(err)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		outcome, err := engine.Deploy(ctx, w.request(plan(t), health.NewCohorts(health.CohortsOptions{})))
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Zero(t, w.at())
		checkJournal(t, memory)
	})
}

// TestPromotedAndAborted: who promotes a rollout on its way back, and then aborts it
// before it has moved again, has the traffic back where it came from.
func TestPromotedAndAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, memory := harmless(), &rollout.Memory{}
		w.badAbove = 0
		q := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
		sick := true
		q.Stable = func(context.Context) error {
			if sick {
				return errWrong
			}
			return nil
		}
		var engine *rollout.Engine
		act := func(kind rollout.ActKind) {
			if err := engine.Act(t.Context(), "r", rollout.Act{Kind: kind, Actor: "ann"}); err != nil {
				t.Error(err)
			}
		}
		engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
			if r.Kind == rollout.KindBegun && r.Generation == 2 {
				act(rollout.Abort)
			}
		}})
		require.NoError(t, err)
		time.AfterFunc(5*time.Minute, func() { act(rollout.Promote) }) // it is held until then
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		outcome, err := engine.Deploy(ctx, q)
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Zero(t, w.at())
		require.Equal(t, []strategy.Share{5 * strategy.Percent, 0}, w.shifts)
		checkJournal(t, memory)
	})
}
