package health_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// TestRemovedWhileItHangs: it takes no place, and one that comes in its stead is not
// asked before it has returned, so that there is one call at most whatever the host does.
func TestRemovedWhileItHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, calls := make(chan struct{}), atomic.Int64{}
		deaf := health.Check{Name: "deaf", Interval: time.Hour, Timeout: time.Hour, Probe: func(context.Context) error {
			calls.Add(1)
			<-release
			return nil
		}}
		m := monitor(t, health.MonitorOptions{Concurrent: 1}, deaf)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 1, calls.Load())

		require.NoError(t, m.Add(health.Check{Name: "fine", Interval: time.Second, Probe: script(nil)}))
		time.Sleep(5 * time.Second)
		require.Equal(t, health.Unknown, status(m, "fine"), "there is one place")
		require.NoError(t, m.Remove("deaf"))
		time.Sleep(5 * time.Second)
		require.Equal(t, health.Healthy, status(m, "fine"))

		deaf.Interval, deaf.Timeout = time.Second, time.Second
		for range 5 { // a host that loads its configuration anew
			require.NoError(t, m.Add(deaf))
			time.Sleep(5 * time.Second)
			c, _ := m.Report().Check("deaf")
			require.Positive(t, c.Overruns)
			require.NoError(t, m.Remove("deaf"))
		}
		require.EqualValues(t, 1, calls.Load())
		cancel()
		require.EqualError(t, <-ended, "monitor: do not return: deaf (removed)")

		require.NoError(t, m.Add(deaf))
		stop := run(t, m)
		close(release)
		time.Sleep(5 * time.Second)
		require.Greater(t, calls.Load(), int64(2))
		require.Equal(t, health.Healthy, status(m, "deaf"))
		stop()
	})
}

// TestRemovedWhileOthersWait: the place is free at once.
func TestRemovedWhileOthersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		slow := func(ctx context.Context) error { <-ctx.Done(); return nil }
		m := monitor(t, health.MonitorOptions{Concurrent: 1}, health.Check{Name: "slow", Interval: time.Hour, Timeout: time.Hour, Probe: slow})
		stop := run(t, m)
		time.Sleep(10 * time.Second)
		require.NoError(t, m.Add(health.Check{Name: "waits", Interval: 24 * time.Hour, Probe: func(context.Context) error { asked.Add(1); return nil }}))
		time.Sleep(10 * time.Second)
		require.Zero(t, asked.Load())
		require.NoError(t, m.Remove("slow"))
		synctest.Wait()
		require.EqualValues(t, 1, asked.Load())
		stop()
	})
}

// TestRunWithADeadline: its end is not a timeout of the probes that run.
func TestRunWithADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Hour, Timeout: time.Hour, Probe: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, m.Run(ctx))
		c, _ := m.Report().Check("x")
		require.Zero(t, c.Last)
		require.Zero(t, c.Failed)
	})
}

// TestProbeThatEndsItsGoroutine, as a test's FailNow does, has failed.
func TestProbeThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Startup: 1, Probe: func(context.Context) error {
			calls++
			runtime.Goexit()
			return nil
		}})
		stop := run(t, m)
		time.Sleep(10 * time.Second)
		stop()
		require.Greater(t, calls, 5)
		require.Equal(t, health.Unhealthy, status(m, "x"))
		require.Equal(t, "the probe ended its goroutine", m.Report().Checks[0].Last.Err)
	})
}

// TestListenerThatHangs does not hold Run up for longer than Grace; a later Run waits for
// it, and tells what was not told.
func TestListenerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var now, most atomic.Int64
		var got []string
		m := monitor(t, health.MonitorOptions{OnChange: func(c health.Change) {
			most.Store(max(most.Load(), now.Add(1)))
			<-release
			got = append(got, fmt.Sprint(c.From.Status, " -> ", c.To.Status))
			now.Add(-1)
		}}, health.Check{Name: "x", Interval: 2 * time.Second, Startup: 1, Probe: script(nil, nil, errDown, errDown, errDown, nil)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(30 * time.Second)
		require.Equal(t, health.Healthy, status(m, "x"), "asking goes on")
		cancelled := time.Now()
		cancel()
		require.EqualError(t, <-ended, "monitor: do not return: OnChange")
		require.Equal(t, 5*time.Second, time.Since(cancelled))

		stop := run(t, m)
		time.Sleep(10 * time.Second)
		close(release)
		time.Sleep(10 * time.Second)
		stop()
		require.Equal(t, []string{"unknown -> healthy", "healthy -> unhealthy", "unhealthy -> healthy"}, got)
		require.EqualValues(t, 1, most.Load())
	})
}

// TestChecksKeepTheirPlaces: they are spread over an interval, and still are after all
// were late together.
func TestChecksKeepTheirPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, interval = 100, 10 * time.Second
		began := make([]time.Time, n)
		var checks []health.Check
		for i := range n {
			checks = append(checks, health.Check{Name: fmt.Sprint(i), Interval: interval, Probe: func(context.Context) error { began[i] = time.Now(); return nil }})
		}
		m := monitor(t, health.MonitorOptions{}, checks...)
		stop := run(t, m)
		time.Sleep(15 * time.Second)
		stop()
		time.Sleep(time.Hour) // all are due when Run begins again
		stop = run(t, m)
		time.Sleep(15 * time.Second)
		stop()
		tenths := map[int64]int{}
		for i := range n {
			tenths[began[i].UnixMilli()/1000%10]++
		}
		for second, found := range tenths {
			require.Less(t, found, 40, "in second %d of the interval", second)
		}
		require.Greater(t, len(tenths), 7)
	})
}

// TestOneLateProbeIsNoGap: a check with FailAfter 1 whose probe takes long does not
// become stale between two results.
func TestOneLateProbeIsNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", FailAfter: 1, Probe: func(context.Context) error {
			if n++; n%2 == 0 {
				time.Sleep(1900 * time.Millisecond)
			}
			return nil
		}})
		defer run(t, m)()
		time.Sleep(time.Minute)
		for range 10_000 {
			time.Sleep(300 * time.Millisecond)
			require.Equal(t, health.Healthy, m.Report().Status)
		}
	})
}

// TestBeginsAnew: after a time of which nothing is known, a check is healthy when it has
// passed as often as at first, and not since before that time.
func TestBeginsAnew(t *testing.T) {
	for name, gap := range map[string]error{"stopped": nil, "broken": health.Unsure(errDown)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var answer error
				asked := make(chan struct{})
				m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, PassAfter: 3, Probe: func(ctx context.Context) error {
					select {
					case asked <- struct{}{}:
					case <-ctx.Done():
					}
					return answer
				}})
				next := func() (health.Status, time.Time) {
					<-asked
					synctest.Wait()
					c, _ := m.Report().Check("x")
					return c.Status, c.Since
				}
				stop := run(t, m)
				for range 5 {
					next()
				}
				require.Equal(t, health.Healthy, status(m, "x"))
				if gap == nil {
					stop()
					time.Sleep(time.Minute)
					require.Equal(t, health.Unknown, status(m, "x"))
					stop = run(t, m)
				} else {
					answer = gap
					for range 3 {
						next()
					}
					require.Equal(t, health.Unknown, status(m, "x"))
					answer = nil
				}
				began := time.Now()
				for i := range 4 {
					got, since := next()
					want := health.Unknown
					if i >= 2 {
						want = health.Healthy
						require.False(t, since.Before(began))
					}
					require.Equal(t, want, got, "success %d", i+1)
				}
				stop()
			})
		})
	}
}

// TestFailuresAreKept: neither successes nor warnings push them out.
func TestFailuresAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Probe: func(context.Context) error {
			if n++; n == 10 {
				return errDown
			}
			return health.Warn(fmt.Errorf("soon"))
		}})
		stop := run(t, m)
		time.Sleep(10 * time.Minute)
		stop()
		c, _ := m.Report().Check("x")
		require.Len(t, c.Results, 100)
		require.Len(t, c.Wrong, 1)
		require.Equal(t, "down", c.Wrong[0].Err)
		for range 50 { // what a reader appends to is not what the monitor appended to since
			c, _ = m.Report().Check("x")
			stop = run(t, m)
			time.Sleep(5 * time.Second)
			stop()
			_ = append(c.Results, health.Result{Err: "a reader's"})
			c, _ = m.Report().Check("x")
			require.NotContains(t, fmt.Sprint(c.Results), "a reader's")
		}
	})
}

// TestWatch yields the report now and then newer ones, of which a slow reader gets the
// newest, and ends with its context.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Probe: script(nil)})
		defer run(t, m)()
		ctx, cancel := context.WithTimeout(t.Context(), 55*time.Second)
		defer cancel()
		var seen []health.Status
		for report := range m.Watch(ctx) {
			seen = append(seen, report.Status)
			require.Same(t, m.Report(), report, "the newest")
			time.Sleep(10 * time.Second)
		}
		require.Equal(t, []health.Status{health.Unknown, health.Healthy, health.Healthy, health.Healthy, health.Healthy, health.Healthy}, seen)
		for range m.Watch(t.Context()) {
			break
		}
		for range m.Watch(ctx) {
			t.Error("its context is done")
		}
	})
}

// TestSinceOfWhatIsNotItsOwn: a check is skipped since its cause is unhealthy, and in
// maintenance since somebody said so.
func TestSinceOfWhatIsNotItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{},
			health.Check{Name: "page", Probe: script(nil), Interval: time.Second, Needs: []string{"db"}},
			health.Check{Name: "db", Probe: script(errDown), Interval: time.Second, Startup: 1})
		defer run(t, m)()
		time.Sleep(20 * time.Second)
		db, _ := m.Report().Check("db")
		page, _ := m.Report().Check("page")
		require.Equal(t, db.Results[0].At, page.Since)
		require.Equal(t, health.Skipped, page.Status)
		began := time.Now()
		for range 3 { // it is extended twice
			require.NoError(t, m.Maintain("page", time.Now().Add(time.Minute)))
			page, _ = m.Report().Check("page")
			require.Equal(t, began, page.Since)
			time.Sleep(20 * time.Second)
		}
		require.NoError(t, m.Maintain("page", time.Time{}))
		require.Equal(t, health.Skipped, status(m, "page"))
	})
}

// TestHugeTimes overflow nowhere.
func TestHugeTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{Steady: math.MaxInt64, Grace: math.MaxInt64},
			health.Check{Name: "x", Interval: 720 * time.Hour, Timeout: 720 * time.Hour, FailAfter: 1000, PassAfter: 1, Startup: math.MaxInt64, Probe: script(nil)})
		stop := run(t, m)
		time.Sleep(20 * time.Second)
		require.Equal(t, health.Healthy, m.Report().Status)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.ErrorIs(t, m.Check(ctx), context.DeadlineExceeded)
		stop()
		time.Sleep(365 * 24 * time.Hour)
		require.Equal(t, health.Healthy, m.Report().Status)
	})
}

// TestLeftBehind: what Run left behind is seen to be stuck, takes no place of the next
// Run, is not counted by it, and is asked again once it has returned.
func TestLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, calls := make(chan struct{}), atomic.Int64{}
		m := monitor(t, health.MonitorOptions{Concurrent: 1, Grace: time.Second},
			health.Check{Name: "deaf", Interval: time.Minute, Timeout: time.Minute, FailAfter: 1, Startup: 1, Probe: func(context.Context) error {
				calls.Add(1)
				<-release
				return nil
			}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(11 * time.Second)
		began := time.Now()
		cancel()
		require.EqualError(t, <-ended, "monitor: do not return: deaf")
		require.Equal(t, time.Second, time.Since(began))
		deaf, _ := m.Report().Check("deaf")
		require.True(t, deaf.StuckSince.Before(began) && !deaf.StuckSince.IsZero(), "%v", deaf.StuckSince)

		require.NoError(t, m.Add(health.Check{Name: "fine", Interval: time.Second, Probe: script(nil)}))
		stop := run(t, m)
		time.Sleep(10 * time.Minute)
		require.Equal(t, health.Healthy, status(m, "fine"))
		deaf, _ = m.Report().Check("deaf")
		require.Zero(t, deaf.Last, "nobody waited for it")
		require.EqualValues(t, 1, calls.Load())
		close(release)
		time.Sleep(2 * time.Minute)
		require.Equal(t, health.Healthy, status(m, "fine"))
		deaf, _ = m.Report().Check("deaf")
		require.Equal(t, health.Passed, deaf.Last.Kind)
		require.Zero(t, deaf.StuckSince)
		stop()
	})
}

// TestAPlaceIsFreeAtOnce: who waits for one does not wait for longer.
func TestAPlaceIsFreeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Duration
		began := time.Now()
		slow := func(context.Context) error {
			asked = append(asked, time.Since(began))
			time.Sleep(30 * time.Second)
			return nil
		}
		m := monitor(t, health.MonitorOptions{Concurrent: 1},
			health.Check{Name: "a", Interval: 24 * time.Hour, Timeout: time.Hour, Probe: slow},
			health.Check{Name: "b", Interval: 24 * time.Hour, Timeout: time.Hour, Probe: slow},
			health.Check{Name: "c", Interval: 24 * time.Hour, Timeout: time.Hour, Probe: slow})
		stop := run(t, m)
		time.Sleep(3 * time.Minute)
		stop()
		require.Len(t, asked, 3)
		require.Equal(t, 30*time.Second, asked[1]-asked[0])
		require.Equal(t, 30*time.Second, asked[2]-asked[1])
	})
}

// TestFlappingFromTheStart: what has never been well nor bad is unknown, though it flaps.
func TestFlappingFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Interval: time.Second, Startup: 1, Probe: func(context.Context) error {
			if n++; n%2 == 0 {
				return errDown
			}
			return nil
		}})
		stop := run(t, m)
		time.Sleep(time.Minute)
		stop()
		c, _ := m.Report().Check("x")
		require.True(t, c.Flapping)
		require.Equal(t, health.Unknown, c.Status)
	})
}

// TestFatalAtTheStart leaves no doubt either.
func TestFatalAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Startup: time.Hour, Probe: script(health.Fatal(errDown))})
		stop := run(t, m)
		time.Sleep(10 * time.Second)
		require.Equal(t, health.Unhealthy, m.Report().Status)
		stop()
	})
}
