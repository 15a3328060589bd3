package health_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// stage is a service under deployment: one check that does as told, and a record of
// what was asked and told.
type stage struct {
	t        *testing.T
	d        *health.DeploymentMonitor
	checks   *health.Monitor
	down     atomic.Bool
	triggers []health.Trigger // written by Run only: read after synctest.Wait
	news     []string
	stop     func()
}

func newStage(t *testing.T, o health.DeploymentOptions) *stage {
	s := &stage{t: t}
	s.checks = monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Interval: time.Second, Startup: time.Second, Probe: func(context.Context) error {
		if s.down.Load() {
			return errDown
		}
		return nil
	}})
	if o.Rollback == nil {
		o.Rollback = func(trigger health.Trigger) { s.triggers = append(s.triggers, trigger) }
	}
	o.OnChange = func(tr health.Transition) {
		s.news = append(s.news, tr.Version+" "+tr.From.String()+">"+tr.To.String()+" "+tr.Cause.Rule)
	}
	d, err := health.NewDeploymentMonitor(s.checks, o)
	require.NoError(t, err)
	s.d = d
	stopChecks := run(t, s.checks)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	s.stop = func() {
		cancel()
		require.NoError(t, <-ended)
		stopChecks()
	}
	return s
}

func (s *stage) deploy(version string) uint64 {
	s.t.Helper()
	generation, err := s.d.Deploy(health.Deployment{Version: version})
	require.NoError(s.t, err)
	return generation
}

// pass lets time go by, and everything that it brings about.
func (s *stage) pass(d time.Duration) *health.DeploymentReport {
	time.Sleep(d)
	synctest.Wait()
	return s.d.Report()
}

var v1 = health.DeploymentOptions{Current: health.Deployment{Version: "v1"}}

func TestDeploymentReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		require.Equal(t, health.DeploymentReady, s.pass(time.Minute).Status)
		require.NoError(t, s.d.Check(t.Context()))
		s.deploy("v2")
		report := s.d.Report()
		require.Equal(t, health.Deploying, report.Status, "at once")
		require.Equal(t, "v2", report.Version)
		require.Equal(t, "v1", report.Previous)
		require.Equal(t, health.Deploying, s.pass(9*time.Second).Status)
		require.NoError(t, s.d.Check(t.Context()), "the gate waits")
		report = s.d.Report()
		require.Equal(t, health.DeploymentReady, report.Status)
		require.GreaterOrEqual(t, report.DeploymentTime, 10*time.Second)
		require.LessOrEqual(t, report.DeploymentTime, 13*time.Second, "a probe since it began, and ten seconds")
		last := report.History[len(report.History)-1]
		require.Equal(t, "steady", last.Cause.Rule)
		require.InDelta(t, 10, last.Cause.Measured, 1)
		require.InDelta(t, 10, last.Cause.Limit, 0)
		require.Equal(t, report.Since, last.At)
		available, ok := report.Uptime.Availability()
		require.True(t, ok)
		require.InDelta(t, 1, available, 0)
		synctest.Wait()
		require.Equal(t, []string{"v2 ready>deploying deploy", "v2 deploying>ready steady"}, s.news)
		require.Equal(t, health.DeploymentReady, s.pass(10*time.Minute).Status, "the deadline is past, and kept")

		s.deploy("v2")
		require.Equal(t, "v1", s.d.Report().Previous, "once more the same")
		require.NoError(t, s.d.Check(t.Context()))
		require.Empty(t, s.triggers)
	})
}

// TestDeploymentNeedsNewResults: what the checks said of the version before says nothing.
func TestDeploymentNeedsNewResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := monitor(t, health.MonitorOptions{},
			health.Check{Name: "slow", Interval: time.Minute, Probe: script(nil)},
			health.Check{Name: "certificate", Interval: time.Hour, PassAfter: 1, Probe: script(nil)})
		d, err := health.NewDeploymentMonitor(checks, v1)
		require.NoError(t, err)
		defer run(t, checks)()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		time.Sleep(3 * time.Minute)
		for time.Since(askedLast(checks, "slow")) > time.Second {
			time.Sleep(time.Second)
		}
		_, err = d.Deploy(health.Deployment{Version: "v2"})
		require.NoError(t, err)
		require.NoError(t, d.Check(ctx))
		require.Greater(t, d.Report().DeploymentTime, 60*time.Second, "after a result of its own, but for checks that are asked once in a blue moon")
		require.Less(t, d.Report().DeploymentTime, 80*time.Second)
		cancel()
		require.NoError(t, <-ended)
	})
}

// TestDeploymentSeldomAsked: checks that are asked once in a blue moon make nothing ready
// sooner.
func TestDeploymentSeldomAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		asked := 0
		sometimes := func(context.Context) error {
			if asked++; asked%2 == 0 {
				return health.Unsure(errDown)
			}
			return health.Warn(errDown)
		}
		require.NoError(t, s.checks.Add(health.Check{Name: "certificate", Interval: time.Hour, PassAfter: 1, Probe: script(nil)},
			health.Check{Name: "disk", Interval: time.Second, Probe: sometimes}))
		require.NoError(t, s.checks.Remove("db"))
		s.pass(time.Minute)
		s.deploy("v2")
		require.Equal(t, health.Deploying, s.pass(9*time.Second).Status)
		require.NoError(t, s.d.Check(t.Context()), "neither a warning nor a probe that cannot tell stops it")
	})
}

// TestDeploymentNewestFailed: nothing is ready while the newest result of a check is a
// failure, though too few to make it unhealthy.
func TestDeploymentNewestFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		checks := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Interval: 20 * time.Second, PassAfter: 1, Probe: func(context.Context) error {
			if down.Load() {
				return errDown
			}
			return health.Warn(errors.New("works, somehow"))
		}})
		d, err := health.NewDeploymentMonitor(checks, v1)
		require.NoError(t, err)
		defer run(t, checks)()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		time.Sleep(time.Minute)
		_, err = d.Deploy(health.Deployment{Version: "v2"})
		require.NoError(t, err)
		down.Store(true)
		for askedLast(checks, "db").Before(d.Report().Began) {
			time.Sleep(100 * time.Millisecond)
		}
		down.Store(false)
		failed := askedLast(checks, "db")
		require.NoError(t, d.Check(ctx), "warnings stop nothing")
		require.GreaterOrEqual(t, d.Report().Since.Sub(failed), 28*time.Second, "an interval and ten seconds")
		cancel()
		require.NoError(t, <-ended)
	})
}

func askedLast(m *health.Monitor, name string) time.Time {
	c, _ := m.Report().Check(name)
	return c.Last.At
}

// TestDeploymentOneMiss: one failure, though too few to make the check unhealthy, begins
// the time to ready anew, also between two looks.
func TestDeploymentOneMiss(t *testing.T) {
	for name, every := range map[string]time.Duration{"": time.Second, "between two looks": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := v1
				o.Every = every
				s := newStage(t, o)
				defer s.stop()
				s.pass(time.Minute)
				s.deploy("v2")
				require.Equal(t, health.Deploying, s.pass(8*time.Second).Status)
				s.down.Store(true)
				s.pass(1200 * time.Millisecond) // one or two
				s.down.Store(false)
				missed := time.Now()
				require.NoError(t, s.d.Check(t.Context()))
				require.GreaterOrEqual(t, time.Since(missed), 10*time.Second-200*time.Millisecond)
				require.LessOrEqual(t, time.Since(missed), 12*time.Second+2*every)
				require.Equal(t, health.Healthy, status(s.checks, "db"))
			})
		})
	}
}

func TestDeploymentDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		require.NoError(t, s.checks.Add(health.Check{Name: "starts", Interval: time.Second, Startup: time.Hour, Probe: script(errDown)}))
		s.deploy("v2")
		require.Equal(t, health.Deploying, s.pass(5*time.Minute-time.Second).Status)
		require.Error(t, s.d.Check(t.Context()))
		report := s.pass(2 * time.Second)
		require.Equal(t, health.RollingBack, report.Status)
		require.Equal(t, "deadline", report.Trigger.Cause.Rule)
		require.Contains(t, report.Trigger.Cause.Reason, "starts: unknown (failed after 0s: down)")
		require.Len(t, s.triggers, 1)
		require.Equal(t, "v1", s.triggers[0].To)
	})
}

func TestDeploymentRollsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		generation := s.deploy("v2")
		require.NoError(t, s.d.Check(t.Context()))
		s.down.Store(true)
		report := s.pass(5 * time.Second)
		require.Equal(t, health.RollingBack, report.Status)
		require.Equal(t, "v2", report.Version)
		require.Equal(t, []health.Trigger{*report.Trigger}, s.triggers)
		require.Equal(t, "check", report.Trigger.Cause.Rule)
		require.Equal(t, generation, report.Trigger.Generation)
		require.GreaterOrEqual(t, report.Trigger.Cause.Measured, 3.0)
		require.ErrorContains(t, s.d.Check(t.Context()), "roll back from v2 to v1: check: db: unhealthy")

		s.down.Store(false)
		require.Equal(t, health.RollingBack, s.pass(time.Minute).Status, "that it is well by itself is no rollback")
		require.True(t, s.d.RolledBack(generation, nil))
		require.False(t, s.d.RolledBack(generation, nil), "once")
		report = s.pass(time.Second)
		require.Equal(t, health.RollingBack, report.Status, "not ready yet")
		require.Equal(t, "v1", report.Version)
		require.True(t, report.RolledBack)
		require.Empty(t, report.Previous)
		report = s.pass(15 * time.Second)
		require.Equal(t, health.DeploymentReady, report.Status)
		require.ErrorContains(t, s.d.Check(t.Context()), "v1 is ready", "for whoever waits for v2, no")
		require.Equal(t, []string{
			"v2 ready>deploying deploy", "v2 deploying>ready steady", "v2 ready>unhealthy check", "v2 unhealthy>rolling_back check",
			"v1 rolling_back>rolling_back rollback", "v1 rolling_back>ready steady",
		}, s.news)

		s.down.Store(true)
		require.Equal(t, health.DeploymentUnhealthy, s.pass(10*time.Second).Status)
		require.False(t, s.d.Signal(generation, "again"))
		s.pass(10 * time.Minute)
		require.Len(t, s.triggers, 1, "once for each deployment")
	})
}

// TestDeploymentNeverReady: that what it went back to is ready does not make it a
// deployment that took some time.
func TestDeploymentNeverReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		generation := s.deploy("v2")
		require.True(t, s.d.Signal(generation, "bad"))
		s.pass(time.Second)
		require.True(t, s.d.RolledBack(generation, nil))
		report := s.pass(20 * time.Second)
		require.Equal(t, health.DeploymentReady, report.Status)
		require.Zero(t, report.DeploymentTime)
	})
}

func TestDeploymentRollbackFails(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(s *stage, generation uint64)
		rule string
	}{
		{"by its error", func(s *stage, g uint64) { s.d.RolledBack(g, errors.New("no such image")) }, "rollback"},
		{"by its deadline", func(s *stage, _ uint64) { s.down.Store(false); s.pass(5 * time.Minute) }, "deadline"},
		{"by the deadline of what it went back to", func(s *stage, g uint64) { s.d.RolledBack(g, nil); s.pass(5*time.Minute + time.Second) }, "deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, v1)
				defer s.stop()
				generation := s.deploy("v2")
				s.down.Store(true)
				require.Equal(t, health.RollingBack, s.pass(10*time.Second).Status)
				tt.end(s, generation)
				report := s.pass(time.Second)
				require.Equal(t, health.DeploymentFailed, report.Status)
				require.Equal(t, tt.rule, report.History[len(report.History)-1].Cause.Rule)
				require.False(t, s.d.RolledBack(generation, nil), "too late")
				s.down.Store(false)
				require.Equal(t, health.DeploymentFailed, s.pass(10*time.Minute).Status, "for good")
				s.deploy("v3")
				require.NoError(t, s.d.Check(t.Context()))
				require.Len(t, s.triggers, 1)
			})
		})
	}
}

func TestDeploymentSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		old := s.deploy("v2")
		s.pass(time.Second)
		generation := s.deploy("v3")
		require.False(t, s.d.Signal(old, "v2 is worse"), "of an older deployment")
		require.False(t, s.d.Signal(generation+1, "v4 will be worse"))
		report := s.pass(time.Second)
		require.Equal(t, health.Deploying, report.Status)
		require.EqualValues(t, 2, report.Dropped)
		require.Equal(t, "v1", report.Previous, "v2 was never ready")

		require.True(t, s.d.Signal(generation, "v3 is worse"))
		s.down.Store(true)
		s.d.Signal(generation, "v3 is much worse")
		report = s.pass(time.Minute)
		require.Equal(t, health.RollingBack, report.Status)
		require.Len(t, s.triggers, 1)
		require.Equal(t, "signal", s.triggers[0].Cause.Rule)
		require.Equal(t, "v1", s.triggers[0].To)
		require.False(t, s.d.Signal(generation, "still"))
	})
}

// TestDeploymentInMidRollback: a new deployment takes the place of one that is being
// rolled back; the end of that rollback is not heard any more.
func TestDeploymentInMidRollback(t *testing.T) {
	for name, restored := range map[string]bool{"before it is back": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, v1)
				defer s.stop()
				old := s.deploy("v2")
				s.down.Store(true)
				require.Equal(t, health.RollingBack, s.pass(10*time.Second).Status)
				if restored {
					require.True(t, s.d.RolledBack(old, nil))
				}
				require.Zero(t, s.d.Report().DeploymentTime, "v2 was never ready")
				generation := s.deploy("v3")
				report := s.d.Report()
				require.Equal(t, health.Deploying, report.Status)
				require.Equal(t, "v1", report.Previous)
				require.Nil(t, report.Trigger)
				require.False(t, report.RolledBack)
				require.False(t, s.d.RolledBack(old, nil))
				require.False(t, s.d.RolledBack(old, errors.New("it was in the way")))
				require.False(t, s.d.RolledBack(generation, nil), "nobody asked for that")
				require.Equal(t, health.Deploying, s.pass(time.Minute).Status, "that the check is down is not because of v3")
				s.down.Store(false)
				require.NoError(t, s.d.Check(t.Context()))
				s.down.Store(true)
				s.pass(10 * time.Second)
				require.Len(t, s.triggers, 2, "once for each deployment")
				require.Equal(t, generation, s.triggers[1].Generation)
				require.False(t, s.d.RolledBack(old, nil), "that is not the one under way")

				require.True(t, s.d.RolledBack(generation, nil))
				s.down.Store(false)
				require.Equal(t, health.DeploymentReady, s.pass(20*time.Second).Status)
				require.Positive(t, s.d.Report().DeploymentTime, "of v3")
			})
		})
	}
}

// TestDeploymentTriggerOfAnOlderOne: one that waits to be told while a new deployment
// comes is not told.
func TestDeploymentTriggerOfAnOlderOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, asked := v1, 0
		var d *health.DeploymentMonitor
		o.Rollback = func(health.Trigger) { asked++ }
		o.OnChange = func(tr health.Transition) {
			if tr.To == health.RollingBack {
				_, err := d.Deploy(health.Deployment{Version: "v3"})
				require.NoError(t, err)
			}
		}
		var err error
		d, err = health.NewDeploymentMonitor(monitor(t, health.MonitorOptions{}), o)
		require.NoError(t, err)
		generation, err := d.Deploy(health.Deployment{Version: "v2"})
		require.NoError(t, err)
		require.True(t, d.Signal(generation, "bad"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, d.Run(ctx))
		require.Zero(t, asked)
		require.Equal(t, health.Deploying, d.Report().Status)
	})
}

func TestDeploymentWithoutPrevious(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, health.DeploymentOptions{})
		defer s.stop()
		require.Equal(t, "nothing is deployed", s.d.Report().String())
		require.False(t, s.d.Signal(0, "nothing is there"))
		s.deploy("v1")
		require.NoError(t, s.d.Check(t.Context()))
		s.down.Store(true)
		report := s.pass(10 * time.Second)
		require.Equal(t, health.DeploymentUnhealthy, report.Status)
		require.Len(t, s.triggers, 1)
		require.Empty(t, s.triggers[0].To)
		require.Contains(t, s.triggers[0].String(), "no previous version to go back to: check: db")
		require.False(t, s.d.RolledBack(s.triggers[0].Generation, nil))
		s.down.Store(false)
		require.Equal(t, health.DeploymentReady, s.pass(20*time.Second).Status)
		s.down.Store(true)
		require.Equal(t, health.DeploymentUnhealthy, s.pass(10*time.Second).Status)
		require.Len(t, s.triggers, 1)
	})
}

// TestDeploymentWatches: without anybody to roll back it says how things stand, and
// comes back by itself.
func TestDeploymentWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Interval: time.Second, Probe: script(nil)})
		d, err := health.NewDeploymentMonitor(checks, v1)
		require.NoError(t, err)
		defer run(t, checks)()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		require.ErrorIs(t, d.Run(ctx), health.ErrRunning)
		require.True(t, d.Signal(0, "look at this"))
		time.Sleep(2 * time.Second)
		require.Equal(t, health.DeploymentUnhealthy, d.Report().Status)
		require.Nil(t, d.Report().Trigger)
		time.Sleep(20 * time.Second)
		require.Equal(t, health.DeploymentReady, d.Report().Status)
		cancel()
		require.NoError(t, <-ended)
	})
}

// TestDeploymentCallbacks: they run one after the other, outside of locks, so that they
// may call everything; one that panics harms nobody.
func TestDeploymentCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, told := v1, 0
		var d *health.DeploymentMonitor
		o.OnChange = func(health.Transition) { told++; d.Report(); d.Signal(7, "unknown"); panic("listener") }
		o.Rollback = func(tr health.Trigger) { d.Report(); panic("no hands") }
		var err error
		d, err = health.NewDeploymentMonitor(monitor(t, health.MonitorOptions{}), o)
		require.NoError(t, err)
		generation, err := d.Deploy(health.Deployment{Version: "v2"})
		require.NoError(t, err)
		require.True(t, d.Signal(generation, "bad"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, d.Run(ctx))
		require.Equal(t, 4, told)
		report := d.Report()
		require.Equal(t, health.DeploymentFailed, report.Status)
		require.Equal(t, "rollback: panic: no hands", report.History[len(report.History)-1].Cause.String())
	})
}
