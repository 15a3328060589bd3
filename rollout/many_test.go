package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestThousandAtOnce: a thousand services are rolled out by one engine at the same
// time; each ends as it must, by its own evidence, and nothing is left behind. It is
// halfway through when its process is replaced.
func TestThousandAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 1000
		if raceEnabled {
			n = 200
		}
		p, memory := plan(t), &rollout.Memory{CheckpointEvery: 2000}
		worlds := make([]*world, n)
		for i := range worlds {
			worlds[i] = harmless()
			switch i % 10 {
			case 3:
				worlds[i].smokeNo = true
			case 6:
				worlds[i].badAbove = 5 * strategy.Percent
			case 9:
				worlds[i].stuckAt, worlds[i].flaky = strategy.All, map[strategy.Share]int{0: i / 300}
			}
		}
		outcomes := make([]rollout.Outcome, n)
		all := func(ctx context.Context, over error) {
			engine := newEngine(t, memory)
			before := runtime.NumGoroutine()
			var running sync.WaitGroup
			for i, w := range worlds {
				cohorts := health.NewCohorts(health.CohortsOptions{})
				cohorts.Record(health.Outcome{Unit: 1, Slot: 0, Ramp: 1, Class: health.Success})
				q := w.request(p, cohorts)
				q.ID, q.Service, q.Look = fmt.Sprint("rollout ", i), fmt.Sprint("service ", i), 10*time.Second
				running.Go(func() {
					outcome, err := engine.Deploy(ctx, q)
					if outcomes[i] = outcome; err != nil && !errors.Is(err, over) {
						t.Errorf("%s: %v", q.ID, err)
					}
				})
				running.Go(func() { // somebody comes now and then
					for range 30 {
						if sleep(ctx, 10*time.Second) != nil {
							return
						}
						for range 10 {
							cohorts.Record(health.Outcome{Unit: 1, Slot: 0, Ramp: max(w.share.Load(), 1), Class: health.Success})
						}
					}
				})
			}
			synctest.Wait()
			require.LessOrEqual(t, runtime.NumGoroutine()-before, 2*n, "the engine starts none")
			running.Wait()
			live := 0
			for range engine.Live() {
				live++
			}
			require.Equal(t, over == nil, live == 0)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		all(ctx, context.DeadlineExceeded)
		cancel()
		all(t.Context(), nil)
		for i, w := range worlds {
			want := map[int]rollout.Outcome{3: rollout.Cancelled, 6: rollout.RolledBack, 9: rollout.RolledBack}[i%10]
			if want == rollout.Unfinished {
				want = rollout.Succeeded
			}
			require.Equal(t, want, outcomes[i], "rollout %d", i)
			require.Equal(t, want == rollout.Succeeded, w.at() == strategy.All, "rollout %d is at %v", i, w.at())
		}
		ledger := newLedger()
		for r := range memory.Records() {
			if r.Rollout != "" {
				ledger.active = "" // one for each service
				if l := ledger.machines[r.Rollout]; l != nil && l.State().Phase != rollout.Done {
					ledger.active = r.Rollout
				}
				ledger.took(r, nil)
			}
		}
		require.Empty(t, ledger.wrong)
		require.Len(t, ledger.order, n)
	})
}

// long is a journal with many rollouts that are over; it has no record until somebody
// reads it.
type long struct {
	rollout.Memory
	rollouts int
	whole    []rollout.Record // of one
}

func (l *long) Recent() iter.Seq2[rollout.Record, error] { return l.Records() }

func (l *long) Records() iter.Seq2[rollout.Record, error] {
	return func(yield func(rollout.Record, error) bool) {
		seq := uint64(0)
		for i := range l.rollouts {
			id := "checkout of " + strconv.Itoa(i)
			for _, r := range l.whole {
				seq++
				r.Seq, r.Rollout, r.Reason = seq, id, r.Reason+" in "+id
				r.At = r.At.Add(time.Duration(i) * time.Hour)
				if !r.Until.IsZero() {
					r.Until = r.Until.Add(time.Duration(i) * time.Hour)
				}
				if r.Request != nil {
					q := *r.Request
					q.Release = rollout.Release{Name: "checkout", Version: strconv.Itoa(i), Digest: id}
					r.Request = &q
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// TestMemoryOfLongJournals: an engine keeps what goes on and the last that is over; of
// all the others a few bytes, however many records they had.
func TestMemoryOfLongJournals(t *testing.T) {
	good, failed := wholeRollout(t, true), wholeRollout(t, false)
	heap := func(rollouts int, whole []rollout.Record) int64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		engine, err := rollout.New(&long{rollouts: rollouts, whole: whole}, rollout.Options{})
		require.NoError(t, err)
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		_, err = engine.Status("checkout of " + strconv.Itoa(rollouts-1))
		require.NoError(t, err)
		return int64(after.HeapAlloc) - int64(before.HeapAlloc)
	}
	const few, many = 1000, 20_000
	for name, whole := range map[string][]rollout.Record{"good": good, "failed": failed} {
		each := 1e9
		for try := 0; try < 3 && each >= 64; try++ { // whatever else goes on takes some, too
			each = float64(heap(many, whole)-heap(few, whole)) / (many - few)
		}
		t.Logf("%s: %d records of each, %.1f bytes kept of each", name, len(whole), each)
		require.Less(t, each, 64.0, name)
	}
}
