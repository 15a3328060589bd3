package health_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// fake says what it is told to, and which alpha it was given.
type fake struct {
	alpha float64
	call  health.Call
	logE  float64
	bad   error
}

func (f fake) WithAlpha(alpha float64) health.Bounded { f.alpha = alpha; return f }
func (f fake) Validate() error                        { return f.bad }
func (f fake) Look(state health.State, _ health.Sample) (health.Verdict, health.State) {
	var looks int
	_ = json.Unmarshal(state, &looks)
	return health.Verdict{Call: f.call, LogE: f.logE, LogPeak: f.logE, LogThreshold: 3, Reason: fmt.Sprintf("alpha %.4g, look %d", f.alpha, looks+1)}, health.State(fmt.Sprint(looks + 1))
}

func TestShared(t *testing.T) {
	quiet, near := fake{logE: 1}, fake{logE: 2}
	passes := fake{call: health.Pass}
	for _, tt := range []struct {
		name  string
		judge health.Shared
		want  health.Verdict
	}{
		{"the nearest speaks", health.Shared{Judges: []health.Part{{Name: "a", Judge: quiet}, {Name: "b", Judge: near, Weight: 3}}},
			health.Verdict{Judge: "b", LogE: 2, LogPeak: 2, LogThreshold: 3, Reason: "alpha 0.0375, look 2"}},
		{"the first one that fails speaks", health.Shared{Alpha: 0.1, Judges: []health.Part{{Name: "a", Judge: near}, {Name: "b", Judge: fake{call: health.Fail}}, {Name: "c", Judge: fake{call: health.Fail, logE: 9}}, {Name: "d", Judge: near}}},
			health.Verdict{Call: health.Fail, Judge: "b", LogThreshold: 3, Reason: "alpha 0.025, look 2"}},
		{"all have to pass", health.Shared{Judges: []health.Part{{Name: "a", Judge: quiet}}, Pass: []health.Part{{Name: "p", Judge: passes}, {Name: "q", Judge: fake{}}}},
			health.Verdict{Judge: "a", LogE: 1, LogPeak: 1, LogThreshold: 3, Reason: "alpha 0.05, look 2"}},
		{"all pass", health.Shared{Judges: []health.Part{{Name: "a", Judge: quiet}}, Pass: []health.Part{{Name: "p", Judge: passes}, {Name: "q", Judge: passes}}},
			health.Verdict{Call: health.Pass, Judge: "q", LogThreshold: 3, Reason: "alpha 0, look 2"}},
		{"and none fails", health.Shared{Judges: []health.Part{{Name: "a", Judge: fake{call: health.Fail}}}, Pass: []health.Part{{Name: "p", Judge: passes}}},
			health.Verdict{Call: health.Fail, Judge: "a", LogThreshold: 3, Reason: "alpha 0.05, look 2"}},
		{"only those of Pass may pass", health.Shared{Judges: []health.Part{{Name: "a", Judge: passes}}},
			health.Verdict{Judge: "a", LogThreshold: 3, Reason: "alpha 0.05, look 2"}},
		{"those of Pass cannot fail", health.Shared{Judges: []health.Part{{Name: "a", Judge: quiet}}, Pass: []health.Part{{Name: "p", Judge: fake{call: health.Fail, logE: 9}}}},
			health.Verdict{Judge: "a", LogE: 1, LogPeak: 1, LogThreshold: 3, Reason: "alpha 0.05, look 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.judge.Validate())
			_, state := tt.judge.Look(nil, health.Sample{})
			got, _ := tt.judge.Look(state, health.Sample{})
			require.Equal(t, tt.want, got)
		})
	}
	v, _ := health.Shared{Judges: []health.Part{{Name: "a", Judge: quiet}}}.WithAlpha(0.01).Look(health.State("7"), health.Sample{})
	require.Equal(t, "alpha 0.01, look 1", v.Reason)
	require.Equal(t, "inconclusive: a: alpha 0.01, look 1", v.String())
}

// A judge of several may be made of several itself.
func TestSharedNested(t *testing.T) {
	inner := health.Shared{Judges: []health.Part{{Name: "x", Judge: fake{}}, {Name: "y", Judge: health.FirstFailure{}}}}
	judge := health.Shared{Alpha: 0.1, Judges: []health.Part{{Name: "a", Judge: fake{logE: -99}}, {Name: "b", Judge: inner}}}
	require.NoError(t, judge.Validate())
	v, _ := judge.Look(nil, firsts(10_000, 9, 0))
	require.Equal(t, "b/y", v.Judge)
	require.InDelta(t, math.Log(40), v.LogThreshold, 1e-9, "half of a half of 10 %")
	require.Contains(t, v.Reason, "at most 10 %")
}

// One that returns no JSON does not make the others forget.
func TestSharedStates(t *testing.T) {
	broken := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
		return health.Verdict{Call: health.Pass, Reason: "seen"}, health.State("seen 17")
	})
	judge := health.Shared{Judges: []health.Part{{Name: "a", Judge: fake{}}}, Pass: []health.Part{{Name: "p", Judge: broken}}}
	_, state := judge.Look(nil, health.Sample{})
	v, state := judge.Look(state, health.Sample{})
	require.Equal(t, "seen; its state is no JSON, and is not kept", v.Reason)
	require.JSONEq(t, `{"a":2,"p":null}`, string(state))
}

func TestSharedValidate(t *testing.T) {
	plain := health.JudgeFunc(func(s health.State, _ health.Sample) (health.Verdict, health.State) { return health.Verdict{}, s })
	bad := health.Shared{Alpha: 2, Judges: []health.Part{{Name: "a", Judge: plain}, {Name: "a", Judge: fake{}, Weight: -1}, {Judge: fake{}, Weight: math.Inf(1)}}, Pass: []health.Part{{Name: "a", Judge: plain}}}
	err := bad.Validate()
	require.ErrorIs(t, err, health.ErrInvalid)
	for _, want := range []string{
		"alpha is 2", "judges[0] (a): health.JudgeFunc states no error rate", "judges[1] (a): want a name that no other judge has, without a slash",
		"judges[1] (a): weight is -1", "judges[2] (): want a name", "weight is +Inf", "pass[0] (a): want a name",
	} {
		require.ErrorContains(t, err, want)
	}
	v, _ := bad.Look(nil, health.Sample{})
	require.Equal(t, health.Verdict{Reason: err.Error()}, v)
	require.ErrorContains(t, health.Shared{}.Validate(), "judges: there is none")
	err = health.Shared{Judges: []health.Part{{Name: "p", Judge: health.Placebo{Over: -1}}, {Name: "f", Judge: health.FirstFailure{Margin: 0.5}}}, Pass: []health.Part{{Name: "n", Judge: health.NoHarm{Beta: 9}}}}.Validate()
	require.EqualError(t, err, "invalid: p: over is -1ns and every 0s, want no time below zero; f: margin is 0.5, want 1 to 100; n: beta is 9, want between 0 and 1")
}

func TestDefaultJudge(t *testing.T) {
	for _, judge := range []health.Shared{
		health.DefaultJudge(time.Hour), health.DefaultJudge(time.Hour, health.Errors, health.Latency, health.Traffic), health.DefaultJudge(0, health.Latency),
	} {
		require.NoError(t, judge.Validate())
	}
	c := health.NewCohorts(health.CohortsOptions{})
	for unit := range uint64(3) {
		c.Record(health.Outcome{Unit: unit, Slot: 5, Ramp: 10_000})
	}
	v, state := health.DefaultJudge(time.Hour).Look(nil, at(c, time.Second))
	require.Equal(t, health.Inconclusive, v.Call)
	require.InDelta(t, math.Log(40), v.LogThreshold, 1e-9, "half of alpha")
	c.Record(health.Outcome{Unit: 7, Slot: 5, Ramp: 10_000})
	v, _ = health.DefaultJudge(time.Hour).Look(state, at(c, 2*time.Second))
	require.Equal(t, health.Fail, v.Call, "four first failures, all in the candidate at 10 %")
	require.Equal(t, "first errors", v.Judge)
	require.Contains(t, v.Reason, "at most 5 %", "the promise of all of them together")
}

func TestNoHarm(t *testing.T) {
	play := func(options health.CohortsOptions, times float64, each int) health.Verdict {
		c := health.NewCohorts(options)
		crowd(c, 2, 10_000, each, harmed(times), false)
		judge := health.NoHarm{Over: time.Minute}
		v, state := judge.Look(nil, at(c, time.Second))
		data, err := json.Marshal(state)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &state))
		if v.Call != health.Pass {
			v, _ = judge.Look(state, at(c, time.Minute))
		}
		return v
	}
	ok := play(health.CohortsOptions{Harm: 2}, 1, 60)
	require.Equal(t, health.Pass, ok.Call)
	require.Contains(t, ok.Reason, "a change that harms everybody so much passes with probability at most 5 %")
	require.Equal(t, health.Inconclusive, play(health.CohortsOptions{Harm: 2}, 2, 60).Call)
	require.Equal(t, health.Inconclusive, play(health.CohortsOptions{Harm: 2}, 5, 60).Call, "harm is for others to find")
	require.Equal(t, health.Inconclusive, play(health.CohortsOptions{Harm: 2}, 1, 1).Call, "too few failures to tell")
	require.Equal(t, health.Inconclusive, play(health.CohortsOptions{Harm: 2}, 0, 0).Call, "nothing failed, and nothing happened")
	require.Equal(t, "no data: the cohorts keep no evidence for a pass", play(health.CohortsOptions{}, 1, 60).Reason)

	// Each of its two tests can pass a change alone, at half of Beta.
	require.InDelta(t, math.Log(40), ok.LogThreshold, 1e-9)
	c := health.NewCohorts(health.CohortsOptions{Harm: 2})
	crowd(c, 2, 10_000, 60, harmed(1), false)
	coins, state := health.NoHarm{}.Look(nil, at(c, 0))
	require.Equal(t, health.Pass, coins.Call)
	later, _ := health.NoHarm{}.Look(state, at(health.NewCohorts(health.CohortsOptions{Harm: 2}), 0))
	require.Equal(t, health.Pass, later.Call, "once is for good")
	c = health.NewCohorts(health.CohortsOptions{Harm: 2, MaxUnits: 1})
	crowd(c, 2, 10_000, 60, harmed(0.5), false)
	lanes, state := health.NoHarm{}.Look(nil, at(c, time.Hour))
	require.Equal(t, health.Pass, lanes.Call)
	var memory struct{ Placebo health.State }
	require.NoError(t, json.Unmarshal(state, &memory))
	require.InDelta(t, 25, stoppedLanes(t, memory.Placebo), 2)
	require.EqualError(t, health.NoHarm{Beta: 0.0001}.Validate(), "invalid: beta is 0.0001, want at least 0.002")
	require.EqualError(t, health.NoHarm{Beta: 1, Over: -1}.Validate(), "invalid: beta is 1, want between 0 and 1; over is -1ns and every 0s, want no time below zero")
}

func TestFirstFailureOfLatencyAndStrict(t *testing.T) {
	slow := health.CohortsOptions{Slow: []time.Duration{time.Second}}
	c := health.NewCohorts(slow)
	for unit := range uint64(3) {
		c.Record(health.Outcome{Unit: unit, Slot: 5, Ramp: 10_000, Class: health.Success, Latency: 2 * time.Second})
		c.Record(health.Outcome{Unit: 9 + unit, Slot: 5, Ramp: 10_000, Class: health.Success, Latency: time.Second})
	}
	v, _ := health.FirstFailure{Of: health.Latency}.Look(nil, c.Snapshot())
	require.Equal(t, health.Fail, v.Call)
	require.Contains(t, v.Reason, "candidate takes 1")
	v, _ = health.FirstFailure{}.Look(nil, c.Snapshot())
	require.Equal(t, health.Inconclusive, v.Call)

	strict := health.NewCohorts(health.CohortsOptions{Strict: 2})
	for unit := range uint64(3) {
		strict.Record(health.Outcome{Unit: unit, Slot: 5, Ramp: 10_000})
	}
	v, _ = health.FirstFailure{}.Look(nil, strict.Snapshot())
	require.Equal(t, health.Inconclusive, v.Call, "each of two steps has half of alpha")
	require.InDelta(t, math.Log(40), v.LogThreshold, 1e-9)
	for unit := range uint64(5) {
		strict.Record(health.Outcome{Unit: unit, Slot: 15_000, Ramp: 20_000})
	}
	v, _ = health.FirstFailure{}.Look(nil, strict.Snapshot())
	require.Equal(t, health.Fail, v.Call)

	marginal := health.FirstFailure{Margin: 1.5}
	v, _ = marginal.Look(nil, firsts(10_000, 9, 27))
	require.InDelta(t, 1.996993, v.Evidence(), 1e-6)
	require.EqualError(t, health.FirstFailure{Alpha: 1, Of: health.Traffic, Margin: math.NaN()}.Validate(), "invalid: alpha is 1, want between 0 and 1; of is traffic, want errors or latency; margin is NaN, want 1 to 100")
}
