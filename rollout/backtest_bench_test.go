package rollout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// BenchmarkBacktest of 9 and of 90 days with 111 guarded rollouts a day, of which every
// tenth is bad: how much faster than real time, and what is live at the most. As text,
// each record is read from its JSON, as from a file.
func BenchmarkBacktest(b *testing.B) {
	const daily = 111
	good, bad := quickly(b, 0), quickly(b, 0.5)
	recorded := [][]rollout.Record{good, good, good, good, good, good, good, good, good, bad}
	for _, judge := range []struct {
		name string
		health.Judge
	}{{"limit", health.ErrorLimit{Rate: 0.01}}, {"first-failure", health.FirstFailure{}}, {"default", health.DefaultJudge(time.Hour, health.Errors)}} {
		for _, days := range []int{9, 90} {
			for _, text := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/days=%d/text=%v", judge.name, days, text), func(b *testing.B) {
					if days > 9 && testing.Short() {
						b.Skip("90 days take long")
					}
					var most uint64
					n := 0
					for b.Loop() {
						records := again(days, daily, recorded...)
						if text {
							records = asText(days, daily, recorded...)
						}
						read := 0
						report := backtest(b, func(yield func(rollout.Record, error) bool) {
							for r, err := range records {
								if read++; read%100_000 == 0 {
									most = max(most, heap())
								}
								if !yield(r, err) {
									return
								}
							}
						}, rollout.Policy{Judge: judge})
						require.Equal(b, daily*days, report.Rollouts)
						n += read
					}
					took := b.Elapsed().Seconds() / float64(b.N)
					b.ReportMetric(float64(days)*86400/took, "times-real-time")
					b.ReportMetric(float64(days)/took, "days/s")
					b.ReportMetric(float64(n)/float64(b.N)/float64(daily*days), "records/rollout")
					b.ReportMetric(float64(most)/1e6, "MB-live")
				})
			}
		}
	}
}

// asText is again with each record read from its text.
func asText(days, daily int, recorded ...[]rollout.Record) iter.Seq2[rollout.Record, error] {
	texts := make([][][]byte, len(recorded))
	for i, all := range recorded {
		for _, r := range all {
			text, err := json.Marshal(r)
			if err != nil {
				panic(err)
			}
			texts[i] = append(texts[i], text)
		}
	}
	return func(yield func(rollout.Record, error) bool) {
		for i := range days * daily {
			one := make([]rollout.Record, len(texts[i%len(texts)]))
			for j, text := range texts[i%len(texts)] {
				if err := json.Unmarshal(text, &one[j]); err != nil {
					yield(rollout.Record{}, err)
					return
				}
			}
			for r, err := range again(1, 1, one) {
				r.Rollout = fmt.Sprint(r.Rollout, " ", i)
				if !yield(r, err) {
					return
				}
			}
		}
	}
}

// quickly is a guarded rollout on live traffic whose holds take no time.
func quickly(b *testing.B, failing float64) []rollout.Record {
	b.Helper()
	memory, store := &rollout.Memory{}, pages(b)
	guard, err := engineOn(b, memory).Guard(store, rollout.Guarded{Flag: newPage, ID: fmt.Sprint("failing ", failing), Hold: 30 * time.Millisecond, Look: time.Millisecond})
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	s, done := newSite(guard, store, failing), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ctx.Err() == nil; n++ {
			s.visit(fmt.Sprint("user-", n%5000), "")
		}
	}()
	_, err = guard.Run(ctx)
	cancel()
	<-done
	require.NoError(b, err)
	return records(b, memory)
}
