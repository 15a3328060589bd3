package rollout_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// reader is what somebody who follows has seen.
type reader struct {
	seqs []uint64
	err  error
	over bool
}

func follows(ctx context.Context, d rollout.Disk) *reader {
	r := &reader{}
	go func() {
		for record, err := range rollout.FollowOn(ctx, d, "/j") {
			if err != nil {
				r.err = err
			} else {
				r.seqs = append(r.seqs, record.Seq)
			}
		}
		r.over = true
	}()
	return r
}

// looks gives readers the time to look once.
func looks() { time.Sleep(200 * time.Millisecond); synctest.Wait() }

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMemoryDisk()
		ctx, cancel := context.WithCancel(t.Context())
		early := follows(ctx, d)
		looks()
		journal := openOn(t, d)
		looks()
		require.Empty(t, early.seqs)
		begun(t, journal, "a", "b")
		looks()
		require.Equal(t, []uint64{1, 2}, early.seqs)
		late := follows(ctx, d)
		mark(t, journal)
		looks()
		begun(t, journal, "c")
		mark(t, journal)
		mark(t, journal)
		begun(t, journal, "d")
		looks()
		require.Equal(t, []uint64{1, 2, 3, 4, 5, 6, 7}, early.seqs)
		require.Equal(t, early.seqs, late.seqs)
		require.NoError(t, d.Remove("/j/"+closed(1)))
		require.NoError(t, d.Remove("/j/"+closed(3)))
		after := follows(ctx, d)
		looks()
		require.Equal(t, []uint64{5, 6, 7}, after.seqs)
		cancel()
		synctest.Wait()
		for _, r := range []*reader{early, late, after} {
			require.NoError(t, r.err)
			require.True(t, r.over)
		}
	})
}

// TestFollowBetweenTwoFiles: the writer died between the two renames, and the next one
// makes an end of it later.
func TestFollowBetweenTwoFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMemoryDisk()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w := &writer{disk: d, dir: "/j", tries: 1}
		require.True(t, w.open() && w.add("a"))
		r := follows(ctx, d)
		looks()
		renames := 0
		d.failing(func(op, _ string) (how, error) {
			if op == "rename" {
				renames++
			}
			if renames == 2 && op != "list" && op != "open" && op != "read" && op != "stat" && op != "close" {
				return nothing, errCrash
			}
			return all, nil
		})
		require.False(t, w.checkpoint("b"))
		d.die()
		looks()
		require.NoError(t, r.err)
		require.Equal(t, []uint64{1}, r.seqs)
		begun(t, openOn(t, d), "c")
		looks()
		require.NoError(t, r.err)
		require.Equal(t, []uint64{1, 2, 3}, r.seqs)
	})
}

// TestFollowHalfARecord: it is never seen, in whatever pieces it comes.
func TestFollowHalfARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, last := written(t)
		d := newMemoryDisk()
		ctx, cancel := context.WithCancel(t.Context())
		r := follows(ctx, d)
		for n := 0; n <= len(data); n += 11 {
			d.put("/j/journal.jsonl", data[:n])
			looks()
			require.NoError(t, r.err)
			require.LessOrEqual(t, len(r.seqs), 3*n/last)
		}
		d.put("/j/journal.jsonl", data)
		looks()
		require.Equal(t, []uint64{1, 2, 3}, r.seqs)
		d.put("/j/journal.jsonl", append(data, "hello\n"...))
		looks()
		require.True(t, r.over)
		require.ErrorIs(t, r.err, rollout.ErrCorrupt)
		cancel()
	})
}

// TestFollowWhatIsTakenBack: a record that was seen and could not be finished.
func TestFollowWhatIsTakenBack(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		mark, more bool // it was a checkpoint; something comes in its place
	}{
		{"a record", "the writer took back what it could not finish", false, false},
		{"a record that another follows", "record 3 does not follow the record before it", false, true},
		{"a checkpoint", "there is none that begins with record 2", true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newMemoryDisk()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w := &writer{disk: d, dir: "/j", tries: 1}
				require.True(t, w.open() && w.add("a"))
				r := follows(ctx, d)
				looks()
				renames := 0
				d.failing(func(op, path string) (how, error) {
					if op == "rename" {
						renames++
					}
					if op == "sync" && (!tt.mark || renames == 2) {
						return all, errCrash
					}
					return all, nil
				})
				if tt.mark {
					require.False(t, w.checkpoint("b"))
				} else {
					require.False(t, w.add("b"))
				}
				d.failing(nil)
				looks()
				require.Equal(t, []uint64{1, 2}, r.seqs)
				if tt.more {
					require.True(t, w.add("c") && w.add("d") && w.add("e"))
				} else {
					require.NoError(t, w.journal.Close())
				}
				looks()
				require.True(t, r.over)
				require.ErrorContains(t, r.err, tt.want)
			})
		})
	}
}

// TestFollowAFolder is on a real disk, and on real time.
func TestFollowAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seqs := make(chan uint64)
	go func() {
		defer close(seqs)
		for r, err := range rollout.Follow(ctx, dir) {
			if err != nil {
				t.Error(err)
				return
			}
			seqs <- r.Seq
		}
	}()
	journal := openFile(t, dir)
	begun(t, journal, "a")
	require.Equal(t, uint64(1), <-seqs)
	mark(t, journal)
	require.Equal(t, uint64(2), <-seqs)
	require.NoError(t, os.Remove(filepath.Join(dir, closed(1))))
	begun(t, journal, "b")
	require.Equal(t, uint64(3), <-seqs)
	cancel()
	<-seqs
}

func TestFollowMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		ctx, cancel := context.WithCancel(t.Context())
		var seen [2]int
		for i := range seen {
			go func() {
				for r := range memory.Follow(ctx) {
					if seen[i]++; r.Seq != uint64(seen[i]) {
						t.Errorf("found record %d, want %d", r.Seq, seen[i])
					}
				}
				seen[i] = -seen[i]
			}()
		}
		begun(t, memory, "a", "b")
		synctest.Wait()
		require.Equal(t, [2]int{2, 2}, seen)
		begun(t, memory, "c")
		mark(t, memory)
		synctest.Wait()
		require.Equal(t, [2]int{4, 4}, seen)
		cancel()
		synctest.Wait()
		require.Equal(t, [2]int{-4, -4}, seen)
	})
}
