package rollout_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// unreal is what no stage of a simulation may do.
func unreal(context.Context, *rollout.StageRun) error { panic("the host's stage is called") }

// worldly is a pipeline with two canaries beside one another.
func worldly(t testing.TB) rollout.Pipeline {
	deploy := func(environment string) func(*rollout.StageRun) (rollout.Request, error) {
		return func(*rollout.StageRun) (rollout.Request, error) {
			r := canary(t)
			r.ID, r.Release, r.Look = "", rollout.Release{}, time.Minute
			r.Environment = environment
			r.Watches = map[string]rollout.Watch{"errors": {Judge: health.FirstFailure{}}} // quick
			return r, nil
		}
	}
	return rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
		{Name: "build", Do: unreal},
		{Name: "expand", Needs: []string{"build"}, Do: unreal, Undo: unreal, Retry: rollout.Retry{Attempts: 2}},
		{Name: "eu", Needs: []string{"expand"}, Deploy: deploy("eu")},
		{Name: "us", Needs: []string{"expand"}, Deploy: deploy("us")},
		{Name: "docs", Needs: []string{"build"}, Do: unreal, When: unreal, Undo: unreal, Timeout: time.Hour, Optional: true},
		{Name: "announce", Needs: []string{"eu", "us"}, Do: unreal, Undo: unreal, Timeout: 5 * time.Minute},
	}}
}

var shipment = rollout.RunRequest{ID: "run 7", Release: rollout.Release{Name: "shop", Version: "v2"}}

// madeRun is a world that a seed makes up for a run of worldly, in which no two things
// happen at the same moment.
func madeRun(seed uint64) rollout.World {
	luck := rand.New(rand.NewPCG(seed, 17))
	w := busy
	w.Seed, w.Limit = seed, 3*time.Hour
	moment := func() time.Duration {
		return time.Duration(luck.IntN(30*60))*time.Second + time.Duration(1+luck.IntN(998))*time.Millisecond
	}
	for i, name := range []string{"build", "expand", "docs", "announce"} {
		w.Faults = append(w.Faults, rollout.Fault{Kind: rollout.FaultStageTakes, Name: name, By: time.Minute<<i + time.Microsecond<<i})
	}
	if luck.IntN(2) == 0 {
		w.Harm, w.HarmFrom = 5, moment()
	}
	kinds := []rollout.FaultKind{
		rollout.FaultTargetRefuses, rollout.FaultNoMetrics, rollout.FaultGateNo, rollout.FaultJournalFull, rollout.FaultClockJumps,
		rollout.FaultStageFails, rollout.FaultStageHangs, rollout.FaultStagePanics, rollout.FaultUndoFails, rollout.FaultPersonActs,
	}
	acts := []rollout.ActKind{rollout.Pause, rollout.Continue, rollout.Abort}
	if luck.IntN(3) == 0 { // while one stage is under way: what goes on does so at one moment
		w.Faults = append(w.Faults, rollout.Fault{Kind: rollout.FaultProcessDies, At: time.Minute + 500*time.Millisecond + time.Duration(luck.IntN(100))*time.Second, For: 7 * time.Millisecond})
	}
	for range luck.IntN(4) {
		f := rollout.Fault{Kind: kinds[luck.IntN(len(kinds))], At: moment(), For: moment()}
		switch f.Kind {
		case rollout.FaultClockJumps:
			f.By = time.Duration(luck.IntN(120)-60)*time.Minute + time.Millisecond
		case rollout.FaultPersonActs:
			f.Act = rollout.Act{Kind: acts[luck.IntN(len(acts))], Actor: "anna", Reason: "why not"}
		}
		w.Faults = append(w.Faults, f)
	}
	return w
}

// conductor is an engine of one service in many environments.
func conductor(t testing.TB) *rollout.Engine {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	require.NoError(t, err)
	return engine
}

// TestSimulatedRunIsReal is TestSimulationIsReal for runs of a pipeline. Of several stages
// that are cut at one moment any may be the first in earnest, so there are a few tries.
func TestSimulatedRunIsReal(t *testing.T) {
	for seed := range seeds(40) {
		synctest.Test(t, func(t *testing.T) {
			w := madeRun(seed)
			w.Start = time.Now()
			pipeline := worldly(t)
			pipeline.Stages[3].Needs = []string{"docs"} // not at the same moment as eu
			simulated, err := conductor(t).SimulateRun(t.Context(), shipment, pipeline, w)
			require.NoError(t, err)
			var real rollout.Simulation
			for range 20 {
				w.Start = time.Now()
				real, err = conductor(t).SimulateRunOutside(t.Context(), shipment, pipeline, w)
				require.NoError(t, err)
				synctest.Wait()
				if slices.Equal(real.Timeline, simulated.Timeline) {
					break
				}
			}
			w.Start = real.World.Start
			simulated, err = conductor(t).SimulateRun(t.Context(), shipment, pipeline, w)
			require.NoError(t, err)
			require.Equal(t, real.Timeline, simulated.Timeline, "seed %d", seed)
			require.Equal(t, journalOf(t, real), journalOf(t, simulated), "seed %d", seed)
			real.Records, simulated.Records = nil, nil
			require.Equal(t, real, simulated, "seed %d", seed)
		})
	}
}

// TestSimulatedRunsAreEqual: the same seed gives the same bytes, even if everything
// happens at once.
func TestSimulatedRunsAreEqual(t *testing.T) {
	for seed := range seeds(50) {
		w := madeRun(seed + 1000)
		w.Faults = w.Faults[4:] // no stage takes any time
		first, err := conductor(t).SimulateRun(t.Context(), shipment, worldly(t), w)
		require.NoError(t, err)
		second, err := conductor(t).SimulateRun(t.Context(), shipment, worldly(t), w)
		require.NoError(t, err)
		require.Equal(t, journalOf(t, first), journalOf(t, second), "seed %d", seed)
		require.Equal(t, first.String(), second.String(), "seed %d", seed)
		if first.Outcome != rollout.Unfinished {
			require.Empty(t, first.Broken, "seed %d: %v", seed, first)
		}
	}
}

// TestSimulateRunProblems: what is wrong with the run and the world is told at once.
func TestSimulateRunProblems(t *testing.T) {
	pipeline := worldly(t)
	pipeline.Stages[1].Needs = []string{"biuld"}
	_, err := conductor(t).SimulateRun(t.Context(), rollout.RunRequest{}, pipeline, rollout.World{Rate: -1, Faults: []rollout.Fault{
		{Kind: rollout.FaultStageFails, Name: "eu"}, {Kind: rollout.FaultTargetHangs, Name: "build"}, {Kind: rollout.FaultGateNo, Name: "smoke"},
	}})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	for _, want := range []string{
		"rate: found -1", `stages[1] "expand": needs[0]:`, `id: found ""`,
		`faults[0] (stage fails): name: found "eu", want a stage that does something: build, expand, docs, announce`,
		`faults[1] (target hangs): name: found "build", want a stage that is a rollout: eu, us`,
	} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "faults[2]")
}

// TestSimulateGuard: a guarded flag is played by its own plan and judges, and does not
// move, alone and as the stage of a pipeline.
func TestSimulateGuard(t *testing.T) {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"simulated": {}}}`)), flag.Options{})
	require.NoError(t, flags.Load(t.Context()))
	engine := conductor(t)
	guard, err := engine.Guard(flags, rollout.Guarded{
		Flag: flag.Bool("simulated", false), Hold: 5 * time.Minute, Look: 5 * time.Second,
		Ladder: []flag.Share{10 * flag.Percent, flag.All},
	})
	require.NoError(t, err)
	world := rollout.World{Rate: 50, ErrorRate: 0.02}
	good, err := guard.Simulate(t.Context(), world)
	require.NoError(t, err)
	require.Equal(t, rollout.Succeeded, good.Outcome, good.String())
	require.Equal(t, 5*time.Minute, good.Took)
	world.Harm = 10
	bad, err := guard.Simulate(t.Context(), world)
	require.NoError(t, err)
	require.Equal(t, rollout.RolledBack, bad.Outcome, bad.String())
	require.Less(t, bad.Harmed, 60)

	run, err := engine.SimulateRun(t.Context(), shipment, rollout.Pipeline{Stages: []rollout.Stage{{Name: "build", Do: unreal, Undo: unreal}, {Name: "release", Needs: []string{"build"}, Guard: guard}}}, world)
	require.NoError(t, err)
	require.Equal(t, rollout.RolledBack, run.Outcome, run.String())
	require.Empty(t, run.Broken)
	status, err := flags.Status("simulated")
	require.NoError(t, err)
	require.Zero(t, status.Ramp.Share)
}
