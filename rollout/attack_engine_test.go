package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

func rel(v string) rollout.Release { return rollout.Release{Name: "shop", Version: v, Digest: v} }

// A user's own ID "r back" that is over, and RollBack of "r": the journal cannot be
// opened any more.
func TestAttackBackIDCollision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine := newEngine(t, memory)
		for i, id := range []string{"r back", "r0", "r"} {
			_, err := engine.Deploy(t.Context(), rollout.Request{ID: id, Release: rel(fmt.Sprint(i)), Plan: toFifty, Target: &world{stuckAt: -1, badAbove: strategy.All}})
			require.NoError(t, err)
		}
		err := engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.RollBack, Actor: "ann"})
		t.Log(err)
		_, err = rollout.New(memory, rollout.Options{})
		require.NoError(t, err, "the journal must stay readable")
	})
}

// The same ID and release in two environments: the second is never deployed.
func TestAttackSameIDOtherEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		staging, prod := harmless(), harmless()
		_, err := engine.Deploy(t.Context(), rollout.Request{ID: "v1", Environment: "staging", Release: rel("1"), Plan: toFifty, Target: staging})
		require.NoError(t, err)
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "v1", Environment: "production", Release: rel("1"), Plan: toFifty, Target: prod})
		if err == nil {
			require.Equal(t, strategy.All, prod.at(), "it says %v, and nothing was deployed to production", outcome)
		}
		require.ErrorIs(t, err, rollout.ErrConflict)
	})
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

// Two people say FailedLater at once of a rollout that is over for long: both are
// written, and afterwards the rollout cannot be looked up.
func TestAttackFailedLaterTwice(t *testing.T) {
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
		t.Log(errs)
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

// Only watched time counts: a person who acts on a rollout that nobody drives makes the
// time before count as watched.
func TestAttackActCountsAsWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		request := rollout.Request{ID: "r", Plan: holding, Target: w}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := newEngine(t, memory).Deploy(ctx, request)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.Sleep(9 * time.Hour) // nobody drives it
		engine := newEngine(t, memory)
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Pause, Actor: "ann"}))
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"}))
		began := time.Now()
		_, err = engine.Deploy(t.Context(), request)
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(began), 9*time.Minute, "a hold of 10 minutes was watched for one")
	})
}

// The same by gaps between processes: each writes one look and is gone.
func TestAttackGapsCountAsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, harmless()
		p, err := strategy.Canary{Weights: []strategy.Share{10 * strategy.Percent, strategy.All}, Hold: 10 * time.Minute, Judges: []string{"errors"}}.Plan(strategy.Input{})
		require.NoError(t, err)
		var watched time.Duration
		for n := 0; n < 40; n++ {
			engine := newEngine(t, memory)
			cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			cohorts.Record(health.Outcome{Unit: uint64(n), Slot: 0, Ramp: max(w.share.Load(), 1), Class: health.Success})
			cohorts.Record(health.Outcome{Unit: uint64(1000 + n), Slot: 99_999, Ramp: 1, Class: health.Failure}) // one mark, one look
			began := time.Now()
			outcome, err := engine.Deploy(ctx, w.request(p, cohorts))
			watched += time.Since(began)
			cancel()
			if err == nil {
				require.GreaterOrEqual(t, watched, 10*time.Minute, "%v after %d processes", outcome, n+1)
				return
			}
			time.Sleep(5 * time.Minute)
		}
	})
}

// OnRecord that panics, in a host that recovers.
func TestAttackOnRecordPanics(t *testing.T) {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{OnRecord: func(rollout.Record) { panic("boo") }})
	require.NoError(t, err)
	func() {
		defer func() { t.Log(recover()) }()
		_, err = engine.Deploy(t.Context(), rollout.Request{ID: "r", Plan: toFifty, Target: harmless()})
		t.Log(err)
	}()
}

// A rollout that goes back by itself and whose process is gone; another one takes its
// place, and drives it without its watches; a person promotes and pauses it.
func TestAttackPromotedWhileDrivenByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory, w := &rollout.Memory{}, &world{stuckAt: -1, badAbove: 0}
		p := plan(t)
		target := scripted{world: w}
		target.shift = func(ctx context.Context, to strategy.Share) error {
			if to < w.at() {
				return errors.New("stuck on the way back")
			}
			if to == 50*strategy.Percent {
				time.Sleep(10 * time.Second)
			}
			return w.Shift(ctx, to)
		}
		engine := newEngine(t, memory)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		q := w.request(p, health.NewCohorts(health.CohortsOptions{}))
		q.Target = target
		_, err := engine.Deploy(ctx, q)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		engine = newEngine(t, memory)
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		over := make(chan any)
		go func() {
			defer func() { over <- recover() }()
			_, err := engine.Deploy(ctx, rollout.Request{ID: "next", Release: rel("2"), Plan: toFifty, Target: target})
			t.Log(err)
		}()
		time.Sleep(2 * time.Minute)
		s, err := engine.Status("r")
		require.NoError(t, err)
		t.Log(s.State)
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Promote, Actor: "ann"}))
		time.Sleep(5 * time.Second)
		require.NoError(t, engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Pause, Actor: "ann"}))
		time.Sleep(time.Minute)
		s, _ = engine.Status("r")
		t.Log(s.State)
		_ = engine.Act(t.Context(), "r", rollout.Act{Kind: rollout.Continue, Actor: "ann"})
		require.Nil(t, <-over, "the engine panics")
	})
}
