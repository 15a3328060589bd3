package health

import (
	"slices"
	"time"
)

// publish makes the entries what readers see. It is called with mu held.
func (m *Monitor) publish(now time.Time) {
	before := m.now.Load()
	report := &Report{Draining: m.draining, Checks: make([]*CheckReport, len(m.entries))}
	m.report(report.Checks, now)
	report.Status, report.Since = whole(report.Checks), before.Since
	was := before.at(now)
	if report.Status != was.Status || was.Since.IsZero() {
		report.Since = now
	}
	well := before.well
	if !was.Status.well() {
		well = now
	}
	m.notice(before.Report, report)
	m.now.Store(&published{report, report.firstStale(), well, make(chan struct{})})
	close(before.next)
}

// report fills in the entries, those that others need before those that need them.
func (m *Monitor) report(out []*CheckReport, now time.Time) {
	done := make([]bool, len(m.entries))
	var fill func(i int)
	fill = func(i int) {
		if done[i] {
			return
		}
		done[i] = true
		e := m.entries[i]
		c := CheckReport{
			Name: e.check.Name, Status: e.shown, Since: e.since, Optional: e.check.Optional, ValidUntil: e.validUntil(),
			Passed: e.passed, Failed: e.failed, Flapping: e.flapped, StuckSince: e.stuck, Overruns: e.overruns,
			Results: slices.Clip(e.results), Wrong: slices.Clip(e.wrong), // so that nobody appends to ours
		}
		if len(e.results) > 0 {
			c.Last = e.results[len(e.results)-1]
		}
		for _, need := range e.check.Needs {
			fill(m.index[need])
			switch needed := out[m.index[need]]; {
			case c.CausedBy != "":
			case needed.Status == Unhealthy:
				c.Status, c.Since, c.CausedBy = Skipped, needed.Since, need
			case needed.Status == Skipped:
				c.Status, c.Since, c.CausedBy = Skipped, needed.Since, needed.CausedBy
			}
		}
		if e.maintenance.After(now) {
			c.Status, c.Since, c.CausedBy, c.Maintenance = Maintenance, e.maintained, "", e.maintenance
		}
		c.age(now)
		if e.report == nil || !e.report.same(&c) {
			e.report = new(c)
		}
		out[i] = e.report
	}
	for i := range m.entries {
		fill(i)
	}
}

// maxChanges is how many changes may wait to be told.
const maxChanges = 1000

// notice finds what has changed. It is called with mu held.
func (m *Monitor) notice(before, after *Report) {
	if m.options.OnChange == nil {
		return
	}
	for i, c := range after.Checks {
		var from *CheckReport
		if i < len(before.Checks) && before.Checks[i].Name == c.Name {
			from = before.Checks[i]
		} else if at := slices.IndexFunc(before.Checks, func(b *CheckReport) bool { return b.Name == c.Name }); at >= 0 {
			from = before.Checks[at]
		}
		if from == nil || from.Status == c.Status || c.Status == Maintenance {
			continue
		}
		m.changes = append(m.changes, Change{*from, *c, after.Status})
	}
	if extra := len(m.changes) - maxChanges; extra > 0 {
		m.changes = slices.Delete(m.changes, 0, extra)
	}
	select {
	case m.told <- struct{}{}:
	default:
	}
}
