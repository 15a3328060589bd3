package strategy

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Step is one move of a plan: one of [Verify], [Shift], [Hold], [NoReturn] and
// [Promote].
// Its String is a line for people.
type Step interface {
	fmt.Stringer
	// problem says what is wrong with the step by itself; empty for nothing.
	problem() string
	// undo is the step that takes this one back, or nil if nothing is to be done.
	undo() Step
	name() string
}

// Verify asks gates, all of which must say yes.
type Verify struct {
	Gates []string `json:"gates"` // by name, asked in order
}

// Shift moves traffic to the new version.
type Shift struct {
	From Share `json:"from"` // what the new version has before
	To   Share `json:"to"`   // and after
}

// Hold lets a share of the traffic run for some time while judges watch. It is
// over when the time is up, no judge has said that the change fails, the candidate
// has answered Exposed requests since the hold began, and a person has approved,
// if one has to.
type Hold struct {
	For      time.Duration `json:"for"`                // at least
	Exposed  int           `json:"exposed,omitempty"`  // requests, at least
	Judges   []string      `json:"judges,omitempty"`   // by name
	Approval bool          `json:"approval,omitempty"` // whether a person has to approve
}

// NoReturn is a point of no return: from here on there is no way back, because
// what the old version needs is about to go. A rollout that fails past it waits for
// a person and does not go back.
type NoReturn struct {
	Why string `json:"why"` // what will be gone: "the column orders.total is dropped"
}

// Promote makes the new version the one to come back to.
type Promote struct{}

// String is "verify by smoke".
func (s Verify) String() string { return "verify by " + strings.Join(s.Gates, ", ") }

// String is "shift from 1 % to 10 %".
func (s Shift) String() string { return fmt.Sprintf("shift from %v to %v", s.From, s.To) }

// String is "hold 10m0s under errors".
func (s Hold) String() string {
	out := fmt.Sprintf("hold %v", s.For)
	if s.Exposed > 0 {
		out += fmt.Sprintf(" and %d requests", s.Exposed)
	}
	if len(s.Judges) > 0 {
		out += " under " + strings.Join(s.Judges, ", ")
	}
	if s.Approval {
		out += " until approved"
	}
	return out
}

// String is "point of no return: the column orders.total is dropped".
func (s NoReturn) String() string { return "point of no return: " + s.Why }

// String is "promote".
func (Promote) String() string { return "promote" }

func (s Verify) problem() string {
	if len(s.Gates) == 0 {
		return "names no gates"
	}
	return ""
}

func (s Shift) problem() string {
	if min(s.From, s.To) < 0 || max(s.From, s.To) > All {
		return fmt.Sprintf("found %v to %v, want shares from 0 to 100 %%", s.From, s.To)
	}
	return ""
}

func (s Hold) problem() string {
	if s.For < 0 || s.Exposed < 0 {
		return fmt.Sprintf("found %v and %d requests, want nothing negative", s.For, s.Exposed)
	}
	return ""
}

func (s NoReturn) problem() string {
	if s.Why == "" {
		return "says not why"
	}
	return ""
}

func (Promote) problem() string { return "" }

func (Verify) undo() Step   { return nil }
func (s Shift) undo() Step  { return Shift{From: s.To, To: s.From} }
func (Hold) undo() Step     { return nil }
func (NoReturn) undo() Step { return nil }
func (Promote) undo() Step  { return nil }

func (Verify) name() string   { return "verify" }
func (Shift) name() string    { return "shift" }
func (Hold) name() string     { return "hold" }
func (NoReturn) name() string { return "no_return" }
func (Promote) name() string  { return "promote" }

// hold is how a Hold stands in JSON: with its time as people write it.
type hold struct {
	For      string   `json:"for"`
	Exposed  int      `json:"exposed,omitempty"`
	Judges   []string `json:"judges,omitempty"`
	Approval bool     `json:"approval,omitempty"`
}

// MarshalJSON writes the time as "10m0s".
func (s Hold) MarshalJSON() ([]byte, error) {
	return json.Marshal(hold{s.For.String(), s.Exposed, s.Judges, s.Approval})
}

// steps is a list of steps in JSON: [{"shift": {"from": 0, "to": 1}}, ...].
type steps []Step

func (s steps) MarshalJSON() ([]byte, error) {
	out := make([]map[string]Step, len(s))
	for i, step := range s {
		out[i] = map[string]Step{step.name(): step}
	}
	return json.Marshal(out)
}

func (s *steps) UnmarshalJSON(data []byte) error {
	var named []struct {
		Verify   *Verify   `json:"verify"`
		Shift    *Shift    `json:"shift"`
		Hold     *Hold     `json:"hold"`
		NoReturn *NoReturn `json:"no_return"`
		Promote  *Promote  `json:"promote"`
	}
	if err := jsontree.Unmarshal(data, &named); err != nil {
		return err
	}
	var problems jsontree.Problems
	for i, n := range named {
		var given []Step
		if n.Verify != nil {
			given = append(given, *n.Verify)
		}
		if n.Shift != nil {
			given = append(given, *n.Shift)
		}
		if n.Hold != nil {
			given = append(given, *n.Hold)
		}
		if n.NoReturn != nil {
			given = append(given, *n.NoReturn)
		}
		if n.Promote != nil {
			given = append(given, *n.Promote)
		}
		at := jsontree.Index("", i)
		if len(given) != 1 {
			problems = append(problems, jsontree.Problem{Path: at, Text: fmt.Sprintf("has %d steps, want one", len(given))})
			continue
		}
		if text := given[0].problem(); text != "" {
			problems = append(problems, jsontree.Problem{Path: jsontree.Join(at, given[0].name()), Text: text})
		}
		*s = append(*s, given[0])
	}
	return problems.Err()
}
