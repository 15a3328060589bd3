package health

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"time"
)

// SLOReport is how an [SLO] stood at one moment. It explains itself: every rule with
// both of its windows, firing or not, and the budget.
type SLOReport struct {
	Objective float64       `json:"objective"` // the share that is to succeed
	Period    time.Duration `json:"period"`    // in nanoseconds
	Spent     Spent         `json:"spent"`     // over the period, or what was seen of it
	Burns     []Burn        `json:"burns"`     // in the order of the rules
}

// Burn is how one [BurnRule] stood.
type Burn struct {
	Rule   BurnRule `json:"rule"`   // with its defaults
	Long   Spent    `json:"long"`   // over its long window
	Short  Spent    `json:"short"`  // over its short window
	Firing bool     `json:"firing"` // both burn faster than Factor, and the minimum counts are there
}

// Spent is what requests cost an objective over some time.
type Spent struct {
	Covered  time.Duration `json:"covered"`  // how much of that time was seen, in nanoseconds: from the first outcome on
	Requests uint64        `json:"requests"` // successes and failures
	Failures uint64        `json:"failures"` // those that failed
	Allowed  float64       `json:"allowed"`  // how many of so many requests the objective allows to fail: (1-objective) × Requests
}

// Rate is how many times as fast the budget is burnt as the objective allows:
// Failures/Allowed. Without requests there is no value.
func (s Spent) Rate() (float64, bool) {
	if s.Requests == 0 || s.Allowed <= 0 {
		return 0, false
	}
	return float64(s.Failures) / s.Allowed, true
}

// Left is the share of the budget that is left: 1 all of it, 0 nothing, less where it
// is overdrawn. The budget is what the objective allows for Requests, so where Covered is
// short it is a small one, and soon overdrawn. Without requests there is no value.
func (s Spent) Left() (float64, bool) {
	rate, ok := s.Rate()
	return 1 - rate, ok
}

// String is one line for people.
func (s Spent) String() string {
	rate, ok := s.Rate()
	if !ok {
		return "no requests"
	}
	return fmt.Sprintf("%s× of %s, %s fail", figure(rate), count(s.Requests, "request"), percent(s.Failures, s.Requests))
}

// MarshalJSON adds rate and left where they have a value.
func (s Spent) MarshalJSON() ([]byte, error) {
	type plain Spent
	out := struct {
		plain
		Rate *float64 `json:"rate,omitempty"`
		Left *float64 `json:"left,omitempty"`
	}{plain: plain(s)}
	out.Rate = value(s.Rate())
	out.Left = value(s.Left())
	return json.Marshal(out)
}

func burnOf(r BurnRule, long, short Spent) Burn {
	b := Burn{Rule: r, Long: long, Short: short}
	b.Firing = b.enough() && b.over(long) && b.over(short)
	return b
}

func (b Burn) enough() bool {
	return b.Long.Requests >= b.Rule.MinRequests && b.Long.Failures >= b.Rule.MinFailures
}

func (b Burn) over(s Spent) bool {
	rate, ok := s.Rate()
	return ok && rate > b.Rule.Factor
}

// String is one line for people.
func (b Burn) String() string {
	long, short := b.over(b.Long), b.over(b.Short)
	word := "quiet"
	switch {
	case b.Firing:
		word = "firing"
	case long && short:
		word = fmt.Sprintf("quiet: fewer than %s or %s", count(b.Rule.MinRequests, "request"), count(b.Rule.MinFailures, "failure"))
	case long:
		word = "quiet: it has ended"
	case short:
		word = "quiet: not for long enough"
	}
	return fmt.Sprintf("%s/%s above %s×: %s (%s: %v; %s: %v)", brief(b.Rule.Long), brief(b.Rule.Short), figure(b.Rule.Factor), word,
		b.Long.seen(b.Rule.Long), b.Long, b.Short.seen(b.Rule.Short), b.Short)
}

// seen writes a window, and how much of it was seen where that is not all.
func (s Spent) seen(window time.Duration) string {
	if s.Covered >= window || s.Requests == 0 {
		return brief(window)
	}
	return lasting(s.Covered) + " of " + brief(window)
}

// Firing says whether any rule fires.
func (r SLOReport) Firing() bool {
	for _, b := range r.Burns {
		if b.Firing {
			return true
		}
	}
	return false
}

// String is a line for the budget and one for each rule.
func (r SLOReport) String() string {
	text := fmt.Sprintf("objective %v %%: ", trim(100*r.Objective))
	if left, ok := r.Spent.Left(); ok {
		budget := "the budget of " + brief(r.Period)
		if r.Spent.Covered < r.Period {
			text += r.Spent.seen(r.Period) + " seen: "
			budget = "its budget"
		}
		text += fmt.Sprintf("%s %% of %s left, %s of %s allowed failures", trim(math.Round(1000*left)/10), budget, group(r.Spent.Failures), figure(r.Spent.Allowed))
	} else {
		text += "no requests"
	}
	for _, b := range r.Burns {
		text += "\n\t" + b.String()
	}
	return text
}

// LogValue lays the report out for package slog: the budget, and the rules that fire.
func (r SLOReport) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Float64("objective", r.Objective), slog.Bool("firing", r.Firing()), slog.Duration("covered", r.Spent.Covered)}
	if left, ok := r.Spent.Left(); ok {
		attrs = append(attrs, slog.Float64("budget_left", left))
	}
	for _, b := range r.Burns {
		if b.Firing {
			attrs = append(attrs, slog.String(brief(b.Rule.Long), b.String()))
		}
	}
	return slog.GroupValue(attrs...)
}

// brief writes a duration without the units that are zero: "1h" and not "1h0m0s".
func brief(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// trim writes a number with at most four digits after the point.
func trim(x float64) string {
	text := strings.TrimRight(fmt.Sprintf("%.4f", x), "0")
	return strings.TrimSuffix(text, ".")
}
