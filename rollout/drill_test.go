package rollout_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// settled is a journal in which version 1 has succeeded.
func settled(t *testing.T) *rollout.Memory {
	t.Helper()
	memory := &rollout.Memory{}
	_, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "first", Release: rel("v1"), Plan: toFifty, Target: harmless()})
	require.NoError(t, err)
	return memory
}

// practised checks what must be so after a drill that went as it should.
func practised(t *testing.T, journal rollout.Journal, d rollout.Drill) {
	t.Helper()
	require.NoError(t, d.Err())
	require.Equal(t, rollout.Succeeded, d.Outcome)
	require.True(t, d.Forward.Over && d.Back.Over)
	for _, way := range []rollout.DrillWay{d.Forward, d.Back} {
		require.NotEmpty(t, way.Steps)
		sum := time.Duration(0)
		for _, step := range way.Steps {
			sum += step.Took
		}
		require.LessOrEqual(t, sum, way.Took)
	}
	good, ok := newEngine(t, journal).Good("", "")
	require.True(t, ok)
	require.Equal(t, "v1", good.Version, "the release to come back to")
	delivery := measure(t, journal, rollout.DeliveryOptions{})[0]
	require.Equal(t, []int{1, 0}, []int{delivery.Deployments, delivery.Failed}, "a drill is no deployment")
}

// TestDrills: every strategy is gone through and comes back, and all is as it was.
func TestDrills(t *testing.T) {
	for name, p := range moves(t) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				on, memory := newMachines(), settled(t)
				start := time.Now().UTC()
				d, err := newEngine(t, memory).Drill(t.Context(), fleetRequest(p, on))
				require.NoError(t, err)
				practised(t, memory, d)
				require.Equal(t, map[string]int{"v1": 4, "v2": 0}, on.ready)
				require.Equal(t, strategy.All, on.weight["v1"])
				require.Equal(t, "v1", on.serves)
				require.Empty(t, on.broken)
				require.Equal(t, "v2", d.Release.Version)
				require.Equal(t, "v1", d.Previous.Version)
				require.Equal(t, p.Length(), d.Forward.Took, "all holds")
				require.Equal(t, len(p.Steps), len(d.Forward.Steps))
				require.Zero(t, d.Back.Took)
				require.Equal(t, start, d.Forward.Ordered)
				require.Equal(t, start.Add(p.Length()), d.Back.Ordered)
				require.Empty(t, on.broken)
			})
		})
	}
}

// TestDrillCrashAnywhere lets the process die at every record of a drill: the same
// request, given again, goes on, and it ends as it would have.
func TestDrillCrashAnywhere(t *testing.T) {
	p := moves(t)["blue-green"]
	for crash, over := 1, false; !over; crash++ {
		for _, after := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				on, memory := newMachines(), settled(t)
				d, err := newEngine(t, &crashing{Journal: memory, n: crash, after: after}).Drill(t.Context(), fleetRequest(p, on))
				if over = err == nil; !over {
					require.ErrorIs(t, err, errCrash)
					d, err = newEngine(t, memory).Drill(t.Context(), fleetRequest(p, on))
				}
				require.NoError(t, err, "crash at %d", crash)
				practised(t, memory, d)
				require.Equal(t, map[string]int{"v1": 4, "v2": 0}, on.ready)
				require.Equal(t, "v1", on.serves)
				kinds := map[rollout.Kind]int{}
				for _, r := range records(t, memory) {
					kinds[r.Kind]++
				}
				require.Equal(t, []int{3, 3}, []int{kinds[rollout.KindRequested], kinds[rollout.KindFinished]}, "once each: first, drill, back")
			})
		}
	}
}

// TestDrillIsOnce: one that is over moves nothing when it is asked for again, and says
// the same, in this process, in the next, and as far as a checkpoint knows it.
func TestDrillIsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, memory := harmless(), settled(t)
		request := rollout.Request{ID: "r", Release: rel("v2"), Plan: toFifty, Target: w, Actor: "ann", Reason: "every month"}
		first, err := newEngine(t, memory).Drill(t.Context(), request)
		require.NoError(t, err)
		practised(t, memory, first)
		shifts, n := len(w.shifts), len(records(t, memory))
		again, err := newEngine(t, memory).Drill(t.Context(), request)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(first, again))
		for _, r := range records(t, memory)[n-1:] {
			require.Equal(t, "r back", r.Rollout)
		}

		asked := map[string]rollout.Record{}
		for _, r := range records(t, memory) {
			if r.Request != nil {
				asked[r.Rollout] = r
			}
		}
		require.True(t, asked["r"].Request.Drill && asked["r back"].Request.Drill)
		require.Equal(t, "drill:  of shop v2: every month", asked["r"].Reason)
		require.Equal(t, "roll back of shop v2: drill", asked["r back"].Reason)
		require.Equal(t, "ann", asked["r back"].Actor)

		memory.CheckpointEvery = 1
		_, err = newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "next", Release: rel("v3"), Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		again, err = newEngine(t, forgetful{memory}).Drill(t.Context(), request)
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, again.Outcome)
		require.Equal(t, []rollout.Release{rel("v2"), rel("v1")}, []rollout.Release{again.Release, again.Previous})
		require.True(t, again.Forward.Over && again.Back.Over)
		require.Empty(t, again.Forward.Steps)
		require.Len(t, w.shifts, shifts)

		w.share.Store(int32(strategy.Percent)) // by whoever came next
		again, err = newEngine(t, memory).Drill(t.Context(), request)
		require.NoError(t, err)
		require.NoError(t, again.Err())

		request.ID = "s"
		w.share.Store(0)
		engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
			if r.Rollout == "s back" && r.Kind == rollout.KindFinished {
				w.share.Store(int32(strategy.Percent))
			}
		}})
		require.NoError(t, err)
		again, err = engine.Drill(t.Context(), request)
		require.NoError(t, err)
		require.ErrorContains(t, again.Err(), "drill s: it left the target elsewhere: target: found 1 %, 0 % mirrored, 0 old and 0 new instances, want 0 %, 0 % mirrored, 0 old and 0 new instances")
	})
}

// forgetful is a journal whose old segments are gone.
type forgetful struct{ *rollout.Memory }

func (f forgetful) Records() iter.Seq2[rollout.Record, error] { return f.Recent() }

// TestDrillRefused: what could not come back is refused before anything moves, and what
// is no drill does not become one.
func TestDrillRefused(t *testing.T) {
	gone := strategy.Plan{Steps: append([]strategy.Step{strategy.NoReturn{Why: "a column is dropped"}}, toFifty.Steps...)}
	tests := []struct {
		name    string
		request rollout.Request
		want    error
		text    string
	}{
		{"no return", rollout.Request{ID: "r", Release: rel("v2"), Plan: gone}, rollout.ErrInvalid, "plan: passes a point of no return, and a drill has to come back"},
		{"nothing before it", rollout.Request{ID: "r", Environment: "other", Release: rel("v2"), Plan: toFifty}, rollout.ErrNoWayBack, "the journal knows no earlier release that succeeded"},
		{"the same release", rollout.Request{ID: "r", Release: rel("v1"), Plan: toFifty}, rollout.ErrNoWayBack, "the release before it, shop v1, has the same digest"},
		{"the ID of its way back is taken", rollout.Request{ID: "taken", Release: rel("v3"), Plan: toFifty}, rollout.ErrConflict, `the journal has the ID "taken back" for another rollout`},
		{"no drill", rollout.Request{ID: "first", Release: rel("v1"), Plan: toFifty}, rollout.ErrConflict, "the journal has this ID for another request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, memory := harmless(), settled(t)
				_, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "taken back", Service: "else", Release: rel("v1"), Plan: toFifty, Target: harmless()})
				require.NoError(t, err)
				n := len(records(t, memory))
				tt.request.Target = w
				d, err := newEngine(t, memory).Drill(t.Context(), tt.request)
				require.ErrorIs(t, err, tt.want)
				require.ErrorContains(t, err, tt.text)
				require.Error(t, rollout.Drill{ID: d.ID}.Err())
				require.Empty(t, w.shifts)
				require.Len(t, records(t, memory), n)
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		memory := settled(t)
		request := rollout.Request{ID: "r", Release: rel("v2"), Plan: toFifty, Target: harmless()}
		_, err := newEngine(t, memory).Drill(t.Context(), request)
		require.NoError(t, err)
		_, err = newEngine(t, memory).Deploy(t.Context(), request)
		require.ErrorIs(t, err, rollout.ErrConflict)
	})
}

// TestDrillThatFails: it comes back by itself, which is a failed deployment, or a person
// ends it, which is none.
func TestDrillThatFails(t *testing.T) {
	tests := []struct {
		name   string
		bad    bool
		text   string
		counts int
	}{
		{"by itself", true, "it did not get there, and is rolled back: it hurts", 1},
		{"by a person", false, "it did not get there, and is rolled back: enough", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, memory := harmless(), settled(t)
				if tt.bad {
					w.badAbove = 0
				}
				engine := newEngine(t, memory)
				if !tt.bad {
					go func() {
						time.Sleep(3 * time.Second)
						engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Abort, Actor: "ann", Reason: "enough"})
					}()
				}
				request := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
				request.Release = rel("v2")
				d, err := engine.Drill(t.Context(), request)
				synctest.Wait()
				require.NoError(t, err)
				require.ErrorContains(t, d.Err(), tt.text)
				require.Contains(t, d.String(), "drill r: "+tt.text)
				require.Equal(t, rollout.RolledBack, d.Outcome)
				require.True(t, d.Back.Over)
				require.NotEmpty(t, d.Back.Steps)
				require.Empty(t, d.Astray)
				delivery := measure(t, memory, rollout.DeliveryOptions{})[0]
				require.Equal(t, []int{1 + tt.counts, tt.counts}, []int{delivery.Deployments, delivery.Failed})
			})
		})
	}
}

// TestDrillTable: what people read.
func TestDrillTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := harmless()
		w.flaky = map[strategy.Share]int{0: 2}
		slow := scripted{world: w, shift: func(ctx context.Context, to strategy.Share) error {
			time.Sleep(1500 * time.Millisecond)
			return w.Shift(ctx, to)
		}}
		plan := strategy.Plan{Steps: []strategy.Step{
			strategy.Shift{To: 25 * strategy.Percent}, strategy.Hold{For: 10 * time.Minute}, strategy.Shift{From: 25 * strategy.Percent, To: strategy.All}, strategy.Promote{},
		}}
		d, err := newEngine(t, settled(t)).Drill(t.Context(), rollout.Request{ID: "r", Release: rel("v2"), Plan: plan, Target: slow})
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(`
drill r: shop v2 went out in 10m3s and came back in 7.5s, and the target is where it was
forward      10m3s
              1.5s  shift from 0 % to 25 %
             10m0s  hold 10m0s
              1.5s  shift from 25 % to 100 %
                0s  promote
back          7.5s
              7.5s  shift from 100 % to 0 %, attempt 3`), d.String())
		require.Equal(t, "drill x: it has not come back", rollout.Drill{ID: "x"}.String())
	})
}

// prepared counts how often a fleet is told of versions.
type prepared struct {
	*fleet
	times *int
}

func (p prepared) Prepare(ctx context.Context, old, new string) error {
	*p.times++
	return p.fleet.Prepare(ctx, old, new)
}

// TestADrillTellsTheTargetNothingLate: it tells it of versions on the way forward and on
// the way back, while it has its turn, and not after that; and asked for again while
// another rollout has its turn, it finds nothing astray.
func TestADrillTellsTheTargetNothingLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := newMachines()
		engine := newEngine(t, &rollout.Memory{})
		p, err := strategy.BlueGreen{Gates: []string{"smoke"}}.Plan(strategy.Input{Old: "v1", New: "v2", Instances: 4})
		require.NoError(t, err)
		drill, told := fleetRequest(p, on), 0
		drill.Target = prepared{&fleet{machines: on}, &told}
		first, err := engine.Drill(t.Context(), drill)
		require.NoError(t, err)
		require.NoError(t, first.Err())
		require.Equal(t, 2, told)
		next := fleetRequest(p, on)
		next.ID = "next"
		next.Gates = map[string]rollout.Gate{"smoke": func(ctx context.Context) error {
			second, err := engine.Drill(ctx, drill)
			require.NoError(t, err)
			require.NoError(t, second.Err())
			require.Equal(t, 2, told)
			return nil
		}}
		outcome, err := engine.Deploy(t.Context(), next)
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	})
}
