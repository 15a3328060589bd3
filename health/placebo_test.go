package health_test

import (
	"encoding/json"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// crowd records requests of every bucket, of which a share fails, or is slow: each
// bucket's own share, and the exposed buckets' own.
func crowd(c *health.Cohorts, seed uint64, ramp int32, each int, share func(bucket int32, exposed bool) float64, slow bool) {
	rng := rand.New(rand.NewPCG(seed, 9))
	for range each {
		for bucket := range int32(1000) {
			o := health.Outcome{Unit: rng.Uint64(), Slot: bucket*100 + rng.Int32N(100), Ramp: ramp, Class: health.Success}
			if rng.Float64() < share(bucket, bucket*100 < ramp) {
				if slow {
					o.Latency = time.Second
				} else {
					o.Class = health.Failure
				}
			}
			c.Record(o)
		}
	}
}

func harmed(times float64) func(int32, bool) float64 {
	return func(_ int32, exposed bool) float64 {
		if exposed {
			return 0.02 * times
		}
		return 0.02
	}
}

func at(c *health.Cohorts, elapsed time.Duration) health.Sample {
	s := c.Snapshot()
	s.Elapsed = elapsed
	return s
}

func TestPlaceboFails(t *testing.T) {
	slow := []time.Duration{500 * time.Millisecond}
	for _, tt := range []struct {
		name    string
		options health.CohortsOptions
		judge   health.Placebo
		play    func(c *health.Cohorts)
		want    health.Call
	}{
		{"harmless", health.CohortsOptions{}, health.Placebo{}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(1), false) }, health.Inconclusive},
		{"harmful", health.CohortsOptions{}, health.Placebo{}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(2), false) }, health.Fail},
		{"harmful in an earlier step", health.CohortsOptions{}, health.Placebo{}, func(c *health.Cohorts) {
			crowd(c, 1, 10_000, 60, harmed(3), false)
			crowd(c, 2, 50_000, 5, harmed(1), false)
		}, health.Fail},
		{"it helps", health.CohortsOptions{}, health.Placebo{}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(0.2), false) }, health.Inconclusive},
		{"slow", health.CohortsOptions{Slow: slow}, health.Placebo{Of: health.Latency}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(2), true) }, health.Fail},
		{"slow, and it is about errors", health.CohortsOptions{Slow: slow}, health.Placebo{}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(2), true) }, health.Inconclusive},
		{"fails, and it is about latency", health.CohortsOptions{Slow: slow}, health.Placebo{Of: health.Latency}, func(c *health.Cohorts) { crowd(c, 1, 10_000, 60, harmed(2), false) }, health.Inconclusive},
		{"those exposed before always failed more", health.CohortsOptions{Floor: 10_000}, health.Placebo{}, func(c *health.Cohorts) {
			crowd(c, 1, 30_000, 60, func(b int32, _ bool) float64 { return map[bool]float64{true: 0.1, false: 0.02}[b < 100] }, false)
		}, health.Inconclusive},
		{"the bucket that the floor cuts in two", health.CohortsOptions{Floor: 9_950}, health.Placebo{}, func(c *health.Cohorts) {
			crowd(c, 1, 10_000, 60, func(b int32, _ bool) float64 { return map[bool]float64{true: 0.5, false: 0.02}[b < 100] }, false)
		}, health.Inconclusive},
		{"beyond the floor", health.CohortsOptions{Floor: 10_000}, health.Placebo{}, func(c *health.Cohorts) { crowd(c, 1, 30_000, 60, harmed(2), false) }, health.Fail},
		{"strict", health.CohortsOptions{Strict: 2}, health.Placebo{}, func(c *health.Cohorts) {
			crowd(c, 3, 0, 10, harmed(1), false) // the history is no step
			crowd(c, 1, 10_000, 10, harmed(1), false)
			crowd(c, 2, 30_000, 60, harmed(2), false)
		}, health.Fail},
		{"strict: the step before is over", health.CohortsOptions{Strict: 2}, health.Placebo{}, func(c *health.Cohorts) {
			crowd(c, 1, 10_000, 1, harmed(1), false)
			crowd(c, 2, 30_000, 60, func(b int32, _ bool) float64 { return map[bool]float64{true: 0.1, false: 0.02}[b < 100] }, false)
		}, health.Inconclusive},
		{"less traffic", health.CohortsOptions{}, health.Placebo{Of: health.Traffic}, func(c *health.Cohorts) {
			crowd(c, 1, 10_000, 60, harmed(1), false)
			for i := range int32(9_000) {
				c.Record(health.Outcome{Slot: 10_000 + i*10, Ramp: 10_000, Class: health.Success})
			}
		}, health.Fail},
		{"more traffic", health.CohortsOptions{}, health.Placebo{Of: health.Traffic}, func(c *health.Cohorts) {
			crowd(c, 1, 10_000, 60, harmed(1), false)
			for i := range int32(1_000) {
				c.Record(health.Outcome{Slot: i * 10, Ramp: 10_000, Class: health.Success})
			}
		}, health.Fail},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Seed = 3
			c := health.NewCohorts(tt.options)
			tt.play(c)
			tt.judge.Over = time.Minute
			v, state := tt.judge.Look(nil, at(c, 10*time.Second))
			for i := range 6 { // more time, and so more budget, on the same traffic
				if v.Call == health.Inconclusive {
					v, state = tt.judge.Look(state, at(c, time.Duration(20+10*i)*time.Second))
				}
			}
			require.Equal(t, tt.want, v.Call, v)
			if v.Call == health.Fail {
				require.GreaterOrEqual(t, v.LogPeak, v.LogThreshold)
				require.Contains(t, v.Reason, "a harmless change is rolled back with probability at most 5 %")
				calm := health.NewCohorts(tt.options)
				crowd(calm, 5, 30_000, 1, harmed(1), false)
				again, after := tt.judge.Look(state, at(calm, time.Hour))
				require.Equal(t, health.Fail, again.Call, "once is for good")
				require.Equal(t, state, after)
			}
		})
	}
}

// Users who failed more than others before are no reason to roll back.
func TestPlaceboHistory(t *testing.T) {
	sick := func(b int32, _ bool) float64 { return map[bool]float64{true: 0.06, false: 0.02}[b < 30] }
	with, without := health.NewCohorts(health.CohortsOptions{}), health.NewCohorts(health.CohortsOptions{})
	crowd(with, 1, 0, 6_000, sick, false)
	for _, c := range []*health.Cohorts{with, without} {
		crowd(c, 2, 10_000, 60, sick, false)
	}
	judge := health.Placebo{Over: time.Minute}
	bad, _ := judge.Look(nil, at(without, time.Minute))
	good, _ := judge.Look(nil, at(with, time.Minute))
	require.Less(t, good.LogE, bad.LogE)
	require.Equal(t, health.Inconclusive, good.Call)
}

// It looks when there is time and budget, and keeps its hands off otherwise.
func TestPlaceboLooks(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{})
	crowd(c, 1, 10_000, 10, harmed(1), false)
	judge := health.Placebo{Over: time.Hour}
	v, state := judge.Look(nil, at(c, 0))
	require.Contains(t, v.Reason, "not compared with relabelings because the sample has no Elapsed")
	require.Equal(t, health.NoData, v.Missing)
	require.Empty(t, state)
	v, state = judge.Look(state, at(c, time.Second)) // the first lane's time comes after 1.44 s
	require.Empty(t, state)
	require.Contains(t, v.Reason, "not compared with relabelings yet")
	require.Equal(t, health.Present, v.Missing)
	v, state = judge.Look(state, at(c, 2*time.Second))
	require.NotEmpty(t, state)
	require.Contains(t, v.Reason, "of 999 random relabelings stand out as much; fewer than")
	same, after := judge.Look(state, at(c, 5*time.Second))
	require.Equal(t, v, same)
	require.Equal(t, state, after, "the budget is spent: nothing to remember")
	_, after = judge.Look(state, at(c, 10*time.Minute))
	require.NotEqual(t, state, after)

	// Where all lanes look alike nobody is stopped, and the next look has its time.
	alike := health.NewCohorts(health.CohortsOptions{})
	crowd(alike, 1, 10_000, 10, harmed(0), false)
	for bucket := range int32(1000) {
		alike.Record(health.Outcome{Unit: 7, Slot: bucket * 100, Ramp: 10_000})
	}
	_, state = judge.Look(nil, at(alike, 2*time.Second))
	_, after = judge.Look(state, at(alike, 11*time.Second))
	require.Equal(t, state, after)
	_, after = judge.Look(state, at(alike, 12*time.Second))
	require.NotEqual(t, state, after)

	// No more lanes are stopped than the budget has by then, and in strict mode it is
	// that of one step.
	for strict, want := range map[int]int{0: 50, 2: 25} {
		c := health.NewCohorts(health.CohortsOptions{Strict: strict})
		crowd(c, 1, 10_000, 10, harmed(1), false)
		for i := range int32(3_000) { // few ties where buckets differ
			c.Record(health.Outcome{Slot: i * i % 100_000, Ramp: 10_000, Class: health.Success})
		}
		_, state = judge.Look(nil, at(c, time.Second))
		for minute := range 90 {
			_, state = judge.Look(state, at(c, time.Second+time.Duration(minute)*time.Minute))
			if minute == 30 {
				require.InDelta(t, map[int]int{0: 35, 2: 25}[strict], stoppedLanes(t, state), 2, "but for ties")
			}
		}
		require.LessOrEqual(t, stoppedLanes(t, state), want)
		require.InDelta(t, want, stoppedLanes(t, state), 4, "but for ties")
	}

	// Another rollout has other lanes.
	one, two := health.NewCohorts(health.CohortsOptions{Seed: 1}), health.NewCohorts(health.CohortsOptions{Seed: 2})
	crowd(one, 1, 10_000, 10, harmed(1), false)
	crowd(two, 1, 10_000, 10, harmed(1), false)
	_, state = judge.Look(nil, at(one, time.Hour))
	_, after = judge.Look(nil, at(two, time.Hour))
	require.NotEqual(t, state, after)

	// Many steps need more lanes, or none could ever be stopped.
	many := health.NewCohorts(health.CohortsOptions{Strict: 60})
	crowd(many, 1, 10_000, 10, harmed(20), false)
	_, state = judge.Look(nil, at(many, time.Second))
	v, _ = judge.Look(state, at(many, time.Hour))
	require.Equal(t, health.Fail, v.Call, v)

	empty := health.NewCohorts(health.CohortsOptions{})
	v, state = judge.Look(nil, at(empty, time.Hour))
	require.Equal(t, health.Inconclusive, v.Call)
	require.Empty(t, state)
	v, _ = judge.Look(nil, at(unaligned(), time.Hour))
	require.Equal(t, health.Inconclusive, v.Call)
	require.Contains(t, v.Reason, "because the ramp is no whole step of 0.1 %")
	require.Equal(t, health.NoData, v.Missing)
	v, _ = health.Placebo{Of: health.Latency}.Look(nil, at(c, time.Hour))
	require.Equal(t, "no data: the cohorts have no thresholds of latency", v.Reason)
	for _, garbled := range []string{`{"tests":7}`, `{"tests":[{"rank":5,"quota":0,"next":9000000000000000000}]}`, `{"tests":[{"rank":5,"quota":-4}]}`, `{"tests":[{"rank":-5,"quota":4}]}`} {
		v, _ = judge.Look(health.State(garbled), at(c, time.Hour))
		require.Equal(t, health.Inconclusive, v.Call, garbled)
		_, err := json.Marshal(v)
		require.NoError(t, err, garbled)
	}
	for name, bend := range map[string]func(*health.Sample){
		"no counts":      func(s *health.Sample) { s.Tables[0].Counts = nil },
		"ramp too high":  func(s *health.Sample) { s.Tables[0].Ramp = 100_100 },
		"ramp too low":   func(s *health.Sample) { s.Tables[0].Ramp = -100 },
		"floor too low":  func(s *health.Sample) { s.Options.Floor = -1 },
		"floor too high": func(s *health.Sample) { s.Options.Floor = 1 << 30 },
		"strict":         func(s *health.Sample) { s.Options.Strict = 1 << 30 },
		"twice":          func(s *health.Sample) { s.Tables = append(s.Tables, s.Tables[0]) },
	} {
		for _, judge := range []health.Judge{judge, health.NoHarm{}, health.DefaultJudge(0)} {
			bent := at(c, time.Hour)
			bent.Options.Harm = 2
			bend(&bent)
			v, _ := judge.Look(nil, bent)
			require.Equal(t, health.Inconclusive, v.Call, name)
		}
	}
}

// stoppedLanes counts the lanes that the only test of a state has stopped.
func stoppedLanes(t *testing.T, state health.State) (n int) {
	var memory struct{ Tests []struct{ Stopped []byte } }
	require.NoError(t, json.Unmarshal(state, &memory))
	require.Len(t, memory.Tests, 1)
	for _, b := range memory.Tests[0].Stopped {
		n += bits.OnesCount8(b)
	}
	return n
}

func unaligned() *health.Cohorts {
	c := health.NewCohorts(health.CohortsOptions{})
	crowd(c, 1, 10_050, 10, harmed(9), false)
	return c
}

func TestPlaceboValidate(t *testing.T) {
	for _, tt := range []struct {
		judge health.Placebo
		want  string
	}{
		{health.Placebo{}, ""},
		{health.Placebo{Alpha: 0.001}, ""},
		{health.Placebo{Alpha: 1}, "alpha is 1, want between 0 and 1"},
		{health.Placebo{Alpha: math.NaN(), Over: -1, Every: -1, Of: 99, Lanes: 1}, "alpha is NaN, want between 0 and 1; of is signal(99), want errors, latency or traffic; over is -1ns and every -1ns, want no time below zero; lanes is 1, want 2 to 65,536"},
		{health.Placebo{Alpha: 0.0005}, "alpha is 0.0005 of 1000 lanes, which is 0.5 lanes, so that no lane could ever be stopped: want at least 2000 lanes"},
	} {
		err := tt.judge.Validate()
		if tt.want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, "invalid: "+tt.want)
		v, state := tt.judge.Look(health.State("{}"), health.Sample{})
		require.Equal(t, health.Verdict{Reason: err.Error()}, v)
		require.Equal(t, health.State("{}"), state)
	}
	require.NoError(t, health.Placebo{}.WithAlpha(0.0005).Validate(), "more lanes where alpha needs them")
	require.Error(t, health.Placebo{}.WithAlpha(1e-9).Validate())
}

func TestSampleKeepsThroughJSON(t *testing.T) {
	c := health.NewCohorts(health.CohortsOptions{Slow: []time.Duration{time.Millisecond}, Harm: 2, Strict: 3, Seed: 1 << 63})
	crowd(c, 1, 10_000, 3, harmed(5), false)
	crowd(c, 1, 20_000, 3, harmed(5), true)
	s := at(c, time.Minute)
	data, err := json.Marshal(s)
	require.NoError(t, err)
	var back health.Sample
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, s, back)
	want, state := health.DefaultJudge(time.Minute).Look(nil, s)
	got, stored := health.DefaultJudge(time.Minute).Look(nil, back)
	require.Equal(t, want, got, "judged again from what was stored")
	require.Equal(t, state, stored)
}

func TestSignalText(t *testing.T) {
	for _, signal := range []health.Signal{health.Errors, health.Latency, health.Traffic} {
		text, err := signal.MarshalText()
		require.NoError(t, err)
		var back health.Signal
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, signal, back)
	}
	_, err := health.Signal(3).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorIs(t, new(health.Signal).UnmarshalText([]byte("noise")), health.ErrInvalid)
}
