package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

var errCrash = errors.New("the process is gone")

// crashing is a journal whose process dies at its nth append: before the record
// is written, or after, when nobody is told.
type crashing struct {
	rollout.Journal
	n     int
	after bool
}

func (c *crashing) Append(ctx context.Context, r rollout.Record) (rollout.Record, error) {
	c.n--
	if c.n > 0 {
		return c.Journal.Append(ctx, r)
	}
	if c.n == 0 && c.after {
		if _, err := c.Journal.Append(ctx, r); err != nil {
			return r, err
		}
	}
	return r, fmt.Errorf("%w: %w", errCrash, rollout.ErrFenced) // or the engine would try again
}

// world is what a rollout moves and sees; it outlives crashes. What happens in it
// depends on the world alone, not on how often the process died.
type world struct {
	share    atomic.Int32 // in slots: the traffic reads it while the engine moves it
	shifts   []strategy.Share
	smokeNo  bool
	stuckAt  strategy.Share // shifting here fails always; -1 for never
	flaky    map[strategy.Share]int
	badAbove strategy.Share // the judge fails the change at more than this
}

func (w *world) at() strategy.Share { return strategy.Share(w.share.Load()) }

func (w *world) Shift(_ context.Context, to strategy.Share) error {
	w.shifts = append(w.shifts, to)
	if to == w.stuckAt && to > 0 {
		return errors.New("stuck")
	}
	if to < w.at() && w.flaky[to] > 0 {
		w.flaky[to]--
		return errors.New("flaky")
	}
	w.share.Store(int32(to))
	return nil
}

func (w *world) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: w.at()}, nil
}

func (w *world) request(p strategy.Plan, cohorts *health.Cohorts) rollout.Request {
	judge := health.JudgeFunc(func(_ health.State, _ health.Sample) (health.Verdict, health.State) {
		if w.at() > w.badAbove {
			return health.Verdict{Call: health.Fail, Reason: "it hurts"}, nil
		}
		return health.Verdict{}, nil
	})
	return rollout.Request{
		ID: "r", Plan: p, Target: w,
		Gates: map[string]rollout.Gate{"smoke": func(context.Context) error {
			if w.smokeNo {
				return errors.New("smoke")
			}
			return nil
		}},
		Watches: map[string]rollout.Watch{"errors": {Judge: judge, Cohorts: cohorts}},
	}
}

func (w *world) outcome() rollout.Outcome {
	if w.smokeNo {
		return rollout.Cancelled
	}
	if w.stuckAt > 0 || w.badAbove < 50*strategy.Percent {
		return rollout.RolledBack
	}
	return rollout.Succeeded
}

// live runs one process until the rollout is over or the process dies. Somebody
// sends a request to each side every second.
func live(t *testing.T, journal rollout.Journal, w *world, p strategy.Plan) (rollout.Outcome, error) {
	t.Helper()
	engine, err := rollout.New(journal, rollout.Options{})
	require.NoError(t, err)
	cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for unit := uint64(0); ; unit++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
				cohorts.Record(health.Outcome{Unit: unit, Slot: 0, Ramp: max(w.share.Load(), 1), Class: health.Success})
				cohorts.Record(health.Outcome{Unit: unit % 7, Slot: 99_999, Ramp: 1, Class: health.Failure})
			}
		}
	}()
	outcome, err := engine.Deploy(ctx, w.request(p, cohorts))
	cancel()
	<-done
	return outcome, err
}

// TestCrashAnywhere lets the process die at every single record, before and after
// it is written, in random worlds, and again and again while it comes back.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	worlds := 40
	if testing.Short() || raceEnabled {
		worlds = 8
	}
	p := plan(t)
	for seed := range worlds {
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			for crash := 1; ; crash++ {
				finished := true
				for _, after := range []bool{false, true} {
					synctest.Test(t, func(t *testing.T) {
						finished = oneCrash(t, p, uint64(seed), crash, after) && finished
					})
				}
				if finished {
					return // the rollout was over before the crash came
				}
			}
		})
	}
}

// oneCrash says whether the rollout was over before the crash came.
func oneCrash(t *testing.T, p strategy.Plan, seed uint64, crash int, after bool) bool {
	random := rand.New(rand.NewPCG(seed, 1))
	w := &world{stuckAt: -1, badAbove: strategy.All, flaky: map[strategy.Share]int{0: random.IntN(3)}}
	switch random.IntN(5) {
	case 0:
		w.smokeNo = true
	case 1:
		w.stuckAt = p.Steps[1].(strategy.Shift).To
	case 2:
		w.stuckAt = p.Steps[3].(strategy.Shift).To
	case 3:
		w.badAbove = strategy.Share(random.IntN(2)) * 5 * strategy.Percent
	}
	memory := &rollout.Memory{}
	outcome, err := live(t, &crashing{Journal: memory, n: crash, after: after}, w, p)
	survived := err == nil
	again := random.IntN(3) // a second crash soon after the first, in some worlds
	if !survived && again > 0 {
		require.ErrorIs(t, err, errCrash)
		outcome, err = live(t, &crashing{Journal: memory, n: again, after: !after}, w, p)
	}
	if err != nil {
		require.ErrorIs(t, err, errCrash)
		acknowledged := acknowledgedShifts(memory)
		before := len(w.shifts)
		outcome, err = live(t, memory, w, p)
		require.NoError(t, err)
		for _, to := range w.shifts[before:] {
			if acknowledged[to] && to > 0 {
				t.Errorf("crash %d: shifted to %v again, which the journal had as done", crash, to)
			}
		}
	}
	require.Equal(t, w.outcome(), outcome, "crash %d", crash)
	checkJournal(t, memory)
	if outcome == rollout.Succeeded {
		require.Equal(t, strategy.All, w.at())
	} else {
		require.Zero(t, w.at())
	}
	return survived
}

func acknowledgedShifts(journal rollout.Journal) map[strategy.Share]bool {
	out := map[strategy.Share]bool{}
	var m rollout.Machine
	for r := range journal.Records() {
		before := m.State()
		_ = m.Apply(r)
		if r.Kind == rollout.KindDone && before.Phase == rollout.Forward {
			out[before.Share] = true
		}
	}
	return out
}

// checkJournal holds the invariants of every journal: the machine that is replayed
// is where each record says it is, shares stay between 0 and 100 %, and a rollout
// ends once, at the end.
func checkJournal(t *testing.T, journal rollout.Journal) {
	t.Helper()
	var m rollout.Machine
	ends := 0
	for r, err := range journal.Records() {
		require.NoError(t, err)
		require.Zero(t, ends, "record %d comes after the end", r.Seq)
		require.Equal(t, m.State().String(), r.From, "record %d", r.Seq)
		require.NoError(t, m.Apply(r), "record %d", r.Seq)
		require.Equal(t, m.State().String(), r.To, "record %d", r.Seq)
		s := m.State()
		require.True(t, s.Share >= 0 && s.Share <= strategy.All && s.Share <= s.Peak)
		if r.Kind == rollout.KindFinished {
			ends++
		}
	}
	require.Equal(t, 1, ends)
	require.Equal(t, rollout.Done, m.State().Phase)
}

// TestCancelIsNoAbort: a context that ends leaves the journal to be resumed, writes
// nothing, and leaves no goroutine behind.
func TestCancelIsNoAbort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w, memory := plan(t), &world{stuckAt: -1, badAbove: strategy.All}, &rollout.Memory{}
		engine, err := rollout.New(memory, rollout.Options{})
		require.NoError(t, err)
		cohorts, err := engine.Cohorts("r", "errors", health.CohortsOptions{})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err = engine.Deploy(ctx, w.request(p, cohorts))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 5*strategy.Percent, int(w.at()))
		status, err := engine.Status("r")
		require.NoError(t, err)
		require.Equal(t, "analysing", status.Phase)
		outcome, err := live(t, memory, w, p)
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		checkJournal(t, memory)
		// Once more: it is over, so nothing moves and nothing is written.
		moves := len(w.shifts)
		outcome, err = live(t, memory, w, p)
		require.NoError(t, err)
		require.Equal(t, rollout.Succeeded, outcome)
		require.Len(t, w.shifts, moves)
		checkJournal(t, memory)
	})
}
