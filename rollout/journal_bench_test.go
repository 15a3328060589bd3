package rollout_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// replayed is a journal of 20,000 records of real rollouts, on a disk.
func replayed(b *testing.B) (dir string, n int) {
	b.Helper()
	data, err := os.ReadFile("testdata/journal-v1/journal.jsonl")
	require.NoError(b, err)
	var life []rollout.Record
	for r, err := range rollout.ReadLines(bytes.NewReader(data)) {
		require.NoError(b, err)
		if !strings.HasPrefix(r.Rollout, "<") { // that one is made up
			life = append(life, r)
		}
	}
	memory := &rollout.Memory{}
	for n = 0; n < 20_000; n++ {
		r := life[n%len(life)]
		r.Rollout += fmt.Sprint(" ", n/len(life))
		_, err := memory.Append(b.Context(), r)
		require.NoError(b, err)
	}
	dir = b.TempDir()
	var text bytes.Buffer
	require.NoError(b, rollout.WriteLines(&text, memory.Records()))
	require.NoError(b, os.WriteFile(filepath.Join(dir, "journal.jsonl"), text.Bytes(), 0o600))
	return dir, n
}

// BenchmarkReplay reads and checks a journal; BenchmarkDecodeAndSum is the least that
// it could cost.
func BenchmarkReplay(b *testing.B) {
	dir, want := replayed(b)
	journal := openFile(b, dir)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range journal.Records() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != want {
			b.Fatalf("got %d records, want %d", n, want)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(want), "ns/record")
}

// BenchmarkNew makes an engine of the same journal.
func BenchmarkNew(b *testing.B) {
	dir, want := replayed(b)
	journal := openFile(b, dir)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rollout.New(journal, rollout.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(want), "ns/record")
}

// BenchmarkDecodeAndSum decodes the same records and sums the same bytes.
func BenchmarkDecodeAndSum(b *testing.B) {
	dir, want := replayed(b)
	data, err := os.ReadFile(filepath.Join(dir, "journal.jsonl"))
	require.NoError(b, err)
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	b.ReportAllocs()
	for b.Loop() {
		for _, line := range lines {
			var r rollout.Record
			if err := json.Unmarshal(line, &r); err != nil {
				b.Fatal(err)
			}
			sink = sha256.Sum256(line)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(want), "ns/record")
}

var sink [sha256.Size]byte

func BenchmarkAppend(b *testing.B) {
	r := rollout.Record{Kind: rollout.KindBegun, Rollout: "r", Reason: "shift from 0 % to 5 %", At: noon}
	for _, name := range []string{"memory", "file"} {
		open := func(b *testing.B) rollout.Journal {
			if name == "memory" {
				return &rollout.Memory{}
			}
			return openFile(b, b.TempDir())
		}
		b.Run(name, func(b *testing.B) {
			journal := open(b)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := journal.Append(b.Context(), r); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+" by 50 rollouts", func(b *testing.B) {
			journal := open(b)
			b.ReportAllocs()
			b.SetParallelism((50 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := journal.Append(b.Context(), r); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
