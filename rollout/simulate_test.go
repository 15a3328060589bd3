package rollout_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// simulator is an engine to simulate with.
func simulator(t testing.TB, options rollout.Options) *rollout.Engine {
	options.Service, options.Environment = "shop", "production"
	engine, err := rollout.New(&rollout.Memory{}, options)
	require.NoError(t, err)
	return engine
}

// canary is a request for one of 5, 50 and 100 %, ten minutes each.
func canary(t testing.TB) rollout.Request {
	plan, err := strategy.Canary{
		Weights: []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All},
		Hold:    10 * time.Minute, Judges: []string{"errors"}, Gates: []string{"smoke"},
	}.Plan(strategy.Input{})
	require.NoError(t, err)
	return rollout.Request{
		ID: "v2", Plan: plan, Look: 15 * time.Second,
		Release: rollout.Release{Name: "shop", Version: "v2"},
		Watches: map[string]rollout.Watch{"errors": {Judge: health.DefaultJudge(plan.Length())}},
	}
}

// busy is a world with traffic.
var busy = rollout.World{Rate: 5, Users: 1000, ErrorRate: 0.05}

// seeds is how many worlds to play: few where each takes long.
func seeds(n uint64) uint64 {
	if raceEnabled || testing.Short() {
		return n / 10
	}
	return n
}

// made is a world that a seed makes up, and a request that is played in it. No two things
// happen at the same moment, as nobody knows which of them a real clock has first.
func made(t testing.TB, seed uint64) (rollout.Request, rollout.World, rollout.Options) {
	luck := rand.New(rand.NewPCG(seed, 16))
	r, w, o := canary(t), busy, rollout.Options{}
	w.Seed, w.Limit = seed, 2*time.Hour
	r.Look = 45 * time.Second
	if seed%4 > 0 { // quick
		r.Watches["errors"] = rollout.Watch{Judge: health.FirstFailure{}}
	}
	chance := func() bool { return luck.IntN(2) == 0 }
	moment := func() time.Duration {
		return time.Duration(luck.IntN(30*60))*time.Second + time.Duration(1+luck.IntN(998))*time.Millisecond
	}
	if chance() {
		w.Harm, w.HarmFrom = 5, moment()
	}
	if chance() {
		r.Alarms = map[string]rollout.Gate{"database": nil, "queue": nil}
	}
	if chance() {
		r.Stable = func(context.Context) error { return nil }
	}
	if chance() {
		r.Artifact = func(context.Context) (string, error) { return "", nil }
	}
	if chance() {
		r.Deadlines.Progress = rollout.Deadline{Within: time.Hour, Then: rollout.ThenPause}
	}
	if chance() {
		r.Deadlines.Overall = rollout.Deadline{Within: 2 * time.Hour}
	}
	if chance() {
		o.Freezes = []rollout.Freeze{{Name: "lunch", From: "09:15", To: "09:45"}}
	}
	r.Doubt = rollout.Expiry(luck.IntN(3))
	r.Shadow = luck.IntN(5) == 0
	kinds := []rollout.FaultKind{
		rollout.FaultTargetHangs, rollout.FaultTargetRefuses, rollout.FaultTargetUnseen, rollout.FaultTargetMoved, rollout.FaultNoMetrics, rollout.FaultOldSick,
		rollout.FaultGateNo, rollout.FaultGateUnsure, rollout.FaultJournalFull, rollout.FaultClockJumps, rollout.FaultProcessDies, rollout.FaultPersonActs,
	}
	acts := []rollout.ActKind{rollout.Pause, rollout.Continue, rollout.Promote, rollout.Abort}
	for range luck.IntN(4) {
		f := rollout.Fault{Kind: kinds[luck.IntN(len(kinds))], At: moment(), For: moment()}
		switch f.Kind {
		case rollout.FaultTargetMoved:
			f.Share = 7 * strategy.Percent
		case rollout.FaultClockJumps:
			f.By = time.Duration(luck.IntN(120)-60)*time.Minute + time.Millisecond
		case rollout.FaultPersonActs:
			f.Act = rollout.Act{Kind: acts[luck.IntN(len(acts))], Actor: "anna", Reason: "why not"}
		}
		w.Faults = append(w.Faults, f)
	}
	return r, w, o
}

// TestSimulationIsReal: the same engine does the same, at the same times and down to the
// last sum, whether time passes by itself or in a simulation.
func TestSimulationIsReal(t *testing.T) {
	for seed := range seeds(40) {
		synctest.Test(t, func(t *testing.T) {
			r, w, o := made(t, seed)
			engine := simulator(t, o)
			w.Start = time.Now()
			real, err := engine.SimulateOutside(t.Context(), r, w)
			require.NoError(t, err)
			synctest.Wait()
			simulated, err := engine.Simulate(t.Context(), r, w)
			require.NoError(t, err)
			require.Equal(t, real.Timeline, simulated.Timeline, "seed %d", seed)
			require.Equal(t, journalOf(t, real), journalOf(t, simulated), "seed %d", seed)
			real.Records, simulated.Records = nil, nil
			require.Equal(t, real, simulated, "seed %d", seed)
		})
	}
}

// journalOf is the journal of a simulation, byte for byte.
func journalOf(t testing.TB, s rollout.Simulation) string {
	text, err := json.MarshalIndent(s.Records, "", "  ")
	require.NoError(t, err)
	return string(text)
}

// TestSimulationsAreEqual: the same seed gives the same bytes, whatever the world.
func TestSimulationsAreEqual(t *testing.T) {
	sums := map[string]bool{}
	for seed := range seeds(50) {
		r, w, o := made(t, seed+1000)
		first, err := simulator(t, o).Simulate(t.Context(), r, w)
		require.NoError(t, err)
		second, err := simulator(t, o).Simulate(t.Context(), r, w)
		require.NoError(t, err)
		require.Equal(t, journalOf(t, first), journalOf(t, second), "seed %d", seed)
		require.Equal(t, first.String(), second.String(), "seed %d", seed)
		require.LessOrEqual(t, len(first.Broken), 1, "seed %d: %v", seed, first)
		sums[first.Records[len(first.Records)-1].Sum] = true
	}
	require.Greater(t, len(sums), int(seeds(40)), "other seeds give other journals")
}

// forbidden is a host that must be left alone.
type forbidden struct{ t *testing.T }

func (f forbidden) Observe(context.Context) (strategy.Observation, error) {
	f.t.Error("the host's target is asked")
	return strategy.Observation{}, nil
}

func (f forbidden) Shift(context.Context, strategy.Share) error {
	f.t.Error("the host's target is moved")
	return nil
}

// TestSimulateTouchesNothing: nothing of the host is called, counted in or written to.
func TestSimulateTouchesNothing(t *testing.T) {
	memory := &rollout.Memory{}
	engine, err := rollout.New(memory, rollout.Options{
		OnRecord:  func(rollout.Record) { t.Error("OnRecord is told") },
		OnNotice:  func(rollout.Notice) { t.Error("OnNotice is told") },
		OnProblem: func(string, error) { t.Error("OnProblem is told") },
	})
	require.NoError(t, err)
	never := func(context.Context) error {
		t.Error("the host is asked")
		return nil
	}
	r := canary(t)
	cohorts, err := engine.Cohorts(r.ID, "errors", health.CohortsOptions{Seed: 7, Harm: 3, MaxUnits: 100, Slow: []time.Duration{time.Second}})
	require.NoError(t, err)
	options := cohorts.Options()
	saw := health.SampleOptions{}
	r.Target, r.Stable = forbidden{t}, never
	r.Gates, r.Alarms = map[string]rollout.Gate{"smoke": never}, map[string]rollout.Gate{"database": never}
	r.Artifact = func(ctx context.Context) (string, error) { return "", never(ctx) }
	r.Watches["errors"] = rollout.Watch{Cohorts: cohorts, Judge: health.JudgeFunc(func(s health.State, sample health.Sample) (health.Verdict, health.State) {
		saw = sample.Options
		return health.Verdict{}, s
	})}
	s, err := engine.Simulate(t.Context(), r, rollout.World{Rate: 10, ErrorRate: 0.1, Latency: time.Second, Faults: []rollout.Fault{{Kind: rollout.FaultJournalFull, At: time.Minute, For: time.Minute}}})
	require.NoError(t, err)
	require.Equal(t, rollout.Succeeded, s.Outcome)
	require.Zero(t, cohorts.Snapshot().Candidate.Requests())
	require.Equal(t, health.SampleOptions{Seed: options.Seed, Harm: 3, Slow: options.Slow}, saw, "in cohorts of the same options")
	require.Empty(t, records(t, memory))
}

// TestSimulateProblems: what is wrong with request and world is told at once.
func TestSimulateProblems(t *testing.T) {
	r := canary(t)
	r.Target = struct{ strategy.Target }{}
	r.Environment = "elsewhere"
	_, err := simulator(t, rollout.Options{}).Simulate(t.Context(), r, rollout.World{
		Limit: -1, Rate: -1, Users: -1, ErrorRate: 2, Harm: -1, Slower: 2,
		Faults: []rollout.Fault{
			{}, {Kind: rollout.FaultTargetHangs, At: -1, Name: "shop"}, {Kind: rollout.FaultTargetMoved, At: 1, Share: -1}, {Kind: rollout.FaultGateNo, Name: "smok"},
			{Kind: rollout.FaultClockJumps}, {Kind: rollout.FaultProcessDies}, {Kind: rollout.FaultPersonActs, At: 1}, {Kind: rollout.FaultStageFails, Name: "build"},
			{Kind: rollout.FaultStageTakes}, {Kind: rollout.FaultOldSick, Factor: -1},
		},
	})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	for _, want := range []string{
		"limit, harm from, latency: found -1ns, 0s and 0s, want no negative time",
		"rate: found -1, want 0 to 1e6 requests per second",
		"users: found -1, want 0 to 100000000",
		"error rate: found 2, want 0 to 1",
		"harm, slower: found -1 and 2, want 0 to 1e6 each",
		"slower: found 2 times a latency of 0s at -1 requests per second, want more than 0 of both",
		`faults[0] (): kind: found "", want one of the constants`,
		"faults[1] (target hangs): at, for, times: found -1ns, 0s and 0, want nothing negative, and no centuries",
		`faults[1] (target hangs): name: found "shop", and there is no stage that is a rollout`,
		"faults[2] (target is moved): share: found -0.001 %, want 0 to 100 %",
		`faults[3] (gate says no): name: found "smok", want a gate or alarm: smoke`,
		"faults[4] (clock jumps): by: found 0s, want how far",
		"faults[5] (process dies): at: found 0s, want a time at which there is a process",
		`faults[6] (person acts): act: invalid request: kind: found "", want pause,`,
		`faults[7] (stage fails): name: found "build", and there is no stage that does something`,
		"faults[8] (stage takes time): by: found 0s, want how long",
		"faults[9] (old version is sick): factor: found -1, want 0 to 1e6",
		"needs a target with the method Shift",
		`found "shop" in "elsewhere", want "shop" in "production"`,
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = simulator(t, rollout.Options{}).Simulate(t.Context(), canary(t), rollout.World{Harm: 5})
	require.ErrorContains(t, err, "harm: found 5 times an error rate of 0 at 0 requests per second, want more than 0 of both")

	_, err = simulator(t, rollout.Options{}).Simulate(t.Context(), canary(t), rollout.World{Limit: math.MaxInt64})
	require.ErrorContains(t, err, "limit: found 2562047h47m16.854775807s, want at most a century")

	r = canary(t)
	delete(r.Watches, "errors")
	s, err := simulator(t, rollout.Options{}).Simulate(t.Context(), r, rollout.World{})
	require.ErrorContains(t, err, `watches: "errors" is in the plan and not bound`, "as Deploy has it")
	require.Empty(t, s.Records)
}

// TestSimulateStops: a context that ends stops it.
func TestSimulateStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	r := canary(t)
	r.Watches["errors"] = rollout.Watch{Judge: health.JudgeFunc(func(s health.State, _ health.Sample) (health.Verdict, health.State) {
		stop()
		return health.Verdict{}, s
	})}
	s, err := simulator(t, rollout.Options{}).Simulate(ctx, r, rollout.World{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, rollout.Unfinished, s.Outcome)
}

// TestSimulateKnowsWhatCameBefore: a rollout can be taken back after its end, if the
// engine's journal has a release to come back to.
func TestSimulateKnowsWhatCameBefore(t *testing.T) {
	world := rollout.World{Rate: 10, ErrorRate: 0.01, Faults: []rollout.Fault{{Kind: rollout.FaultPersonActs, At: 3 * time.Hour, Act: rollout.Act{Kind: rollout.RollBack, Actor: "anna", Reason: "customers complain"}}}}
	engine := simulator(t, rollout.Options{})
	s, err := engine.Simulate(t.Context(), canary(t), world)
	require.NoError(t, err)
	require.Equal(t, rollout.Succeeded, s.Outcome)
	require.Contains(t, s.String(), "in vain: rollout: roll back v2: no way back: the journal knows no earlier release")

	before := canary(t)
	before.ID, before.Plan, before.Target = "v1", strategy.Plan{Strategy: "at once", Steps: []strategy.Step{strategy.Shift{To: strategy.All}}}, harmless()
	before.Release.Version = "v1"
	_, err = engine.Deploy(t.Context(), before)
	require.NoError(t, err)
	s, err = engine.Simulate(t.Context(), canary(t), world)
	require.NoError(t, err)
	require.Equal(t, rollout.RolledBack, s.Outcome)
	require.Equal(t, 3*time.Hour, s.Took.Truncate(time.Second))
	require.Empty(t, s.Broken)
}

// TestSimulationForgets: what is kept is what happened, however long it took, and it can
// be folded as any journal can.
func TestSimulationForgets(t *testing.T) {
	played := func(hold time.Duration) (rollout.Simulation, uint64) {
		r := canary(t)
		r.Look = time.Minute
		for i, step := range r.Plan.Steps {
			if h, ok := step.(strategy.Hold); ok {
				h.For = hold
				r.Plan.Steps[i] = h
			}
		}
		s, err := simulator(t, rollout.Options{}).Simulate(t.Context(), r, rollout.World{Rate: 1, Users: 1000, ErrorRate: 0.05})
		require.NoError(t, err)
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return s, m.HeapAlloc
	}
	hour, before := played(time.Hour)
	days, after := played(24 * time.Hour)
	require.Equal(t, len(hour.Records), len(days.Records))
	require.Equal(t, len(hour.Timeline), len(days.Timeline))
	require.Greater(t, days.Records[len(days.Records)-1].Seq, uint64(500), "looks were written")
	require.Less(t, int64(after)-int64(before), int64(2<<20))

	machine := rollout.Machine{}
	for _, r := range days.Records {
		require.Equal(t, machine.State().String(), r.From)
		require.NoError(t, machine.Apply(r))
		require.Equal(t, machine.State().String(), r.To)
	}
	require.Equal(t, rollout.Succeeded, machine.State().Outcome)
	runtime.KeepAlive(hour)
}
