package strategytest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/strategytest"
)

// dial is a target that somebody wrote: it turns a dial, which has whole percents only.
type dial struct{ percent int }

func (d *dial) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: strategy.Share(d.percent) * strategy.Percent}, nil
}

func (d *dial) Shift(_ context.Context, to strategy.Share) error {
	if to < 0 || to > strategy.All {
		return fmt.Errorf("no such share: %v", to)
	}
	d.percent = int(to / strategy.Percent)
	return nil
}

// A target that does not do what it says is found out. In a test, printing is the
// test's own t.
func ExampleTestTarget() {
	strategytest.TestTarget(printing{}, func(testing.TB) strategy.Target { return &dial{} })
	// Output:
	// shift: it is at share 0 %, mirror 0 %, old 0, new 0 after a Shift to 0.001 %, want share 0.001 %, mirror 0 %, old 0, new 0
}

// printing is a test that prints its errors.
type printing struct{ testing.TB }

func (printing) Helper()                           {}
func (printing) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
