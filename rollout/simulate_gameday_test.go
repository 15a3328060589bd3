package rollout_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// experienced is a conductor whose journal has a release to come back to everywhere.
func experienced(t *testing.T) *rollout.Engine {
	engine := conductor(t)
	for _, environment := range []string{"eu", "us"} {
		outcome, err := engine.Deploy(t.Context(), rollout.Request{
			ID: "v1 " + environment, Environment: environment, Target: harmless(), Release: rollout.Release{Name: "shop", Version: "v1"},
			Plan: strategy.Plan{Strategy: "at once", Steps: []strategy.Step{strategy.Shift{To: strategy.All}}},
		})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	}
	return engine
}

// TestGameDay: the engine bears what everybody should, with a change that is good and with
// one that harms, as a rollout and as a pipeline; and what nobody bounds is found.
func TestGameDay(t *testing.T) {
	t.Parallel()
	for _, harm := range []float64{1, 5} {
		if raceEnabled && harm > 1 {
			continue // it takes as long again, and nothing else runs at once
		}
		world := busy
		world.Harm, world.HarmFrom = harm, 7*time.Minute
		engine, r := simulator(t, rollout.Options{}), canary(t)
		r.Stable = func(context.Context) error { return nil }
		one := func(w rollout.World) (rollout.Simulation, error) { return engine.Simulate(t.Context(), r, w) }
		report, err := rollout.GameDay(world, one)
		require.NoError(t, err)
		require.Len(t, report, 13)
		require.NoError(t, report.Err(), "%v", report)
		t.Log("\n", report)

		many := func(w rollout.World) (rollout.Simulation, error) {
			return experienced(t).SimulateRun(t.Context(), shipment, worldly(t), w)
		}
		report, err = rollout.GameDay(world, many)
		require.NoError(t, err)
		require.Len(t, report, 16)
		require.NoError(t, report.Err(), "%v", report)
		t.Log("\n", report)
	}

	engine, r := simulator(t, rollout.Options{}), canary(t)
	for i, step := range r.Plan.Steps {
		if hold, ok := step.(strategy.Hold); ok {
			hold.Exposed = 10
			r.Plan.Steps[i] = hold
		}
	}
	world := busy
	world.Limit = 2 * time.Hour
	one := func(w rollout.World) (rollout.Simulation, error) { return engine.Simulate(t.Context(), r, w) }
	gone := rollout.Fault{Kind: rollout.FaultNoMetrics, At: time.Minute}
	report, err := rollout.GameDay(world, one, gone)
	require.NoError(t, err)
	require.Empty(t, report[0].Broken)
	require.Equal(t, rollout.Unfinished, report[1].Outcome)
	require.ErrorContains(t, report.Err(), "metrics vanish: it has not ended: holding: ")
	require.Contains(t, report.String(), "BROKEN: it has not ended: holding: ")
	r.Deadlines.Progress.Within = time.Hour
	report, err = rollout.GameDay(world, one, gone)
	require.NoError(t, err)
	require.NoError(t, report.Err(), "a deadline bounds it")
	require.Equal(t, rollout.RolledBack, report[1].Outcome)

	_, err = rollout.GameDay(world, one, rollout.Fault{Kind: "war"})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.ErrorContains(t, err, "at 0s: war: rollout: simulate v2: ")
	broken := errors.New("broken")
	_, err = rollout.GameDay(world, func(rollout.World) (rollout.Simulation, error) { return rollout.Simulation{}, broken })
	require.ErrorIs(t, err, broken)
}

// TestGameDayOfWhatDoesNotWork: a pipeline that does not succeed when nothing goes wrong is
// broken, whatever the faults change.
func TestGameDayOfWhatDoesNotWork(t *testing.T) {
	pipeline := rollout.Pipeline{Stages: []rollout.Stage{{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) { return rollout.Request{}, errStuck }}}}
	report, err := rollout.GameDay(rollout.World{}, func(w rollout.World) (rollout.Simulation, error) {
		return conductor(t).SimulateRun(t.Context(), rollout.RunRequest{ID: "run"}, pipeline, w)
	}, rollout.Fault{Kind: rollout.FaultJournalFull, At: time.Minute})
	require.NoError(t, err)
	require.ErrorContains(t, report.Err(), "nothing: it is failed although nothing goes wrong, so the others say little: ship failed: stuck")
}
