package rollout_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

func mark(t testing.TB, journal rollout.Checkpointer) rollout.Record {
	t.Helper()
	r, err := journal.Checkpoint(t.Context(), rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{}, At: noon})
	require.NoError(t, err)
	return r
}

func begun(t testing.TB, journal rollout.Journal, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: name, At: noon})
		require.NoError(t, err)
	}
}

func numbers(t testing.TB, all []rollout.Record) (seqs []uint64) {
	t.Helper()
	for _, r := range all {
		seqs = append(seqs, r.Seq)
	}
	return seqs
}

func recent(t testing.TB, journal rollout.Checkpointer) []uint64 {
	t.Helper()
	var all []rollout.Record
	for r, err := range journal.Recent() {
		require.NoError(t, err)
		all = append(all, r)
	}
	return numbers(t, all)
}

func closed(first int) string { return fmt.Sprintf("journal-%020d.jsonl", first) }

// segments is a journal of records 1 and 2, 3 and 4, 5 and 6.
func segments(t testing.TB) (dir string, journal *rollout.FileJournal) {
	t.Helper()
	dir = t.TempDir()
	journal = openFile(t, dir)
	begun(t, journal, "a", "b")
	mark(t, journal)
	begun(t, journal, "c")
	mark(t, journal)
	begun(t, journal, "d")
	return dir, journal
}

func TestSegments(t *testing.T) {
	dir, journal := segments(t)
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, numbers(t, records(t, journal)))
	require.Equal(t, []uint64{5, 6}, recent(t, journal))
	require.NoError(t, journal.Close())
	journal = openFile(t, dir)
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, numbers(t, records(t, journal)))
	require.Equal(t, []uint64{5, 6}, recent(t, journal))

	// The oldest can be moved away, while it is open, too.
	require.NoError(t, os.Remove(filepath.Join(dir, closed(1))))
	require.Equal(t, []uint64{3, 4, 5, 6}, numbers(t, records(t, journal)))
	require.NoError(t, rollout.Verify(journal.Records()))
	require.NoError(t, os.Remove(filepath.Join(dir, closed(3))))
	require.NoError(t, journal.Close())
	journal = openFile(t, dir)
	begun(t, journal, "e")
	require.Equal(t, []uint64{5, 6, 7}, numbers(t, records(t, journal)))
	require.NoError(t, rollout.Verify(journal.Records()))
}

// TestReadingWhileASegmentBegins: what was there when reading began is read to its
// end, whatever it is called by then.
func TestReadingWhileASegmentBegins(t *testing.T) {
	_, journal := segments(t)
	var seqs []uint64
	for r, err := range journal.Records() {
		require.NoError(t, err)
		seqs = append(seqs, r.Seq)
		begun(t, journal, "more")
		mark(t, journal)
	}
	require.Equal(t, []uint64{1, 2, 3, 4, 5, 6}, seqs)
}

// TestARenameWhileAFileIsOpened: between two tries to find it, it gets its other name.
func TestARenameWhileAFileIsOpened(t *testing.T) {
	d := newMemoryDisk()
	journal := openOn(t, d)
	begun(t, journal, "a", "b")
	d.fault = func(op, path string) (how, error) {
		if op == "open" && path == "/j/journal.jsonl" {
			d.fault = nil
			mark(t, journal)
		}
		return all, nil
	}
	require.Equal(t, []uint64{1, 2}, numbers(t, records(t, journal)))
}

// TestInTheWay: a file with the name that the segment would get is not overwritten.
func TestInTheWay(t *testing.T) {
	d := newMemoryDisk()
	journal := openOn(t, d)
	begun(t, journal, "a")
	d.put("/j/"+closed(1), []byte("mine"))
	_, err := journal.Checkpoint(t.Context(), rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{}})
	require.ErrorContains(t, err, closed(1)+" is in the way")
	require.Equal(t, "mine", string(d.raw("/j/"+closed(1))))
	require.NoError(t, d.Remove("/j/"+closed(1)))
	begun(t, journal, "b")
	mark(t, journal)
	require.Equal(t, []uint64{1, 2, 3}, numbers(t, records(t, journal)))
}

func TestDamagedSegments(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, dir string)
		opens  bool
		want   string
	}{
		{"a missing one between", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, closed(3))))
		}, true, "journal.jsonl: corrupt journal: at byte 0: found record 5, want 3"},
		{"an older one that is altered", func(t *testing.T, dir string) {
			alter(t, filepath.Join(dir, closed(3)), `"rollout":"c"`, `"rollout":"x"`)
		}, true, closed(3) + ": corrupt journal: at byte "},
		{"an older one that is cut off", func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, closed(3)))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, closed(3)), data[:len(data)-1], 0o600))
		}, true, "an incomplete record"},
		{"no newest", func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "journal.jsonl")))
		}, false, "it is missing, and "},
		{"an empty newest", func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "journal.jsonl"), 3))
		}, false, "it has no record, and "},
		{"an older newest", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, closed(1)), filepath.Join(dir, "journal.jsonl")))
		}, false, "it begins with record 1, and "},
		{"a next that does not follow", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, "journal.jsonl"), filepath.Join(dir, "journal.jsonl.next")))
			require.NoError(t, os.Remove(filepath.Join(dir, closed(3))))
		}, false, "journal.jsonl.next: corrupt journal: at byte 0: found record 5, want 3"},
		{"a next that is more", func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, "journal.jsonl"), filepath.Join(dir, "journal.jsonl.next")))
		}, false, "journal.jsonl.next is not a checkpoint"},
		{"a beginning without a checkpoint", func(t *testing.T, dir string) {
			data, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
			require.NoError(t, err)
			_, data, _ = bytes.Cut(data, []byte("\n"))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "journal.jsonl"), data, 0o600))
		}, false, "at byte 0: found record 6, want 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir, journal := segments(t)
			require.NoError(t, journal.Close())
			tt.damage(t, dir)
			before := contents(t, dir)
			journal, err := rollout.OpenFile(dir)
			if tt.opens {
				require.NoError(t, err)
				defer journal.Close()
				for _, e := range journal.Records() {
					err = e
				}
			}
			require.ErrorIs(t, err, rollout.ErrCorrupt)
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, before, contents(t, dir))
		})
	}
}

func alter(t testing.TB, path, before, after string) {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), before)
	require.NoError(t, os.WriteFile(path, bytes.Replace(data, []byte(before), []byte(after), 1), 0o600))
}

// contents are the files of a folder, without the lock.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		if e.Name() != "lock" {
			files[e.Name()] = string(data)
		}
	}
	return files
}

// TestFull: a journal is full after so many bytes since the checkpoint, and after a
// large checkpoint later, so that checkpoints are never most of what is written.
func TestFull(t *testing.T) {
	journal, err := rollout.FileOptions{SegmentSize: 1000}.Open(t.TempDir())
	require.NoError(t, err)
	defer journal.Close()
	fill := func() (n int) {
		for ; !journal.Full(); n++ {
			begun(t, journal, "a")
		}
		return n
	}
	small := fill()
	require.InDelta(t, 1000/250, small, 1)
	mark(t, journal)
	require.Equal(t, small, fill())
	var live []rollout.Record
	for range 100 {
		live = append(live, rollout.Record{Kind: rollout.KindBegun, At: noon})
	}
	_, err = journal.Checkpoint(t.Context(), rollout.Record{Kind: rollout.KindCheckpoint, Checkpoint: &rollout.Checkpoint{Live: live}, At: noon})
	require.NoError(t, err)
	require.Greater(t, fill(), 10*small)

	memory := &rollout.Memory{CheckpointEvery: 2}
	for range 3 {
		require.False(t, memory.Full())
		begun(t, memory, "a", "b")
		require.True(t, memory.Full())
		mark(t, memory)
	}
	require.Equal(t, []uint64{9}, recent(t, memory))
	_, err = rollout.FileOptions{SegmentSize: -1}.Open(t.TempDir())
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.ErrorContains(t, err, "segment size: found -1, want bytes, or 0 for 64 MiB")
}

// TestTheFirstRelease: a journal that the first release wrote is read, word for word,
// and goes on.
func TestTheFirstRelease(t *testing.T) {
	data, err := os.ReadFile("testdata/journal-v1/journal.jsonl")
	require.NoError(t, err)
	dir, path := put(t, data)
	journal := openFile(t, dir)
	require.Zero(t, journal.Torn())
	require.Len(t, records(t, journal), 38)
	require.NoError(t, rollout.Verify(journal.Records()))
	var again bytes.Buffer
	require.NoError(t, rollout.WriteLines(&again, journal.Records()))
	require.Equal(t, string(data), again.String())
	begun(t, journal, "more")
	mark(t, journal)
	all := records(t, journal)
	require.Len(t, all, 40)
	require.Zero(t, all[37].Fence)
	require.Equal(t, uint64(1), all[38].Fence)
	require.NoError(t, rollout.Verify(journal.Records()))
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(now), `"checkpoint":{}`)
}
