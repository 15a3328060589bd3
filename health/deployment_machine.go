package health

import (
	"fmt"
	"time"
)

// deploymentMachine is where a deployment stands: a pure machine, whose only clock is
// what it is told.
type deploymentMachine struct {
	options    *DeploymentOptions
	generation uint64 // of the deployment: one more with each
	turn       uint64 // one more whenever another version is current
	status     DeploymentStatus
	since      time.Time
	deployed   string // the version of this generation, whatever was rolled back to since
	current    Deployment
	previous   Deployment // what a rollback goes to; without a version there is none
	began      time.Time  // when the current version took its place
	due        time.Time  // when it, or the rollback, has to be done
	took       time.Duration
	ready      bool            // whether the current version has been
	restored   bool            // whether it is what was rolled back to
	sick       map[string]bool // the checks that have been unhealthy since before it began
	well       time.Time       // since when all has been; zero: it is not
	slow       time.Time       // since when P99 has been over its limit; zero: it is not
	signal     string
	signalled  bool
	held       *Cause // why nothing is rolled back
	trigger    *Trigger
	history    []Transition
	news       []deploymentNews
	dropped    uint64
}

// transitionsKept is how much of the history is kept.
const transitionsKept = 100

// place makes a version the current one. Whatever was found of another says nothing of
// it.
func (m *deploymentMachine) place(now time.Time, version Deployment, checks *Report) {
	m.turn++
	m.current, m.began, m.due = version, now, now.Add(m.options.Deadline)
	m.well, m.slow, m.signalled, m.held = time.Time{}, time.Time{}, false, nil
	m.sick = map[string]bool{}
	for _, c := range checks.Checks {
		if c.Status == Unhealthy {
			m.sick[c.Name] = true
		}
	}
}

// step goes on by what was found at now.
func (m *deploymentMachine) step(now time.Time, e deploymentEvidence) {
	if m.status == NoDeployment {
		return
	}
	cause := m.broken(now, e)
	m.time(now, e, cause == nil)
	steady := !m.well.IsZero() && now.Sub(m.well) >= m.options.Steady
	late := !now.Before(m.due)
	switch {
	case m.status == DeploymentFailed:
	case m.status == RollingBack && !(m.restored && steady):
		if late {
			m.become(now, DeploymentFailed, m.deadline(now, e))
		}
	case cause != nil:
		m.fail(now, *cause, e)
	case steady && m.status != DeploymentReady:
		m.become(now, DeploymentReady, m.steady(now, e))
	case late && !m.ready:
		m.fail(now, m.deadline(now, e), e)
	default:
		m.held = nil // there is nothing to roll back for
	}
}

// time notes since when all has been well, without a break.
func (m *deploymentMachine) time(now time.Time, e deploymentEvidence, unbroken bool) {
	switch {
	case !unbroken || !m.passes(e.report):
		m.well = time.Time{}
	case m.well.IsZero() || missed(e.report, m.well):
		m.well = now
	}
}

// fail makes it unhealthy, and asks to roll back unless that was done, nobody wants it,
// or it is not the version.
func (m *deploymentMachine) fail(now time.Time, cause Cause, e deploymentEvidence) {
	ask := m.options.Rollback != nil && m.trigger == nil
	m.held = nil
	if ask {
		m.held = m.elsewhere(e)
	}
	if m.status != DeploymentUnhealthy {
		m.become(now, DeploymentUnhealthy, cause)
	}
	if m.held != nil {
		return // a signal stands until it is heeded
	}
	m.signalled = false
	if !ask {
		return
	}
	m.trigger = &Trigger{Generation: m.generation, From: m.current.Version, To: m.previous.Version, At: now, Cause: cause}
	if m.previous.Version != "" {
		m.become(now, RollingBack, cause)
		m.due = now.Add(m.options.Deadline)
	}
	m.news = append(m.news, deploymentNews{trigger: m.trigger})
}

// become goes to another status and notes why.
func (m *deploymentMachine) become(now time.Time, to DeploymentStatus, cause Cause) {
	if to != DeploymentUnhealthy {
		m.held = nil
	}
	if to == DeploymentReady {
		if m.ready = true; m.took == 0 && !m.restored {
			m.took = now.Sub(m.began)
		}
	}
	t := Transition{Generation: m.generation, Version: m.current.Version, From: m.status, To: to, At: now, Cause: cause, Held: m.held}
	m.status, m.since = to, now
	m.history = keep(m.history, t, transitionsKept)
	m.news = append(m.news, deploymentNews{transition: &t})
}

func (m *deploymentMachine) steady(now time.Time, e deploymentEvidence) Cause {
	return Cause{
		Rule: "steady", Measured: now.Sub(m.well).Seconds(), Limit: m.options.Steady.Seconds(),
		Window: m.options.Steady, Samples: uint64(len(e.report.Checks)),
		Reason: fmt.Sprintf("all well for %v without a break", now.Sub(m.well)),
	}
}

func (m *deploymentMachine) deadline(now time.Time, e deploymentEvidence) Cause {
	what := "not ready"
	if m.status == RollingBack {
		if what = "not rolled back"; m.restored {
			what = "not ready after the rollback"
		}
	}
	since := m.due.Add(-m.options.Deadline)
	checks := e.report.headline()
	for _, c := range e.report.Checks {
		if !c.Optional && !c.Status.well() {
			checks += ", " + c.String()
			break
		}
	}
	return Cause{
		Rule: "deadline", Measured: now.Sub(since).Seconds(), Limit: m.options.Deadline.Seconds(),
		Window: m.options.Deadline, Samples: uint64(len(e.report.Checks)),
		Reason: fmt.Sprintf("%s within %s; checks: %s", what, brief(m.options.Deadline), checks),
	}
}
