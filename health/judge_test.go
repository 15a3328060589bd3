package health_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func TestCallText(t *testing.T) {
	require.Equal(t, health.Inconclusive, health.Verdict{}.Call)
	for _, call := range []health.Call{health.Inconclusive, health.Pass, health.Fail} {
		text, err := call.MarshalText()
		require.NoError(t, err)
		var back health.Call
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, call, back)
	}
	_, err := health.Call(3).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorIs(t, new(health.Call).UnmarshalText([]byte("maybe")), health.ErrInvalid)
}

func TestVerdict(t *testing.T) {
	v := health.Verdict{Call: health.Fail, LogE: math.Log(41.3), LogPeak: math.Log(41.3), LogThreshold: math.Log(20), Reason: "too many"}
	require.InDelta(t, 41.3, v.Evidence(), 1e-9)
	require.Equal(t, "fail: too many", v.String())
	require.Equal(t, "inconclusive", health.Verdict{}.String())
	require.Equal(t, math.MaxFloat64, health.Verdict{LogE: 1e6}.Evidence())

	data, err := json.Marshal(v)
	require.NoError(t, err)
	var back health.Verdict
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, v, back)

	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("look", "verdict", health.Verdict{LogThreshold: math.Log(2), Reason: "early"})
	require.Contains(t, out.String(), "verdict.call=inconclusive verdict.evidence=1 verdict.threshold=2 verdict.reason=early")
}

func TestStateIsRawJSON(t *testing.T) {
	type entry struct {
		State health.State `json:"state"`
	}
	for _, tt := range []struct{ state, want string }{
		{"", `{"state":null}`},
		{`{"log_peak":1.5}`, `{"state":{"log_peak":1.5}}`},
	} {
		data, err := json.Marshal(entry{health.State(tt.state)})
		require.NoError(t, err)
		require.Equal(t, tt.want, string(data))
		var back entry
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, tt.state, string(back.State))
	}
}

func TestJudgeFunc(t *testing.T) {
	var judge health.Judge = health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
		return health.Verdict{Call: health.Pass}, append(state, '1')
	})
	v, state := judge.Look(nil, health.Sample{})
	require.Equal(t, health.Pass, v.Call)
	require.Equal(t, health.State("1"), state)
}

func TestFirstFailureValidate(t *testing.T) {
	for _, alpha := range []float64{0, 0.05, 1e-12, 0.999} {
		require.NoError(t, health.FirstFailure{Alpha: alpha}.Validate(), alpha)
	}
	for _, alpha := range []float64{-0.1, 1, 5, math.NaN(), math.Inf(1)} {
		judge := health.FirstFailure{Alpha: alpha}
		err := judge.Validate()
		require.ErrorIs(t, err, health.ErrInvalid, alpha)
		require.ErrorContains(t, err, "want between 0 and 1")
		v, state := judge.Look(health.State("{}"), firsts(1_000, 99, 0))
		require.Equal(t, health.Verdict{Reason: err.Error()}, v)
		require.Equal(t, health.State("{}"), state)
	}
}

// firsts is a sample of nothing but first failures at one ramp.
func firsts(ramp int32, candidate, baseline uint64) health.Sample {
	return health.Sample{
		Candidate: health.Side{Successes: 100, Failures: candidate},
		Baseline:  health.Side{Successes: 2_000, Failures: baseline},
		Coins:     health.Coins{Firsts: []health.First{{Ramp: ramp, Candidate: candidate, Baseline: baseline}}},
	}
}

func TestFirstFailureLook(t *testing.T) {
	for _, tt := range []struct {
		name   string
		judge  health.FirstFailure
		state  string
		sample health.Sample
		call   health.Call
		e      float64
		reason string
	}{
		{
			name: "no data", call: health.Inconclusive, e: 1,
			reason: "candidate has no requests yet, baseline has none: evidence 1, threshold 20",
		},
		{
			name: "one side", sample: health.Sample{Baseline: health.Side{Successes: 1}}, call: health.Inconclusive, e: 1,
			reason: "candidate has no requests yet, baseline fails 0 % of 1: evidence 1, threshold 20",
		},
		{
			name: "not yet", sample: firsts(10_000, 9, 27), call: health.Inconclusive, e: 10.807166,
			reason: "candidate fails 8.3 % of 109 requests, baseline 1.3 % of 2,027: evidence 10.8, threshold 20",
		},
		{
			name: "enough for another alpha", judge: health.FirstFailure{Alpha: 0.1}, sample: firsts(10_000, 9, 27), call: health.Fail, e: 10.807166,
			reason: "candidate fails 8.3 % of 109 requests, baseline 1.3 % of 2,027: evidence 10.8, threshold 10 (a harmless change is rolled back with probability at most 10 %)",
		},
		{
			name: "latched", state: `{"log_peak":4}`, sample: firsts(10_000, 9, 27), call: health.Fail, e: 10.807166,
			reason: "candidate fails 8.3 % of 109 requests, baseline 1.3 % of 2,027: evidence reached 54.6 and is now 10.8, threshold 20 (a harmless change is rolled back with probability at most 5 %)",
		},
		{
			name: "unreadable state is fresh", state: `{"log_peak":`, sample: firsts(10_000, 9, 27), call: health.Inconclusive, e: 10.807166,
			reason: "candidate fails 8.3 % of 109 requests, baseline 1.3 % of 2,027: evidence 10.8, threshold 20",
		},
		{
			name: "beyond doubt", sample: firsts(1_000, 500, 0), call: health.Fail, e: math.MaxFloat64,
			reason: "candidate fails 83.3 % of 600 requests, baseline 0 % of 2,000: evidence over a million, threshold 20 (a harmless change is rolled back with probability at most 5 %)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			given := health.State(tt.state)
			v, state := tt.judge.Look(given, tt.sample)
			require.Equal(t, tt.call, v.Call)
			require.Equal(t, tt.reason, v.Reason)
			require.Equal(t, tt.state, string(given), "the state given was written to")
			if tt.e < math.MaxFloat64 {
				require.InDelta(t, tt.e, v.Evidence(), 5e-7)
			} else {
				require.Equal(t, tt.e, v.Evidence())
			}
			again, _ := tt.judge.Look(given, tt.sample)
			require.Equal(t, v, again, "not pure")
			require.True(t, json.Valid(state))
		})
	}
}

// Fail stays, though the evidence sinks.
func TestFirstFailureLatches(t *testing.T) {
	judge, state := health.FirstFailure{}, health.State(nil)
	for i, tt := range []struct {
		sample health.Sample
		want   health.Call
	}{
		{firsts(10_000, 2, 0), health.Inconclusive},
		{firsts(10_000, 3, 0), health.Fail},
		{firsts(10_000, 3, 60), health.Fail},
	} {
		var v health.Verdict
		v, state = judge.Look(state, tt.sample)
		require.Equal(t, tt.want, v.Call, "look %d: %v", i, v)
	}
}

func BenchmarkFirstFailureLook(b *testing.B) {
	sample := firsts(1_000, 3, 200)
	sample.Firsts = append(sample.Firsts, health.First{Ramp: 5_000, Candidate: 9, Baseline: 100}, health.First{Lo: 1_000, Ramp: 5_000, Candidate: 2, Baseline: 40})
	var state health.State
	b.ReportAllocs()
	for b.Loop() {
		_, state = health.FirstFailure{}.Look(state, sample)
	}
}
