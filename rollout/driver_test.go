package rollout_test

import (
	"context"
	"errors"
	"math"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// scripted is a world whose shifts and observations may go another way.
type scripted struct {
	*world
	shift   func(ctx context.Context, to strategy.Share) error // nil: as the world
	observe func() (strategy.Observation, error)               // nil: as the world
}

func (s scripted) Shift(ctx context.Context, to strategy.Share) error {
	if s.shift != nil {
		return s.shift(ctx, to)
	}
	return s.world.Shift(ctx, to)
}

func (s scripted) Observe(ctx context.Context) (strategy.Observation, error) {
	if s.observe != nil {
		return s.observe()
	}
	return s.world.Observe(ctx)
}

// harmless is a world in which nothing goes wrong by itself.
func harmless() *world { return &world{stuckAt: -1, badAbove: strategy.All} }

func newEngine(t *testing.T, journal rollout.Journal) *rollout.Engine {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{})
	require.NoError(t, err)
	return engine
}

// toFifty shifts to 50 % and to 100 %, without gates, judges or holds.
var toFifty = strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 50 * strategy.Percent}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All}}}

// TestTargetsAreReadBack: what a target says of its own acts counts for nothing on
// the way forward, and on the way back being there is what counts.
func TestTargetsAreReadBack(t *testing.T) {
	lost := errors.New("lost")
	tests := []struct {
		name   string
		script func(*scripted)
		want   rollout.Outcome
		reason string
		shifts int
	}{
		{"as it says", func(*scripted) {}, rollout.Succeeded, "every step was taken", 2},
		{"says that it moved, and did not", func(s *scripted) {
			s.shift = func(ctx context.Context, to strategy.Share) error {
				if to == strategy.All {
					s.shifts = append(s.shifts, to)
					return nil
				}
				return s.world.Shift(ctx, to)
			}
		}, rollout.RolledBack, "shift from 50 % to 100 %: read back 50 %, want 100 %", 3},
		{"says who else moved it", func(s *scripted) {
			s.observe = func() (strategy.Observation, error) {
				if s.at() == strategy.All {
					return strategy.Observation{Share: strategy.All, Why: "changed by hand"}, nil
				}
				return strategy.Observation{Share: s.at()}, nil
			}
		}, rollout.RolledBack, "shift from 50 % to 100 %: changed by hand", 3},
		{"says that it failed, and is there", func(s *scripted) {
			s.shift = func(ctx context.Context, to strategy.Share) error {
				return errors.Join(s.world.Shift(ctx, to), lost)
			}
		}, rollout.RolledBack, "shift from 0 % to 50 %: lost", 2},
		{"cannot be read", func(s *scripted) {
			s.observe = func() (strategy.Observation, error) {
				if s.at() == strategy.All {
					return strategy.Observation{}, lost
				}
				return strategy.Observation{Share: s.at()}, nil
			}
		}, rollout.RolledBack, "shift from 50 % to 100 %: cannot be read back: lost", 3},
		{"panics", func(s *scripted) {
			s.shift = func(ctx context.Context, to strategy.Share) error {
				if to == strategy.All {
					panic("boo")
				}
				return s.world.Shift(ctx, to)
			}
		}, rollout.RolledBack, "shift from 50 % to 100 %: panic: boo", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				target, memory := scripted{world: harmless()}, &rollout.Memory{}
				tt.script(&target)
				engine := newEngine(t, memory)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				outcome, err := engine.Deploy(ctx, rollout.Request{ID: "r", Plan: toFifty, Target: target})
				require.NoError(t, err)
				require.Equal(t, tt.want, outcome)
				status, _ := engine.Status("r")
				require.Contains(t, status.State.Reason, tt.reason)
				require.Len(t, target.shifts, tt.shifts)
				checkJournal(t, memory)
			})
		})
	}
}

// TestTheWayBackIsTriedAgain: ever later, up to once a minute, each attempt with its
// number, until it is done.
func TestTheWayBackIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, memory := harmless(), &rollout.Memory{}
		w.stuckAt, w.flaky = strategy.All, map[strategy.Share]int{0: 8}
		outcome, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: w})
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		var pauses []time.Duration
		var attempts []int
		var last time.Time
		for _, r := range records(t, memory) {
			if r.Kind == rollout.KindBegun && r.Generation == 1 {
				if !last.IsZero() {
					pauses = append(pauses, r.At.Sub(last)/time.Second)
				}
				last, attempts = r.At, append(attempts, r.Attempt)
			}
		}
		require.Equal(t, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}, pauses, "in seconds")
		require.Equal(t, []int{1, 2, 3, 4, 5, 6, 7, 8, 9}, attempts)
	})
}

// TestStepsHaveADeadline: a gate or an act that outlives it says no, even if it comes
// back with a yes.
func TestStepsHaveADeadline(t *testing.T) {
	late := func(ctx context.Context) error { <-ctx.Done(); return nil }
	tests := []struct {
		name    string
		timeout time.Duration
		gate    rollout.Gate
		shift   func(context.Context, strategy.Share) error
		want    time.Duration
		outcome rollout.Outcome
	}{
		{"gate", 10 * time.Second, late, nil, 10 * time.Second, rollout.Cancelled},
		{"gate, by default", 0, late, nil, time.Minute, rollout.Cancelled},
		{"shift", 10 * time.Second, func(context.Context) error { return nil }, func(ctx context.Context, to strategy.Share) error {
			if to > 0 {
				return late(ctx)
			}
			return nil
		}, 10 * time.Second, rollout.RolledBack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := newEngine(t, &rollout.Memory{})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				outcome, err := engine.Deploy(ctx, rollout.Request{
					ID: "r", StepTimeout: tt.timeout, Target: scripted{world: harmless(), shift: tt.shift}, Gates: map[string]rollout.Gate{"gate": tt.gate},
					Plan: strategy.Plan{Steps: []strategy.Step{strategy.Verify{Gates: []string{"gate"}}, strategy.Shift{To: strategy.All}}},
				})
				require.NoError(t, err)
				require.Equal(t, tt.outcome, outcome)
				require.Equal(t, tt.want, time.Since(began))
				status, _ := engine.Status("r")
				require.Contains(t, status.State.Reason, context.DeadlineExceeded.Error())
			})
		})
	}
}

// deaf is a journal that does not look at contexts.
type deaf struct{ rollout.Journal }

func (d deaf) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	return d.Journal.Append(context.WithoutCancel(ctx), r)
}

// TestCancelDuringAStep: nobody knows what became of the step, so nothing is written,
// and the next run takes it again.
func TestCancelDuringAStep(t *testing.T) {
	for name, fails := range map[string]error{"done": nil, "failed": errors.New("stopped")} {
		t.Run(name, func(t *testing.T) {
			memory, w := &rollout.Memory{}, harmless()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			target := scripted{world: w, shift: func(ctx context.Context, to strategy.Share) error {
				cancel()
				return errors.Join(w.Shift(ctx, to), fails)
			}}
			_, err := newEngine(t, deaf{memory}).Deploy(ctx, rollout.Request{ID: "r", Plan: toFifty, Target: target})
			require.ErrorIs(t, err, context.Canceled)
			all := records(t, memory)
			require.Equal(t, rollout.KindBegun, all[len(all)-1].Kind)
			outcome, err := newEngine(t, deaf{memory}).Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: w})
			require.NoError(t, err)
			require.Equal(t, rollout.Succeeded, outcome)
			require.Equal(t, []strategy.Share{50 * strategy.Percent, 50 * strategy.Percent, strategy.All}, w.shifts)
			checkJournal(t, memory)
		})
	}
}

// watched is a request for the plan of most tests under a judge of the test's own.
func watched(t *testing.T, w *world, judge health.JudgeFunc, cohorts *health.Cohorts) rollout.Request {
	t.Helper()
	request := w.request(plan(t), cohorts)
	request.Watches["errors"] = rollout.Watch{Judge: judge, Cohorts: cohorts}
	return request
}

// TestJudgesThatMisbehave: one that panics fails the change, and one whose evidence
// JSON cannot say is heard all the same.
func TestJudgesThatMisbehave(t *testing.T) {
	says := func(e float64) health.JudgeFunc {
		return func(health.State, health.Sample) (health.Verdict, health.State) {
			return health.Verdict{Call: health.Fail, LogE: e, LogPeak: e, LogThreshold: -e, Reason: "certain"}, nil
		}
	}
	tests := []struct {
		name   string
		judge  health.JudgeFunc
		reason string
		logE   float64
	}{
		{"panics", func(health.State, health.Sample) (health.Verdict, health.State) { panic("boo") }, "the judge panicked: boo", 0},
		{"is infinitely sure", says(math.Inf(1)), "certain", math.MaxFloat64},
		{"is infinitely unsure", says(math.Inf(-1)), "certain", -math.MaxFloat64},
		{"is not a number", says(math.NaN()), "certain", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory := &rollout.Memory{}
				engine := newEngine(t, memory)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				outcome, err := engine.Deploy(ctx, watched(t, harmless(), tt.judge, health.NewCohorts(health.CohortsOptions{})))
				require.NoError(t, err)
				require.Equal(t, rollout.RolledBack, outcome)
				status, _ := engine.Status("r")
				require.Equal(t, tt.reason, status.State.Reason)
				require.Equal(t, tt.logE, status.Verdict.LogE)
				checkJournal(t, memory)
			})
		})
	}
}

// TestJudgesRemember: each look gets the state that the look before gave, also from
// another process, and whether or not there was anything else to write.
func TestJudgesRemember(t *testing.T) {
	patience := health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
		looks, _ := strconv.Atoi(string(state))
		v := health.Verdict{Reason: "fine so far"}
		if looks++; looks == 15 {
			v = health.Verdict{Call: health.Fail, Reason: "that was enough"}
		}
		return v, health.State(strconv.Itoa(looks))
	})
	for _, restart := range []bool{false, true} {
		t.Run("restart "+strconv.FormatBool(restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{}, harmless()
				engine := newEngine(t, memory)
				cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
				require.NoError(t, err)
				for session := range 2 { // of ten looks each, or one more
					if restart {
						engine = newEngine(t, memory)
						cohorts, err = engine.Cohorts("r", "errors", health.CohortsOptions{})
						require.NoError(t, err)
					}
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					outcome, err := engine.Deploy(ctx, watched(t, w, patience, cohorts))
					if session == 0 {
						require.ErrorIs(t, err, context.DeadlineExceeded)
						continue
					}
					require.NoError(t, err)
					require.Equal(t, rollout.RolledBack, outcome)
				}
			})
		})
	}
}

// TestEveryMarkIsWritten: also those of latency and for a pass, whatever the judge
// says. If only incriminating looks were written, each crash would forget the others.
func TestEveryMarkIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		options := health.CohortsOptions{Slow: []time.Duration{time.Second}}
		cohorts, err := newEngine(t, memory).Cohorts("r", "errors", options)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		go func() {
			for unit := range uint64(8) {
				time.Sleep(2100 * time.Millisecond)
				cohorts.Record(health.Outcome{Unit: unit, Slot: 99_999, Ramp: 5 * strategy.Percent, Class: health.Success, Latency: 2 * time.Second})
			}
		}()
		var elapsed time.Duration
		look := func(state health.State, sample health.Sample) (health.Verdict, health.State) {
			elapsed = sample.Elapsed
			return health.FirstFailure{Of: health.Latency}.Look(state, sample)
		}
		_, err = newEngine(t, memory).Deploy(ctx, watched(t, w, look, cohorts))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.InDelta(t, 20, elapsed.Seconds(), 2, "what it looks at has for how long the ramp has been up")
		synctest.Wait()
		again, err := newEngine(t, memory).Cohorts("r", "errors", options)
		require.NoError(t, err)
		require.Equal(t, 8, again.Snapshot().Slow.Units)
		require.Equal(t, cohorts.Snapshot().Slow, again.Snapshot().Slow)
	})
}

// patient is a judge that never minds.
func patient(health.State, health.Sample) (health.Verdict, health.State) {
	return health.Verdict{}, nil
}
