package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/strategy"
)

// Gate is whatever can say no: it blocks until it knows; nil is yes, an error is
// no and says why. A smoke suite's Check, a method value, and a plain function are
// gates. It must return soon after its context ends; a gate that panics says no.
type Gate func(context.Context) error

// Release is what is being rolled out. It is a value: it never changes.
type Release struct {
	Name    string `json:"name,omitempty"`    // of the service or the change
	Version string `json:"version,omitempty"` // as people say it
	Digest  string `json:"digest,omitempty"`  // of the content, as the host computes it
	// Committed is when the change was committed, for the lead time. Zero means
	// unknown.
	Committed time.Time `json:"committed,omitzero"`
}

// Request asks for one rollout.
type Request struct {
	// ID names the rollout in the journal. A request with the ID of a finished or
	// interrupted rollout joins it, if it asks for the same; otherwise it is
	// [ErrConflict].
	ID string
	// Release is what is rolled out.
	Release Release
	// Plan is what to do.
	Plan strategy.Plan
	// Target is what the plan moves.
	Target strategy.Target
	// Gates binds the names in the plan's Verify steps.
	Gates map[string]Gate
	// Watches binds the names of the plan's judges.
	Watches map[string]Watch
	// StepTimeout bounds a gate, or an act of the target; it counts as a no. Zero
	// means one minute.
	StepTimeout time.Duration
	// Look is how often judges look during a hold, and the target is read back. Zero
	// means once a second.
	Look time.Duration

	guard *Guard // whose rollout it is, if it is a guarded flag's
}

// Watch is a judge and the cohorts that it looks at.
type Watch struct {
	Judge   health.Judge    // who compares
	Cohorts *health.Cohorts // what it compares; see Engine.Cohorts
}

// check says everything that keeps the request from being carried out, names
// without a binding included.
func (r Request) check() error {
	problems := []error{r.Plan.Check(r.Target)}
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if r.ID == "" || !utf8.ValidString(r.ID) {
		add("id: found %q, want some text in UTF-8", r.ID)
	}
	if r.Look < 0 || r.StepTimeout < 0 {
		add("look, step timeout: found %v and %v, want no negative time", r.Look, r.StepTimeout)
	}
	if judges := r.Plan.Judges(); len(judges) > 1 {
		add("plan: names the judges %q, and more than one would have to share their alpha, which is not built yet", judges)
	}
	if len(r.Plan.Steps) == 0 {
		add("plan: has no steps")
	}
	for _, name := range r.Plan.Gates() {
		if r.Gates[name] == nil {
			add("gates: %q is in the plan and bound to nothing", name)
		}
	}
	for _, name := range r.Plan.Judges() {
		switch w := r.Watches[name]; {
		case w.Judge == nil || w.Cohorts == nil:
			add("watches: %q is in the plan and not bound to a judge and cohorts", name)
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

// Requested is a request as the journal keeps it.
type Requested struct {
	Service     string        `json:"service,omitempty"`     // of Options
	Environment string        `json:"environment,omitempty"` // of Options
	Release     Release       `json:"release,omitzero"`      // what is rolled out
	Plan        strategy.Plan `json:"plan"`                  // what to do
	// Digest tells whether a later request with the same ID asks for the same.
	Digest string         `json:"digest"`
	Flag   string         `json:"flag,omitempty"`  // a guarded flag's key
	Salt   string         `json:"salt,omitempty"`  // who is in its ramp
	Floor  strategy.Share `json:"floor,omitempty"` // the share that had it before
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
