package rollout

import (
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
)

// Simulation is what has come of a rollout, or a run of a pipeline, in a world. It is a
// value.
type Simulation struct {
	ID      string  // of the rollout, or the run
	World   World   // in which it was
	Outcome Outcome // Unfinished if the world's time was over first, or its process was gone
	// Took is from World.Start to its last record, in simulated time; of what is unfinished,
	// to the end of the world's time.
	Took time.Duration
	// Old and New are the requests that each side had, of all targets, and how many of
	// them failed; they have no latencies.
	Old, New health.Side
	// Exposed is how many users had the new version, and Harmed how many of them met a
	// failure that they would not have met without it.
	Exposed, Harmed int
	// Records are its journal. Looks after which the same judge looked again before anything
	// else was written are left out, unless a process dies in the world: what is left comes
	// to the same state. The Sum of the last one is of all of them.
	Records []Record
	// Timeline is what happened, a line each: when, in simulated time since World.Start, to
	// what, and what. Looks that changed nothing are left out.
	Timeline []string
	// Report is of the run; zero of a rollout.
	Report Report
	// Broken is what should not have been: it has not ended, the new version had more than
	// the journal allowed, or what was taken back is not where it was before.
	Broken []string
}

// String is a line about the outcome, and the timeline.
func (s Simulation) String() string {
	return s.line() + "\n" + strings.Join(s.Timeline, "\n")
}

// line is the outcome, and how many were harmed.
func (s Simulation) line() string {
	text := fmt.Sprintf("%s: %v after %v", s.ID, s.Outcome, s.Took.Round(time.Millisecond))
	if s.Old.Requests()+s.New.Requests() > 0 {
		text += fmt.Sprintf("; old version: %v; new version: %v; %d users had it, %d were harmed", s.Old, s.New, s.Exposed, s.Harmed)
	}
	return text
}

// result is what has come of it.
func (s *scene) result(outcome Outcome) Simulation {
	amiss := s.amiss(outcome)
	var report Report
	if s.process != nil {
		report, _ = s.process.engine.Report(s.id) // of a rollout there is none
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, what := range amiss {
		s.breaks(what)
	}
	out := Simulation{ID: s.id, World: s.world, Outcome: outcome, Took: s.last, Records: s.ledger.records, Timeline: s.story, Report: report, Broken: s.broken}
	if outcome == Unfinished {
		out.Took = s.elapsed()
	}
	for _, t := range s.targets {
		t.feed()
		out.Old.Successes += t.crowd.old.Successes
		out.Old.Failures += t.crowd.old.Failures
		out.New.Successes += t.crowd.new.Successes
		out.New.Failures += t.crowd.new.Failures
		out.Exposed += t.crowd.exposed.n
		out.Harmed += t.crowd.harmed.n
	}
	return out
}

// amiss is what should not be so at the end.
func (s *scene) amiss(outcome Outcome) (all []string) {
	s.mu.Lock()
	p, targets := s.process, s.targets
	s.mu.Unlock()
	if outcome == Unfinished {
		return []string{"it has not ended: " + s.stands(p)}
	}
	if left := s.leftovers(); outcome == RolledBack && len(left) > 0 {
		all = append(all, "it is rolled back, and not taken back is "+strings.Join(left, ", "))
	}
	for _, t := range targets {
		id := t.rollout
		if back, err := p.engine.Status(BackID(id)); err == nil && back.TakesBack == id {
			id = back.ID
		}
		status, err := p.engine.Status(id)
		if err != nil || status.State.Outcome == Succeeded || status.State.Outcome == Unfinished {
			continue
		}
		s.mu.Lock()
		err = t.astray()
		s.mu.Unlock()
		if err != nil {
			all = append(all, fmt.Sprintf("%s is %v, and its target is not where it was: %v", id, status.State.Outcome, err))
		}
	}
	return all
}

// stands says why it has not ended.
func (s *scene) stands(p *process) string {
	if p == nil || s.isDead(p) {
		return "its process is gone"
	}
	if report, err := p.engine.Report(s.id); err == nil {
		return strings.ReplaceAll(report.String(), "\n", ";")
	}
	reasons, err := p.engine.Explain(s.id)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, r := range reasons {
		if r.Ended.IsZero() {
			all = append(all, r.What+": "+r.Text)
		}
	}
	return strings.Join(all, "; ")
}
