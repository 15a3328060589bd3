package strategy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Step is one move of a plan: one of [Verify], [Scale], [Mirror], [Shift], [Hold],
// [NoReturn] and [Promote]. Its String is a line for people.
type Step interface {
	fmt.Stringer
	// problem says what is wrong with the step by itself; empty for nothing.
	problem() string
	// needs says whether a target has what the step takes, and names the method if not.
	needs(Target) (method string, ok bool)
	// move is where a target stands after the step.
	move(*Observation)
	name() string
}

// Verify asks gates, all of which must say yes.
type Verify struct {
	Gates []string `json:"gates"` // by name, asked in order
}

// Scale changes how many instances run of each version. It is done when those that
// are wanted are ready and the others have gone. It says of both versions how many are
// to run, so that it can be taken whatever was before.
type Scale struct {
	Old Count `json:"old,omitzero"` // of the old version
	New Count `json:"new,omitzero"` // of the new one
	// Within is how long it may take; then it has failed. Zero leaves it to whoever
	// carries the plan out.
	Within time.Duration `json:"within,omitzero"`
}

// Count is a number of instances that changes.
type Count struct {
	From int `json:"from"` // before
	To   int `json:"to"`   // and after
}

// Mirror sends the new version copies of a share of the requests, and throws its
// answers away: nobody is exposed.
type Mirror struct {
	From Share `json:"from"` // what it gets copies of before
	To   Share `json:"to"`   // and after
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
	Exposed  int           `json:"exposed,omitempty"`  // requests, at least; strategies make it 20 where there are judges, and it is not given
	Judges   []string      `json:"judges,omitempty"`   // by name
	Approval bool          `json:"approval,omitempty"` // whether a person has to approve
}

// NoReturn is a point of no return: from here on there is no way back, because
// what the old version needs is about to go. A rollout that fails past it waits for
// a person and does not go back.
type NoReturn struct {
	Why string `json:"why"` // what will be gone: "the column orders.total is dropped"
}

// Promote makes the new version the one to come back to: what a target that starts
// again serves.
type Promote struct {
	Back bool `json:"back,omitzero"` // the old version, on the way back
}

// String is "verify by smoke".
func (s Verify) String() string { return "verify by " + strings.Join(s.Gates, ", ") }

// String is "scale the old version from 3 to 2, the new version from 0 to 1, within 5m0s".
func (s Scale) String() string {
	var parts []string
	if s.Old.From != s.Old.To {
		parts = append(parts, fmt.Sprintf("the old version from %d to %d", s.Old.From, s.Old.To))
	}
	if s.New.From != s.New.To {
		parts = append(parts, fmt.Sprintf("the new version from %d to %d", s.New.From, s.New.To))
	}
	if len(parts) == 0 {
		parts = append(parts, "nothing")
	}
	if s.Within > 0 {
		parts = append(parts, fmt.Sprintf("within %v", s.Within))
	}
	return "scale " + strings.Join(parts, ", ")
}

// String is "mirror 10 % instead of 0 %".
func (s Mirror) String() string { return fmt.Sprintf("mirror %v instead of %v", s.To, s.From) }

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

// String is "promote", or "promote the old version again".
func (s Promote) String() string {
	if s.Back {
		return "promote the old version again"
	}
	return "promote"
}

func (s Verify) problem() string {
	if len(s.Gates) == 0 {
		return "names no gates"
	}
	return ""
}

func (s Scale) problem() string {
	if min(s.Old.From, s.Old.To, s.New.From, s.New.To) < 0 || s.Within < 0 {
		return fmt.Sprintf("found %d to %d, %d to %d and %v, want nothing negative", s.Old.From, s.Old.To, s.New.From, s.New.To, s.Within)
	}
	return ""
}

func (s Mirror) problem() string { return shares(s.From, s.To) }

func (s Shift) problem() string { return shares(s.From, s.To) }

func shares(from, to Share) string {
	if min(from, to) < 0 || max(from, to) > All {
		return fmt.Sprintf("found %v to %v, want shares from 0 to 100 %%", from, to)
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

func (Verify) needs(Target) (string, bool)   { return "", true }
func (Scale) needs(t Target) (string, bool)  { _, ok := t.(Scaler); return "Scale", ok }
func (Mirror) needs(t Target) (string, bool) { _, ok := t.(Mirrorer); return "Mirror", ok }
func (Shift) needs(t Target) (string, bool)  { _, ok := t.(Shifter); return "Shift", ok }
func (Hold) needs(Target) (string, bool)     { return "", true }
func (NoReturn) needs(Target) (string, bool) { return "", true }
func (Promote) needs(Target) (string, bool)  { return "", true } // a target without Promote has nothing to remember

func (Verify) move(*Observation)     {}
func (s Mirror) move(o *Observation) { o.Mirror = s.To }
func (s Shift) move(o *Observation)  { o.Share = s.To }
func (Hold) move(*Observation)       {}
func (NoReturn) move(*Observation)   {}
func (Promote) move(*Observation)    {}

func (s Scale) move(o *Observation) { o.Old, o.New = s.Old.To, s.New.To }

func (Verify) name() string   { return "verify" }
func (Scale) name() string    { return "scale" }
func (Mirror) name() string   { return "mirror" }
func (Shift) name() string    { return "shift" }
func (Hold) name() string     { return "hold" }
func (NoReturn) name() string { return "no_return" }
func (Promote) name() string  { return "promote" }

// scale is how a Scale stands in JSON: with its time as people write it.
type scale struct {
	Old    Count  `json:"old,omitzero"`
	New    Count  `json:"new,omitzero"`
	Within string `json:"within,omitempty"`
}

// MarshalJSON writes the time as "5m0s".
func (s Scale) MarshalJSON() ([]byte, error) {
	out := scale{Old: s.Old, New: s.New}
	if s.Within != 0 {
		out.Within = s.Within.String()
	}
	return json.Marshal(out)
}

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
		if step == nil {
			return nil, fmt.Errorf("strategy: step %d is nil", i+1)
		}
		out[i] = map[string]Step{step.name(): step}
	}
	return json.Marshal(out)
}

func (s *steps) UnmarshalJSON(data []byte) error {
	var named []struct {
		Verify   *Verify   `json:"verify"`
		Scale    *Scale    `json:"scale"`
		Mirror   *Mirror   `json:"mirror"`
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
		given := slices.Concat(given(n.Verify), given(n.Scale), given(n.Mirror), given(n.Shift), given(n.Hold), given(n.NoReturn), given(n.Promote))
		at := jsontree.Index("", i)
		if len(given) != 1 {
			problems = append(problems, jsontree.Problem{Path: at, Text: fmt.Sprintf("has %d steps, want one", len(given))})
			continue
		}
		if h, ok := given[0].(Hold); ok && len(h.Judges) == 0 {
			h.Judges = nil // an empty list is none, or plans would differ
			given[0] = h
		}
		if text := given[0].problem(); text != "" {
			problems = append(problems, jsontree.Problem{Path: jsontree.Join(at, given[0].name()), Text: text})
		}
		*s = append(*s, given[0])
	}
	return problems.Err()
}

func given[S Step](step *S) []Step {
	if step == nil {
		return nil
	}
	return []Step{*step}
}
