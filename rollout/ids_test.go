package rollout_test

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

func rel(v string) rollout.Release { return rollout.Release{Name: "shop", Version: v, Digest: v} }

// TestBackIDTaken: where the journal has another rollout by the ID of the way back,
// there is none, and the journal stays as it should be.
func TestBackIDTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine := newEngine(t, memory)
		for i, id := range []string{"r back", "r0", "r"} {
			_, err := engine.Deploy(t.Context(), rollout.Request{ID: id, Release: rel(fmt.Sprint(i)), Plan: toFifty, Target: &world{stuckAt: -1, badAbove: strategy.All}})
			require.NoError(t, err)
		}
		require.ErrorIs(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.RollBack, Actor: "ann"}), rollout.ErrConflict)
		_, err := rollout.New(memory, rollout.Options{})
		require.NoError(t, err, "the journal must stay readable")
	})
}

// TestSameIDInTwoEnvironments: one ID is one rollout, so what was deployed to one
// environment never counts as deployed to the other.
func TestSameIDInTwoEnvironments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		_, err := engine.Deploy(t.Context(), rollout.Request{ID: "v1", Environment: "staging", Release: rel("1"), Plan: toFifty, Target: harmless()})
		require.NoError(t, err)
		_, err = engine.Deploy(t.Context(), rollout.Request{ID: "v1", Environment: "production", Release: rel("1"), Plan: toFifty, Target: harmless()})
		require.ErrorIs(t, err, rollout.ErrConflict)
	})
}

// TestSaltOfEarlierRollout: it is refused, also when that one is over for long, and
// nothing but a hash is kept of it.
func TestSaltOfEarlierRollout(t *testing.T) {
	for _, others := range []int{0, 101} {
		t.Run(fmt.Sprint(others), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				text := `{"flags": {"new-page": {"ramp": {"percent": 5, "salt": "s"}}}}`
				load := func() *flag.Store {
					s := flag.New(flag.Bytes([]byte(text)), flag.Options{})
					require.NoError(t, s.Load(t.Context()))
					return s
				}
				engine, store := engineOn(t, &rollout.Memory{}), load()
				g, err := engine.Guard(store, rollout.Guarded{Flag: newPage, ID: "one", Manual: true})
				require.NoError(t, err)
				ctx, cancel := context.WithCancel(t.Context())
				go g.Run(ctx)
				synctest.Wait()
				require.NoError(t, engine.Act(ctx, "one", rollout.Act{Kind: rollout.Abort, Actor: "ann"}))
				synctest.Wait()
				cancel()
				for i := range others {
					_, err := engine.Deploy(t.Context(), rollout.Request{ID: fmt.Sprint(i), Release: rel(fmt.Sprint(i)), Plan: toFifty, Target: harmless()})
					require.NoError(t, err)
				}
				_, err = engine.Guard(load(), rollout.Guarded{Flag: newPage, ID: "two", Manual: true})
				require.ErrorIs(t, err, rollout.ErrConflict)
			})
		})
	}
}

// slowDisk is a journal that takes its time.
type slowDisk struct {
	rollout.Journal
	wait, reading time.Duration
}

func (s *slowDisk) Records() iter.Seq2[rollout.Record, error] {
	time.Sleep(s.reading)
	return s.Journal.Records()
}

func (s *slowDisk) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	time.Sleep(s.wait)
	return s.Journal.Append(ctx, r)
}

// TestFailedLaterTwice: two people say so at once of a rollout that is over for long,
// and one of them is first.
func TestFailedLaterTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		j := &slowDisk{Journal: memory}
		engine := newEngine(t, j)
		for i := range 102 {
			_, err := engine.Deploy(t.Context(), rollout.Request{ID: fmt.Sprint(i), Release: rel(fmt.Sprint(i)), Plan: toFifty, Target: harmless()})
			require.NoError(t, err)
		}
		j.wait, j.reading = time.Millisecond, time.Millisecond
		errs := make([]error, 2)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = engine.Act(t.Context(), "0", rollout.Act{Kind: rollout.FailedLater, Actor: "ann"}) })
		}
		wg.Wait()
		require.True(t, (errs[0] == nil) != (errs[1] == nil), "%v", errs)
		n := 0
		for r := range memory.Records() {
			if r.Kind == rollout.KindActed {
				n++
			}
		}
		again, err := rollout.New(memory, rollout.Options{})
		require.NoError(t, err)
		_, err = again.Status("0")
		require.NoError(t, err, "%d records of one act", n)
		require.Equal(t, 1, n)
	})
}

// TestSameIDByOtherRules: what stops a rollout, or sends it back, is part of what was asked
// for, while it is under way and when a checkpoint has its end. What is asked for again as
// it was joins, and a resume needs none of it.
func TestSameIDByOtherRules(t *testing.T) {
	others := map[string]func(*rollout.Request){
		"promotion: found 0, want 1":     func(r *rollout.Request) { r.Promotion = rollout.NoHarmSeen },
		"shadow: found false, want true": func(r *rollout.Request) { r.Shadow = false },
		"deadlines: pause: found {1h0m0s go on}, want {0s abort}": func(r *rollout.Request) {
			r.Deadlines.Pause = rollout.Deadline{Within: time.Hour, Then: rollout.ThenGoOn}
		},
		"deadlines: overall: found {0s abort}, want {2h0m0s abort}": func(r *rollout.Request) { r.Deadlines.Overall.Within = 0 },
		"watches: then: found map[errors:pause], want map[]": func(r *rollout.Request) {
			watch := r.Watches["errors"]
			watch.Then = rollout.ThenPause
			r.Watches["errors"], r.Promotion = watch, rollout.NoHarmSeen
		},
		"deadlines: progress: found {1m0s abort}, want {2m0s go on}":     func(r *rollout.Request) { r.Deadlines.Progress = rollout.Deadline{Within: time.Minute} },
		"deadlines: approval: found {2h0m0s abort}, want {1h0m0s pause}": func(r *rollout.Request) { r.Deadlines.Approval = rollout.Deadline{Within: 2 * time.Hour} },
	}
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{CheckpointEvery: 1}, harmless()
		asked := func() rollout.Request {
			r := w.request(plan(t), health.NewCohorts(health.CohortsOptions{}))
			r.Promotion, r.Shadow = rollout.EvidenceOfNoHarm, true
			r.Deadlines.Overall.Within = 2 * time.Hour
			r.Deadlines.Progress = rollout.Deadline{Within: 2 * time.Minute, Then: rollout.ThenGoOn}
			r.Deadlines.Approval = rollout.Deadline{Within: time.Hour, Then: rollout.ThenPause}
			return r
		}
		refused := func(engine *rollout.Engine) {
			t.Helper()
			for want, change := range others {
				other := asked()
				change(&other)
				_, err := engine.Deploy(t.Context(), other)
				require.ErrorIs(t, err, rollout.ErrConflict, want)
				require.ErrorContains(t, err, want)
			}
		}
		engine := newEngine(t, memory)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := engine.Deploy(ctx, asked())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		refused(engine)
		engine = newEngine(t, memory)
		refused(engine)
		for _, how := range []func(context.Context, rollout.Request) (rollout.Outcome, error){engine.Deploy, engine.Deploy, engine.Resume} {
			outcome, err := how(t.Context(), asked())
			require.NoError(t, err)
			require.Equal(t, rollout.Succeeded, outcome)
		}
		refused(newEngine(t, memory))
	})
}
