package health

import (
	"fmt"
	"time"

	"github.com/guidon-go/guidon/internal/evidence"
)

// deploymentEvidence is what one look found.
type deploymentEvidence struct {
	report    *Report       // of the checks
	metrics   *Metrics      // of the current version; empty without a window
	span      time.Duration // of its window
	reach     time.Duration // how far back that can look: one step more
	baseline  *Metrics      // of the previous version; nil: it has none
	burn      *Burn         // of the fastest rule; nil: there is none
	unrelated *Report       // nil: nobody was asked
}

// broken is the first rule that the current version breaks.
func (m *deploymentMachine) broken(now time.Time, e deploymentEvidence) *Cause {
	slow := m.options.slow(e.metrics, e.span)
	if slow == nil {
		m.slow = time.Time{}
	} else if m.slow.IsZero() {
		m.slow = now
	}
	unhealthy := m.unhealthy(e.report)
	switch {
	case m.signalled:
		return &Cause{Rule: "signal", Reason: m.signal}
	case unhealthy != nil:
		return unhealthy
	}
	if failing := m.options.fails(e.metrics, e.span); failing != nil {
		return failing
	}
	if slow != nil && now.Sub(m.slow) >= e.reach { // nothing of the window of then is in this one
		slow.Reason += ", and has been since the window before"
		return slow
	}
	if b := e.burn; b != nil && b.Firing && now.Sub(m.began) >= b.Rule.Long {
		rate, _ := b.Long.Rate()
		return &Cause{Rule: "burn rate", Measured: rate, Limit: b.Rule.Factor, Window: b.Rule.Long, Samples: b.Long.Requests, Reason: b.String()}
	}
	return nil
}

// unhealthy finds a check that counts, is unhealthy, and was not when the version began.
func (m *deploymentMachine) unhealthy(r *Report) (cause *Cause) {
	for _, c := range r.Checks {
		switch {
		case c.Status.well():
			delete(m.sick, c.Name)
		case c.Status == Unhealthy && !c.Optional && !m.sick[c.Name] && cause == nil:
			cause = &Cause{
				Rule: "check", Measured: float64(c.Failed), Window: max(c.Last.At.Sub(c.Since), 0), Samples: uint64(len(c.Results)),
				Reason: c.String(),
			}
		}
	}
	return cause
}

// fails says whether the success rate is below its limit beyond doubt.
func (o *DeploymentOptions) fails(m *Metrics, span time.Duration) *Cause {
	n, failures := m.Requests(), m.failures
	if n < o.MinRequests || failures < o.MinFailures {
		return nil
	}
	least, _ := evidence.Wilson(failures, n, z95)
	most := 1 - least
	if most >= o.MinSuccessRate {
		return nil
	}
	return &Cause{
		Rule: "success rate", Measured: 1 - float64(failures)/float64(n), Bound: most, Limit: o.MinSuccessRate, Window: span, Samples: n,
		Reason: fmt.Sprintf("%s of %s fail, so at most %s %% succeed, want %s %%", percent(failures, n), count(n, "request"), figure(100*most), trim(100*o.MinSuccessRate)),
	}
}

// slow says whether P99 is over its limit.
func (o *DeploymentOptions) slow(m *Metrics, span time.Duration) *Cause {
	p99, ok := m.Quantile(0.99)
	if !ok || o.MaxP99 == 0 || m.Requests() < o.MinRequests || p99 <= o.MaxP99 {
		return nil
	}
	return &Cause{
		Rule: "p99", Measured: p99.Seconds(), Limit: o.MaxP99.Seconds(), Window: span, Samples: m.Requests(),
		Reason: fmt.Sprintf("p99 is %s over %s, want at most %s", short(p99), brief(span), brief(o.MaxP99)),
	}
}

// elsewhere asks whether it is not the version that fails.
func (m *deploymentMachine) elsewhere(e deploymentEvidence) *Cause {
	if e.baseline != nil {
		c := m.options.fails(e.baseline, m.previous.Window.span())
		if c == nil {
			c = m.options.slow(e.baseline, m.previous.Window.span())
		}
		if c != nil {
			c.Reason = fmt.Sprintf("the previous version breaks a rule, too: %s: %s", c.Rule, c.Reason)
			c.Rule = "baseline"
			return c
		}
	}
	if e.unrelated == nil {
		return nil
	}
	failing, known := 0, 0
	for _, c := range e.unrelated.Checks {
		switch {
		case c.Status == Unhealthy || c.Status == Skipped:
			failing++
			known++
		case c.Status.well():
			known++
		}
	}
	if 2*failing <= known {
		return nil
	}
	return &Cause{
		Rule: "unrelated", Measured: float64(failing) / float64(known), Limit: 0.5, Samples: uint64(known),
		Reason: fmt.Sprintf("%d of %d checks that have nothing to do with it fail, too", failing, known),
	}
}

// passes says whether every check that counts passes, as far as the version goes: it
// was asked since the version began, unless it is asked so seldom that its results
// outlast a deployment.
func (m *deploymentMachine) passes(r *Report) bool {
	if !r.Status.well() {
		return false
	}
	for _, c := range r.Checks {
		if c.Optional || c.Status == Maintenance {
			continue
		}
		seldom := c.ValidUntil.Sub(c.Last.At) > m.options.Deadline
		if !c.Status.well() || c.Failed > 0 || c.Last.At.Before(m.began) && !seldom {
			return false
		}
	}
	return true
}

// missed says whether a check that counts has failed since a moment, if only once.
func missed(r *Report, since time.Time) bool {
	for _, c := range r.Checks {
		if c.Optional || c.Status == Maintenance {
			continue
		}
		for _, w := range c.Wrong {
			if w.Kind.bad() && w.At.Add(w.Took).After(since) {
				return true
			}
		}
	}
	return false
}
