package health_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func TestErrorLimitValidate(t *testing.T) {
	require.NoError(t, health.ErrorLimit{Rate: 0.5}.Validate())
	for _, judge := range []health.ErrorLimit{{0, -1}, {0.51, 1}, {-0.1, 2}, {math.NaN(), math.NaN()}, {1, math.Inf(1)}} {
		err := judge.Validate()
		require.ErrorIs(t, err, health.ErrInvalid)
		require.ErrorContains(t, err, "rate is")
		require.ErrorContains(t, err, "alpha is")
		v, state := judge.Look(health.State("{}"), requests(90, 100, 0, 900))
		require.Equal(t, health.Verdict{Reason: err.Error()}, v)
		require.Equal(t, health.State("{}"), state)
	}
}

func TestErrorLimitLook(t *testing.T) {
	judge := health.ErrorLimit{Rate: 0.01, Alpha: 0.1}
	for _, tt := range []struct {
		name    string
		state   string
		sample  health.Sample
		call    health.Call
		missing health.Missing
		e       float64
		reason  string
	}{
		{"no data", "", requests(0, 0, 90, 100), health.Inconclusive, health.NoData, 1, "candidate has no requests yet, limit 1 %: evidence 1, threshold 10"},
		{"over", "", requests(20, 1000, 0, 0), health.Fail, health.Present, 14.635555, "candidate fails 2 % of 1,000 requests, limit 1 %: evidence 14.6, threshold 10 (a candidate that keeps to the limit is rolled back with probability at most 10 %, if requests are independent)"},
		{"at", "", requests(10, 1000, 0, 0), health.Inconclusive, health.Present, 0.198333, "candidate fails 1 % of 1,000 requests, limit 1 %: evidence 0.198, threshold 10"},
		{"under", "{", requests(0, 500, 0, 0), health.Inconclusive, health.Present, 0.061378, "candidate fails 0 % of 500 requests, limit 1 %: evidence 0.0614, threshold 10"},
		{"latched", `{"log_peak":3}`, requests(0, 500, 0, 0), health.Fail, health.Present, 0.061378, "candidate fails 0 % of 500 requests, limit 1 %: evidence reached 20.1 and is now 0.0614, threshold 10 (a candidate that keeps to the limit is rolled back with probability at most 10 %, if requests are independent)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, state := judge.Look(health.State(tt.state), tt.sample)
			require.Equal(t, tt.reason, v.Reason)
			require.Equal(t, tt.call, v.Call)
			require.Equal(t, tt.missing, v.Missing)
			require.InDelta(t, tt.e, v.Evidence(), 5e-7)
			again, _ := judge.Look(state, tt.sample)
			require.Equal(t, v, again)
		})
	}
}

// Two judges that share an alpha ask for more than one alone.
func TestWithAlpha(t *testing.T) {
	for _, judge := range []health.Bounded{health.Comparison{Margin: 1.1}, health.ErrorLimit{Rate: 0.01}} {
		half := judge.WithAlpha(0.025)
		require.NoError(t, half.Validate())
		v, _ := half.Look(nil, requests(3, 100, 9, 900))
		require.InDelta(t, math.Log(40), v.LogThreshold, 1e-12)
		v, _ = judge.Look(nil, requests(3, 100, 9, 900))
		require.InDelta(t, math.Log(20), v.LogThreshold, 1e-12)
		require.ErrorIs(t, judge.WithAlpha(2).Validate(), health.ErrInvalid)
	}
}

func TestThresholdValidate(t *testing.T) {
	for _, judge := range []health.Threshold{{ErrorRate: 0.01}, {P99: time.Second}, {ErrorRate: 0.9, P99: 1}} {
		require.NoError(t, judge.Validate())
	}
	require.ErrorContains(t, health.Threshold{}.Validate(), "no limit")
	for _, rate := range []float64{-1, 1, math.NaN(), math.Inf(1)} {
		judge := health.Threshold{ErrorRate: rate, P99: -1}
		err := judge.Validate()
		require.ErrorIs(t, err, health.ErrInvalid)
		require.ErrorContains(t, err, "error rate is")
		require.ErrorContains(t, err, "p99 is")
		v, _ := judge.Look(nil, requests(90, 100, 0, 900))
		require.Equal(t, health.Verdict{Reason: err.Error()}, v)
	}
}

func TestThresholdLook(t *testing.T) {
	slow := func(failures, all uint64, p99 time.Duration) health.Sample {
		s := requests(failures, all, 0, 0)
		s.Candidate.P99 = p99
		return s
	}
	errorRate, latency := health.Threshold{ErrorRate: 0.01, Pass: true}, health.Threshold{P99: 250 * time.Millisecond, Pass: true}
	both := health.Threshold{ErrorRate: 0.01, P99: 250 * time.Millisecond, Pass: true}
	for _, tt := range []struct {
		name    string
		judge   health.Threshold
		sample  health.Sample
		call    health.Call
		missing health.Missing
		reason  string
	}{
		{"no data", errorRate, requests(0, 0, 5, 100), health.Inconclusive, health.NoData, "candidate has no requests yet"},
		{"too few", errorRate, requests(99, 99, 0, 0), health.Inconclusive, health.TooFew, "candidate has 99 requests, a verdict takes 100"},
		{"enough for another minimum", health.Threshold{ErrorRate: 0.01, MinRequests: 99}, requests(99, 99, 0, 0), health.Fail, health.Present, "candidate fails 100 % of 99 requests (95 % interval 96.3 to 100 %), limit 1 %"},
		{"over", errorRate, requests(20, 500, 0, 0), health.Fail, health.Present, "candidate fails 4 % of 500 requests (95 % interval 2.6 to 6.1 %), limit 1 %"},
		{"too few failures", health.Threshold{ErrorRate: 0.0001}, requests(2, 200, 0, 0), health.Inconclusive, health.Present, "candidate fails 1 % of 200 requests (95 % interval 0.275 to 3.57 %), limit 0.01 %"},
		{"above the limit by chance", errorRate, requests(6, 500, 0, 0), health.Inconclusive, health.Present, "candidate fails 1.2 % of 500 requests (95 % interval 0.551 to 2.59 %), limit 1 %"},
		{"within", errorRate, requests(0, 381, 0, 0), health.Pass, health.Present, "candidate fails 0 % of 381 requests (95 % interval 0 to 0.998 %), limit 1 %"},
		{"not yet within", errorRate, requests(0, 380, 0, 0), health.Inconclusive, health.Present, "candidate fails 0 % of 380 requests (95 % interval 0 to 1 %), limit 1 %"},
		{"within, not asked", health.Threshold{ErrorRate: 0.01}, requests(0, 381, 0, 0), health.Inconclusive, health.Present, "candidate fails 0 % of 381 requests (95 % interval 0 to 0.998 %), limit 1 %"},
		{"slow", latency, slow(0, 500, 310*time.Millisecond), health.Fail, health.Present, "candidate has a p99 of 310ms, limit 250ms"},
		{"fast", latency, slow(0, 500, 250*time.Millisecond), health.Pass, health.Present, "candidate has a p99 of 250ms, limit 250ms"},
		{"no latencies", latency, slow(0, 500, 0), health.Inconclusive, health.NoData, "candidate has no p99"},
		{"fails fast", both, slow(400, 500, time.Millisecond), health.Fail, health.Present, "candidate fails 80.0 % of 500 requests (95 % interval 76.3 to 83.3 %), limit 1 %, and has a p99 of 1ms, limit 250ms"},
		{"fails, no latencies", both, slow(400, 500, 0), health.Fail, health.Present, "candidate fails 80.0 % of 500 requests (95 % interval 76.3 to 83.3 %), limit 1 %, and has no p99"},
		{"within, no latencies", both, slow(0, 500, 0), health.Inconclusive, health.NoData, "candidate fails 0 % of 500 requests (95 % interval 0 to 0.762 %), limit 1 %, and has no p99"},
		{"well but slow", both, slow(0, 500, time.Second), health.Fail, health.Present, "candidate fails 0 % of 500 requests (95 % interval 0 to 0.762 %), limit 1 %, and has a p99 of 1s, limit 250ms"},
		{"fast, not yet within", both, slow(0, 200, time.Millisecond), health.Inconclusive, health.Present, "candidate fails 0 % of 200 requests (95 % interval 0 to 1.88 %), limit 1 %, and has a p99 of 1ms, limit 250ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, state := tt.judge.Look(health.State(`"mine"`), tt.sample)
			require.Equal(t, health.Verdict{Call: tt.call, Missing: tt.missing, Reason: tt.reason}, v)
			require.Equal(t, `"mine"`, string(state))
		})
	}
}
