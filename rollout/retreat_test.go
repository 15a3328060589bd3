package rollout_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// full is a journal that takes no looks any more.
type full struct{ rollout.Journal }

var errFull = errors.New("no space left on device")

func (f full) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if r.Kind == rollout.KindLooked {
		return r, errFull
	}
	return f.Journal.Append(ctx, r)
}

// TestRetreatWithoutJournal: a change that fails is taken back even if that cannot
// be written down, and the next run finds it so and says why it is over.
func TestRetreatWithoutJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, memory := plan(t), &rollout.Memory{}
		w := &world{stuckAt: -1, badAbove: 0}
		_, err := live(t, full{memory}, w, p)
		require.ErrorIs(t, err, errFull)
		require.ErrorContains(t, err, "the change fails and was taken back, but could not be written down")
		require.Equal(t, strategy.Share(0), w.at())
		w.badAbove = strategy.All
		outcome, err := live(t, memory, w, p)
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		checkJournal(t, memory)
	})
}
