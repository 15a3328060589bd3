package rollout_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/strategytest"
)

// TestFlagTarget: a flag keeps the rules that other targets must keep.
func TestFlagTarget(t *testing.T) {
	for _, salt := range []string{"", "of its own"} {
		strategytest.TestTarget(t, func(t testing.TB) strategy.Target {
			store := flag.New(flag.Bytes([]byte(`{"flags": {"moved-by-a-plan": {}}}`)), flag.Options{})
			require.NoError(t, store.Load(t.Context()))
			return rollout.NewFlagTarget(store, movedByAPlan, salt)
		})
	}
}

var movedByAPlan = flag.Bool("moved-by-a-plan", false)
