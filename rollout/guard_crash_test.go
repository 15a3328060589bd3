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

// TestGuardSurvivesCrashes: whichever record was the last before the process died, the
// next one serves what the journal allows from the moment that it has a guard, and ends
// as it would have.
func TestGuardSurvivesCrashes(t *testing.T) {
	guarded := rollout.Guarded{Flag: newPage, Ladder: []flag.Share{20 * flag.Percent, 50 * flag.Percent, flag.All}, Hold: time.Minute, Exposed: 20}
	for _, tt := range []struct {
		name    string
		failing float64
		want    rollout.Outcome
	}{{"good", 0, rollout.Succeeded}, {"bad", 0.3, rollout.RolledBack}} {
		t.Run(tt.name, func(t *testing.T) {
			var all []rollout.Record
			for n := 0; n == 0 || n <= len(all); n++ {
				ends := n < 2 || !testing.Short() && !raceEnabled // then it is also carried to its end
				synctest.Test(t, func(t *testing.T) {
					memory := &rollout.Memory{}
					allowed := flag.Share(0)
					var m rollout.Machine
					for _, r := range all[:n] {
						_, err := memory.Append(t.Context(), r)
						require.NoError(t, err)
						require.NoError(t, m.Apply(r))
						allowed = flag.Share(m.State().Share)
					}
					store := pages(t)
					guard, err := engineOn(t, memory).Guard(store, guarded)
					require.NoError(t, err)
					status, err := store.Status("new-page")
					require.NoError(t, err)
					require.Equal(t, allowed, status.Ramp.Share, "after %d of %d records", n, len(all))
					if !ends {
						return
					}
					ctx, cancel := context.WithCancel(t.Context())
					go newSite(guard, store, tt.failing).busy(ctx)
					outcome, err := guard.Run(ctx)
					cancel()
					synctest.Wait()
					require.NoError(t, err)
					require.Equal(t, tt.want, outcome)
					checkJournal(t, memory)
					if n == 0 {
						all = records(t, memory)
					}
				})
			}
			require.Greater(t, len(all), 10)
		})
	}
}
