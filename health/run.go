package health

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Run asks the checks until the context is cancelled, and then returns nil once all
// its goroutines have ended. Probes, and an OnChange, that do not return within
// [MonitorOptions.Grace] after that are left behind, and are the error. A second Run at
// the same time is [ErrRunning]; one after it goes on.
func (m *Monitor) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return fmt.Errorf("monitor: %w", ErrRunning)
	}
	defer m.running.Store(false)
	var work sync.WaitGroup // probes, and the telling
	work.Go(func() { m.tell(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-timer.C:
		}
		if ctx.Err() == nil {
			timer.Reset(m.step(ctx, &work))
		}
	}
	ended := make(chan struct{})
	go func() {
		work.Wait()
		close(ended)
	}()
	grace := time.NewTimer(m.options.Grace)
	defer grace.Stop()
	select {
	case <-ended:
		return nil
	case <-grace.C:
	}
	return fmt.Errorf("monitor: do not return: %s", strings.Join(m.leave(), ", "))
}

// leave stops waiting for the probes that have not returned, and names them, and
// OnChange if it has not.
func (m *Monitor) leave() (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.running {
			m.giveUp(e)
			e.stuck = e.started
			names = append(names, e.check.Name)
		}
	}
	m.publish(time.Now())
	for _, name := range slices.Sorted(maps.Keys(m.left)) {
		names = append(names, name+" (removed)")
	}
	if len(m.telling) > 0 {
		names = append(names, "OnChange")
	}
	return names
}

// step starts what is due, gives up what has timed out, and says how long there is
// nothing to do.
func (m *Monitor) step(ctx context.Context, work *sync.WaitGroup) time.Duration {
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
		}
		if e.running && !e.deadline.IsZero() && !now.Before(e.deadline) {
			e.add(e.timedOut())
			m.giveUp(e)
			e.stuck, changed = e.started, true
		}
		if e.maintenance.After(now) {
			sooner(e.maintenance)
		} else if !e.maintenance.IsZero() {
			e.maintenance, changed = time.Time{}, true
		}
	}
	for _, e := range m.oldestFirst(now) {
		switch {
		case e.running || m.left[e.check.Name] > 0:
			e.overruns, changed = e.overruns+1, true
		case m.ready >= m.options.Concurrent:
			continue // when one returns, this is looked at again
		default:
			m.start(ctx, e, now, work)
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

// giveUp stops waiting for the probe of an entry, which from now on takes no place.
func (m *Monitor) giveUp(e *entry) {
	if !e.deadline.IsZero() {
		e.deadline = time.Time{}
		m.ready--
	}
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

// after is when a check is due next: an interval after it was, give or take a tenth.
// What is past already is left out, so that checks keep their places beside one another.
func after(due time.Time, interval time.Duration, now time.Time) time.Time {
	spread := int64(interval / 5)
	next := due.Add(interval - time.Duration(spread/2) + time.Duration(rand.Int64N(spread+1)))
	if late := now.Sub(next); late >= 0 {
		next = next.Add((late/interval + 1) * interval)
	}
	return next
}

// errTimeout tells the end of a probe's own time from the end of Run, which may have a
// deadline too.
var errTimeout = errors.New("timeout")

// start runs the probe of an entry. It is called with mu held.
func (m *Monitor) start(ctx context.Context, e *entry, now time.Time, work *sync.WaitGroup) {
	ctx, cancel := context.WithTimeoutCause(ctx, e.check.Timeout, errTimeout)
	e.running, e.started, e.deadline, e.cancel = true, now, now.Add(e.check.Timeout), cancel
	m.ready++
	if e.began.IsZero() {
		e.began = now
	}
	work.Go(func() {
		r := Result{At: now, Kind: Failed, Err: "the probe ended its goroutine"} // runtime.Goexit
		defer func() {
			ended := context.Cause(ctx)
			cancel()
			m.finish(e, r, ended)
		}()
		r = ask(ctx, e.check.Probe, now)
	})
}

// finish hears what a probe came to, unless nobody waits for it any more. Ended is why
// its context was done when it returned.
func (m *Monitor) finish(e *entry, r Result, ended error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer m.nudge() // a place may be free
	late := e.deadline.IsZero()
	m.giveUp(e)
	e.running, e.stuck, e.cancel = false, time.Time{}, nil
	switch {
	case e.removed:
		if m.left[e.check.Name]--; m.left[e.check.Name] == 0 {
			delete(m.left, e.check.Name)
		}
		return
	case late: // it has been counted as failed
	case ended == nil:
		e.add(r)
	case errors.Is(ended, errTimeout):
		e.add(e.timedOut())
	default:
		return // Run has ended
	}
	m.publish(time.Now())
}

// ask calls a probe and reads its answer. Both run the host's code, so both may panic:
// an error can be a nil pointer.
func ask(ctx context.Context, p Probe, began time.Time) (r Result) {
	defer func() {
		if thrown := recover(); thrown != nil {
			r = Result{At: began, Took: time.Since(began), Kind: Failed, Err: cut(fmt.Sprintf("panic: %v\n%s", thrown, debug.Stack()))}
		}
	}()
	err := p(ctx)
	return resultOf(began, time.Since(began), err)
}

// tell calls OnChange, one change after the other.
func (m *Monitor) tell(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case m.telling <- struct{}{}: // what an earlier Run left behind has ended
	}
	defer func() { <-m.telling }()
	for ctx.Err() == nil {
		if change, found := m.oldest(); found {
			m.tellOne(change)
			continue
		}
		select {
		case <-ctx.Done():
		case <-m.told:
		}
	}
}

// oldest takes the oldest change that has not been told.
func (m *Monitor) oldest() (Change, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.changes) == 0 {
		return Change{}, false
	}
	change := m.changes[0]
	m.changes = m.changes[1:]
	return change, true
}

// tellOne contains a panic: it is the host's, and no reason to stop asking.
func (m *Monitor) tellOne(c Change) {
	defer func() { _ = recover() }()
	m.options.OnChange(c)
}
