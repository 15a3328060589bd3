package rollout_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// whole hides that a journal has checkpoints: an engine reads all of it.
type whole struct{ rollout.Journal }

// states are what an engine says of rollouts, without what no checkpoint keeps.
func states(t *testing.T, engine *rollout.Engine, ids []string) map[string]rollout.Status {
	t.Helper()
	all := map[string]rollout.Status{}
	for _, id := range ids {
		s, err := engine.Status(id)
		require.NoError(t, err, id)
		if s.State.Phase == rollout.Done { // of these a checkpoint keeps how they ended
			s.Plan, s.Verdict = nil, health.Verdict{}
			s.State = rollout.State{Phase: s.State.Phase, Outcome: s.State.Outcome, Share: s.State.Share, Peak: s.State.Peak, Reason: s.State.Reason, Automatic: s.State.Automatic, Actor: s.State.Actor, FailedLater: s.State.FailedLater}
		}
		all[id] = s
	}
	return all
}

// TestCheckpointsKeepWhatCounts: an engine that begins with a checkpoint knows what
// one knows that reads everything, in the middle of rollouts, too; and what is over
// is not run again.
func TestCheckpointsKeepWhatCounts(t *testing.T) {
	for _, every := range []int{1, 2, 3, 7, 20} {
		t.Run(fmt.Sprint("every ", every), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := &rollout.Memory{CheckpointEvery: every}
				p, err := strategy.Canary{Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All}, Hold: time.Minute, Gates: []string{"smoke"}, Judges: []string{"errors"}}.Plan(strategy.Input{})
				require.NoError(t, err)
				p = hasty(p)
				engine, err := rollout.New(memory, rollout.Options{})
				require.NoError(t, err)
				worlds := map[string]*world{"a": harmless(), "b": {stuckAt: -1, badAbove: 0}, "c": {stuckAt: -1, badAbove: strategy.All, smokeNo: true}, "d": harmless(), "e": harmless()}
				deploy := func(ctx context.Context, engine *rollout.Engine, service string, version int) (rollout.Outcome, error) {
					id := fmt.Sprint(service, " ", version)
					cohorts, err := engine.Cohorts(id, "errors", health.CohortsOptions{})
					require.NoError(t, err)
					for i := range 20 {
						cohorts.Record(health.Outcome{Unit: uint64(i), Slot: int32(i), Ramp: 5000, Class: health.Success})
					}
					r := worlds[service].request(p, cohorts)
					r.ID, r.Service, r.Release = id, service, rollout.Release{Name: service, Version: fmt.Sprint(version)}
					return engine.Deploy(ctx, r)
				}
				var all sync.WaitGroup
				ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute+30*time.Second)
				defer cancel()
				for service := range worlds {
					all.Go(func() {
						for version := range 3 {
							if _, err := deploy(ctx, engine, service, version); err != nil {
								require.ErrorIs(t, err, context.DeadlineExceeded)
								return
							}
						}
					})
				}
				all.Wait()
				var ids []string
				checkpoints := 0
				for r, err := range memory.Records() {
					require.NoError(t, err)
					if r.Kind == rollout.KindRequested {
						ids = append(ids, r.Rollout)
					}
					if r.Kind == rollout.KindCheckpoint {
						checkpoints++
					}
				}
				require.Greater(t, checkpoints, 1)
				require.NoError(t, rollout.Verify(memory.Records()))
				later, err := rollout.New(memory, rollout.Options{})
				require.NoError(t, err)
				full, err := rollout.New(whole{memory}, rollout.Options{})
				require.NoError(t, err)
				opts := cmp.Options{cmpopts.IgnoreUnexported(rollout.Status{}, rollout.State{}), cmpopts.EquateErrors()}
				if diff := cmp.Diff(states(t, full, ids), states(t, later, ids), opts); diff != "" {
					t.Errorf("-all +from the checkpoint\n%s", diff)
				}
				live := slices.Collect(later.Live())
				require.NotEmpty(t, live)
				moves := len(worlds["b"].shifts)
				outcome, err := deploy(t.Context(), later, "b", 0)
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				require.Len(t, worlds["b"].shifts, moves, "it is over, and nothing moves")
				require.ErrorIs(t, later.Act(t.Context(), "b 0", rollout.Act{Kind: rollout.Pause, Actor: "ann"}), rollout.ErrOver)
				require.NoError(t, later.Act(t.Context(), "a 0", rollout.Act{Kind: rollout.FailedLater, Actor: "ann"}))
				for _, s := range live { // what is under way goes on, and can be taken back when it is over
					service, _, _ := strings.Cut(s.ID, " ")
					worlds[service].badAbove = strategy.All
					outcome, err := deploy(t.Context(), later, service, int(s.ID[len(s.ID)-1]-'0'))
					require.NoError(t, err)
					require.Equal(t, rollout.Succeeded, outcome)
				}
				last, err := rollout.New(memory, rollout.Options{})
				require.NoError(t, err)
				status, err := last.Status("a 0")
				require.NoError(t, err)
				require.True(t, status.State.FailedLater)
				for _, s := range live {
					require.NoError(t, last.Act(t.Context(), s.ID, rollout.Act{Kind: rollout.RollBack, Actor: "ann", Reason: "no"}), s.ID)
					service, _, _ := strings.Cut(s.ID, " ")
					outcome, err := last.Resume(t.Context(), rollout.Request{ID: s.ID + " back", Target: worlds[service]})
					require.NoError(t, err)
					require.Equal(t, rollout.RolledBack, outcome)
					require.Zero(t, worlds[service].at())
				}
			})
		})
	}
}

// TestOldSegmentsMayGo: nothing depends on what stands before the newest checkpoint.
func TestOldSegmentsMayGo(t *testing.T) {
	dir := t.TempDir()
	journal, err := rollout.FileOptions{SegmentSize: 1}.Open(dir)
	require.NoError(t, err)
	engine := newEngine(t, journal)
	for i := range 5 {
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: fmt.Sprint(i), Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	}
	require.NoError(t, journal.Close())
	old, err := filepath.Glob(filepath.Join(dir, "journal-*.jsonl"))
	require.NoError(t, err)
	require.NotEmpty(t, old)
	for _, name := range old {
		require.NoError(t, os.Remove(name))
	}
	journal = openFile(t, dir)
	require.NoError(t, rollout.Verify(journal.Records()))
	delivery, err := newEngine(t, journal).Delivery(rollout.DeliveryOptions{})
	require.NoError(t, err)
	require.Equal(t, 5, delivery[0].Deployments)
	history := 0
	for s, err := range newEngine(t, journal).History() {
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, s.State.Outcome)
		history++
	}
	require.Equal(t, 5, history)
	w := harmless()
	for i := range 5 {
		outcome, err := newEngine(t, journal).Deploy(t.Context(), rollout.Request{ID: fmt.Sprint(i), Plan: toFifty, Target: w})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	}
	require.Empty(t, w.shifts, "what is over is not run again")
}

// TestDrillsTakeNoWayBack: a checkpoint keeps the plans of those that can be taken back,
// however many drills there were since, and not those of the drills.
func TestDrillsTakeNoWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{CheckpointEvery: 1}, harmless()
		engine := newEngine(t, memory)
		request := func(id string) rollout.Request {
			w.share.Store(0)
			return rollout.Request{ID: id, Release: rel(id), Plan: toFifty, Target: w}
		}
		for _, id := range []string{"before", "good"} {
			_, err := engine.Deploy(t.Context(), request(id))
			require.NoError(t, err)
		}
		for i := range 20 {
			d, err := engine.Drill(t.Context(), request(fmt.Sprint(i)))
			require.NoError(t, err)
			require.NoError(t, d.Err())
		}
		var kept []string
		for r, err := range memory.Records() {
			require.NoError(t, err)
			if r.Checkpoint == nil {
				continue
			}
			kept = nil
			for _, ended := range r.Checkpoint.Ended {
				if len(ended.Request.Plan.Steps) > 0 {
					kept = append(kept, ended.ID)
				}
			}
		}
		require.Equal(t, []string{"before", "good"}, kept)
		require.NoError(t, newEngine(t, memory).Act(t.Context(), "good", rollout.Act{Kind: rollout.RollBack, Actor: "ann"}))
	})
}

// TestNoCheckpointOnTheWayBack: it would hold it up.
func TestNoCheckpointOnTheWayBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{CheckpointEvery: 1}, &world{stuckAt: -1, badAbove: 5 * strategy.Percent}
		outcome, err := live(t, memory, w, plan(t))
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		back, forth, during := false, 0, 0
		for r := range memory.Records() {
			switch {
			case r.Kind == rollout.KindCheckpoint && back:
				during++
			case r.Kind == rollout.KindCheckpoint:
				forth++
			default:
				back = strings.HasPrefix(r.To, "back")
			}
		}
		require.Positive(t, forth)
		require.Zero(t, during)
	})
}
