package rollout_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
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

func TestJournals(t *testing.T) {
	journals := map[string]func(t *testing.T) rollout.Journal{
		"memory": func(*testing.T) rollout.Journal { return &rollout.Memory{} },
		"file":   func(t *testing.T) rollout.Journal { return openFile(t, t.TempDir()) },
	}
	for name, open := range journals {
		t.Run(name+" chains what is appended", func(t *testing.T) {
			journal := open(t)
			require.Empty(t, records(t, journal))
			var want []rollout.Record
			for i := range 5 {
				r, err := journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: "<é&\n>", Step: i, At: noon})
				require.NoError(t, err)
				want = append(want, r)
			}
			got := records(t, journal)
			require.Equal(t, want, got)
			for i, r := range got {
				require.Equal(t, uint64(i+1), r.Seq)
				require.Len(t, r.Sum, 64)
				if i > 0 {
					require.Equal(t, got[i-1].Sum, r.Prev)
				}
			}
		})
		t.Run(name+" takes writers at once", func(t *testing.T) {
			journal := open(t)
			var wait sync.WaitGroup
			for w := range 8 {
				wait.Go(func() {
					for range 5 {
						if _, err := journal.Append(t.Context(), rollout.Record{Rollout: fmt.Sprint(w)}); err != nil {
							t.Error(err)
						}
						for _, err := range journal.Records() {
							if err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			wait.Wait()
			require.Len(t, records(t, journal), 40)
		})
		t.Run(name+" writes nothing for a context that ended", func(t *testing.T) {
			journal := open(t)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := journal.Append(ctx, rollout.Record{})
			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, records(t, journal))
		})
	}
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
			require.Equal(t, data, now)
			require.NoError(t, journal.Close())
		}
	}
	dir, _ := put(t, data)
	require.Zero(t, openFile(t, dir).Torn())
}

// TestAlteredRecord changes every byte before the last newline, in turn: it is
// refused with its place, and nothing is overwritten.
func TestAlteredRecord(t *testing.T) {
	data, _ := written(t)
	for i := range len(data) - 1 {
		altered := bytes.Clone(data)
		altered[i] ^= 0x01
		dir, path := put(t, altered)
		_, err := rollout.OpenFile(dir)
		if !errors.Is(err, rollout.ErrCorrupt) {
			t.Fatalf("byte %d: got %v, want %v", i, err, rollout.ErrCorrupt)
		}
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, altered, now)
	}
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
		{"newer", append(bytes.Clone(data[:last]), resealed(data[last:], `"version":1`, `"version":2`)...), fmt.Sprintf("at byte %d: record 3 has version 2, want 1: it was written by another version of this package", last)},
		{"not JSON", append(bytes.Clone(data), "hello\n"...), fmt.Sprintf("at byte %d: record 4 does not end in a checksum", len(data))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, _ := put(t, tt.data)
			_, err := rollout.OpenFile(dir)
			require.ErrorIs(t, err, rollout.ErrCorrupt)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestOneWriter(t *testing.T) {
	dir := t.TempDir()
	journal := openFile(t, dir)
	second, err := rollout.OpenFile(dir)
	if err == nil {
		second.Close()
		t.Skip("this system has no flock")
	}
	require.ErrorIs(t, err, rollout.ErrLocked)
	require.NoError(t, journal.Close())
	_, err = journal.Append(t.Context(), rollout.Record{})
	require.ErrorIs(t, err, os.ErrClosed)
	openFile(t, dir)
}

func FuzzOpenFile(f *testing.F) {
	data, last := written(f)
	f.Add(data)
	f.Add(data[:last+9])
	f.Add([]byte("{}\n"))
	f.Add(make([]byte, 70))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, path := put(t, data)
		journal, err := rollout.OpenFile(dir)
		if err != nil {
			now, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, now), "a refused journal was changed")
			return
		}
		n := len(records(t, journal))
		_, err = journal.Append(t.Context(), rollout.Record{Kind: rollout.KindBegun})
		require.NoError(t, err)
		require.NoError(t, journal.Close())
		again := openFile(t, dir)
		require.Zero(t, again.Torn())
		require.Len(t, records(t, again), n+1)
	})
}

func BenchmarkAppend(b *testing.B) {
	for _, name := range []string{"memory", "file"} {
		b.Run(name, func(b *testing.B) {
			var journal rollout.Journal = &rollout.Memory{}
			if name == "file" {
				journal = openFile(b, b.TempDir())
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := journal.Append(b.Context(), rollout.Record{Kind: rollout.KindBegun, Rollout: "r"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
