package health_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/stretchr/testify/require"
)

// run runs a monitor until the bubble is done with it.
func run(t *testing.T, m *health.Monitor) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	return func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

// script is a probe that answers as it is told, call by call, and then as the last.
func script(answers ...error) health.Probe {
	var n atomic.Int64
	return func(context.Context) error {
		return answers[min(int(n.Add(1))-1, len(answers)-1)]
	}
}

func monitor(t *testing.T, o health.MonitorOptions, checks ...health.Check) *health.Monitor {
	t.Helper()
	m, err := health.NewMonitor(checks, o)
	require.NoError(t, err)
	return m
}

func status(m *health.Monitor, name string) health.Status {
	c, _ := m.Report().Check(name)
	return c.Status
}

var errDown = errors.New("down")

// TestNeverHealthyBeforeASuccess: a check that has not passed is unknown, and after its
// startup unhealthy; never healthy in between.
func TestNeverHealthyBeforeASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(errDown), Interval: time.Second})
		require.Equal(t, health.Unknown, m.Report().Status)
		defer run(t, m)()
		seen := map[health.Status]bool{}
		for i := range 70 {
			time.Sleep(time.Second)
			seen[status(m, "db")] = true
			require.False(t, i < 55 && seen[health.Unhealthy], "it may still start")
		}
		require.Equal(t, map[health.Status]bool{health.Unknown: true, health.Unhealthy: true}, seen)
		require.Equal(t, health.Unhealthy, m.Report().Status)
	})
}

// TestThresholds: it takes so many in a row, either way, and a failure in between
// begins anew.
func TestThresholds(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []error
		want    []health.Status // after each
	}{
		{"two successes", []error{nil, nil}, []health.Status{health.Unknown, health.Healthy}},
		{"a failure between", []error{nil, errDown, nil, nil}, []health.Status{health.Unknown, health.Unknown, health.Unknown, health.Healthy}},
		{"three failures", []error{nil, nil, errDown, errDown, errDown}, []health.Status{health.Unknown, health.Healthy, health.Healthy, health.Healthy, health.Unhealthy}},
		{"two failures", []error{nil, nil, errDown, errDown, nil, errDown}, []health.Status{health.Unknown, health.Healthy, health.Healthy, health.Healthy, health.Healthy, health.Healthy}},
		{"back after two", []error{nil, nil, errDown, errDown, errDown, nil, nil}, []health.Status{0, 1, 1, 1, health.Unhealthy, health.Unhealthy, health.Healthy}},
		{"one that is fatal", []error{nil, nil, health.Fatal(errDown)}, []health.Status{0, 1, health.Unhealthy}},
		{"a warning", []error{nil, health.Warn(errDown), nil}, []health.Status{0, health.Degraded, health.Healthy}},
		{"a broken probe", []error{nil, nil, health.Unsure(errDown), health.Unsure(errDown), errDown, health.Unsure(errDown)}, []health.Status{0, 1, 1, 1, 1, 1}},
		{"a probe that stays broken", []error{nil, nil, health.Unsure(errDown), health.Unsure(errDown), health.Unsure(errDown)}, []health.Status{0, 1, 1, 1, health.Unknown}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := make(chan struct{})
				answer := script(tt.answers...)
				m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Minute, Probe: func(ctx context.Context) error {
					asked <- struct{}{}
					return answer(ctx)
				}})
				stop := run(t, m)
				var got []health.Status
				for range tt.answers {
					<-asked
					synctest.Wait()
					got = append(got, status(m, "x"))
				}
				require.Equal(t, tt.want, got)
				go func() {
					for range asked {
					}
				}()
				stop()
				close(asked)
			})
		})
	}
}

// TestHungProbes: one that ignores its context is failed at its timeout, is not asked
// again before it returns, takes nobody's place, and is named when Run cannot end it.
func TestHungProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, calls := make(chan struct{}), atomic.Int64{}
		hung := func(context.Context) error { calls.Add(1); <-release; return nil }
		checks := []health.Check{{Name: "fine", Probe: script(nil), Interval: time.Second}}
		for i := range 20 {
			checks = append(checks, health.Check{Name: fmt.Sprint("hung-", i), Probe: hung, Interval: time.Second, Timeout: 500 * time.Millisecond, Startup: time.Second})
		}
		m := monitor(t, health.MonitorOptions{}, checks...)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(30 * time.Second)
		require.EqualValues(t, 20, calls.Load(), "a hung probe is asked once")
		require.Equal(t, health.Healthy, status(m, "fine"))
		c, ok := m.Report().Check("hung-7")
		require.True(t, ok)
		require.False(t, c.StuckSince.IsZero())
		require.Contains(t, c.Last.Err, "timeout")
		require.Positive(t, c.Overruns)
		cancel()
		require.ErrorContains(t, <-ended, "hung-7")
		close(release)
	})
}

// TestLateSuccesses: who answers after the timeout has failed.
func TestLateSuccesses(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context){
		"after the timeout": func(context.Context) { time.Sleep(1500 * time.Millisecond) },
		"at the timeout":    func(ctx context.Context) { <-ctx.Done() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				m := monitor(t, health.MonitorOptions{}, health.Check{Name: "late", Interval: 10 * time.Second, Timeout: time.Second, Startup: time.Second, Probe: func(ctx context.Context) error {
					calls++
					wait(ctx)
					return nil
				}})
				stop := run(t, m)
				time.Sleep(2 * time.Minute)
				for synctest.Wait(); !m.Report().Checks[0].StuckSince.IsZero(); synctest.Wait() {
					time.Sleep(time.Second)
				}
				stop()
				c, _ := m.Report().Check("late")
				require.Equal(t, health.Unhealthy, c.Status)
				require.InDelta(t, calls, c.Failed, 1, "each counts once")
				require.Equal(t, c.Results[0].At, c.Since, "dated back to the first failure")
			})
		})
	}
}

// TestPanics: a probe and a listener that panic harm nobody.
func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		m := monitor(t, health.MonitorOptions{OnChange: func(health.Change) { told++; panic("listener") }},
			health.Check{Name: "panics", Probe: func(context.Context) error { panic("probe") }, Interval: time.Second, Startup: time.Second},
			health.Check{Name: "fine", Probe: script(nil), Interval: time.Second})
		stop := run(t, m)
		time.Sleep(10 * time.Second)
		require.Equal(t, health.Healthy, status(m, "fine"))
		c, _ := m.Report().Check("panics")
		require.Equal(t, health.Unhealthy, c.Status)
		require.Contains(t, c.Last.Err, "panic: probe")
		stop()
		require.Equal(t, 2, told)
	})
}

// TestNeeds: what needs something unhealthy is skipped, is not counted again, and says
// what it is because of.
func TestNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{},
			health.Check{Name: "page", Probe: script(errDown), Interval: time.Second, Startup: time.Second, Needs: []string{"api"}},
			health.Check{Name: "api", Probe: script(errDown), Interval: time.Second, Startup: time.Second, Needs: []string{"network"}},
			health.Check{Name: "network", Probe: script(errDown), Interval: time.Second, Startup: time.Second})
		defer run(t, m)()
		time.Sleep(20 * time.Second)
		for _, name := range []string{"page", "api"} {
			c, _ := m.Report().Check(name)
			require.Equal(t, health.Skipped, c.Status)
			require.Equal(t, "network", c.CausedBy)
		}
		require.Equal(t, health.Unhealthy, m.Report().Status)
	})
}

// TestWhole: the worst of what is not optional; an optional one degrades at most.
func TestWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, health.Unknown, monitor(t, health.MonitorOptions{}).Report().Status, "no checks")
		bad := health.Check{Name: "extra", Probe: script(errDown), Interval: time.Second, Startup: time.Second, Optional: true}
		m := monitor(t, health.MonitorOptions{}, bad, health.Check{Name: "db", Probe: script(nil), Interval: time.Second})
		defer run(t, m)()
		time.Sleep(20 * time.Second)
		require.Equal(t, health.Degraded, m.Report().Status)
		require.NoError(t, m.Maintain("extra", time.Now().Add(time.Minute)))
		require.Equal(t, health.Healthy, m.Report().Status)
		require.Equal(t, health.Maintenance, status(m, "extra"))
		time.Sleep(2 * time.Minute)
		require.Equal(t, health.Degraded, m.Report().Status)
		require.ErrorIs(t, m.Maintain("nobody", time.Now()), health.ErrInvalid)
	})
}

// TestStale: a monitor that does not run any more knows nothing after a while, by the
// time of the reader.
func TestStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(nil), Interval: 10 * time.Second})
		stop := run(t, m)
		time.Sleep(time.Minute)
		require.Equal(t, health.Healthy, m.Report().Status)
		stop()
		require.Equal(t, health.Healthy, m.Report().Status)
		time.Sleep(time.Minute)
		require.Equal(t, health.Unknown, m.Report().Status)
		c, _ := m.Report().Check("db")
		require.True(t, c.Stale)
		require.NotContains(t, m.Report().String(), "1 of 1")
	})
}

// TestFlapping: what changes all the time is shown as unhealthy, and its changes are
// told once.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, told := 0, 0
		m := monitor(t, health.MonitorOptions{OnChange: func(health.Change) { told++ }}, health.Check{
			Name: "flaps", Interval: time.Second, FailAfter: 1, PassAfter: 1, Startup: time.Millisecond,
			Probe: func(context.Context) error {
				if n++; n%2 == 0 && n < 60 {
					return errDown
				}
				return nil
			}})
		stop := run(t, m)
		time.Sleep(40 * time.Second)
		c, _ := m.Report().Check("flaps")
		require.True(t, c.Flapping)
		require.Equal(t, health.Unhealthy, c.Status)
		time.Sleep(60 * time.Second)
		require.Equal(t, health.Healthy, status(m, "flaps"))
		stop()
		require.Less(t, told, 20)
	})
}

// TestGate: a monitor is a gate that says yes after all has been well for a while
// without a break, and no at once.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{Steady: 30 * time.Second}, health.Check{Name: "db", Probe: script(nil), Interval: time.Second})
		stop := run(t, m)
		began := time.Now()
		require.NoError(t, m.Check(t.Context()))
		require.GreaterOrEqual(t, time.Since(began), 30*time.Second)
		stop()

		m = monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(errDown), Interval: time.Second, Startup: 5 * time.Second})
		stop = run(t, m)
		require.ErrorContains(t, m.Check(t.Context()), "db: unhealthy")
		stop()

		m = monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Probe: script(nil)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err := m.Check(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "unknown", "nobody runs it")
	})
}

// TestGateIsNotHeldByWhatIsOptional: one that comes and goes only degrades, and that is
// no break.
func TestGateIsNotHeldByWhatIsOptional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := monitor(t, health.MonitorOptions{Steady: 2 * time.Minute}, health.Check{Name: "db", Probe: script(nil), Interval: time.Second},
			health.Check{Name: "mail", Optional: true, Interval: 10 * time.Second, FailAfter: 1, PassAfter: 1, Startup: time.Millisecond, Probe: func(context.Context) error {
				if n++; n/6%2 == 1 { // a minute each
					return errDown
				}
				return nil
			}})
		defer run(t, m)()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		began := time.Now()
		require.NoError(t, m.Check(ctx))
		require.GreaterOrEqual(t, time.Since(began), 2*time.Minute)
		require.Less(t, time.Since(began), 3*time.Minute)
	})
}

// TestAddAndRemove while it runs: what is removed is not heard any more.
func TestAddAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "a", Probe: script(nil), Interval: time.Second})
		defer run(t, m)()
		cancelled := make(chan struct{})
		require.NoError(t, m.Add(health.Check{Name: "b", Interval: time.Minute, Timeout: 50 * time.Second, Needs: []string{"a"}, Probe: func(ctx context.Context) error {
			<-ctx.Done()
			close(cancelled)
			return errDown
		}}))
		time.Sleep(20 * time.Second)
		require.ErrorIs(t, m.Remove("a"), health.ErrInvalid, "b needs it")
		removed := time.Now()
		require.NoError(t, m.Remove("b"))
		<-cancelled
		require.Zero(t, time.Since(removed), "its probe is cancelled")
		synctest.Wait()
		require.Len(t, m.Report().Checks, 1)
		require.Equal(t, health.Healthy, m.Report().Status)
		require.ErrorIs(t, m.Add(health.Check{Name: "a", Probe: script(nil)}), health.ErrInvalid)
		require.ErrorIs(t, m.Run(t.Context()), health.ErrRunning)
	})
}

// TestChangesAreInOrder, complete, and told outside of any lock.
func TestChangesAreInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m *health.Monitor
		var got []string
		m = monitor(t, health.MonitorOptions{OnChange: func(c health.Change) {
			got = append(got, fmt.Sprint(c.To.Name, " ", c.From.Status, " -> ", c.To.Status))
			m.Report()
			_ = m.Maintain("nobody", time.Now()) // takes the lock
		}}, health.Check{Name: "x", Interval: time.Second, Startup: time.Millisecond, Probe: script(nil, nil, errDown, errDown, errDown, nil, nil)})
		stop := run(t, m)
		time.Sleep(30 * time.Second)
		stop()
		require.Equal(t, []string{"x unknown -> healthy", "x healthy -> unhealthy", "x unhealthy -> healthy"}, got)
	})
}

// TestThousandChecks: readers of a monitor of 1 000 checks never wait for one.
func TestThousandChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var checks []health.Check
		var now, most atomic.Int64
		for i := range 1000 {
			checks = append(checks, health.Check{Name: fmt.Sprint("check-", i), Probe: func(context.Context) error {
				for n := now.Add(1); n > most.Load(); {
					most.Store(n)
				}
				time.Sleep(50 * time.Millisecond)
				now.Add(-1)
				return nil
			}})
		}
		m := monitor(t, health.MonitorOptions{}, checks...)
		stop := run(t, m)
		var readers sync.WaitGroup
		many := 100
		if raceEnabled {
			many = 25 // a report takes long
		}
		for range many {
			readers.Go(func() {
				for range 100 {
					time.Sleep(500 * time.Millisecond)
					began := time.Now()
					m.Report()
					if waited := time.Since(began); waited > 0 { // of the bubble's clock
						t.Errorf("a reader waited for %v", waited)
					}
				}
			})
		}
		readers.Wait()
		require.Equal(t, health.Healthy, m.Report().Status)
		require.LessOrEqual(t, most.Load(), int64(8))
		stop()
	})
}

// TestStaleWhileRunning: a check whose probe hangs becomes unknown, and its failure
// that was counted meanwhile does not hide it.
func TestStaleWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, n := make(chan struct{}), 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Interval: 10 * time.Second, Probe: func(context.Context) error {
			if n++; n > 3 {
				<-release
			}
			return nil
		}})
		stop := run(t, m)
		time.Sleep(35 * time.Second)
		require.Equal(t, health.Healthy, m.Report().Status)
		time.Sleep(2 * time.Minute)
		require.Equal(t, health.Unknown, m.Report().Status)
		close(release)
		time.Sleep(time.Minute)
		require.Equal(t, health.Healthy, m.Report().Status)
		stop()
	})
}

func TestChangePrints(t *testing.T) {
	c := health.Change{
		From:  health.CheckReport{Name: "db", Status: health.Healthy},
		To:    health.CheckReport{Name: "db", Status: health.Unhealthy, Last: health.Result{Kind: health.Failed, Took: time.Second, Err: "refused\nand more"}},
		Whole: health.Degraded,
	}
	require.Equal(t, "db: healthy -> unhealthy (failed after 1s: refused); the whole is degraded", c.String())
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, nil))
	logger.Info("x", "c", c)
	require.Contains(t, out.String(), `c.check=db c.from=healthy c.to=unhealthy c.whole=degraded c.last="failed after 1s: refused"`)
	c.To = health.CheckReport{Name: "db", Status: health.Skipped, CausedBy: "net"}
	require.Equal(t, "db: healthy -> skipped, because net is unhealthy; the whole is degraded", c.String())
	require.Equal(t, "[check=db from=healthy to=skipped whole=degraded caused_by=net]", c.LogValue().String())
}
