package process_test

import (
	"testing"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/process"
	"github.com/guidon-go/guidon/strategy/strategytest"
)

func TestTarget(t *testing.T) {
	t.Parallel()
	instances := 2
	if testing.Short() {
		instances = 1
	}
	strategytest.TestTarget(t, func(t testing.TB) strategy.Target {
		return newWorld(t, func(o *process.Options) { o.Serving, o.Instances = strategytest.Old, instances }).fleet
	})
}
