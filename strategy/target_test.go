package strategy_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// still is a target that can be read and not moved.
type still struct{}

func (still) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{}, nil
}

// movable can be moved as well.
type movable struct{ still }

func (movable) Shift(context.Context, strategy.Share) error { return nil }

// everything is a target that can do everything.
type everything struct{ movable }

func (everything) Scale(context.Context, int, int) error        { return nil }
func (everything) Mirror(context.Context, strategy.Share) error { return nil }

func TestCheckNamesWhatIsMissing(t *testing.T) {
	plan, err := strategy.Canary{Weights: ladder}.Plan(strategy.Input{})
	require.NoError(t, err)
	err = plan.Check(still{})
	require.ErrorContains(t, err, "strategy: step 1 (shift from 0 % to 0.1 %) needs a target with the method Shift, which strategy_test.still lacks")
	require.Len(t, strings.Split(err.Error(), "\n"), 3)
	err = strategy.Plan{Steps: []strategy.Step{nil, &strategy.Shift{}, strategy.Shift{To: 2 * strategy.All}, strategy.Hold{Exposed: -1}, strategy.Verify{}}}.Check(movable{})
	require.EqualError(t, err, `strategy: step 1 is a <nil>, want a Verify, Scale, Mirror, Shift, Hold, NoReturn or Promote
strategy: step 2 is a *strategy.Shift, want a Verify, Scale, Mirror, Shift, Hold, NoReturn or Promote
strategy: step 3 (shift from 0 % to 200 %): found 0 % to 200 %, want shares from 0 to 100 %
strategy: step 4 (hold 0s): found 0s and -1 requests, want nothing negative
strategy: step 5 (verify by ): names no gates`)
	err = strategy.Plan{Steps: []strategy.Step{
		strategy.Shift{To: 10 * percent}, strategy.Shift{From: 50 * percent, To: strategy.All}, strategy.Mirror{To: percent}, strategy.Mirror{To: 2 * percent},
		strategy.Scale{New: strategy.Count{To: 2}}, strategy.Scale{Old: strategy.Count{From: 1}, New: strategy.Count{From: 2, To: 2}, Within: time.Minute},
	}}.Check(everything{})
	require.EqualError(t, err, `strategy: step 2 (shift from 50 % to 100 %): does not begin where the steps before it lead to: 10 % to the new version, 0 % mirrored, 0 old and 0 new instances
strategy: step 4 (mirror 2 % instead of 0 %): does not begin where the steps before it lead to: 100 % to the new version, 1 % mirrored, 0 old and 0 new instances
strategy: step 6 (scale the old version from 1 to 0, within 1m0s): does not begin where the steps before it lead to: 100 % to the new version, 2 % mirrored, 0 old and 2 new instances`)
	_, err = json.Marshal(strategy.Plan{Steps: []strategy.Step{nil}})
	require.ErrorContains(t, err, "strategy: step 1 is nil")
	require.EqualError(t, plan.Check(nil), "strategy: no target")
	require.NoError(t, strategy.Plan{Steps: []strategy.Step{strategy.Promote{}}}.Check(still{}))
}
