package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// MonitorOptions sets up a [Monitor]. The zero value is right for most services.
type MonitorOptions struct {
	// Concurrent is how many probes run at the same time. Zero means 8. One that has
	// timed out, or whose check was removed, takes no place.
	Concurrent int
	// Steady is how long all must have been well without a break before
	// [Monitor.Check] says yes. Zero means 10 s.
	Steady time.Duration
	// OnChange is told of every check that changes, one change after the other, on one
	// goroutine of Run and outside any lock. Where it is too slow for more than 1,000
	// changes, the oldest are left out; what Run could not tell before it ended, the next
	// one does. A check that flaps does not change, and one that somebody works on is not
	// told of. Nil is nobody.
	OnChange func(Change)
	// Grace is how long Run waits, once it is cancelled, for probes and for an OnChange
	// that do not return. Zero means 5 s.
	Grace time.Duration
	// About is what [Monitor.Details] says of the service beside its checks.
	About About
}

// filled returns the options with their defaults, and all that is wrong with them.
func (o MonitorOptions) filled() (MonitorOptions, error) {
	var all []error
	if o.Concurrent < 0 {
		all = append(all, fmt.Errorf("%w: Concurrent: found %d, want at least 1, or 0 for 8", ErrInvalid, o.Concurrent))
	}
	if o.Steady < 0 {
		all = append(all, fmt.Errorf("%w: Steady: found %v, want a time without a break, or 0 for 10s", ErrInvalid, o.Steady))
	}
	if o.Grace < 0 {
		all = append(all, fmt.Errorf("%w: Grace: found %v, want a time to wait, or 0 for 5s", ErrInvalid, o.Grace))
	}
	o.Concurrent = cmp.Or(o.Concurrent, 8)
	o.Steady = cmp.Or(o.Steady, 10*time.Second)
	o.Grace = cmp.Or(o.Grace, 5*time.Second)
	o.About.Notes, o.About.Links = slices.Clone(o.About.Notes), maps.Clone(o.About.Links)
	return o, errors.Join(all...)
}

// Change is a check that became something else.
type Change struct {
	From  CheckReport // before
	To    CheckReport // after
	Whole Status      // of the monitor, after
}

// String is one line for people.
func (c Change) String() string {
	now := strings.TrimPrefix(c.To.String(), c.To.Name+": ")
	return fmt.Sprintf("%s: %v -> %s; the whole is %v", c.To.Name, c.From.Status, now, c.Whole)
}

// LogValue lays the change out for package slog.
func (c Change) LogValue() slog.Value {
	attrs := []slog.Attr{
		slog.String("check", c.To.Name), slog.String("from", c.From.Status.String()), slog.String("to", c.To.Status.String()),
		slog.String("whole", c.Whole.String()),
	}
	if c.To.CausedBy != "" {
		attrs = append(attrs, slog.String("caused_by", c.To.CausedBy))
	}
	if c.To.Last.Kind != 0 {
		attrs = append(attrs, slog.String("last", c.To.Last.String()))
	}
	return slog.GroupValue(attrs...)
}

// Monitor asks checks again and again, and says how they stand. Make one with
// [NewMonitor]; nothing is asked before [Monitor.Run]. All methods are safe for
// concurrent use. Readers never run a probe and never wait for one: a read is an
// atomic load.
type Monitor struct {
	options MonitorOptions
	running atomic.Bool
	now     atomic.Pointer[published]
	wake    chan struct{} // there is something to do sooner than was thought

	mu       sync.Mutex // guards what follows; no probe and no callback runs under it
	entries  []*entry
	index    map[string]int // of the entries, by name
	left     map[string]int // how many probes of removed checks have not returned, by name
	ready    int            // how many probes run that have not timed out
	draining bool
	changes  []Change      // not told yet
	told     chan struct{} // there are changes
	telling  chan struct{} // full while a Run tells, so that no two ever do
}

// published is a report, with what tells that there is a newer one.
type published struct {
	*Report
	stale time.Time // from when on a part of it is too old
	well  time.Time // since when the whole has been healthy or degraded, without a break
	next  chan struct{}
}

// entry is one check of a monitor.
type entry struct {
	streak
	due         time.Time // when it is to be asked next
	running     bool      // whether its probe has not returned
	deadline    time.Time // of the probe that runs; zero once it has timed out
	started     time.Time
	stuck       time.Time
	overruns    int
	maintenance time.Time          // until when; zero is none
	maintained  time.Time          // since when
	report      *CheckReport       // what readers see
	cancel      context.CancelFunc // of the probe that runs
	removed     bool
}

// ErrRunning is returned by a second Run at the same time.
var ErrRunning = errors.New("is running already")

// NewMonitor returns a monitor of checks. The error lists everything that is wrong
// with them and with the options.
func NewMonitor(checks []Check, options MonitorOptions) (*Monitor, error) {
	options, wrong := options.filled()
	m := &Monitor{options: options, left: map[string]int{},
		wake: make(chan struct{}, 1), told: make(chan struct{}, 1), telling: make(chan struct{}, 1)}
	m.now.Store(&published{Report: &Report{}, next: make(chan struct{})})
	if err := errors.Join(wrong, m.Add(checks...)); err != nil {
		return nil, err
	}
	return m, nil
}

// Add adds checks, also while the monitor runs. If any of them is wrong, none is
// added, and the error lists everything.
func (m *Monitor) Add(checks ...Check) error {
	filled := make([]Check, len(checks))
	for i, c := range checks {
		filled[i] = c.filled()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]Check, 0, len(m.entries)+len(filled))
	for _, e := range m.entries {
		all = append(all, e.check)
	}
	if err := problems(append(all, filled...)); err != nil {
		return err
	}
	for _, c := range filled {
		m.entries = append(m.entries, &entry{streak: streak{check: c}})
	}
	m.reindex()
	m.publish(time.Now())
	m.nudge()
	return nil
}

// Remove takes checks out, also while the monitor runs: a probe that is under way is
// cancelled, and what it says is not heard. A check of the same name that is added
// later is not asked before that probe has returned. A check that others need stays, and
// is an error; a name that no check has is none.
func (m *Monitor) Remove(names ...string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var left []Check
	for _, e := range m.entries {
		if !slices.Contains(names, e.check.Name) {
			left = append(left, e.check)
		}
	}
	if err := problems(left); err != nil {
		return err
	}
	m.entries = slices.DeleteFunc(m.entries, func(e *entry) bool {
		if !slices.Contains(names, e.check.Name) {
			return false
		}
		if e.running {
			e.removed = true
			m.left[e.check.Name]++
			m.giveUp(e)
			e.cancel()
		}
		return true
	})
	m.reindex()
	m.publish(time.Now())
	m.nudge()
	return nil
}

func (m *Monitor) reindex() {
	m.index = make(map[string]int, len(m.entries))
	for i, e := range m.entries {
		m.index[e.check.Name] = i
	}
}

// Maintain says that somebody works on a check until a moment: it counts for nothing,
// and nobody is told of its changes. A moment that is past ends it. An unknown name is
// an error.
func (m *Monitor) Maintain(name string, until time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.check.Name == name {
			now := time.Now()
			if !e.maintenance.After(now) {
				e.maintained = now
			}
			e.maintenance = until
			m.publish(now)
			m.nudge()
			return nil
		}
	}
	return fmt.Errorf("%w: no check is called %q", ErrInvalid, name)
}

// Drain makes [Monitor.Ready] say no from now on, for a process that is about to end.
// Checks go on.
func (m *Monitor) Drain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining = true
	m.publish(time.Now())
}

// Report is how the monitor stands now.
func (m *Monitor) Report() *Report { return m.read(m.now.Load()) }

func (m *Monitor) read(p *published) *Report {
	if m.running.Load() || p.stale.IsZero() {
		return p.Report // Run sees to what becomes too old
	}
	if now := time.Now(); now.After(p.stale) {
		return p.at(now)
	}
	return p.Report
}

// Check waits until the monitor knows, and is nil if all has been well for
// [MonitorOptions.Steady] without a break; a check that is only degraded does not stop
// it. It returns an error at once when the whole is unhealthy, and when the context
// is done before it knows. So a monitor is a gate.
func (m *Monitor) Check(ctx context.Context) error {
	for {
		now := m.now.Load()
		report := m.read(now)
		wait := time.Hour
		switch {
		case report.Status == Unhealthy:
			return errors.New(report.String())
		case now.Status.well() && report.Status.well():
			if wait = m.options.Steady - time.Since(now.well); wait <= 0 {
				return nil
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %v", context.Cause(ctx), report)
		case <-now.next:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// Watch yields the report now, and then each newer one, until the context is done. Those
// that came while the loop was at work are left out, but the newest. It does not
// yield because time passes: what becomes too old while Run does not run is no news.
func (m *Monitor) Watch(ctx context.Context) iter.Seq[*Report] {
	return func(yield func(*Report) bool) {
		for ctx.Err() == nil {
			now := m.now.Load()
			if !yield(m.read(now)) {
				return
			}
			select {
			case <-ctx.Done():
			case <-now.next:
			}
		}
	}
}

// nudge makes Run look at what is due.
func (m *Monitor) nudge() {
	select {
	case m.wake <- struct{}{}:
	default:
	}
}
