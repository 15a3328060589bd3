package health_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// stood is what a check's report says at a moment: seconds after noon.
type stood struct {
	at, since, until int
	status           health.Status
	change           func(*health.CheckReport) // of what is seldom there
}

func moment(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

func (s stood) report() health.CheckReport {
	c := health.CheckReport{Status: s.status, Since: moment(s.since), ValidUntil: moment(s.until)}
	if s.change != nil {
		s.change(&c)
	}
	return c
}

func results(kind health.Kind, seconds ...int) func(*health.CheckReport) {
	return func(c *health.CheckReport) {
		for _, s := range seconds {
			c.Last = health.Result{At: moment(s), Kind: kind}
			c.Results = append(c.Results, c.Last)
		}
	}
}

func TestAvailabilityOfReports(t *testing.T) {
	const up, down = health.Healthy, health.Unhealthy
	for _, tt := range []struct {
		name                     string
		reports                  []stood
		end                      int
		up, down, unknown, mends int
	}{
		{"nothing but up", []stood{{0, 0, 30, up, nil}, {20, 0, 50, health.Degraded, nil}}, 40, 40, 0, 0, 0},
		{"what is not heard of any more is unknown", []stood{{0, 0, 30, up, nil}}, 100, 30, 0, 70, 0},
		{"a gap is unknown, up to the first result after it", []stood{{0, 0, 30, up, nil}, {100, 95, 130, up, nil}}, 110, 45, 0, 65, 0},
		{"a gap that nobody looked at", []stood{{0, 0, 30, up, nil}, {100, 0, 130, up, nil}}, 110, 40, 0, 70, 0},
		{"a stale report", []stood{{0, 0, 30, up, nil}, {60, 30, 30, health.Unknown, func(c *health.CheckReport) { c.Stale = true }}, {100, 90, 130, up, nil}}, 110, 50, 0, 60, 0},
		{"a failing streak is dated back to its first failure", []stood{{0, 0, 60, up, nil}, {40, 20, 60, down, nil}}, 50, 20, 30, 0, 0},
		{"and a recovery to its first success", []stood{{0, 0, 60, down, nil}, {40, 30, 60, up, nil}}, 50, 20, 30, 0, 0},
		{"dated back, but not into what was counted otherwise", []stood{{0, 0, 60, up, nil}, {20, 10, 60, down, nil}, {40, 5, 60, up, nil}}, 50, 50, 0, 0, 0},
		{"a start that fails is dated back", []stood{{0, 0, 0, health.Unknown, nil}, {60, 10, 90, down, nil}}, 70, 0, 60, 10, 0},
		{"a start that works is dated back", []stood{{0, 0, 0, health.Unknown, nil}, {60, 50, 90, up, nil}}, 70, 20, 0, 50, 0},
		{"a probe that cannot tell, from its first", []stood{{0, 0, 60, up, nil}, {40, 40, 70, health.Unknown, results(health.WasUnsure, 20, 30, 40)}}, 50, 20, 0, 30, 0},
		{"but not what it could tell before", []stood{{0, 0, 60, up, nil}, {40, 40, 70, health.Unknown, func(c *health.CheckReport) {
			results(health.Passed, 0, 10)(c)
			results(health.WasUnsure, 20, 30, 40)(c)
		}}}, 50, 20, 0, 30, 0},
		{"since nobody knows when", []stood{{0, 0, 60, up, nil}, {40, 0, 70, down, func(c *health.CheckReport) { c.Since = time.Time{} }}}, 50, 40, 10, 0, 0},
		{"since a moment to come", []stood{{0, 0, 60, up, nil}, {20, 50, 70, down, nil}}, 30, 20, 10, 0, 0},
		{"and until it can", []stood{{0, 0, 60, up, nil}, {40, 40, 70, health.Unknown, results(health.WasUnsure, 20, 30, 40)}, {60, 55, 90, up, nil}}, 60, 25, 0, 35, 0},
		{"skipped is not its own fault", []stood{{0, 0, 60, up, nil}, {30, 0, 60, health.Skipped, nil}}, 50, 30, 0, 20, 0},
		{"maintenance, over a failure", []stood{{0, 0, 60, up, nil}, {20, 15, 60, health.Maintenance, func(c *health.CheckReport) { c.Maintenance = moment(80) }}, {81, 50, 110, down, nil}}, 100, 15, 19, 1, 65},
		{"maintenance that nobody ends is over all the same", []stood{{0, 0, 60, up, nil}, {20, 15, 60, health.Maintenance, func(c *health.CheckReport) { c.Maintenance = moment(80) }}}, 100, 15, 0, 20, 65},
		{"valid for good", []stood{{0, 0, 0, up, func(c *health.CheckReport) { c.ValidUntil = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) }}}, 3000, 3000, 0, 0, 0},
		{"a report from before", []stood{{40, 0, 90, up, nil}, {20, 10, 90, down, nil}}, 50, 10, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := health.NewAvailability(health.AvailabilityOptions{Span: time.Hour, Slots: 240})
			for _, r := range tt.reports {
				a.Observe(moment(r.at), r.report())
			}
			u := a.Snapshot(moment(tt.end))
			seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
			require.Equal(t, [4]time.Duration{seconds(tt.up), seconds(tt.down), seconds(tt.unknown), seconds(tt.mends)}, [4]time.Duration{u.Up, u.Down, u.Unknown, u.Maintenance})
			require.Equal(t, u, a.Snapshot(moment(tt.end)), "reading changes nothing")
			require.Equal(t, u.To.Sub(u.From), u.Up+u.Down+u.Unknown+u.Maintenance)
		})
	}
}

// TestAvailabilityHidden: under half of the time known, there is no value.
func TestAvailabilityHidden(t *testing.T) {
	u := health.Uptime{Up: 40 * time.Minute, Down: 9 * time.Minute, Unknown: 51 * time.Minute}
	_, ok := u.Availability()
	require.False(t, ok)
	coverage, ok := u.Coverage()
	require.True(t, ok)
	require.InDelta(t, 0.49, coverage, 1e-9)
	text, err := json.Marshal(u)
	require.NoError(t, err)
	require.NotContains(t, string(text), "availability")
	require.Equal(t, "availability not known (up 40m 0s, down 9m 0s, unknown 51m 0s, coverage 49 %)", u.String())

	u.Up, u.Unknown, u.Maintenance = 41*time.Minute, 50*time.Minute, time.Hour
	available, ok := u.Availability()
	require.True(t, ok)
	require.InDelta(t, 0.82, available, 1e-9)
	text, err = json.Marshal(u)
	require.NoError(t, err)
	require.Contains(t, string(text), `"availability":0.82,"coverage":0.5`)

	for _, none := range []health.Uptime{{}, {Maintenance: time.Hour}} {
		_, ok = none.Availability()
		require.False(t, ok)
		_, ok = none.Coverage()
		require.False(t, ok)
	}
	require.Equal(t, "availability not known: nothing was seen", health.Uptime{}.String())
	require.Equal(t, "99.966 % available (up 30d 0h, down 14m 24s, coverage 100 %)", health.Uptime{Up: 30 * 24 * time.Hour, Down: 14*time.Minute + 24*time.Second}.String())
}

// TestAvailabilitySlides: a bad hour counts as long as it is in the period, and its
// memory does not grow.
func TestAvailabilitySlides(t *testing.T) {
	a := health.NewAvailability(health.AvailabilityOptions{Span: 24 * time.Hour, Slots: 24})
	hour := func(h int, status health.Status) {
		for m := range 60 {
			a.Observe(moment(h*3600+m*60), stood{since: h * 3600, until: h*3600 + m*60 + 90, status: status}.report())
		}
	}
	size := 0
	for h := range 100 {
		status := health.Healthy
		if h == 10 || h == 60 {
			status = health.Unhealthy
		}
		hour(h, status)
		u := a.Snapshot(moment((h+1)*3600 - 1))
		want := time.Duration(0)
		if h >= 10 && h <= 10+24 || h >= 60 && h <= 60+24 {
			want = time.Hour
		}
		if h == 10 || h == 60 {
			want -= time.Second
		}
		require.Equal(t, want, u.Down, "hour %d", h)
		require.LessOrEqual(t, u.To.Sub(u.From), 25*time.Hour)
		require.Zero(t, u.Unknown)
		text, err := json.Marshal(a)
		require.NoError(t, err)
		if h == 30 {
			size = len(text)
		}
		require.True(t, h < 30 || len(text) <= size+50, "it has grown")
	}
	u := a.Snapshot(moment(300 * 3600))
	require.Equal(t, u.To.Sub(u.From), u.Unknown, "nobody has told anything for too long")
}

// TestAvailabilityRestart: it goes on after a restart, and the time between is unknown.
func TestAvailabilityRestart(t *testing.T) {
	options := health.AvailabilityOptions{Span: time.Hour, Slots: 60}
	a := health.NewAvailability(options)
	a.Observe(moment(0), stood{until: 600, status: health.Healthy}.report())
	a.Observe(moment(300), stood{since: 200, until: 900, status: health.Unhealthy}.report())
	text, err := json.Marshal(a)
	require.NoError(t, err)
	for _, b := range []*health.Availability{health.NewAvailability(options), {}} {
		require.NoError(t, json.Unmarshal(text, b))
		again, err := json.Marshal(b)
		require.NoError(t, err)
		require.JSONEq(t, string(text), string(again))
		b.Observe(moment(400), health.CheckReport{})
		b.Observe(moment(500), stood{since: 450, until: 900, status: health.Healthy}.report())
		u := b.Snapshot(moment(600))
		require.Equal(t, [3]time.Duration{350 * time.Second, 100 * time.Second, 150 * time.Second}, [3]time.Duration{u.Up, u.Down, u.Unknown})
	}
	a.Observe(moment(310), stood{since: 200, until: 900, status: health.Unhealthy}.report())
	require.Equal(t, 110*time.Second, a.Snapshot(moment(310)).Down, "writing it down changes nothing")

	other := health.NewAvailability(health.AvailabilityOptions{})
	require.ErrorIs(t, json.Unmarshal(text, other), health.ErrInvalid)
	require.Equal(t, health.Uptime{}, other.Snapshot(moment(600)))
}

func TestAvailabilityRefusesBadText(t *testing.T) {
	const good = `{"span":3600000000000,"slots":60,"began":"2026-03-01T12:00:00Z","seen":"2026-03-01T12:05:00Z","spent":[{"at":29539440,"up":60000000000},{"at":29539441,"down":60000000000}]}`
	require.NoError(t, json.Unmarshal([]byte(good), new(health.Availability)))
	for _, tt := range []struct{ name, old, new, want string }{
		{"slots", `"slots":60`, `"slots":0`, "slots: found 0"},
		{"many slots", `"slots":60`, `"slots":600000000`, "slots: found 600000000"},
		{"span", `"span":3600000000000`, `"span":-1`, "span: found -1ns"},
		{"order", `12:05:00Z`, `11:05:00Z`, "began, seen"},
		{"era", `2026-03-01T12:05`, `9999-03-01T12:05`, "began, seen"},
		{"an old step", `29539440`, `29539000`, "step 29539000"},
		{"a step to come", `29539441`, `29549441`, "step 29549441"},
		{"twice", `29539441`, `29539440`, "after 29539440"},
		{"too much", `"up":60000000000`, `"up":60000000000,"down":1`, "at most 1m0s together"},
		{"negative", `"up":60000000000`, `"up":-1`, "at most 1m0s together"},
		{"type", `"slots":60`, `"slots":"60"`, "availability"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			require.NotEqual(t, good, text)
			err := json.Unmarshal([]byte(text), new(health.Availability))
			require.ErrorIs(t, err, health.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestAvailabilityOfAMonitor: outages of a check that runs are counted from the first
// probe that failed to the first that passed, to the nanosecond; of the whole, too.
func TestAvailabilityOfAMonitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var want, since time.Duration
		began := time.Now()
		asked, down := 0, atomic.Bool{}
		random := rand.New(rand.NewPCG(1, 2))
		left := 10
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "db", Interval: time.Second, Probe: func(context.Context) error {
			asked++
			if left--; left == 0 {
				left = 60 + random.IntN(100)
				down.Store(!down.Load())
				if now := time.Since(began); down.Load() {
					since = now
				} else {
					want += now - since
				}
			}
			if down.Load() {
				return errDown
			}
			return nil
		}}, health.Check{Name: "mail", Interval: time.Second, Optional: true, Probe: script(errDown)})
		one, all := health.NewAvailability(health.AvailabilityOptions{}), health.NewAvailability(health.AvailabilityOptions{})
		stop := run(t, m)
		now := began
		for i, settled := 0, 0; i < 3600 || settled < 5; i++ { // not to end in the middle of a change
			if settled++; down.Load() {
				settled = 0
			}
			time.Sleep(time.Second)
			report := m.Report()
			now = time.Now()
			one.Observe(now, *report.Checks[0])
			all.Observe(now, report.Whole())
		}
		stop()
		require.Greater(t, asked, 3400)
		require.Equal(t, want, one.Snapshot(now).Down)
		require.Equal(t, want, all.Snapshot(now).Down)
		require.Less(t, one.Snapshot(now).Unknown, 5*time.Second, "before the first probe")
	})
}

func TestReportWhole(t *testing.T) {
	check := func(name string, status health.Status, since int, change func(*health.CheckReport)) *health.CheckReport {
		c := stood{since: since, until: since + 100, status: status, change: change}.report()
		c.Name = name
		return &c
	}
	optional := func(c *health.CheckReport) { c.Optional = true }
	maintained := func(c *health.CheckReport) { c.Maintenance = moment(77) }
	for _, tt := range []struct {
		name   string
		status health.Status
		checks []*health.CheckReport
		want   stood
	}{
		{"well since the last", health.Degraded, []*health.CheckReport{check("a", health.Healthy, 10, nil), check("b", health.Degraded, 20, nil), check("c", health.Unhealthy, 90, optional)}, stood{status: health.Degraded, since: 20, until: 110}},
		{"unhealthy since the first", health.Unhealthy, []*health.CheckReport{check("a", health.Healthy, 1, nil), check("b", health.Unhealthy, 30, nil), check("c", health.Unhealthy, 20, nil), check("d", health.Unhealthy, 25, nil)}, stood{status: health.Unhealthy, since: 20, until: 120}},
		{"maintained", health.Unknown, []*health.CheckReport{check("a", health.Maintenance, 10, maintained), check("b", health.Skipped, 10, nil)}, stood{status: health.Maintenance}},
		{"partly maintained", health.Healthy, []*health.CheckReport{check("a", health.Maintenance, 10, maintained), check("b", health.Healthy, 12, nil)}, stood{status: health.Healthy, since: 12, until: 112}},
		{"unknown", health.Unknown, []*health.CheckReport{check("a", health.Healthy, 10, nil), check("b", health.Unknown, 40, func(c *health.CheckReport) { c.Stale = true }), check("c", health.Unknown, 30, nil)}, stood{status: health.Unknown, since: 40, until: 130}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole := (&health.Report{Status: tt.status, Checks: tt.checks}).Whole()
			require.Equal(t, tt.status == health.Unknown && tt.want.status == health.Unknown, whole.Stale)
			if require.Equal(t, tt.want.status, whole.Status); tt.want.status == health.Maintenance {
				require.Equal(t, moment(77), whole.Maintenance)
				require.Equal(t, moment(10), whole.Since)
				return
			}
			require.Equal(t, moment(tt.want.since), whole.Since)
			require.Equal(t, moment(tt.want.until), whole.ValidUntil)
		})
	}
	require.Equal(t, health.Unknown, (&health.Report{}).Whole().Status)
}
