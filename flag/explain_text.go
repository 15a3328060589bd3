package flag

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the decision as a tree, one line for each step: what was true, what was
// not and what would have to change, and what was not reached.
//
//	new-checkout serves "off" to "user-7" by ramp
//	  ✗ rules[0]
//	    ✗ country is "SE", want one of ["DE" "FR"]
//	  ✗ ramp 25 %: slot 61,234 is not below 25,000 (25 %)
//	  ✓ serve -> "off"
func (e Explanation) String() string {
	var b strings.Builder
	key := strconv.Quote(e.Key)
	if e.Redacted {
		key = "a hidden key"
	}
	fmt.Fprintf(&b, "%s serves %s to %s by %v", plainName(e.Flag), served(e.Variant), key, e.Reason)
	if !e.At.IsZero() {
		b.WriteString(", at " + stamp(e.At))
	}
	if len(e.Unrecorded) > 0 {
		b.WriteString(", not knowing " + strings.Join(e.Unrecorded, ", "))
	}
	b.WriteByte('\n')
	printed(&b, e.Steps, 1)
	return b.String()
}

func served(variant string) string {
	if variant == "" {
		return "the caller's default"
	}
	return strconv.Quote(variant)
}

// marks are by Truth.
var marks = [...]string{"·", "✗", "?", "✓"}

func printed(b *strings.Builder, steps []Step, depth int) {
	for _, s := range steps {
		b.WriteString(strings.Repeat("  ", depth))
		b.WriteString(marks[min(int(s.Is), len(marks)-1)] + " ")
		why := s.Why()
		switch {
		case s.Is == TruthNone:
			b.WriteString(s.Asks + ": not reached")
		case s.What == "attr" && why != "":
			b.WriteString(why) // which says again what is asked
		case why != "":
			b.WriteString(s.Asks + ": " + why)
		case s.Saw != nil && s.Saw.Value != nil:
			b.WriteString(s.Asks + ": " + s.Saw.String())
		default:
			b.WriteString(s.Asks)
		}
		if s.Decides {
			b.WriteString(" -> " + served(s.Serve))
		}
		b.WriteByte('\n')
		printed(b, s.Steps, depth+1)
	}
}

// Why says why the step has not the answer that would let it serve, and what would have
// to change; of a ramp or split that serves, where the unit is. It is empty where there
// is nothing to say.
func (s Step) Why() string {
	want := s.Want
	switch {
	case !s.Not || s.What == "holdout":
	case want == wantAny:
		want = wantMissing
	case want == wantMissing:
		want = wantAny
	default:
		want = "other than " + want
	}
	answer := TruthTrue
	if s.Not {
		answer = TruthFalse
	}
	switch {
	case s.Is == TruthNone:
		return ""
	case s.Draw != nil:
		return s.place()
	case s.Is == answer || s.Want == "":
		return ""
	}
	switch s.What {
	case "time":
		return "it is not then, want " + want
	case "flag":
		return fmt.Sprintf("it serves %s, want %s", served(s.Serve), want)
	case "targets":
		return "the key is none of them"
	case "ramp", "split":
		if s.Is == TruthFalse {
			return "the layer keeps the unit from it"
		}
		if len(s.Steps) > 0 && s.Steps[0].Is == TruthUnknown {
			return "the subject has no unit in the layer"
		}
	}
	switch {
	case s.Saw != nil:
		return s.Saw.String() + ", want " + want
	case s.Is == TruthUnknown:
		return "the subject has no key"
	}
	return "the key is " + map[bool]string{true: "", false: "not "}[s.Not] + s.Want
}

// place says where the unit is.
func (s Step) place() string {
	slot := "slot " + thousands(int(s.Draw.Slot))
	switch s.What {
	case "layer", "split":
		ranges := make([]string, len(s.Draw.Range))
		for i, r := range s.Draw.Range {
			ranges[i] = fmt.Sprintf("%s to %s", thousands(int(r.From)), thousands(int(r.To)))
		}
		is := "is in "
		if s.Is == TruthFalse {
			is = "is not in "
		}
		text := slot + " " + is + shorten(strings.Join(ranges, ", "))
		if s.What == "split" {
			text += ", for " + served(s.Serve)
		}
		return text
	}
	is := "is below"
	if s.Is == TruthFalse {
		is = "is not below"
	}
	return fmt.Sprintf("%s %s %s (%v)", slot, is, thousands(int(s.Draw.Share)), s.Draw.Share)
}
