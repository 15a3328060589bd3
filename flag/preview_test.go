package flag_test

import (
	"errors"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestPreview: the copy has what the store has, nobody is told what is done to it, and
// the store stays as it is.
func TestPreview(t *testing.T) {
	src := &source{data: `{"flags": {"shown": {"ramp": {"percent": 0}}, "killed": {"serve": "on"}, "needing": {"serve": "on", "when": {"flag": "shown"}}}}`}
	store := flag.New(src, flag.Options{OnChange: func(info flag.ChangeInfo) { require.NotEqual(t, "preview", info.Change.Actor) }, OnLoad: func(flag.LoadInfo) {}})
	require.Nil(t, store.Snapshot())
	_, err := store.Preview(func(*flag.Store) error { return nil })
	require.ErrorContains(t, err, "no document is loaded yet")
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Kill("killed", me))
	require.NoError(t, store.Put("put", on, me))
	before := store.Snapshot()

	c, subject := flag.Change{Actor: "preview", Reason: "to see it"}, flag.For("u")
	var kept *flag.Store
	set, err := store.Preview(func(s *flag.Store) error {
		kept = s
		status, err := s.Status("killed")
		require.NoError(t, err)
		real, err := store.Status("killed")
		require.NoError(t, err)
		require.Equal(t, real, status)
		require.Error(t, s.Load(t.Context()), "it follows no source")
		return errors.Join(s.SetRamp("shown", flag.Ramp{Share: flag.All}, c), s.Revive("killed", c), s.Clear("put", c), s.Create("new", on, c), s.Kill("new", c))
	})
	require.NoError(t, err)
	view := set.View(subject)
	for key, want := range map[string]bool{"shown": true, "killed": true, "needing": true, "put": false, "new": false} {
		require.Equal(t, want, flag.ByKey(key, false).From(view), key)
	}
	require.Equal(t, flag.ReasonKilled, flag.ByKey("new", false).DecideFrom(view).Reason)
	require.Same(t, before, store.Snapshot(), "nothing happened to the store")
	for s := range store.All() {
		require.Nil(t, s.Counts, "evaluating what would serve counts for nothing: %s", s.Key)
	}
	require.NoError(t, kept.Kill("shown", c), "whoever kept it may go on")
	require.Same(t, before, store.Snapshot())
	require.True(t, flag.ByKey("shown", false).From(view), "a set is immutable")

	refused := errors.New("no")
	set, err = store.Preview(func(s *flag.Store) error { require.NoError(t, s.Kill("shown", c)); return refused })
	require.Equal(t, refused, err)
	require.Nil(t, set)
	require.Same(t, before, store.Snapshot())

	empty := flag.New(nil, flag.Options{})
	set, err = empty.Preview(func(s *flag.Store) error { return s.Create("new", on, c) })
	require.NoError(t, err)
	require.True(t, flag.ByKey("new", false).From(set.View(subject)))
	require.Nil(t, empty.Snapshot())
	var none *flag.Store
	require.Nil(t, none.Snapshot())
	_, err = none.Preview(func(*flag.Store) error { return nil })
	require.ErrorIs(t, err, flag.ErrNotFound)
}
