package rollout_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// full is a journal that takes no records of a kind while there is no room.
type full struct {
	rollout.Journal
	kind rollout.Kind // empty: of any
	err  error        // nil: errFull
	room atomic.Bool
}

var errFull = errors.New("no space left on device")

func (f *full) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	if !f.room.Load() && (f.kind == "" || r.Kind == f.kind) {
		return r, cmp.Or(f.err, errFull)
	}
	return f.Journal.Append(ctx, r)
}

// TestRetreatWithoutJournal: a change that fails is taken back even if that cannot
// be written down; the engine says that it cannot, and writes it down when it can.
func TestRetreatWithoutJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, memory := plan(t), &rollout.Memory{}
		w := &world{stuckAt: -1, badAbove: 0}
		disk := &full{Journal: memory, kind: rollout.KindLooked}
		var told []error
		engine, err := rollout.New(disk, rollout.Options{OnProblem: func(id string, err error) {
			require.Equal(t, "r", id)
			told = append(told, err)
		}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		var outcome rollout.Outcome
		over := make(chan error)
		go func() {
			var err error
			outcome, err = engine.Deploy(ctx, w.request(p, health.NewCohorts(health.CohortsOptions{})))
			over <- err
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, w.at())
		status, err := engine.Status("r")
		require.NoError(t, err)
		require.ErrorIs(t, status.Problem, errFull)
		require.Len(t, told, 1, "it is said once")
		require.ErrorIs(t, told[0], errFull)
		disk.room.Store(true)
		require.NoError(t, <-over)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, []bool{true, false}, []bool{told[0] != nil, told[len(told)-1] != nil})
		status, err = engine.Status("r")
		require.NoError(t, err)
		require.Equal(t, "it hurts", status.State.Reason)
		checkJournal(t, memory)
	})
}

// TestNothingMovesWithoutJournal: while nothing can be written nothing goes forward,
// and whoever is exposed is watched all the same.
func TestNothingMovesWithoutJournal(t *testing.T) {
	for _, kind := range []rollout.Kind{"", rollout.KindRequested, rollout.KindBegun, rollout.KindDone, rollout.KindWaiting, rollout.KindFinished} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, memory, w := plan(t), &rollout.Memory{}, harmless()
				disk := &full{Journal: memory, kind: kind}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
				defer cancel()
				go func() {
					time.Sleep(5 * time.Minute)
					if w.at() > 0 && kind == "" {
						t.Error("it moved")
					}
					disk.room.Store(true)
				}()
				outcome, err := live(t, disk, w, p)
				if kind == rollout.KindRequested || kind == "" {
					require.ErrorIs(t, err, errFull, "what was never acknowledged is refused")
					time.Sleep(6 * time.Minute)
					outcome, err = live(t, disk, w, p)
				}
				require.NoError(t, err)
				require.Equal(t, rollout.Succeeded, outcome)
				require.Equal(t, strategy.All, w.at())
				checkJournal(t, memory)
				_ = ctx
			})
		})
	}
}

// TestJournalTimesOut: that its own time was over, or it was cancelled, is no reason to
// leave a change that somebody is exposed to.
func TestJournalTimesOut(t *testing.T) {
	for _, kind := range []rollout.Kind{rollout.KindBegun, rollout.KindDone, rollout.KindWaiting, rollout.KindLooked, rollout.KindFinished} {
		for _, why := range []error{context.DeadlineExceeded, context.Canceled} {
			t.Run(fmt.Sprint(kind, ", ", why), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					memory := &rollout.Memory{}
					disk := &full{Journal: memory, kind: kind, err: fmt.Errorf("put: %w", why)}
					time.AfterFunc(time.Minute, func() { disk.room.Store(true) })
					w := &world{stuckAt: -1, badAbove: 0}
					outcome, err := newEngine(t, disk).Deploy(t.Context(), w.request(plan(t), health.NewCohorts(health.CohortsOptions{})))
					require.NoError(t, err)
					require.Equal(t, rollout.RolledBack, outcome)
					require.Zero(t, w.at())
					checkJournal(t, memory)
				})
			})
		}
	}
}

// TestRetreatWhileTheJournalHangs: one that does not answer is as one that cannot be
// written, and whoever stops the rollout does not wait for it for long.
func TestRetreatWhileTheJournalHangs(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(t *testing.T, answers chan struct{}) (journal rollout.Journal, hang func())
	}{
		{"a disk", func(t *testing.T, answers chan struct{}) (rollout.Journal, func()) {
			d := newMemoryDisk()
			return openOn(t, d), func() {
				d.failing(func(op, _ string) (how, error) {
					if op == "sync" {
						<-answers
					}
					return all, nil
				})
			}
		}},
		{"one that obeys its context", func(_ *testing.T, answers chan struct{}) (rollout.Journal, func()) {
			journal := &hanging{Memory: &rollout.Memory{}}
			return journal, func() {
				journal.hangs.Store(true)
				go func() {
					<-answers
					journal.hangs.Store(false)
				}()
			}
		}},
	} {
		for _, stopped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stopped: %v", tt.name, stopped), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					answers := make(chan struct{})
					journal, hang := tt.make(t, answers)
					var hurts atomic.Bool
					w := harmless()
					q := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
					watch := q.Watches["errors"]
					watch.Judge = health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
						if hurts.Load() {
							return health.Verdict{Call: health.Fail, Reason: "it hurts"}, nil
						}
						return health.Verdict{}, nil
					})
					q.Watches["errors"] = watch
					engine := newEngine(t, journal)
					ctx, stop := context.WithCancel(t.Context())
					defer stop()
					var outcome rollout.Outcome
					over := make(chan error, 1)
					go func() {
						var err error
						outcome, err = engine.Deploy(ctx, q)
						over <- err
					}()
					time.Sleep(30*time.Second + time.Millisecond)
					synctest.Wait()
					require.Equal(t, strategy.Share(5*strategy.Percent), w.at())
					hang()
					hurts.Store(true)
					if stopped {
						time.Sleep(2 * time.Second)
						stop()
						now := time.Now()
						require.ErrorIs(t, <-over, context.Canceled)
						require.LessOrEqual(t, time.Since(now), 5*time.Second)
						close(answers)
						return
					}
					time.Sleep(10 * time.Second)
					synctest.Wait()
					require.Zero(t, w.at())
					status, err := engine.Status("r")
					require.NoError(t, err)
					require.ErrorContains(t, status.Problem, "the journal cannot be written")
					close(answers)
					require.NoError(t, <-over)
					require.Equal(t, rollout.RolledBack, outcome)
					checkJournal(t, journal)
				})
			})
		}
	}
}
