package health_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// What libraries that do the same got wrong, each found by running one.

// Up, up, down, down: healthy until three failures had been seen, though there had never
// been a success.
func TestTrapUpBeforeAnySuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan struct{})
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, FailAfter: 3, Startup: 1, Probe: func(context.Context) error {
			asked <- struct{}{}
			return errDown
		}})
		stop := run(t, m)
		var got []health.Status
		for range 4 {
			got = append(got, m.Report().Status)
			<-asked
			synctest.Wait()
		}
		require.Equal(t, []health.Status{health.Unknown, health.Unknown, health.Unknown, health.Unhealthy}, got)
		go func() {
			for range asked {
			}
		}()
		stop()
		close(asked)
	})
}

// 1.2 s for four readers of a check that takes 300 ms: a reader ran the check, under a
// lock.
func TestTrapReadersRunChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Minute, Probe: func(context.Context) error {
			calls.Add(1)
			time.Sleep(300 * time.Millisecond)
			return nil
		}})
		stop := run(t, m)
		for calls.Load() == 0 {
			time.Sleep(50 * time.Millisecond)
		}
		before := calls.Load()
		began := time.Now() // while it is being asked
		var readers sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				m.Report()
				m.Ready().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
				m.Details(nil).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			})
		}
		readers.Wait()
		require.Zero(t, time.Since(began))
		require.Equal(t, before, calls.Load())
		stop()
	})
}

// An empty map: what a service says of itself was left out unless another option was set
// too.
func TestTrapOptionsIgnoredAlone(t *testing.T) {
	all := func(*http.Request) bool { return true }
	for field, about := range map[string]health.About{
		"version":     {Version: "3"},
		"releaseId":   {ReleaseID: "3.1.4"},
		"serviceId":   {ServiceID: "shop"},
		"description": {Description: "sells"},
		"notes":       {Notes: []string{"on call: Ada"}},
		"links":       {Links: map[string]string{"about": "https://shop.example"}},
	} {
		t.Run(field, func(t *testing.T) {
			ask := func(about health.About, may func(*http.Request) bool) map[string]any {
				w := httptest.NewRecorder()
				monitor(t, health.MonitorOptions{About: about}).Details(may).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
				var out map[string]any
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &out))
				return out
			}
			require.Contains(t, ask(about, all), field)
			require.NotContains(t, ask(health.About{}, all), field)
			require.NotContains(t, ask(about, nil), field, "a stranger's")
		})
	}
}

// A nil dereference: what was never started was stopped.
func TestTrapStopBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Probe: script(nil)})
		ctx, stop := context.WithCancel(t.Context())
		stop()
		stop() // twice is as good
		require.NoError(t, m.Run(ctx))
		require.Equal(t, health.Unknown, m.Report().Status)
		require.Zero(t, m.Report().Checks[0].Last, "nothing was asked")
		stop = run(t, m) // and then it starts
		time.Sleep(10 * time.Second)
		require.Equal(t, health.Healthy, m.Report().Status)
		stop()
	})
}

// A context that goes on: the check that timed out never heard of it, and its goroutine
// stayed.
func TestTrapContextNotCancelledOnTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled := 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: 10 * time.Second, Timeout: time.Second, Startup: 1, Probe: func(ctx context.Context) error {
			began := time.Now()
			<-ctx.Done()
			if context.Cause(ctx) != context.Canceled {
				require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
				require.Equal(t, time.Second, time.Since(began))
				cancelled++
			}
			return nil
		}})
		stop := run(t, m)
		time.Sleep(time.Minute)
		stop() // nothing is left, or this would be an error
		require.GreaterOrEqual(t, cancelled, 4)
		require.Equal(t, health.Unhealthy, status(m, "x"))
	})
}

// "Not failed" before it was asked and after it was stopped; and what was stopped could
// not be started again, since it was running already.
func TestTrapNotFailedUnlessRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Startup: 1, Probe: script(errDown)})
		ready := func() int {
			w := httptest.NewRecorder()
			m.Ready().ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
			return w.Code
		}
		require.Equal(t, health.Unknown, m.Report().Status)
		require.Equal(t, 503, ready())
		for range 3 {
			stop := run(t, m)
			time.Sleep(20 * time.Second)
			require.Equal(t, health.Unhealthy, m.Report().Status)
			require.ErrorIs(t, m.Run(t.Context()), health.ErrRunning)
			stop()
			require.Equal(t, health.Unhealthy, m.Report().Status, "what was known stays")
			require.Equal(t, 503, ready())
			time.Sleep(time.Hour)
			require.Equal(t, health.Unknown, m.Report().Status, "for as long as it says anything")
			require.Equal(t, 503, ready())
		}
	})
}

// A deadlock: the listener was called under the lock that a question takes.
func TestTrapQuestionsInTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *health.Monitor
		told := 0
		m = monitor(t, health.MonitorOptions{OnChange: func(c health.Change) {
			told++
			m.Report()
			require.NoError(t, m.Maintain("y", time.Now().Add(time.Second)))
			require.NoError(t, m.Add(health.Check{Name: fmt.Sprint("added-", told), Probe: script(nil)}))
			require.NoError(t, m.Remove(fmt.Sprint("added-", told)))
			m.Drain()
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = m.Check(ctx)
			require.ErrorIs(t, m.Run(ctx), health.ErrRunning)
			for range m.Watch(t.Context()) {
				break
			}
		}}, health.Check{Name: "x", Interval: time.Second, Probe: script(nil)}, health.Check{Name: "y", Interval: time.Second, Probe: script(nil)})
		stop := run(t, m)
		time.Sleep(20 * time.Second)
		stop()
		require.Positive(t, told)
	})
}
