package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// machines is a fleet that outlives crashes.
type machines struct {
	ready  map[string]int // by version
	weight map[string]strategy.Share
	mirror strategy.Share
	serves string // what it comes back to
	calls  int
	stuck  int       // the call that fails, and every later one that goes forward; 0 for none
	dies   time.Time // when a new instance does; zero for never
	broken string
}

func newMachines() *machines {
	return &machines{ready: map[string]int{"v1": 4}, weight: map[string]strategy.Share{"v1": strategy.All}, serves: "v1"}
}

// fleet is the machines as one process sees them. It has to be told which versions it
// is about.
type fleet struct {
	*machines
	old, new string
}

func (f *fleet) Prepare(_ context.Context, old, new string) error {
	if f.serves != old && f.serves != new {
		return fmt.Errorf("serves %s, want %s or %s", f.serves, old, new)
	}
	f.old, f.new = old, new
	return nil
}

func (f *fleet) Observe(context.Context) (strategy.Observation, error) {
	if now := time.Now(); !f.dies.IsZero() && now.After(f.dies) {
		f.ready[f.new]--
		f.dies = time.Time{}
	}
	return strategy.Observation{Share: f.weight[f.new], Mirror: f.mirror, Old: f.ready[f.old], New: f.ready[f.new]}, nil
}

func (f *fleet) Scale(_ context.Context, old, new int) error {
	return f.call(new > f.ready[f.new] || old < f.ready[f.old], func() { f.ready[f.old], f.ready[f.new] = old, new })
}

func (f *fleet) Mirror(_ context.Context, to strategy.Share) error {
	return f.call(to > 0, func() { f.mirror = to })
}

func (f *fleet) Shift(_ context.Context, to strategy.Share) error {
	return f.call(to > f.weight[f.new], func() { f.weight[f.old], f.weight[f.new] = strategy.All-to, to })
}

func (f *fleet) Promote(_ context.Context, version string) error {
	return f.call(version == f.new, func() { f.serves = version })
}

func (f *fleet) call(forward bool, move func()) error {
	f.calls++
	switch {
	case f.new == "":
		f.broken = "moved before it was prepared"
	case forward && f.stuck > 0 && f.calls >= f.stuck:
		return errors.New("stuck")
	}
	move()
	if f.weight["v1"]+f.weight["v2"] != strategy.All {
		f.broken = fmt.Sprintf("weights %v", f.weight)
	}
	return nil
}

// moves are the four strategies, and a canary of which traffic follows instances.
func moves(t *testing.T) map[string]strategy.Plan {
	t.Helper()
	hold := strategy.Hold{For: time.Minute}
	plans := map[string]strategy.Plan{}
	for name, s := range map[string]strategy.Strategy{
		"rolling":    strategy.Rolling{Surge: strategy.Amount{Count: 1}, MinReady: time.Second, Gates: []string{"smoke"}},
		"in place":   strategy.Rolling{Batch: strategy.Amount{Count: 2}, After: hold},
		"blue-green": strategy.BlueGreen{Gates: []string{"smoke"}, Mirror: 10 * strategy.Percent, Before: hold, After: hold, Keep: time.Hour},
		"canary":     strategy.Canary{Weights: ladder, Hold: time.Minute, Gates: []string{"smoke"}, Keep: time.Minute},
		"by numbers": strategy.Canary{Weights: ladder, Hold: time.Minute, ByInstances: true},
		"recreate":   strategy.Recreate{Gates: []string{"smoke"}, After: hold},
	} {
		p, err := s.Plan(strategy.Input{Old: "v1", New: "v2", Instances: 4})
		require.NoError(t, err)
		plans[name] = p
	}
	return plans
}

var ladder = []strategy.Share{5 * strategy.Percent, 50 * strategy.Percent, strategy.All}

func fleetRequest(p strategy.Plan, on *machines) rollout.Request {
	return rollout.Request{
		ID: "r", Plan: p, Target: &fleet{machines: on}, Release: rollout.Release{Version: "v2"},
		Gates: map[string]rollout.Gate{"smoke": func(context.Context) error { return nil }},
	}
}

// TestFleetsMove: every strategy brings the new version, remembers it, and can be taken
// back after that, by another process that has to be told the versions again.
func TestFleetsMove(t *testing.T) {
	for name, p := range moves(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, memory := newMachines(), &rollout.Memory{}
				first := rollout.Request{ID: "first", Plan: toFifty, Target: harmless(), Release: rollout.Release{Version: "v1"}}
				engine := newEngine(t, memory)
				_, err := engine.Deploy(t.Context(), first)
				require.NoError(t, err)
				outcome, err := engine.Deploy(t.Context(), fleetRequest(p, on))
				require.NoError(t, err)
				require.Equal(t, rollout.Succeeded, outcome)
				require.Equal(t, map[string]int{"v1": 0, "v2": 4}, on.ready)
				require.Equal(t, strategy.All, on.weight["v2"])
				require.Equal(t, "v2", on.serves)

				engine = newEngine(t, memory)
				require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.RollBack, Actor: "ann", Reason: "orders are lost"}))
				outcome, err = engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("r"), Target: &fleet{machines: on}})
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				require.Equal(t, map[string]int{"v1": 4, "v2": 0}, on.ready)
				require.Equal(t, strategy.All, on.weight["v1"])
				require.Equal(t, "v1", on.serves)
				require.Empty(t, on.broken)
			})
		})
	}
}

// TestFleetsComeBack: whichever move fails, and wherever the process dies meanwhile,
// all is as it was.
func TestFleetsComeBack(t *testing.T) {
	if testing.Short() && raceEnabled {
		t.Skip("one goroutine, many worlds")
	}
	for name, p := range moves(t) {
		t.Run(name, func(t *testing.T) {
			for stuck := 1; ; stuck++ {
				if fleetCrashes(t, p, stuck) {
					return // nothing failed: there are not so many moves
				}
			}
		})
	}
}

// fleetCrashes lets the stuckth move fail, in a world for each record that the process
// may die at, and says whether it succeeded all the same.
func fleetCrashes(t *testing.T, p strategy.Plan, stuck int) (succeeded bool) {
	for crash := 0; ; crash++ {
		survived := false
		synctest.Test(t, func(t *testing.T) {
			on, memory := newMachines(), &rollout.Memory{}
			on.stuck = stuck
			outcome, err := newEngine(t, &crashing{Journal: memory, n: crash, after: crash%2 == 0}).Deploy(t.Context(), fleetRequest(p, on))
			if crash == 0 || err == nil {
				survived = crash > 0
			}
			if err != nil {
				require.ErrorIs(t, err, errCrash)
				outcome, err = newEngine(t, memory).Deploy(t.Context(), fleetRequest(p, on))
				require.NoError(t, err)
			}
			want := map[string]int{"v1": 4, "v2": 0}
			if succeeded = outcome == rollout.Succeeded; succeeded {
				want = map[string]int{"v1": 0, "v2": 4}
			}
			require.Equal(t, want["v1"], on.ready["v1"], "move %d fails, crash %d", stuck, crash)
			require.Equal(t, want["v2"], on.ready["v2"], "move %d fails, crash %d", stuck, crash)
			require.Equal(t, succeeded, on.weight["v2"] == strategy.All)
			require.Equal(t, succeeded, on.serves == "v2")
			require.Zero(t, on.mirror)
			require.Empty(t, on.broken)
			checkJournal(t, memory)
		})
		if survived {
			return succeeded
		}
	}
}

// TestFleetsAreWatched: new instances that go away during a hold send it back, and those
// that are never ready do when their time is up, not when the request's is.
func TestFleetsAreWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newMachines()
		p := moves(t)["canary"]
		on.dies = time.Now().Add(90 * time.Second) // in the second hold
		engine := newEngine(t, &rollout.Memory{})
		outcome, err := engine.Deploy(t.Context(), fleetRequest(p, on))
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		status, _ := engine.Status("r")
		require.Contains(t, status.State.Reason, "read back 1 new instances, want 2")
		require.Equal(t, "v1", on.serves)
	})
	synctest.Test(t, func(t *testing.T) {
		request := fleetRequest(moves(t)["canary"], newMachines())
		request.Target = slow{request.Target.(*fleet)}
		request.StepTimeout = time.Second
		engine := newEngine(t, &rollout.Memory{})
		began := time.Now()
		outcome, err := engine.Deploy(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, rollout.Cancelled, outcome)
		require.Equal(t, 10*time.Minute, time.Since(began), "what plans give it")
	})
}

// slow never has new instances ready.
type slow struct{ *fleet }

func (s slow) Scale(ctx context.Context, old, new int) error {
	if new > 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.fleet.Scale(ctx, old, new)
}

// TestFleetsRefuse: what is not where the plan begins, or about other versions, does not
// move.
func TestFleetsRefuse(t *testing.T) {
	p := moves(t)["canary"]
	tests := []struct {
		name string
		fix  func(*rollout.Request, *machines)
		want string
	}{
		{"another version serves", func(_ *rollout.Request, on *machines) { on.serves = "v0" }, "target: serves v0, want v1 or v2"},
		{"more instances", func(_ *rollout.Request, on *machines) { on.ready["v1"] = 5 }, "target: found 0 %, 0 % mirrored, 5 old and 0 new instances, want 0 %, 0 % mirrored, 4 old and 0 new instances, where the plan begins"},
		{"somebody has it", func(_ *rollout.Request, on *machines) {
			on.weight = map[string]strategy.Share{"v1": 90 * strategy.Percent, "v2": 10 * strategy.Percent}
		}, "target: found 10 %"},
		{"another release", func(r *rollout.Request, _ *machines) { r.Release.Version = "v3" }, `plan: brings version "v2", and the release is "v3"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			on, memory := newMachines(), &rollout.Memory{}
			request := fleetRequest(p, on)
			tt.fix(&request, on)
			_, err := newEngine(t, memory).Deploy(t.Context(), request)
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, records(t, memory))
			require.Zero(t, on.calls)
		})
	}
}

// TestFleetsRetreat: while what fails cannot be written down, its traffic goes back where
// the old version has its instances, and nothing else moves; then all comes back.
func TestFleetsRetreat(t *testing.T) {
	for name, tt := range map[string]struct {
		share strategy.Share // meanwhile
		ready map[string]int
	}{
		"canary":   {0, map[string]int{"v1": 4, "v2": 1}},
		"in place": {strategy.All, map[string]int{"v1": 0, "v2": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, memory := newMachines(), &rollout.Memory{}
				disk := &full{Journal: memory, kind: rollout.KindFailed}
				request := fleetRequest(moves(t)[name], on)
				began := time.Now()
				request.Alarms = map[string]rollout.Gate{"pager": func(context.Context) error {
					if time.Since(began) > 30*time.Second {
						return errors.New("carts are empty")
					}
					return nil
				}}
				over := make(chan rollout.Outcome)
				go func() {
					outcome, _ := newEngine(t, disk).Deploy(t.Context(), request)
					over <- outcome
				}()
				time.Sleep(45 * time.Second)
				synctest.Wait()
				require.Equal(t, tt.share, on.weight["v2"])
				require.Equal(t, tt.ready, on.ready)
				disk.room.Store(true)
				require.Equal(t, rollout.RolledBack, <-over)
				require.Equal(t, map[string]int{"v1": 4, "v2": 0}, on.ready)
				require.Equal(t, strategy.All, on.weight["v1"])
				require.Empty(t, on.broken)
				checkJournal(t, memory)
			})
		})
	}
}

// servingFleet is one that knows what it serves.
type servingFleet struct{ *fleet }

func (f servingFleet) Serving() string { return f.serves }

// TestFleetsSayWhatTheyServe: a plan that names no versions can be asked for again when it
// is over, and the first of a journal can be taken back to what was served before it. Of
// old instances that are ill, some may be missing at its start.
func TestFleetsSayWhatTheyServe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on, memory := newMachines(), &rollout.Memory{}
		on.ready["v1"] = 3
		p, err := strategy.BlueGreen{}.Plan(strategy.Input{Instances: 4})
		require.NoError(t, err)
		request := fleetRequest(p, on)
		request.Release.Name = "shop"
		request.Target = servingFleet{&fleet{machines: on}}
		for range 2 {
			engine := newEngine(t, memory)
			outcome, err := engine.Deploy(t.Context(), request)
			require.NoError(t, err)
			require.Equal(t, rollout.Succeeded, outcome)
			require.Equal(t, "v2", on.serves)
		}
		engine := newEngine(t, memory)
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.RollBack, Actor: "ann"}))
		outcome, err := engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("r"), Target: servingFleet{&fleet{machines: on}}})
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, "v1", on.serves)
		require.Equal(t, map[string]int{"v1": 4, "v2": 0}, on.ready)
		require.Empty(t, on.broken)
		status, err := engine.Status(rollout.BackID("r"))
		require.NoError(t, err)
		require.Equal(t, "shop v1", status.Release.String())
	})
}
