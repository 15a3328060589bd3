package health

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/evidence"
)

// Threshold fails a change when the candidate's error rate or latency is over a limit
// and there are enough requests to tell: what most rollouts are watched by, with the
// two mistakes left out that most make, which are to judge by a handful of requests and
// to take silence for health. It looks at the candidate only, at all that it did since
// the rollout began, and keeps nothing between looks, so that what it says can change
// again.
//
// # When not to use it
//
// Its bound holds for one look, and not for many: it is no [Bounded], and has no Alpha
// to share. Looked at every 10 requests, with a limit of 1 %, it failed 27 % of 1,000
// candidates whose error rate was exactly 1 % within 6,000 requests, and 34 % within
// 60,000, against 2.6 % when looked at once, at the end. Of candidates at 0.5 % it
// failed 2.4 %, at 0.2 % none. With Pass it passed 14 % of those at 1 % and none at 1.5 %.
// Use [ErrorLimit] for the same question with a promise, and [FirstFailure] for whether
// it is the change that did it. The latency limit is a mere comparison; it allows for
// no chance at all.
//
// # The method
//
// The error rate is over its limit when the lower end of Wilson's 95 % interval is
// above it (Journal of the American Statistical Association 22, 1927), with at least
// MinFailures failures, and within it when the upper end is not above it. Of 0 failures
// it takes 381 requests to be within 1 %.
//
// At least one limit is required.
type Threshold struct {
	ErrorRate   float64       // the highest share of requests that may fail, between 0 and 1; zero: no limit
	P99         time.Duration // what 99 % of the requests may take, failed ones included; zero: no limit
	MinRequests uint64        // how many requests a verdict takes; zero means 100
	MinFailures uint64        // how many failures a Fail for the error rate takes; zero means 3
	Pass        bool          // say Pass when the candidate is within all limits; otherwise it never does
}

// z95 is the 97.5 % point of the normal distribution.
const z95 = 1.959964

// Validate lists what is wrong with the settings.
func (t Threshold) Validate() error {
	var p complaints
	// Written so that NaN is refused.
	if !(t.ErrorRate >= 0 && t.ErrorRate < 1) {
		p.add("error rate is %v, want between 0 and 1, or 0 for no limit", t.ErrorRate)
	}
	if t.P99 < 0 {
		p.add("p99 is %v, want above 0, or 0 for no limit", t.P99)
	}
	if t.ErrorRate == 0 && t.P99 == 0 {
		p.add("found no limit, want an error rate, a p99 or both")
	}
	return p.err()
}

// Look compares the sample with the limits; with invalid settings it is [Inconclusive].
// The state is handed through.
func (t Threshold) Look(state State, sample Sample) (Verdict, State) {
	if err := t.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	side := sample.Candidate
	n, most := side.Requests(), cmp.Or(t.MinRequests, 100)
	switch {
	case n == 0:
		return Verdict{Missing: NoData, Reason: "candidate has no requests yet"}, state
	case n < most:
		return Verdict{Missing: TooFew, Reason: fmt.Sprintf("candidate has %s, a verdict takes %s", count(n, "request"), group(most))}, state
	}
	var parts []string
	v, within := Verdict{}, true
	if t.ErrorRate > 0 {
		low, high := evidence.Wilson(side.Failures, n, z95)
		if low > t.ErrorRate && side.Failures >= cmp.Or(t.MinFailures, 3) {
			v.Call = Fail
		}
		within = high <= t.ErrorRate
		parts = append(parts, fmt.Sprintf("fails %s of %s (95 %% interval %.3g to %.3g %%), limit %.3g %%", percent(side.Failures, n), count(n, "request"), 100*low, 100*high, 100*t.ErrorRate))
	}
	switch {
	case t.P99 > 0 && side.P99 <= 0:
		v.Missing = NoData
		parts = append(parts, "has no p99")
	case t.P99 > 0:
		if side.P99 > t.P99 {
			v.Call, within = Fail, false
		}
		parts = append(parts, fmt.Sprintf("has a p99 of %s, limit %s", short(side.P99), t.P99))
	}
	switch {
	case v.Call == Fail:
		v.Missing = Present
	case t.Pass && within && v.Missing == Present:
		v.Call = Pass
	}
	v.Reason = "candidate " + strings.Join(parts, ", and ")
	return v, state
}
