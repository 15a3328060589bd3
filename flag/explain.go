package flag

import (
	"slices"
	"time"
)

// Explanation is how one flag is decided for one subject, and what would have to be
// otherwise for it to be decided otherwise. It is the outcome that [Ref.Decide] gives,
// the tree of everything that was looked at on the way there, and all that deciding it
// took: written as JSON it is a record of the decision, which [Set.Replay] decides
// again. It is a copy of its own, so it may be kept; to be shown to others or logged,
// see [Explanation.Redact].
// It knows no type, so it never has [ReasonWrongType].
type Explanation struct {
	Flag string // its key

	// What the decision was about:
	Key        string    // the subject's
	At         time.Time // as of when; zero if the flag does not look at the clock
	Attributes []Seen    // those that were asked for, each once, by name; also where Steps do not go
	Snapshot   string    // the set's [Set.Hash]
	Revision   uint64    // the set's

	// The outcome, as in a [Decision]:
	Variant string // empty if it is left to the caller's default
	Reason  Reason // what decided
	Rule    int    // index of the rule that decided, or -1
	Unit    uint64 // hash of the unit, where a ramp or a split decided
	Slot    int32  // 0 .. 99,999, or -1 if neither a ramp nor a split decided
	Ramp    Share  // of the ramp that decided

	// Steps are the tree, in the order of deciding.
	Steps []Step
	// Redacted says that [Explanation.Redact] hid the key.
	Redacted bool
	// Unrecorded are, of a replay, the attributes that the set asks for and the record
	// says nothing about: they were decided as missing, which they may not have been.
	Unrecorded []string
}

// Step is one thing that was looked at.
type Step struct {
	// What it is: "killed", "override", "disabled", "when", "targets", "rule", "ramp",
	// "split", "serve", or "rest" for all that was not reached; within a ramp or split,
	// "holdout" and "layer"; of conditions "attr", "segment", "flag", "time", "all",
	// "any" and "not"; within a segment "keys" and "except".
	What string
	At   string // where it stands in the document; empty where it does not
	Asks string // what it asks, in a few words: country in ["DE" "FR"]
	Want string // what the attribute, key or time must be for the answer to be true
	Is   Truth  // the answer; of a "rule", "ramp", "split" or "targets", whether it serves
	Not  bool   // whether it must be false, since it is within a "not"
	// Decides says that it decided the flag.
	Decides bool
	// Serve is the variant that it serves if it decides, or of a "flag" the one that the
	// other flag serves. Empty is the caller's default.
	Serve string
	Saw   *Seen // the attribute that was asked for; nil where there is none
	Draw  *Draw // the unit's place; nil where there is none
	// Steps are what it consists of. A segment or another flag is opened up once, where
	// it is named first; at most 64 are, and at most 16 within one another.
	Steps []Step
}

// Draw is a unit's place in a ramp, split, layer or holdout.
type Draw struct {
	Unit  uint64  `json:"unit,string"`     // hash of the unit
	Slot  int32   `json:"slot"`            // 0 .. 99,999
	Share Share   `json:"share"`           // of a ramp or holdout: slots below it are in
	Range []Range `json:"range,omitempty"` // of a layer, the flag's ranges; of a split, the one with the slot
}

// Truth is an answer of three, or none.
type Truth uint8

// The answers. The zero Truth is none.
const (
	TruthNone    Truth = iota // not reached
	TruthFalse                // known to be false
	TruthUnknown              // neither: an attribute is missing, or of another kind
	TruthTrue                 // known to be true
)

var truthNames = [...]string{"not reached", "false", "unknown", "true"}

// String is a word or two.
func (t Truth) String() string {
	if int(t) >= len(truthNames) {
		return "invalid"
	}
	return truthNames[t]
}

// Explain explains how the flag is decided for a subject by the newest snapshot. It
// does not count as an evaluation. A nil store or subject are as in [Ref.Decide].
func (s *Store) Explain(key string, subject *Subject) Explanation {
	return s.snapshot().Explain(key, subject)
}

// Explain explains how the set decides the flag for a subject. The first call for a
// flag reads its definition again, and the first for a set takes its [Set.Hash]; that
// costs memory and time, but only of those who ask.
func (s *Set) Explain(key string, subject *Subject) Explanation {
	e := Explanation{Flag: key, Rule: -1, Slot: -1}
	if subject == nil {
		subject = &nobody
	}
	if e.Key = subject.key; s == nil {
		e.Reason = ReasonNoDocument
		return e
	}
	e.Revision, e.Snapshot = s.revision, s.Hash()
	h := s.header(key)
	switch {
	case h != nil:
	case s.dropped[key]:
		e.Reason = ReasonQuarantined
		return e
	default:
		e.Reason = ReasonUnknownFlag
		return e
	}
	x := explainer{set: s, subject: subject, now: subject.moment(h.timed)}
	if h.timed {
		e.At = time.Unix(0, x.now).UTC()
	}
	v, steps := x.flag(h.flag)
	e.Variant, e.Reason, e.Rule, e.Unit, e.Slot, e.Ramp = h.flag.name(v.variant), v.reason, v.rule, v.unit, v.slot, v.ramp
	e.Steps, e.Attributes = steps, x.attributes()
	return e
}

// Same says whether two explanations have the same outcome: variant, reason, rule,
// unit, slot and ramp.
func (e Explanation) Same(other Explanation) bool {
	return e.Variant == other.Variant && e.Reason == other.Reason && e.Rule == other.Rule &&
		e.Unit == other.Unit && e.Slot == other.Slot && e.Ramp == other.Ramp
}

// Redact returns a copy without the subject's key, the hash of any unit, and the values
// of all attributes but those that are named. What was asked, what it was asked for and
// what came of it stays; so it still tells that a hidden attribute is one of the values
// that a document names. It cannot be replayed.
func (e Explanation) Redact(keep ...string) Explanation {
	e.Key, e.Unit, e.Redacted = "", 0, true
	e.Attributes = slices.Clone(e.Attributes)
	for i := range e.Attributes {
		e.Attributes[i] = e.Attributes[i].redact(keep)
	}
	e.Steps = redacted(e.Steps, keep)
	return e
}

func redacted(steps []Step, keep []string) []Step {
	steps = slices.Clone(steps)
	for i := range steps {
		s := &steps[i]
		if s.Saw != nil {
			s.Saw = new(s.Saw.redact(keep))
		}
		if s.Draw != nil {
			hidden := *s.Draw
			hidden.Unit, s.Draw = 0, &hidden
		}
		s.Steps = redacted(s.Steps, keep)
	}
	return steps
}
