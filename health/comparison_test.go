package health_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// requests is a sample of nothing but totals: failures of requests, on both sides.
func requests(xc, nc, xb, nb uint64) health.Sample {
	return health.Sample{
		Candidate: health.Side{Successes: nc - xc, Failures: xc},
		Baseline:  health.Side{Successes: nb - xb, Failures: xb},
	}
}

func TestComparisonValidate(t *testing.T) {
	for _, judge := range []health.Comparison{{}, {Alpha: 0.001, Margin: 1.5, PassRatio: 2, Beta: 0.2}, {Margin: 100, PassRatio: 1.01}} {
		require.NoError(t, judge.Validate())
	}
	nan := math.NaN()
	for _, judge := range []health.Comparison{{1, 0.9, 1, -1}, {nan, nan, nan, nan}, {-1, 101, 101, 1}, {math.Inf(1), -1, -2, 5}} {
		err := judge.Validate()
		require.ErrorIs(t, err, health.ErrInvalid)
		for _, field := range []string{"alpha is", "margin is", "pass ratio is", "beta is"} {
			require.ErrorContains(t, err, field)
		}
		v, state := judge.Look(health.State("{}"), requests(90, 100, 0, 900))
		require.Equal(t, health.Verdict{Reason: err.Error()}, v)
		require.Equal(t, health.State("{}"), state)
	}
}

// The published vectors, by looks at growing totals.
func TestComparisonLook(t *testing.T) {
	for _, tt := range []struct {
		name    string
		judge   health.Comparison
		samples []health.Sample
		call    health.Call
		e       float64
		missing health.Missing
		reason  string
	}{
		{
			name: "no data", samples: []health.Sample{{}}, e: 1, missing: health.NoData,
			reason: "candidate has no requests yet, baseline has none: evidence 1, threshold 20",
		},
		{
			name: "one side", samples: []health.Sample{requests(30, 50, 0, 0)}, e: 1, missing: health.NoData,
			reason: "candidate fails 60.0 % of 50 requests, baseline has none: evidence 1, threshold 20",
		},
		{
			name: "A", samples: []health.Sample{requests(2, 100, 9, 900), requests(5, 200, 17, 1800), requests(9, 300, 27, 2700)}, e: 11.380701,
			reason: "candidate fails 3 % of 300 requests, baseline 1 % of 2,700: evidence 11.4, threshold 20",
		},
		{
			name: "B", samples: []health.Sample{requests(5, 100, 9, 900), requests(10, 200, 18, 1800), requests(15, 300, 27, 2700)}, e: 6410.646488, call: health.Fail,
			reason: "candidate fails 5 % of 300 requests, baseline 1 % of 2,700: evidence 6,411, threshold 20 (a harmless change is rolled back with probability at most 5 %, if requests are independent)",
		},
		{
			name: "D", judge: health.Comparison{Alpha: 0.01}, samples: []health.Sample{requests(1, 10, 0, 90), requests(3, 30, 1, 170), requests(8, 80, 2, 220)}, e: 37.539269,
			reason: "candidate fails 10.0 % of 80 requests, baseline 0.91 % of 220: evidence 37.5, threshold 100",
		},
		{
			name: "margin", judge: health.Comparison{Margin: 1.2}, samples: []health.Sample{requests(50, 1000, 90, 9000)}, e: 161989436995.381, call: health.Fail,
			reason: "candidate fails 5 % of 1,000 requests, baseline 1 % of 9,000: evidence over a million, threshold 20 (a change that makes the odds of failing up to 1.2 times as high is rolled back with probability at most 5 %, if requests are independent)",
		},
		{
			name: "passes", judge: health.Comparison{PassRatio: 2}, samples: []health.Sample{requests(20, 1000, 180, 9000)}, e: 125.2549339952, call: health.Pass,
			reason: "candidate fails 2 % of 1,000 requests, baseline 2 % of 9,000: evidence 0.139, threshold 20; of no harm 125, threshold 20 (a change that makes the odds of failing 2 times as high or higher passes with probability at most 5 %, if requests are independent)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v health.Verdict
			var state health.State
			for _, sample := range tt.samples {
				given := string(state)
				again, _ := tt.judge.Look(state, sample)
				var next health.State
				v, next = tt.judge.Look(state, sample)
				require.Equal(t, again, v, "not pure")
				require.Equal(t, given, string(state), "the state given was written to")
				require.True(t, json.Valid(next))
				state = next
			}
			require.Equal(t, tt.reason, v.Reason)
			require.Equal(t, tt.call, v.Call)
			require.Equal(t, tt.missing, v.Missing)
			require.InEpsilon(t, tt.e, v.Evidence(), 1e-7)
			// Looked at again, nothing has come: nothing changes.
			again, _ := tt.judge.Look(state, tt.samples[len(tt.samples)-1])
			require.Equal(t, v.LogE, again.LogE)
		})
	}
}

// A margin makes Fail rarer, and evidence in each interval is counted apart.
func TestComparisonMarginAndIntervals(t *testing.T) {
	sample := requests(20, 1000, 90, 9000)
	plain, _ := health.Comparison{}.Look(nil, sample)
	margin, _ := health.Comparison{Margin: 1.5}.Look(nil, sample)
	require.Greater(t, plain.LogE, margin.LogE+1)

	// A ramp from 5 to 50 % during an incident: no harm in either half, much in the sum.
	half, whole := requests(1, 50, 19, 950), requests(101, 550, 119, 1450)
	var state health.State
	judge := health.Comparison{}
	_, state = judge.Look(nil, half)
	apart, _ := judge.Look(state, whole)
	together, _ := judge.Look(nil, whole)
	require.Negative(t, apart.LogE)
	require.Equal(t, health.Fail, together.Call)
}

// The first looks find too few requests to compare, and lose nothing by it.
func TestComparisonLooksOften(t *testing.T) {
	judge := health.Comparison{}
	var often health.State
	var v health.Verdict
	for n := uint64(1); n <= 20; n++ {
		v, often = judge.Look(often, requests(n/4, n/2, 0, n-n/2))
		if n < 20 {
			require.Zero(t, v.LogE, n)
		}
	}
	once, _ := judge.Look(nil, requests(5, 10, 0, 10))
	require.Equal(t, once, v)
	require.Positive(t, v.LogE)
}

// Totals that go backwards cost what came since the last look, and nothing else.
func TestComparisonRestart(t *testing.T) {
	judge := health.Comparison{}
	before, state := judge.Look(nil, requests(5, 100, 9, 900))
	for _, restarted := range []health.Sample{{}, requests(3, 60, 4, 500), requests(6, 100, 8, 1200), requests(4, 200, 9, 900), requests(6, 86, 12, 1200), requests(2, 98, 12, 1200)} {
		v, next := judge.Look(state, restarted)
		require.Equal(t, before.LogE, v.LogE)
		require.Equal(t, before.LogPeak, v.LogPeak)

		c, b := restarted.Candidate, restarted.Baseline
		v, _ = judge.Look(next, requests(c.Failures+5, c.Requests()+100, b.Failures+9, b.Requests()+900))
		both, _ := judge.Look(state, requests(10, 200, 18, 1800))
		require.InDelta(t, both.LogE, v.LogE, 1e-12)
	}
}

// Fail stays, though the evidence sinks; Pass gives way to it.
func TestComparisonLatches(t *testing.T) {
	judge := health.Comparison{PassRatio: 2}
	v, state := judge.Look(nil, requests(20, 1000, 180, 9000))
	require.Equal(t, health.Pass, v.Call)
	v, state = judge.Look(state, requests(120, 2000, 360, 18000))
	require.Equal(t, health.Fail, v.Call)
	v, _ = judge.Look(state, requests(120, 12000, 2360, 118000))
	require.Equal(t, health.Fail, v.Call)
	require.Less(t, v.LogE, v.LogThreshold)
	require.Contains(t, v.Reason, "evidence reached ")
}

func TestComparisonState(t *testing.T) {
	judge, sample := health.Comparison{PassRatio: 1.5}, requests(5, 100, 9, 900)
	fresh, want := judge.Look(nil, sample)
	for _, state := range []string{"{", "7", `{"harm":"much"}`, `{"candidate":{"failures":-1}}`, `{"harm":[1e999]}`} {
		v, next := judge.Look(health.State(state), sample)
		require.Equal(t, fresh, v, state)
		require.Equal(t, string(want), string(next), state)
	}
	// What it says stays a number, whatever was counted.
	v, state := judge.Look(health.State(`{"harm":[1e308,-1e308]}`), requests(math.MaxUint64/2, math.MaxUint64/2, 1, math.MaxUint64/2))
	require.False(t, math.IsNaN(v.LogE) || math.IsInf(v.LogE, 0))
	require.True(t, json.Valid(state))
}

func BenchmarkComparisonLook(b *testing.B) {
	judge, sample := health.Comparison{}, requests(2, 100, 9, 900)
	_, state := judge.Look(nil, sample)
	sample = requests(4, 200, 18, 1800)
	b.ReportAllocs()
	for b.Loop() {
		judge.Look(state, sample)
	}
}
