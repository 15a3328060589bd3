package flag_test

import (
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestViewAt: another moment changes what has a time in it, and nothing else of a view.
func TestViewAt(t *testing.T) {
	store := load(t, `{"flags": {"made-timed": {"ramp": {"percent": 0, "schedule": [{"at": "2026-11-30T00:00:00Z", "percent": 100}]}}, "made-other": {"variants": {"one": 1}, "serve": "one"}}}`)
	timed, other := flag.Bool("made-timed", false), flag.Int("made-other", 1)
	before := other.Override(store.View(flag.For("u").At(monday.Add(-1))), 7)
	seen := timed.Watch(before)
	after := before.At(monday)
	require.False(t, seen.Seen())
	require.True(t, timed.From(after))
	require.True(t, seen.Seen(), "through a view made from it")
	require.False(t, timed.From(before))
	require.Equal(t, []int64{7, 7}, []int64{other.From(before), other.From(after)})
	require.Equal(t, "u", subjectKey(after))
	require.False(t, timed.From((*flag.View)(nil).At(monday)))
	require.Equal(t, flag.ReasonNoDocument, timed.DecideFrom((*flag.View)(nil).At(time.Time{})).Reason)
}

// TestTell: every entrance that takes the view or its context tells, of every flag, each
// time, and whoever is told last is told first.
func TestTell(t *testing.T) {
	store := load(t, `{"flags": {"told-base": {}, "told": {"when": {"flag": "told-base"}}}}`)
	told, other := flag.Bool("told", false), flag.ByKey("told-unknown", 1)
	base := store.View(flag.For("u"))
	var all []string
	tells := func(name string) func(string) { return func(key string) { all = append(all, name+" "+key) } }
	one := base.Tell(tells("one"))
	two := told.Override(one, true).Tell(tells("two")).At(monday)
	told.From(base)
	require.Empty(t, all)
	told.On(flag.NewContext(t.Context(), one))
	other.DecideFrom(one)
	require.Equal(t, []string{"one told", "one told-unknown"}, all)
	all = nil
	require.True(t, told.From(two))
	other.From(two)
	require.Equal(t, []string{"two told", "one told", "two told-unknown", "one told-unknown"}, all)
	all = nil
	told.From((*flag.View)(nil).Tell(tells("none")))
	flag.Ref[bool]{}.From(one)
	require.Equal(t, []string{"none told", "one "}, all)
	all = nil
	var log strings.Builder
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	require.True(t, told.From(two.Tell(func(string) { panic("test") }).Tell(nil)), "as without them")
	require.Equal(t, []string{"two told", "one told"}, all)
	require.Equal(t, 1, strings.Count(log.String(), "View.Tell panicked"), log.String())

	var mu sync.Mutex
	count := 0
	shared := base.Tell(func(string) { mu.Lock(); defer mu.Unlock(); count++ })
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 100 {
				told.From(shared)
			}
		})
	}
	wait.Wait()
	require.Equal(t, 400, count)
}
