package rollout_test

import (
	"testing"
	"testing/synctest"

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
