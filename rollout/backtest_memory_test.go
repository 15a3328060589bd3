package rollout_test

import (
	"fmt"
	"iter"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// again yields recorded rollouts again and again, so many a day, each under an ID and at
// a time of its own.
func again(days, daily int, recorded ...[]rollout.Record) iter.Seq2[rollout.Record, error] {
	return func(yield func(rollout.Record, error) bool) {
		for i := range days * daily {
			all := recorded[i%len(recorded)]
			by := noon.Add(time.Duration(i) * 24 * time.Hour / time.Duration(daily)).Sub(all[0].At)
			for _, r := range all {
				r.Rollout, r.At = fmt.Sprint(r.Rollout, " ", i), r.At.Add(by)
				if !r.Until.IsZero() {
					r.Until = r.Until.Add(by)
				}
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// TestBacktestMemory: what a backtest of 90 days keeps is no more than what one of 10
// days does, also if every rollout differs.
func TestBacktestMemory(t *testing.T) {
	noRace(t)
	var recorded [][]rollout.Record
	synctest.Test(t, func(t *testing.T) {
		for _, failing := range []float64{0, 0.3} {
			memory := &rollout.Memory{}
			guarded(t, memory, rollout.Guarded{Flag: newPage, Ladder: []flag.Share{50 * flag.Percent, flag.All}, Hold: 20 * time.Second}, failing, time.Hour)
			recorded = append(recorded, records(t, memory))
		}
	})
	const daily = 111
	n := 0 // records of both
	for _, all := range recorded {
		n += len(all)
	}
	for _, policy := range []rollout.Policy{{Judge: health.ErrorLimit{Rate: 0.01}}, {Judge: limit(0)}} {
		held := func(days int) (most uint64) {
			read := 0
			report := backtest(t, func(yield func(rollout.Record, error) bool) {
				for r, err := range again(days, daily, recorded...) {
					if read++; read%(n*daily/2*days/3-1) == 0 { // in the middle of a rollout, here and there
						most = max(most, heap())
					}
					if !yield(r, err) {
						return
					}
				}
			}, policy)
			require.Equal(t, daily*days, report.Rollouts)
			require.LessOrEqual(t, len(report.Differ), 1000)
			require.Equal(t, report.Rollouts-report.Same, len(report.Differ)+report.Older)
			return most
		}
		few := held(10)
		require.Positive(t, few)
		require.Less(t, held(90), few+few/4+2<<20)
	}
}

// heap is what is live after a collection.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
