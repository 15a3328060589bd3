package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// Marks that a second judge wrote: does the first one's next look restore at all?
func TestAttackCannotResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		hold := func(judges ...string) strategy.Hold { return strategy.Hold{For: time.Minute, Judges: judges} }
		p := strategy.Plan{Steps: []strategy.Step{
			strategy.Shift{To: 10 * strategy.Percent}, hold("a", "b"), strategy.Shift{From: 10 * strategy.Percent, To: 50 * strategy.Percent}, hold("b", "a"),
			strategy.Shift{From: 50 * strategy.Percent, To: strategy.All},
		}}
		quiet := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil })
		request := func(engine *rollout.Engine) (rollout.Request, *health.Cohorts, error) {
			cohorts, err := engine.Cohorts("r", "a", health.CohortsOptions{})
			return rollout.Request{ID: "r", Plan: p, Target: w, Watches: map[string]rollout.Watch{"a": {Judge: quiet, Cohorts: cohorts}, "b": {Judge: quiet, Cohorts: cohorts}}}, cohorts, err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 110*time.Second)
		q, cohorts, err := request(newEngine(t, memory))
		require.NoError(t, err)
		go func() {
			for n := range 20 {
				time.Sleep(5 * time.Second)
				cohorts.Record(health.Outcome{Unit: uint64(n), Slot: 0, Ramp: max(w.share.Load(), 1), Class: health.Failure})
			}
		}()
		engine := newEngine(t, memory)
		_, err = engine.Deploy(ctx, q)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_ = engine.Act
		engine = newEngine(t, memory)
		q, _, err = request(engine)
		require.NoError(t, err, "it cannot be resumed")
		_, err = engine.Deploy(t.Context(), q)
		require.NoError(t, err)
	})
}

// A way back that is held, and a person who aborts: it goes back at once.
func TestAttackAbortWhileStableIsAsked(t *testing.T) {
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

// Many at once, in mixed overlaps, with checkpoints, contexts that end and OnRecord that
// calls back: nothing hangs, the journal stays readable, one finish each.
func TestAttackStorm(t *testing.T) {
	for seed := range 5 {
		synctest.Test(t, func(t *testing.T) {
			memory := &rollout.Memory{CheckpointEvery: 1 + seed}
			var engine *rollout.Engine
			engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
				_, _ = engine.Status(r.Rollout)
				if r.Seq%17 == 0 {
					_ = engine.Act(context.Background(), r.Rollout, rollout.Act{Kind: rollout.Promote, Actor: "ann"})
				}
				if r.Seq%23 == 0 {
					_ = engine.Act(context.Background(), r.Rollout, rollout.Act{Kind: rollout.Abort, Actor: "ann"})
				}
			}})
			require.NoError(t, err)
			var wg sync.WaitGroup
			for i := range 60 {
				lane := i % 4
				wg.Go(func() {
					time.Sleep(time.Duration(i*7919%100) * time.Second)
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i*31%50)*time.Minute)
					defer cancel()
					_, _ = engine.Deploy(ctx, rollout.Request{ID: fmt.Sprint(i), Environment: fmt.Sprint(lane), Release: rel(fmt.Sprint(i)), Plan: holding, Target: harmless(), Overlap: rollout.Overlap(i % 3)})
				})
			}
			wg.Wait()
			again, err := rollout.New(memory, rollout.Options{})
			require.NoError(t, err)
			n := map[string]int{}
			for r := range memory.Records() {
				if r.Kind == rollout.KindFinished {
					n[r.Rollout]++
				}
			}
			for id, k := range n {
				require.Equal(t, 1, k, id)
			}
			for s := range again.Live() {
				live, err := engine.Status(s.ID)
				require.NoError(t, err)
				require.Equal(t, live.State.String(), s.State.String())
			}
		})
	}
}
