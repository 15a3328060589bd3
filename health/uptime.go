package health

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// Uptime is what an [Availability] has counted at one moment: how long out of the time
// from From to To. The four add up to it.
type Uptime struct {
	From        time.Time     `json:"from,omitzero"` // where the period begins, or what was seen of it
	To          time.Time     `json:"to,omitzero"`   // where it ends
	Up          time.Duration `json:"up"`            // healthy or degraded; in nanoseconds, as the others
	Down        time.Duration `json:"down"`          // unhealthy
	Unknown     time.Duration `json:"unknown"`       // nobody knows
	Maintenance time.Duration `json:"maintenance"`   // somebody worked on it
}

// Availability is up/(up+down), 0 to 1. There is no value where less than half of the
// time is known ([Uptime.Coverage]).
func (u Uptime) Availability() (float64, bool) {
	known := u.Up + u.Down
	if coverage, ok := u.Coverage(); !ok || coverage < 0.5 {
		return 0, false
	}
	return float64(u.Up) / float64(known), true
}

// Coverage is how much of the time is known: (up+down)/(total-maintenance), 0 to 1. It
// has no value when there was nothing but maintenance.
func (u Uptime) Coverage() (float64, bool) {
	known := u.Up + u.Down
	if known+u.Unknown <= 0 {
		return 0, false
	}
	return float64(known) / float64(known+u.Unknown), true
}

// String is one line for people.
func (u Uptime) String() string {
	coverage, ok := u.Coverage()
	if !ok && u.Maintenance == 0 {
		return "availability not known: nothing was seen"
	}
	parts := []string{"up " + lasting(u.Up), "down " + lasting(u.Down)}
	if u.Maintenance > 0 {
		parts = append(parts, "maintenance "+lasting(u.Maintenance))
	}
	if u.Unknown > 0 {
		parts = append(parts, "unknown "+lasting(u.Unknown))
	}
	if ok {
		parts = append(parts, "coverage "+nines(coverage))
	}
	text := "availability not known"
	if available, ok := u.Availability(); ok {
		text = nines(available) + " available"
	}
	return text + " (" + strings.Join(parts, ", ") + ")"
}

// MarshalJSON adds availability and coverage where they have a value.
func (u Uptime) MarshalJSON() ([]byte, error) {
	type plain Uptime
	out := struct {
		plain
		Availability *float64 `json:"availability,omitempty"`
		Coverage     *float64 `json:"coverage,omitempty"`
	}{plain: plain(u)}
	out.Availability = value(u.Availability())
	out.Coverage = value(u.Coverage())
	return json.Marshal(out)
}

// value is nil where there is none, so that JSON leaves it out.
func value[T any](v T, ok bool) *T {
	if !ok {
		return nil
	}
	return &v
}

// nines writes a share with two digits of what it lacks: 0.99953 is "99.953 %". It
// says 100 % only where that is exact.
func nines(x float64) string {
	lacks := 100 * (1 - x)
	if lacks <= 0 || x <= 0 {
		return fmt.Sprintf("%.0f %%", 100*x)
	}
	digits := min(max(1-int(math.Floor(math.Log10(lacks))), 0), 9)
	unit := math.Pow(10, float64(digits))
	return fmt.Sprintf("%.*f %%", digits, math.Floor(100*x*unit+1e-6)/unit)
}

// lasting writes a long time in its two largest units: "29d 23h".
func lasting(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm %ds", d/time.Minute, d%time.Minute/time.Second)
	default:
		return short(d)
	}
}

// Whole is the report in the form of one check's, for the [Availability] of all
// together. Since is dated back as a check's is: of a whole that is unhealthy, to when
// the first of its unhealthy checks became so; of one that is well, to when the last of
// its checks did. Optional checks do not count. It is [Maintenance] when all that counts
// is, and valid as long as all that it is made of.
func (r *Report) Whole() CheckReport {
	out := CheckReport{Name: "whole", Status: r.Status}
	counted, maintained := false, time.Time{}
	for _, c := range r.Checks {
		switch {
		case c.Optional || c.Status == Skipped:
			continue
		case c.Status == Maintenance:
			out.Maintenance = earlier(out.Maintenance, c.Maintenance)
			if c.Since.After(maintained) {
				maintained = c.Since
			}
			continue
		}
		counted = true
		if c.Status != r.Status && !(c.Status.well() && r.Status.well()) {
			continue // the whole is not what it is because of this one
		}
		switch {
		case r.Status == Unknown: // the first that was something before stands for all
			if out.Since.IsZero() {
				out.Since, out.Stale, out.Last, out.Results = c.Since, c.Stale, c.Last, c.Results
			}
		case r.Status == Unhealthy:
			out.Since = earlier(out.Since, c.Since)
		case c.Since.After(out.Since):
			out.Since = c.Since
		}
		out.ValidUntil = earlier(out.ValidUntil, c.ValidUntil)
	}
	if !counted && !out.Maintenance.IsZero() {
		out.Status, out.Since = Maintenance, maintained
	}
	return out
}

// earlier is the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
