package health

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/guidon-go/guidon/internal/histogram"
)

// Deployment is one version that takes the place of another.
type Deployment struct {
	Version string  // required
	Window  *Window // what this deployment serves, and no other: a fresh one for each; nil: it has no metrics, and none of their rules
}

// DeploymentOptions sets up a [DeploymentMonitor]. The zero value is right for most, but
// for Rollback.
type DeploymentOptions struct {
	// Current is what runs already, and is taken to be well. Zero is nothing.
	Current Deployment
	// Steady is how long a version must have been well without a break before it is
	// ready: every check that is not optional, and every rule. One miss begins it anew.
	// Zero means 10 s.
	Steady time.Duration
	// Deadline is by when a version must be ready, and a rollback done; and then the
	// version that it went to ready, too. Zero means 5 min.
	Deadline time.Duration
	// Every is how often Run looks. Zero means 1 s.
	Every time.Duration
	// MinSuccessRate is the share of requests below which a version is unhealthy: when
	// the upper bound of its 95 % interval (Wilson) is below. It is a limit and not a
	// comparison, so leave it room; with a [Judge] one compares. Zero means 0.95.
	MinSuccessRate float64
	// MinRequests and MinFailures are what a window must have seen before a rule about
	// it says anything. Zero means 100 and 3.
	MinRequests, MinFailures uint64
	// MaxP99 makes a version unhealthy whose P99 is longer in two whole windows after
	// each other. Zero is no such rule.
	MaxP99 time.Duration
	// SLO makes a version unhealthy while the rule of it fires that has the shortest
	// long window, once that window has seen nothing but this version. Nil is no such
	// rule.
	SLO *SLO
	// Unrelated is a monitor of what works or fails without the version: other
	// services, the network. While more than half of its checks that know are unhealthy
	// or skipped, or the previous version breaks a rule of the window, too, it is not
	// the version, and nothing is rolled back. Nil asks only the previous version.
	Unrelated *Monitor
	// Rollback is asked to go back, at most once for each deployment. It is called by
	// Run, outside any lock, and must return soon: hand the trigger over, and tell the
	// end with [DeploymentMonitor.RolledBack]. One that panics has failed. Nil means that
	// the monitor only watches.
	Rollback func(Trigger)
	// OnChange is told of every transition, in order, by Run, outside any lock. Nil is
	// nobody.
	OnChange func(Transition)
}

// DeploymentMonitor says how a deployment stands, from its checks and its metrics, and
// asks once to roll it back when it is not well:
//
//	deploying -> ready -> unhealthy -> rolling_back -> ready or failed
//
// Deploying becomes unhealthy, too, when a rule is broken or the deadline passes; and
// unhealthy becomes ready again when all has been well for Steady and nothing was rolled
// back. Each deployment has a generation, and what is said of an older one changes
// nothing. How often a host may roll back, and how soon again, is not decided here.
//
// It lives where both versions are seen: in a proxy that divides traffic between them, in
// a controller, or in a process that switches between two handlers; not in the process
// that is replaced, which is gone when it is to go back. There, Deploy is called when
// traffic begins to move.
//
// Make one with [NewDeploymentMonitor], and let it look with [DeploymentMonitor.Run]. All
// methods are safe for concurrent use; readers take an atomic snapshot and wait for
// nobody.
type DeploymentMonitor struct {
	checks  *Monitor
	options DeploymentOptions
	running atomic.Bool
	now     atomic.Pointer[publishedDeployment]
	wake    chan struct{}

	mu      sync.Mutex // guards what follows; no callback runs under it
	machine deploymentMachine
	uptime  *Availability // of this deployment
	metrics *Metrics      // of the newest look, or of when the version took its place
	told    []deploymentNews
	windows []weak.Pointer[Window] // that have served a deployment
}

type publishedDeployment struct {
	*DeploymentReport
	next chan struct{} // closed when there is a newer one
}

// deploymentNews is something to be told: one of the two.
type deploymentNews struct {
	transition *Transition
	trigger    *Trigger
}

// NewDeploymentMonitor returns a monitor of deployments by these checks. The error lists
// everything that is wrong.
func NewDeploymentMonitor(checks *Monitor, o DeploymentOptions) (*DeploymentMonitor, error) {
	or := func(d *time.Duration, zero time.Duration) {
		if *d == 0 {
			*d = zero
		}
	}
	or(&o.Steady, 10*time.Second)
	or(&o.Deadline, 5*time.Minute)
	or(&o.Every, time.Second)
	if o.MinSuccessRate == 0 {
		o.MinSuccessRate = 0.95
	}
	if o.MinRequests == 0 {
		o.MinRequests = 100
	}
	if o.MinFailures == 0 {
		o.MinFailures = 3
	}
	if err := errors.Join(o.problems(checks)...); err != nil {
		return nil, err
	}
	now := time.Now()
	d := &DeploymentMonitor{checks: checks, options: o, wake: make(chan struct{}, 1)}
	d.machine.options = &d.options
	d.uptime, d.metrics = NewAvailability(AvailabilityOptions{}), o.Current.metrics(now)
	if o.Current.Version != "" {
		d.machine.status, d.machine.since, d.machine.ready, d.machine.deployed = DeploymentReady, now, true, o.Current.Version
		d.machine.place(now, o.Current, checks.Report())
		d.serves(o.Current.Window)
	}
	d.publish(now, Unknown)
	return d, nil
}

func (o *DeploymentOptions) problems(checks *Monitor) (all []error) {
	bad := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w: deployment: "+format, append([]any{ErrInvalid}, args...)...))
	}
	if checks == nil {
		bad("checks: missing, want a monitor: without one, nothing could ever be ready")
	}
	if o.Current.Version == "" && o.Current.Window != nil {
		bad("Current.Version: missing")
	}
	if o.Deadline <= 0 {
		bad("Deadline: found %v, want more than 0", o.Deadline)
	}
	switch {
	case o.Steady < 0:
		bad("Steady: found %v, want more than 0", o.Steady)
	case o.Steady >= o.Deadline:
		bad("Steady: found %v, want less than the Deadline of %v: nothing could ever be ready", o.Steady, o.Deadline)
	}
	if o.Every < time.Millisecond || o.Steady > 0 && o.Every > o.Steady {
		bad("Every: found %v, want 1ms to the Steady of %v", o.Every, o.Steady)
	}
	if !(o.MinSuccessRate > 0 && o.MinSuccessRate < 1) {
		bad("MinSuccessRate: found %v, %s", o.MinSuccessRate, wantShare(o.MinSuccessRate))
	}
	if o.MaxP99 < 0 || o.MaxP99 >= histogram.Max {
		bad("MaxP99: found %v, want 0 to %v: a window tells no longer latency, so it could never be broken", o.MaxP99, histogram.Max)
	}
	if o.SLO != nil && len(o.SLO.rules) == 0 {
		bad("SLO: has no rules, so it could never fire")
	}
	return all
}

// Deploy says that a version takes the place of the current one from now on, and
// returns the generation by which to speak of it. What it goes back to is the version
// that it takes the place of, if that was ready; or else the one which that would have
// gone back to. Call it when traffic begins to move.
//
// Each needs a fresh window, also one of a version that was deployed before: what that
// served then, and requests that still end from then, are nothing that this deployment
// did. A window that this monitor has had before is [ErrInvalid], and so is a version
// without a name.
func (d *DeploymentMonitor) Deploy(version Deployment) (generation uint64, err error) {
	if version.Version == "" {
		return 0, fmt.Errorf("%w: deployment: Version: missing", ErrInvalid)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &d.machine
	previous := m.previous
	if m.status == DeploymentReady || m.status == RollingBack && m.restored {
		if m.current.Version != version.Version {
			previous = m.current
		}
	}
	if !d.serves(version.Window) {
		return 0, fmt.Errorf("%w: deployment: Window: has served another deployment, want a fresh one for each, also of the same version", ErrInvalid)
	}
	now := time.Now()
	report := d.checks.Report()
	m.generation++
	m.previous, m.trigger, m.restored, m.ready, m.took, m.signal, m.deployed = previous, nil, false, false, 0, "", version.Version
	m.place(now, version, report)
	m.become(now, Deploying, Cause{Rule: "deploy", Reason: "version " + version.Version})
	d.uptime, d.metrics = NewAvailability(AvailabilityOptions{}), version.metrics(now)
	d.uptime.Observe(now, report.Whole())
	d.publish(now, report.Status)
	d.nudge()
	return m.generation, nil
}

// serves notes that a window serves a deployment; false if it has served one before. It
// keeps no window alive. It is called with mu held.
func (d *DeploymentMonitor) serves(w *Window) bool {
	if w == nil {
		return true
	}
	d.windows = slices.DeleteFunc(d.windows, func(p weak.Pointer[Window]) bool { return p.Value() == nil })
	pointer := weak.Make(w)
	if slices.Contains(d.windows, pointer) {
		return false
	}
	d.windows = append(d.windows, pointer)
	return true
}

// metrics are what the version's window has seen; nothing without one.
func (v Deployment) metrics(now time.Time) *Metrics {
	if v.Window == nil {
		return &Metrics{}
	}
	return v.Window.Snapshot(now)
}

// Signal is a host's own reason to roll a deployment back. It is heeded like any rule,
// and stands until it was. It is false, and changes nothing, when the generation is not
// that of the current deployment, or a rollback was asked for already.
func (d *DeploymentMonitor) Signal(generation uint64, reason string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := &d.machine
	if generation != m.generation || m.trigger != nil || m.status == NoDeployment {
		m.dropped++
		d.publish(time.Now(), d.now.Load().Checks)
		return false
	}
	m.signal, m.signalled = cut(reason), true
	d.nudge()
	return true
}

// RolledBack says how the rollback ended that a [Trigger] of this generation asked for.
// With nil the previous version is the current one from now on, and must become ready
// (wait for that with [DeploymentMonitor.Watch]); otherwise the deployment has failed. It
// is false, and changes nothing, when there is no
// such rollback under way.
func (d *DeploymentMonitor) RolledBack(generation uint64, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, now := &d.machine, time.Now()
	status := d.now.Load().Checks
	defer func() { d.publish(now, status) }()
	if generation != m.generation || m.status != RollingBack || m.restored {
		m.dropped++
		return false
	}
	if err != nil {
		m.become(now, DeploymentFailed, Cause{Rule: "rollback", Reason: cut(err.Error())})
	} else {
		version := m.previous
		m.previous, m.restored = Deployment{}, true
		m.place(now, version, d.checks.Report())
		m.become(now, RollingBack, Cause{Rule: "rollback", Reason: "version " + version.Version + " is back, and has to become ready"})
		d.metrics = version.metrics(now)
	}
	d.nudge()
	return true
}

// Report is how the deployment stood when Run last looked.
func (d *DeploymentMonitor) Report() *DeploymentReport { return d.now.Load().DeploymentReport }

// Check waits until the deployment is ready. It returns an error at once when that is
// unhealthy, is rolled back or has failed, and when the context is done before. So it is
// a gate.
func (d *DeploymentMonitor) Check(ctx context.Context) error {
	for {
		now := d.now.Load()
		switch {
		case now.Status == DeploymentReady && !now.RolledBack:
			return nil
		case now.Status > Deploying:
			return errors.New(now.String())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %v", context.Cause(ctx), now.DeploymentReport)
		case <-now.next:
		}
	}
}

// Watch yields the report now, and then each newer one, until the context is done: there
// is one for each look of Run, and for each Deploy and RolledBack. Those that came while
// the loop was at work are left out, but the newest; what happened meanwhile is in its
// History. To wait until a rollback has come to its end:
//
//	for r := range deployment.Watch(ctx) {
//		if r.Status != health.RollingBack {
//			break // ready again, or failed
//		}
//	}
func (d *DeploymentMonitor) Watch(ctx context.Context) iter.Seq[*DeploymentReport] {
	return func(yield func(*DeploymentReport) bool) {
		for ctx.Err() == nil {
			now := d.now.Load()
			if !yield(now.DeploymentReport) {
				return
			}
			select {
			case <-ctx.Done():
			case <-now.next:
			}
		}
	}
}
