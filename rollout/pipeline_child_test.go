package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// ramping is a guarded flag that requests ask for until the context ends.
func ramping(ctx context.Context, t *testing.T, engine *rollout.Engine) (*flag.Store, *rollout.Guard) {
	store := pages(t)
	guard, err := engine.Guard(store, rollout.Guarded{Flag: steady, Manual: true, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: time.Minute, Exposed: 1, Judge: health.JudgeFunc(patient)})
	require.NoError(t, err)
	go func() {
		for i := 0; ctx.Err() == nil; i++ {
			guard.Do(flag.NewContext(ctx, store.View(flag.For(fmt.Sprint(i)))), func(ctx context.Context) error { steady.On(ctx); return nil })
			_ = sleep(ctx, time.Second)
		}
	}()
	return store, guard
}

// TestFlagsOfOthers: what the host, or an earlier run, has begun is waited for, and is
// not taken back by a run that only found it.
func TestFlagsOfOthers(t *testing.T) {
	for _, every := range []int{0, 1} {
		for _, earlier := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				memory := &rollout.Memory{CheckpointEvery: every}
				engine := engineOn(t, memory)
				ctx, cancel := context.WithCancel(t.Context())
				store, guard := ramping(ctx, t, engine)
				begun := time.Now()
				if flagged := (rollout.Stage{Name: "flag", Guard: guard}); earlier {
					report, err := engine.Run(ctx, rollout.RunRequest{ID: "0"}, line(flagged))
					require.NoError(t, err)
					require.NoError(t, report.Err())
				} else {
					go func() { _, _ = guard.Run(ctx) }()
					time.Sleep(10 * time.Second)
				}
				report, err := engine.Run(ctx, rollout.RunRequest{ID: "1"}, line(rollout.Stage{Name: "flag", Guard: guard}, rollout.Stage{Name: "check", Do: refuses}))
				cancel()
				synctest.Wait()
				require.NoError(t, err)
				require.Equal(t, "check failed: no", report.Reason)
				require.GreaterOrEqual(t, time.Since(begun), time.Minute)
				now, err := store.Status(steady.Key())
				require.NoError(t, err)
				require.Equal(t, flag.Share(flag.All), now.Ramp.Share)
			})
		}
	}
}

// TestGuardedStages: a stage is a guarded flag, which is taken back with the rest.
func TestGuardedStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name   string
			fails  time.Duration // when the other stage does
			status rollout.Outcome
		}{{"under way", time.Second, rollout.RolledBack}, {"done", 0, rollout.Succeeded}} {
			engine := engineOn(t, &rollout.Memory{})
			ctx, cancel := context.WithCancel(t.Context())
			store, guard := ramping(ctx, t, engine)
			check := rollout.Stage{Name: "check", Needs: []string{"flag"}, Do: refuses}
			if test.fails > 0 {
				check.Needs = nil
				check.Do = func(context.Context, *rollout.StageRun) error { time.Sleep(test.fails); return errors.New("no") }
			}
			report, err := engine.Run(ctx, rollout.RunRequest{ID: "1"}, rollout.Pipeline{Stages: []rollout.Stage{{Name: "flag", Guard: guard}, check}})
			cancel()
			synctest.Wait()
			require.NoError(t, err)
			require.Equal(t, rollout.RolledBack, report.Outcome, test.name)
			status, err := engine.Status(steady.Key())
			require.NoError(t, err)
			require.Equal(t, test.status, status.State.Outcome, test.name)
			now, err := store.Status(steady.Key())
			require.NoError(t, err)
			require.Equal(t, flag.Share(5*flag.Percent), now.Ramp.Share, "%s: where it was before", test.name)
		}
	})
}

// TestChildrenThatCannotBe: what a stage deploys has its ID from the run.
func TestChildrenThatCannotBe(t *testing.T) {
	deploy := func(r rollout.Request, err error) rollout.Pipeline {
		return line(rollout.Stage{Name: "ship", Deploy: func(*rollout.StageRun) (rollout.Request, error) { return r, err }})
	}
	for name, test := range map[string]struct {
		pipeline rollout.Pipeline
		want     string
	}{
		"an ID":      {deploy(rollout.Request{ID: "mine", Plan: toFifty, Target: harmless()}, nil), `its request has the ID "mine", want none`},
		"an error":   {deploy(rollout.Request{}, errors.New("no target")), "no target"},
		"no plan":    {deploy(rollout.Request{Target: harmless()}, nil), "plan: has no steps"},
		"no gate":    {deploy(rollout.Request{Target: harmless(), Plan: strategy.Plan{Steps: []strategy.Step{strategy.Verify{Gates: []string{"smoke"}}}}}, nil), `gates: "smoke" is in the plan and bound to nothing`},
		"a no":       {line(rollout.Stage{Name: "gate", Do: rollout.Ask(func(context.Context) error { return errors.New("smoke") })}), "smoke"},
		"not sure":   {line(rollout.Stage{Name: "gate", Do: rollout.Ask(func(context.Context) error { return rollout.ErrInconclusive })}), "inconclusive"},
		"not at all": {deploy(rollout.Request{}, fmt.Errorf("%w: same image", rollout.ErrSkip)), "every stage was done, but ship was skipped"},
	} {
		report := ran(t, &rollout.Memory{}, "1", test.pipeline)
		require.Contains(t, report.Reason, test.want, name)
	}
}
