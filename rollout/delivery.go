package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// Delivery is how well changes are delivered: DORA's five measures (dora.dev, as of
// 2024), from the journal alone. Where there is nothing to divide by, there is no
// value.
//
// A deployment is one rollout that is over and exposed somebody. One that was
// cancelled before anybody was exposed is none, and neither is a rollout that takes
// another one back: that is the end of the other one. One that another took the
// place of is a deployment that did not fail, as nobody and no judge has said that
// it was bad.
//
// A drill ([Engine.Drill]) that went as it should is none, either, nor one that somebody
// has ended. One that came back by itself is a deployment that failed, and one that was
// never taken back is a deployment.
//
// A deployment failed if it was rolled back, by itself or by a person; if it was
// taken back later; if either way back failed, and a person has left it there ([Leave]);
// or if a person has said [FailedLater]. It counts once, when it ended, whenever it turned
// out to be bad.
type Delivery struct {
	// Service and Environment are what it is about; empty if it is about all.
	Service     string `json:"service,omitempty"`
	Environment string `json:"environment,omitempty"` // see Service
	// From and To bound when the deployments ended: From included, To not.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"` // see From
	// Deployments, Failed and Rework count distinct rollouts.
	Deployments int `json:"deployments"`
	Failed      int `json:"failed"` // of Deployments
	Rework      int `json:"rework"` // of Deployments: made because of an incident, see Request.Rework
	// PerDay is the deployment frequency; no value for a period under a day.
	PerDay *float64 `json:"per_day,omitempty"`
	// Between is from the end of each deployment to the end of the next one.
	Between *Durations `json:"between,omitempty"`
	// LeadTime is from a change's commit to the end of its deployment, when it was
	// promoted: for those that succeeded, of releases whose commit time is known.
	LeadTime *Durations `json:"lead_time,omitempty"`
	// Misdated counts those among them that LeadTime leaves out, because they are not
	// older than their promotion: a clock or a caller is wrong.
	Misdated int `json:"misdated,omitempty"`
	// ChangeFailureRate is Failed over Deployments.
	ChangeFailureRate *Rate `json:"change_failure_rate,omitempty"`
	// RecoveryTime is from the first exposure of a failed deployment to when its
	// rollback was read back. Those that only were said to have failed later, or were
	// left on their way back, have none.
	RecoveryTime *Durations `json:"recovery_time,omitempty"`
	// RecoveryFromDetection begins when it turned round, or, after it had succeeded,
	// when a person said that it failed or asked for it to be taken back.
	RecoveryFromDetection *Durations `json:"recovery_from_detection,omitempty"`
	// ReworkRate is Rework over Deployments.
	ReworkRate *Rate `json:"rework_rate,omitempty"`
}

// Period is what a series of measures is cut into.
type Period uint8

// The periods. All but the first begin at midnight.
const (
	Whole Period = iota // all in one
	Day                 // calendar days
	Week                // from Monday
	Month               // calendar months
)

// DeliveryOptions say what to measure. The zero value is everything, as one.
type DeliveryOptions struct {
	// From and To bound when the deployments ended: From included, To not. Zero means
	// from the oldest record, to the full second after the newest.
	From, To time.Time
	// Every cuts the time into periods, those without a deployment included; the first
	// and the last are cut off at From and To.
	Every Period
	// Location is where the periods begin at midnight. Nil means UTC.
	Location *time.Location
	// Each measures each service and environment apart.
	Each bool
	// Only says which rollouts count: those of one environment, or one flag. Nil means
	// all.
	Only func(Requested) bool
	// MinExposure is how much of the traffic a rollout must have exposed to be a
	// deployment. Zero means any. With the default a canary that was rolled back at
	// 1 % is a failed deployment; with 50 % it is none.
	MinExposure strategy.Share
}

// maxPeriods is more than 27 years of days.
const maxPeriods = 10_000

func (o DeliveryOptions) check() error {
	var problems []error
	if !o.From.IsZero() && !o.To.IsZero() && o.To.Before(o.From) {
		problems = append(problems, fmt.Errorf("from, to: found %v to %v, want no end before the beginning", o.From, o.To))
	}
	if o.Every > Month {
		problems = append(problems, fmt.Errorf("every: found %d, want one of the constants", o.Every))
	}
	if o.MinExposure < 0 || o.MinExposure > strategy.All {
		problems = append(problems, fmt.Errorf("min exposure: found %v, want 0 to 100 %%", o.MinExposure))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// Delivery measures the deployments of this engine's journal, as [NewDelivery] does.
// A zero To is the full second after now.
func (e *Engine) Delivery(o DeliveryOptions) ([]Delivery, error) {
	return deliver(e.journal.Records(), o, e.clock.now())
}

// NewDelivery measures the deployments among a journal's records: by service and
// environment first, and then by period. Without Each it returns at least one
// Delivery, and without Every just that. It reads the records once, and keeps the
// rollouts that are not over and a line for each deployment. Options that make no
// sense are [ErrInvalid], and so are more than 10,000 periods.
func NewDelivery(records iter.Seq2[Record, error], o DeliveryOptions) ([]Delivery, error) {
	return deliver(records, o, time.Time{})
}

func deliver(records iter.Seq2[Record, error], o DeliveryOptions, newest time.Time) ([]Delivery, error) {
	fail := func(err error) ([]Delivery, error) { return nil, &Error{"measure", "delivery", err} }
	if err := o.check(); err != nil {
		return fail(err)
	}
	oldest := newest
	t := tally{options: o, under: map[string]*deployment{}, ended: map[string]*deployment{}}
	for w, err := range walk(records, map[string]*run{}) {
		if err != nil {
			return nil, err
		}
		if oldest.IsZero() || w.At.Before(oldest) {
			oldest = w.At
		}
		if w.At.After(newest) {
			newest = w.At
		}
		t.take(w)
	}
	if o.From.IsZero() {
		o.From = oldest
	}
	if o.To.IsZero() && !newest.IsZero() {
		o.To = newest.Truncate(time.Second).Add(time.Second)
	}
	if o.To.Before(o.From) { // From is in the future
		o.To = o.From
	}
	bounds, err := o.bounds()
	if err != nil {
		return fail(err)
	}
	return t.measure(bounds), nil
}

// bounds are where the periods begin, and the end of the last.
func (o DeliveryOptions) bounds() ([]time.Time, error) {
	where := cmp.Or(o.Location, time.UTC)
	from, to := o.From.In(where), o.To.In(where)
	bounds := []time.Time{from}
	year, month, day := from.Date()
	switch o.Every {
	case Week:
		day -= (int(from.Weekday()) + 6) % 7
	case Month:
		day = 1
	}
	for o.Every != Whole {
		switch o.Every { // by the calendar, as not every day has 24 hours
		case Day:
			day++
		case Week:
			day += 7
		case Month:
			month++
		}
		next := time.Date(year, month, day, 0, 0, 0, 0, where)
		if !next.Before(to) {
			break
		}
		if len(bounds) == maxPeriods {
			return nil, fmt.Errorf("%w: every: %v to %v has more than %d periods: say From and To", ErrInvalid, from, to, maxPeriods)
		}
		bounds = append(bounds, next)
	}
	return append(bounds, to), nil
}

// String is a line about what was measured, and one for each measure.
func (d Delivery) String() string {
	var b strings.Builder
	var about []string
	for _, name := range []string{d.Service, d.Environment} {
		if name != "" {
			about = append(about, name)
		}
	}
	if !d.From.IsZero() {
		const minute = "2006-01-02 15:04"
		about = append(about, fmt.Sprintf("%s to %s", d.From.Format(minute), d.To.Format(minute+" MST")))
	}
	if len(about) > 0 {
		b.WriteString(strings.Join(about, ", ") + "\n")
	}
	line := func(name, value string) { fmt.Fprintf(&b, "%-23s %s\n", name, value) }
	rate := func(r *Rate, n int) string {
		if r == nil {
			return "no value: no deployments"
		}
		return fmt.Sprintf("%.0f %% (%d of %d; 95 %% interval %.0f to %.0f %%)", 100*r.Value, n, d.Deployments, 100*r.Low, 100*r.High)
	}
	perDay, misdated := "no value: the period is under a day", ""
	if d.PerDay != nil {
		perDay = fmt.Sprintf("%.2f a day", *d.PerDay)
	}
	if d.Misdated > 0 {
		misdated = fmt.Sprintf("; %d left out, as committed after they were promoted", d.Misdated)
	}
	line("deployments", fmt.Sprint(d.Deployments))
	line("deployment frequency", perDay)
	line("between deployments", d.Between.String())
	line("change lead time", d.LeadTime.String()+misdated)
	line("change failure rate", rate(d.ChangeFailureRate, d.Failed))
	line("recovery time", d.RecoveryTime.String())
	line("  from detection", d.RecoveryFromDetection.String())
	line("rework rate", rate(d.ReworkRate, d.Rework))
	return strings.TrimSuffix(b.String(), "\n")
}
