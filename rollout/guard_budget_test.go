package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestGuardWithABudget: its rungs follow from the budget, it pauses when more were
// harmed than that, and what the journal has wins over other figures.
func TestGuardWithABudget(t *testing.T) {
	noRace(t)
	synctest.Test(t, func(t *testing.T) {
		journal, store := &rollout.Memory{}, pages(t)
		engine := engineOn(t, journal)
		budget := rollout.Budget{Harmed: 20, Rate: 10, ErrorRate: 0.02}
		ladder, err := budget.Ladder()
		require.NoError(t, err)
		guarded := rollout.Guarded{Flag: newPage, Budget: &budget, Traffic: rollout.MismatchIgnored, Judge: health.JudgeFunc(patient)}
		guard, err := engine.Guard(store, guarded)
		require.NoError(t, err)
		s := newSite(guard, store, 0.3)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.busy(ctx)
		done := make(chan error)
		go func() { _, err := guard.Run(ctx); done <- err }()
		for guard.Progress().Phase != "paused" {
			time.Sleep(time.Second)
			synctest.Wait()
		}
		p := guard.Progress()
		require.Contains(t, p.State.Paused.Reason, "of 20 users harmed beyond chance")
		require.Less(t, flag.Share(p.State.Share), flag.All)
		require.Greater(t, budget.Spent(p.Sample), 20.0)
		for _, rung := range ladder {
			require.Contains(t, p.Plan[len(p.Plan)-2], "shift from") // up to 100 %
			if rung.Hold > 0 {
				require.Contains(t, p.Plan, "hold "+rung.Hold.String()+" and 20 requests under errors, budget")
			}
		}
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		synctest.Wait()

		other := rollout.Budget{Harmed: 50, Rate: 1, ErrorRate: 0.1}
		guarded.Budget = &other
		again, err := wrapped(engineOn(t, journal).Guard(pages(t), guarded))
		require.NoError(t, err)
		require.Equal(t, p.Plan, again.Progress().Plan)
	})
}

// TestGuardAfterACheckpoint: a rollout that is over is known when a checkpoint has kept
// nothing of its plan, whatever that followed from.
func TestGuardAfterACheckpoint(t *testing.T) {
	for name, budget := range map[string]*rollout.Budget{"a ladder": nil, "a budget": {Harmed: 20, Rate: 10, ErrorRate: 0.02}} {
		t.Run(name, func(t *testing.T) {
			journal := &rollout.Memory{CheckpointEvery: 1}
			guarded := rollout.Guarded{Flag: newPage, Budget: budget, Before: map[string]rollout.Gate{"smoke": func(context.Context) error { return errNo }}}
			for range 2 {
				guard, err := wrapped(engineOn(t, journal).Guard(pages(t), guarded))
				require.NoError(t, err)
				outcome, err := guard.Run(t.Context())
				require.NoError(t, err)
				require.Equal(t, rollout.Cancelled, outcome)
			}
			if budget == nil {
				guarded.Hold = time.Second
				_, err := engineOn(t, journal).Guard(pages(t), guarded)
				require.ErrorIs(t, err, rollout.ErrConflict)
				require.ErrorContains(t, err, "for another request")
			}
		})
	}
}

// TestGuardRefusesBudgets that contradict something else, or that nobody can keep.
func TestGuardRefusesBudgets(t *testing.T) {
	budget := &rollout.Budget{Harmed: 20, Rate: 10, ErrorRate: 0.02}
	for want, guarded := range map[string]rollout.Guarded{
		"budget: given beside rungs, ladder or hold, which follow from it": {Flag: newPage, Budget: budget, Hold: time.Minute},
		"rungs: given beside ladder or hold, want one or the other":        {Flag: newPage, Rungs: rollout.Ladder{{Share: flag.All}}, Hold: time.Minute},
		"rungs[0]: hold: found 0s, want more than 0 below 100 %":           {Flag: newPage, Rungs: rollout.Ladder{{Share: flag.Percent}, {Share: flag.All}}},
		"rate": {Flag: newPage, Budget: &rollout.Budget{Harmed: 20}},
		"budget: 5 % have the flag already, and a budget begins at nobody": {Flag: steady, Budget: budget},
	} {
		store := pages(t)
		if guarded.Flag.Key() == "steady" {
			require.NoError(t, store.SetRamp("steady", flag.Ramp{Share: 5 * flag.Percent, Serve: "on", Salt: "steady"}, flag.Change{Actor: "ann", Reason: "a start"}))
		}
		_, err := engineOn(t, &rollout.Memory{}).Guard(store, guarded)
		require.ErrorIs(t, err, rollout.ErrInvalid, want)
		require.ErrorContains(t, err, want)
	}
}
