package health_test

import (
	"context"
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// TestDeploymentAgain: a version that was rolled back is deployed once more. It is not
// judged by what it did the first time, and the report says whose is what all the while.
func TestDeploymentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, generation, before, after := released(t, health.DeploymentOptions{})
		defer s.stop()
		serve(before, 2000, time.Millisecond, health.Success)
		serve(after, 1000, time.Millisecond, health.Failure)
		require.Equal(t, health.RollingBack, s.pass(2*time.Second).Status)
		require.True(t, s.d.RolledBack(generation, nil))

		says := func(status string) {
			report := s.d.Report()
			lines := strings.Split(report.String(), "\n\t")
			require.Regexp(t, `^v1 is `+status+`, back in place of v2 \(deployed in 1\ds\)$`, lines[0])
			require.Regexp(t, `^rolled back from v2 to v1: success rate: `, lines[2])
			require.Regexp(t, `^v1: 2,000 requests.* 0 % fail`, lines[4], "at once, too")
			require.Regexp(t, `^since v2 was deployed: 100 % available`, lines[5])
			var fields map[string]any
			text, err := json.Marshal(report)
			require.NoError(t, err)
			require.NoError(t, json.Unmarshal(text, &fields))
			require.Equal(t, "v1", fields["version"])
			require.Equal(t, "v2", fields["deployed"])
			require.InDelta(t, 2000, fields["requests"], 0)
			require.Contains(t, report.LogValue().String(), "version=v1 deployed=v2")
		}
		says("rolling_back")
		var seen []health.DeploymentStatus
		for r := range s.d.Watch(t.Context()) {
			if seen = append(seen, r.Status); r.Status != health.RollingBack {
				break
			}
		}
		require.Equal(t, health.DeploymentReady, seen[len(seen)-1])
		require.Greater(t, len(seen), 5, "each look")
		says("ready")

		_, err := s.d.Deploy(health.Deployment{Version: "v2", Window: after})
		require.ErrorIs(t, err, health.ErrInvalid, "with what it did the first time")
		require.Equal(t, "v1", s.d.Report().Version)
		fresh := health.NewWindow(health.WindowOptions{})
		_, err = s.d.Deploy(health.Deployment{Version: "v2", Window: fresh})
		require.NoError(t, err)
		serve(fresh, 1000, time.Millisecond, health.Success)
		serve(after, 1000, time.Millisecond, health.Failure) // requests that end late
		require.NoError(t, s.d.Check(t.Context()))
		require.Equal(t, "v2", s.d.Report().Deployed)
		require.Len(t, s.triggers, 1)
	})
}

func TestDeploymentNeverReadyPrints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		require.Equal(t, "v1", s.d.Report().Deployed)
		generation := s.deploy("v2")
		require.True(t, s.d.Signal(generation, "bad"))
		s.pass(time.Second)
		require.True(t, s.d.RolledBack(generation, nil))
		require.Regexp(t, `^v1 is ready, back in place of v2 \(never ready\)\n`, s.pass(20*time.Second).String())
	})
}

func TestDeploymentWatchEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, v1)
		defer s.stop()
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()
		n := 0
		for range s.d.Watch(ctx) {
			n++
			time.Sleep(3 * time.Second)
		}
		require.Equal(t, 4, n, "those that came meanwhile are left out")
		for range s.d.Watch(ctx) {
			require.Fail(t, "the context is done")
		}
	})
}

// TestDeploymentForgetsWindows: that a window has served keeps it from being collected
// no longer than it may be needed.
func TestDeploymentForgetsWindows(t *testing.T) {
	d, err := health.NewDeploymentMonitor(monitor(t, health.MonitorOptions{}), health.DeploymentOptions{})
	require.NoError(t, err)
	collected := make(chan struct{})
	deploy := func(first bool) {
		w := health.NewWindow(health.WindowOptions{})
		if first {
			runtime.AddCleanup(w, func(struct{}) { close(collected) }, struct{}{})
		}
		_, err := d.Deploy(health.Deployment{Version: "v", Window: w})
		require.NoError(t, err)
	}
	deploy(true)
	deploy(false)
	deploy(false)
	for range 1000 {
		runtime.GC()
		select {
		case <-collected:
			return
		default:
			runtime.Gosched()
		}
	}
	require.Fail(t, "it is kept")
}
