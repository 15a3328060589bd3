package health_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// serve records so many outcomes now.
func serve(w *health.Window, n int, latency time.Duration, class health.Class) {
	for range n {
		w.Record(time.Now(), latency, class)
	}
}

// released is a stage with v2 ready, both versions with a window.
func released(t *testing.T, o health.DeploymentOptions) (s *stage, generation uint64, before, after *health.Window) {
	before, after = health.NewWindow(health.WindowOptions{}), health.NewWindow(health.WindowOptions{})
	o.Current = health.Deployment{Version: "v1", Window: before}
	s = newStage(t, o)
	generation, err := s.d.Deploy(health.Deployment{Version: "v2", Window: after})
	require.NoError(t, err)
	require.NoError(t, s.d.Check(t.Context()))
	return s, generation, before, after
}

func TestDeploymentRefusesSettings(t *testing.T) {
	checks := monitor(t, health.MonitorOptions{})
	slo := newSLO(t, 0.99, []health.BurnRule{}...)
	for _, tt := range []struct {
		name    string
		options health.DeploymentOptions
		want    []string
	}{
		{"steady", health.DeploymentOptions{Steady: 5 * time.Minute}, []string{"Steady: found 5m0s, want less than the Deadline of 5m0s: nothing could ever be ready"}},
		{"deadline", health.DeploymentOptions{Deadline: 9 * time.Second}, []string{"Steady: found 10s, want less than the Deadline of 9s"}},
		{"every", health.DeploymentOptions{Every: 11 * time.Second}, []string{"Every: found 11s, want 1ms to the Steady of 10s"}},
		{"rate", health.DeploymentOptions{MinSuccessRate: 1}, []string{"MinSuccessRate: found 1, want more than 0"}},
		{"rate in percent", health.DeploymentOptions{MinSuccessRate: 95}, []string{"MinSuccessRate: found 95, want a share between 0 and 1, such as 0.95"}},
		{"p99", health.DeploymentOptions{MaxP99: 2 * time.Minute}, []string{"MaxP99: found 2m0s, want 0 to 1m8.7"}},
		{"slo", health.DeploymentOptions{SLO: slo}, []string{"SLO: has no rules"}},
		{"all at once", health.DeploymentOptions{
			Current: health.Deployment{Window: health.NewWindow(health.WindowOptions{})}, Steady: -1, Deadline: -1, Every: -1, MinSuccessRate: -1, MaxP99: -1,
		}, []string{"Current.Version: missing", "Steady: found -1ns", "Deadline: found -1ns", "Every: found -1ns", "MinSuccessRate: found -1", "MaxP99: found -1ns"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := health.NewDeploymentMonitor(checks, tt.options)
			require.Nil(t, d)
			require.ErrorIs(t, err, health.ErrInvalid)
			require.Len(t, strings.Split(err.Error(), "\n"), len(tt.want), err)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := health.NewDeploymentMonitor(nil, health.DeploymentOptions{})
	require.ErrorContains(t, err, "checks: missing")
	d, err := health.NewDeploymentMonitor(checks, health.DeploymentOptions{})
	require.NoError(t, err)
	_, err = d.Deploy(health.Deployment{})
	require.ErrorIs(t, err, health.ErrInvalid)
	window := health.NewWindow(health.WindowOptions{})
	_, err = d.Deploy(health.Deployment{Version: "v1", Window: window})
	require.NoError(t, err)
	_, err = d.Deploy(health.Deployment{Version: "v2", Window: window})
	require.ErrorContains(t, err, "Window: has served another deployment, want a fresh one")
	_, err = d.Deploy(health.Deployment{Version: "v1", Window: window})
	require.ErrorContains(t, err, "also of the same version")
	require.Equal(t, "v1", d.Report().Version)
	d, err = health.NewDeploymentMonitor(checks, health.DeploymentOptions{Current: health.Deployment{Version: "v0", Window: window}})
	require.NoError(t, err)
	_, err = d.Deploy(health.Deployment{Version: "v1", Window: window})
	require.ErrorContains(t, err, "Window: has served another deployment")
}

func TestDeploymentSuccessRate(t *testing.T) {
	for _, tt := range []struct {
		name                string
		successes, failures int
		want                health.DeploymentStatus
		limit               float64
	}{
		{"no requests", 0, 0, health.DeploymentReady, 0},
		{"few requests", 0, 99, health.DeploymentReady, 0},
		{"few failures", 98, 2, health.DeploymentReady, 0},
		{"too few failures, beyond doubt", 98, 2, health.DeploymentReady, 0.999}, // 2 %: 0.55 to 7
		{"enough of them", 97, 3, health.RollingBack, 0.99},
		{"every request", 0, 100, health.RollingBack, 0},
		{"below the limit, but not beyond doubt", 91, 9, health.DeploymentReady, 0}, // 9 %: 4.8 to 16.2
		{"beyond doubt", 90, 10, health.RollingBack, 0},                             // 10 %: 5.5 to 17.4
		{"more data, less doubt", 9_400, 600, health.RollingBack, 0},                // 6 %: 5.6 to 6.5
		{"above the limit", 9_600, 400, health.DeploymentReady, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _, before, after := released(t, health.DeploymentOptions{MinSuccessRate: tt.limit})
				defer s.stop()
				serve(before, 10_000, time.Millisecond, health.Success)
				serve(after, tt.successes, time.Millisecond, health.Success)
				serve(after, tt.failures, time.Millisecond, health.Failure)
				report := s.pass(2 * time.Second)
				require.Equal(t, tt.want, report.Status)
				require.EqualValues(t, tt.successes+tt.failures, report.Metrics.Requests())
				if tt.want == health.RollingBack {
					c := report.Trigger.Cause
					require.Equal(t, "success rate", c.Rule)
					require.InDelta(t, float64(tt.successes)/float64(tt.successes+tt.failures), c.Measured, 1e-9)
					require.Less(t, c.Bound, c.Limit)
					require.InDelta(t, max(tt.limit, 0.95), c.Limit, 0)
					require.Equal(t, time.Minute, c.Window)
					require.EqualValues(t, tt.successes+tt.failures, c.Samples)
				}
			})
		})
	}
}

// TestDeploymentSlow: P99 has to be over its limit in two whole windows.
func TestDeploymentSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, _, after := released(t, health.DeploymentOptions{MaxP99: time.Second})
		defer s.stop()
		second := func(slow bool) *health.DeploymentReport {
			latency := 100 * time.Millisecond
			if slow {
				latency = 2 * time.Second
			}
			serve(after, 10, latency, health.Success)
			return s.pass(time.Second)
		}
		for i := range 200 { // a second in which all are slow is in the window for a minute
			require.Equal(t, health.DeploymentReady, second(i == 60).Status)
		}
		for range 200 {
			serve(after, 1, 2*time.Second, health.Success)
			require.Equal(t, health.DeploymentReady, s.pass(time.Second).Status, "too few to tell")
		}
		for i := range 200 {
			report := second(true)
			if report.Status == health.DeploymentReady {
				require.Less(t, i, 70)
				continue
			}
			require.Greater(t, i, 55, "two windows after each other")
			c := report.Trigger.Cause
			require.Equal(t, "p99", c.Rule)
			require.InDelta(t, 2, c.Measured, 0.02)
			require.InDelta(t, 1, c.Limit, 0)
			require.GreaterOrEqual(t, c.Samples, uint64(100))
			require.Contains(t, c.Reason, "p99 is 2s over 1m, want at most 1s")
			return
		}
		require.Fail(t, "it was never too slow")
	})
}

// TestDeploymentBurns: the fast rule counts once its window has seen only this version.
func TestDeploymentBurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := v1
		o.SLO = newSLO(t, 0.99)
		s := newStage(t, o)
		defer s.stop()
		second := func(failures int) *health.DeploymentReport {
			for i := range 10 {
				class := health.Success
				if i < failures {
					class = health.Failure
				}
				o.SLO.Record(time.Now(), class)
			}
			return s.pass(time.Second)
		}
		for range 60 {
			second(0)
		}
		generation := s.deploy("v2")
		for range 29 {
			require.NotEqual(t, health.RollingBack, second(5).Status)
		}
		second(5)
		report := second(5)
		require.Equal(t, health.RollingBack, report.Status)
		c := report.Trigger.Cause
		require.Equal(t, "burn rate", c.Rule)
		require.Equal(t, generation, report.Trigger.Generation)
		require.InDelta(t, 50, c.Measured, 3)
		require.InDelta(t, 14.4, c.Limit, 0)
		require.Equal(t, 30*time.Second, c.Window)
	})
}

// TestDeploymentElsewhere: when what has nothing to do with the version fails, too,
// nothing is rolled back before that is over.
func TestDeploymentElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var outage atomic.Int64 // of so many of four
		var others []health.Check
		for i, name := range []string{"a", "b", "c", "d"} {
			others = append(others, health.Check{Name: name, Interval: time.Second, Startup: time.Second, Probe: func(context.Context) error {
				if int64(i) < outage.Load() {
					return errDown
				}
				return nil
			}})
		}
		others = append(others, health.Check{Name: "behind a", Needs: []string{"a"}, Interval: time.Second, Probe: script(nil)},
			health.Check{Name: "not known", Interval: time.Second, Startup: time.Hour, Probe: script(errDown)})
		unrelated := monitor(t, health.MonitorOptions{}, others...)
		defer run(t, unrelated)()
		s, generation, _, _ := released(t, health.DeploymentOptions{Unrelated: unrelated})
		defer s.stop()
		outage.Store(2) // with the one behind, three of five
		s.pass(10 * time.Second)
		s.down.Store(true)
		report := s.pass(10 * time.Second)
		require.Equal(t, health.DeploymentUnhealthy, report.Status)
		require.Equal(t, "unrelated", report.Held.Rule)
		require.InDelta(t, 0.6, report.Held.Measured, 1e-9)
		require.EqualValues(t, 5, report.Held.Samples)
		require.Equal(t, report.Held.Rule, report.History[len(report.History)-1].Held.Rule)
		require.Contains(t, report.String(), "not rolled back: unrelated: 3 of 5 checks")
		require.True(t, s.d.Signal(generation, "somebody is nervous"))
		require.Equal(t, health.DeploymentUnhealthy, s.pass(time.Minute).Status)
		require.Empty(t, s.triggers)

		outage.Store(1) // two of five
		report = s.pass(10 * time.Second)
		require.Equal(t, health.RollingBack, report.Status, "the other way is open again, and it is still down")
		require.Nil(t, report.Held)
		require.Len(t, s.triggers, 1)
		require.Equal(t, "signal", s.triggers[0].Cause.Rule, "it stood")
	})
}

// TestDeploymentHoldEnds: if the version is well again with the rest, nothing happens.
func TestDeploymentHoldEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, before, after := released(t, health.DeploymentOptions{})
		defer s.stop()
		for range 30 {
			serve(before, 20, time.Millisecond, health.Failure)
			serve(after, 20, time.Millisecond, health.Failure)
			s.pass(time.Second)
		}
		report := s.d.Report()
		require.Equal(t, health.DeploymentUnhealthy, report.Status)
		require.Equal(t, "baseline", report.Held.Rule)
		require.Contains(t, report.Held.Reason, "success rate: 100 % of 600 requests fail")
		for report.Held != nil {
			report = s.pass(time.Second)
		}
		require.Equal(t, health.DeploymentUnhealthy, report.Status, "nothing is left to hold, and not yet well for long enough")
		report = s.pass(20 * time.Second)
		require.Equal(t, health.DeploymentReady, report.Status)
		require.Empty(t, s.triggers)

		serve(before, 1000, 2*time.Millisecond, health.Success)
		serve(after, 1000, time.Millisecond, health.Failure)
		require.Equal(t, health.RollingBack, s.pass(time.Second).Status, "now it is the version")
	})
}

func TestDeploymentBaselineIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, before, after := released(t, health.DeploymentOptions{MaxP99: time.Second})
		defer s.stop()
		for range 100 {
			serve(before, 20, 2*time.Second, health.Success)
			serve(after, 20, 2*time.Second, health.Success)
			s.pass(time.Second)
		}
		report := s.d.Report()
		require.Equal(t, health.DeploymentUnhealthy, report.Status)
		require.Contains(t, report.Held.String(), "baseline: the previous version breaks a rule, too: p99")
	})
}

func TestDeploymentPrints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, generation, before, after := released(t, health.DeploymentOptions{})
		defer s.stop()
		serve(before, 200, time.Millisecond, health.Success)
		serve(after, 900, 10*time.Millisecond, health.Success)
		serve(after, 100, 20*time.Millisecond, health.Failure)
		report := s.pass(2 * time.Second)
		lines := strings.Split(report.String(), "\n\t")
		require.Regexp(t, `^v2 is rolling_back, deployed in 1\ds, previous v1$`, lines[0])
		const cause = "success rate: 10.0 % of 1,000 requests fail, so at most 91.7 % succeed, want 95 %"
		require.Equal(t, cause, lines[1])
		require.Equal(t, "roll back from v2 to v1: "+cause, lines[2])
		require.Equal(t, "checks: healthy", lines[3])
		require.Regexp(t, `^v2: 1,000 requests.* 10.0 % fail, p50 10ms, p90 10ms, p99 20ms`, lines[4])
		require.Regexp(t, `^since v2 was deployed: 100 % available`, lines[5])

		text, err := json.Marshal(report)
		require.NoError(t, err)
		var back struct {
			health.DeploymentReport
			Requests    uint64        `json:"requests"`
			SuccessRate float64       `json:"success_rate"`
			ErrorRate   float64       `json:"error_rate"`
			P50         time.Duration `json:"p50"`
			P99         time.Duration `json:"p99"`
		}
		require.NoError(t, json.Unmarshal(text, &back))
		require.EqualValues(t, 1000, back.Requests)
		require.InDelta(t, 0.9, back.SuccessRate, 1e-9)
		require.InDelta(t, 0.1, back.ErrorRate, 1e-9)
		require.InEpsilon(t, 10*time.Millisecond, back.P50, 0.01)
		require.InEpsilon(t, 20*time.Millisecond, back.P99, 0.01)
		require.Equal(t, report.Status, back.Status)
		require.Equal(t, generation, back.Trigger.Generation)
		require.Equal(t, report.Trigger.Cause, back.Trigger.Cause)
		require.Len(t, back.History, len(report.History))
		require.Positive(t, back.DeploymentTime)
		require.Contains(t, report.LogValue().String(), "status=rolling_back")
		last := report.History[len(report.History)-1]
		require.Equal(t, "v2: unhealthy -> rolling_back: "+cause, last.String())
		require.Contains(t, last.LogValue().String(), "to=rolling_back")
	})
}

func TestDeploymentStatusText(t *testing.T) {
	for s := health.NoDeployment; s <= health.DeploymentFailed; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back health.DeploymentStatus
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
		require.Equal(t, string(text), s.String())
	}
	_, err := health.DeploymentStatus(9).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorIs(t, new(health.DeploymentStatus).UnmarshalText([]byte("fine")), health.ErrInvalid)
	require.Equal(t, "deployment_status(9)", health.DeploymentStatus(9).String())
}
