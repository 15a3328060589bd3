package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// A person acts during OnProblem, and while the journal stalls; afterwards it goes on.
func TestAttackActDuringStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, w := &full{Journal: &rollout.Memory{}, kind: rollout.KindDone}, harmless()
		var engine *rollout.Engine
		engine, err := rollout.New(disk, rollout.Options{OnProblem: func(id string, err error) {
			_, _ = engine.Status(id)
			t.Log(err, engine.Act(context.Background(), id, rollout.Act{Kind: rollout.Pause, Actor: "ann"}))
		}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go func() {
			time.Sleep(time.Minute)
			disk.room.Store(true)
			time.Sleep(time.Minute)
			t.Log(engine.Act(ctx, "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
			t.Log(engine.Act(ctx, "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
		}()
		outcome, err := engine.Deploy(ctx, rollout.Request{ID: "r", Plan: holding, Target: w})
		t.Log(outcome, err)
		s, _ := engine.Status("r")
		t.Log(s.State)
	})
}
