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

// TestNobodyBetweenDrill: who waits for a turn, or takes somebody's place, has no turn
// between the ways of a drill, although its way forward is over by then.
func TestNobodyBetweenDrill(t *testing.T) {
	for _, overlap := range []rollout.Overlap{rollout.Queue, rollout.Supersede, rollout.Reject} {
		synctest.Test(t, func(t *testing.T) {
			memory, next := settled(t), make(chan error, 1)
			var engine *rollout.Engine
			engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
				if r.Kind != rollout.KindFinished || r.Rollout != "r" {
					return
				}
				go func() {
					_, err := engine.Deploy(t.Context(), rollout.Request{ID: "next", Release: rel("v3"), Plan: toFifty, Target: harmless(), Overlap: overlap})
					next <- err
				}()
				time.Sleep(time.Second)
			}})
			require.NoError(t, err)
			d, err := engine.Drill(t.Context(), rollout.Request{ID: "r", Release: rel("v2"), Plan: toFifty, Target: harmless()})
			require.NoError(t, err)
			require.NoError(t, d.Err())
			want := []string{"first", "r", "r back", "next"}
			if err := <-next; overlap == rollout.Reject {
				require.ErrorIs(t, err, rollout.ErrConflict)
				want = want[:3]
			} else {
				require.NoError(t, err)
			}
			var order []string
			for _, r := range records(t, memory) {
				if r.Request == nil {
					continue
				}
				if order = append(order, r.Rollout); r.Rollout == "next" {
					require.Equal(t, "v1", r.Request.Previous.Version)
				}
			}
			require.Equal(t, want, order)
		})
	}
}

// TestDrillAndAPerson: who takes it back by hand meanwhile has done the same.
func TestDrillAndAPerson(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := settled(t)
		var engine *rollout.Engine
		engine, err := rollout.New(memory, rollout.Options{OnRecord: func(r rollout.Record) {
			if r.Kind == rollout.KindFinished && r.Rollout == "r" {
				require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.RollBack, Actor: "ann"}))
			}
		}})
		require.NoError(t, err)
		d, err := engine.Drill(t.Context(), rollout.Request{ID: "r", Release: rel("v2"), Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		practised(t, memory, d)
	})
}

// TestDrillInAPipeline: a stage drills where nobody is hurt before the release goes out,
// and after a crash it goes on.
func TestDrillInAPipeline(t *testing.T) {
	for crash, over := 0, false; !over; crash++ {
		synctest.Test(t, func(t *testing.T) {
			memory, staging, production := settled(t), harmless(), harmless()
			run := func(journal rollout.Journal) (rollout.Report, error) {
				engine := newEngine(t, journal)
				drill := func(ctx context.Context, s *rollout.StageRun) error {
					d, err := engine.Drill(ctx, rollout.Request{ID: s.Run + "/drill", Release: s.Release, Plan: toFifty, Target: staging})
					fmt.Fprint(s, d)
					return errors.Join(err, d.Err())
				}
				deploy := func(*rollout.StageRun) (rollout.Request, error) {
					return rollout.Request{Environment: "production", Plan: toFifty, Target: production}, nil
				}
				return engine.Run(t.Context(), rollout.RunRequest{ID: "v2", Release: rel("v2")}, line(rollout.Stage{Name: "drill", Do: drill}, rollout.Stage{Name: "out", Deploy: deploy}))
			}
			var journal rollout.Journal = memory
			if crash > 0 {
				journal = &crashing{Journal: memory, n: crash, after: crash%2 == 0}
			}
			report, err := run(journal)
			if over = err == nil && crash > 0; err != nil {
				require.ErrorIs(t, err, errCrash)
				report, err = run(memory)
				require.NoError(t, err)
			}
			require.NoError(t, report.Err())
			require.Contains(t, report.Stages[0].Output, "drill v2/drill: shop v2 went out in 0s and came back in 0s, and the target is where it was")
			require.Equal(t, []strategy.Share{0, strategy.All}, []strategy.Share{staging.at(), production.at()})
		})
	}
}

// TestDrillGivenUp: a drill whose process died between its ways keeps nobody from a turn,
// and neither does one that finds no way back any more. Then it is a deployment.
func TestDrillGivenUp(t *testing.T) {
	for _, dies := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			memory := settled(t)
			var journal rollout.Journal = memory
			target := forgets{world: harmless()}
			if target.lost = !dies; dies {
				journal = &crashing{Journal: memory, n: 7} // after the request, two steps, and the end
			}
			engine := newEngine(t, journal)
			request := rollout.Request{ID: "r", Release: rel("v2"), Plan: toFifty, Target: target}
			_, err := engine.Drill(t.Context(), request)
			if dies {
				require.ErrorIs(t, err, errCrash)
				engine = newEngine(t, memory)
			} else {
				require.ErrorIs(t, err, rollout.ErrNoWayBack)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err = engine.Deploy(ctx, rollout.Request{ID: "next", Release: rel("v3"), Plan: toFifty, Target: harmless()})
			require.NoError(t, err)
			require.Equal(t, 3, measure(t, memory, rollout.DeliveryOptions{})[0].Deployments)
			d, err := engine.Drill(t.Context(), request)
			require.ErrorIs(t, err, rollout.ErrNoWayBack)
			require.Equal(t, rollout.Succeeded, d.Outcome)
			require.ErrorContains(t, d.Err(), "it has not come back")
		})
	}
}

// forgets loses the version before as soon as another one has all traffic.
type forgets struct {
	*world
	lost bool
}

func (l forgets) Keeps(context.Context, string) error {
	if l.lost && l.at() == strategy.All {
		return errors.New("gone")
	}
	return nil
}
