package health

import (
	"context"
	"fmt"
	"time"
)

// Run looks again and again until the context is cancelled, and then returns nil. It
// starts no goroutine, and calls [DeploymentOptions.Rollback] and
// [DeploymentOptions.OnChange] itself. A second Run at the same time is [ErrRunning]; one
// after it goes on.
func (d *DeploymentMonitor) Run(ctx context.Context) error {
	if !d.running.CompareAndSwap(false, true) {
		return fmt.Errorf("deployment: %w", ErrRunning)
	}
	defer d.running.Store(false)
	ticker := time.NewTicker(d.options.Every)
	defer ticker.Stop()
	for ctx.Err() == nil {
		d.look()
		d.tell(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		case <-d.wake:
		}
	}
	return nil
}

// look gathers what can be known and lets the machine take a step. Nothing is held while
// it gathers, so what it finds may be of a version that is not current any more: then it
// counts for nothing.
func (d *DeploymentMonitor) look() {
	d.mu.Lock()
	turn, current, previous, uptime := d.machine.turn, d.machine.current, d.machine.previous, d.uptime
	d.mu.Unlock()
	now := time.Now()
	e := deploymentEvidence{report: d.checks.Report(), metrics: current.metrics(now)}
	uptime.Observe(now, e.report.Whole())
	if current.Window != nil {
		e.span = current.Window.span()
		e.reach = e.span + current.Window.width
	}
	if previous.Window != nil {
		e.baseline = previous.Window.Snapshot(now)
	}
	if d.options.SLO != nil {
		e.burn = d.options.SLO.fastest(now)
	}
	if d.options.Unrelated != nil {
		e.unrelated = d.options.Unrelated.Report()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.machine.turn != turn {
		d.nudge()
		return
	}
	d.machine.step(now, e)
	d.metrics = e.metrics
	d.publish(now, e.report.Status)
}

// publish makes the machine what readers see, and what happened news. It is called with
// mu held.
func (d *DeploymentMonitor) publish(now time.Time, checks Status) {
	m := &d.machine
	report := &DeploymentReport{
		At: now, Generation: m.generation, Deployed: m.deployed, Version: m.current.Version, Previous: m.previous.Version,
		Status: m.status, Since: m.since, Began: m.began, DeploymentTime: m.took, RolledBack: m.restored,
		Checks: checks, Metrics: d.metrics, Uptime: d.uptime.Snapshot(now),
		Held: m.held, Trigger: m.trigger, History: m.history, Dropped: m.dropped,
	}
	before := d.now.Swap(&publishedDeployment{report, make(chan struct{})})
	if before != nil {
		close(before.next)
	}
	for _, n := range m.news {
		d.told = keep(d.told, n, maxChanges)
	}
	m.news = nil
}

// nudge makes Run look at once.
func (d *DeploymentMonitor) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// tell tells the news, one after the other. A trigger of a deployment that is not the
// current one any more is not told.
func (d *DeploymentMonitor) tell(ctx context.Context) {
	for ctx.Err() == nil {
		d.mu.Lock()
		if len(d.told) == 0 {
			d.mu.Unlock()
			return
		}
		n := d.told[0]
		d.told = d.told[1:]
		late := n.trigger != nil && n.trigger.Generation != d.machine.generation
		d.mu.Unlock()
		switch {
		case late:
		case n.trigger != nil:
			d.rollBack(*n.trigger)
		case d.options.OnChange != nil:
			d.change(*n.transition)
		}
	}
}

// rollBack asks for the rollback. One that panics has failed, and does not look as if it
// were under way.
func (d *DeploymentMonitor) rollBack(t Trigger) {
	defer func() {
		if thrown := recover(); thrown != nil {
			d.RolledBack(t.Generation, fmt.Errorf("panic: %v", thrown))
		}
	}()
	d.options.Rollback(t)
}

// change contains a panic: it is the host's, and no reason to stop looking.
func (d *DeploymentMonitor) change(t Transition) {
	defer func() { _ = recover() }()
	d.options.OnChange(t)
}

// span is how far back the window looks.
func (w *Window) span() time.Duration { return w.width * time.Duration(len(w.ring)-2) }

// fastest is how the rule with the shortest long window stands.
func (s *SLO) fastest(now time.Time) *Burn {
	burns := s.Snapshot(now).Burns
	fastest := &burns[0]
	for i := range burns {
		if burns[i].Rule.Long < fastest.Rule.Long {
			fastest = &burns[i]
		}
	}
	return fastest
}
