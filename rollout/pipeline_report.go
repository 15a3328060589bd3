package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Report is what the journal has of one run of a pipeline. It is a value, and the same
// for the same records. As JSON it has all that there is.
type Report struct {
	ID          string  `json:"id"`                    // the run's
	Pipeline    string  `json:"pipeline"`              // the pipeline's name
	Service     string  `json:"service,omitempty"`     // of RunRequest
	Environment string  `json:"environment,omitempty"` // of RunRequest
	Release     Release `json:"release,omitzero"`      // what gets out
	Previous    Release `json:"previous,omitzero"`     // of StageRun
	// State is "forward", "forward, paused", "forward, frozen", "back", or the outcome:
	// what [Act] calls Seen.
	State   string    `json:"state"`
	Outcome Outcome   `json:"outcome"`           // Unfinished while it is under way
	Reason  string    `json:"reason,omitempty"`  // why it ended, goes back, or does not go on
	Actor   string    `json:"actor,omitempty"`   // who made it
	Started time.Time `json:"started"`           // when it was requested
	Ended   time.Time `json:"ended,omitzero"`    // when it was over
	At      time.Time `json:"at"`                // when its newest record was written
	Problem string    `json:"problem,omitempty"` // why it cannot go on at the moment, if it cannot
	// Stages are those of the pipeline, in its order. Of a run whose records are gone, and
	// that only a checkpoint knows, there are none.
	Stages []StageReport `json:"stages,omitempty"`
}

// report is what is known of a run.
func (c *course) report(id string) Report {
	r := Report{
		ID: id, Pipeline: c.name, Service: c.asked.Service, Environment: c.asked.Environment, Release: c.asked.Release, Previous: c.asked.Previous,
		State: c.String(), Outcome: c.outcome, Reason: c.reason, Actor: c.actor, Started: c.started, Ended: c.ended, At: c.at,
	}
	for _, stop := range []Stop{c.frozen, c.paused} {
		if stop.on() {
			r.Reason, r.Actor = stop.Reason, stop.Actor
			break
		}
	}
	for i := range c.stages {
		s := c.stages[i].StageReport
		if s.Undo != nil {
			undo := *s.Undo
			undo.StageResult = undo.StageResult.clone()
			s.Undo = &undo
		}
		s.Needs, s.StageResult = slices.Clone(s.Needs), s.StageResult.clone()
		r.Stages = append(r.Stages, s)
	}
	return r
}

// Err is nil if the run has succeeded. Otherwise it says how it ended, or stands, and why.
func (r Report) Err() error {
	if r.Outcome == Succeeded {
		return nil
	}
	text := map[string]string{"back": "it is going back"}[r.State]
	if text = cmp.Or(text, r.State); r.Reason != "" {
		text += ": " + r.Reason
	}
	return &Error{"run", r.ID, errors.New(text)}
}

// String is a line about the run, and one for each stage.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", flat(r.ID), r.State)
	if end := r.Ended; !end.IsZero() {
		fmt.Fprintf(&b, " after %v", end.Sub(r.Started).Round(time.Millisecond))
	}
	for _, why := range []string{r.Reason, r.Problem} {
		if why != "" {
			b.WriteString(": " + flat(why))
		}
	}
	wide := 0
	for _, s := range r.Stages {
		wide = max(wide, len(flat(s.Name)))
	}
	for _, s := range r.Stages {
		time := took(s.Begun, s.Ended)
		if s.Status == StageSkipped {
			time = ""
		}
		line := fmt.Sprintf("  %-*s  %8s  %s", wide, flat(s.Name), time, s.words())
		b.WriteString("\n" + strings.TrimRight(line, " "))
	}
	return b.String()
}

// flat is text on one line, and visible.
func flat(text string) string { return visible(strings.ReplaceAll(text, "\n", "; ")) }

// visible is text without what makes a terminal or a page show something else than it
// says: whatever controls them, or the direction of writing, but for line breaks and tabs.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\u2028', r == '\u2029', r == 0xFFFE, r == 0xFFFF:
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}
