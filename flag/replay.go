package flag

import (
	"errors"
	"slices"
)

var (
	errRedacted = errors.New("found a record that was redacted, want one with its key and all its values")
	errNoRecord = errors.New("found no decision, want what Explain returned or what was read from JSON")
)

// Replay decides again what a record says was decided, for the subject and the moment
// that it has: on the set that made it, bit for bit the same, and on any other as that
// would have it, say on one compiled from a proposed document. [Explanation.Same] tells
// whether the outcome is the same; Unrecorded in the replay are attributes that only the
// other set asks for. If only the other set looks at the clock, that is of now. A record
// that was redacted, or none, is an error.
func (s *Set) Replay(record Explanation) (Explanation, error) {
	subject, err := record.subject()
	if err != nil {
		return Explanation{}, &Error{Op: "replay", Key: record.Flag, Err: err}
	}
	out := s.Explain(record.Flag, &subject)
	known := func(name string) bool {
		return slices.ContainsFunc(record.Attributes, func(s Seen) bool { return s.Name == name })
	}
	for _, seen := range out.Attributes {
		if !known(seen.Name) {
			out.Unrecorded = append(out.Unrecorded, seen.Name)
		}
	}
	return out, nil
}

// subject is the one that the record is about, as far as it was looked at.
func (e Explanation) subject() (Subject, error) {
	switch {
	case e.Redacted:
		return Subject{}, errRedacted
	case e.Reason == 0:
		return Subject{}, errNoRecord
	}
	facts := make([]Fact, 0, len(e.Attributes))
	for _, seen := range e.Attributes {
		attr := knownAttribute(seen.Name)
		fact, err := seen.fact(attr)
		if err != nil {
			return Subject{}, err
		}
		if fact.kind() != 0 && attr != 0 { // no document names another
			facts = append(facts, fact)
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int { return int(a.attr()) - int(b.attr()) }) // as they are found fastest
	subject := For(e.Key, facts...)
	if !e.At.IsZero() {
		subject = subject.At(e.At)
	}
	return subject, nil
}
