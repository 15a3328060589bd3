package split_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
	"github.com/guidon-go/guidon/strategy/strategytest"
)

func TestTarget(t *testing.T) {
	strategytest.TestTarget(t, func(t testing.TB) strategy.Target {
		return newSplitter(t, sticky, says(strategytest.Old), says(strategytest.New))
	})
}

// A splitter with a third version keeps the rules, too: it only must not have traffic.
func TestTargetOfThree(t *testing.T) {
	strategytest.TestTarget(t, func(t testing.TB) strategy.Target {
		s := newSplitter(t, split.Options{}, says("v0"), says(strategytest.Old), says(strategytest.New))
		require.NoError(t, s.SetWeights(split.Weight{strategytest.Old, strategy.All}))
		return s
	})
}
