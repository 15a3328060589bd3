package rollout

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Machine is the whole of a rollout's logic: a fold over its records, which says
// what comes next. It has no clock, no goroutine and no I/O. It is a value: a copy
// goes its own way.
type Machine struct {
	state State
	route *route          // nil while Pending
	back  []strategy.Step // the way back, once it turned round
	// superseded says that it turned round to make room for another rollout, and
	// replaced that another one waits for the end of its way back.
	superseded, replaced bool
	left                 bool // a person has ended it in the middle of its way back
	records              int  // that moved it
}

// route is what a request comes to. It never changes.
type route struct {
	Requested
	judges []string          // of the plan
	must   uint64            // those that EvidenceOfNoHarm asks for a Pass, a bit each
	undo   [][]strategy.Step // the way back from each step; nil for a plan of very many
	last   int               // the last hold with judges: there the promotion is decided
}

// State returns where the rollout stands.
func (m Machine) State() State { return m.state }

// Do is what comes next.
type Do uint8

// What can come next.
const (
	DoRest    Do = iota // nothing: no rollout was requested, or it is over
	DoBegin             // take Effect.Step (again, if it was begun before)
	DoHold              // begin the hold Effect.Step
	DoWait              // nothing before Effect.At, or before somebody acts if that is zero
	DoWatch             // nothing before judges have seen enough, or a person has approved
	DoAdvance           // the hold is over
	DoExpire            // a deadline is over: do what Effect.Then says
	DoFinish            // record the end, Effect.Outcome
)

// Effect is the single thing to do next.
type Effect struct {
	Do      Do            // what kind of thing
	Step    strategy.Step // the step it is about
	At      time.Time     // of DoWait
	Then    Expiry        // of DoExpire
	Why     string        // of DoExpire: which deadline
	Outcome Outcome       // of DoFinish, and of DoRest once it is over
}

// longestRest is the longest that a way back waits before its next attempt.
const longestRest = time.Minute

// Next says what comes next.
func (m Machine) Next(now time.Time) Effect {
	s, step := m.state, m.current()
	switch s.Phase {
	case Forward, Waiting:
		ready := m.ready(now)
		if e := m.due(now, ready); e.Do != DoRest {
			return e
		}
		_, holds := step.(strategy.Hold)
		switch {
		case s.Phase == Waiting && now.Before(s.Until) && !s.Forced:
			return Effect{Do: DoWait, Step: step, At: s.Until}
		case s.Phase == Waiting && !ready:
			return Effect{Do: DoWatch, Step: step}
		case s.Paused.on() && !s.Begun && !(holds && s.Phase == Forward): // a hold does not go forward
			return Effect{Do: DoWait, Step: step, At: s.Paused.Until}
		case s.Frozen.on() && !s.Begun && now.Before(s.Frozen.Until) && !(holds && s.Phase == Forward):
			return Effect{Do: DoWait, Step: step, At: s.Frozen.Until}
		case s.Phase == Waiting:
			return Effect{Do: DoAdvance, Step: step}
		case step == nil:
			return Effect{Do: DoFinish, Outcome: Succeeded}
		case holds:
			return Effect{Do: DoHold, Step: step}
		}
		return Effect{Do: DoBegin, Step: step}
	case Back:
		switch {
		case step == nil:
			return Effect{Do: DoFinish, Outcome: m.ended()}
		case !s.Begun && now.Before(s.Until) && s.Until.Sub(now) <= 2*longestRest: // or the clock was put back
			return Effect{Do: DoWait, Step: step, At: s.Until}
		}
		return Effect{Do: DoBegin, Step: step}
	}
	return Effect{Do: DoRest, Outcome: s.Outcome}
}

// ready says whether the hold has all it waits for but the word of a person that
// pauses it, or of a freeze.
func (m Machine) ready(now time.Time) bool {
	s := m.state
	hold, holds := m.current().(strategy.Hold)
	switch {
	case s.Phase != Waiting || !holds:
		return true
	case s.Forced:
		return true
	case now.Before(s.Until), hold.Approval && !s.Approved:
		return false
	case len(hold.Judges) == 0:
		return true
	case s.Looked.Before(s.Until), s.Exposed < s.ExposedBefore+uint64(hold.Exposed):
		return false
	}
	return m.route.Promotion == NoHarmSeen || s.Step != m.route.last || s.passed&m.route.must == m.route.must
}

// Apply folds one record in. A record that cannot follow is an error, and changes
// nothing; one of an older generation is dropped.
func (m *Machine) Apply(r Record) error {
	if m.stale(r) {
		return nil
	}
	next := *m
	if err := next.apply(r); err != nil {
		return fmt.Errorf("%s after %v: %w", r.Kind, m.state, err)
	}
	next.records++
	*m = next
	return nil
}

var errOutOfPlace = errors.New("cannot follow")

func (m *Machine) apply(r Record) error {
	s := &m.state
	if r.Generation != s.Generation {
		return fmt.Errorf("generation %d, want %d: %w", r.Generation, s.Generation, errOutOfPlace)
	}
	switch r.Kind {
	case KindBegun, KindDone, KindFailed, KindWaiting:
		if r.Step != s.Step {
			return fmt.Errorf("step %d, want %d: %w", r.Step, s.Step, errOutOfPlace)
		}
	}
	next := m.Next(r.At) // whatever moves it may follow only if it is what comes next
	forward := s.Phase == Forward || s.Phase == Waiting
	switch {
	case r.Kind == KindRequested && s.Phase == Pending && r.Request != nil:
		m.begin(r)
	case r.Kind == KindBegun && next.Do == DoBegin && r.Attempt >= 0:
		s.Begun, s.Attempt, s.Until, s.Held = true, r.Attempt, r.Until, false
		m.allow(r.At)
	case r.Kind == KindDone && (s.Begun || next.Do == DoAdvance || next.Do == DoExpire && next.Then == ThenGoOn && s.Phase == Waiting && !s.Paused.on()):
		m.step(s.Step + 1)
	case r.Kind == KindWaiting && next.Do == DoHold:
		s.Phase, s.Until, s.ExposedBefore = Waiting, r.Until, s.Exposed
		m.counter(next.Step.(strategy.Hold))
		if !s.Looked.Before(r.Until) { // in an earlier hold, before the clock was put back
			s.Looked = time.Time{}
		}
		d := m.route.Deadlines.Progress
		if next.Step.(strategy.Hold).Approval {
			d = m.route.Deadlines.Approval
		}
		s.Deadline = d.after(r.Until)
		if s.Paused.on() { // as if it had begun before the pause
			s.Paused.Since = r.At
		}
	case r.Kind == KindLooked && r.Look != nil && forward:
		return m.looked(r)
	case r.Kind == KindFailed && forward:
		m.turn(r, true)
	case r.Kind == KindFailed && s.Phase == Back && s.Begun:
		s.Begun, s.Until = false, r.Until
	case r.Kind == KindReplaced && forward:
		m.turn(r, false)
	case r.Kind == KindPaused && forward && !s.Paused.on():
		m.pause(r)
	case r.Kind == KindFrozen && forward:
		m.thaw(r.At)
		s.Frozen = Stop{Since: r.At, Until: r.Until, Reason: r.Reason, Actor: r.Actor}
		m.putOff(r.Until.Sub(r.At))
	case r.Kind == KindReplaced && s.Phase == Back && !m.replaced:
		m.replaced = true
		m.hurry()
	case r.Kind == KindHeld && s.Phase == Back && !s.Begun && s.Automatic && !s.regardless:
		s.Held, s.Until = true, r.Until
	case r.Kind == KindActed && r.Act != nil:
		return m.act(r)
	case r.Kind == KindFinished && next.Do == DoFinish:
		s.Phase, s.Outcome = Done, next.Outcome
		if s.Outcome == Succeeded {
			s.Reason, s.Actor = r.Reason, r.Actor
		}
	default:
		return errOutOfPlace
	}
	return nil
}

// interrupts says whether what has been done since a state makes what is under way
// pointless: it has turned round, a person promotes what a gate is asked about, or sends it back
// whether or not the old version is better.
func (m *Machine) interrupts(before State) bool {
	s := m.state
	_, gates := m.current().(strategy.Verify)
	return s.Generation != before.Generation || gates && s.Forced && !before.Forced || s.regardless && !before.regardless && !s.Begun
}

// stale is a late answer: it belongs to a direction that the rollout has left.
func (m *Machine) stale(r Record) bool {
	return r.Generation >= 0 && r.Generation < m.state.Generation
}

// begin compiles the request.
func (m *Machine) begin(r Record) {
	q := &route{Requested: *r.Request, judges: r.Request.Plan.Judges(), last: -1}
	const few = 100 // the ways back of a large rolling update would be the square of its steps
	for i, step := range q.Plan.Steps {
		if len(q.Plan.Steps) <= few {
			q.undo = append(q.undo, q.Plan.Undo(i))
		}
		if hold, ok := step.(strategy.Hold); ok && len(hold.Judges) > 0 {
			q.last = i
		}
	}
	for i, name := range q.judges {
		if q.Fails[name] == ThenAbort {
			q.must |= 1 << i
		}
	}
	m.route = q
	s := &m.state
	s.Share, s.Peak, s.Expires = q.Floor, q.Floor, q.Deadlines.Overall.after(r.At)
	s.Phase = Forward
	if q.TakesBack != "" { // the way back is all there is
		s.Phase, s.Reason, s.Actor, s.Expires, s.Peak = Back, r.Reason, r.Actor, time.Time{}, strategy.All
		m.back = q.Plan.Steps
		m.giveUp()
	}
}

// current is the step of the plan or of the way back that is next or under way, or
// nil at its end.
func (m *Machine) current() strategy.Step {
	var steps []strategy.Step
	switch m.state.Phase {
	case Forward, Waiting:
		steps = m.route.Plan.Steps
	case Back:
		steps = m.back
	}
	if m.state.Step >= len(steps) {
		return nil
	}
	return steps[m.state.Step]
}

// watched is the hold whose judges watch now: the current one, or the last one
// before the step.
func (m *Machine) watched() (strategy.Hold, bool) {
	if m.state.Phase == Forward || m.state.Phase == Waiting {
		for i := min(m.state.Step, len(m.route.Plan.Steps)-1); i >= 0; i-- {
			if hold, ok := m.route.Plan.Steps[i].(strategy.Hold); ok {
				return hold, i < m.state.Step || m.state.Phase == Waiting
			}
		}
	}
	return strategy.Hold{}, false
}

// step goes on to a step of the plan or of the way back.
func (m *Machine) step(to int) {
	s := &m.state
	if s.Phase == Waiting {
		s.Phase = Forward
	}
	s.Step, s.Begun, s.Attempt, s.Until, s.Deadline = to, false, 0, time.Time{}, time.Time{}
	s.Approved, s.Frozen = false, Stop{}
}

// allow moves the share as soon as a shift is begun: the journal has said so.
func (m *Machine) allow(at time.Time) {
	s := &m.state
	if shift, ok := m.current().(strategy.Shift); ok {
		if s.Since.IsZero() {
			s.Since = at
		}
		s.Share, s.Peak = shift.To, max(s.Peak, shift.To)
	}
}

// looked takes a judge's look in. The hold's counter tells how many were exposed, and
// its last judge that all have looked.
func (m *Machine) looked(r Record) error {
	s := &m.state
	judges := m.route.judges
	i := slices.Index(judges, r.Look.Watch)
	hold, exposed := m.watched()
	if i < 0 || !exposed {
		return fmt.Errorf("no judge %q watches: %w", r.Look.Watch, errOutOfPlace)
	}
	if i == s.counter {
		if err := s.count(r.Look.Checkpoint.Sample.Candidate.Requests()); err != nil {
			return err
		}
	}
	if r.Look.Watch == hold.Judges[len(hold.Judges)-1] {
		s.Looked = r.At
	}
	s.passed &^= 1 << i
	switch then := m.route.Fails[r.Look.Watch]; {
	case r.Look.Verdict.Call == health.Pass:
		s.passed |= 1 << i
	case r.Look.Verdict.Call != health.Fail || !m.heeds(r.Look.Watch):
	case then == ThenAbort && m.route.Shadow:
		s.Shadowed = r.Reason
	case then == ThenAbort:
		m.turn(r, true)
	default:
		s.doubted |= 1 << i
		if then == ThenPause && !m.route.Shadow {
			m.pause(r)
		}
	}
	return nil
}

// heeds says whether a Fail of this judge would change anything. One that only makes
// it pause does so once: whoever continues it has seen why.
func (m *Machine) heeds(judge string) bool {
	s := m.state
	switch {
	case s.Forced:
		return false
	case m.route.Fails[judge] == ThenAbort:
		return s.Shadowed == ""
	}
	return s.doubted&(1<<slices.Index(m.route.judges, judge)) == 0 && !s.Paused.on()
}
