package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// rule is what made the machine take a record that stops it or turns it round.
func (m Machine) rule(r Record) string {
	s := m.state
	if e := m.Next(r.At); s.Phase != Pending && e.Do == DoExpire && strings.HasPrefix(r.Reason, e.Why) {
		hold, _ := e.Step.(strategy.Hold)
		name := "progress"
		switch {
		case !s.Expires.IsZero() && !r.At.Before(s.Expires):
			name = "overall"
		case s.Paused.on():
			name = "pause"
		case hold.Approval:
			name = "approval"
		}
		return fmt.Sprintf("deadline %s: %v", name, e.Then)
	}
	switch r.Kind {
	case KindRequested:
		return "act " + string(RollBack)
	case KindActed:
		return "act " + string(r.Act.Kind)
	case KindReplaced:
		return "overlap: supersede"
	case KindHeld:
		return "stable"
	case KindFrozen: // the engine's words, see Engine.frozen
		switch name, of, _ := strings.Cut(r.Reason, ": "); name {
		case "freeze":
			return "freeze " + of
		case "cooldown":
			return name
		}
		return "rollbacks per hour"
	}
	if r.Actor != actor && r.Actor != "" { // a judge or an alarm
		return r.Actor
	}
	step, gates := m.current().(strategy.Verify)
	switch {
	case gates && r.Kind == KindPaused:
		return "doubt: pause"
	case gates && len(step.Gates) == 1:
		return "gate " + step.Gates[0]
	case gates:
		return "gates " + strings.Join(step.Gates, ", ")
	}
	return "target"
}

// waits says what a hold waits for, if the new side has had so many requests.
func (m Machine) waits(now time.Time, exposed uint64) string {
	s := m.state
	hold, _ := m.current().(strategy.Hold)
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if now.Before(s.Until) {
		add("its time is over at %s", s.Until.Format(time.TimeOnly))
	}
	if seen := exposed - min(s.ExposedBefore, exposed); seen < uint64(hold.Exposed) {
		add("this hold has %d of %d requests on the new side", seen, hold.Exposed)
	} else if len(hold.Judges) > 0 && !now.Before(s.Until) && s.Looked.Before(s.Until) {
		add("the judges have to look once more")
	}
	if m.route.Promotion == EvidenceOfNoHarm && s.Step == m.route.last && s.passed&m.route.must != m.route.must {
		var missing []string
		for i, name := range m.route.judges {
			if m.route.must&(1<<i) != 0 && !m.passed(name) {
				missing = append(missing, name)
			}
		}
		add("no evidence of no harm yet from judge %s", strings.Join(missing, ", "))
	}
	if hold.Approval && !s.Approved {
		add("a person has to approve it")
	}
	if len(parts) == 0 {
		add("nothing keeps it but what stands below")
	}
	if !s.Deadline.IsZero() {
		add("the deadline is %s", s.Deadline.Format(time.DateTime))
	}
	return strings.Join(parts, "; ")
}

// counter makes one judge count the requests of a hold: of those that watch it, the
// first that the plan names.
func (m *Machine) counter(hold strategy.Hold) {
	for i, name := range m.route.judges {
		if slices.Contains(hold.Judges, name) {
			m.state.uncounted = m.state.uncounted || i != m.state.counter
			m.state.counter = i
			return
		}
	}
}

// counts says whether a judge counts the requests of the hold.
func (m Machine) counts(judge string) bool { return m.route.judges[m.state.counter] == judge }

// count takes in how many requests the judge that counts has seen.
func (s *State) count(seen uint64) error {
	switch {
	case s.uncounted: // its cohorts may be others than those of the judge before it
		s.ExposedBefore, s.uncounted = seen, false
	case seen < s.Exposed:
		return fmt.Errorf("the judge saw %d requests on the new side and the journal has %d already, want the cohorts of Engine.Cohorts: %w", seen, s.Exposed, errOutOfPlace)
	}
	s.Exposed = seen
	return nil
}
