package health

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/guidon-go/guidon/internal/evidence"
)

// Comparison fails a change when the requests of the candidate fail more often than
// those of the baseline. It counts requests, not users, so it is for requests that
// are independent of one another, and for nothing else: jobs, say, or a ramp that
// draws anew for each request. It needs no unit, no slot and no salt, only the totals
// of both sides, and it can say Pass.
//
// # When not to use it
//
// Where users are let in, and not requests, use [FirstFailure]. Users retry, and some
// always fail; then the requests of one side stand and fall together, and the promise
// below is broken many times over. Of 600 harmless rollouts by user at an Alpha of 5 %
// it rolled back 34 to 56 % where failures came in bursts of 3 to 10, and 14 to 26 %
// where 1 % of the users failed chronically. Where each request was its own user it
// was 2 to 4 %. A Margin of 1.2 to 1.5 helps against lasting differences between
// users, but not against bursts.
//
// # The promise
//
// If each request fails independently of the others, with odds in the candidate that
// are at most Margin times those in the baseline, then the probability of ever saying
// Fail is at most Alpha, however often one looks. If they are at least PassRatio times
// those in the baseline, the probability of ever saying Pass is at most Beta. The
// error rate that both sides share may be anything, and other at each look: incidents
// and daily patterns do no harm.
//
// It rests on this, besides the independence:
//   - Between two looks the ramp and the shared error rate stand still; what moves
//     from one look to the next does no harm. So look often, and from the start: with
//     a fresh state, all that the cohorts have seen is one interval.
//   - It looks by the clock, by requests or by failures of both sides together; not
//     whenever the candidate fails.
//   - A state goes with its cohorts and its settings. When a total has gone backwards,
//     after a restart or because the cohorts are others, that look only notes where
//     the totals are now: what came since the last look is not counted, nothing is
//     counted twice, and the evidence so far stays. A restart that the totals have
//     made up for by the next look cannot be seen.
//
// # The method
//
// The requests since the last look are one interval. Given how many each side had in
// it and how many failed altogether, the number that failed in the candidate follows
// a hypergeometric distribution in which the common error rate no longer occurs. Six
// bets on odds ratios of 1.25, 1.5, 2, 3, 5 and 10 times Margin multiply their stakes by
// the ratio of likelihoods, which is fair at Margin and unfavourable below it; E is
// their mean wealth, and reaches 1/Alpha with probability at most Alpha (Ville, 1939).
// Pass is the same against PassRatio, with bets on 1, 0.8 and 0.5. The exact
// distribution is used, up to a million failures in one interval, and beyond it a bound
// that costs some power. See Turner, Ly and Grünwald, Generic E-variables for Exact
// Sequential k-Sample Tests (Journal of Statistical Planning and Inference 230, 2024);
// Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data (NeurIPS 2022).
//
// An interval in which one side has no requests says nothing, and one of n requests
// loses 1/n of what they could say. So at a look that finds fewer than 20 new requests
// the interval stays open until the next.
//
// At an error rate of 1 % and a ramp of 10 %, fivefold harm was found after 1,000
// requests and twofold harm after 9,500, half of the time; that a harmless change is no
// twofold harm after 9,600, and that it is none of 1.5 after 24,000.
//
// The zero value is ready to use, and never says Pass. Under [Shared], one with a
// PassRatio belongs in its Pass; among its Judges leave it out.
type Comparison struct {
	Alpha     float64 // bound on the probability of failing a harmless change, between 0 and 1; zero means 0.05
	Margin    float64 // the odds ratio, candidate to baseline, up to which a change is harmless: 1 to 100; zero means 1
	PassRatio float64 // the odds ratio from which on a change must not pass: above 1 up to 100; zero: never say Pass
	Beta      float64 // bound on the probability of passing such a change, between 0 and 1; zero means 0.05
}

// comparisonState is Comparison's State.
type comparisonState struct {
	Candidate  Side            `json:"candidate"` // how far the totals are counted; without latencies
	Baseline   Side            `json:"baseline"`
	Harm       evidence.Harm   `json:"harm"`
	LogPeak    float64         `json:"log_peak"`
	NoHarm     evidence.NoHarm `json:"no_harm,omitzero"`
	NoHarmPeak float64         `json:"no_harm_peak,omitzero"`
}

// shortest is how many requests an interval has at least.
const shortest = 20

// Validate lists what is wrong with the settings.
func (c Comparison) Validate() error {
	// Written so that NaN is refused.
	var p complaints
	p.alpha("alpha", c.Alpha)
	if c.Margin != 0 && !(c.Margin >= 1 && c.Margin <= 100) {
		p.add("margin is %v, want 1 to 100", c.Margin)
	}
	if ratio := c.PassRatio; ratio != 0 && !(ratio > 1 && ratio <= 100) {
		p.add("pass ratio is %v, want above 1 up to 100, or 0 for never", ratio)
	}
	p.alpha("beta", c.Beta)
	return p.err()
}

// Look adds what has come since the last look to the evidence. It says [Fail] from the
// first look on at which the evidence of harm has reached 1/Alpha, [Pass] from the
// first at which that of no harm has reached 1/Beta, Fail if both have, and
// [Inconclusive] otherwise; with invalid settings always the latter. The figures of the
// verdict are those of no harm with Pass, and those of harm otherwise.
func (c Comparison) Look(state State, sample Sample) (Verdict, State) {
	if err := c.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	var memory comparisonState
	if json.Unmarshal(state, &memory) != nil {
		memory = comparisonState{}
	}
	memory.count(sample, max(c.Margin, 1), c.PassRatio)

	v := Verdict{LogE: memory.Harm.LogE(), LogThreshold: -math.Log(alphaOr(c.Alpha))}
	memory.LogPeak = max(memory.LogPeak, v.LogE)
	v.LogPeak = memory.LogPeak
	pass := Verdict{Call: Pass, LogE: memory.NoHarm.LogE(), LogThreshold: -math.Log(alphaOr(c.Beta))}
	memory.NoHarmPeak = max(memory.NoHarmPeak, pass.LogE)
	pass.LogPeak = memory.NoHarmPeak
	reason := c.reason(v, pass, sample)
	switch {
	case v.LogPeak >= v.LogThreshold:
		v.Call = Fail
		reason += c.promise()
	case c.PassRatio > 0 && pass.LogPeak >= pass.LogThreshold:
		v = pass
		reason += c.passPromise()
	case sample.Candidate.Requests() == 0 || sample.Baseline.Requests() == 0:
		v.Missing = NoData
	}
	v.Reason = reason
	next, _ := json.Marshal(memory) // finite floats always marshal
	return v, next
}

// count closes the interval since the last look, if it is long enough.
func (m *comparisonState) count(sample Sample, margin, passRatio float64) {
	candidate, baseline := sample.Candidate.counts(), sample.Baseline.counts()
	if backwards(m.Candidate, candidate) || backwards(m.Baseline, baseline) {
		m.Candidate, m.Baseline = candidate, baseline
		return
	}
	t := evidence.Table{
		CandidateFailures: candidate.Failures - m.Candidate.Failures,
		Candidate:         candidate.Requests() - m.Candidate.Requests(),
		BaselineFailures:  baseline.Failures - m.Baseline.Failures,
		Baseline:          baseline.Requests() - m.Baseline.Requests(),
	}
	// Decided by both sides together, so that it cannot bend the comparison.
	if t.Candidate+t.Baseline < shortest {
		return
	}
	m.Candidate, m.Baseline = candidate, baseline
	m.Harm.Add(t, margin)
	if passRatio > 0 {
		m.NoHarm.Add(t, passRatio)
	}
}

// counts is the side without its latencies.
func (s Side) counts() Side { return Side{Successes: s.Successes, Failures: s.Failures} }

func backwards(then, now Side) bool {
	return now.Successes < then.Successes || now.Failures < then.Failures
}

// WithAlpha is the same judge with another Alpha.
func (c Comparison) WithAlpha(alpha float64) Bounded {
	c.Alpha = alpha
	return c
}

func (c Comparison) reason(harm, noHarm Verdict, s Sample) string {
	text := fmt.Sprintf("%s: evidence %s", s.compare(Errors), wealth(harm))
	if c.PassRatio > 0 {
		text += "; of no harm " + wealth(noHarm)
	}
	return text
}

// promise is what a Fail is worth.
func (c Comparison) promise() string {
	harmless := "a harmless change"
	if c.Margin > 1 {
		harmless = fmt.Sprintf("a change that makes the odds of failing up to %.3g times as high", c.Margin)
	}
	return fmt.Sprintf(" (%s is rolled back with probability at most %.3g %%, if requests are independent)", harmless, 100*alphaOr(c.Alpha))
}

// passPromise is what a Pass is worth.
func (c Comparison) passPromise() string {
	return fmt.Sprintf(" (a change that makes the odds of failing %.3g times as high or higher passes with probability at most %.3g %%, if requests are independent)",
		c.PassRatio, 100*alphaOr(c.Beta))
}

// wealth writes evidence, its peak where that is what decides, and the threshold.
func wealth(v Verdict) string {
	now := figure(v.Evidence())
	if v.LogE < v.LogThreshold && v.LogPeak >= v.LogThreshold {
		now = fmt.Sprintf("reached %s and is now %s", figure(math.Exp(v.LogPeak)), now)
	}
	return now + ", threshold " + figure(math.Exp(v.LogThreshold))
}
