package flag

import (
	"fmt"
	"strings"
	"time"

	"github.com/guidon-go/guidon/internal/percent"
)

// String is a table for people, one move a line:
//
//	new-checkout     25.000 % of everybody: off -> on (ramp 25 % to 50 %)
//
// Shares that are not exact say so, as do those of a later moment. Where a group stands
// for everybody in [Difference.Most], the last line says so.
func (d Difference) String() string {
	if len(d.Flags) == 0 {
		return "nothing changes"
	}
	width := 0
	for _, f := range d.Flags {
		width = max(width, len([]rune(f.Key)))
	}
	var lines []string
	bound := "" // the flag that Most is of, if nobody knows how many its groups are
	for _, f := range d.Flags {
		if f.Share == d.Most() && bound == "" && f.Basis == BasisBound && f.Moves != nil {
			bound = f.Key
		}
		texts := make([]string, 0, len(f.Moves)+1)
		for _, m := range f.Moves {
			texts = append(texts, m.text(d.Subjects))
		}
		switch {
		case len(texts) > 0:
		case f.Basis == BasisNobody:
			texts = append(texts, column(f.Share)+" of everybody at most: the population is of nobody")
		case f.Share > 0:
			texts = append(texts, column(f.Share)+" of everybody at most: too complicated")
		default:
			texts = append(texts, "nobody moves")
		}
		if len(f.Changes) > 0 {
			texts[0] += " (" + strings.Join(f.Changes, "; ") + ")"
		}
		if !f.At.IsZero() {
			texts[0] += ", at " + f.At.Format(time.RFC3339Nano)
		}
		key := f.Key
		for _, text := range texts {
			lines = append(lines, fmt.Sprintf("%-*s  %s", width, key, text))
			key = ""
		}
	}
	if bound != "" {
		lines = append(lines, fmt.Sprintf("at most %s of everybody, by %s: only a population tells how many its groups have", d.Most(), bound))
	}
	if d.Subjects > 0 {
		lines = append(lines, fmt.Sprintf("%d of %s moved by at least one flag", d.Moved, plural(d.Subjects, "subject")))
	}
	return strings.Join(lines, "\n")
}

// String is "25.000 % of everybody: off -> on".
func (m Move) String() string { return strings.TrimSpace(m.text(0)) }

func (m Move) text(subjects int) string {
	of := "of " + orElse(m.Group, "everybody")
	if m.Basis == BasisCounted {
		of = fmt.Sprintf("(%d)", m.Count)
		if subjects > 0 {
			of = fmt.Sprintf("(%d of %d)", m.Count, subjects)
		}
	}
	if m.Basis == BasisExpected {
		of += ", expected"
	}
	return fmt.Sprintf("%s %s: %s -> %s", column(m.Share), of, orElse(m.From, "default"), orElse(m.To, "default"))
}

// column is a percentage with all its decimals, under others like it.
func column(s Share) string {
	whole, fraction, _ := strings.Cut(percent.Format(int32(s)), ".")
	return fmt.Sprintf("%3s.%s %%", whole, fraction+"000"[len(fraction):])
}
