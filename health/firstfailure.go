package health

import (
	"encoding/json"
	"fmt"
	"math"

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
// users, or a high base rate. It never says Pass. The zero value is ready to use.
type FirstFailure struct {
	Alpha float64 // bound on the probability of failing a harmless change, between 0 and 1; zero means 0.05
}

// firstFailureState is FirstFailure's State.
type firstFailureState struct {
	LogPeak float64 `json:"log_peak"`
}

// Validate says whether Alpha can be used.
func (f FirstFailure) Validate() error {
	// Written so that NaN is refused.
	if alpha := f.alpha(); !(alpha > 0 && alpha < 1) {
		return fmt.Errorf("%w: alpha is %v, want between 0 and 1", ErrInvalid, alpha)
	}
	return nil
}

// Look computes the evidence of the sample. It says [Fail] from the first look on
// at which the evidence has reached 1/Alpha, also if it sinks again later, and
// [Inconclusive] otherwise; with an invalid Alpha always the latter.
func (f FirstFailure) Look(state State, sample Sample) (Verdict, State) {
	if err := f.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	var process evidence.Process
	for _, first := range sample.Firsts {
		process.Add(evidence.Coins(first))
	}
	var memory firstFailureState
	if json.Unmarshal(state, &memory) != nil {
		memory = firstFailureState{} // a lost peak can only make Fail rarer
	}
	v := Verdict{LogE: process.LogE(), LogThreshold: -math.Log(f.alpha())}
	v.LogPeak = max(memory.LogPeak, v.LogE)
	if v.LogPeak >= v.LogThreshold {
		v.Call = Fail
	}
	v.Reason = f.reason(v, sample)
	memory.LogPeak = v.LogPeak
	next, _ := json.Marshal(memory) // one finite float always marshals
	return v, next
}

// WithAlpha is the same judge with another Alpha.
func (f FirstFailure) WithAlpha(alpha float64) Bounded {
	f.Alpha = alpha
	return f
}

func (f FirstFailure) alpha() float64 {
	if f.Alpha == 0 {
		return 0.05
	}
	return f.Alpha
}

func (f FirstFailure) reason(v Verdict, s Sample) string {
	rates := "candidate has no requests yet"
	if n := s.Candidate.Requests(); n > 0 {
		rates = fmt.Sprintf("candidate fails %s of %s", percent(s.Candidate.Failures, n), count(n, "request"))
	}
	if n := s.Baseline.Requests(); n > 0 {
		rates += fmt.Sprintf(", baseline %s of %s", percent(s.Baseline.Failures, n), group(n))
	} else {
		rates += ", baseline has none"
	}
	now := "evidence " + figure(v.Evidence())
	if v.Call == Fail && v.LogE < v.LogThreshold {
		now = fmt.Sprintf("evidence reached %s and is now %s", figure(math.Exp(v.LogPeak)), figure(v.Evidence()))
	}
	text := fmt.Sprintf("%s: %s, threshold %s", rates, now, figure(1/f.alpha()))
	if v.Call == Fail {
		text += fmt.Sprintf(" (a harmless change is rolled back with probability at most %.3g %%)", 100*f.alpha())
	}
	return text
}
