package health

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

// FirstFailure fails a change when more units fail for the first time on the
// candidate side than the hash can explain. It works on failures alone, reacts
// within seconds, and may look after every single request.
//
// # The promise
//
// If the change does nothing (no request's outcome, timing or arrival depends on
// whether it was exposed), then over the whole rollout, however often one looks,
// the probability of ever saying Fail is at most Alpha. Nothing is assumed about
// the traffic: users may be few, heavy or chronically broken, failures may come
// in bursts and retries, and the service may have incidents and daily patterns.
// What is random is the hash that assigned the slots, not the traffic.
//
// It rests on this, which the host has to see to:
//   - The ramp's salt is drawn for this rollout and used by nothing else. A
//     rollout that starts anew after a rollback draws a new one.
//   - [Outcome.Unit] is the unit that was hashed into the slot: the user where the
//     ramp is by user, the tenant where it is by tenant, and never the request.
//   - [Outcome.Ramp] is the ramp by which that request was decided.
//   - Outcomes are recorded alike on both sides, those that never arrive included.
//   - The ramp moves by time, by total traffic, by this verdict or by failures
//     seen; not by how much latency the candidate had. Package rollout makes one
//     exception, which is outside the proof and measured by simulation only: a step
//     up also waits for a minimum of requests in the candidate.
//   - One rollout has one Cohorts. Several processes, or several metrics, each
//     with its own Cohorts, share Alpha between them; their evidence must not be
//     multiplied.
//
// It is a statement about changes that do nothing, not about equal averages: a
// change that moves failures from a few users to many is flagged. For changes
// that help some units and hurt none, the same bound is proved for a ramp that
// stays where it is.
//
// # The method
//
// A unit that fails for the first time reveals its slot: a coin whose bias is the
// ramp, w. Betting that a coin comes up "candidate" psi times as often as chance
// has it multiplies the stake by psi/(1-w+w*psi) if it does and by 1/(1-w+w*psi)
// if not, which is fair. E is the mean wealth of six such bets (psi = 1.25, 1.5, 2,
// 3, 5 and 10), a nonnegative martingale that starts at 1, so it ever reaches
// 1/Alpha with probability at most Alpha (Ville, Étude critique de la notion de
// collectif, 1939). Only the randomness of the assignment is used, as in Fisher's
// randomisation test (The Design of Experiments, 1935). A unit found in the
// baseline that fails again at a higher ramp is a coin once more, on the part of
// the slots not yet ruled out. The product over first failures is the relative,
// by design instead of by model, of the anytime-valid logrank test (ter Schure,
// Pérez-Ortiz, Ly and Grünwald, New England Journal of Statistics in Data
// Science 2(2), 2024).
//
// It has little power where most units fail anyway, since a unit counts once: few
// users, or a high base rate; [Placebo] has. It never says Pass. The zero value is
// ready to use.
//
// Of [Latency] it looks at the first outcome of each unit that is slower than the
// last of [CohortsOptions.Slow]; the promise and the method are the same.
//
// In strict mode ([CohortsOptions.Strict]) each step of the ramp is judged by its
// own coins at its share of Alpha, and whatever steers the ramp, as long as it only
// rises, cannot hurt.
type FirstFailure struct {
	Alpha float64 // bound on the probability of failing a harmless change, between 0 and 1; zero means 0.05
	Of    Signal  // Errors or Latency
	// Margin is harm that is tolerated, as a ratio of hazards: at 1.5 a change may
	// make the first failure of every unit one and a half times as likely. Zero and
	// 1 mean none. With a margin the promise is about changes within it, and assumes
	// that such hazards exist; it is no longer the hash alone.
	Margin float64
}

// firstFailureState is FirstFailure's State.
type firstFailureState struct {
	LogPeak float64 `json:"log_peak"`
}

// Validate lists what is wrong with the settings.
func (f FirstFailure) Validate() error {
	var p complaints
	p.alpha("alpha", f.Alpha)
	if f.Of != Errors && f.Of != Latency {
		p.add("of is %v, want errors or latency", f.Of)
	}
	if f.Margin != 0 && !(f.Margin >= 1 && f.Margin <= 100) {
		p.add("margin is %v, want 1 to 100", f.Margin)
	}
	return p.err()
}

// Look computes the evidence of the sample. It says [Fail] from the first look on
// at which the evidence has reached 1/Alpha, also if it sinks again later, and
// [Inconclusive] otherwise; with invalid settings always the latter.
func (f FirstFailure) Look(state State, sample Sample) (Verdict, State) {
	if err := f.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	if f.Of == Latency && len(sample.Options.Slow) == 0 {
		return Verdict{Reason: noThresholds, Missing: NoData}, state
	}
	var memory firstFailureState
	if json.Unmarshal(state, &memory) != nil {
		memory = firstFailureState{} // a lost peak can only make Fail rarer
	}
	logE := f.logE(sample)
	v := Verdict{LogE: logE, LogThreshold: math.Log(float64(max(sample.Options.Strict, 1)) / alphaOr(f.Alpha))}
	v.LogPeak = max(memory.LogPeak, v.LogE)
	if v.LogPeak >= v.LogThreshold {
		v.Call = Fail
	}
	v.Reason, v.Missing = f.reason(v, sample), sample.missing(v)
	memory.LogPeak = v.LogPeak
	next, _ := json.Marshal(memory) // one finite float always marshals
	return v, next
}

// logE is the evidence of all coins, or in strict mode of the step that has most.
func (f FirstFailure) logE(sample Sample) float64 {
	firsts, strict := sample.Firsts, sample.Options.Strict
	if f.Of == Latency {
		firsts = sample.Slow.Firsts
	}
	fresh := func() *evidence.Process { return evidence.Beyond(max(f.Margin, 1)) }
	if strict == 0 {
		process := fresh()
		for _, first := range firsts {
			process.Add(evidence.Coins(first))
		}
		return process.LogE()
	}
	steps := make(map[int32]*evidence.Process)
	top := math.Inf(-1)
	for _, first := range firsts { // ascending: of more steps than there should be, the first ones count
		if steps[first.Ramp] == nil {
			if len(steps) == strict {
				break
			}
			steps[first.Ramp] = fresh()
		}
		steps[first.Ramp].Add(evidence.Coins(first))
		top = max(top, steps[first.Ramp].LogE())
	}
	if len(steps) == 0 {
		return 0
	}
	return top
}

// WithAlpha is the same judge with another Alpha.
func (f FirstFailure) WithAlpha(alpha float64) Bounded {
	f.Alpha = alpha
	return f
}

func (f FirstFailure) reason(v Verdict, s Sample) string {
	now := "evidence " + figure(v.Evidence())
	if v.Call == Fail && v.LogE < v.LogThreshold {
		now = fmt.Sprintf("evidence reached %s and is now %s", figure(math.Exp(v.LogPeak)), figure(v.Evidence()))
	}
	text := fmt.Sprintf("%s: %s, threshold %s", s.compare(f.Of), now, figure(math.Exp(v.LogThreshold)))
	if v.Call == Fail {
		text += promise(f.Alpha)
	}
	return text
}

// missing says that there is nothing on one of the sides, unless the call is made.
func (s Sample) missing(v Verdict) Missing {
	if v.Call == Inconclusive && (s.Candidate.Requests() == 0 || s.Baseline.Requests() == 0) {
		return NoData
	}
	return Present
}

// compare sets the two sides beside each other, as far as a signal goes.
func (s Sample) compare(of Signal) string {
	n, m := s.Candidate.Requests(), s.Baseline.Requests()
	switch {
	case of == Traffic && n+m > 0:
		expected := ""
		if len(s.Tables) > 0 {
			expected = fmt.Sprintf(", the ramp is at %s", percent(uint64(s.Tables[len(s.Tables)-1].Ramp), bucket.Slots))
		}
		return fmt.Sprintf("candidate has %s of the requests (%s of %s)%s", percent(n, n+m), group(n), group(n+m), expected)
	case n == 0 && m == 0:
		return "candidate has no requests yet, baseline has none"
	case n == 0:
		return fmt.Sprintf("candidate has no requests yet, baseline fails %s of %s", percent(s.Baseline.Failures, m), group(m))
	case of == Latency && m > 0:
		return fmt.Sprintf("candidate takes %s (p50) and %s (p99) in %s, baseline %s and %s in %s", short(s.Candidate.P50), short(s.Candidate.P99), count(n, "request"), short(s.Baseline.P50), short(s.Baseline.P99), group(m))
	case of == Latency:
		return fmt.Sprintf("candidate takes %s (p50) and %s (p99) in %s, baseline has none", short(s.Candidate.P50), short(s.Candidate.P99), count(n, "request"))
	case m == 0:
		return fmt.Sprintf("candidate fails %s of %s, baseline has none", percent(s.Candidate.Failures, n), count(n, "request"))
	}
	return fmt.Sprintf("candidate fails %s of %s, baseline %s of %s", percent(s.Candidate.Failures, n), count(n, "request"), percent(s.Baseline.Failures, m), group(m))
}

// promise is what a Fail is worth.
func promise(alpha float64) string {
	return fmt.Sprintf(" (a harmless change is rolled back with probability at most %.3g %%)", 100*alphaOr(alpha))
}

const noThresholds = "no data: the cohorts have no thresholds of latency"

// alphaOr is alpha, or the usual 5 %.
func alphaOr(alpha float64) float64 {
	if alpha == 0 {
		return 0.05
	}
	return alpha
}
