package health

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/guidon-go/guidon/internal/evidence"
)

// NoHarm passes a change when there is evidence that it does not harm every user
// by [CohortsOptions.Harm] or more. "Nothing failed yet" is no such evidence, and
// neither is a [Placebo] that found nothing: both are what a service without
// traffic looks like. It never says Fail.
//
// # The promise
//
// If the candidate multiplies the failure probability of each request by Harm or
// more, given the user and what goes on otherwise, the probability that it ever
// says Pass is at most Beta. Unlike the promise of [FirstFailure] this one rests on
// that model of harm: it says nothing of changes that hurt a few users badly and
// others not at all. It also takes failures to come one by one; where those of one
// user hang together, such as retries, Pass came more rarely in simulation, which is
// no proof.
//
// # The method
//
// Of the candidate's failures one in Harm is kept at random, of the baseline's all.
// At a ratio of exactly Harm what is left is like a change that does nothing,
// so the tests of [FirstFailure] and [Placebo], turned round, find fewer failures
// than that in the candidate with probability at most half of Beta each. The
// former counts only the first kept failure of each unit; the latter sees more.
//
// A change that does nothing passes when some hundred failures were seen: a
// service that hardly ever fails can only pass after a long time, and stays
// [Inconclusive] until then. The zero value is ready to use.
type NoHarm struct {
	Beta  float64       // bound on the probability of passing a harmful change; zero means 0.05
	Over  time.Duration // for how long the rollout will be watched; zero means 1 h
	Every time.Duration // between looks at the relabelings; zero means 10 s, or a sixtieth of Over where that is less
}

// noHarmState is NoHarm's State.
type noHarmState struct {
	LogPeak float64 `json:"log_peak"`
	Placebo State   `json:"placebo,omitempty"`
}

func (n NoHarm) placebo() Placebo {
	return Placebo{Alpha: alphaOr(n.Beta) / 2, Of: kept, Over: n.Over, Every: n.Every}
}

// Validate lists what is wrong with the settings.
func (n NoHarm) Validate() error {
	var c complaints
	c.alpha("beta", n.Beta)
	if n.Over < 0 || n.Every < 0 {
		c.add("over is %v and every %v, want no time below zero", n.Over, n.Every)
	}
	if p := n.placebo().filled(); len(c) == 0 && evidence.Budget(p.Alpha, p.Lanes, 1) < 1 {
		c.add("beta is %v, want at least %v", n.Beta, 2/float64(p.Lanes))
	}
	return c.err()
}

// Look says [Pass] from the first look on at which one of the tests has found
// enough, and [Inconclusive] otherwise. Verdict.LogE is the evidence of no harm.
func (n NoHarm) Look(state State, sample Sample) (Verdict, State) {
	if err := n.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	ratio := sample.Options.Harm
	if !(ratio > 1) {
		return Verdict{Reason: "no data: the cohorts keep no evidence for a pass", Missing: NoData}, state
	}
	var memory noHarmState
	if json.Unmarshal(state, &memory) != nil {
		memory = noHarmState{}
	}
	process := evidence.Below(ratio)
	for _, first := range sample.Kept.Firsts {
		process.Add(evidence.Coins(first))
	}
	v := Verdict{LogE: process.LogE(), LogThreshold: math.Log(2 / alphaOr(n.Beta))}
	v.LogPeak = max(memory.LogPeak, v.LogE)
	placebo, next := n.placebo().filled().look(memory.Placebo, sample, Pass)
	if v.LogPeak >= v.LogThreshold || placebo.Call == Pass {
		v.Call = Pass
	}
	v.Reason = fmt.Sprintf("%s: evidence that it fails less than %v times as often %s, threshold %s", sample.compare(Errors), ratio, figure(v.Evidence()), figure(math.Exp(v.LogThreshold)))
	if placebo.Call == Pass {
		v.Reason += ", and few random relabelings stand out as much"
	}
	if v.Call == Pass {
		v.Reason += fmt.Sprintf(" (a change that harms everybody so much passes with probability at most %.3g %%)", 100*alphaOr(n.Beta))
	}
	v.Missing = sample.missing(v)
	memory.LogPeak, memory.Placebo = v.LogPeak, next
	out, _ := json.Marshal(memory) // finite numbers and JSON always marshal
	return v, out
}
