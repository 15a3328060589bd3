package rollout_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestStorm: many at once, with checkpoints, contexts that end, and an OnRecord that
// calls back: nothing hangs, the journal stays readable, and each is over once.
func TestStorm(t *testing.T) {
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

// TestWhoeverIsToldPanics: that harms no rollout, also while its journal is full.
func TestWhoeverIsToldPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &full{Journal: &rollout.Memory{}, kind: rollout.KindDone}
		time.AfterFunc(time.Minute, func() { disk.room.Store(true) })
		engine, err := rollout.New(disk, rollout.Options{
			OnRecord:  func(rollout.Record) { panic("boo") },
			OnNotice:  func(rollout.Notice) { panic("boo") },
			OnProblem: func(string, error) { panic("boo") },
		})
		require.NoError(t, err)
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	})
}

// mute is a target that panics when it is asked what it serves.
type mute struct{ *world }

func (mute) Serving() string { panic("boo") }

// TestServingPanics: the request is refused, and keeps its place from nobody.
func TestServingPanics(t *testing.T) {
	engine := newEngine(t, &rollout.Memory{})
	_, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: mute{harmless()}})
	require.EqualError(t, err, "rollout: deploy r: target: panic: boo")
	outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "next", Plan: toFifty, Target: harmless()})
	require.NoError(t, err)
	require.Equal(t, rollout.Succeeded, outcome)
}

// TestActDuringStall: while a record cannot be written, a person pauses and continues
// from within OnProblem; afterwards the rollout goes on.
func TestActDuringStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk, told := &full{Journal: &rollout.Memory{}, kind: rollout.KindDone}, 0
		var engine *rollout.Engine
		engine, err := rollout.New(disk, rollout.Options{OnProblem: func(id string, err error) {
			if told++; err != nil {
				require.NoError(t, engine.Act(context.Background(), id, rollout.Act{Kind: rollout.Pause, Actor: "ann"}))
				require.NoError(t, engine.Act(context.Background(), id, rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
			}
		}})
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Minute)
			disk.room.Store(true)
		}()
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: holding, Target: harmless()})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		require.Equal(t, 2, told)
	})
}
