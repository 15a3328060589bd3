package health

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Shared is several judges as one. They share Alpha: that any of them ever fails a
// harmless change has probability at most Alpha, whatever they look at and however
// that hangs together (Boole's inequality). The verdict says which one it was.
//
// It passes a change when all of Pass do and no judge fails it; without any it
// never passes. That every one has to, needs no correction: a change is no safer
// than the riskiest of its sides.
//
// Make the usual one with [DefaultJudge]. The zero value has no judges and is
// refused by Validate.
type Shared struct {
	Alpha  float64 // bound on the probability of failing a harmless change; zero means 0.05
	Judges []Part  // that may fail the change
	Pass   []Part  // that have to pass it; their Weight means nothing
}

// Part is one judge of [Shared].
type Part struct {
	Name   string  // of the judge, in verdicts and in the state: unique, and the same for as long as a rollout takes
	Judge  Judge   // under Judges it has to be [Bounded]; its own alpha is replaced
	Weight float64 // its share of Alpha, relative to the others'; zero means 1
}

// DefaultJudge watches signals for a rollout that takes as long as over, by the
// hash alone: errors by [FirstFailure], which reacts within seconds, and by
// [Placebo], which sees more, at half of alpha each; latency by first slow outcomes
// and by a placebo, at one and three quarters. Several signals get equal parts of
// alpha. Without a signal it is [Errors]. To let a change pass as well, give it
// Pass: []Part{{Name: "no harm", Judge: NoHarm{Over: over}}}, and the cohorts their
// Harm.
func DefaultJudge(over time.Duration, signals ...Signal) Shared {
	if len(signals) == 0 {
		signals = []Signal{Errors}
	}
	var s Shared
	for _, signal := range signals {
		coins, lanes := 2., 2.
		switch signal {
		case Latency:
			coins, lanes = 1, 3
		case Traffic:
			coins, lanes = 0, 4
		}
		if coins > 0 {
			s.Judges = append(s.Judges, Part{Name: "first " + signal.String(), Judge: FirstFailure{Of: signal}, Weight: coins})
		}
		s.Judges = append(s.Judges, Part{Name: "placebo " + signal.String(), Judge: Placebo{Of: signal, Over: over}, Weight: lanes})
	}
	return s
}

// WithAlpha is the same judge with another Alpha.
func (s Shared) WithAlpha(alpha float64) Bounded {
	s.Alpha = alpha
	return s
}

// Validate lists what is wrong with the settings and with those of all judges.
func (s Shared) Validate() error {
	var c complaints
	c.alpha("alpha", s.Alpha)
	if len(s.Judges) == 0 {
		c.add("judges: there is none")
	}
	names := map[string]bool{}
	for i, part := range slices.Concat(s.Judges, s.Pass) {
		at := fmt.Sprintf("judges[%d]", i)
		if i >= len(s.Judges) {
			at = fmt.Sprintf("pass[%d]", i-len(s.Judges))
		}
		at += fmt.Sprintf(" (%s)", part.Name)
		if part.Name == "" || names[part.Name] || strings.Contains(part.Name, "/") {
			c.add("%s: want a name that no other judge has, without a slash", at)
		}
		names[part.Name] = true
		if part.Weight < 0 || part.Weight != part.Weight || part.Weight > 1e9 {
			c.add("%s: weight is %v, want a number of at least 0", at, part.Weight)
		}
		if _, bounded := part.Judge.(Bounded); !bounded && i < len(s.Judges) {
			c.add("%s: %T states no error rate that could be shared: want a health.Bounded", at, part.Judge)
		}
	}
	if len(c) > 0 {
		return c.err()
	}
	for _, part := range s.parts() {
		if v, ok := part.Judge.(interface{ Validate() error }); ok {
			if err := v.Validate(); err != nil {
				c.add("%s: %s", part.Name, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
			}
		}
	}
	return c.err()
}

// parts are all judges, with their shares of Alpha.
func (s Shared) parts() []Part {
	all := slices.Concat(s.Judges, s.Pass)
	for i, part := range s.Judges {
		all[i].Judge = part.Judge.(Bounded).WithAlpha(alphaOr(s.Alpha) * part.weight() / s.total())
	}
	return all
}

// total is the sum of all weights.
func (s Shared) total() (sum float64) {
	for _, part := range s.Judges {
		sum += part.weight()
	}
	return sum
}

func (p Part) weight() float64 {
	if p.Weight == 0 {
		return 1
	}
	return p.Weight
}

// Look asks all judges. The verdict is that of the one that fails the change, or of
// the one nearest to it, with its name before the reason; if all of Pass pass it,
// of the last of those.
func (s Shared) Look(state State, sample Sample) (Verdict, State) {
	if err := s.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	var memory map[string]State
	if json.Unmarshal(state, &memory) != nil || memory == nil {
		memory = make(map[string]State)
	}
	next := make(map[string]State, len(memory))
	var nearest Verdict
	passes := len(s.Pass)
	parts := s.parts()
	for i, part := range parts {
		v, after := part.Judge.Look(memory[part.Name], sample)
		if len(after) > 0 && !json.Valid(after) {
			after = memory[part.Name] // or all would forget what they know
			v.Reason += "; its state is no JSON, and is not kept"
		}
		next[part.Name] = after
		if v.Judge != "" {
			v.Judge = "/" + v.Judge // of several itself
		}
		v.Judge = part.Name + v.Judge
		if i >= len(s.Judges) {
			if v.Call == Pass {
				if passes--; passes == 0 && nearest.Call != Fail {
					nearest = v
				}
			}
			continue
		}
		if i == 0 || v.Call == Fail && nearest.Call != Fail || nearest.Call != Fail && v.LogPeak-v.LogThreshold > nearest.LogPeak-nearest.LogThreshold {
			if nearest = v; v.Call != Fail {
				nearest.Call = Inconclusive // passing is not for these
			}
		}
	}
	if i := slices.IndexFunc(parts, func(p Part) bool { return strings.SplitN(nearest.Judge, "/", 2)[0] == p.Name }); nearest.Call == Fail {
		// What it promises holds for all of them together.
		own := promise(alphaOr(s.Alpha) * parts[i].weight() / s.total())
		if reason, ok := strings.CutSuffix(nearest.Reason, own); ok {
			nearest.Reason = reason + promise(s.Alpha)
		}
	}
	out, _ := json.Marshal(next) // states are JSON
	return nearest, out
}
