package flag_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestClearKeepsLayersExclusive: the definition that was below a put one may be of an older
// layer; to clear that one is refused, rather than that two flags of the layer reach the
// same unit.
func TestClearKeepsLayersExclusive(t *testing.T) {
	document := func(a, at string) string {
		return fmt.Sprintf(`{"flags": {"a": %s, "b": {"ramp": {"percent": 100}}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": %s}], "b": [{"from": %s, "to": 100}]}}}}`, a, at, at)
	}
	const good, bad = `{"ramp": {"percent": 100}}`, `{"ramp": {"percent": 100}, "serve": "nonsense"}`
	src := &source{data: document(good, "50")}
	store := flag.New(src, flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	reached := func() (a, both int) {
		for i := range int64(1000) {
			u := flag.ForInt(i)
			if flag.ByKey("a", false).Value(store, &u) {
				if a++; flag.ByKey("b", false).Value(store, &u) {
					both++
				}
			}
		}
		return a, both
	}
	for _, tt := range []struct {
		a, at   string
		refused bool
	}{{bad, "50", false}, {bad, "10", true}, {good, "10", false}} {
		require.NoError(t, store.Put("a", flag.FeatureFlag{Ramp: &flag.Ramp{Share: flag.All}, Description: "put"}, me))
		src.put(document(tt.a, tt.at), nil)
		_ = store.Load(t.Context())
		before, both := reached()
		require.Zero(t, both)
		err := store.Clear("a", me)
		var problems flag.Problems
		require.Equal(t, tt.refused, errors.As(err, &problems), err)
		after, both := reached()
		require.Zero(t, both)
		require.Equal(t, before, after)
	}
}

// TestConflictWithALayer: a document that moves the flag in its layer has changed it.
func TestConflictWithALayer(t *testing.T) {
	document := func(to string) string {
		return `{"flags": {"x": {"ramp": {"percent": 1}}, "other": {}}, "layers": {"l": {"flags": {"x": [{"from": 0, "to": ` + to + `}]}}}}`
	}
	src := &source{data: document("1")}
	store := flag.New(src, flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	status, err := store.Status("x")
	require.NoError(t, err)
	seen := flag.Change{Actor: "me", Reason: "test", Revision: status.Revision}
	src.put(document("100"), nil)
	require.NoError(t, store.Load(t.Context()))
	require.ErrorIs(t, store.SetRamp("x", flag.Ramp{Share: flag.All}, seen), flag.ErrConflict)
	require.NoError(t, store.SetRamp("other", flag.Ramp{Share: flag.All}, seen))
}

// TestPutIsQuarantinedAlike: whether a flag that was put is quarantined is a matter of the
// document alone, not of what was put before it, and so the same after a restart.
func TestPutIsQuarantinedAlike(t *testing.T) {
	all := flag.FeatureFlag{Ramp: &flag.Ramp{Share: flag.All}}
	k := newKept(t, `{"flags": {"a": {"ramp": {"percent": 9}}, "c": {"ramp": {"percent": 9}}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 50}], "c": [{"from": 50, "to": 100}]}}}}`)
	require.NoError(t, k.Load(t.Context()))
	require.NoError(t, k.Put("a", all, me))
	k.src.put(`{"flags": {"a": {"serve": "nonsense"}, "c": {"ramp": {"percent": 9}}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 10}], "c": [{"from": 10, "to": 100}]}}}}`, nil)
	require.Error(t, k.Load(t.Context()))
	require.NoError(t, k.Put("c", all, me))
	for range 2 {
		got := map[string]bool{}
		for _, status := range k.statuses() {
			got[status.Key] = status.Quarantined
		}
		require.Equal(t, map[string]bool{"a": true, "c": false}, got)
		k.again(t)
	}
}
