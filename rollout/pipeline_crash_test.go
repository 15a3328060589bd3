package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// chores is what the stages of a random pipeline do. It outlives crashes.
type chores struct {
	mu     sync.Mutex
	fails  map[string]bool // which fail, cleanly: that depends on the stage alone, not on how often the process died
	undos  map[string]int  // how often its way back does
	left   map[string]bool // what was done, or begun, and not taken back
	called map[string]int  // how often each was called after it was acknowledged
}

func (c *chores) pipeline(random *rand.Rand) rollout.Pipeline {
	p := dice(random)
	for i := range p.Stages {
		s := &p.Stages[i]
		name := s.Name
		s.NoReturn, s.Retry = "", rollout.Retry{Attempts: 2}
		moment := time.Duration(1 << i)
		c.fails[name] = random.IntN(8) == 0
		s.Do = func(ctx context.Context, _ *rollout.StageRun) error {
			c.mu.Lock()
			c.left[name] = true
			c.mu.Unlock()
			select {
			case <-time.After(moment):
			case <-ctx.Done():
				return ctx.Err()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.called[name]++
			if c.fails[name] {
				delete(c.left, name)
				return errors.New("no")
			}
			return nil
		}
		if s.Undo != nil {
			c.undos[name] = random.IntN(3)
			s.Undo = func(ctx context.Context, _ *rollout.StageRun) error {
				c.mu.Lock()
				defer c.mu.Unlock()
				if c.undos[name]--; c.undos[name] >= 0 {
					return errors.New("no")
				}
				delete(c.left, name)
				return nil
			}
		}
	}
	return p
}

// TestPipelineCrashAnywhere lets the process die at every single record, before and
// after it is written: the next one ends as the first would have, what was done and
// written is not done again, and nothing that has a way back is left.
func TestPipelineCrashAnywhere(t *testing.T) {
	worlds := uint64(60)
	if testing.Short() || raceEnabled {
		worlds = 20
	}
	ends := map[rollout.Outcome]int{}
	for seed := range worlds {
		var want rollout.Outcome
		for crash, over := 0, false; !over; crash++ {
			for _, after := range []bool{false, true} {
				synctest.Test(t, func(t *testing.T) {
					outcome, whole := crashed(t, seed, crash, after)
					if crash == 0 {
						want = outcome
						ends[want]++
					}
					require.Equal(t, want, outcome, "seed %d, crash at %d", seed, crash)
					over = whole && crash > 0
				})
			}
		}
	}
	require.Greater(t, ends[rollout.Succeeded], 1)
	require.Greater(t, ends[rollout.RolledBack], 1)
}

// crashed plays one run with a crash; the first is number 1. whole says that it was over
// before.
func crashed(t *testing.T, seed uint64, crash int, after bool) (outcome rollout.Outcome, whole bool) {
	c := &chores{fails: map[string]bool{}, undos: map[string]int{}, left: map[string]bool{}, called: map[string]int{}}
	p := c.pipeline(rand.New(rand.NewPCG(seed, 4)))
	memory := &rollout.Memory{}
	var journal rollout.Journal = memory
	if crash > 0 {
		journal = &crashing{Journal: memory, n: crash, after: after}
	}
	request := rollout.RunRequest{ID: "1"}
	report, err := newEngine(t, journal).Run(t.Context(), request, p)
	if whole = err == nil; !whole {
		require.ErrorIs(t, err, errCrash)
		done := map[string]int{}
		for _, r := range records(t, memory) {
			if r.Kind == rollout.KindDone && r.From == "running" {
				done[r.Stage] = c.called[r.Stage]
			}
		}
		report, err = newEngine(t, memory).Run(t.Context(), request, p)
		require.NoError(t, err)
		for name, times := range done {
			require.Equal(t, times, c.called[name], "%s was done, and is done again", name)
		}
	}
	for _, s := range p.Stages {
		require.False(t, report.Outcome == rollout.RolledBack && s.Undo != nil && c.left[s.Name], "seed %d, crash at %d: %s is left", seed, crash, s.Name)
	}
	again, err := newEngine(t, memory).Run(t.Context(), request, p)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(report, again), "what is over is over")
	ends := 0
	for _, r := range records(t, memory) {
		if r.Kind == rollout.KindFinished {
			ends++
		}
	}
	require.Equal(t, 1, ends)
	return report.Outcome, whole
}

// TestCheckpointsKeepRuns: a run goes on from a checkpoint, one that is over is not run
// again, and its stages are known as long as its records are there.
func TestCheckpointsKeepRuns(t *testing.T) {
	for _, every := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprint("every ", every), func(t *testing.T) {
			memory := &rollout.Memory{CheckpointEvery: every}
			calls := 0
			p := line(
				rollout.Stage{Name: "build", Undo: noop, Do: func(_ context.Context, s *rollout.StageRun) error {
					calls++
					return image.Set(s, "shop:1")
				}},
				rollout.Stage{Name: "wait", Do: func(ctx context.Context, s *rollout.StageRun) error {
					got, err := image.Get(s, "build")
					if s.Attempt == 1 && s.Run == "1" {
						return errors.New("not yet")
					}
					require.Equal(t, "shop:1", got)
					return err
				}, NoReturn: "gone"},
			)
			ctx, stop := context.WithCancel(t.Context())
			engine := newEngine(t, memory)
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = engine.Run(ctx, rollout.RunRequest{ID: "1", Release: rollout.Release{Version: "1"}}, p)
			}()
			for {
				if report, err := engine.Report("1"); err == nil && report.State == "forward, frozen" {
					break
				}
				<-time.After(time.Millisecond)
			}
			stop()
			<-done
			engine = newEngine(t, memory)
			require.NoError(t, engine.Act(t.Context(), "1", rollout.Act{Kind: rollout.Continue, Actor: "anna"}))
			report := ran(t, memory, "1", p)
			require.NoError(t, report.Err())
			require.Equal(t, 1, calls)
			again := ran(t, memory, "1", p)
			require.Empty(t, cmp.Diff(report, again))
			require.Equal(t, 1, calls)
			ran(t, memory, "2", p)
			require.Equal(t, 2, calls)
			require.NoError(t, rollout.Verify(memory.Records()))
			for _, r := range records(t, memory) {
				if r.Checkpoint != nil {
					for _, e := range r.Checkpoint.Ended {
						require.Nil(t, e.Run.Stages, "of what is over, the stages are not kept")
					}
				}
			}
		})
	}
}

// TestRecordsOfRunsMayGo: a run whose records are gone is over all the same.
func TestRecordsOfRunsMayGo(t *testing.T) {
	dir := t.TempDir()
	journal, err := rollout.FileOptions{SegmentSize: 1}.Open(dir)
	require.NoError(t, err)
	calls := 0
	p := line(rollout.Stage{Name: "a", Do: func(_ context.Context, s *rollout.StageRun) error { calls++; return nil }})
	for i := range 3 {
		require.NoError(t, ran(t, journal, fmt.Sprint(i), p).Err())
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
	for i := range 3 {
		report := ran(t, journal, fmt.Sprint(i), p)
		require.NoError(t, report.Err())
		require.True(t, i > 0 || len(report.Stages) == 0, "of a run whose records are gone there are no stages")
		require.Equal(t, fmt.Sprint(i), report.Release.Version)
	}
	require.Equal(t, 3, calls)
	_, err = newEngine(t, journal).Run(t.Context(), rollout.RunRequest{ID: "0"}, p) // of no release
	require.ErrorIs(t, err, rollout.ErrConflict)
}
