package flag_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
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

// TestPreviewDocument: what is said of a document before it is loaded is what becomes of
// it, whatever lies over it and is wrong with it.
func TestPreviewDocument(t *testing.T) {
	const document = `{"segments": {"staff": {"keys": ["anna"]}}, "flags": {
		"ramped": {"ramp": {"percent": 10}}, "killed": {"serve": "on"}, "over": {"serve": "off"}, "put": {"serve": "off"}, "plain": {"serve": "off"}, "env": {"serve": "off"},
		"needing": {"rules": [{"if": {"segment": "staff"}, "serve": "on"}], "when": {"flag": "killed"}}}}`
	t.Setenv("PREVIEWED_ENV", "on")
	edits := map[string]string{
		"nothing": document, "another ramp": strings.Replace(document, `"percent": 10`, `"percent": 60`, 1), "a flag less": strings.Replace(document, `"plain": {"serve": "off"}, `, "", 1),
		"one that is laid over less": strings.Replace(document, `"killed": {"serve": "on"}, `, "", 1), "a broken flag": strings.Replace(document, `"plain": {"serve": "off"}`, `"plain": {"serve": "nowhere"}`, 1),
		"a broken segment": strings.Replace(document, `"keys"`, `"kyes"`, 1), "no JSON": document[1:], "a broken flag under what was put": strings.Replace(document, `"put": {"serve": "off"}`, `"put": {"serve": "on", "when": {"flag": "gone"}}`, 1),
		"a split where a ramp lies": strings.Replace(document, `"ramp": {"percent": 10}`, `"split": {"parts": [{"serve": "on", "percent": 100}]}`, 1), "no variable's flag": strings.Replace(document, `"env": {"serve": "off"}, `, "", 1),
	}
	for _, strict := range []bool{false, true} {
		for _, first := range []bool{false, true} {
			for name, text := range edits {
				t.Run(fmt.Sprint(name, " strict=", strict, " first=", first), func(t *testing.T) {
					src := &source{data: document}
					store := flag.New(src, flag.Options{Strict: strict, Env: "PREVIEWED_", OnChange: func(flag.ChangeInfo) {}, OnLoad: func(flag.LoadInfo) {}})
					if !first {
						require.NoError(t, store.Load(t.Context()))
						require.NoError(t, errors.Join(store.SetRamp("ramped", flag.Ramp{Share: 30 * flag.Percent}, me), store.Kill("killed", me), store.Override("over", "on", me), store.Put("put", on, me), store.Create("created", on, me)))
					}
					before, told := store.Snapshot(), store.Err()
					set, wrong := store.PreviewDocument([]byte(text))
					require.Same(t, before, store.Snapshot(), "nothing happened to the store")
					require.Equal(t, told, store.Err())
					src.data = text
					if err := store.Load(t.Context()); err == nil {
						require.NoError(t, wrong)
					} else {
						require.EqualError(t, wrong, err.Error())
					}
					require.Equal(t, store.Snapshot() == nil, set == nil)
					require.Equal(t, store.Snapshot().Hash(), set.Hash())
					require.Empty(t, flag.Diff(set, store.Snapshot(), nil).Flags)
					require.Equal(t, flag.Diff(before, store.Snapshot(), nil).Flags, flag.Diff(before, set, nil).Flags)
				})
			}
		}
	}
	store := load(t, document)
	set, err := store.PreviewDocument([]byte(document))
	require.NoError(t, err)
	require.True(t, flag.ByKey("killed", false).From(set.View(flag.For("u"))))
	for s := range store.All() {
		require.Nil(t, s.Counts, "evaluating what would serve counts for nothing: %s", s.Key)
	}
	var none *flag.Store
	_, err = none.PreviewDocument([]byte(document))
	require.ErrorIs(t, err, flag.ErrNotFound)
	unread := flag.New(flag.Bytes([]byte(document)), flag.Options{State: filepath.Join(t.TempDir(), "state")})
	_, err = unread.PreviewDocument([]byte(document))
	require.ErrorContains(t, err, "was not read yet, want Load first")
	require.NoError(t, unread.Load(t.Context()))
	_, err = unread.PreviewDocument([]byte(document))
	require.NoError(t, err)
}
