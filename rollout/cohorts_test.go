package rollout_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// once is a journal that fails to take a look, once.
type once struct {
	rollout.Journal
	armed bool
}

var errOnce = fmt.Errorf("out of order: %w", rollout.ErrFenced)

func (o *once) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if o.armed && r.Kind == rollout.KindLooked {
		o.armed = false
		return r, errOnce
	}
	return o.Journal.Append(ctx, r)
}

// TestEveryMarkOnce: a look that could not be written leaves its marks to the next one
// of the same cohorts, and to nobody else, so that the journal has each mark once
// and cohorts can be restored from it.
func TestEveryMarkOnce(t *testing.T) {
	tests := []struct {
		name   string
		cancel bool // the context ends inside the look; otherwise the journal fails
		fresh  bool // the next run has other cohorts
		want   []uint64
	}{
		{"the journal fails", false, false, []uint64{1, 2, 3}},
		{"the context ends", true, false, []uint64{1, 2, 3}},
		{"the journal fails, then other cohorts", false, true, []uint64{2, 3}},
		{"the context ends, then other cohorts", true, true, []uint64{2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, memory := harmless(), &rollout.Memory{}
				engine := newEngine(t, &once{memory, !tt.cancel})
				var cohorts *health.Cohorts
				session := func(unit uint64, fresh bool, want error) {
					if fresh {
						var err error
						cohorts, err = engine.Cohorts("r", "errors", health.CohortsOptions{})
						require.NoError(t, err)
					}
					cohorts.Record(health.Outcome{Unit: unit, Ramp: 5 * strategy.Percent})
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					defer cancel()
					_, err := engine.Deploy(ctx, watched(t, w, func(health.State, health.Sample) (health.Verdict, health.State) {
						if tt.cancel && unit == 1 {
							cancel()
						}
						return health.Verdict{}, nil
					}, cohorts))
					require.ErrorIs(t, err, want)
				}
				first := errOnce
				if tt.cancel {
					first = context.Canceled
				}
				session(1, true, first)
				session(2, tt.fresh, context.DeadlineExceeded)
				session(3, false, context.DeadlineExceeded)
				var got []uint64
				for _, r := range records(t, memory) {
					if r.Look != nil {
						for _, mark := range r.Look.Checkpoint.Marks {
							got = append(got, mark.Unit)
						}
					}
				}
				require.Equal(t, tt.want, got)
				restored, err := newEngine(t, memory).Cohorts("r", "errors", health.CohortsOptions{})
				require.NoError(t, err)
				require.Equal(t, cohorts.Snapshot().Firsts, restored.Snapshot().Firsts)
			})
		})
	}
}

// TestCohortsThatForgot: cohorts that count less than the journal does end no hold,
// and no look of theirs is written.
func TestCohortsThatForgot(t *testing.T) {
	tests := []struct {
		name  string
		class health.Class
		want  string
	}{
		{"a failure", health.Failure, "the judge saw 11 requests on the new side and the journal has 20 already, want the cohorts of Engine.Cohorts"},
		{"successes only", health.Success, context.DeadlineExceeded.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, memory := harmless(), &rollout.Memory{}
				run := func(requests uint64, class health.Class) error {
					cohorts := health.NewCohorts(health.CohortsOptions{})
					for range requests {
						cohorts.Record(health.Outcome{Unit: 1, Ramp: 5 * strategy.Percent, Class: class})
					}
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
					defer cancel()
					_, err := newEngine(t, memory).Deploy(ctx, watched(t, w, patient, cohorts))
					return err
				}
				require.ErrorIs(t, run(20, health.Success), context.DeadlineExceeded)
				require.Equal(t, 50*strategy.Percent, int(w.at()), "the second hold waits for requests of its own")
				before := len(records(t, memory))
				require.ErrorContains(t, run(11, tt.class), tt.want)
				require.Equal(t, 50*strategy.Percent, int(w.at()))
				require.Len(t, records(t, memory), before)
			})
		})
	}
}

// TestCohortsOfEachJudge: the first judge that the plan names counts the requests of a
// hold. Another one, whose cohorts count others, keeps no hold waiting.
func TestCohortsOfEachJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge, watches := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil }), map[string]rollout.Watch{}
		for name, requests := range map[string]int{"errors": 20, "latency": 1} {
			cohorts := health.NewCohorts(health.CohortsOptions{})
			for range requests {
				cohorts.Record(health.Outcome{Unit: 1, Ramp: 5 * strategy.Percent})
			}
			watches[name] = rollout.Watch{Judge: judge, Cohorts: cohorts}
		}
		p := strategy.Plan{Strategy: "both", Steps: []strategy.Step{strategy.Shift{To: 5 * strategy.Percent}, strategy.Hold{For: time.Minute, Exposed: 20, Judges: []string{"errors", "latency"}}}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		outcome, err := newEngine(t, &rollout.Memory{}).Deploy(ctx, rollout.Request{ID: "r", Plan: p, Target: harmless(), Watches: watches})
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
	})
}

// TestCohortsOfOneWatch: cohorts are restored from the looks of their own watch in
// their own rollout.
func TestCohortsOfOneWatch(t *testing.T) {
	memory, units := &rollout.Memory{}, uint64(0)
	h := history{t, memory}
	want := map[string]health.Sample{}
	for _, id := range []string{"r", "q"} {
		h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: id, At: noon, Request: &rollout.Requested{Plan: strategy.Plan{Steps: []strategy.Step{strategy.Hold{Judges: []string{"a", "b"}}}}}})
		h.add(rollout.Record{Kind: rollout.KindWaiting, Rollout: id, At: noon})
		for n, watch := range []string{"a", "b"} {
			cohorts := health.NewCohorts(health.CohortsOptions{})
			for range n + len(want) + 1 {
				units++
				cohorts.Record(health.Outcome{Unit: units, Ramp: 1000})
			}
			h.add(rollout.Record{Kind: rollout.KindLooked, Rollout: id, At: noon, Look: &rollout.Look{Watch: watch, Checkpoint: cohorts.Checkpoint()}})
			want[id+watch] = cohorts.Snapshot()
		}
	}
	engine := newEngine(t, memory)
	for _, id := range []string{"r", "q"} {
		for _, watch := range []string{"a", "b"} {
			cohorts, err := engine.Cohorts(id, watch, health.CohortsOptions{})
			require.NoError(t, err)
			got := cohorts.Snapshot()
			require.Equal(t, want[id+watch].Firsts, got.Firsts)
			require.Equal(t, want[id+watch].Units, got.Units)
		}
	}
	none, err := engine.Cohorts("s", "a", health.CohortsOptions{})
	require.NoError(t, err)
	require.Equal(t, health.Sample{}, none.Snapshot())
}
