package rollout

import (
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// due is the deadline that is over, if any is.
func (m Machine) due(now time.Time, ready bool) Effect {
	s, d := m.state, m.route.Deadlines
	over := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case over(s.Expires) && !s.Forced && !(s.Paused.on() && d.Overall.Then == ThenPause):
		return Effect{Do: DoExpire, Step: m.current(), Then: d.Overall.Then, Why: "the rollout takes longer than it may"}
	case s.Paused.on():
		if over(s.Paused.Until) {
			return Effect{Do: DoExpire, Step: m.current(), Then: d.Pause.Then, Why: "the pause takes longer than it may"}
		}
	case s.Phase == Waiting && !ready && over(s.Deadline): // never of one that is promoted: it is ready
		if hold := m.current().(strategy.Hold); hold.Approval {
			return Effect{Do: DoExpire, Step: m.current(), Then: d.Approval.Then, Why: "nobody has approved in time"}
		}
		return Effect{Do: DoExpire, Step: m.current(), Then: d.Progress.Then, Why: "the hold makes no progress"}
	}
	return Effect{}
}

// useUp forgets deadlines that are over: they have had their effect.
func (m *Machine) useUp(at time.Time) {
	s := &m.state
	for _, deadline := range []*time.Time{&s.Expires, &s.Deadline, &s.Paused.Until} {
		if !at.Before(*deadline) {
			*deadline = time.Time{}
		}
	}
}

// pause keeps it from going forward; a deadline that made it is used up.
func (m *Machine) pause(r Record) {
	s := &m.state
	m.useUp(r.At)
	if s.Phase == Forward {
		s.Begun = false // the step is taken again when it goes on
	}
	s.Paused = Stop{Since: r.At, Until: m.route.Deadlines.Pause.after(r.At), Reason: r.Reason, Actor: r.Actor}
}

// thaw ends a freeze before its time, or after it.
func (m *Machine) thaw(at time.Time) {
	if s := &m.state; s.Frozen.on() {
		m.putOff(min(at.Sub(s.Frozen.Until), 0))
		s.Frozen = Stop{}
	}
}

// putOff moves the hold's deadline: the clock stands still in pauses and freezes.
func (m *Machine) putOff(by time.Duration) {
	if s := &m.state; !s.Deadline.IsZero() {
		s.Deadline = s.Deadline.Add(by)
	}
}

// resume ends pauses and freezes. The time that was both has put the hold's deadline
// off already.
func (m *Machine) resume(at time.Time) {
	s := &m.state
	if s.Paused.on() {
		since := s.Paused.Since
		if f := s.Frozen; f.on() && f.Until.After(since) {
			since = f.Until
		}
		m.putOff(max(at.Sub(since), 0))
		s.Paused = Stop{}
	}
	m.thaw(at)
}
