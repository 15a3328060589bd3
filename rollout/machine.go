package rollout

import (
	"errors"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Phase is where a rollout stands.
type Phase uint8

// The phases, all of them.
const (
	Pending Phase = iota // nothing was requested yet
	Forward              // step Step comes next, or was begun
	Waiting              // holding at step Step
	Back                 // step Step of the way back comes next, or was begun
	Done                 // over, with an Outcome
)

// Outcome is how a rollout ended.
type Outcome uint8

// The outcomes. The zero Outcome is a rollout that is not over.
const (
	Unfinished Outcome = iota
	Succeeded
	RolledBack
	Superseded
	Cancelled
)

// String is "rolled back" and the like.
func (o Outcome) String() string {
	return [...]string{"unfinished", "succeeded", "rolled back", "superseded", "cancelled"}[o]
}

// MarshalText writes "rolled_back" and the like.
func (o Outcome) MarshalText() ([]byte, error) {
	return []byte([...]string{"unfinished", "succeeded", "rolled_back", "superseded", "cancelled"}[o]), nil
}

// State is everything that a rollout's records say about where it stands.
type State struct {
	Phase      Phase     // in which part of the plan
	Step       int       // index in the plan, or in the way back
	Begun      bool      // the step was begun, and nothing is known of its end
	Attempt    int       // how often this step was begun
	Until      time.Time // deadline of the step, the hold, or the pause before the next attempt
	Generation int       // how often it turned round
	Outcome    Outcome   // once it is over
	Reason     string    // why it turned round, or ended
	Actor      string    // who made it
	// Share is the most of the traffic that the journal allows the new version.
	Share strategy.Share
	// Peak is the largest Share there ever was.
	Peak strategy.Share
	// Exposed counts the candidate's requests that judges have seen, and
	// ExposedBefore those before the hold began.
	Exposed, ExposedBefore uint64
	// Since is when somebody was exposed for the first time.
	Since time.Time
	// Looked is when a judge last looked.
	Looked time.Time
}

// String is "waiting 3", "back 1", "rolled back": what records call From and To.
func (s State) String() string {
	switch s.Phase {
	case Pending:
		return "pending"
	case Done:
		return s.Outcome.String()
	}
	return fmt.Sprintf("%s %d", [...]string{Forward: "forward", Waiting: "waiting", Back: "back"}[s.Phase], s.Step)
}

// elapsed is for how long somebody has been exposed.
func (s State) elapsed(now time.Time) time.Duration {
	if s.Since.IsZero() {
		return 0
	}
	return max(now.Sub(s.Since), 0)
}

// Machine is the whole of a rollout's logic: a fold over its records, which says
// what comes next. It has no clock, no goroutine and no I/O. It is a value: a copy
// goes its own way.
type Machine struct {
	state State
	plan  strategy.Plan
	back  []strategy.Step
	// replaced says that the way back makes room for another rollout.
	replaced bool
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
	DoWait              // nothing before Effect.At
	DoWatch             // nothing before judges have seen enough of the candidate
	DoAdvance           // the hold is over
	DoFinish            // record the end, Effect.Outcome
)

// Effect is the single thing to do next.
type Effect struct {
	Do      Do            // what kind of thing
	Step    strategy.Step // the step it is about
	At      time.Time     // of DoWait
	Outcome Outcome       // of DoFinish, and of DoRest once it is over
}

// Next says what comes next.
func (m Machine) Next(now time.Time) Effect {
	s, step := m.state, m.current()
	switch s.Phase {
	case Forward:
		switch step.(type) {
		case nil:
			return Effect{Do: DoFinish, Outcome: Succeeded}
		case strategy.Hold:
			return Effect{Do: DoHold, Step: step}
		}
		return Effect{Do: DoBegin, Step: step}
	case Waiting:
		hold := step.(strategy.Hold)
		switch {
		case now.Before(s.Until):
			return Effect{Do: DoWait, Step: hold, At: s.Until}
		case len(hold.Judges) > 0 && (s.Looked.Before(s.Until) || s.Exposed < s.ExposedBefore+uint64(hold.Exposed)):
			return Effect{Do: DoWatch, Step: hold}
		}
		return Effect{Do: DoAdvance, Step: hold}
	case Back:
		switch {
		case step == nil && m.replaced:
			return Effect{Do: DoFinish, Outcome: Superseded}
		case step == nil:
			return Effect{Do: DoFinish, Outcome: RolledBack}
		case !s.Begun && now.Before(s.Until):
			return Effect{Do: DoWait, Step: step, At: s.Until}
		}
		return Effect{Do: DoBegin, Step: step}
	}
	return Effect{Do: DoRest, Outcome: s.Outcome}
}

// Apply folds one record in. A record that cannot follow is an error, and changes
// nothing; one of an older generation is dropped.
func (m *Machine) Apply(r Record) error {
	next := *m
	if err := next.apply(r); err != nil {
		return fmt.Errorf("%s after %v: %w", r.Kind, m.state, err)
	}
	*m = next
	return nil
}

var errOutOfPlace = errors.New("cannot follow")

func (m *Machine) apply(r Record) error {
	s := &m.state
	if m.stale(r) {
		return nil
	}
	if r.Generation != s.Generation {
		return fmt.Errorf("generation %d, want %d: %w", r.Generation, s.Generation, errOutOfPlace)
	}
	if r.Kind != KindRequested && r.Kind != KindLooked && r.Kind != KindFinished && r.Step != s.Step {
		return fmt.Errorf("step %d, want %d: %w", r.Step, s.Step, errOutOfPlace)
	}
	step := m.current()
	_, hold := step.(strategy.Hold)
	moving := step != nil && !hold && s.Phase != Waiting
	switch {
	case r.Kind == KindRequested && s.Phase == Pending && r.Request != nil:
		m.plan = r.Request.Plan
		s.Phase, s.Share, s.Peak = Forward, r.Request.Floor, r.Request.Floor
	case r.Kind == KindBegun && moving && r.Attempt >= 0:
		s.Begun, s.Attempt, s.Until = true, r.Attempt, r.Until
		m.allow(r.At)
	case r.Kind == KindDone && (moving && s.Begun || s.Phase == Waiting):
		m.step(s.Step + 1)
	case r.Kind == KindWaiting && hold && s.Phase == Forward:
		s.Phase, s.Until, s.ExposedBefore = Waiting, r.Until, s.Exposed
	case r.Kind == KindLooked && r.Look != nil && s.Phase == Waiting:
		seen := r.Look.Checkpoint.Sample.Candidate.Requests()
		if seen < s.Exposed {
			return fmt.Errorf("the judge saw %d requests on the new side and the journal has %d already, want the cohorts of Engine.Cohorts: %w", seen, s.Exposed, errOutOfPlace)
		}
		s.Exposed, s.Looked = seen, r.At
		if r.Look.Verdict.Call == health.Fail {
			m.turn(r)
		}
	case r.Kind == KindReplaced && (s.Phase == Forward || s.Phase == Waiting):
		m.turn(r)
		m.replaced = true
	case r.Kind == KindFailed && (s.Phase == Forward && s.Begun || s.Phase == Waiting):
		m.turn(r)
	case r.Kind == KindFailed && s.Phase == Back && s.Begun:
		s.Begun, s.Until = false, r.Until
	case r.Kind == KindFinished && step == nil && (s.Phase == Forward || s.Phase == Back):
		s.Outcome = m.Next(r.At).Outcome
		s.Phase = Done
		if s.Outcome == Succeeded {
			s.Reason, s.Actor = r.Reason, r.Actor
		}
	default:
		return errOutOfPlace
	}
	return nil
}

// stale is a late answer: it belongs to a direction that the rollout has left.
func (m *Machine) stale(r Record) bool {
	return r.Generation >= 0 && r.Generation < m.state.Generation
}

// current is the step of the plan or of the way back that is next or under way, or
// nil at its end.
func (m *Machine) current() strategy.Step {
	steps := m.plan.Steps
	if m.state.Phase == Back {
		steps = m.back
	}
	if m.state.Phase == Pending || m.state.Phase == Done || m.state.Step >= len(steps) {
		return nil
	}
	return steps[m.state.Step]
}

// step goes on to a step of the plan or of the way back.
func (m *Machine) step(to int) {
	s := &m.state
	if s.Phase == Waiting {
		s.Phase = Forward
	}
	s.Step, s.Begun, s.Attempt, s.Until = to, false, 0, time.Time{}
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

// turn begins the way back. From now on the journal allows no more than it had at
// the start, whether or not anybody has acted on it.
func (m *Machine) turn(r Record) {
	s := &m.state
	m.back = m.plan.Undo(s.Step)
	s.Phase, s.Reason, s.Actor = Back, r.Reason, r.Actor
	s.Generation++
	m.step(0)
	for _, step := range m.back {
		if shift, ok := step.(strategy.Shift); ok {
			s.Share = shift.To
		}
	}
}
