package rollout

import (
	"errors"
	"fmt"
	"time"
)

// Expiry is what a rollout does when it must not wait any longer.
type Expiry uint8

// What a rollout does then.
const (
	ThenAbort Expiry = iota // it goes back
	ThenPause               // it waits for a person
	ThenGoOn                // it goes on as if it had got what it waited for
)

var expiries = [...]string{"abort", "pause", "go on"}

// String is "abort", "pause" or "go on".
func (e Expiry) String() string {
	if int(e) < len(expiries) {
		return expiries[e]
	}
	return fmt.Sprintf("Expiry(%d)", uint8(e))
}

// MarshalText writes what String returns.
func (e Expiry) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Expiry) UnmarshalText(text []byte) error {
	for i, name := range expiries {
		if string(text) == name {
			*e = Expiry(i)
			return nil
		}
	}
	return fmt.Errorf("%w: found %q, want one of %q", ErrInvalid, text, expiries)
}

// Deadline is a time that must not be passed, and what happens if it is.
type Deadline struct {
	Within time.Duration `json:"within,omitempty"` // in nanoseconds in JSON; zero means for ever
	Then   Expiry        `json:"then,omitempty"`   // zero means abort
}

// after is the deadline as a point in time; zero is none.
func (d Deadline) after(t time.Time) time.Time {
	if d.Within == 0 {
		return time.Time{}
	}
	return t.Add(d.Within)
}

// Deadlines bound how long a rollout may take for what. They are in the journal with
// the request, as points in time, so that a crash does not extend them. The zero
// Deadlines are none. None of them holds up a way back.
type Deadlines struct {
	// Progress bounds how long a hold may go on beyond its time, without the requests
	// or the evidence that it waits for.
	Progress Deadline `json:"progress,omitzero"`
	// Approval bounds how long a hold may wait, beyond its time, if it has to be
	// approved.
	Approval Deadline `json:"approval,omitzero"`
	// Pause bounds each pause. To go on then is to continue.
	Pause Deadline `json:"pause,omitzero"`
	// Overall bounds all, from the request to the end. To go on then is not possible.
	Overall Deadline `json:"overall,omitzero"`
}

// check says everything that is wrong with the deadlines.
func (d Deadlines) check() error {
	var problems []error
	for _, one := range []struct {
		name  string
		d     Deadline
		wrong Expiry
	}{
		{"progress", d.Progress, 0}, {"approval", d.Approval, 0}, {"pause", d.Pause, ThenPause}, {"overall", d.Overall, ThenGoOn},
	} {
		if one.d.Within < 0 {
			problems = append(problems, fmt.Errorf("deadlines: %s: found %v, want no negative time", one.name, one.d.Within))
		}
		if int(one.d.Then) >= len(expiries) || one.wrong != 0 && one.d.Then == one.wrong {
			problems = append(problems, fmt.Errorf("deadlines: %s: cannot %v then", one.name, one.d.Then))
		}
	}
	return errors.Join(problems...)
}
