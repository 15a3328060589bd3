package rollout

import (
	"fmt"
	"strings"
	"time"

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
	Succeeded          // every step was taken
	RolledBack         // somebody was exposed, and the way back was read back
	Superseded         // it went back to make room for another rollout
	Cancelled          // it ended before anybody was exposed
	Failed             // a person has left it in the middle of a way back that failed; of a run of a pipeline, also: there was nothing to take back, or no way back
)

var outcomes = [...]string{"unfinished", "succeeded", "rolled back", "superseded", "cancelled", "failed"}

// String is "rolled back" and the like.
func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// MarshalText writes "rolled_back" and the like.
func (o Outcome) MarshalText() ([]byte, error) {
	return []byte(strings.ReplaceAll(o.String(), " ", "_")), nil
}

// UnmarshalText reads what MarshalText wrote.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomes {
		if string(text) == strings.ReplaceAll(name, " ", "_") {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("%w: found outcome %q, want one of %q", ErrInvalid, text, outcomes)
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
	// Exposed counts the candidate's requests that the hold's judges have seen: of several
	// that the plan names, the first one. ExposedBefore is those before the hold began or,
	// if another judge counted until then, before its first look.
	Exposed, ExposedBefore uint64
	// Since is when somebody was exposed for the first time.
	Since time.Time
	// Looked is when the judges last looked.
	Looked time.Time
	// Paused is what a person, or a deadline, keeps it from going forward by.
	Paused Stop
	// Frozen is what a freeze keeps it from going forward by.
	Frozen Stop
	// Deadline is by when the hold has to be over; zero is no deadline. Pauses and
	// freezes put it off.
	Deadline time.Time
	// Expires is by when all has to be over; zero is no deadline.
	Expires time.Time
	// Approved says that a person approved this hold.
	Approved bool
	// Forced says that a person promotes it, whatever gates and judges say.
	Forced bool
	// Held says that the way back waits, because the old version is no better.
	Held bool
	// Automatic says that no person made it turn round.
	Automatic bool
	// FailedLater says that it succeeded, and a person says that it turned out bad.
	FailedLater bool
	// Shadowed is why it would have turned round first, if its judges did not only
	// report.
	Shadowed string

	thawed     time.Time // until when a person overrides freezes
	regardless bool      // it goes back whether or not the old version is better
	counter    int       // the judge that counts Exposed
	uncounted  bool      // it counts since this hold began, and has not looked yet
	passed     uint64    // the judges whose last look was a Pass, a bit each
	doubted    uint64    // the judges whose Fail did what it does, short of going back
}

// Stop is something that keeps a rollout from going forward. The zero Stop is none.
type Stop struct {
	Since  time.Time `json:"since,omitzero"`   // when it began; zero means that there is none
	Until  time.Time `json:"until,omitzero"`   // when it ends by itself; zero means never
	Reason string    `json:"reason,omitempty"` // why
	Actor  string    `json:"actor,omitempty"`  // who
}

// on says whether there is one.
func (s Stop) on() bool { return !s.Since.IsZero() }

// String is "waiting 3", "waiting 3, paused", "back 1", "rolled back": what records
// call From and To.
func (s State) String() string {
	switch s.Phase {
	case Pending:
		return "pending"
	case Done:
		return s.Outcome.String()
	}
	text := fmt.Sprintf("%s %d", [...]string{Forward: "forward", Waiting: "waiting", Back: "back"}[s.Phase], s.Step)
	switch {
	case s.Paused.on():
		text += ", paused"
	case s.Frozen.on():
		text += ", frozen"
	case s.Held:
		text += ", held"
	}
	return text
}

// elapsed is for how long somebody has been exposed.
func (s State) elapsed(now time.Time) time.Duration {
	if s.Since.IsZero() {
		return 0
	}
	return max(now.Sub(s.Since), 0)
}
