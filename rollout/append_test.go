package rollout_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// TestGroups: records that are appended while one is being synced share the next sync.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rollouts = 50
		d := newMemoryDisk()
		journal := openOn(t, d)
		d.syncs = 0
		release := make(chan struct{})
		d.fault = func(op, _ string) (how, error) {
			if op == "sync" {
				<-release
			}
			return all, nil
		}
		var wait sync.WaitGroup
		add := func(n int) {
			wait.Go(func() {
				r, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: fmt.Sprint(n), At: noon})
				if err != nil || r.Rollout != fmt.Sprint(n) || r.Seq == 0 {
					t.Errorf("got %v, %v", r, err)
				}
			})
		}
		add(0)
		synctest.Wait() // it is at its sync
		for n := range rollouts - 1 {
			add(n + 1)
		}
		synctest.Wait() // all the others have been handed in
		close(release)
		wait.Wait()
		require.Equal(t, 2, d.syncs)
		all := records(t, journal)
		require.Len(t, all, rollouts)
		seen := map[string]bool{}
		for _, r := range all {
			seen[r.Rollout] = true
		}
		require.Len(t, seen, rollouts)
		require.NoError(t, rollout.Verify(journal.Records()))
	})
}

// TestAGroupFails: all of it is refused and gone, and what was handed in meanwhile is
// written after the repair.
func TestAGroupFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMemoryDisk()
		journal := openOn(t, d)
		release, syncs := make(chan struct{}), 0
		d.fault = func(op, _ string) (how, error) {
			if op == "sync" {
				if <-release; syncs == 1 {
					syncs++
					return half, errCrash
				}
				syncs++
			}
			return all, nil
		}
		var mu sync.Mutex
		failed := map[string]bool{}
		var wait sync.WaitGroup
		add := func(name string) {
			wait.Go(func() {
				if _, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: name, At: noon}); err != nil {
					mu.Lock()
					defer mu.Unlock()
					failed[name] = errors.Is(err, errCrash)
				}
			})
		}
		add("a")
		synctest.Wait()
		add("b")
		add("c")
		synctest.Wait()
		release <- struct{}{} // a is written, and the sync of b and c is at its turn
		synctest.Wait()
		add("d")
		synctest.Wait()
		close(release)
		wait.Wait()
		require.Equal(t, map[string]bool{"b": true, "c": true}, failed)
		names := ""
		for _, r := range records(t, journal) {
			names += r.Rollout
		}
		require.Equal(t, "ad", names)
		require.NoError(t, rollout.Verify(journal.Records()))
	})
}

// TestContextOfAnAppend: over before, nothing is written; over while it is being
// written, it is, and the caller is told.
func TestContextOfAnAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMemoryDisk()
		journal := openOn(t, d)
		release := make(chan struct{})
		d.fault = func(op, _ string) (how, error) {
			if op == "sync" {
				<-release
			}
			return all, nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		first, second, third := make(chan error), make(chan error), make(chan error)
		add := func(answer chan error) {
			_, err := journal.Append(ctx, rollout.Record{Kind: rollout.KindBegun, At: noon})
			answer <- err
		}
		go add(first)
		synctest.Wait()
		go add(second)
		go func() {
			_, err := journal.Checkpoint(ctx, rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{}})
			third <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-third, context.Canceled) // it was not its turn yet
		close(release)
		require.NoError(t, <-first)
		require.NoError(t, <-second)
		go add(first)
		require.ErrorIs(t, <-first, context.Canceled)
		require.Len(t, records(t, journal), 2)
	})
}

// TestOneThatIsNoJSON: a record that cannot be written is refused alone.
func TestOneThatIsNoJSON(t *testing.T) {
	journal := openFile(t, t.TempDir())
	_, err := journal.Append(t.Context(), rollout.Record{At: noon.AddDate(20_000, 0, 0)})
	require.ErrorContains(t, err, "record 1 cannot be written as JSON")
	begun(t, journal, "a")
	require.NoError(t, rollout.Verify(journal.Records()))
}

// TestDiskThatHangs: what a disk does not do in time is refused, and is gone when the disk
// answers at last; until then everything else is refused at once.
func TestDiskThatHangs(t *testing.T) {
	add := func(name string) func(*rollout.FileJournal) error {
		return func(j *rollout.FileJournal) error {
			_, err := j.Append(context.Background(), rollout.Record{Kind: rollout.KindBegun, Rollout: name, At: noon})
			return err
		}
	}
	checkpoint := func(j *rollout.FileJournal) error {
		_, err := j.Checkpoint(context.Background(), rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{}, At: noon})
		return err
	}
	for _, tt := range []struct {
		name, at string // the operation that hangs
		do       func(*rollout.FileJournal) error
		most     time.Duration
	}{
		{"a record, before it is written", "stat", add("b"), 5 * time.Second},
		{"a record, as it is written", "write", add("b"), 5 * time.Second},
		{"a record, as it is synced", "sync", add("b"), 5 * time.Second},
		{"a checkpoint, as it is written", "write", checkpoint, 30 * time.Second},
		{"a checkpoint, as it takes its place", "rename", checkpoint, 30 * time.Second},
		{"a checkpoint, at its end", "lock", checkpoint, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newMemoryDisk()
				journal := openOn(t, d)
				begun(t, journal, "a")
				answers := make(chan struct{})
				d.failing(func(op, _ string) (how, error) {
					if op == tt.at {
						<-answers
					}
					return all, nil
				})
				start := time.Now()
				var waiting sync.WaitGroup
				waiting.Go(func() {
					if err := tt.do(journal); err == nil {
						t.Error("it is acknowledged")
					} else if took := time.Since(start); took != tt.most {
						t.Errorf("it was refused after %v: %v", took, err)
					}
				})
				synctest.Wait()
				waiting.Go(func() { // it waits for its turn, and not longer than others
					if err, took := add("c")(journal), time.Since(start); err == nil || took != 5*time.Second {
						t.Errorf("after %v: %v", took, err)
					}
				})
				waiting.Wait()
				start = time.Now()
				require.ErrorContains(t, add("d")(journal), "the disk does not answer")
				require.Zero(t, time.Since(start))
				close(answers)
				synctest.Wait()
				begun(t, journal, "e")
				names := ""
				for _, r := range records(t, journal) {
					names += r.Rollout
				}
				require.Equal(t, "ae", names)
				require.NoError(t, rollout.Verify(journal.Records()))
				require.NoError(t, journal.Close())
				d.die()
				require.Len(t, records(t, openOn(t, d)), 2)
			})
		})
	}
}
