package rollout

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// Delivery is how well changes are delivered: DORA's measures, from the journal
// alone. A deployment is one rollout that is over and exposed somebody; it failed
// if it was rolled back. Where there is nothing to divide by, there is no value.
type Delivery struct {
	// From and To bound when the deployments ended: From included, To not.
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // see From
	// Deployments and Failed count distinct rollouts.
	Deployments int `json:"deployments"`
	Failed      int `json:"failed"` // of Deployments
	// PerDay is the deployment frequency; no value for a period under a day.
	PerDay *float64 `json:"per_day,omitempty"`
	// LeadTime is from a change's commit to its promotion, for succeeded
	// deployments of releases whose commit time is known.
	LeadTime *Durations `json:"lead_time,omitempty"`
	// ChangeFailureRate is Failed over Deployments.
	ChangeFailureRate *Rate `json:"change_failure_rate,omitempty"`
	// RecoveryTime is from the first exposure of a failed deployment to when the
	// rollback was read back.
	RecoveryTime *Durations `json:"recovery_time,omitempty"`
}

// Durations sums up some times, in nanoseconds in JSON.
type Durations struct {
	Count  int           `json:"count"`  // how many they are
	Mean   time.Duration `json:"mean"`   // arithmetic
	Median time.Duration `json:"median"` // nearest rank
	P90    time.Duration `json:"p90"`    // nearest rank
}

// Rate is a part of a whole, 0 to 1, with its 95 % interval (Wilson, Journal of
// the American Statistical Association 22, 1927).
type Rate struct {
	Value float64 `json:"value"` // as counted
	Low   float64 `json:"low"`   // lower end of the interval
	High  float64 `json:"high"`  // upper end of the interval
}

// Delivery measures the deployments of this engine's journal that ended between
// two times.
func (e *Engine) Delivery(from, to time.Time) (Delivery, error) {
	return NewDelivery(e.journal.Records(), from, to)
}

// NewDelivery measures the deployments among the records that ended between two
// times.
func NewDelivery(records iter.Seq2[Record, error], from, to time.Time) (Delivery, error) {
	d := Delivery{From: from, To: to}
	type deployment struct {
		machine   Machine
		committed time.Time
		exposed   time.Time
		floor     strategy.Share
	}
	live := map[string]*deployment{}
	var lead, recovery []time.Duration
	for r, err := range records {
		if err != nil {
			return d, err
		}
		one := live[r.Rollout]
		if one == nil {
			one = &deployment{}
			live[r.Rollout] = one
		}
		if err := one.machine.Apply(r); err != nil {
			return d, &Error{"measure", r.Rollout, fmt.Errorf("%w: record %d: %w", ErrCorrupt, r.Seq, err)}
		}
		s := one.machine.State()
		if r.Request != nil {
			one.committed, one.floor = r.Request.Release.Committed, r.Request.Floor
		}
		if one.exposed.IsZero() && s.Peak > one.floor {
			one.exposed = r.At
		}
		if s.Phase != Done {
			continue
		}
		delete(live, r.Rollout)
		if one.exposed.IsZero() || r.At.Before(from) || !r.At.Before(to) {
			continue
		}
		d.Deployments++
		switch {
		case s.Outcome == RolledBack:
			d.Failed++
			recovery = append(recovery, r.At.Sub(one.exposed))
		case s.Outcome == Succeeded && !one.committed.IsZero() && one.committed.Before(r.At):
			lead = append(lead, r.At.Sub(one.committed))
		}
	}
	if days := to.Sub(from).Hours() / 24; days >= 1 {
		perDay := float64(d.Deployments) / days
		d.PerDay = &perDay
	}
	d.LeadTime, d.RecoveryTime = durations(lead), durations(recovery)
	d.ChangeFailureRate = wilson(d.Failed, d.Deployments)
	return d, nil
}

// String is one line a measure.
func (d Delivery) String() string {
	line := func(name, value string) string { return fmt.Sprintf("%-22s %s\n", name, value) }
	perDay, failed := "no value: the period is under a day", "no value: no deployments"
	if d.PerDay != nil {
		perDay = fmt.Sprintf("%.2f a day", *d.PerDay)
	}
	if r := d.ChangeFailureRate; r != nil {
		failed = fmt.Sprintf("%.0f %% (%d of %d; 95 %% interval %.0f to %.0f %%)", 100*r.Value, d.Failed, d.Deployments, 100*r.Low, 100*r.High)
	}
	return strings.TrimSuffix(line("deployments", fmt.Sprint(d.Deployments))+
		line("deployment frequency", perDay)+
		line("lead time for changes", d.LeadTime.String())+
		line("change failure rate", failed)+
		line("time to recover", d.RecoveryTime.String()), "\n")
}

// String is "median 1.2s, p90 3s, mean 1.5s of 7", or "no value" for nil.
func (d *Durations) String() string {
	if d == nil {
		return "no value"
	}
	short := func(t time.Duration) time.Duration { return t.Round(10 * time.Millisecond) }
	return fmt.Sprintf("median %v, p90 %v, mean %v of %d", short(d.Median), short(d.P90), short(d.Mean), d.Count)
}

func durations(all []time.Duration) *Durations {
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	rank := func(q float64) time.Duration { return all[int(math.Ceil(q*float64(len(all))))-1] }
	d := &Durations{Count: len(all), Median: rank(0.5), P90: rank(0.9)}
	for _, t := range all {
		d.Mean += t / time.Duration(len(all))
	}
	return d
}

func wilson(k, n int) *Rate {
	if n == 0 {
		return nil
	}
	const z = 1.959963984540054 // the normal distribution's 97.5 % quantile
	p, m := float64(k)/float64(n), float64(n)
	center := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return &Rate{Value: p, Low: max(center-half, 0), High: min(center+half, 1)}
}
