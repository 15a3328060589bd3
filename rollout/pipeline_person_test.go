package rollout_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// anHour is a plan that holds at 50 % for an hour.
var anHour = strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 50 * strategy.Percent}, strategy.Hold{For: time.Hour}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All}}}

// shipping is a stage that is a rollout.
func shipping(plan strategy.Plan, target strategy.Target) rollout.Stage {
	return rollout.Stage{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) {
		return rollout.Request{Plan: plan, Target: target}, nil
	}}
}

func version(v string) rollout.Release { return rollout.Release{Name: "shop", Version: v} }

// TestRetriesLeaveWhatPeopleDecide: what a person aborts, or another rollout takes the
// place of, is not begun again; nor is it after a crash before the journal had that.
func TestRetriesLeaveWhatPeopleDecide(t *testing.T) {
	tests := map[string]struct {
		meanwhile func(t *testing.T, e *rollout.Engine, w *world)
		reason    string
	}{
		"aborted": {func(t *testing.T, e *rollout.Engine, _ *world) {
			require.NoError(t, e.Act(t.Context(), "run/ship", rollout.Act{Kind: rollout.Abort, Actor: "anna", Reason: "it loses orders"}))
		}, "it loses orders"},
		"superseded": {func(t *testing.T, e *rollout.Engine, w *world) {
			_, err := e.Deploy(t.Context(), rollout.Request{ID: "hotfix", Release: version("1.1"), Plan: toFifty, Target: w})
			require.NoError(t, err)
		}, `rollout "hotfix" takes its place`},
	}
	for name, test := range tests {
		for _, crash := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{}, harmless()
				ctx, stop := context.WithCancel(t.Context())
				engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
					if crash && r.Rollout == "run/ship" && r.Kind == rollout.KindFinished {
						stop()
					}
				}})
				require.NoError(t, err)
				p := line(shipping(anHour, w))
				p.Stages[0].Retry = rollout.Retry{Attempts: 3}
				done := make(chan struct{})
				go func() {
					defer close(done)
					time.Sleep(time.Minute)
					test.meanwhile(t, engine, w)
				}()
				request := rollout.RunRequest{ID: "run", Release: version("1")}
				report, err := engine.Run(ctx, request, p)
				<-done
				stop()
				if crash {
					require.ErrorIs(t, err, context.Canceled)
					report, err = newEngine(t, memory).Run(t.Context(), request, p)
				}
				require.NoError(t, err)
				require.Equal(t, rollout.Failed, report.Outcome, "%s, crash %v", name, crash)
				require.Contains(t, report.Reason, test.reason)
				_, err = engine.Status("run/ship#2")
				require.ErrorIs(t, err, rollout.ErrNotFound, "%s, crash %v", name, crash)
			})
		}
	}
}

// TestWhatWasTakenBackIsNotDone: when somebody takes back what a run has deployed, the run
// does not go on as if it stood, be it before or after the journal has the stage as done.
func TestWhatWasTakenBackIsNotDone(t *testing.T) {
	const late, early, gone = "while another stage is under way", "before the stage's record", "past a point of no return"
	for _, name := range []string{late, early, gone} {
		for _, resume := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{}, harmless()
				_, err := newEngine(t, memory).Deploy(t.Context(), rollout.Request{ID: "0", Release: version("0"), Plan: toFifty, Target: w})
				require.NoError(t, err)
				ctx, stop := context.WithCancel(t.Context())
				engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
					if name == early && r.Rollout == "run/ship" && r.Kind == rollout.KindFinished {
						stop()
					}
				}})
				require.NoError(t, err)
				first := rollout.Stage{Name: "first", Do: noop}
				if name == gone {
					first.NoReturn = "gone"
				}
				contracts := 0
				soak := func(context.Context, *rollout.StageRun) error { time.Sleep(time.Hour); return nil }
				p := line(first, shipping(toFifty, w), rollout.Stage{Name: "soak", Do: soak}, rollout.Stage{Name: "contract", Do: func(context.Context, *rollout.StageRun) error { contracts++; return nil }})
				takeBack := func(engine *rollout.Engine) {
					require.NoError(t, engine.Act(t.Context(), "run/ship", rollout.Act{Kind: rollout.RollBack, Actor: "anna", Reason: "orders are lost"}))
					if resume {
						back, err := engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("run/ship"), Target: w})
						require.NoError(t, err)
						require.Equal(t, rollout.RolledBack, back)
					}
				}
				done := make(chan struct{})
				go func() {
					defer close(done)
					time.Sleep(time.Minute)
					if name != early {
						takeBack(engine)
					}
					if name == gone {
						time.Sleep(2 * time.Hour)
						report, err := engine.Report("run")
						require.NoError(t, err)
						require.Equal(t, "forward, frozen", report.State)
						require.Contains(t, report.Reason, "taken back by anna")
						require.Zero(t, contracts)
						if !resume { // nobody deploys again on top of a way back that is under way
							_, err = engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("run/ship"), Target: w})
							require.NoError(t, err)
						}
						require.NoError(t, engine.Act(t.Context(), "run", rollout.Act{Kind: rollout.Continue, Actor: "bob"}))
					}
				}()
				request := rollout.RunRequest{ID: "run", Release: version("1")}
				report, err := engine.Run(ctx, request, p)
				<-done
				stop()
				if name == early {
					require.ErrorIs(t, err, context.Canceled)
					require.NotContains(t, records(t, memory)[len(records(t, memory))-1].Reason, "run ship")
					engine = newEngine(t, memory)
					takeBack(engine)
					report, err = engine.Run(t.Context(), request, p)
				}
				require.NoError(t, err)
				if name == gone {
					require.NoError(t, report.Err(), "it was deployed again")
					require.Equal(t, strategy.All, w.at())
					require.Equal(t, 1, contracts)
					return
				}
				require.Equal(t, rollout.RolledBack, report.Outcome, name)
				require.Contains(t, report.Reason, `rollout "run/ship" was taken back by anna: `)
				require.Zero(t, w.at())
				require.Zero(t, contracts)
			})
		}
	}
}

// TestNoReturnAfterACrash: a stage that had not begun to do what cannot be taken back, and
// then has nothing to do, freezes nobody.
func TestNoReturnAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		ctx, stop := context.WithCancel(t.Context())
		p := line(
			rollout.Stage{Name: "expand", Do: noop, Undo: noop},
			rollout.Stage{Name: "contract", NoReturn: "the column is dropped", Do: refuses, When: func(ctx context.Context, s *rollout.StageRun) error {
				if s.Attempt > 1 {
					return rollout.ErrSkip
				}
				stop()
				<-ctx.Done()
				return ctx.Err()
			}},
		)
		p.Stages = append(p.Stages, rollout.Stage{Name: "check", Needs: []string{"expand"}, Do: func(ctx context.Context, s *rollout.StageRun) error {
			if err := sleep(ctx, time.Hour); err != nil {
				return err
			}
			return refuses(ctx, s)
		}})
		_, err := newEngine(t, memory).Run(ctx, rollout.RunRequest{ID: "1"}, p)
		require.ErrorIs(t, err, context.Canceled)
		report, err := newEngine(t, memory).Run(t.Context(), rollout.RunRequest{ID: "1"}, p)
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, report.Outcome)
		require.Equal(t, rollout.StageUndone, report.Stages[0].Status)
	})
}

// TestNoRolloutIsLeftInTheAir: an optional rollout whose time is over is taken back before
// the run goes on, also by the next process; and who leaves a run as it is is told what
// nobody carries out any more.
func TestNoRolloutIsLeftInTheAir(t *testing.T) {
	for _, crash := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			memory, w := &rollout.Memory{}, harmless()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
				if crash && r.Stage == "ship" && r.Kind == rollout.KindFailed {
					stop()
				}
			}})
			require.NoError(t, err)
			ship := shipping(anHour, w)
			ship.Optional, ship.Timeout = true, time.Minute
			var after time.Duration
			begun := time.Now()
			p := rollout.Pipeline{Stages: []rollout.Stage{ship, {Name: "needs it", Needs: []string{"ship"}, Do: refuses}, {Name: "other", Do: func(context.Context, *rollout.StageRun) error {
				after = time.Since(begun)
				return nil
			}}}}
			report, err := engine.Run(ctx, rollout.RunRequest{ID: "run"}, p)
			if crash {
				require.ErrorIs(t, err, context.Canceled)
				report, err = newEngine(t, memory).Run(t.Context(), rollout.RunRequest{ID: "run"}, p)
			}
			require.NoError(t, err)
			require.Equal(t, rollout.Succeeded, report.Outcome)
			require.Equal(t, "every stage was done, but ship failed and was taken back, needs it was skipped", report.Reason)
			require.Zero(t, w.at())
			require.Zero(t, after, "nobody waits who does not need it")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		var notices []rollout.Notice
		engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnNotice: func(n rollout.Notice) { notices = append(notices, n) }})
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Minute)
			assert.NoError(t, engine.Act(t.Context(), "run", rollout.Act{Kind: rollout.Abort, Actor: "anna"}))
		}()
		report, err := engine.Run(t.Context(), rollout.RunRequest{ID: "run"}, rollout.Pipeline{Stages: []rollout.Stage{{Name: "drop", Do: noop, NoReturn: "gone"}, shipping(anHour, harmless())}})
		require.NoError(t, err)
		require.Equal(t, rollout.Failed, report.Outcome)
		require.Equal(t, `abort by anna; not taken back: ship; rollout "run/ship" is not over, and nobody carries it out: Resume it, or deploy another one in its place`, report.Reason)
		over := notices[len(notices)-1]
		require.Equal(t, rollout.NoticeOver, over.Kind)
		require.True(t, over.Person)
		require.Contains(t, over.Reason, "nobody carries it out")
	})
}

// TestWordsOfNoReturnMayChange while a run is interrupted; and one that is frozen is not
// paused besides.
func TestWordsOfNoReturnMayChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		worded := func(why string) rollout.Pipeline {
			return line(rollout.Stage{Name: "a", NoReturn: why, Do: noop}, rollout.Stage{Name: "b", Do: func(_ context.Context, s *rollout.StageRun) error {
				if s.Attempt == 1 {
					return refuses(t.Context(), s)
				}
				return nil
			}})
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		engine := newEngine(t, memory)
		_, err := engine.Run(ctx, rollout.RunRequest{ID: "1"}, worded("orders.total is droped"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, engine.Act(t.Context(), "1", rollout.Act{Kind: rollout.Pause, Actor: "anna"}), rollout.ErrConflict)
		require.NoError(t, engine.Act(t.Context(), "1", rollout.Act{Kind: rollout.Continue, Actor: "anna"}))
		report, err := engine.Run(t.Context(), rollout.RunRequest{ID: "1"}, worded("orders.total is dropped"))
		require.NoError(t, err)
		require.NoError(t, report.Err())
	})
}

// TestARolloutThatWasLeft: a stage of which a person has left something where it stands is
// not taken back, and neither is what lies before it: a person decides. So it is whether
// the rollout itself could not come back, or the way back of one that had succeeded.
func TestARolloutThatWasLeft(t *testing.T) {
	for name, test := range map[string]struct {
		ships rollout.Gate // says no after the shift to 50 %, or not
		left  string       // the rollout that the person leaves
	}{
		"on its way":     {func(context.Context) error { return errStuck }, "run/ship"},
		"when it was up": {func(context.Context) error { return nil }, rollout.BackID("run/ship")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, calls := harmless(), map[string]bool{} // whether the notice of an end calls for a person
				engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnNotice: func(n rollout.Notice) {
					if n.Kind == rollout.NoticeOver {
						calls[n.Rollout] = n.Person
					}
				}})
				require.NoError(t, err)
				_, err = engine.Deploy(t.Context(), rollout.Request{ID: "before", Release: version("1"), Plan: toFifty, Target: harmless()})
				require.NoError(t, err)
				undone := false
				target := scripted{world: w, shift: func(ctx context.Context, to strategy.Share) error {
					if to < strategy.Share(w.share.Load()) {
						return errStuck
					}
					return w.Shift(ctx, to)
				}}
				checked := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 50 * strategy.Percent}, strategy.Verify{Gates: []string{"later"}}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All}}}
				done := make(chan rollout.Report)
				go func() {
					report, err := engine.Run(t.Context(), rollout.RunRequest{ID: "run", Release: version("2")}, line(
						rollout.Stage{Name: "expand", Do: noop, Undo: func(context.Context, *rollout.StageRun) error { undone = true; return nil }},
						rollout.Stage{Name: "ship", Retry: rollout.Retry{Attempts: 3}, Deploy: func(*rollout.StageRun) (rollout.Request, error) {
							return rollout.Request{Plan: checked, Target: target, Gates: map[string]rollout.Gate{"later": test.ships}}, nil
						}},
						rollout.Stage{Name: "announce", Do: refuses}))
					assert.NoError(t, err)
					done <- report
				}()
				time.Sleep(time.Minute)
				require.NoError(t, engine.Act(t.Context(), test.left, rollout.Act{Kind: rollout.Leave, Actor: "ann"}))
				time.Sleep(time.Hour)
				synctest.Wait()
				require.False(t, undone)
				report, err := engine.Report("run")
				require.NoError(t, err)
				require.Equal(t, rollout.StageStuck, report.Stages[1].Status, report)
				require.Equal(t, 1, report.Stages[1].Attempts)
				require.Contains(t, report.Stages[1].Undo.Reason, "was left where it stands")
				require.NoError(t, engine.Act(t.Context(), "run", rollout.Act{Kind: rollout.Abort, Actor: "ann"}))
				report = <-done
				require.Equal(t, rollout.Failed, report.Outcome)
				require.Contains(t, report.Reason, "not taken back: expand, ship")
				require.False(t, undone)
				synctest.Wait()
				require.Equal(t, []bool{false, true, true}, []bool{calls["before"], calls[test.left], calls["run"]})
			})
		})
	}
}
