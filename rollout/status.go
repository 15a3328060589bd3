package rollout

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Status is where one rollout stands, for people and programs.
type Status struct {
	ID          string         // the rollout's
	Service     string         // what it changes
	Environment string         // and where
	Release     Release        // what is rolled out
	Flag        string         // the guarded flag's key, if any
	TakesBack   string         // the rollout that it takes back, if any
	State       State          // where it stands
	Phase       string         // the same in people's words: "analysing", "rolling back", ...
	Plan        []string       // the steps, a line each
	Started     time.Time      // when it was requested
	Ended       time.Time      // when it was over
	Verdict     health.Verdict // of the last look that the journal has
	Problem     error          // why it cannot go on at the moment, if it cannot
	Driven      bool           // whether this process carries it out: Deploy, Resume or Guard.Run

	hold strategy.Hold // while it waits
}

// String is one line for people.
func (s Status) String() (text string) {
	at := "at"
	if s.State.Phase == Back {
		at = "to" // nobody knows how far it has come
	}
	text = fmt.Sprintf("%s: %s %s %v", s.ID, s.Phase, at, s.State.Share)
	if !s.Driven && s.State.Phase != Done && s.State.Phase != Pending {
		text += ", and nobody carries it out here"
	}
	defer func() { text = strings.Join(strings.Fields(text), " ") }()
	switch {
	case s.Problem != nil:
		text += ": " + s.Problem.Error()
	case s.State.Paused.on():
		text += ": " + s.State.Paused.Reason
	case s.State.Frozen.on():
		text += ": " + s.State.Frozen.Reason
	case s.State.Reason != "":
		text += ": " + s.State.Reason
	}
	return text
}

// MarshalJSON writes what an ops page needs, in the words of String. Its "state" is what
// goes into Act.Seen.
func (s Status) MarshalJSON() ([]byte, error) {
	problem := ""
	if s.Problem != nil {
		problem = s.Problem.Error()
	}
	return json.Marshal(struct {
		ID          string         `json:"id"`
		Service     string         `json:"service,omitempty"`
		Environment string         `json:"environment,omitempty"`
		Release     Release        `json:"release,omitzero"`
		Flag        string         `json:"flag,omitempty"`
		TakesBack   string         `json:"takes_back,omitempty"`
		Phase       string         `json:"phase"`
		State       string         `json:"state"`
		Share       strategy.Share `json:"share"`
		Peak        strategy.Share `json:"peak"`
		Step        int            `json:"step"`
		Attempt     int            `json:"attempt,omitempty"`
		Until       time.Time      `json:"until,omitzero"`
		Outcome     Outcome        `json:"outcome"`
		FailedLater bool           `json:"failed_later,omitempty"`
		Reason      string         `json:"reason,omitempty"`
		Actor       string         `json:"actor,omitempty"`
		Paused      Stop           `json:"paused,omitzero"`
		Frozen      Stop           `json:"frozen,omitzero"`
		Plan        []string       `json:"plan"`
		Started     time.Time      `json:"started,omitzero"`
		Ended       time.Time      `json:"ended,omitzero"`
		Verdict     health.Verdict `json:"verdict"`
		Problem     string         `json:"problem,omitempty"`
		Driven      bool           `json:"driven"`
	}{s.ID, s.Service, s.Environment, s.Release, s.Flag, s.TakesBack, s.Phase, s.State.String(), s.State.Share, s.State.Peak, s.State.Step, s.State.Attempt, s.State.Until, s.State.Outcome, s.State.FailedLater,
		s.State.Reason, s.State.Actor, s.State.Paused, s.State.Frozen, s.Plan, s.Started, s.Ended, s.Verdict, problem, s.Driven})
}

// Status returns one rollout; one that the journal does not know is [ErrNotFound], and so
// is a run of a pipeline, which has a [Report].
// One that has been over for long is looked up in the journal.
func (e *Engine) Status(id string) (Status, error) {
	r, err := e.lookUp(id)
	if err != nil {
		return Status{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r == nil || r.machine.State().Phase == Pending && !r.queued(e) {
		return Status{}, &Error{"status", id, ErrNotFound}
	}
	return r.status(), nil
}

// Live yields the rollouts that are not over, oldest first.
func (e *Engine) Live() iter.Seq[Status] {
	e.mu.Lock()
	defer e.mu.Unlock()
	var live []*run
	for _, r := range e.runs {
		if p := r.machine.State().Phase; p != Pending && p != Done {
			live = append(live, r)
		}
	}
	return byAge(live)
}

// History yields every rollout of the journal: those that are over, in the order in
// which they ended, and then those that are not, oldest first. It reads the journal
// and keeps no more than what is not over.
func (e *Engine) History() iter.Seq2[Status, error] {
	return func(yield func(Status, error) bool) {
		live := map[string]*run{}
		for w, err := range walk(e.journal.Records(), live) {
			if err != nil {
				yield(Status{}, err)
				return
			}
			if w.Kind == KindFinished && w.run.machine.State().Phase == Done {
				e.mu.Lock()
				_, later := e.later[maphash.String(e.seed, w.run.id)]
				e.mu.Unlock()
				s := w.run.status()
				if s.State.FailedLater = s.State.FailedLater || later; !yield(s, nil) {
					return
				}
			}
		}
		for s := range byAge(slices.Collect(maps.Values(live))) {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func byAge(runs []*run) iter.Seq[Status] {
	slices.SortFunc(runs, func(a, b *run) int {
		return cmp.Or(a.started.Compare(b.started), strings.Compare(a.id, b.id))
	})
	var all []Status
	for _, r := range runs {
		all = append(all, r.status())
	}
	return slices.Values(all)
}

func (r *run) status() Status {
	q := r.request
	s := Status{
		ID: r.id, Service: q.Service, Environment: q.Environment, Release: q.Release, Flag: q.Flag, TakesBack: q.TakesBack,
		State: r.machine.State(), Phase: r.machine.phase(), Started: r.started, Ended: r.ended, Verdict: r.verdict, Problem: r.problem, Driven: r.active,
	}
	if s.State.Phase == Pending {
		s.Phase = "queued"
	}
	s.hold, _ = r.machine.current().(strategy.Hold)
	for _, step := range q.Plan.Steps {
		s.Plan = append(s.Plan, step.String())
	}
	return s
}

func (r *run) queued(e *Engine) bool {
	for _, l := range e.lanes {
		if slices.Contains(l.queue, r) {
			return true
		}
	}
	return false
}
