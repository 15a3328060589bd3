package health

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Report is how a [Monitor] stood at one moment. It does not change any more and may
// be shared.
type Report struct {
	Status   Status         `json:"status"`             // of the whole: the worst of the checks that are not optional
	Since    time.Time      `json:"since,omitzero"`     // when the whole became that
	Draining bool           `json:"draining,omitempty"` // whether Drain was called
	Checks   []*CheckReport `json:"checks,omitempty"`   // in the order in which they were added
}

// CheckReport is how one [Check] stood.
type CheckReport struct {
	Name        string    `json:"name"`                 // the check's
	Status      Status    `json:"status"`               // how it stands
	Since       time.Time `json:"since,omitzero"`       // when the streak of results began that led to it, or flapping, or somebody to work on it; of one that is skipped, its cause's
	Optional    bool      `json:"optional,omitempty"`   // whether it only degrades the whole
	Last        Result    `json:"last,omitzero"`        // the newest result
	ValidUntil  time.Time `json:"valid_until,omitzero"` // after which the newest result says nothing any more: when it began, and FailAfter intervals (at least 2) with their jitter, and Timeout
	CausedBy    string    `json:"caused_by,omitempty"`  // of one that is skipped: the unhealthy check that it needs
	Passed      int       `json:"passed"`               // successes in a row
	Failed      int       `json:"failed"`               // failures in a row
	Flapping    bool      `json:"flapping,omitempty"`   // changes too often to be trusted: shown as unhealthy until it settles
	Stale       bool      `json:"stale,omitempty"`      // unknown because nobody has asked for too long
	StuckSince  time.Time `json:"stuck_since,omitzero"` // since when a probe that timed out has not returned
	Overruns    int       `json:"overruns,omitempty"`   // how often it was due while it ran
	Results     []Result  `json:"-"`                    // the newest 100, oldest first
	Wrong       []Result  `json:"-"`                    // the newest 20 that did not pass, oldest first, so that successes and warnings do not push them out
	Maintenance time.Time `json:"maintenance,omitzero"` // until when somebody works on it
}

// at is the report as it reads at a moment: what is too old is unknown.
func (r *Report) at(now time.Time) *Report {
	out := *r
	out.Checks = make([]*CheckReport, len(r.Checks))
	for i, c := range r.Checks {
		aged := *c
		aged.age(now)
		out.Checks[i] = &aged
	}
	if status := whole(out.Checks); status != r.Status {
		out.Status, out.Since = status, r.firstStale()
	}
	return &out
}

// age makes unknown what is too old.
func (c *CheckReport) age(now time.Time) {
	if c.Status >= Healthy && c.Status <= Unhealthy && now.After(c.ValidUntil) {
		c.Status, c.Stale, c.Since = Unknown, true, c.ValidUntil
	}
}

// firstStale is when the first check becomes stale; zero if none ever does.
func (r *Report) firstStale() (first time.Time) {
	for _, c := range r.Checks {
		if c.Status >= Healthy && c.Status <= Unhealthy && (first.IsZero() || c.ValidUntil.Before(first)) {
			first = c.ValidUntil
		}
	}
	return first
}

// whole is the worst status, where unhealthy is worse than unknown, and unknown than
// degraded. Of no checks nothing is known.
func whole(checks []*CheckReport) Status {
	status, rank := Unknown, 0
	for _, c := range checks {
		one := c.Status
		switch {
		case c.Optional && one == Unhealthy:
			one = Degraded
		case c.Optional && one == Unknown:
			continue
		}
		r := [...]int{Healthy: 1, Degraded: 2, Unknown: 3, Unhealthy: 4, Skipped: 0, Maintenance: 0}[one]
		if r > rank {
			status, rank = one, r
		}
	}
	return status
}

// same says whether two reports of one check are alike.
func (c *CheckReport) same(d *CheckReport) bool {
	return c.Last == d.Last && c.Status == d.Status && c.CausedBy == d.CausedBy && c.Since == d.Since && c.ValidUntil == d.ValidUntil &&
		c.Flapping == d.Flapping && c.Stale == d.Stale && c.StuckSince == d.StuckSince && c.Overruns == d.Overruns && c.Maintenance == d.Maintenance &&
		c.Passed == d.Passed && c.Failed == d.Failed
}

// Check returns one check's report; false if the monitor does not have it.
func (r *Report) Check(name string) (CheckReport, bool) {
	for _, c := range r.Checks {
		if c.Name == name {
			return *c, true
		}
	}
	return CheckReport{}, false
}

// String is a line for the whole, and one for each check that is not healthy.
func (r *Report) String() string {
	var text strings.Builder
	text.WriteString(r.headline())
	for _, c := range r.Checks {
		if c.Status != Healthy {
			text.WriteString("\n\t" + c.String())
		}
	}
	return text.String()
}

func (r *Report) headline() string {
	healthy := 0
	for _, c := range r.Checks {
		if c.Status == Healthy {
			healthy++
		}
	}
	draining := ""
	if r.Draining {
		draining = ", draining"
	}
	return fmt.Sprintf("%v%s: %d of %d checks healthy", r.Status, draining, healthy, len(r.Checks))
}

// String is one line for people.
func (c CheckReport) String() string {
	text := c.Name + ": " + c.Status.String()
	switch {
	case c.CausedBy != "":
		text += ", because " + c.CausedBy + " is unhealthy"
	case c.Stale:
		text += ", not asked since " + c.Last.At.Format(time.RFC3339)
	case c.Flapping:
		text += ", flapping"
	}
	if !c.StuckSince.IsZero() {
		text += ", stuck since " + c.StuckSince.Format(time.RFC3339)
	}
	if c.Last.Kind != 0 {
		text += " (" + c.Last.String() + ")"
	}
	return text
}

// LogValue lays the report out for package slog.
func (r *Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("status", r.Status.String())}
	for _, c := range r.Checks {
		if c.Status != Healthy {
			attrs = append(attrs, slog.String(c.Name, c.String()))
		}
	}
	return slog.GroupValue(attrs...)
}
