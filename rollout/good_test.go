package rollout_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestRollBackTwice: after the newest release the one before it is taken back, with and
// without checkpoints and a restart between. What is good is known all the time.
func TestRollBackTwice(t *testing.T) {
	for _, every := range []int{0, 1} {
		t.Run(fmt.Sprint(every), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{CheckpointEvery: every}, harmless()
				engine := newEngine(t, memory)
				good := func(e *rollout.Engine, want rollout.Release) {
					t.Helper()
					r, ok := e.Good("", "")
					require.Equal(t, want, r)
					require.Equal(t, want != rollout.Release{}, ok)
				}
				good(engine, rollout.Release{})
				for _, id := range []string{"0", "1", "2"} {
					w.share.Store(0)
					_, err := engine.Deploy(t.Context(), rollout.Request{ID: id, Release: rel(id), Plan: toFifty, Target: w})
					require.NoError(t, err)
				}
				good(engine, rel("2"))
				act := rollout.Act{Kind: rollout.RollBack, Actor: "ann"}
				require.NoError(t, engine.Act(t.Context(), "2", act))
				_, err := engine.Resume(t.Context(), rollout.Request{ID: "2 back", Target: w})
				require.NoError(t, err)
				engine = newEngine(t, memory)
				good(engine, rel("1"))
				require.NoError(t, engine.Act(t.Context(), "1", act))
				good(engine, rel("1")) // it is asked for, and not yet taken back
				_, other := engine.Good("another service", "")
				require.False(t, other)
			})
		})
	}
}
