package rollout_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

func openOn(t testing.TB, d rollout.Disk) *rollout.FileJournal {
	t.Helper()
	journal, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
	require.NoError(t, err)
	return journal
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	journal := openFile(t, dir)
	begun(t, journal, "a")
	second, err := rollout.OpenFile(dir)
	if err == nil {
		second.Close()
		t.Skip("this system has no flock")
	}
	require.ErrorIs(t, err, rollout.ErrLocked)
	mark(t, journal)
	_, err = rollout.OpenFile(dir)
	require.ErrorIs(t, err, rollout.ErrLocked)
	begun(t, journal, "b")
	require.NoError(t, journal.Close())
	_, err = journal.Append(t.Context(), rollout.Record{})
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, journal.Close(), os.ErrClosed)
	require.Len(t, records(t, journal), 3) // reading goes on
	openFile(t, dir)
}

// TestTheFirstReleaseWrites: it locks the journal itself, also one that began anew.
func TestTheFirstReleaseWrites(t *testing.T) {
	d := newMemoryDisk()
	journal := openOn(t, d)
	begun(t, journal, "a")
	mark(t, journal)
	old, err := d.Open("/j/journal.jsonl", os.O_RDWR)
	require.NoError(t, err)
	require.ErrorIs(t, old.Lock(), rollout.ErrLocked)
	require.NoError(t, journal.Close())
	require.NoError(t, old.Lock())
	_, err = rollout.OpenOn(d, "/j", rollout.FileOptions{})
	require.ErrorIs(t, err, rollout.ErrLocked)
	require.NoError(t, old.Close())
	openOn(t, d)
}

// TestTakenOver: where there are no locks, the next writer takes over, at any time.
func TestTakenOver(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, j *rollout.FileJournal) error
	}{
		{"append", func(t *testing.T, j *rollout.FileJournal) error {
			_, err := j.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, At: noon})
			return err
		}},
		{"checkpoint", func(t *testing.T, j *rollout.FileJournal) error {
			_, err := j.Checkpoint(t.Context(), rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{}, At: noon})
			return err
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// It happens before each operation of the first one, and the last time after all.
			for at := 1; ; at++ {
				d := newMemoryDisk()
				d.noLocks = true
				first := openOn(t, d)
				begun(t, first, "a")
				var second *rollout.FileJournal
				var there []rollout.Record
				n := 0
				d.fault = func(string, string) (how, error) {
					if n++; n == at {
						d.fault = nil
						second = openOn(t, d)
						there = records(t, second)
					}
					return all, nil
				}
				err := tt.do(t, first)
				d.fault = nil
				late := second == nil
				if late {
					require.NoError(t, err)
					second = openOn(t, d)
					there = records(t, second)
				} else if err == nil {
					require.Len(t, there, 2, "operation %d: acknowledged, and the next writer has not seen it", at)
				}
				require.ErrorIs(t, tt.do(t, first), rollout.ErrFenced, "operation %d", at)
				require.ErrorIs(t, tt.do(t, first), rollout.ErrFenced)
				if late {
					begun(t, second, "b")
					all := records(t, second)
					require.Equal(t, uint64(2), all[len(all)-1].Fence)
					require.NoError(t, rollout.Verify(second.Records()))
					return
				}
			}
		})
	}
}

// TestSomebodyElseWrites: more in the file than this writer left there is never
// overwritten, and less is damage.
func TestSomebodyElseWrites(t *testing.T) {
	for _, broken := range []bool{false, true} {
		for _, tt := range []struct {
			name   string
			change func(data []byte) []byte
			want   error
		}{
			{"more", func(data []byte) []byte { return append(data, make([]byte, 2000)...) }, rollout.ErrFenced},
			{"less", func(data []byte) []byte { return data[:100] }, rollout.ErrCorrupt},
		} {
			t.Run(fmt.Sprint(tt.name, " ", broken), func(t *testing.T) {
				d := newMemoryDisk()
				w := &writer{disk: d, dir: "/j", tries: 1}
				require.True(t, w.open() && w.add("a") && w.add("b"))
				if broken {
					d.fault = func(op, _ string) (how, error) {
						if op == "sync" {
							return half, errCrash
						}
						return all, nil
					}
					require.False(t, w.add("c"))
					d.fault = nil
				}
				before := d.raw("/j/journal.jsonl")
				changed := tt.change(slices.Clone(before))
				d.put("/j/journal.jsonl", changed)
				for range 2 {
					require.False(t, w.add("d"))
					require.ErrorIs(t, w.last, tt.want)
				}
				require.Equal(t, changed, d.raw("/j/journal.jsonl"))
				d.put("/j/journal.jsonl", before) // that does not heal it
				require.False(t, w.add("e"))
				require.ErrorIs(t, w.last, tt.want)
			})
		}
	}
}

// unsynced fails an append whose record is in the file all the same.
func unsynced(t *testing.T, w *writer, d *memoryDisk, name string) {
	t.Helper()
	d.fault = func(op, _ string) (how, error) {
		if op == "sync" {
			return all, errCrash
		}
		return all, nil
	}
	require.False(t, w.add(name))
	d.fault = nil
}

// TestARepairLooks: what was acknowledged is read before anything is repaired.
func TestARepairLooks(t *testing.T) {
	for name, change := range map[string]func(data []byte) []byte{
		"altered": func(data []byte) []byte { data[len(data)/2] ^= 1; return data },
		"another record": func(data []byte) []byte {
			lines := bytes.SplitAfter(data, []byte("\n"))
			lines[1] = resealed(lines[1], `"rollout":"b.0"`, `"rollout":"x.0"`)
			return bytes.Join(lines, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newMemoryDisk()
			w := &writer{disk: d, dir: "/j", tries: 1}
			require.True(t, w.open() && w.add("a") && w.add("b"))
			unsynced(t, w, d, "c")
			changed := change(d.raw("/j/journal.jsonl"))
			d.put("/j/journal.jsonl", changed)
			require.False(t, w.add("d"))
			require.ErrorIs(t, w.last, rollout.ErrCorrupt)
			require.Equal(t, changed, d.raw("/j/journal.jsonl"))
		})
	}
}

// TestTakenOverBeforeARepair: what the next writer has read is not taken back.
func TestTakenOverBeforeARepair(t *testing.T) {
	d := newMemoryDisk()
	d.noLocks = true
	w := &writer{disk: d, dir: "/j", tries: 1}
	require.True(t, w.open() && w.add("a"))
	unsynced(t, w, d, "b")
	second := openOn(t, d)
	require.Len(t, records(t, second), 2)
	require.False(t, w.add("c"))
	require.ErrorIs(t, w.last, rollout.ErrFenced)
	require.NoError(t, w.journal.Close())
	begun(t, second, "d")
	require.Len(t, records(t, second), 3)
	require.NoError(t, rollout.Verify(second.Records()))
}

// TestTheLock: a number never comes twice, whatever became of the lock.
func TestTheLock(t *testing.T) {
	fence := func(t *testing.T, j *rollout.FileJournal) uint64 {
		r, err := j.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, At: noon})
		require.NoError(t, err)
		return r.Fence
	}
	d := newMemoryDisk()
	require.Equal(t, uint64(1), fence(t, openOn(t, d)))
	d.crash(nothing)
	openOn(t, d) // writes nothing
	d.crash(nothing)
	require.Equal(t, uint64(3), fence(t, openOn(t, d)))
	for _, lock := range []string{"", "x", "00000000000000000001 X\n", "99999999999999999999 X\n"} {
		d.crash(nothing)
		d.put("/j/lock", []byte(lock))
		j := openOn(t, d)
		before := records(t, j)
		require.Equal(t, before[len(before)-1].Fence+1, fence(t, j), "lock %q", lock)
		require.NoError(t, rollout.Verify(j.Records()))
	}
}

// TestTheSameNumber: two that take the same number, at the same instant.
func TestTheSameNumber(t *testing.T) {
	d := newMemoryDisk()
	d.noLocks = true
	first := openOn(t, d)
	d.put("/j/lock", nil)
	openOn(t, d)
	_, err := first.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun})
	require.ErrorIs(t, err, rollout.ErrFenced)
}

// TestTheLockIsGone: without it nothing is appended, until it is back.
func TestTheLockIsGone(t *testing.T) {
	dir := t.TempDir()
	journal := openFile(t, dir)
	lock := filepath.Join(dir, "lock")
	data, err := os.ReadFile(lock)
	require.NoError(t, err)
	require.NoError(t, os.Rename(lock, lock+".away"))
	_, err = journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "the lock was taken away")
	require.NoError(t, os.WriteFile(lock, data, 0o600))
	begun(t, journal, "a")
	require.Len(t, records(t, journal), 1)
}

// TestAnOlderWriter: a record of a writer that was followed by another one.
func TestAnOlderWriter(t *testing.T) {
	d := newMemoryDisk()
	openOn(t, d)
	d.crash(nothing)
	begun(t, openOn(t, d), "a", "b")
	data := d.raw("/j/journal.jsonl")
	cut := bytes.IndexByte(data, '\n')
	d.crash(nothing)
	d.put("/j/journal.jsonl", append(data[:cut+1:cut+1], resealed(data[cut+1:], `"fence":2`, `"fence":1`)...))
	_, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
	require.ErrorIs(t, err, rollout.ErrCorrupt)
	require.ErrorContains(t, err, "record 2 is of writer 1, and the one before it of writer 2")
}
