package flag_test

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestAdvance: at most a step, never past the target, from either side.
func TestAdvance(t *testing.T) {
	const p = flag.Percent
	tests := []struct {
		document     string
		step, target flag.Share
		want         []flag.Share
	}{
		{`{}`, 20 * p, 50 * p, []flag.Share{20 * p, 40 * p, 50 * p, 50 * p}},
		{`{"ramp": {"percent": 60}}`, 25 * p, 10 * p, []flag.Share{35 * p, 10 * p, 10 * p}},
		{`{"ramp": {"percent": 60}}`, math.MaxInt32, flag.All, []flag.Share{flag.All, flag.All}},
		{`{"ramp": {"percent": 60}}`, math.MaxInt32, 0, []flag.Share{0, 0}},
		{`{"ramp": {"percent": 60}}`, 1, 60*p + 1, []flag.Share{60*p + 1}},
		{`{"ramp": {"percent": 7, "schedule": [{"at": "2001-01-01T00:00:00Z", "percent": 30}]}}`, 1 * p, 50 * p, []flag.Share{31 * p, 32 * p}},
	}
	for _, tt := range tests {
		store := load(t, `{"flags": {"advanced": `+tt.document+`}}`)
		for _, want := range tt.want {
			got, err := store.Advance("advanced", tt.step, tt.target, me)
			require.NoError(t, err)
			status, err := store.Status("advanced")
			require.NoError(t, err)
			require.Equal(t, []flag.Share{want, want}, []flag.Share{got, status.Ramp.Share}, tt.document)
			require.Nil(t, status.Ramp.Schedule)
		}
	}
	store := load(t, `{"flags": {"advanced": {}, "parted": {"split": {"parts": [{"serve": "on", "percent": 100}]}}}}`)
	for _, tt := range []struct {
		key          string
		step, target flag.Share
		want         string
	}{
		{"advanced", 0, 1, "flag: advance advanced: found a step of 0 %, want more than 0 %"},
		{"advanced", math.MinInt32, 1, "want more than 0 %"},
		{"advanced", 1, flag.All + 1, "flag: advance advanced: found a target of 100.001 %, want 0 to 100 %"},
		{"advanced", 1, -1, "found a target of -0.001 %"},
		{"parted", 1, 5, "has a split"},
		{"nowhere", 1, 5, "no such flag"},
	} {
		got, err := store.Advance(tt.key, tt.step, tt.target, me)
		require.ErrorContains(t, err, tt.want)
		require.Zero(t, got)
	}
}

// TestToggle: whatever its document says, now and later.
func TestToggle(t *testing.T) {
	src := &source{data: `{"flags": {"toggled": {"serve": "on"}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	toggled, subject := flag.Bool("toggled", false), flag.For("u")
	for _, want := range []bool{false, true, false, true} {
		on, err := store.Toggle("toggled", me)
		require.NoError(t, err)
		require.Equal(t, []bool{want, want}, []bool{on, toggled.Value(store, &subject)})
	}
	src.put(`{"flags": {"toggled": {"serve": "on", "disabled": true}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	require.True(t, toggled.Value(store, &subject), "enabled at run time")
	require.NoError(t, store.Clear("toggled", me))
	require.False(t, toggled.Value(store, &subject))
	on, err := store.Toggle("toggled", me)
	require.NoError(t, err)
	require.True(t, on && toggled.Value(store, &subject))
	on, err = store.Toggle("nowhere", me)
	require.ErrorIs(t, err, flag.ErrNotFound)
	require.False(t, on)
}

// TestRevive takes back the kill and nothing else.
func TestRevive(t *testing.T) {
	store := load(t, `{"flags": {"revived": {}}}`)
	revived, subject := flag.Bool("revived", false), flag.For("u")
	require.NoError(t, store.SetRamp("revived", flag.Ramp{Share: flag.All}, me))
	require.NoError(t, store.Kill("revived", me))
	require.False(t, revived.Value(store, &subject))
	require.NoError(t, store.Revive("revived", me))
	require.True(t, revived.Value(store, &subject))
	require.ErrorIs(t, store.Revive("nowhere", me), flag.ErrNotFound)
}

// TestScheduleAtRunTime: a schedule that was set at run time moves with the clock, for
// readers of every kind, and for flags that need the flag.
func TestScheduleAtRunTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := load(t, `{"flags": {"scheduled": {}, "needing": {"serve": "on", "when": {"flag": "scheduled"}}}}`)
		scheduled, needing, subject := flag.Bool("scheduled", false), flag.Bool("needing", false), flag.For("u")
		begin := time.Now()
		points := []flag.Point{{At: begin.Add(time.Hour), Share: 0}, {At: begin.Add(3 * time.Hour), Share: flag.All}}
		require.NoError(t, store.SetRamp("scheduled", flag.Ramp{Schedule: points, Linear: true}, me))
		points[1].Share = 0 // the store has its own
		status, err := store.Status("scheduled")
		require.NoError(t, err)
		require.Len(t, status.Ramp.Schedule, 2)
		require.True(t, status.Ramp.Linear)
		seen := func(at time.Duration, want bool) {
			t.Helper()
			time.Sleep(time.Until(begin.Add(at)))
			view := store.View(subject)
			got := []bool{scheduled.Value(store, &subject), scheduled.From(view), scheduled.Decide(store, &subject).Value,
				needing.Value(store, &subject), needing.From(view), needing.Decide(store, &subject).Value, flag.ByKey("needing", false).Value(store, &subject)}
			for i := range got {
				require.Equal(t, want, got[i], "%d after %v", i, at)
			}
		}
		seen(0, false)
		share := scheduled.Decide(store, &subject).Slot
		at := time.Hour + 2*time.Hour*time.Duration(share)/time.Duration(flag.All)
		seen(at-time.Minute, false)
		seen(at+time.Minute, true)
		moved, err := store.Advance("scheduled", 1, 0, me)
		require.NoError(t, err)
		require.InDelta(t, int(share), int(moved), 1000)
		require.NoError(t, store.Clear("scheduled", me))
		seen(4*time.Hour, false)
	})
	store := load(t, `{"flags": {"scheduled": {}, "all": {"serve": "on"}}}`)
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		key    string
		points []flag.Point
		want   string
	}{
		{"scheduled", []flag.Point{{at, 1}, {at, 2}}, "schedule[1].at: found 2030-01-01T00:00:00Z, want a time after the point before it"},
		{"scheduled", []flag.Point{{at, flag.All + 1}}, "schedule[0].percent: found 100.001 %, want 0 to 100 %"},
		{"scheduled", []flag.Point{{time.Time{}, -1}, {at.AddDate(1000, 0, 0), 1}}, "3 problems"},
		{"all", []flag.Point{{at, 1}}, `serves "on" to everybody`},
		{"scheduled", make([]flag.Point, 1_000_000), "more than 1,000,000 tests"},
	} {
		err := store.SetRamp(tt.key, flag.Ramp{Schedule: tt.points}, me)
		require.ErrorContains(t, err, tt.want)
	}
}

// TestConflict: whoever decided by an older revision changes nothing, whatever the verb,
// and is told who was before, and when.
func TestConflict(t *testing.T) {
	src := &source{data: `{"flags": {"wanted": {"ramp": {"percent": 1}}, "other": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	by := func(revision uint64) flag.Change {
		return flag.Change{Actor: "bob", Reason: "late", Revision: revision}
	}
	verbs := map[string]func(flag.Change) error{
		"set ramp": func(c flag.Change) error { return store.SetRamp("wanted", flag.Ramp{Share: 7}, c) },
		"override": func(c flag.Change) error { return store.Override("wanted", "on", c) },
		"kill":     func(c flag.Change) error { return store.Kill("wanted", c) },
		"revive":   func(c flag.Change) error { return store.Revive("wanted", c) },
		"clear":    func(c flag.Change) error { return store.Clear("wanted", c) },
		"advance":  func(c flag.Change) error { _, err := store.Advance("wanted", 1, 100, c); return err },
		"toggle":   func(c flag.Change) error { _, err := store.Toggle("wanted", c); return err },
		"put":      func(c flag.Change) error { return store.Put("wanted", flag.FeatureFlag{Ramp: &flag.Ramp{Share: 5}}, c) },
	}
	newest := func() flag.Status {
		status, err := store.Status("wanted")
		require.NoError(t, err)
		return status
	}
	refuse := func(text string, c flag.Change) {
		t.Helper()
		before := newest()
		for op, verb := range verbs {
			err := verb(c)
			require.ErrorIs(t, err, flag.ErrConflict, op)
			var e *flag.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, before.Since, e.Revision)
			require.EqualError(t, err, fmt.Sprintf("flag: %s wanted: conflict: %s", op, text))
		}
		require.Equal(t, before, newest(), "nothing changed")
	}
	first := store.Revision()
	require.NoError(t, store.Kill("wanted", flag.Change{Actor: "ann", Reason: "first", Revision: first}))
	require.NoError(t, store.Kill("other", flag.Change{Actor: "ann", Reason: "elsewhere", Revision: first}))
	refuse(fmt.Sprintf("ann changed it at revision %d, after %d: first", first+1, first), by(first))
	refuse(fmt.Sprintf("revision %d has not been yet, the newest is %d", first+3, first+2), by(first+3))
	for op, verb := range verbs {
		require.NoError(t, store.Revive("wanted", flag.Change{Actor: "ann", Reason: "once more"})) // since Advance does not climb under a kill
		require.NoError(t, verb(by(newest().Since)), op)
		require.NoError(t, verb(by(newest().Revision)), op)
	}
	require.NoError(t, store.Clear("wanted", flag.Change{Actor: "ann", Reason: "enough"}))
	require.Equal(t, flag.Change{Actor: "ann", Reason: "enough"}, newest().Change)

	// A document counts when it changes what the flag is, not how that is written.
	before := newest()
	src.put(`{"flags": {"other": {"description": "new"}, "wanted": {"ramp":   {"percent": 1.0}}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	require.Equal(t, before.Since, newest().Since)
	src.put(`{"flags": {"wanted": {"ramp": {"percent": 2}}, "other": {}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	refuse(fmt.Sprintf("document changed it at revision %d, after %d: a new document", before.Revision+2, before.Revision), by(before.Revision))
}

// TestOneOfTwoWins: of writers who decided by the same revision, exactly one changes
// the flag.
func TestOneOfTwoWins(t *testing.T) {
	store := load(t, `{"flags": {"raced": {}}}`)
	for round := range 100 {
		status, err := store.Status("raced")
		require.NoError(t, err)
		var wait sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wait.Go(func() {
				change := flag.Change{Actor: fmt.Sprint(i), Reason: "race", Revision: status.Revision}
				if (i+round)%2 == 0 {
					errs[i] = store.SetRamp("raced", flag.Ramp{Share: flag.Share(i)}, change)
				} else {
					errs[i] = store.Put("raced", flag.FeatureFlag{Description: fmt.Sprint(i)}, change)
				}
			})
		}
		wait.Wait()
		won := 0
		now, err := store.Status("raced")
		require.NoError(t, err)
		for i, err := range errs {
			var e *flag.Error
			switch {
			case err == nil:
				won++
				require.Equal(t, fmt.Sprint(i), now.Change.Actor)
			case errors.As(err, &e):
				require.ErrorIs(t, err, flag.ErrConflict)
				require.Equal(t, now.Since, e.Revision)
			}
		}
		require.Equal(t, 1, won)
	}
}

// TestNoAdvanceUnderAKill: a ramp that something advances by the clock does not climb
// while the flag is killed, so that a revival exposes nobody who was not exposed before.
func TestNoAdvanceUnderAKill(t *testing.T) {
	store := load(t, `{"flags": {"advanced-killed": {"ramp": {"percent": 10}}}}`)
	require.NoError(t, store.Kill("advanced-killed", me))
	_, err := store.Advance("advanced-killed", flag.Percent, flag.All, me)
	require.ErrorIs(t, err, flag.ErrConflict)
	require.ErrorContains(t, err, "it is killed (by me: test); revive it first")
	require.NoError(t, store.Revive("advanced-killed", me))
	share, err := store.Advance("advanced-killed", flag.Percent, flag.All, me)
	require.NoError(t, err)
	require.EqualValues(t, 11*flag.Percent, share)
}

// TestReviveOfWhatIsAlive changes nothing, and nobody is told, but who comes too late is.
func TestReviveOfWhatIsAlive(t *testing.T) {
	store := flag.New(flag.Bytes([]byte(`{"flags": {"alive": {}}}`)), flag.Options{OnChange: func(info flag.ChangeInfo) { t.Error(info) }})
	require.NoError(t, store.Load(t.Context()))
	before, err := store.Status("alive")
	require.NoError(t, err)
	require.NoError(t, store.Revive("alive", me))
	after, err := store.Status("alive")
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.ErrorIs(t, store.Revive("alive", flag.Change{Actor: "a", Reason: "b", Revision: 1}), flag.ErrConflict)
	require.ErrorIs(t, store.Revive("gone", me), flag.ErrNotFound)
}
