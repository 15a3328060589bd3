package flag

import "github.com/guidon-go/guidon/internal/bucket"

// Reason says what decided.
type Reason uint8

// The reasons, in the order in which they are tried. The zero Reason is never
// returned.
const (
	// ReasonNoDocument is a nil or empty store, or no view in the context.
	ReasonNoDocument Reason = iota + 1
	// ReasonUnknownFlag is a flag that the document does not have.
	ReasonUnknownFlag
	// ReasonWrongType is a flag whose document was compiled before this type was
	// declared for it, and whose values are of another.
	ReasonWrongType
	// ReasonKilled is an emergency rollback: off for everybody.
	ReasonKilled
	// ReasonDisabled is a flag that its document disables.
	ReasonDisabled
	// ReasonRule is a rule that matched.
	ReasonRule
	// ReasonRamp is the flag's ramp: slots below it are in, the others out.
	ReasonRamp
	// ReasonNoUnit is a ramp that was skipped, because the subject has no key.
	ReasonNoUnit
	// ReasonServe is the flag's Serve.
	ReasonServe
)

// String is a word or two.
func (r Reason) String() string {
	names := [...]string{"invalid", "no document", "unknown flag", "wrong type", "killed", "disabled", "rule", "ramp", "no unit", "serve"}
	if int(r) >= len(names) {
		return names[0]
	}
	return names[r]
}

// Decision is a value and why it was chosen.
type Decision[T any] struct {
	Value    T      // what to do
	Variant  string // the variant's name; empty if the caller's default won
	Reason   Reason // what decided
	Rule     int    // index of the rule that matched, or -1
	Revision uint64 // of the snapshot that decided; it grows with every change

	// Where a ramp decided, the unit was in if Slot < Ramp.
	Unit uint64 // hash of the subject's key
	Slot int32  // 0 .. 99,999, or -1 if no ramp decided
	Ramp Share  // of the ramp that decided
}

// verdict is a decision before its value is looked up.
type verdict struct {
	variant int // index, or -1 for the caller's default
	reason  Reason
	rule    int
	slot    int32
	ramp    Share
}

// decide is the whole evaluation. It allocates nothing, locks nothing, and
// writes nothing.
func (f *compiled) decide(s *Subject) verdict {
	v := verdict{variant: f.serve, reason: ReasonServe, rule: -1, slot: -1}
	switch {
	case f.killed:
		v.variant, v.reason = f.off, ReasonKilled
		return v
	case f.disabled:
		v.variant, v.reason = f.off, ReasonDisabled
		return v
	}
	for i := range f.rules {
		r := &f.rules[i]
		if r.cond.eval(s) != yes {
			continue
		}
		if r.ramp == nil {
			v.variant, v.reason, v.rule = r.serve, ReasonRule, i
			return v
		}
		if slot, ok := r.ramp.slot(s); ok && Share(slot) < r.ramp.share {
			return verdict{r.ramp.serve, ReasonRule, i, slot, r.ramp.share}
		}
	}
	if f.ramp == nil {
		return v
	}
	slot, ok := f.ramp.slot(s)
	if !ok {
		v.reason = ReasonNoUnit
		return v
	}
	v.reason, v.slot, v.ramp = ReasonRamp, slot, f.ramp.share
	if Share(slot) < f.ramp.share {
		v.variant = f.ramp.serve
	}
	return v
}

func (r *ramp) slot(s *Subject) (int32, bool) {
	if s == nil || s.key == "" {
		return 0, false
	}
	return bucket.Slot(s.unit, r.lane), true
}
