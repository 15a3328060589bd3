package rollout

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Reason is why a rollout does not, or did not, go forward, or why it turned round:
// one for every hold, pause, freeze and way back.
type Reason struct {
	// What it explains: "queued", "holding", "paused", "frozen", "rolling back",
	// "rollback held", "rollback failing", and in the end "rolled back", "superseded",
	// "cancelled" or "failed"; "promoted", when a person turned it round again; "taken
	// back", when another rollout does that, or "failed", when that was left; "reported",
	// what only would have turned it round, see Request.Shadow; "stalled", when the journal
	// or the target cannot be reached.
	What string `json:"what"`
	// Rule is what decided: "judge errors", "gate smoke", "alarm db", "artifact", "target",
	// "deadline progress: abort", "act abort", "freeze nights", "cooldown", "rollbacks
	// per hour", "overlap: supersede", "stable", "doubt: pause", a hold of the plan, or
	// "checkpoint" where the journal has no more than how it ended.
	Rule  string `json:"rule"`
	Actor string `json:"actor,omitempty"` // who; "engine" if nobody did
	Text  string `json:"text"`            // the sentence for people
	// Since is when it began, Ended when it was over; zero means that it is not.
	Since time.Time `json:"since,omitzero"`
	Ended time.Time `json:"ended,omitzero"` // see Since
	// Until is when it ends by itself, or is tried again. Zero means never.
	Until time.Time `json:"until,omitzero"`
	Seq   uint64    `json:"seq,omitempty"` // of the record that began it
	// Evidence is what a judge saw: of a hold the last time, and nil without a judge.
	Evidence *Evidence `json:"evidence,omitempty"`
}

// Evidence is what one judge saw and said. Verdict.LogPeak is the evidence, and
// Verdict.LogThreshold what it takes; both are natural logarithms.
type Evidence struct {
	Judge     string         `json:"judge"`            // its name in the plan
	Window    time.Duration  `json:"window,omitempty"` // for how long somebody had been exposed; in nanoseconds in JSON
	Candidate health.Side    `json:"candidate"`        // the new side: how many requests, how many failed, how slow
	Baseline  health.Side    `json:"baseline"`         // the old side
	Verdict   health.Verdict `json:"verdict"`          // what it made of that
}

// String is one line for people, and a second one for the evidence.
func (r Reason) String() string {
	var b strings.Builder
	if !r.Since.IsZero() {
		b.WriteString(r.Since.Format("2006-01-02 15:04:05") + "  ")
	}
	b.WriteString(r.What)
	switch {
	case r.Since.IsZero(), r.Ended.Equal(r.Since):
	case !r.Ended.IsZero():
		fmt.Fprintf(&b, " after %v", r.Ended.Sub(r.Since).Round(time.Millisecond))
	case !r.Until.IsZero():
		fmt.Fprintf(&b, " until %s", r.Until.Format(time.TimeOnly))
	}
	b.WriteString(" by " + r.Rule)
	if r.Actor != "" && r.Actor != actor && r.Actor != r.Rule {
		b.WriteString(" of " + r.Actor)
	}
	if r.Text != "" {
		line, _, _ := strings.Cut(r.Text, "\n") // a panic has its stack below
		b.WriteString(": " + line)
	}
	if r.Evidence != nil {
		b.WriteString("\n    " + r.Evidence.String())
	}
	return b.String()
}

// String is one line for people.
func (e Evidence) String() string {
	text := fmt.Sprintf("judge %s, %v after the first exposure: new side %v; old side %v", e.Judge, e.Window.Round(time.Millisecond), e.Candidate, e.Baseline)
	if v := e.Verdict; v.LogThreshold > 0 {
		text += fmt.Sprintf("; evidence %.3g, threshold %.3g", math.Exp(v.LogPeak), math.Exp(v.LogThreshold))
	}
	return text
}

// Explain says why a rollout is where it is, and was where it was, oldest first: what
// has no end keeps it now. It reads the journal once. A rollout that is not known is
// [ErrNotFound].
func (e *Engine) Explain(id string) ([]Reason, error) {
	run, err := e.lookUp(id)
	if err != nil {
		return nil, err
	}
	if run == nil || run.course != nil {
		return nil, &Error{"explain", id, ErrNotFound}
	}
	e.mu.Lock()
	m, problem, guard, l := run.machine, run.problem, e.guards[run.request.Flag], e.track(run.request.lane())
	queued := "it is about to begin"
	if l.active != nil && l.active != run {
		queued = fmt.Sprintf("rollout %q is under way", l.active.id)
	} else if len(l.queue) > 0 && l.queue[0] != run {
		queued = fmt.Sprintf("rollout %q is before it", l.queue[0].id)
	}
	e.mu.Unlock()
	if m.State().Phase == Pending {
		return []Reason{{What: "queued", Rule: "overlap: queue", Actor: actor, Text: queued}}, nil
	}
	seen := uint64(0)
	if guard != nil && guard.request.ID == id {
		seen = guard.cohorts.Snapshot().Candidate.Requests()
	}
	all, err := explain(e.journal.Records(), id, e.clock.now(), seen)
	if err == nil && problem != nil {
		all = append(all, Reason{What: "stalled", Rule: "engine", Actor: actor, Text: problem.Error()})
	}
	return all, err
}

// Explain says from the records of a journal why a rollout is where it is at a time,
// as [Engine.Explain] does; what the engine alone knows is not in it.
func Explain(records iter.Seq2[Record, error], id string, now time.Time) ([]Reason, error) {
	return explain(records, id, now, 0)
}

// explain is told how many requests the new side has had, if anybody knows better
// than the journal.
func explain(records iter.Seq2[Record, error], id string, now time.Time, seen uint64) ([]Reason, error) {
	var x explainer
	known := false
	for w, err := range walk(records, map[string]*run{}) {
		switch {
		case err != nil:
			return nil, err
		case w.run == nil: // that it failed later moves nothing
		case w.Rollout == id:
			known = true
			x.take(w.Record, w.run.machine)
		case w.Request != nil && w.Request.TakesBack == id:
			x.add(w.Record, Reason{What: "taken back", Rule: "act " + string(RollBack), Text: w.Reason, Ended: w.At})
		case w.run.request.TakesBack == id && w.run.machine.State().Outcome == Failed:
			x.left(w.At, w.run.machine.State().Reason)
		}
	}
	if !known {
		return nil, &Error{"explain", id, ErrNotFound}
	}
	if hold := x.open("holding"); hold != nil {
		hold.Text = x.machine.waits(now, max(seen, x.machine.state.Exposed))
		if !now.Before(hold.Until) { // what it waits for now has no time
			hold.Until = time.Time{}
		}
	}
	return x.all, nil
}

// explainer folds the records of one rollout.
type explainer struct {
	machine Machine // with all records so far
	all     []Reason
}

// add appends what a record began.
func (x *explainer) add(r Record, reason Reason) {
	reason.Since, reason.Actor, reason.Seq = r.At, r.Actor, r.Seq
	if r.Look != nil {
		reason.Evidence = r.Look.evidence()
	}
	x.all = append(x.all, reason)
}

// left says that a person has left the rollout that was to take this one back.
func (x *explainer) left(at time.Time, why string) {
	for i := range x.all {
		if r := &x.all[i]; r.What == "taken back" {
			r.What, r.Text, r.Ended = Failed.String(), why, at
		}
	}
}

// open is what is not over yet, or nil.
func (x *explainer) open(what string) *Reason {
	for i := len(x.all) - 1; i >= 0; i-- {
		if r := &x.all[i]; r.What == what && r.Ended.IsZero() {
			return r
		}
	}
	return nil
}

func (x *explainer) end(what string, at time.Time, text string) {
	if r := x.open(what); r != nil {
		r.Ended, r.Text = at, cmp.Or(text, r.Text)
		if !r.Until.IsZero() && r.Until.After(r.Since) && r.Until.Before(at) && what == "frozen" {
			r.Ended = r.Until
		}
	}
}

// take compares the rollout before and after a record: what stopped it or turned it
// round is new.
func (x *explainer) take(r Record, after Machine) {
	before := x.machine
	x.machine = after
	was, is := before.state, after.state
	switch turned := is.Generation != was.Generation || was.Phase == Pending && is.Phase == Back; {
	case turned:
		for i := range x.all {
			if one := &x.all[i]; one.Ended.IsZero() {
				one.Ended, one.Text = r.At, cmp.Or(one.Text, "cut short")
			}
		}
		if is.Phase == Back {
			x.add(r, Reason{What: "rolling back", Rule: before.rule(r), Text: is.Reason})
		} else {
			x.add(r, Reason{What: "promoted", Rule: before.rule(r), Text: is.Reason, Ended: r.At})
		}
		return
	case was.Phase == Pending && is.Phase == Done: // the end is all that a checkpoint kept
		if is.Outcome != Succeeded {
			r.Actor = is.Actor
			x.add(r, Reason{What: is.Outcome.String(), Rule: "checkpoint", Text: is.Reason, Ended: r.At})
		}
		return
	case is.Phase == Done:
		for _, what := range []string{"holding", "paused", "frozen", "rollback held", "rollback failing"} {
			x.end(what, r.At, "")
		}
		if back := x.open("rolling back"); back != nil {
			back.What, back.Ended = is.Outcome.String(), r.At
		}
		return
	}
	if hold, ok := after.current().(strategy.Hold); ok && is.Phase == Waiting && was.Phase != Waiting {
		x.add(r, Reason{What: "holding", Rule: hold.String(), Until: is.Until})
	}
	if was.Phase == Waiting && is.Phase != Waiting {
		x.end("holding", r.At, r.Reason)
	}
	if hold := x.open("holding"); hold != nil && r.Look != nil {
		hold.Evidence = r.Look.evidence()
	}
	if was.Paused.Since != is.Paused.Since && r.Kind != KindWaiting {
		pause := x.open("paused")
		switch again := pause != nil && is.Paused.on() && pause.Rule == before.rule(r) && pause.Text == is.Paused.Reason; {
		case again: // past a point of no return, each look says so again
			pause.Until = is.Paused.Until
		case is.Paused.on():
			x.end("paused", r.At, "")
			x.add(r, Reason{What: "paused", Rule: before.rule(r), Text: is.Paused.Reason, Until: is.Paused.Until})
		default:
			x.end("paused", r.At, "")
		}
	}
	if was.Frozen.Since != is.Frozen.Since {
		x.end("frozen", r.At, "")
		if is.Frozen.on() {
			x.add(r, Reason{What: "frozen", Rule: before.rule(r), Text: r.Reason, Until: r.Until})
		}
	}
	switch {
	case is.Held && !was.Held:
		x.add(r, Reason{What: "rollback held", Rule: before.rule(r), Text: r.Reason, Until: r.Until})
	case was.Held && !is.Held:
		x.end("rollback held", r.At, "")
	}
	switch failing := x.open("rollback failing"); {
	case is.Phase != Back:
	case r.Kind == KindFailed && failing != nil: // one for all attempts of a step
		failing.Text, failing.Until = fmt.Sprintf("attempt %d: %s", r.Attempt, r.Reason), r.Until
	case r.Kind == KindFailed:
		x.add(r, Reason{What: "rollback failing", Rule: before.rule(r), Text: r.Reason, Until: r.Until})
	case r.Kind == KindDone:
		x.end("rollback failing", r.At, "")
	}
	if is.Shadowed != was.Shadowed {
		x.add(r, Reason{What: "reported", Rule: before.rule(r), Text: is.Shadowed, Ended: r.At})
	}
}

// evidence is what matters of a look.
func (l *Look) evidence() *Evidence {
	sample := l.Checkpoint.Sample
	return &Evidence{Judge: l.Watch, Window: sample.Elapsed, Candidate: sample.Candidate, Baseline: sample.Baseline, Verdict: l.Verdict}
}
