package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestReplace: a rollout under a new ID takes the place of one that its process left
// half done; that goes back first, wherever it stood, and is superseded.
func TestReplace(t *testing.T) {
	for name, left := range map[string]time.Duration{"holding": time.Minute, "on a higher rung": 11 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, store := &rollout.Memory{}, pages(t)
				guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage})
				require.NoError(t, err)
				ctx, cancel := context.WithTimeout(t.Context(), left)
				defer cancel()
				go newSite(guard, store, 0).busy(ctx)
				_, err = guard.Run(ctx)
				require.ErrorIs(t, err, context.DeadlineExceeded)

				next := pages(t)
				engine := engineOn(t, journal)
				guard, err = engine.Guard(next, rollout.Guarded{Flag: newPage, ID: "again", Hold: time.Minute})
				require.NoError(t, err)
				status, err := next.Status("new-page")
				require.NoError(t, err)
				require.Zero(t, status.Ramp.Share, "nobody is exposed before it runs")
				ctx, cancel = context.WithCancel(t.Context())
				go newSite(guard, next, 0).busy(ctx)
				outcome, err := guard.Run(ctx)
				cancel()
				require.NoError(t, err)
				require.Equal(t, rollout.Succeeded, outcome)
				old, err := engine.Status("new-page")
				require.NoError(t, err)
				require.Equal(t, rollout.Superseded, old.State.Outcome)
				require.Equal(t, `rollout "again" takes its place`, old.State.Reason)
				status, err = next.Status("new-page")
				require.NoError(t, err)
				require.Equal(t, flag.All, status.Ramp.Share)
				// Every record of the old one comes before the first of the new one.
				var seen []string
				for _, r := range records(t, journal) {
					if len(seen) == 0 || seen[len(seen)-1] != r.Rollout {
						seen = append(seen, r.Rollout)
					}
				}
				require.Equal(t, []string{"new-page", "again"}, seen)
				d, err := engine.Delivery(rollout.DeliveryOptions{})
				require.NoError(t, err)
				require.Equal(t, []int{2, 0}, []int{d[0].Deployments, d[0].Failed})
			})
		})
	}
}
