package flag_test

import (
	"path/filepath"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// earlyKill is what a host's code declares.
var earlyKill = flag.Bool("early-kill", true)

// TestKillBeforeAnyDocument: with the source down and no good copy, a flag that code
// declares is killed as soon as there is a document, over restarts before that, too.
func TestKillBeforeAnyDocument(t *testing.T) {
	subject := flag.For("u")
	src := &source{err: errAway}
	options := flag.Options{State: filepath.Join(t.TempDir(), "flags.state"), OnChange: func(flag.ChangeInfo) {}}
	store := flag.New(src, options)
	require.ErrorIs(t, store.Kill("early-kill", me), flag.ErrNotKept, "what the file has is not known before Load")
	require.ErrorIs(t, store.Load(t.Context()), errAway)
	require.NoError(t, store.Kill("early-kill", me))
	require.EqualError(t, store.Kill("early-kil", me), "flag: kill early-kil: no document is loaded yet: no such flag in the document, and before that only a flag that code declares can be killed")
	require.ErrorIs(t, store.SetRamp("other", flag.Ramp{}, me), flag.ErrNotFound)
	require.ErrorIs(t, store.Override("early-kill", "on", me), flag.ErrNotFound)
	require.True(t, earlyKill.Value(store, &subject), "there is no off to serve")
	for range 2 {
		for status := range store.All() {
			require.Equal(t, []any{"early-kill", true, true, "test"}, []any{status.Key, status.Missing, status.Killed, status.Laid[0].Change.Reason})
		}
		store = flag.New(src, options)
		require.ErrorIs(t, store.Load(t.Context()), errAway)
		status, err := store.Status("early-kill")
		require.NoError(t, err)
		require.Equal(t, []any{true, true}, []any{status.Missing, status.Killed})
	}
	require.NoError(t, store.Revive("early-kill", me))
	_, err := store.Status("early-kill")
	require.ErrorIs(t, err, flag.ErrNotFound)
	require.NoError(t, store.Kill("early-kill", me))
	seen := store.Revision()
	src.put(`{"flags": {"early-kill": {"serve": "on"}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	require.False(t, earlyKill.Value(store, &subject))
	require.ErrorIs(t, store.Revive("early-kill", flag.Change{Actor: "late", Reason: "saw no document", Revision: seen}), flag.ErrConflict)
	require.NoError(t, store.Revive("early-kill", me))
	require.True(t, earlyKill.Value(store, &subject))
}

// TestKillBeforeLoad: what an earlier process has kept of the flag stays under it.
func TestKillBeforeLoad(t *testing.T) {
	k := newKept(t, `{"flags": {"early-kill": {}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.SetRamp("early-kill", flag.Ramp{Share: 7}, flag.Change{Actor: "ann", Reason: "before"}))
	k.start()
	require.ErrorIs(t, k.Kill("early-kill", me), flag.ErrNotKept)
	require.NoError(t, k.Load(t.Context()))
	for range 2 {
		status := k.statuses()[0]
		require.Equal(t, []string{"kill by me", "ramp by ann"}, laid(status))
		require.EqualValues(t, 7, status.Ramp.Share)
		k.again(t)
	}
}

// TestKilledAndDropped: a document without a flag that is only killed or overridden is
// refused by no store: a strict one lets the flag go, and kills it again if it comes back.
func TestKilledAndDropped(t *testing.T) {
	subject := flag.For("u")
	for _, strict := range []bool{false, true} {
		for name, lay := range map[string]func(*flag.Store) error{
			"kill":     func(s *flag.Store) error { return s.Kill("early-kill", me) },
			"override": func(s *flag.Store) error { return s.Override("early-kill", "off", me) },
			"both": func(s *flag.Store) error {
				require.NoError(t, s.Kill("early-kill", me))
				return s.Override("early-kill", "off", me)
			},
		} {
			k := newKept(t, `{"flags": {"early-kill": {"serve": "on"}, "other": {}}}`)
			start := func() {
				k.Store = flag.New(k.src, flag.Options{Strict: strict, State: k.path, OnChange: func(flag.ChangeInfo) {}})
			}
			start()
			require.NoError(t, k.Load(t.Context()))
			require.NoError(t, lay(k.Store))
			seen := k.Revision()
			k.src.put(`{"flags": {"other": {"serve": "on"}}}`, nil)
			for range 2 {
				require.Equal(t, strict, k.Load(t.Context()) == nil, name)
				require.True(t, flag.Bool("other", false).Value(k.Store, &subject), "of the new document")
				status, err := k.Status("early-kill")
				require.NoError(t, err)
				require.Equal(t, []bool{strict, !strict, true}, []bool{status.Missing, status.Quarantined, status.Overlaid}, name)
				require.Equal(t, strict, earlyKill.Value(k.Store, &subject), "one that is gone serves the default")
				start()
			}
			_ = k.Load(t.Context())
			if strict {
				require.ErrorIs(t, k.Kill("early-kill", flag.Change{Actor: "late", Reason: "saw it there", Revision: seen}), flag.ErrConflict)
				require.NoError(t, k.Kill("early-kill", me))
				require.ErrorIs(t, k.SetRamp("early-kill", flag.Ramp{}, me), flag.ErrNotFound)
			}
			k.src.put(`{"flags": {"early-kill": {"serve": "on"}}}`, nil)
			require.NoError(t, k.Load(t.Context()))
			require.False(t, earlyKill.Value(k.Store, &subject), "it is back, and as it was")
			require.NoError(t, k.Clear("early-kill", me))
			require.True(t, earlyKill.Value(k.Store, &subject))
		}
	}
}

// TestClearOfWhatWaits takes it away for good, and watchers hear of it.
func TestClearOfWhatWaits(t *testing.T) {
	src := &source{data: `{"flags": {"early-kill": {"serve": "on"}}}`}
	store := flag.New(src, flag.Options{Strict: true, OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Kill("early-kill", me))
	steps, got := []func() error{
		func() error { src.put(`{"flags": {}}`, nil); return store.Load(t.Context()) },
		func() error { return store.Revive("early-kill", me) },
		func() error {
			src.put(`{"flags": {"early-kill": {"serve": "on"}}}`, nil)
			return store.Load(t.Context())
		},
	}, [][]bool(nil)
	for status := range store.Watch(t.Context(), "early-kill") {
		got = append(got, []bool{status.Missing, status.Killed})
		if len(steps) == 0 {
			break
		}
		require.NoError(t, steps[0]())
		steps = steps[1:]
	}
	require.Equal(t, [][]bool{{false, true}, {true, true}, {true, false}, {false, false}}, got)
}
