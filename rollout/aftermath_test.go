package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestAfterSuccess is how a guard is taken away again: the document serves the
// variant to everybody while the guard is still in the code, which does not mind;
// then the guard can go, and nobody loses the feature at any time.
func TestAfterSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, journal := pages(t), &rollout.Memory{}
		guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go newSite(guard, store, 0).busy(ctx)
		outcome, err := guard.Run(ctx)
		cancel()
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)

		subject := flag.For("anybody")
		served := flag.New(flag.Bytes([]byte(`{"flags": {"new-page": {"serve": "on"}}}`)), flag.Options{})
		require.NoError(t, served.Load(t.Context()))
		require.True(t, newPage.Value(served, &subject), "the document alone")
		guard, err = engineOn(t, journal).Guard(served, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		require.True(t, newPage.Value(served, &subject), "the document and the guard")
		outcome, err = guard.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	})
}

// TestServedAfterRollback: a document that gives everybody what was rolled back is not
// served under a guard that says 0 %.
func TestServedAfterRollback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, journal := pages(t), &rollout.Memory{}
		guard, err := engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		go newSite(guard, store, 1).busy(ctx)
		outcome, err := guard.Run(ctx)
		cancel()
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		served := flag.New(flag.Bytes([]byte(`{"flags": {"new-page": {"serve": "on"}}}`)), flag.Options{})
		require.NoError(t, served.Load(t.Context()))
		_, err = engineOn(t, journal).Guard(served, rollout.Guarded{Flag: newPage})
		require.ErrorContains(t, err, `serves "on" to everybody, so a ramp to it at 0 % would mean nothing`)
	})
}
