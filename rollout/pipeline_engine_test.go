package rollout_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// line is a pipeline of stages of which each needs the one before.
func line(stages ...rollout.Stage) rollout.Pipeline {
	for i := range stages {
		if i > 0 {
			stages[i].Needs = []string{stages[i-1].Name}
		}
	}
	return rollout.Pipeline{Stages: stages}
}

// ran runs a pipeline on a journal.
func ran(t testing.TB, journal rollout.Journal, id string, p rollout.Pipeline) rollout.Report {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{})
	require.NoError(t, err)
	report, err := engine.Run(t.Context(), rollout.RunRequest{ID: id, Release: rollout.Release{Version: id}}, p)
	require.NoError(t, err)
	return report
}

func refuses(context.Context, *rollout.StageRun) error { return errors.New("no") }

// TestRunIDs: runs and rollouts have their IDs of one pot, and who comes second with an
// ID joins, or is refused.
func TestRunIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine := newEngine(t, memory)
		ctx := t.Context()
		calls := atomic.Int32{}
		slow := func(context.Context, *rollout.StageRun) error {
			calls.Add(1)
			time.Sleep(time.Minute)
			return nil
		}
		p := line(rollout.Stage{Name: "a", Do: slow})
		var both [2]rollout.Report
		var wait sync.WaitGroup
		for i := range both {
			wait.Go(func() {
				var err error
				both[i], err = engine.Run(ctx, rollout.RunRequest{ID: "1"}, p)
				require.NoError(t, err)
			})
		}
		wait.Wait()
		require.Equal(t, int32(1), calls.Load())
		require.Equal(t, both[0], both[1])

		outcome, err := engine.Deploy(ctx, rollout.Request{ID: "r", Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		for _, engine := range []*rollout.Engine{engine, newEngine(t, memory)} {
			_, err = engine.Run(ctx, rollout.RunRequest{ID: "r"}, p)
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Deploy(ctx, rollout.Request{ID: "1", Plan: toFifty, Target: harmless()})
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Run(ctx, rollout.RunRequest{ID: "1", Release: rollout.Release{Version: "other"}}, p)
			require.ErrorIs(t, err, rollout.ErrConflict)
			_, err = engine.Resume(ctx, rollout.Request{ID: "1", Target: harmless()})
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Status("1")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Explain("1")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Report("r")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			_, err = engine.Report("2")
			require.ErrorIs(t, err, rollout.ErrNotFound)
			require.ErrorIs(t, engine.Act(ctx, "1", rollout.Act{Kind: rollout.Abort, Actor: "anna"}), rollout.ErrOver)
			require.ErrorIs(t, engine.Act(ctx, "2", rollout.Act{Kind: rollout.Abort, Actor: "anna"}), rollout.ErrNotFound)
		}
	})
}

func TestRunsAreRefused(t *testing.T) {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	require.NoError(t, err)
	other, err := rollout.New(&rollout.Memory{}, rollout.Options{})
	require.NoError(t, err)
	guard, err := other.Guard(pages(t), rollout.Guarded{Flag: steady, Manual: true})
	require.NoError(t, err)
	_, err = engine.Run(t.Context(), rollout.RunRequest{Service: "cart"}, line(rollout.Stage{Name: "a"}, rollout.Stage{Name: "flag", Guard: guard}))
	require.ErrorIs(t, err, rollout.ErrInvalid)
	for _, problem := range []string{
		`stages[0] "a": do, deploy, guard: found 0 of them, want one`, `id: found "", want some text in UTF-8`,
		`stages[1] "flag": guard: it is of another engine`, `found "cart" in "", want "shop" in ""`,
	} {
		require.ErrorContains(t, err, problem)
	}
	memory := &rollout.Memory{}
	engine, err = rollout.New(memory, rollout.Options{})
	require.NoError(t, err)
	_, err = engine.Run(t.Context(), rollout.RunRequest{ID: "1", Service: "cart"}, line(rollout.Stage{Name: "a", Do: noop}))
	require.NoError(t, err)
	_, err = rollout.New(memory, rollout.Options{Service: "shop"})
	require.ErrorIs(t, err, rollout.ErrConflict, "the journal is of another service")
}

// TestPreviousRelease: a run is told the release of the last one that has succeeded, or,
// before there is one, of a rollout of the same service and environment.
func TestPreviousRelease(t *testing.T) {
	memory := &rollout.Memory{}
	var told []string
	p := line(
		rollout.Stage{Name: "a", Do: noop, Undo: func(_ context.Context, s *rollout.StageRun) error {
			told = append(told, s.Previous.Version)
			return nil
		}},
		rollout.Stage{Name: "b", Do: func(_ context.Context, s *rollout.StageRun) error {
			if strings.HasPrefix(s.Run, "bad") {
				return errors.New("no")
			}
			return nil
		}},
	)
	ran(t, memory, "bad 1", p)
	_, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "by hand", Plan: toFifty, Target: harmless(), Release: rollout.Release{Version: "by hand"}})
	require.NoError(t, err)
	ran(t, memory, "bad 2", p)
	ran(t, memory, "good 3", p)
	ran(t, memory, "bad 4", p)
	require.Equal(t, []string{"", "by hand", "good 3"}, told)
}

// TestRunsAreNoRollouts: what is told of rollouts leaves runs out, and has what they
// deploy.
func TestRunsAreNoRollouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, every := range []int{0, 3} {
			memory := &rollout.Memory{CheckpointEvery: every}
			ship := rollout.Stage{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) {
				return rollout.Request{Plan: toFifty, Target: harmless()}, nil
			}}
			report := ran(t, memory, "1", line(rollout.Stage{Name: "build", Do: noop}, ship))
			require.NoError(t, report.Err())
			engine := newEngine(t, memory)
			deliveries, err := engine.Delivery(rollout.DeliveryOptions{})
			require.NoError(t, err)
			require.Equal(t, 1, deliveries[0].Deployments)
			var ids []string
			for s, err := range engine.History() {
				require.NoError(t, err)
				ids = append(ids, s.ID)
			}
			require.Equal(t, []string{"1/ship"}, ids)
			require.Empty(t, slices.Collect(engine.Live()))
			status, err := engine.Status("1/ship")
			require.NoError(t, err)
			require.Equal(t, "1", status.Release.Version, "the run says which release")
			for _, r := range records(t, memory) {
				if r.Request != nil {
					require.Equal(t, "1", r.Parent)
				}
			}
		}
	})
}

// TestRunsAreFound by what they are about, as rollouts are.
func TestRunsAreFound(t *testing.T) {
	memory := &rollout.Memory{}
	engine := newEngine(t, memory)
	for _, service := range []string{"shop", "cart"} {
		_, err := engine.Run(t.Context(), rollout.RunRequest{ID: service, Service: service}, line(rollout.Stage{Name: "a", Do: noop}))
		require.NoError(t, err)
	}
	n := 0
	for r, err := range (rollout.Filter{Service: "shop"}).Of(memory.Records()) {
		require.NoError(t, err)
		require.Equal(t, "shop", r.Rollout)
		n++
	}
	require.Equal(t, 4, n)
}
