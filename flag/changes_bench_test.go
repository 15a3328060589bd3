package flag_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// manyFlags is a document with a number of flags "many-0", "many-1", ...
func manyFlags(n int) string {
	flags := make([]string, n)
	for i := range flags {
		flags[i] = fmt.Sprintf(`"many-%d": {"rules": [{"if": {"attr": "country", "in": ["SE", "NO"]}, "serve": "on"}], "ramp": {"percent": 50}}`, i)
	}
	return `{"flags": {` + strings.Join(flags, ", ") + `}}`
}

// BenchmarkReadersUnderChanges measures what 1,000 changes a second in a document of
// 10,000 flags cost two goroutines that do nothing but evaluate: what is left of their
// throughput, in the median of pairs of moments with and without changes.
func BenchmarkReadersUnderChanges(b *testing.B) {
	const perSecond, moment = 1000, 100 * time.Millisecond
	store := flag.New(flag.Bytes([]byte(manyFlags(10_000))), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(b, store.Load(b.Context()))
	refs := make([]flag.Switch, 64)
	for i := range refs {
		refs[i] = flag.Bool(fmt.Sprintf("many-%d", i*150), false)
	}
	require.NoError(b, store.Load(b.Context()), "with their places")
	change := func(i int) {
		key, err := refs[i%len(refs)].Key(), error(nil)
		switch i / len(refs) % 3 {
		case 0:
			err = store.SetRamp(key, flag.Ramp{Share: flag.Share(i % 1000)}, me)
		case 1:
			err = store.Kill(key, me)
		default:
			err = store.Revive(key, me)
		}
		if err != nil {
			b.Error(err)
		}
	}
	read := func(changes int) float64 {
		var over atomic.Bool
		var total atomic.Uint64
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() {
				subject, n := flag.For("user-1", country.Is("DK")), 0
				for !over.Load() {
					for i := range refs {
						refs[i].Value(store, &subject)
					}
					n += len(refs)
				}
				total.Add(uint64(n))
			})
		}
		begin := time.Now()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for done := 0; time.Since(begin) < moment; <-tick.C {
			for due := int(time.Since(begin) * time.Duration(changes) / time.Second); done < due; done++ {
				change(done)
			}
		}
		over.Store(true)
		took := time.Since(begin)
		wait.Wait()
		return float64(total.Load()) / took.Seconds()
	}
	var kept []float64
	for b.Loop() {
		with, without := read(perSecond), read(0)
		kept = append(kept, 100*with/without)
	}
	slices.Sort(kept)
	b.ReportMetric(kept[len(kept)/2], "%kept")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkChange is one change in a document of 10,000 flags.
func BenchmarkChange(b *testing.B) {
	store := flag.New(flag.Bytes([]byte(manyFlags(10_000))), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(b, store.Load(b.Context()))
	b.ReportAllocs()
	share := flag.Share(0)
	for b.Loop() {
		share = (share + 1) % flag.All
		if err := store.SetRamp("many-5000", flag.Ramp{Share: share}, me); err != nil {
			b.Fatal(err)
		}
	}
}
