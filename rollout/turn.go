package rollout

import (
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// turn begins the way back. From now on the journal allows no more than it had at
// the start, whether or not anybody has acted on it. Past a point of no return it
// waits for a person instead, or lets another rollout take over as it is.
func (m *Machine) turn(r Record, automatic bool) {
	s := &m.state
	replaced, gone := r.Kind == KindReplaced, m.gone()
	if gone && !replaced {
		if s.Paused.on() { // it waits for a person already
			m.useUp(r.At)
			return
		}
		r.Reason += " (there is no way back: past the point of no return)"
		m.pause(r)
		return
	}
	m.back, m.superseded, m.replaced = nil, replaced, replaced
	if !gone {
		m.back = m.wayBack()
	}
	m.step(0)
	s.Phase, s.Reason, s.Actor, s.Automatic = Back, r.Reason, r.Actor, automatic
	s.Paused, s.Frozen, s.Forced, s.Held, s.regardless = Stop{}, Stop{}, false, false, false
	s.Generation++
	m.giveUp()
}

// wayBack is the way back from where it stands. One that has turned round before may
// have begun anew while somebody was exposed still, or copied: it takes back all there is.
func (m *Machine) wayBack() []strategy.Step {
	at, plan := m.state.Step, m.route.Plan
	again := m.state.Generation > 0
	if again {
		at = len(plan.Steps) - 1
	}
	var back []strategy.Step
	if at < len(m.route.undo) {
		back = m.route.undo[at]
	} else {
		back = plan.Undo(at)
	}
	for _, step := range plan.Steps {
		if mirror, ok := step.(strategy.Mirror); ok && again { // which the plan ends long before its own end
			return append([]strategy.Step{strategy.Mirror{From: mirror.To, To: mirror.From}}, back...)
		}
	}
	return back
}

// gone says that the rollout is past a point of no return.
func (m *Machine) gone() bool {
	at := m.state.Step
	if m.state.Phase == Forward && !m.state.Begun {
		at--
	}
	return !m.route.Plan.Returns(at)
}

// giveUp allows no more than the way back ends at.
func (m *Machine) giveUp() {
	for _, step := range m.back {
		if shift, ok := step.(strategy.Shift); ok {
			m.state.Share = shift.To
		}
	}
}

// ended is the outcome at the end of the way back.
func (m Machine) ended() Outcome {
	switch {
	case m.left:
		return Failed
	case m.superseded:
		return Superseded
	case m.state.Peak <= m.route.Floor && m.route.TakesBack == "":
		return Cancelled
	}
	return RolledBack
}

// hurry makes a way back begin at once, whether or not the old version is better.
func (m *Machine) hurry() {
	s := &m.state
	s.Held, s.regardless = false, true
	if !s.Begun {
		s.Until = time.Time{}
	}
}
