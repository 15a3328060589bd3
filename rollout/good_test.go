package rollout_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/assert"
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

// TestLeftIsNotTakenBack: a release stays what it was if the rollout that was to take it
// back, or a drill's way back, was left where it stands.
func TestLeftIsNotTakenBack(t *testing.T) {
	for _, every := range []int{0, 1} {
		for _, drill := range []bool{false, true} {
			t.Run(fmt.Sprint(every, " ", drill), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					memory, w := &rollout.Memory{CheckpointEvery: every}, harmless()
					engine := newEngine(t, memory)
					request := func(id string) rollout.Request {
						w.share.Store(0)
						return rollout.Request{ID: id, Release: rel(id), Plan: toFifty, Target: w}
					}
					before := []string{"0", "1"}
					if drill {
						before = before[:1]
					}
					for _, id := range before {
						_, err := engine.Deploy(t.Context(), request(id))
						require.NoError(t, err)
					}
					act := rollout.Act{Kind: rollout.RollBack, Actor: "ann"}
					time.AfterFunc(time.Minute, func() {
						assert.NoError(t, engine.Act(t.Context(), "1 back", rollout.Act{Kind: rollout.Leave, Actor: "bob"}))
					})
					w.flaky = map[strategy.Share]int{0: 1000}
					if drill {
						d, err := engine.Drill(t.Context(), request("1"))
						require.NoError(t, err)
						require.NotEmpty(t, d.Astray)
						d, err = newEngine(t, memory).Drill(t.Context(), request("1"))
						require.NoError(t, err)
						require.EqualError(t, d.Err(), "rollout: drill 1: it has not come back")
					} else {
						require.NoError(t, engine.Act(t.Context(), "1", act))
						outcome, err := engine.Resume(t.Context(), rollout.Request{ID: "1 back", Target: w})
						require.NoError(t, err)
						require.Equal(t, rollout.Failed, outcome)
					}
					engine = newEngine(t, memory)
					good, _ := engine.Good("", "")
					require.Equal(t, rel("1"), good)
					delivery := measure(t, memory, rollout.DeliveryOptions{})[0]
					require.Equal(t, []int{2, 1}, []int{delivery.Deployments, delivery.Failed})
					require.Nil(t, delivery.RecoveryTime)
					why, err := engine.Explain("1")
					require.NoError(t, err)
					last := why[len(why)-1]
					require.Equal(t, []string{"failed", "act roll back"}, []string{last.What, last.Rule})
					require.Contains(t, last.Text, "left by bob where it stands")
					left := `no way back: "1 back" was to take it back, and was left where it stands`
					require.ErrorContains(t, engine.Act(t.Context(), "1", act), left)
					w.flaky = nil
					_, err = engine.Deploy(t.Context(), request("2"))
					require.NoError(t, err)
					require.ErrorContains(t, engine.Act(t.Context(), "1", act), left)
				})
			})
		}
	}
}
