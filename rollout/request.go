package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Gate is whatever can say no: it blocks until it knows; nil is yes, an error is
// no and says why. A smoke suite's Check, a method value, and a plain function are
// gates. It must return soon after its context ends. One that cannot tell returns an
// error that wraps [ErrInconclusive]; one that panics, or runs out of time, could not
// tell either: see Request.Doubt; that of an alarm, or of Stable, counts for nothing.
type Gate func(context.Context) error

// Release is what is being rolled out. It is a value: it never changes.
type Release struct {
	Name    string `json:"name,omitempty"`    // of the service or the change
	Version string `json:"version,omitempty"` // as people say it
	Digest  string `json:"digest,omitempty"`  // of the content, as [Digest] or the host computes it; see Request.Artifact
	// Committed is when the change was committed, for the lead time. Zero means
	// unknown.
	Committed time.Time `json:"committed,omitzero"`
}

// String is its name and version.
func (r Release) String() string {
	switch {
	case r.Name != "" && r.Version != "":
		return r.Name + " " + r.Version
	case r.Name+r.Version != "":
		return r.Name + r.Version
	}
	return "a release"
}

// Request asks for one rollout. ID, Plan and Target are required; every other zero
// is right for most.
type Request struct {
	// ID names the rollout in the journal. A request with the ID of a finished or
	// interrupted rollout joins it, if it asks for the same: release, plan, Promotion,
	// Shadow, Deadlines and Watch.Then; otherwise it is [ErrConflict].
	ID string
	// Service and Environment are what it changes. There is one rollout at a time for
	// both together. Empty means what Options say.
	Service, Environment string
	// Release is what is rolled out.
	Release Release
	// Artifact computes the digest of what would be rolled out now: often a [Digest] of
	// the file or the folder that the target takes it from. Where that is not
	// Release.Digest, the rollout is refused with [ErrArtifact], before it waits for its
	// turn and before anything is prepared; on its way, before a step that starts
	// instances and before it is promoted, by a person as well, it fails and goes back.
	// The way back never asks. A Release without a Digest gets the one that is found
	// first, and the journal has it. Each time it may take StepTimeout; what it cannot
	// tell is as with a gate, see Doubt. Nil means that nothing is verified.
	Artifact func(context.Context) (string, error)
	// Plan is what to do.
	Plan strategy.Plan
	// Target is what the plan moves: one for the service, whichever release is on its
	// way, as a rollout that takes another's place takes that one back first, by its
	// own Target if this process no longer has the other's.
	Target strategy.Target
	// Gates binds the names in the plan's Verify steps.
	Gates map[string]Gate
	// Watches binds the names of the plan's judges.
	Watches map[string]Watch
	// Alarms are asked with every look of the judges, as long as somebody is exposed:
	// a no takes the change back at once. They are for what is broken beyond doubt,
	// like a check that is down, and no judge's bound covers them. One that cannot
	// tell counts for nothing.
	Alarms map[string]Gate
	// Stable says no if the old version is no better. It is asked before the way back
	// of a rollout that no person made turn round: at a no, nothing moves until it
	// says yes, a person decides, by Abort or Promote, or another rollout takes its
	// place. One that cannot tell counts for nothing, whatever Doubt says: it holds
	// nothing, and what a no has held stays held. So let it say no, in its own time, of an
	// old version that does not answer. Nil is always yes.
	Stable Gate
	// Doubt is what happens when a gate, or on its way Artifact, cannot tell, or when a
	// judge whose Fail sends it back has had nothing to judge a whole hold by
	// ([health.Missing]): no old side to compare with, for example, or fewer requests than
	// it takes. Zero means that it counts as a no.
	Doubt Expiry
	// Promotion is what it takes to leave the last hold that has judges.
	Promotion Promotion
	// Shadow lets judges only report: what they fail goes forward all the same.
	Shadow bool
	// Deadlines bound how long it may take. Zero means for ever.
	Deadlines Deadlines
	// StepTimeout bounds a gate, Artifact, or an act of the target; a target that takes
	// longer has failed. Zero means one minute. A [strategy.Scale] has its own: Within.
	StepTimeout time.Duration
	// Look is how often judges look during a hold, and the target is read back. Zero
	// means once a second.
	Look time.Duration
	// Overlap is what to do while another rollout of the same service and environment
	// is under way.
	Overlap Overlap
	// Rework says that it is made because of an incident: a hotfix.
	Rework bool
	// Actor and Reason are who asks, and why, for the journal. Empty means "host".
	Actor, Reason string

	guard  *Guard // whose rollout it is, if it is a guarded flag's
	drill  bool   // it comes back after it has succeeded: see Engine.Drill
	parent string // the run of a pipeline whose stage it is
}

// Watch is a judge and the cohorts that it looks at. Several watches may share their
// cohorts: take them, by [Engine.Cohorts], for the one that the plan names first.
type Watch struct {
	Judge   health.Judge    // who compares
	Cohorts *health.Cohorts // what it compares; see Engine.Cohorts
	// Then is what its first Fail does: the rollout goes back, waits for a person, or
	// goes on, so that the judge only reports. It is in the journal with the request.
	// Only those that send the rollout back are asked for a Pass by EvidenceOfNoHarm.
	Then Expiry
}

// Promotion is what it takes to leave the last hold that has judges.
type Promotion uint8

// What it takes.
const (
	// NoHarmSeen asks that no judge says Fail. What they could have seen is up to the
	// traffic: [health.Planner] says it beforehand.
	NoHarmSeen Promotion = iota
	// EvidenceOfNoHarm asks for a Pass from every judge of the plan that may send it
	// back, as [health.NoHarm] gives it; until then the hold goes on, up to
	// Deadlines.Progress.
	EvidenceOfNoHarm
)

// Overlap is what a request does while another one of the same service and
// environment is under way.
type Overlap uint8

// What it does.
const (
	Supersede Overlap = iota // the other one goes back first, held or not, and ends as Superseded unless it was going back anyway
	Queue                    // it waits until the other one is over, in order of arrival
	Reject                   // it is ErrConflict
)

// check says everything that keeps the request from being carried out, names
// without a binding included.
func (r Request) check() error {
	problems := []error{r.Plan.Check(r.Target), r.Deadlines.check()}
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if r.ID == "" || !utf8.ValidString(r.ID) {
		add("id: found %q, want some text in UTF-8", r.ID)
	}
	if r.Look < 0 || r.StepTimeout < 0 {
		add("look, step timeout: found %v and %v, want no negative time", r.Look, r.StepTimeout)
	}
	if len(r.Plan.Judges()) > 64 {
		add("plan: names %d judges, want at most 64", len(r.Plan.Judges()))
	}
	if len(r.Plan.Steps) == 0 {
		add("plan: has no steps")
	}
	if r.Doubt > ThenGoOn || r.Promotion > EvidenceOfNoHarm || r.Overlap > Reject {
		add("doubt, promotion, overlap: found %d, %d and %d, want one of the constants each", r.Doubt, r.Promotion, r.Overlap)
	}
	if r.Promotion == EvidenceOfNoHarm && len(r.Plan.Judges()) == len(r.fails()) {
		add("promotion: wants evidence of no harm, and the plan has no judge to give it")
	}
	if within, holds := r.Deadlines.Overall.Within, r.Plan.Length(); within > 0 && within <= holds {
		add("deadlines: overall: found %v, want more than the plan's holds, which take %v", within, holds)
	}
	for i, step := range r.Plan.Steps {
		if hold, ok := step.(strategy.Hold); ok && hold.Exposed > 0 && len(hold.Judges) == 0 {
			add("plan: step %d (%v) asks for requests, and has no judge to count them", i+1, hold)
		}
	}
	if r.Promotion == EvidenceOfNoHarm {
		var last strategy.Hold
		for _, step := range r.Plan.Steps {
			if hold, ok := step.(strategy.Hold); ok && len(hold.Judges) > 0 {
				last = hold
			}
		}
		for _, name := range r.Plan.Judges() {
			if r.Watches[name].Then == ThenAbort && !slices.Contains(last.Judges, name) {
				add("promotion: wants evidence of no harm from every judge that sends it back, and %q does not watch the last hold that has judges", name)
			}
		}
	}
	if r.drill && !r.Plan.Returns(len(r.Plan.Steps)-1) {
		add("plan: passes a point of no return, and a drill has to come back")
	}
	problems = append(problems, r.checkShared())
	for _, name := range r.Plan.Gates() {
		if r.Gates[name] == nil {
			add("gates: %q is in the plan and bound to nothing", name)
		}
	}
	for name, alarm := range r.Alarms {
		if alarm == nil {
			add("alarms: %q is bound to nothing", name)
		}
	}
	for _, name := range r.Plan.Judges() {
		switch w := r.Watches[name]; {
		case w.Judge == nil || w.Cohorts == nil:
			add("watches: %q is in the plan and not bound to a judge and cohorts", name)
		case w.Then > ThenGoOn:
			add("watches: %q: then: found %d, want one of the constants", name, w.Then)
		default:
			if v, ok := w.Judge.(interface{ Validate() error }); ok {
				if err := v.Validate(); err != nil {
					add("watches: %q: %w", name, err)
				}
			}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// checkShared wants the records of cohorts that several watches share to be those of
// one of them, or no crash could restore them: of the first that the plan names.
func (r Request) checkShared() error {
	var problems []error
	first := map[*health.Cohorts]string{}
	for i, step := range r.Plan.Steps {
		hold, _ := step.(strategy.Hold)
		here := map[*health.Cohorts]bool{}
		for _, name := range hold.Judges {
			cohorts := r.Watches[name].Cohorts
			if cohorts == nil || here[cohorts] {
				continue
			}
			here[cohorts] = true
			if one, known := first[cohorts]; !known {
				first[cohorts] = name
			} else if one != name {
				problems = append(problems, fmt.Errorf("plan: step %d (%v): %q shares its cohorts with %q, which an earlier step names first: want %[4]q here, too, and before it", i+1, hold, name, one))
			}
		}
	}
	return errors.Join(problems...)
}

// fails is what the Fail of each judge does that does not send the rollout back.
func (r Request) fails() map[string]Expiry {
	var fails map[string]Expiry
	for _, name := range r.Plan.Judges() {
		if then := r.Watches[name].Then; then != ThenAbort {
			if fails == nil {
				fails = map[string]Expiry{}
			}
			fails[name] = then
		}
	}
	return fails
}

// Requested is a request as the journal keeps it.
type Requested struct {
	Service     string        `json:"service,omitempty"`     // what it changes
	Environment string        `json:"environment,omitempty"` // and where
	Release     Release       `json:"release,omitzero"`      // what is rolled out
	Previous    Release       `json:"previous,omitzero"`     // the last good one before it; of the first, what its plan or its target says that it replaces
	Plan        strategy.Plan `json:"plan"`                  // what to do
	// Digest tells whether a later request with the same ID asks for the same.
	Digest    string         `json:"digest"`
	Flag      string         `json:"flag,omitempty"`       // a guarded flag's key
	Salt      string         `json:"salt,omitempty"`       // who is in its ramp
	Floor     strategy.Share `json:"floor,omitempty"`      // the share that had it before
	TakesBack string         `json:"takes_back,omitempty"` // the rollout that this one takes back: its plan is the way back
	Promotion Promotion      `json:"promotion,omitempty"`  // of Request
	Shadow    bool           `json:"shadow,omitempty"`     // of Request
	Deadlines Deadlines      `json:"deadlines,omitzero"`   // of Request
	Rework    bool           `json:"rework,omitempty"`     // of Request
	Drill     bool           `json:"drill,omitempty"`      // it is practice: see Engine.Drill
	// Fails is Watch.Then of the judges whose Fail does not send it back.
	Fails map[string]Expiry `json:"fails,omitempty"`
}

// samePolicy says what another request for the same wants otherwise of what stops it or
// sends it back. The digest, which is older, leaves that out.
func (q Requested) samePolicy(other Requested) error {
	var problems []error
	for _, p := range []struct {
		name        string
		there, here any
	}{
		{"promotion", q.Promotion, other.Promotion}, {"shadow", q.Shadow, other.Shadow},
		{"deadlines: progress", q.Deadlines.Progress, other.Deadlines.Progress}, {"deadlines: approval", q.Deadlines.Approval, other.Deadlines.Approval},
		{"deadlines: pause", q.Deadlines.Pause, other.Deadlines.Pause}, {"deadlines: overall", q.Deadlines.Overall, other.Deadlines.Overall},
		{"watches: then", q.Fails, other.Fails},
	} {
		if there, here := fmt.Sprint(p.there), fmt.Sprint(p.here); there != here {
			problems = append(problems, fmt.Errorf("%s: found %s, want %s", p.name, here, there))
		}
	}
	return errors.Join(problems...)
}

// lane is what there is one rollout of at a time.
type lane struct{ service, environment, flag string }

func (q Requested) lane() lane { return lane{q.Service, q.Environment, q.Flag} }

// what names what a request is about, for people.
func (q Requested) what() string {
	if q.Flag != "" {
		return "flag " + q.Flag
	}
	return q.Release.String()
}

// digest is the SHA-256 of what was asked for, as JSON.
func digest(asked any) string {
	text, err := json.Marshal(asked)
	if err != nil {
		panic(fmt.Sprintf("rollout: a request that JSON cannot say: %v", err)) // only our own plain structs come here
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
