package health

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/guidon-go/guidon/internal/evidence"
)

// ErrorLimit fails a change when the candidate's error rate is above a limit, such as
// a service level objective allows. It looks at the candidate only, so it also finds
// what both sides suffer from, and says nothing of who is to blame: in an incident of
// the whole service it rolls back a change that has nothing to do with it. Where the
// question is whether the change did it, use [FirstFailure].
//
// # The promise
//
// If each request of the candidate fails with a probability of at most Rate, whatever
// the requests before it did, then the probability of ever saying Fail is at most
// Alpha, however often one looks. The error rate may move, as long as it stays below.
//
// Failures in bursts are not like that: after one failure, the next is nearly certain.
// At a rate of exactly the limit, and an Alpha of 5 %, it failed 39 % of 1,000 rollouts
// where failures came in bursts of 3, 54 % in bursts of 10, and 3 % where they were
// independent. Leave the limit some air, or count each burst as one outcome.
//
// # The method
//
// Six bets that the rate is 1.25, 1.5, 2, 3, 5 and 10 times the limit (those of 100 %
// and above are left out) multiply their stakes by the ratio of likelihoods, q/m for a
// failure and (1-q)/(1-m) for a success; E is their mean wealth, which depends on the
// totals only, and reaches 1/Alpha with probability at most Alpha (Ville, 1939; Wald,
// Sequential Analysis, 1947; Robbins, Annals of Mathematical Statistics 41, 1970).
//
// Of a limit of 1 %, a rate of 5 % was found after 90 requests and one of 2 % after 830,
// half of the time. It never says Pass. Rate is required.
type ErrorLimit struct {
	Rate  float64 // the highest error rate that is still well, above 0 and at most 0.5: 0.01 is one request in 100
	Alpha float64 // bound on the probability of failing a candidate that keeps to Rate, between 0 and 1; zero means 0.05
}

// errorLimitState is ErrorLimit's State.
type errorLimitState struct {
	LogPeak float64 `json:"log_peak"`
}

// Validate lists what is wrong with the settings.
func (l ErrorLimit) Validate() error {
	var p complaints
	// Written so that NaN is refused.
	if !(l.Rate > 0 && l.Rate <= 0.5) {
		p.add("rate is %v, want above 0 and at most 0.5", l.Rate)
	}
	p.alpha("alpha", l.Alpha)
	return p.err()
}

// Look computes the evidence of the sample. It says [Fail] from the first look on at
// which the evidence has reached 1/Alpha, also if it sinks again later, and
// [Inconclusive] otherwise; with invalid settings always the latter.
func (l ErrorLimit) Look(state State, sample Sample) (Verdict, State) {
	if err := l.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	var memory errorLimitState
	if json.Unmarshal(state, &memory) != nil {
		memory = errorLimitState{} // a lost peak can only make Fail rarer
	}
	side := sample.Candidate
	v := Verdict{LogE: evidence.OneSample(side.Failures, side.Requests(), l.Rate), LogThreshold: -math.Log(alphaOr(l.Alpha))}
	memory.LogPeak = max(memory.LogPeak, v.LogE)
	v.LogPeak = memory.LogPeak
	fails := "has no requests yet"
	if n := side.Requests(); n > 0 {
		fails = fmt.Sprintf("fails %s of %s", percent(side.Failures, n), count(n, "request"))
	}
	v.Reason = fmt.Sprintf("candidate %s, limit %.3g %%: evidence %s", fails, 100*l.Rate, wealth(v))
	switch {
	case v.LogPeak >= v.LogThreshold:
		v.Call = Fail
		v.Reason += fmt.Sprintf(" (a candidate that keeps to the limit is rolled back with probability at most %.3g %%, if requests are independent)", 100*alphaOr(l.Alpha))
	case side.Requests() == 0:
		v.Missing = NoData
	}
	next, _ := json.Marshal(memory) // one finite float always marshals
	return v, next
}

// WithAlpha is the same judge with another Alpha.
func (l ErrorLimit) WithAlpha(alpha float64) Bounded {
	l.Alpha = alpha
	return l
}
