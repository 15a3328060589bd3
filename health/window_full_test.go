package health

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/histogram"
)

// Buckets are of 32 bits, which nobody can fill in a test by recording. When one is
// half full, its step goes on in another slot, and nothing is lost or counted twice.
func TestWindowBucketOverflow(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := NewWindow(WindowOptions{})
	w.Record(now, time.Second, Failure)
	first := w.newest.Load()
	const half = uint64(1) << 31
	at := histogram.Index(time.Second)
	for range 2 {
		w.newest.Load().latency[at].Add(uint32(half - 100))
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for range 50 {
					w.Record(now, time.Second, Failure)
				}
			})
		}
		writers.Wait()
	}
	require.Equal(t, 2*(half+100)+1, w.Snapshot(now).Requests())
	require.EqualValues(t, 2*200+1, w.Snapshot(now).failures)
	require.Less(t, first.latency[at].Load(), uint32(half)+100, "a full slot is left at once")

	// One who held the full slot when it was left counts as well.
	first.latency.Add(time.Second)
	require.Equal(t, 2*(half+100)+2, w.Snapshot(now).Requests())

	// All of it expires as one.
	w.Record(now.Add(time.Hour), time.Second, Success)
	require.EqualValues(t, 1, w.Snapshot(now.Add(time.Hour)).Requests())
}

// A slot whose maker is held up before it makes it the newest, and which has been
// left meanwhile, is left again.
func TestWindowLeftSlotStaysLeft(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := NewWindow(WindowOptions{})
	w.Record(now, time.Second, Success)
	old := w.newest.Load()
	left := w.slot(now.Add(6 * time.Second))
	w.newest.Store(old) // as if its maker had come to here only
	left.latency[histogram.Index(time.Second)].Store(1 << 31)
	w.goOn(left)
	w.advance(left)
	w.Record(now.Add(6*time.Second), time.Second, Success)
	w.Record(now.Add(6*time.Second), time.Second, Success)
	require.NotSame(t, left, w.newest.Load())
	require.Equal(t, uint64(1<<31+3), w.Snapshot(now.Add(6*time.Second)).Requests())
}
