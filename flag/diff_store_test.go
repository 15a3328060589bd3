package flag_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestDiffOfStores is about what was changed at run time, and what a broken document
// leaves.
func TestDiffOfStores(t *testing.T) {
	const document = `{"flags": {
		"base": {"serve": "on"},
		"page": {"ramp": {"percent": 25}},
		"part": {"when": {"flag": "base"}, "ramp": {"percent": 40}}}}`
	me := flag.Change{Actor: "me", Reason: "test"}
	tests := []struct {
		name   string
		change func(*flag.Store) error
		want   string
	}{
		{"nothing", func(*flag.Store) error { return nil }, "nothing changes"},
		{"killed", func(s *flag.Store) error { return s.Kill("page", me) },
			"page   25.000 % of everybody: on -> off (is killed)"},
		{"killed where others need it", func(s *flag.Store) error { return s.Kill("base", me) },
			"base  100.000 % of everybody: on -> off (is killed)\n" +
				"part   40.000 % of everybody: on -> off (needs flag \"base\", which changed)"},
		{"overridden", func(s *flag.Store) error { return s.Override("page", "on", me) },
			"page   75.000 % of everybody: off -> on (override none to on)\n      100.000 % of everybody without a key: off -> on"},
		{"a ramp", func(s *flag.Store) error { return s.SetRamp("page", flag.Ramp{Share: 26 * flag.Percent}, me) },
			"page    1.000 % of everybody: off -> on (ramp 25 % to 26 %)"},
		{"cleared", func(s *flag.Store) error {
			require.NoError(t, s.Kill("page", me))
			return s.Clear("page", me)
		}, "nothing changes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := load(t, document)
			before := store.Snapshot()
			require.NoError(t, tt.change(store))
			after := store.Snapshot()
			got := flag.Diff(before, after, nil)
			require.Equal(t, withBound(got, tt.want), got.String())
			people := slices.Values([]flag.Subject{flag.For("u1"), flag.For("u2"), flag.For("")})
			flag.Diff(before, after, people)
			for status := range store.All() {
				require.Empty(t, status.Counts, "a difference counts no evaluations")
			}
		})
	}

	var text string
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(text), nil }), flag.Options{})
	text = document
	require.NoError(t, store.Load(t.Context()))
	before := store.Snapshot()
	text = `{"flags": {"base": {"serve": "on"}, "page": {"serve": "nowhere"}, "never": {"serve": "nowhere"}}}`
	require.Error(t, store.Load(t.Context()))
	gone := flag.Diff(before, store.Snapshot(), nil)
	require.Equal(t, withBound(gone, "part   60.000 % of everybody: off -> default (is gone)\n       40.000 % of everybody: on -> default\n      100.000 % of everybody without a key: off -> default"), gone.String())
}

// TestDiffAsOfMoments: both sets decide at one moment, which a subject can have of its
// own.
func TestDiffAsOfMoments(t *testing.T) {
	flagOf := func(f string) *flag.Set { return compiled(t, `{"flags": {"f": {`+f+`}}}`) }
	schedule := func(at string) *flag.Set {
		return flagOf(`"ramp": {"percent": 0, "schedule": [{"at": "` + at + `", "percent": 60}]}`)
	}
	old, new := schedule("2026-12-01T08:00:00Z"), schedule("2026-12-01T10:00:00Z")
	shares := map[time.Duration]flag.Share{-time.Second: 0, 0: 60 * flag.Percent, 2*time.Hour - 1: 60 * flag.Percent, 2 * time.Hour: 0}
	people := func(yield func(flag.Subject) bool) {
		for i := range int64(5000) {
			if !yield(flag.ForInt(i)) {
				return
			}
		}
	}
	for after, want := range shares {
		got := flag.DiffAt(old, new, nil, launch.Add(after))
		require.Equal(t, want, got.Most(), after)
		require.Equal(t, []string{"schedule changed"}, got.Flags[0].Changes, "even while nobody moves")
		require.Equal(t, launch.Add(after), got.At)
		require.InDelta(t, float64(want), float64(flag.DiffAt(old, new, people, launch.Add(after)).Most()), 4000)
	}
	own := func(yield func(flag.Subject) bool) {
		for s := range people {
			if !yield(s.At(launch)) {
				return
			}
		}
	}
	require.InDelta(t, 60_000, float64(flag.Diff(old, new, own).Most()), 4000)

	open := flagOf(`"when": {"time": {"from": "2026-12-01T08:00:00Z"}}, "serve": "on"`)
	always := flagOf(`"serve": "on"`)
	require.Zero(t, flag.DiffAt(open, always, nil, launch).Most())
	before := flag.DiffAt(open, always, nil, launch.Add(-1))
	require.Equal(t, "f  100.000 % of everybody: off -> on (when is gone)", before.String())
	require.Equal(t, flag.BasisExact, before.Flags[0].Basis)
}
