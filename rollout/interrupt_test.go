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

// TestAbortWhileStableIsAsked: it goes back at once, whatever the answer.
func TestAbortWhileStableIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{stuckAt: -1, badAbove: 0}
		engine := newEngine(t, &rollout.Memory{})
		q := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
		aborted := time.Time{}
		q.Stable = func(context.Context) error {
			if aborted.IsZero() {
				aborted = time.Now()
				if err := engine.Act(context.Background(), "r", rollout.Act{Kind: rollout.Abort, Actor: "ann"}); err != nil {
					t.Error(err)
				}
			}
			return errors.New("worse")
		}
		outcome, err := engine.Deploy(t.Context(), q)
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Less(t, time.Since(aborted), time.Second)
	})
}

// TestApproveWhatWasSeen: of two people who approve one hold, the second does not approve
// the next one, if he says which he saw.
func TestApproveWhatWasSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		p := strategy.Plan{Steps: []strategy.Step{
			strategy.Shift{To: 10 * strategy.Percent}, strategy.Hold{For: time.Second, Approval: true},
			strategy.Shift{From: 10 * strategy.Percent, To: 50 * strategy.Percent}, strategy.Hold{For: time.Second, Approval: true},
		}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go engine.Deploy(ctx, rollout.Request{ID: "r", Plan: p, Target: harmless()})
		time.Sleep(time.Minute)
		s, err := engine.Status("r")
		require.NoError(t, err)
		act := rollout.Act{Kind: rollout.Approve, Actor: "ann", Seen: s.State.String()}
		require.NoError(t, engine.Act(ctx, "r", act))
		time.Sleep(time.Minute)
		act.Actor = "bob"
		err = engine.Act(ctx, "r", act)
		require.ErrorIs(t, err, rollout.ErrConflict)
		require.ErrorContains(t, err, "it is waiting 3 by now, and was seen waiting 1")
		act.Seen = "waiting 3"
		require.NoError(t, engine.Act(ctx, "r", act))
		synctest.Wait()
		act = rollout.Act{Kind: rollout.RollBack, Actor: "bob", Seen: "waiting 3"}
		require.ErrorIs(t, engine.Act(ctx, "r", act), rollout.ErrConflict, "it has succeeded by now")
	})
}

// TestPauseWithinAFreeze: the time that is both puts a hold's deadline off once.
func TestPauseWithinAFreeze(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 11, 25, 12, minute, 0, 0, time.UTC) }
	p := strategy.Plan{Steps: []strategy.Step{strategy.Hold{For: time.Minute, Approval: true}}}
	q := &rollout.Requested{Plan: p, Deadlines: rollout.Deadlines{Approval: rollout.Deadline{Within: time.Hour}}}
	tests := []struct {
		name              string
		paused, continued int
		want              time.Time
	}{
		{"continued before its end, which ends it", 20, 30, at(61 + 20)},
		{"continued after its end", 20, 50, at(61 + 30 + 10)},
		{"after it", 45, 50, at(61 + 30 + 5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m rollout.Machine
			act := func(kind rollout.ActKind) *rollout.Act { return &rollout.Act{Kind: kind, Actor: "ann"} }
			for _, r := range []rollout.Record{
				{Kind: rollout.KindRequested, At: at(0), Request: q},
				{Kind: rollout.KindWaiting, At: at(0), Until: at(1)},
				{Kind: rollout.KindFrozen, At: at(10), Until: at(40)},
				{Kind: rollout.KindActed, At: at(tt.paused), Act: act(rollout.Pause)},
				{Kind: rollout.KindActed, At: at(tt.continued), Act: act(rollout.Continue)},
			} {
				require.NoError(t, m.Apply(r))
			}
			require.Equal(t, tt.want, m.State().Deadline)
		})
	}
}
