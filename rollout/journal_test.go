package rollout_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// records collects a journal, or the first error.
func records(t testing.TB, journal rollout.Journal) []rollout.Record {
	t.Helper()
	var out []rollout.Record
	for r, err := range journal.Records() {
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

func openFile(t testing.TB, dir string) *rollout.FileJournal {
	t.Helper()
	journal, err := rollout.OpenFile(dir)
	require.NoError(t, err)
	t.Cleanup(func() { journal.Close() })
	return journal
}

// written returns the bytes of a journal of three records.
func written(t testing.TB) (data []byte, last int) {
	t.Helper()
	dir := t.TempDir()
	journal := openFile(t, dir)
	for i := range 3 {
		_, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: "r", Step: i, Reason: "because", At: noon})
		require.NoError(t, err)
	}
	require.NoError(t, journal.Close())
	data, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	require.NoError(t, err)
	return data, bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
}

func put(t testing.TB, data []byte) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "journal.jsonl")
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return dir, path
}

// TestTornTail cuts the last record at every byte, bare or with a tail of zeros:
// it is cut off, reported, and written anew.
func TestTornTail(t *testing.T) {
	data, last := written(t)
	for cut := last + 1; cut < len(data); cut += 7 {
		for _, zeros := range []int{0, 4096} {
			torn := append(bytes.Clone(data[:cut]), make([]byte, zeros)...)
			dir, path := put(t, torn)
			journal := openFile(t, dir)
			require.Equal(t, int64(len(torn)-last), journal.Torn())
			require.Len(t, records(t, journal), 2)
			r, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: "r", Step: 2, Reason: "because", At: noon})
			require.NoError(t, err)
			require.Equal(t, uint64(3), r.Seq)
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(data[:last]), string(now[:last]))
			require.NoError(t, journal.Close())
		}
	}
	dir, _ := put(t, data)
	require.Zero(t, openFile(t, dir).Torn())
}

// resealed changes a line and gives it the checksum that belongs to it.
func resealed(line []byte, before, after string) []byte {
	const field = `,"sum":"`
	body, _, _ := bytes.Cut(bytes.Replace(line, []byte(before), []byte(after), 1), []byte(field))
	return fmt.Appendf(bytes.Clone(body), "%s%x\"}\n", field, sha256.Sum256(body))
}

func TestDamageIsPlaced(t *testing.T) {
	data, last := written(t)
	first := bytes.IndexByte(data, '\n') + 1
	middle := data[first:last]
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"altered", bytes.Replace(data, []byte(`"step":1`), []byte(`"step":7`), 1), fmt.Sprintf("at byte %d: record 2 does not agree with its checksum", first)},
		{"removed", append(bytes.Clone(data[:first]), data[last:]...), fmt.Sprintf("at byte %d: found record 3, want 2", first)},
		{"repeated", append(bytes.Clone(data[:last]), middle...), fmt.Sprintf("at byte %d: found record 2, want 3", last)},
		{"of another journal", append(bytes.Clone(data[:first]), resealed(middle, `"prev":"`, `"prev":"0`)...), fmt.Sprintf("at byte %d: record 2 does not follow the record before it", first)},
		{"newer", append(bytes.Clone(data[:last]), resealed(data[last:], `"version":1`, `"version":2`)...), fmt.Sprintf("at byte %d: unknown version: record 3 has version 2, want 1: open the journal with the release of this package that wrote it, or a newer one", last)},
		{"not JSON", append(bytes.Clone(data), "hello\n"...), fmt.Sprintf("at byte %d: record 4 does not end in a checksum", len(data))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := put(t, tt.data)
			_, err := rollout.OpenFile(dir)
			want := rollout.ErrCorrupt
			if tt.name == "newer" {
				want = rollout.ErrVersion
			}
			require.ErrorIs(t, err, want)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestEveryBit flips every bit of a journal: it is refused, unless it is of the
// last line's end, which makes that line incomplete.
func TestEveryBit(t *testing.T) {
	data, last := written(t)
	for i := range data {
		for bit := range 8 {
			altered := bytes.Clone(data)
			altered[i] ^= 1 << bit
			d := newMemoryDisk()
			d.put("/j/journal.jsonl", altered)
			journal, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
			if i == len(data)-1 {
				require.NoError(t, err)
				require.Equal(t, int64(len(data)-last), journal.Torn())
				continue
			}
			if !errors.Is(err, rollout.ErrCorrupt) {
				t.Fatalf("byte %d, bit %d: got %v, want %v", i, bit, err, rollout.ErrCorrupt)
			}
			require.Equal(t, altered, d.raw("/j/journal.jsonl"))
		}
	}
}

// FuzzOpenFile is on a disk in memory, since a real one would be slow to sync.
func FuzzOpenFile(f *testing.F) {
	data, last := written(f)
	f.Add(data)
	f.Add(data[:last+9])
	f.Add([]byte("{}\n"))
	f.Add(make([]byte, 70))
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newMemoryDisk()
		d.put("/j/journal.jsonl", data)
		journal, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
		if err != nil {
			require.True(t, bytes.Equal(data, d.raw("/j/journal.jsonl")), "a refused journal was changed")
			return
		}
		n := len(records(t, journal))
		_, err = journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun})
		require.NoError(t, err)
		require.NoError(t, journal.Close())
		again, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
		require.NoError(t, err)
		require.Zero(t, again.Torn())
		require.Len(t, records(t, again), n+1)
		require.NoError(t, rollout.Verify(again.Records()))
	})
}
