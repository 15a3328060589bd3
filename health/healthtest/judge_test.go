package healthtest_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/health/healthtest"
)

// TestOwnJudges keep the rules.
func TestOwnJudges(t *testing.T) {
	kept := health.CohortsOptions{Harm: 2, Slow: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond}}
	for _, tt := range []struct {
		name  string
		judge health.Judge
		o     healthtest.JudgeOptions
	}{
		{"first failure", health.FirstFailure{}, healthtest.JudgeOptions{}},
		{"first failure, other traffic", health.FirstFailure{Alpha: 0.01}, healthtest.JudgeOptions{Seed: 7, Rollouts: -1}},
		{"placebo", health.Placebo{Over: time.Minute}, healthtest.JudgeOptions{Cohorts: kept, Rollouts: 100}},
		{"placebo of latency", health.Placebo{Over: time.Minute, Of: health.Latency}, healthtest.JudgeOptions{Cohorts: kept, Rollouts: 100}},
		{"no harm", health.NoHarm{}, healthtest.JudgeOptions{Cohorts: kept}},
		{"default", health.DefaultJudge(time.Hour, health.Errors, health.Latency), healthtest.JudgeOptions{Cohorts: kept, Rollouts: 100}},
		{"comparison", health.Comparison{PassRatio: 2}, healthtest.JudgeOptions{Independent: true}},
		{"error limit", health.ErrorLimit{Rate: 0.05}, healthtest.JudgeOptions{Independent: true, ErrorRate: 0.05}},
		{"threshold", health.Threshold{ErrorRate: 0.05, Pass: true}, healthtest.JudgeOptions{}},
		{"with a memory", counting{}, healthtest.JudgeOptions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if raceEnabled {
				tt.o.Rollouts = -1 // the same code as without, ten times slower
			}
			healthtest.TestJudge(t, func() health.Judge { return tt.judge }, tt.o)
		})
	}
}

// TestTrafficOfJudges: a judge that assumes more than the usual traffic grants is found to
// fail harmless rollouts in it, and not in its own.
func TestTrafficOfJudges(t *testing.T) {
	limit := func() health.Judge { return health.ErrorLimit{Rate: 0.02} }
	// fails when somebody fails twice
	once := func() health.Judge {
		return bounded{look: func(b bounded, state health.State, s health.Sample) (health.Verdict, health.State) {
			v, next := b.FirstFailure.Look(state, s)
			v.Call = health.Inconclusive
			if b.Validate() == nil && s.Candidate.Requests() > 0 && s.Candidate.Failures+s.Baseline.Failures > uint64(s.Units) {
				v.Call = health.Fail
			}
			return v, next
		}}
	}
	for _, tt := range []struct {
		name  string
		judge func() health.Judge
		o     healthtest.JudgeOptions
		want  []string
	}{
		{"a limit, at it", limit, healthtest.JudgeOptions{Independent: true, ErrorRate: 0.02}, nil},
		{"a limit, above it", limit, healthtest.JudgeOptions{Independent: true}, []string{"bound"}},
		{"users once", once, healthtest.JudgeOptions{Independent: true}, nil},
		{"users who come again", once, healthtest.JudgeOptions{}, []string{"bound"}},
		{"no rollouts", once, healthtest.JudgeOptions{Rollouts: -1}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &recorder{}
			tt.o.Rollouts = cmp.Or(tt.o.Rollouts, 100)
			healthtest.TestJudge(r, tt.judge, tt.o)
			require.Equal(t, tt.want, r.broken(t))
		})
	}
	r := &recorder{}
	healthtest.TestJudge(r, func() health.Judge {
		return health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
			if s.Units > 1 && s.Halved == 0 {
				panic("not what was asked for")
			}
			return health.Verdict{Reason: "as ever"}, state
		})
	}, healthtest.JudgeOptions{Cohorts: health.CohortsOptions{MaxUnits: 1}})
	require.Empty(t, r.broken(t))
}

// counting is a judge with a memory: it fails what is far worse at three looks in a row.
type counting struct{}

func (counting) Look(state health.State, s health.Sample) (health.Verdict, health.State) {
	var memory struct {
		Bad int
	}
	if json.Unmarshal(state, &memory) != nil {
		memory.Bad = 0
	}
	candidate, ok := s.Candidate.ErrorRate()
	baseline, both := s.Baseline.ErrorRate()
	v := health.Verdict{Reason: "not worse at three looks in a row"}
	if memory.Bad++; !ok || !both || candidate < 3*baseline {
		memory.Bad = 0
	}
	if memory.Bad >= 3 {
		v = health.Verdict{Call: health.Fail, Reason: "far worse at three looks in a row"}
	}
	next, _ := json.Marshal(memory)
	return v, next
}

// TestBrokenJudges: each breaks one rule, and is found out.
func TestBrokenJudges(t *testing.T) {
	// with changes what a good judge says.
	with := func(change func(v *health.Verdict, state health.State, s health.Sample)) func() health.Judge {
		return func() health.Judge {
			return health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
				v, next := health.FirstFailure{}.Look(state, s)
				change(&v, next, s)
				return v, next
			})
		}
	}
	says := func(v health.Verdict, next health.State) health.JudgeFunc {
		return func(health.State, health.Sample) (health.Verdict, health.State) { return v, next }
	}
	for _, tt := range []struct {
		name  string
		judge func() health.Judge
		want  []string
	}{
		{name: "fine", judge: with(func(*health.Verdict, health.State, health.Sample) {})},
		{name: "fine, and keeps nothing", judge: func() health.Judge { return says(health.Verdict{Reason: "as ever"}, nil) }},
		{name: "panics", judge: func() health.Judge {
			return health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { panic("no") })
		}, want: []string{"panic"}},
		{name: "panics without a first failure", judge: with(func(_ *health.Verdict, _ health.State, s health.Sample) { _ = s.Firsts[0] }), want: []string{"panic"}},
		{name: "panics on a state it cannot read", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
				if len(state) > 0 && !json.Valid(state) {
					panic("corrupt")
				}
				return health.Verdict{Reason: "as ever"}, health.State("{}")
			})
		}, want: []string{"panic"}},
		{name: "panics on a state of another kind", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
				var memory any
				if json.Unmarshal(state, &memory) == nil && memory != nil {
					_ = memory.(map[string]any)
				}
				return health.Verdict{Reason: "as ever"}, health.State("{}")
			})
		}, want: []string{"panic"}},
		{name: "remembers outside of its state", judge: func() health.Judge { return &remembers{} }, want: []string{"pure", "state", "resume"}},
		{name: "cannot do two things at once", judge: func() health.Judge {
			var looking atomic.Int32
			return health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
				v := health.Verdict{Reason: "as ever"}
				if looking.Add(1) > 1 {
					v.Reason = "not now"
				}
				for range 10 {
					runtime.Gosched()
				}
				looking.Add(-1)
				return v, nil
			})
		}, want: []string{"concurrent"}},
		{name: "panics when it has two things to do", judge: func() health.Judge {
			var looking atomic.Int32
			return health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
				defer looking.Add(-1)
				if looking.Add(1) > 1 {
					panic("concurrent map writes")
				}
				for range 10 {
					runtime.Gosched()
				}
				return health.Verdict{Reason: "as ever"}, nil
			})
		}, want: []string{"concurrent"}},
		{name: "writes to the state", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, s health.Sample) (health.Verdict, health.State) {
				next := health.State(fmt.Sprintf(`{"a":%d}`, 1000+s.Units))
				copy(state, next)
				return health.Verdict{Reason: "as ever"}, next
			})
		}, want: []string{"pure"}},
		{name: "writes behind the state", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
				return health.Verdict{Reason: "as ever"}, append(state[:0], "true"...)
			})
		}, want: []string{"pure"}},
		{name: "writes to the sample", judge: with(func(_ *health.Verdict, _ health.State, s health.Sample) {
			for i := range s.Firsts {
				s.Firsts[i].Candidate = 0
			}
		}), want: []string{"pure"}},
		{name: "a call of its own", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.Call += 7 }), want: []string{"verdict", "missing data"}},
		{name: "not a number", judge: with(func(v *health.Verdict, _ health.State, s health.Sample) {
			v.LogE = math.Log(float64(s.Candidate.Failures) / float64(s.Candidate.Requests()))
		}), want: []string{"verdict"}},
		{name: "an infinite threshold", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.LogThreshold = math.Inf(1) }), want: []string{"verdict"}},
		{name: "a peak that sinks", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.LogPeak = max(v.LogE, 0) }), want: []string{"verdict"}},
		{name: "no reason", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.Reason = " " }), want: []string{"verdict"}},
		{name: "two lines", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.Reason += "\nand so on" }), want: []string{"verdict"}},
		{name: "no text", judge: with(func(v *health.Verdict, _ health.State, _ health.Sample) { v.Reason += "\xff" }), want: []string{"verdict"}},
		{name: "passes what nobody used", judge: with(func(v *health.Verdict, _ health.State, s health.Sample) {
			if s.Candidate.Failures == 0 {
				v.Call = health.Pass
			}
		}), want: []string{"missing data"}},
		{name: "fails what nobody used", judge: with(func(v *health.Verdict, _ health.State, s health.Sample) {
			if s.Candidate.Requests() == 0 {
				v.Call = health.Fail
			}
		}), want: []string{"missing data"}},
		{name: "a state that is no JSON", judge: func() health.Judge { return says(health.Verdict{Reason: "as ever"}, health.State("1,2,3")) }, want: []string{"state", "resume"}},
		{name: "takes half of a state for one", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
				v := health.Verdict{Reason: "as ever"}
				if bytes.Contains(state, []byte("a")) {
					v.Reason = "as before"
				}
				return v, health.State(`{"a":1}`)
			})
		}, want: []string{"state"}},
		{name: "counts on spaces in its state", judge: func() health.Judge {
			return health.JudgeFunc(func(state health.State, _ health.Sample) (health.Verdict, health.State) {
				v := health.Verdict{Reason: "as ever"}
				if string(state) == `{"a": 1}` {
					v.Reason = "as before"
				}
				return v, health.State(`{"a": 1}`)
			})
		}, want: []string{"resume"}},
		{name: "alpha that is not heeded", judge: func() health.Judge {
			return bounded{FirstFailure: health.FirstFailure{}, with: func(b bounded, alpha float64) bounded {
				if !(alpha > 0 && alpha < 1) {
					b.Alpha = alpha
				}
				return b
			}}
		}, want: []string{"alpha"}},
		{name: "any alpha goes", judge: func() health.Judge { return bounded{validate: func(float64) error { return nil }} }, want: []string{"alpha"}},
		{name: "refuses without saying what", judge: func() health.Judge {
			return bounded{validate: func(alpha float64) error {
				if (health.FirstFailure{Alpha: alpha}).Validate() != nil {
					return errors.New("no")
				}
				return nil
			}}
		}, want: []string{"alpha"}},
		{name: "refuses small ones", judge: func() health.Judge {
			return bounded{validate: func(alpha float64) error {
				if alpha != 0 && alpha < 0.02 {
					return health.ErrInvalid
				}
				return health.FirstFailure{Alpha: alpha}.Validate()
			}}
		}, want: []string{"alpha"}},
		{name: "refuses itself", judge: func() health.Judge { return health.FirstFailure{Alpha: 2} }, want: []string{"alpha"}},
		{name: "WithAlpha writes to itself", judge: func() health.Judge { return &shared{} }, want: []string{"alpha"}},
		{name: "passes though its alpha is refused", judge: func() health.Judge {
			return bounded{look: func(b bounded, state health.State, s health.Sample) (health.Verdict, health.State) {
				v, next := b.FirstFailure.Look(state, s)
				if b.Validate() != nil && s.Candidate.Requests() > 0 {
					v.Call = health.Pass
				}
				return v, next
			}}
		}, want: []string{"alpha"}},
		{name: "looks too often", judge: func() health.Judge {
			return bounded{look: func(b bounded, state health.State, s health.Sample) (health.Verdict, health.State) {
				v, next := b.FirstFailure.Look(state, s)
				v.Call = health.Inconclusive
				if b.Validate() == nil && s.Candidate.Requests() > 0 && s.Baseline.Requests() > 0 && z(s) > 1.2816 { // one in ten, at one look
					v.Call = health.Fail
				}
				return v, next
			}}
		}, want: []string{"bound"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, rollouts := &recorder{}, -1
			if slices.Contains(tt.want, "bound") {
				rollouts = 100
			}
			healthtest.TestJudge(r, tt.judge, healthtest.JudgeOptions{Rollouts: rollouts})
			require.Equal(t, tt.want, r.broken(t))
		})
	}
}

// z is the classical test of two shares.
func z(s health.Sample) float64 {
	a, b := s.Candidate, s.Baseline
	n, m := float64(a.Requests()), float64(b.Requests())
	p := float64(a.Failures+b.Failures) / (n + m)
	return (float64(a.Failures)/n - float64(b.Failures)/m) / math.Sqrt(p*(1-p)*(1/n+1/m))
}

// remembers keeps something to itself.
type remembers struct {
	mu sync.Mutex
	n  int
}

func (r *remembers) Look(health.State, health.Sample) (health.Verdict, health.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	return health.Verdict{Reason: fmt.Sprintf("look %d", r.n)}, nil
}

// bounded is FirstFailure with something else in it.
type bounded struct {
	health.FirstFailure
	validate func(alpha float64) error
	with     func(b bounded, alpha float64) bounded
	look     func(b bounded, state health.State, s health.Sample) (health.Verdict, health.State)
}

func (b bounded) Look(state health.State, s health.Sample) (health.Verdict, health.State) {
	if b.look != nil {
		return b.look(b, state, s)
	}
	return b.FirstFailure.Look(state, s)
}

func (b bounded) Validate() error {
	if b.validate != nil {
		return b.validate(b.Alpha)
	}
	return b.FirstFailure.Validate()
}

func (b bounded) WithAlpha(alpha float64) health.Bounded {
	if b.with != nil {
		return b.with(b, alpha)
	}
	b.Alpha = alpha
	return b
}

// shared is a judge whose WithAlpha is the judge itself.
type shared struct{ health.FirstFailure }

func (s *shared) WithAlpha(alpha float64) health.Bounded {
	s.Alpha = alpha
	return s
}
