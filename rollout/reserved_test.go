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

// TestGuardAfterABrokenDocument: a guard that could not be restored does not keep its
// flag from the next one.
func TestGuardAfterABrokenDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, store := &rollout.Memory{}, pages(t)
		g, err := wrapped(engineOn(t, journal).Guard(store, rollout.Guarded{Flag: newPage}))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, _ = g.Run(ctx)
		cancel()
		text := `{"flags": {"new-page": {"variants": {"on": false, "off": false}, "serve": "off"}}}`
		broken := flag.New(flag.Bytes([]byte(text)), flag.Options{})
		require.NoError(t, broken.Load(t.Context()))
		engine := engineOn(t, journal)
		_, err = engine.Guard(broken, rollout.Guarded{Flag: newPage})
		require.Error(t, err)
		_, err = engine.Guard(pages(t), rollout.Guarded{Flag: newPage})
		require.NoError(t, err, "with a document that is right, it works")
	})
}
