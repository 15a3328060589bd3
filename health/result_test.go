package health_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// lastOf runs a check until it has results, and returns the newest.
func lastOf(t *testing.T, probe health.Probe) (last health.Result) {
	synctest.Test(t, func(t *testing.T) {
		m := monitor(t, health.MonitorOptions{}, health.Check{Name: "x", Probe: probe, Interval: time.Second})
		stop := run(t, m)
		time.Sleep(5 * time.Second)
		stop()
		last = m.Report().Checks[0].Last
	})
	return last
}

// TestWhatAnErrorSaid is bounded, valid and on one line for people, since it may be a
// stranger's.
func TestWhatAnErrorSaid(t *testing.T) {
	for _, tt := range []struct{ name, said, kept string }{
		{"short", "down", "down"},
		{"exactly as much", strings.Repeat("x", 4096), strings.Repeat("x", 4096)},
		{"more", strings.Repeat("x", 4097), strings.Repeat("x", 4093) + "..."},
		{"much more", strings.Repeat("x", 1<<20), strings.Repeat("x", 4093) + "..."},
		{"a rune at the edge", strings.Repeat("x", 4092) + "€uro", strings.Repeat("x", 4092) + "..."},
		{"not text", "\xff\xfea", "\ufffda"},
		{"not text, and longer as text", strings.Repeat("\xffa", 2048), strings.Repeat("\ufffda", 1023) + "..."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := lastOf(t, script(errors.New(tt.said)))
			require.Equal(t, tt.kept, got.Err)
			require.LessOrEqual(t, len(got.Err), 4096)
			require.True(t, utf8.ValidString(got.Err))
		})
	}
	got := lastOf(t, script(errors.New("a\x1b[2J\tb\nGET /secret")))
	require.Equal(t, "failed after 0s: a [2J b", got.String())
	got = lastOf(t, func(context.Context) error { panic("no\nway") })
	require.True(t, strings.HasPrefix(got.Err, "panic: no\nway\ngoroutine "), "with its stack: %s", got.Err)
	require.LessOrEqual(t, len(got.Err), 4096)
	require.Equal(t, "failed after 0s: panic: no", got.String())
}

// pointer's methods panic on a nil pointer, as those of many errors do.
type pointer struct{ text string }

func (p *pointer) Error() string { return p.text }

type thrower struct{}

func (thrower) Error() string   { return "thrower" }
func (thrower) Is(error) bool   { panic("Is") }
func (thrower) As(any) bool     { panic("As") }
func (thrower) Unwrap() []error { panic("Unwrap") }

// TestErrorsThatPanic harm nobody either.
func TestErrorsThatPanic(t *testing.T) {
	var none *pointer
	for _, err := range []error{none, thrower{}, health.Fatal(none)} {
		got := lastOf(t, script(err))
		require.Equal(t, health.Failed, got.Kind)
		require.Contains(t, got.Err, "panic: ")
	}
}
