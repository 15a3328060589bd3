package health

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"
)

// Run asks the checks until the context is cancelled, and then returns nil once all
// its goroutines have ended. Probes that do not return within
// [MonitorOptions.Grace] after that are left behind, and are the error. A second Run at
// the same time is [ErrRunning]; one after it goes on.
func (m *Monitor) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return fmt.Errorf("monitor: %w", ErrRunning)
	}
	defer m.running.Store(false)
	var probes sync.WaitGroup
	teller := make(chan struct{})
	go func() {
		defer close(teller)
		m.tell(ctx)
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
		if ctx.Err() == nil {
			timer.Reset(m.step(ctx, &probes))
		}
	}
	<-teller
	ended := make(chan struct{})
	go func() {
		probes.Wait()
		close(ended)
	}()
	grace := time.NewTimer(m.options.Grace)
	defer grace.Stop()
	select {
	case <-ended:
		return nil
	case <-grace.C:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var stuck []string
	for _, e := range m.entries {
		if e.running {
			stuck = append(stuck, e.check.Name)
		}
	}
	return fmt.Errorf("monitor: probes do not return: %s", strings.Join(stuck, ", "))
}

// step starts what is due, gives up what has timed out, and says how long there is
// nothing to do.
func (m *Monitor) step(ctx context.Context, probes *sync.WaitGroup) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	next := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	changed := false
	for _, e := range m.entries {
		if e.due.IsZero() {
			e.due = now.Add(time.Duration(rand.Int64N(int64(min(e.check.Interval, maxJitter)))))
			e.began = e.due
		}
		if e.running && !e.deadline.IsZero() && !now.Before(e.deadline) {
			e.add(e.timedOut())
			e.deadline, e.stuck = time.Time{}, e.started
			m.ready--
			changed = true
		}
		if e.maintenance.After(now) {
			sooner(e.maintenance)
		} else if !e.maintenance.IsZero() {
			e.maintenance, changed = time.Time{}, true
		}
	}
	for _, e := range m.oldestFirst(now) {
		switch {
		case e.running:
			e.overruns, changed = e.overruns+1, true
		case m.ready >= m.options.Concurrent:
			continue // when one returns, this is looked at again
		default:
			m.start(ctx, e, now, probes)
		}
		e.due = after(e.due, e.check.Interval, now)
	}
	for _, e := range m.entries {
		if e.due.After(now) {
			sooner(e.due)
		}
		if e.running && !e.deadline.IsZero() {
			sooner(e.deadline)
		}
	}
	if stale := m.now.Load().stale; changed || !stale.IsZero() && now.After(stale) {
		m.publish(now)
	}
	if stale := m.now.Load().stale; !stale.IsZero() {
		sooner(stale.Add(1))
	}
	return next.Sub(now)
}

// timedOut is the result of a probe that did not answer in time, whatever it says later.
func (e *entry) timedOut() Result {
	return Result{At: e.started, Took: e.check.Timeout, Kind: Failed, Err: fmt.Sprintf("timeout: no answer within %v", e.check.Timeout)}
}

// oldestFirst returns the entries that are due, the longest due first.
func (m *Monitor) oldestFirst(now time.Time) (due []*entry) {
	for _, e := range m.entries {
		if !e.due.After(now) {
			due = append(due, e)
		}
	}
	slices.SortStableFunc(due, func(a, b *entry) int { return a.due.Compare(b.due) })
	return due
}

// after is when a check is due next: an interval after it was, give or take a tenth,
// and never in the past.
func after(due time.Time, interval time.Duration, now time.Time) time.Time {
	spread := int64(interval / 5)
	next := due.Add(interval - time.Duration(spread/2) + time.Duration(rand.Int64N(spread+1)))
	if !next.After(now) {
		return now.Add(interval)
	}
	return next
}

// start runs the probe of an entry. It is called with mu held.
func (m *Monitor) start(ctx context.Context, e *entry, now time.Time, probes *sync.WaitGroup) {
	ctx, cancel := context.WithTimeout(ctx, e.check.Timeout)
	e.running, e.started, e.deadline, e.cancel = true, now, now.Add(e.check.Timeout), cancel
	m.ready++
	probes.Go(func() {
		err := probe(ctx, e.check.Probe)
		ended := context.Cause(ctx)
		cancel()
		m.mu.Lock()
		defer m.mu.Unlock()
		e.running, e.stuck, e.cancel = false, time.Time{}, nil
		late := e.deadline.IsZero()
		if e.deadline = (time.Time{}); !late {
			m.ready--
		}
		at := time.Now()
		switch {
		case late: // it has been counted as failed
		case ended != nil && !errors.Is(ended, context.DeadlineExceeded):
			return // nobody waits for it any more
		case ended != nil:
			e.add(e.timedOut())
		default:
			e.add(resultOf(now, at.Sub(now), err))
		}
		m.publish(at)
		m.nudge()
	})
}

// tell calls OnChange, one change after the other.
func (m *Monitor) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.told:
		}
		m.mu.Lock()
		changes := m.changes
		m.changes = nil
		m.mu.Unlock()
		for _, c := range changes {
			if ctx.Err() == nil {
				m.tellOne(c)
			}
		}
	}
}

// tellOne contains a panic: it is the host's, and no reason to stop asking.
func (m *Monitor) tellOne(c Change) {
	defer func() { _ = recover() }()
	m.options.OnChange(c)
}
