package bench

import (
	"encoding/json"
	"runtime"
	"sync"
	"testing"

	"github.com/guidon-go/guidon/flag"
)

// bigCount is how many S3 flags are compiled, and how many share the memory that is
// measured.
const bigCount = 10_000

// BenchmarkCompile makes a store of a document of about 5 MB, against the least
// that anybody does who reads JSON without knowing its shape.
func BenchmarkCompile(b *testing.B) {
	document := bigDocument()
	b.Run("guidon", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for range b.N {
			loadGuidon(document, flag.Options{})
		}
	})
	b.Run("json-any", func(b *testing.B) {
		b.SetBytes(int64(len(document)))
		b.ReportAllocs()
		for range b.N {
			var v any
			must(json.Unmarshal(document, &v))
		}
	})
}

// BenchmarkMemory is the live heap of a loaded S3 flag, where 10 000 are loaded.
// What counts is B/flag.
func BenchmarkMemory(b *testing.B) {
	flags := manyRuled(bigCount)
	document := bigDocument()
	for _, system := range []struct {
		name string
		load func() any
	}{
		{"guidon", func() any { return loadGuidon(document, flag.Options{NoCounts: true}) }},
		{"guidon-counted", func() any { return loadGuidon(document, flag.Options{}) }},
		{"launchdarkly", func() any { client, _ := loadLaunchDarkly(flags); return client }},
		{"growthbook", func() any { return loadGrowthBook(flags) }},
		{"statsig", func() any { return loadStatsig(flags) }},
	} {
		b.Run(system.name, func(b *testing.B) {
			var bytes float64
			for range b.N {
				before := liveHeap()
				loaded := system.load()
				bytes += liveHeap() - before
				runtime.KeepAlive(loaded)
			}
			b.ReportMetric(bytes/float64(b.N)/bigCount, "B/flag")
		})
	}
}

func TestBigDocument(t *testing.T) {
	if got := len(bigDocument()); got < 4_500_000 || got > 5_500_000 {
		t.Errorf("%d bytes, want about five million", got)
	}
}

var bigDocument = sync.OnceValue(func() []byte { return guidonDocument(manyRuled(bigCount)) })

// liveHeap is what is reachable. What a finaliser frees takes a second collection.
func liveHeap() float64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}
