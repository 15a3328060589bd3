package rollout_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// statePages is a store of pages that keeps its state in a file, or nothing.
func statePages(t *testing.T, path string) *flag.Store {
	t.Helper()
	sameSalts(t)
	store := flag.New(flag.Bytes([]byte(pageFlags)), flag.Options{State: path, OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	flaghttp.Middleware(store, who)
	return store
}

// TestGuardWithState: a guard that goes on after a restart ends as it does where the
// store keeps nothing: with the same ramps by the same salt. So does one whose rollout
// was killed in between.
func TestGuardWithState(t *testing.T) {
	for _, tt := range []struct {
		name string
		kill bool
		want rollout.Outcome
	}{{"goes on", false, rollout.Succeeded}, {"killed", true, rollout.RolledBack}} {
		t.Run(tt.name, func(t *testing.T) {
			var told [2][]string
			for i, path := range []string{"", filepath.Join(t.TempDir(), "flags.state")} {
				synctest.Test(t, func(t *testing.T) {
					journal := &rollout.Memory{}
					guarded := rollout.Guarded{Flag: newPage, Hold: 10 * time.Second, Exposed: 1, Ladder: []flag.Share{5 * flag.Percent, 50 * flag.Percent, flag.All}}
					serves := func(store *flag.Store) {
						status, err := store.Status("new-page")
						require.NoError(t, err)
						told[i] = append(told[i], status.Ramp.Share.String(), status.Ramp.Salt)
					}
					store := statePages(t, path)
					guard, err := wrapped(engineOn(t, journal).Guard(store, guarded))
					require.NoError(t, err)
					site := newSite(guard, store, 0)
					ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
					go site.busy(ctx)
					_, err = guard.Run(ctx)
					require.ErrorIs(t, err, context.DeadlineExceeded)
					cancel()
					serves(store)
					if tt.kill {
						require.NoError(t, store.Kill("new-page", flag.Change{Actor: "me", Reason: "it hurts"}))
					}

					store = statePages(t, path) // as the next process does
					status, err := store.Status("new-page")
					require.NoError(t, err)
					require.Equal(t, path != "", status.Ramp.Share > 0, "the store has the ramp back by itself")
					require.Equal(t, path != "" && tt.kill, status.Killed)
					if tt.kill && path == "" {
						require.NoError(t, store.Kill("new-page", flag.Change{Actor: "me", Reason: "it hurts"}))
					}
					guard, err = wrapped(engineOn(t, journal).Guard(store, guarded))
					require.NoError(t, err)
					serves(store)
					site = newSite(guard, store, 0)
					ctx, cancel = context.WithCancel(t.Context())
					defer cancel()
					go site.busy(ctx)
					outcome, err := guard.Run(ctx)
					require.NoError(t, err)
					require.Equal(t, tt.want, outcome)
					serves(store)
				})
			}
			require.Equal(t, told[0], told[1])
		})
	}
}

// TestReplaceWithState: what a rollout that is half done has made of the ramp, and the
// store has kept, is nothing that the flag had before: the next one begins at nobody, by
// other luck, and comes back to nobody.
func TestReplaceWithState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.state")
	synctest.Test(t, func(t *testing.T) {
		journal := &rollout.Memory{}
		guarded := rollout.Guarded{Flag: newPage, Hold: time.Minute, Exposed: 1, Ladder: []flag.Share{5 * flag.Percent, 50 * flag.Percent, flag.All}}
		run := func(failing float64, within time.Duration) (flag.Ramp, rollout.Outcome) {
			store := statePages(t, path)
			guard, err := wrapped(engineOn(t, journal).Guard(store, guarded))
			require.NoError(t, err)
			before, err := store.Status("new-page")
			require.NoError(t, err)
			require.Zero(t, before.Ramp.Share, "nobody is exposed before it runs")
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			go newSite(guard, store, failing).busy(ctx)
			outcome, _ := guard.Run(ctx)
			after, err := store.Status("new-page")
			require.NoError(t, err)
			require.Equal(t, before.Ramp.Salt, after.Ramp.Salt)
			return after.Ramp, outcome
		}
		half, outcome := run(0, 65*time.Second)
		require.Equal(t, rollout.Unfinished, outcome)
		require.Equal(t, 50*flag.Percent, int(half.Share))
		guarded.ID, guarded.Ladder = "two", []flag.Share{5 * flag.Percent, 60 * flag.Percent, flag.All}
		back, outcome := run(0.5, time.Hour)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Zero(t, back.Share)
		require.NotEqual(t, half.Salt, back.Salt)
		for _, r := range records(t, journal) {
			if r.Rollout == "two" && r.Kind == rollout.KindBegun {
				require.Equal(t, "shift from 0 % to 5 %", r.Reason)
				break
			}
		}
	})
}

// TestGuardWithoutSpace: a ramp that serves, and that the store cannot keep, is no
// failure of the rollout: the journal has it.
func TestGuardWithoutSpace(t *testing.T) {
	store := statePages(t, filepath.Join(t.TempDir(), "flags.state"))
	gone := filepath.Join(t.TempDir(), "gone", "flags.state")
	lost := flag.New(flag.Bytes([]byte(pageFlags)), flag.Options{State: gone, OnChange: func(flag.ChangeInfo) {}})
	require.Error(t, lost.Load(t.Context()))
	require.ErrorIs(t, lost.SetRamp("new-page", flag.Ramp{Share: 1}, flag.Change{Actor: "me", Reason: "test"}), flag.ErrNotKept)
	for _, flags := range []*flag.Store{store, lost} {
		target := rollout.NewFlagTarget(flags, newPage, "salt")
		require.NoError(t, target.Shift(t.Context(), 5*1000))
		seen, err := target.Observe(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5*1000, seen.Share)
		require.Empty(t, seen.Why)
	}
	var wrong *flag.Error
	require.True(t, errors.As(lost.Err(), &wrong))
	require.Equal(t, "keep", wrong.Op)
}
