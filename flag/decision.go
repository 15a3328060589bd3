package flag

import "fmt"

// Reason says what decided.
type Reason uint8

// The reasons. The zero Reason is never returned.
const (
	// ReasonNoDocument is a nil or empty store, or no view in the context.
	ReasonNoDocument Reason = iota + 1
	// ReasonUnknownFlag is a flag that the document does not have.
	ReasonUnknownFlag
	// ReasonQuarantined is a flag whose definition is broken, and has never been
	// any better.
	ReasonQuarantined
	// ReasonWrongType is a flag whose values are of another type than this one, which was
	// not declared for it before its document was compiled.
	ReasonWrongType
	// ReasonKilled is an emergency rollback: off for everybody.
	ReasonKilled
	// ReasonOverride is a variant or value that was set for this process or this
	// request.
	ReasonOverride
	// ReasonDisabled is a flag that its document disables.
	ReasonDisabled
	// ReasonWhen is a flag whose When is not met.
	ReasonWhen
	// ReasonTarget is a subject that the flag's Targets name.
	ReasonTarget
	// ReasonRule is a rule that matched, and admitted the subject if it has a ramp.
	ReasonRule
	// ReasonRamp is the flag's ramp: slots below it are in, the others out.
	ReasonRamp
	// ReasonSplit is the flag's split.
	ReasonSplit
	// ReasonNoUnit is a ramp or split of the flag that was skipped, because the
	// subject does not have the key or attribute that it is by.
	ReasonNoUnit
	// ReasonHoldout is a ramp or split of the flag that was skipped, because the
	// flag's layer holds the unit out.
	ReasonHoldout
	// ReasonLayer is a ramp or split of the flag that was skipped, because the
	// flag's layer does not give it the unit.
	ReasonLayer
	// ReasonServe is the flag's Serve.
	ReasonServe
)

// String is a word or two.
func (r Reason) String() string {
	names := [...]string{"invalid", "no document", "unknown flag", "quarantined", "wrong type", "killed", "override", "disabled",
		"when", "target", "rule", "ramp", "split", "no unit", "holdout", "layer", "serve"}
	if int(r) >= len(names) {
		return names[0]
	}
	return names[r]
}

// MarshalText is String.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the word or two.
func (r *Reason) UnmarshalText(text []byte) error {
	for *r = ReasonNoDocument; *r <= ReasonServe; *r++ {
		if r.String() == string(text) {
			return nil
		}
	}
	*r = 0
	return fmt.Errorf("found reason %q, want one of a decision", shorten(string(text)))
}

// Decision is a value and why it was chosen.
type Decision[T any] struct {
	Value    T      // what to do
	Variant  string // the variant's name; empty if the caller's default won
	Reason   Reason // what decided
	Rule     int    // index of the rule that decided, or -1
	Revision uint64 // of the snapshot that decided; it grows with every change

	// Where a ramp decided, the unit was in if Slot < Ramp; where a split decided,
	// Slot is in one of the variant's ranges.
	Unit uint64 // hash of the unit
	Slot int32  // 0 .. 99,999, or -1 if neither a ramp nor a split decided
	Ramp Share  // of the ramp that decided
}

// verdict is a decision before its value is looked up.
type verdict struct {
	variant int32 // index, or negative for the caller's default
	reason  Reason
	rule    int
	slot    int32
	ramp    Share
	unit    uint64
}

// decide is [header.pick] with the reason.
func (f *compiled) decide(set *Set, s *Subject, now int64) verdict {
	v := verdict{rule: -1, slot: -1}
	switch {
	case f.killed:
		v.variant, v.reason = f.off, ReasonKilled
		return v
	case f.override >= 0:
		v.variant, v.reason = f.override, ReasonOverride
		return v
	case f.disabled:
		v.variant, v.reason = f.off, ReasonDisabled
		return v
	}
	variant, exit := f.run(set, s, now)
	e := &f.exits[exit]
	v.variant, v.reason, v.rule = variant, e.reason, int(e.rule)
	if e.draw == nil {
		return v
	}
	slot, share, unit, how := e.draw.why(s, now)
	switch how {
	case drawnPlace:
		v.slot, v.ramp, v.unit = slot, share, unit
		if e.draw.cuts != nil && e.reason == ReasonRamp {
			v.reason = ReasonSplit
		}
	case drawnNoUnit:
		v.reason = ReasonNoUnit
	case drawnHoldout:
		v.reason = ReasonHoldout
	case drawnLayer:
		v.reason = ReasonLayer
	}
	return v
}

// exit is one way out of a flag's program, and what it serves there.
type exit struct {
	reason Reason
	rule   int32 // or -1
	serve  int32 // without a draw; behind the flag's own draw, for those it leaves out
	next   int32 // where those go on whom a rule's draw leaves out
	draw   *draw // a ramp or split; nil serves
}

// run finds the exit that decides, and the variant that it serves.
func (f *compiled) run(set *Set, s *Subject, now int64) (variant, exit int32) {
	if f.targets != nil {
		if e := f.targetOf(s); e >= 0 {
			return f.exits[e].serve, e
		}
	}
	if f.table != nil {
		return f.among(f.table.left(s), s, now)
	}
	for at := f.start; ; {
		exit = f.program.run(at, set, s, now)
		e := &f.exits[exit]
		if e.draw == nil {
			return e.serve, exit
		}
		v, _ := e.draw.pick(s, now)
		switch {
		case v >= 0:
			return v, exit
		case e.rule < 0:
			return e.serve, exit
		}
		at = e.next
	}
}

// served is the variant that a rule serves outright.
func (f *compiled) served(rule int) int32 { return f.exits[int(f.firstRule)+rule].serve }

// among is run for a flag with a table, whose index leaves some rules.
func (f *compiled) among(left uint64, s *Subject, now int64) (variant, exit int32) {
	for left != 0 {
		rule := f.table.match(left, s)
		if rule < 0 {
			break
		}
		exit = f.firstRule + int32(rule)
		e := &f.exits[exit]
		if e.draw == nil {
			return e.serve, exit
		}
		if v, _ := e.draw.pick(s, now); v >= 0 {
			return v, exit
		}
		left &= ^uint64(0) << rule << 1
	}
	e := &f.exits[exitServe]
	if e.draw != nil {
		if v, _ := e.draw.pick(s, now); v >= 0 {
			return v, exitServe
		}
	}
	return e.serve, exitServe
}
