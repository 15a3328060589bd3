package rollout

import "github.com/guidon-go/guidon/strategy"

// phase is the fold of state and plan into the word that people use.
func (m Machine) phase() string {
	s := m.state
	switch s.Phase {
	case Pending:
		return "pending"
	case Waiting:
		if len(m.current().(strategy.Hold).Judges) > 0 {
			return "analysing"
		}
		return "holding"
	case Back:
		if s.Attempt > 1 || !s.Begun && !s.Until.IsZero() {
			return "rollback failing"
		}
		return "rolling back"
	case Done:
		return s.Outcome.String()
	}
	switch m.current().(type) {
	case strategy.Verify:
		return "validating"
	case strategy.Shift:
		return "shifting"
	}
	return "promoting"
}
