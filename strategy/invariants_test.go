package strategy_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// world is where a target stands, and what a strategy promises of every place that it may
// stand at, however long a step takes.
type world struct {
	strategy.Observation
	from     strategy.Share                       // of the input
	none     int                                  // 1 where there are no instances
	promoted bool                                 // the new version
	rule     func(low, high strategy.Observation) // what is at least, and at most
}

// take takes a step. It begins where the one before ended, or where that may be stuck.
func (w *world) take(t testing.TB, step strategy.Step, stuck strategy.Observation) {
	low, high := w.Observation, w.Observation
	switch step := step.(type) {
	case strategy.Shift:
		require.Contains(t, []strategy.Share{w.Share, stuck.Share}, step.From)
		w.Share = step.To
	case strategy.Mirror:
		require.Contains(t, []strategy.Share{w.Mirror, stuck.Mirror}, step.From)
		w.Mirror = step.To
	case strategy.Scale:
		require.NotEqual(t, step.Old.From == step.Old.To, step.New.From == step.New.To, "%v scales one version", step)
		require.Contains(t, []int{w.Old, stuck.Old}, step.Old.From)
		require.Contains(t, []int{w.New, stuck.New}, step.New.From)
		w.Old, w.New = step.Old.To, step.New.To
		low.Old, low.New = min(low.Old, w.Old), min(low.New, w.New)
		high.Old, high.New = max(high.Old, w.Old), max(high.New, w.New)
	case strategy.Promote:
		require.Equal(t, map[bool]strategy.Share{false: strategy.All, true: w.from}[step.Back], w.Share, "who is promoted has got its traffic")
		require.Positive(t, map[bool]int{false: w.New, true: w.Old}[step.Back]+w.none, "and its instances")
		w.promoted = !step.Back
	}
	w.rule(low, high)
	w.rule(w.Observation, w.Observation)
}

// planned is a strategy with an input, and its rule.
type planned struct {
	strategy.Strategy
	strategy.Input
	rule func(t testing.TB) func(low, high strategy.Observation)
}

// bears is the rule that no version has more of the traffic than its instances can bear,
// if so many bear all of it: to a slot, as shares are rounded to slots.
func bears(t testing.TB, low strategy.Observation, all int) {
	require.LessOrEqual(t, int(low.Share)*all, (low.New*int(strategy.All))+all, "the new version at %+v", low)
	require.LessOrEqual(t, int(strategy.All-low.Share)*all, (low.Old*int(strategy.All))+all, "the old version at %+v", low)
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomHold(r *rand.Rand) strategy.Hold {
	h := strategy.Hold{For: pick(r, 0, time.Minute, time.Hour), Approval: r.IntN(4) == 0}
	if r.IntN(2) == 0 {
		h.Judges, h.Exposed = []string{"errors", "speed"}, r.IntN(20)
	}
	return h
}

func randomInput(r *rand.Rand, instances int) strategy.Input {
	in := strategy.Input{Old: "1", New: "2", Instances: instances, NoReturn: pick(r, "", "", "it is dropped"), Progress: pick(r, 0, time.Hour)}
	if r.IntN(4) == 0 {
		in.Old, in.New = "", ""
	}
	if instances == 0 && r.IntN(2) == 0 {
		in.From = strategy.Share(r.IntN(int(strategy.All)))
	}
	return in
}

func randomRolling(r *rand.Rand) planned {
	in := randomInput(r, 1+r.IntN(9))
	s := strategy.Rolling{Gates: pick(r, nil, []string{"smoke"}), MinReady: pick(r, 0, time.Minute), After: randomHold(r)}
	if s.MinReady > 0 {
		s.Judges = pick(r, nil, []string{}, []string{"errors"})
	}
	switch r.IntN(3) {
	case 0:
		s.Batch = count(1 + r.IntN(5))
	case 1:
		s.Surge, s.Unavailable = part(strategy.Share(1+r.IntN(int(strategy.All)))), part(strategy.Share(r.IntN(int(strategy.All))))
	default:
		s.Surge, s.Unavailable = count(r.IntN(5)), count(1+r.IntN(5))
	}
	surge, unavailable := s.Surge, s.Unavailable
	if s.Batch != (strategy.Amount{}) {
		unavailable = s.Batch
	}
	more, missing := strategy.Limits(in.Instances, surge, unavailable)
	if more+missing >= in.Instances { // all in one go or two: there is nothing to watch in between
		s.Judges = nil
	}
	return planned{s, in, func(t testing.TB) func(low, high strategy.Observation) {
		return func(low, high strategy.Observation) {
			require.GreaterOrEqual(t, low.Old+low.New, in.Instances-missing, "%+v", low)
			require.LessOrEqual(t, high.Old+high.New, in.Instances+more, "%+v", high)
			bears(t, low, in.Instances-missing)
		}
	}}
}

func randomCanary(r *rand.Rand) planned {
	in := randomInput(r, r.IntN(10))
	s := strategy.Canary{Gates: pick(r, nil, []string{"smoke"}), Judges: pick(r, nil, []string{}, []string{"errors"}), After: randomHold(r), Keep: pick(r, 0, time.Hour)}
	s.ByInstances = in.Instances > 0 && r.IntN(2) == 0
	if r.IntN(2) == 0 {
		s.Before, s.Mirror = strategy.Hold{For: time.Minute}, strategy.Share(r.IntN(2000))
	}
	weights := []strategy.Share{strategy.All}
	for range r.IntN(6) {
		weights = append(weights, strategy.Share(1+r.IntN(int(strategy.All))))
	}
	slices.Sort(weights)
	weights = slices.Compact(weights)
	if r.IntN(2) == 0 {
		s.Weights, s.Hold = weights, pick(r, 0, time.Minute)
	} else {
		for _, weight := range weights {
			h := randomHold(r)
			s.Rungs = append(s.Rungs, strategy.Rung{Weight: weight, Gates: pick(r, nil, []string{"login"}), Hold: h.For, Exposed: h.Exposed, Judges: h.Judges, Approval: h.Approval})
		}
	}
	return planned{s, in, func(t testing.TB) func(low, high strategy.Observation) {
		return func(low, high strategy.Observation) {
			bears(t, low, in.Instances)
			if !s.ByInstances && low.Share < strategy.All {
				require.Equal(t, in.Instances, low.Old, "the old version keeps all it has at %+v", low)
			}
		}
	}}
}

func randomBlueGreen(r *rand.Rand) planned {
	in := randomInput(r, r.IntN(10))
	s := strategy.BlueGreen{Gates: pick(r, nil, []string{"smoke"}), Before: randomHold(r), After: randomHold(r), Keep: pick(r, 0, time.Hour)}
	if s.Before.For > 0 {
		s.Mirror = strategy.Share(r.IntN(2000))
	}
	return planned{s, in, func(t testing.TB) func(low, high strategy.Observation) {
		return func(low, _ strategy.Observation) { bears(t, low, in.Instances) }
	}}
}

func randomRecreate(r *rand.Rand) planned {
	in := randomInput(r, 1+r.IntN(9))
	return planned{strategy.Recreate{Gates: pick(r, nil, []string{"smoke"}), After: randomHold(r)}, in, func(t testing.TB) func(low, high strategy.Observation) {
		return func(low, high strategy.Observation) {
			require.Zero(t, min(high.Old, high.New), "never both at %+v", high)
			if low.Share > 0 {
				require.Equal(t, in.Instances, low.New, "whoever the new version answers gets an answer")
			}
		}
	}}
}

// each gives every strategy with many inputs.
func each(t *testing.T, do func(t *testing.T, r *rand.Rand, s planned, plan strategy.Plan)) {
	for name, random := range map[string]func(*rand.Rand) planned{
		"rolling": randomRolling, "canary": randomCanary, "blue-green": randomBlueGreen, "recreate": randomRecreate,
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(80) {
				r := rand.New(rand.NewPCG(seed, 8))
				s := random(r)
				plan, err := s.Plan(s.Input)
				require.NoError(t, err, "%+v", s)
				if do(t, r, s, plan); t.Failed() {
					t.Fatalf("with seed %d: %+v\n%v", seed, s, plan)
				}
			}
		})
	}
}

func (s planned) begin(t testing.TB) world {
	return world{Observation: strategy.Observation{Share: s.From, Old: s.Instances}, from: s.From, none: max(1-s.Instances, 0), rule: s.rule(t)}
}

// TestForward: a plan begins where the input stands, goes up only, asks its gates before
// anybody is exposed, and ends with the new version alone, and promoted.
func TestForward(t *testing.T) {
	each(t, func(t *testing.T, _ *rand.Rand, s planned, plan strategy.Plan) {
		w, length, moved := s.begin(t), time.Duration(0), false
		require.Equal(t, w.Observation, plan.Start())
		require.Equal(t, w.Observation, plan.After(-1))
		returns := true
		for at, step := range plan.Steps {
			share := w.Share
			w.take(t, step, w.Observation)
			require.LessOrEqual(t, share, w.Share)
			require.Equal(t, w.Observation, plan.After(at))
			_, shifts := step.(strategy.Shift)
			moved = moved || shifts
			if verify, ok := step.(strategy.Verify); ok && verify.Gates[0] == "smoke" {
				require.False(t, moved, "somebody is exposed before %v", step)
			}
			if hold, ok := step.(strategy.Hold); ok {
				length += hold.For
				require.True(t, returns, "%v past the point of no return", hold)
			}
			if _, ok := step.(strategy.NoReturn); ok {
				returns = false
			}
			require.Equal(t, returns, plan.Returns(at))
		}
		require.Equal(t, strategy.Observation{Share: strategy.All, New: s.Instances}, w.Observation)
		require.True(t, w.promoted)
		require.Equal(t, length, plan.Length())
		require.Equal(t, s.NoReturn == "", returns)
		require.NoError(t, plan.Check(everything{}))
	})
}

// TestBackFromEveryStep, whether or not the step has come through: by the same rules, it
// ends where the plan began.
func TestBackFromEveryStep(t *testing.T) {
	each(t, func(t *testing.T, _ *rand.Rand, s planned, plan strategy.Plan) {
		require.Empty(t, plan.Undo(-1))
		require.Equal(t, plan.Undo(len(plan.Steps)-1), plan.Undo(len(plan.Steps)+7))
		w := s.begin(t)
		for at, step := range plan.Steps {
			before := w
			w.take(t, step, w.Observation)
			stuck := w.Observation
			stuck.Mirror = before.Mirror // copies that may go on
			for _, back := range []world{w, before} {
				known := stuck
				if back.Observation == before.Observation {
					known = w.Observation // as if the step had come through
				}
				for _, undo := range plan.Undo(at) {
					back.take(t, undo, known)
				}
				require.Equal(t, s.begin(t).Observation, back.Observation, "back from step %d", at+1)
				require.False(t, back.promoted && s.Old != "")
			}
		}
	})
}

// TestBackFromTheWayBack: a way back that is itself taken back, from any of its steps,
// ends where it began, by the same rules.
func TestBackFromTheWayBack(t *testing.T) {
	each(t, func(t *testing.T, r *rand.Rand, s planned, plan strategy.Plan) {
		for range 5 {
			from := s.begin(t)
			at := r.IntN(len(plan.Steps))
			for _, step := range plan.Steps[:at+1] {
				from.take(t, step, from.Observation)
			}
			back := strategy.Plan{Old: plan.Old, New: plan.New, Steps: plan.Undo(at)}
			w, stuck := from, from.Observation
			stuck.Mirror = back.Start().Mirror
			for k, step := range back.Steps {
				w.take(t, step, stuck)
				again := w
				for _, step := range back.Undo(k) {
					again.take(t, step, again.Observation)
				}
				require.Equal(t, from.Share, again.Share)
				require.Equal(t, [2]int{from.Old, from.New}, [2]int{again.Old, again.New})
				require.Equal(t, back.Start().Mirror, again.Mirror)
				require.Equal(t, from.promoted, again.promoted)
			}
		}
	})
}

// TestPlansArePureAndSurviveJSON: the same twice, in both directions, and not shared with
// the strategy that it came from.
func TestPlansArePureAndSurviveJSON(t *testing.T) {
	each(t, func(t *testing.T, _ *rand.Rand, s planned, plan strategy.Plan) {
		was := fmt.Sprintf("%+v", s.Strategy)
		text, err := json.Marshal(plan)
		require.NoError(t, err)
		var back strategy.Plan
		require.NoError(t, json.Unmarshal(text, &back))
		require.Empty(t, cmp.Diff(plan, back))
		require.True(t, reflect.DeepEqual(plan, back))
		require.Equal(t, plan.String(), back.String())
		again, err := s.Plan(s.Input)
		require.NoError(t, err)
		require.Equal(t, plan, again)
		require.Equal(t, was, fmt.Sprintf("%+v", s.Strategy))

		spoil(reflect.ValueOf(s.Strategy))
		require.Equal(t, back, plan, "the plan shares names with its strategy")
	})
}

// spoil overwrites every name that a strategy has.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() == reflect.String {
				v.Index(i).SetString("spoilt")
			}
			spoil(v.Index(i))
		}
	}
}
