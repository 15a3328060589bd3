package rollout_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestTakenBackAfterSuccess: a person takes a guard's rollout back after it has
// succeeded; Run drives that, in this process or in the next one, and the flag stays
// off.
func TestTakenBackAfterSuccess(t *testing.T) {
	for name, restart := range map[string]bool{"in this process": false, "in the next": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, store := &rollout.Memory{}, pages(t)
				engine := engineOn(t, journal)
				guarded := rollout.Guarded{Flag: newPage, Hold: time.Minute, Ladder: []flag.Share{50 * flag.Percent, flag.All}}
				guard, err := engine.Guard(store, guarded)
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				go newSite(guard, store, 0).busy(ctx)
				outcome, err := guard.Run(ctx)
				cancel()
				synctest.Wait()
				require.NoError(t, err)
				require.Equal(t, rollout.Succeeded, outcome)

				require.NoError(t, engine.Act(t.Context(), "new-page", rollout.Act{Kind: rollout.RollBack, Actor: "ann", Reason: "orders are lost"}))
				at := func(want flag.Share) {
					t.Helper()
					status, err := store.Status("new-page")
					require.NoError(t, err)
					require.Equal(t, want, status.Ramp.Share)
				}
				if restart {
					store = pages(t)
					guard, err = wrapped(engineOn(t, journal).Guard(store, guarded))
					require.NoError(t, err)
					at(0)
				} else {
					at(flag.All)
				}
				outcome, err = guard.Run(t.Context())
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				at(0)
				require.Contains(t, guard.Progress().String(), "orders are lost")

				before := len(records(t, journal))
				store = pages(t)
				guard, err = wrapped(engineOn(t, journal).Guard(store, guarded))
				require.NoError(t, err)
				at(0)
				outcome, err = guard.Run(t.Context())
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				require.Len(t, records(t, journal), before, "it does not begin again")
			})
		})
	}
}

// TestAlarmsAndOtherPolicies: what a guard is given of a Request arrives there.
func TestAlarmsAndOtherPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, store := &rollout.Memory{}, pages(t)
		engine := engineOn(t, journal)
		var down atomic.Bool
		guard, err := wrapped(engine.Guard(store, rollout.Guarded{
			Flag: newPage, Actor: "ann", Reason: "as planned", Rework: true, Promotion: rollout.EvidenceOfNoHarm,
			Deadlines: rollout.Deadlines{Overall: rollout.Deadline{Within: time.Hour}},
			Alarms: map[string]rollout.Gate{"database": func(context.Context) error {
				if down.Load() {
					return errNo
				}
				return nil
			}},
		}))
		require.NoError(t, err)
		time.AfterFunc(5*time.Second+time.Millisecond, func() { down.Store(true) })
		outcome, err := guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, `alarm "database" says no: no`, guard.Progress().State.Reason)
		requested := records(t, journal)[0]
		require.Equal(t, "ann", requested.Actor)
		require.Contains(t, requested.Reason, "as planned")
		require.True(t, requested.Request.Rework)
		require.Equal(t, rollout.EvidenceOfNoHarm, requested.Request.Promotion)
		require.Equal(t, time.Hour, requested.Request.Deadlines.Overall.Within)
		require.Equal(t, map[string]rollout.Expiry{"traffic": rollout.ThenPause}, requested.Request.Fails)
		require.Equal(t, 2.0, guard.Progress().Sample.Options.Harm)
	})
}
