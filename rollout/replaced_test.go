package rollout_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestNoPromotionOfWhatMakesRoom: a rollout goes back by itself, and its process is
// gone; another one waits for its place, and carries its way back out. It has no judges
// for it, so that nobody can promote it any more.
func TestNoPromotionOfWhatMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, &world{stuckAt: -1, badAbove: 0}
		p := plan(t)
		target := scripted{world: w}
		target.shift = func(ctx context.Context, to strategy.Share) error {
			if to < w.at() {
				return errors.New("stuck on the way back")
			}
			return w.Shift(ctx, to)
		}
		engine := newEngine(t, memory)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		q := w.request(p, health.NewCohorts(health.CohortsOptions{}))
		q.Target = target
		_, err := engine.Deploy(ctx, q)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		engine = newEngine(t, memory)
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		over := make(chan error)
		go func() {
			_, err := engine.Deploy(ctx, rollout.Request{ID: "next", Release: rel("2"), Plan: toFifty, Target: target})
			over <- err
		}()
		time.Sleep(2 * time.Minute)
		require.ErrorIs(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Promote, Actor: "ann"}), rollout.ErrConflict)
		require.ErrorIs(t, <-over, context.DeadlineExceeded)
	})
}

// distant is a journal that takes a while for each record.
type distant struct{ rollout.Journal }

func (d distant) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	time.Sleep(10 * time.Millisecond)
	return d.Journal.Append(ctx, r)
}

// TestMakesRoomWhileAborted: a person aborts a rollout that nobody drives, and before that
// is written another one comes, and carries the way back out: it makes room all the same.
func TestMakesRoomWhileAborted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := newEngine(t, memory).Deploy(ctx, w.request(plan(t), health.NewCohorts(health.CohortsOptions{})))
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		engine := newEngine(t, distant{memory})
		aborted, over := make(chan error, 1), make(chan error, 1)
		go func() {
			aborted <- engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Abort, Actor: "ann"})
		}()
		time.Sleep(time.Millisecond)
		stuck := scripted{world: w, shift: func(context.Context, strategy.Share) error { return errors.New("stuck on the way back") }}
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		go func() {
			_, err := engine.Deploy(ctx, rollout.Request{ID: "next", Release: rel("2"), Plan: toFifty, Target: stuck})
			over <- err
		}()
		time.Sleep(2 * time.Minute)
		require.NoError(t, <-aborted)
		require.ErrorContains(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Promote, Actor: "bob"}), "it makes room for another, and does not turn round")
		require.ErrorIs(t, <-over, context.DeadlineExceeded)
	})
}

// TestFixOfWhatIsHeld: a rollout goes back by itself, and waits because the old version
// is no better; a fix comes, and does not wait for that. The way back still counts as
// one that no person asked for.
func TestFixOfWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{stuckAt: -1, badAbove: 0}
		engine := newEngine(t, &rollout.Memory{})
		q := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
		q.Stable = func(context.Context) error { return errors.New("worse") }
		back := make(chan rollout.Outcome)
		go func() {
			outcome, _ := engine.Deploy(t.Context(), q)
			back <- outcome
		}()
		time.Sleep(time.Minute)
		s, err := engine.Status(q.ID)
		require.NoError(t, err)
		require.True(t, s.State.Held)
		fix := make(chan rollout.Outcome)
		asked := time.Now()
		go func() {
			outcome, _ := engine.Deploy(t.Context(), rollout.Request{ID: "fix", Release: rel("2"), Plan: toFifty, Target: w})
			fix <- outcome
		}()
		require.Equal(t, rollout.RolledBack, <-back)
		require.Less(t, time.Since(asked), time.Second)
		require.Equal(t, rollout.Succeeded, <-fix)
		s, err = engine.Status(q.ID)
		require.NoError(t, err)
		require.True(t, s.State.Automatic)
	})
}
