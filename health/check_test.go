package health_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// TestImpossibleSettings are refused, each with its field, what was found and what is
// wanted.
func TestImpossibleSettings(t *testing.T) {
	fine := func(name string) health.Check { return health.Check{Name: name, Probe: script(nil)} }
	with := func(change func(*health.Check)) []health.Check {
		c := fine("a")
		change(&c)
		return []health.Check{c}
	}
	for _, tt := range []struct {
		name    string
		checks  []health.Check
		options health.MonitorOptions
		want    []string // in any order; none: it can be
	}{
		{name: "nothing"},
		{name: "only what is required", checks: []health.Check{fine("a")}},
		{name: "no name", checks: []health.Check{fine("")}, want: []string{`invalid: check "": Name: missing, want a name`}},
		{name: "no probe", checks: []health.Check{{Name: "a"}}, want: []string{`invalid: check "a": Probe: missing, want a function`}},
		{name: "twice", checks: []health.Check{fine("a"), fine("a")}, want: []string{`invalid: check "a": Name: is the name of two checks`}},
		{name: "negative interval", checks: with(func(c *health.Check) { c.Interval = -1 }), want: []string{
			`invalid: check "a": Interval: found -1ns, want 1ms to 720h0m0s`,
			`invalid: check "a": Timeout: found -1ns, want more than 0 and at most the interval of -1ns`,
		}},
		{name: "short interval", checks: with(func(c *health.Check) { c.Interval = time.Microsecond }), want: []string{`invalid: check "a": Interval: found 1µs, want 1ms to 720h0m0s`}},
		{name: "huge interval", checks: with(func(c *health.Check) { c.Interval = 1 << 62 }), want: []string{`invalid: check "a": Interval: found 1281023h53m38.427387904s, want 1ms to 720h0m0s`}},
		{name: "the longest interval", checks: with(func(c *health.Check) { c.Interval = 720 * time.Hour })},
		{name: "short interval, no timeout", checks: with(func(c *health.Check) { c.Interval = time.Millisecond })},
		{name: "negative timeout", checks: with(func(c *health.Check) { c.Timeout = -time.Second }), want: []string{`invalid: check "a": Timeout: found -1s, want more than 0 and at most the interval of 10s`}},
		{name: "timeout above interval", checks: with(func(c *health.Check) { c.Timeout = 11 * time.Second }), want: []string{`invalid: check "a": Timeout: found 11s, want more than 0 and at most the interval of 10s`}},
		{name: "timeout of the interval", checks: with(func(c *health.Check) { c.Timeout = 10 * time.Second })},
		{name: "negative thresholds", checks: with(func(c *health.Check) { c.FailAfter, c.PassAfter = -1, -2 }), want: []string{
			`invalid: check "a": FailAfter: found -1, want 1 to 1000`, `invalid: check "a": PassAfter: found -2, want 1 to 1000`,
		}},
		{name: "thresholds never reached", checks: with(func(c *health.Check) { c.FailAfter, c.PassAfter = 1001, 1<<31-1 }), want: []string{
			`invalid: check "a": FailAfter: found 1001, want 1 to 1000`, `invalid: check "a": PassAfter: found 2147483647, want 1 to 1000`,
		}},
		{name: "negative startup", checks: with(func(c *health.Check) { c.Startup = -1 }), want: []string{`invalid: check "a": Startup: found -1ns, want a time to the first success`}},
		{name: "unknown need", checks: with(func(c *health.Check) { c.Needs = []string{"nobody"} }), want: []string{`invalid: check "a": Needs: unknown check "nobody"`}},
		{name: "itself", checks: with(func(c *health.Check) { c.Needs = []string{"a"} }), want: []string{`invalid: check "a": Needs: needs itself: a -> a`}},
		{
			name:   "a failure that counts behind one that does not",
			checks: []health.Check{{Name: "a", Probe: script(nil), Needs: []string{"b"}}, {Name: "b", Probe: script(nil), Optional: true}},
			want:   []string{`invalid: check "a": Needs: "b" is optional, want one that is not, or make this check optional too`},
		},
		{name: "both optional", checks: []health.Check{{Name: "a", Probe: script(nil), Optional: true, Needs: []string{"b"}}, {Name: "b", Probe: script(nil), Optional: true}}},
		{name: "negative options", options: health.MonitorOptions{Concurrent: -1, Steady: -time.Second, Grace: -2}, want: []string{
			"invalid: Concurrent: found -1, want at least 1, or 0 for 8",
			"invalid: Steady: found -1s, want a time without a break, or 0 for 10s",
			"invalid: Grace: found -2ns, want a time to wait, or 0 for 5s",
		}},
		{
			name: "all of it at once",
			checks: []health.Check{
				fine(""),
				{Name: "a", Probe: script(nil), Timeout: time.Minute, FailAfter: -1, PassAfter: -1, Startup: -1, Needs: []string{"b", "nobody"}},
				{Name: "b", Needs: []string{"a"}},
				fine("b"),
			},
			options: health.MonitorOptions{Steady: -1},
			want: []string{
				"invalid: Steady: found -1ns, want a time without a break, or 0 for 10s",
				`invalid: check "": Name: missing, want a name`,
				`invalid: check "a": FailAfter: found -1, want 1 to 1000`,
				`invalid: check "a": Needs: needs itself: a -> b -> a`,
				`invalid: check "a": Needs: unknown check "nobody"`,
				`invalid: check "a": PassAfter: found -1, want 1 to 1000`,
				`invalid: check "a": Startup: found -1ns, want a time to the first success`,
				`invalid: check "a": Timeout: found 1m0s, want more than 0 and at most the interval of 10s`,
				`invalid: check "b": Name: is the name of two checks`,
				`invalid: check "b": Probe: missing, want a function`,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := health.NewMonitor(tt.checks, tt.options)
			if len(tt.want) == 0 {
				require.NoError(t, err)
				return
			}
			require.Nil(t, m)
			require.ErrorIs(t, err, health.ErrInvalid)
			require.ElementsMatch(t, tt.want, strings.Split(err.Error(), "\n"))

			m, err = health.NewMonitor(nil, health.MonitorOptions{})
			require.NoError(t, err)
			if tt.options.Steady == 0 {
				require.ErrorIs(t, m.Add(tt.checks...), health.ErrInvalid)
				require.Empty(t, m.Report().Checks, "none is added")
			}
		})
	}
}

func TestStatusAndKindText(t *testing.T) {
	for s := health.Unknown; s <= health.Maintenance; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back health.Status
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	for k := health.Kind(0); k <= health.WasUnsure; k++ {
		text, err := k.MarshalText()
		require.NoError(t, err)
		var back health.Kind
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, k, back)
	}
	_, err := (health.Maintenance + 1).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	_, err = (health.WasUnsure + 1).MarshalText()
	require.ErrorIs(t, err, health.ErrInvalid)
	require.ErrorIs(t, new(health.Status).UnmarshalText([]byte("fine")), health.ErrInvalid)
	require.ErrorIs(t, new(health.Kind).UnmarshalText([]byte("fine")), health.ErrInvalid)
}

// TestReportIsJSON that reads back as what it was, but for the history.
func TestReportIsJSON(t *testing.T) {
	at := time.Date(2026, 11, 25, 19, 0, 0, 0, time.UTC)
	report := health.Report{Status: health.Degraded, Since: at, Draining: true, Checks: []*health.CheckReport{{
		Name: "mail", Status: health.Unhealthy, Optional: true, Since: at, ValidUntil: at.Add(time.Minute), Failed: 3, Overruns: 1,
		Last: health.Result{At: at, Took: time.Second, Kind: health.Failed, Err: "down"}, StuckSince: at,
	}}}
	data, err := json.Marshal(report)
	require.NoError(t, err)
	var back health.Report
	require.NoError(t, json.Unmarshal(data, &back))
	require.Equal(t, report, back)
}

// TestKindsOfErrors: the kind is found however deep it is wrapped, and no error is one.
func TestKindsOfErrors(t *testing.T) {
	require.NoError(t, health.Warn(nil))
	require.NoError(t, health.Fatal(nil))
	require.NoError(t, health.Unsure(nil))
	for _, wrap := range []func(error) error{health.Warn, health.Fatal, health.Unsure} {
		require.ErrorIs(t, wrap(context.Canceled), context.Canceled)
		require.EqualError(t, wrap(errDown), "down")
	}
}
