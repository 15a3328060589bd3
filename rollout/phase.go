package rollout

import "github.com/guidon-go/guidon/strategy"

// phase is the fold of state and plan into the word that people use.
func (m Machine) phase() string {
	s := m.state
	switch {
	case s.Phase == Pending:
		return "pending"
	case s.Phase == Done:
		return s.Outcome.String()
	case s.Phase == Back && s.Held:
		return "rollback held"
	case m.failing():
		return "rollback failing"
	case s.Phase == Back:
		return "rolling back"
	case s.Paused.on():
		return "paused"
	case s.Frozen.on():
		return "frozen"
	}
	switch step := m.current().(type) {
	case strategy.Verify:
		return "validating"
	case strategy.Scale:
		if s.Share == m.route.Floor {
			return "preparing"
		}
		return "scaling"
	case strategy.Mirror:
		return "mirroring"
	case strategy.Shift:
		return "shifting"
	case strategy.Hold:
		switch {
		case step.Approval && !s.Approved && s.Phase == Waiting && (!s.Looked.Before(s.Until) || len(step.Judges) == 0):
			return "awaiting approval"
		case s.Share == strategy.All:
			return "baking"
		case len(step.Judges) > 0:
			return "analysing"
		}
		return "holding"
	}
	return "promoting"
}

// failing says that a step of the way back has failed, and is tried again.
func (m Machine) failing() bool {
	s := m.state
	return s.Phase == Back && !s.Held && (s.Attempt > 1 || !s.Begun && !s.Until.IsZero())
}
