package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// deployment is what is kept of a rollout.
type deployment struct {
	service, environment string
	exposed              time.Time      // first; zero means that nobody was
	peak                 strategy.Share // the most that was exposed
	detected             time.Time      // when it turned round, or was called bad
	ended                time.Time
	restored             time.Time // when the way back was read back
	committed            time.Time // of what succeeded
	failed, rework       bool
}

// tally collects deployments.
type tally struct {
	options DeliveryOptions
	under   map[string]*deployment // under way, by rollout
	ended   map[string]*deployment // by rollout: something may still say that they failed
	all     []*deployment          // in the order in which they ended
}

// take takes one record in.
func (t *tally) take(w walked) {
	if w.run == nil { // it is over
		if d := t.ended[w.Rollout]; d != nil && w.Act != nil && w.Act.Kind == FailedLater {
			d.failed = true
			if d.detected.IsZero() {
				d.detected = w.At
			}
		}
		return
	}
	q, s := &w.run.request, w.run.machine.State()
	if q.TakesBack != "" {
		switch d := t.ended[q.TakesBack]; {
		case d == nil || s.Phase != Done:
		case q.Drill && s.Outcome == RolledBack:
			delete(t.ended, q.TakesBack)
			t.all = slices.DeleteFunc(t.all, func(one *deployment) bool { return one == d })
		default:
			if d.failed = true; s.Outcome == RolledBack {
				d.restored = w.At
			}
			if d.detected.IsZero() {
				d.detected = w.run.started
			}
		}
		return
	}
	d := t.under[w.Rollout]
	if d == nil {
		d = &deployment{service: q.Service, environment: q.Environment, rework: q.Rework}
		t.under[w.Rollout] = d
	}
	switch {
	case w.Kind == KindBegun && s.Share > q.Floor: // begun is as good as exposed: nobody knows how far it came
		if d.exposed.IsZero() {
			d.exposed = w.At
		}
		d.peak = max(d.peak, s.Share)
	case s.Phase == Forward || s.Phase == Waiting:
		d.detected = time.Time{} // it may have gone back before, and a person turned it round
	case s.Phase == Back && d.detected.IsZero():
		d.detected = w.At
	case s.Phase == Done:
		delete(t.under, w.Rollout)
		if d.exposed.IsZero() && s.Peak > q.Floor { // a checkpoint has it
			d.exposed, d.peak, d.failed = s.Since, s.Peak, s.FailedLater
		}
		t.end(w, d)
	}
}

// end notes a rollout that is over, if it is a deployment that counts.
func (t *tally) end(w walked, d *deployment) {
	q, s, o := w.run.request, w.run.machine.State(), t.options
	switch {
	case d.exposed.IsZero() || d.peak < o.MinExposure,
		!o.From.IsZero() && w.At.Before(o.From),
		!o.To.IsZero() && !w.At.Before(o.To),
		q.Drill && s.Outcome != Succeeded && !s.Automatic, // somebody has ended it
		o.Only != nil && !o.Only(q):
		return
	}
	d.ended = w.At
	switch s.Outcome {
	case Succeeded:
		d.committed, d.detected = q.Release.Committed, time.Time{}
	case RolledBack:
		d.failed, d.restored = true, w.At
	case Failed: // nothing was restored
		d.failed = true
	}
	t.ended[w.Rollout] = d
	t.all = append(t.all, d)
}

// measure sums up, by service and environment, and then by period.
func (t *tally) measure(bounds []time.Time) []Delivery {
	type key struct{ service, environment string }
	groups := map[key][]*deployment{}
	if !t.options.Each {
		groups[key{}] = t.all
	} else {
		for _, d := range t.all {
			k := key{d.service, d.environment}
			groups[k] = append(groups[k], d)
		}
	}
	keys := make([]key, 0, len(groups))
	for k := range groups {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(strings.Compare(a.service, b.service), strings.Compare(a.environment, b.environment))
	})
	var out []Delivery
	for _, k := range keys {
		group := groups[k] // by the clock, which may have jumped
		slices.SortStableFunc(group, func(a, b *deployment) int { return a.ended.Compare(b.ended) })
		for i, from := range bounds[:len(bounds)-1] {
			to := bounds[i+1]
			n := 0
			for n < len(group) && group[n].ended.Before(to) {
				n++
			}
			d := sum(group[:n])
			d.Service, d.Environment, d.From, d.To = k.service, k.environment, from, to
			if days := days(from, to); days >= 1 {
				perDay := float64(n) / days
				d.PerDay = &perDay
			}
			group = group[n:]
			out = append(out, d)
		}
	}
	return out
}

// days counts calendar days, which have 23 or 25 hours now and then.
func days(from, to time.Time) float64 {
	_, a := from.Zone()
	_, b := to.Zone()
	return (to.Sub(from) + time.Duration(b-a)*time.Second).Hours() / 24
}

// sum measures some deployments.
func sum(all []*deployment) Delivery {
	d := Delivery{Deployments: len(all)}
	var between, lead, recovery, repair []time.Duration
	for i, one := range all {
		if i > 0 {
			between = append(between, one.ended.Sub(all[i-1].ended))
		}
		switch {
		case one.committed.IsZero():
		case one.committed.Before(one.ended):
			lead = append(lead, one.ended.Sub(one.committed))
		default:
			d.Misdated++
		}
		if one.rework {
			d.Rework++
		}
		if one.failed {
			d.Failed++
		}
		if !one.restored.IsZero() { // never negative, whatever the clock did
			recovery = append(recovery, max(one.restored.Sub(one.exposed), 0))
			if !one.detected.IsZero() {
				repair = append(repair, max(one.restored.Sub(one.detected), 0))
			}
		}
	}
	d.Between, d.LeadTime = durations(between), durations(lead)
	d.RecoveryTime, d.RecoveryFromDetection = durations(recovery), durations(repair)
	d.ChangeFailureRate, d.ReworkRate = wilson(d.Failed, d.Deployments), wilson(d.Rework, d.Deployments)
	return d
}
