package health_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

func TestMissingText(t *testing.T) {
	require.Equal(t, health.Present, health.Verdict{}.Missing)
	for m := health.Present; m <= health.Errored; m++ {
		text, err := m.MarshalText()
		require.NoError(t, err)
		var back health.Missing
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, m, back)

		v := health.Verdict{Missing: m}
		data, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, m != health.Present, strings.Contains(string(data), `"missing":"`+m.String()+`"`), "%s", data)
		var again health.Verdict
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, v, again)
	}
	require.Equal(t, "missing(7)", health.Missing(7).String())
	_, err := health.Missing(7).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorIs(t, new(health.Missing).UnmarshalText([]byte("lost")), health.ErrInvalid)
}

func TestGaugeMissing(t *testing.T) {
	plain, strict := health.Gauge{}, health.Gauge{MinN: 50, MaxAge: time.Second}
	for _, tt := range []struct {
		name    string
		gauge   health.Gauge
		reading health.Reading
		want    health.Missing
		reason  string
	}{
		{"there", plain, health.Reading{At: noon}, health.Present, "reading is 0, want at most 0: 1 in a row within"},
		{"zero value", plain, health.Reading{}, health.NoData, "reading: no data; missing so far: 1 no data"},
		{"error", plain, health.Reading{At: noon, Err: errors.New("timed out")}, health.Errored, "reading: timed out; missing so far: 1 errored"},
		{"a minute old", plain, health.Reading{At: noon.Add(-time.Minute)}, health.Present, "reading is 0, want at most 0: 1 in a row within"},
		{"older", plain, health.Reading{At: noon.Add(-time.Minute - 1)}, health.Stale, "reading is stale: measured 1m0s ago; missing so far: 1 stale"},
		{"ahead", plain, health.Reading{At: noon.Add(2 * time.Minute)}, health.Stale, "reading is stale: measured in the future; missing so far: 1 stale"},
		{"ages ago", plain, health.Reading{At: time.Unix(-1<<40, 0)}, health.Stale, "reading is stale: measured 2.56e+06h ago; missing so far: 1 stale"},
		{"no number", plain, health.Reading{At: noon, Value: math.NaN()}, health.NaN, "reading: nan; missing so far: 1 nan"},
		{"infinite", plain, health.Reading{At: noon, Value: math.Inf(-1)}, health.Inf, "reading: inf; missing so far: 1 inf"},
		{"of nothing", strict, health.Reading{At: noon}, health.NoData, "reading: no data; missing so far: 1 no data"},
		{"of little", strict, health.Reading{At: noon, N: 49}, health.TooFew, "reading rests on 49 observations, want 50; missing so far: 1 too few"},
		{"of enough", strict, health.Reading{At: noon, N: 50}, health.Present, "reading is 0, want at most 0: 1 in a row within"},
		{"old for this one", strict, health.Reading{At: noon.Add(-2 * time.Second), N: 50}, health.Stale, "reading is stale: measured 2s ago; missing so far: 1 stale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, tt.gauge.Missing(tt.reading, noon))
			gauge := tt.gauge
			gauge.PassAfter = 1
			v, state := gauge.Look(nil, tt.reading, noon)
			require.Equal(t, tt.want, v.Missing)
			require.Equal(t, tt.want == health.Present, v.Call == health.Pass, "missing data passed")
			require.True(t, json.Valid(state))
			if tt.name != "ages ago" { // longer than a Duration
				require.Equal(t, tt.reason, v.Reason)
			}
		})
	}
}

// Several in a row; a missing reading ends the row of those within and not that of
// those outside; the same reading counts once.
func TestGaugeRows(t *testing.T) {
	gauge := health.Gauge{Name: "queue", Limit: 100}
	good, bad := health.Reading{Value: 100}, health.Reading{Value: 101}
	gone := health.Reading{Err: errors.New("gone")}
	var state health.State
	now := noon
	var last health.Reading
	for i, tt := range []struct {
		reading health.Reading
		again   bool // the reading before, looked at once more
		want    health.Call
		reason  string
	}{
		{good, false, health.Inconclusive, "queue is 100, want at most 100: 1 in a row within"},
		{good, true, health.Inconclusive, "queue is 100, want at most 100: 1 in a row within"},
		{gone, false, health.Inconclusive, "queue: gone; missing so far: 1 errored"},
		{good, false, health.Inconclusive, "queue is 100, want at most 100: 1 in a row within; missing so far: 1 errored"},
		{good, false, health.Pass, "queue is 100, want at most 100: 2 in a row within; missing so far: 1 errored"},
		{gone, false, health.Inconclusive, "queue: gone; missing so far: 2 errored"},
		{bad, false, health.Inconclusive, "queue is 101, want at most 100: 1 in a row outside; missing so far: 2 errored"},
		{bad, true, health.Inconclusive, "queue is 101, want at most 100: 1 in a row outside; missing so far: 2 errored"},
		{bad, false, health.Inconclusive, "queue is 101, want at most 100: 2 in a row outside; missing so far: 2 errored"},
		{health.Reading{}, false, health.Inconclusive, "queue: no data; missing so far: 1 no data, 2 errored"},
		{bad, false, health.Fail, "queue is 101, want at most 100: 3 in a row outside; missing so far: 1 no data, 2 errored"},
		{gone, false, health.Inconclusive, "queue: gone; missing so far: 1 no data, 3 errored"},
		{good, false, health.Inconclusive, "queue is 100, want at most 100: 1 in a row within; missing so far: 1 no data, 3 errored"},
	} {
		now = now.Add(time.Second)
		reading := tt.reading
		switch {
		case tt.again:
			reading = last
		case reading != (health.Reading{}):
			reading.At = now
		}
		last = reading
		given := string(state)
		v, next := gauge.Look(state, reading, now)
		again, _ := gauge.Look(state, reading, now)
		require.Equal(t, v, again, "not pure")
		require.Equal(t, given, string(state), "the state given was written to")
		require.Equal(t, tt.reason, v.Reason, "look %d", i)
		require.Equal(t, tt.want, v.Call, "look %d", i)
		state = next
	}
	require.JSONEq(t, `{"within":1,"outside":0,"at":"2026-03-01T12:00:13Z","missing":{"no data":1,"errored":3}}`, string(state))

	fresh, _ := gauge.Look(nil, health.Reading{Value: 1, At: now}, now)
	for _, broken := range []string{"{", `{"missing":{"lost":1}}`, `{"within":"many"}`} {
		v, _ := gauge.Look(health.State(broken), health.Reading{Value: 1, At: now}, now)
		require.Equal(t, fresh, v, broken)
	}
}

func TestGaugeFloor(t *testing.T) {
	gauge := health.Gauge{Limit: 0.03, Floor: true, FailAfter: 1, PassAfter: 1}
	for value, want := range map[float64]health.Call{0.03: health.Pass, 1: health.Pass, 0.0299: health.Fail, -1: health.Fail} {
		v, _ := gauge.Look(nil, health.Reading{Value: value, At: noon}, noon)
		require.Equal(t, want, v.Call, "%v: %v", value, v)
	}
}

func TestGaugeValidate(t *testing.T) {
	require.NoError(t, health.Gauge{}.Validate())
	gauge := health.Gauge{Name: "queue", Limit: math.NaN(), MaxAge: -1, FailAfter: -1, PassAfter: -1}
	err := gauge.Validate()
	require.ErrorIs(t, err, health.ErrInvalid)
	for _, want := range []string{"limit of queue is NaN", "max age of queue is -1ns", "fail after of queue is -1", "pass after of queue is -1"} {
		require.ErrorContains(t, err, want)
	}
	v, _ := gauge.Look(nil, health.Reading{At: noon}, noon)
	require.Equal(t, health.Verdict{Reason: err.Error()}, v)
	require.ErrorIs(t, gauge.Probe(nil)(context.Background()), health.ErrInvalid)
}

// As a gate, only a reading that is there and within the limit is a yes; as a check,
// a missing one is unknown and not unhealthy.
func TestGaugeProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := errors.New("gone")
		var now atomic.Pointer[health.Reading] // without a time
		probe := health.Gauge{Name: "queue", Limit: 100}.Probe(func(context.Context) health.Reading {
			r := *now.Load()
			if r != (health.Reading{}) {
				r.At = time.Now()
			}
			return r
		})
		now.Store(&health.Reading{})
		monitor, err := health.NewMonitor([]health.Check{{Name: "queue", Probe: probe}}, health.MonitorOptions{})
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- monitor.Run(ctx) }()
		defer func() { stop(); <-done }()
		for _, tt := range []struct {
			reading health.Reading
			text    string
			status  health.Status
		}{
			{health.Reading{Value: 100}, "", health.Healthy},
			{health.Reading{Err: gone}, "queue: gone", health.Unknown},
			{health.Reading{Value: math.NaN()}, "queue: nan", health.Unknown},
			{health.Reading{}, "queue: no data", health.Unknown},
			{health.Reading{Value: 101}, "queue is 101, want at most 100", health.Unhealthy},
		} {
			now.Store(&tt.reading)
			time.Sleep(time.Minute)
			synctest.Wait()
			if err := probe(ctx); tt.text == "" {
				require.NoError(t, err)
			} else {
				require.EqualError(t, err, tt.text)
				require.Equal(t, tt.reading.Err != nil, errors.Is(err, gone))
			}
			require.Equal(t, tt.status, monitor.Report().Checks[0].Status, tt.text)
		}
	})
}
