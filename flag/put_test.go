package flag_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// on is a flag that serves true to everybody.
var on = flag.FeatureFlag{Serve: "on"}

// TestWithoutASource: a store can live of what is put.
func TestWithoutASource(t *testing.T) {
	store := flag.New(nil, flag.Options{})
	made, subject := flag.Bool("put-made", false), flag.For("u")
	require.ErrorIs(t, store.Kill("put-made", me), flag.ErrNotFound)
	require.NoError(t, store.Create("put-made", on, me))
	require.True(t, made.Value(store, &subject))
	status, err := store.Status("put-made")
	require.NoError(t, err)
	require.Equal(t, []flag.Change{me, me}, []flag.Change{status.OverlaidBy, status.Change})
	require.NoError(t, store.Put("put-second", flag.FeatureFlag{When: &flag.Condition{Flag: "put-made"}, Serve: "on"}, me))
	require.True(t, flag.ByKey("put-second", false).Value(store, &subject))

	// Whatever is wrong with it, or wrong with others because of it, is said, and nothing changes.
	err = store.Put("put-made", flag.FeatureFlag{When: &flag.Condition{Flag: "put-second"}, Serve: "onn"}, me)
	require.ErrorIs(t, err, flag.ErrInvalid)
	require.ErrorContains(t, err, `flags.put-made.serve: unknown variant "onn"`)
	require.ErrorContains(t, err, "flags.put-made: needs itself: flags.put-made -> flags.put-second -> flags.put-made")
	err = store.Put("put-made", flag.FeatureFlag{Variants: map[string]any{"yes": true, "no": true}, Serve: "yes"}, me)
	require.ErrorContains(t, err, "flags.put-second.when.serves: ")
	err = store.Clear("put-made", me)
	require.ErrorContains(t, err, `flags.put-second.when.flag: unknown flag "put-made"`)
	require.True(t, made.Value(store, &subject))

	err = store.Create("put-made", on, me)
	require.ErrorIs(t, err, flag.ErrConflict)
	require.EqualError(t, err, fmt.Sprintf("flag: create put-made: conflict: it is there already, by me at revision %d: test", status.Since))

	require.NoError(t, store.Clear("put-second", me))
	require.NoError(t, store.Clear("put-made", me))
	require.False(t, made.Value(store, &subject))
	_, err = store.Status("put-made")
	require.ErrorIs(t, err, flag.ErrNotFound)
	require.ErrorIs(t, store.Clear("put-made", me), flag.ErrNotFound)
	require.NoError(t, store.Create("put-made", on, me), "it is gone")
}

// TestPutIsStrict: a definition in Go is read as strictly as one in a document.
func TestPutIsStrict(t *testing.T) {
	cycle := map[string]any{}
	cycle["x"] = cycle
	tests := []struct {
		name, key string
		def       flag.FeatureFlag
		want      string
	}{
		{"a share", "strict", flag.FeatureFlag{Ramp: &flag.Ramp{Share: flag.All + 1}}, "flags.strict.ramp.percent: found 100.001"},
		{"two", "strict", flag.FeatureFlag{Ramp: &flag.Ramp{Share: -1}, Off: "x"}, "2 problems"},
		{"no number", "strict", flag.FeatureFlag{Variants: map[string]any{"a": math.NaN()}, Serve: "a"}, "flags.strict: cannot be written as JSON"},
		{"no value", "strict", flag.FeatureFlag{Variants: map[string]any{"a": func() {}}, Serve: "a"}, "flags.strict: cannot be written as JSON"},
		{"a value in itself", "strict", flag.FeatureFlag{Variants: map[string]any{"a": cycle}, Serve: "a"}, "flags.strict: cannot be written as JSON"},
		{"no key", "", on, "has no key"},
		{"no text", "a\xff", on, `found the key "a\xff", want UTF-8`},
		{"no condition", "strict", flag.FeatureFlag{Rules: []flag.Rule{{Serve: "on"}}}, "flags.strict.rules[0].if: has no condition"},
		{"no such segment", "strict", flag.FeatureFlag{When: &flag.Condition{Segment: "s"}}, `unknown segment "s"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := flag.New(nil, flag.Options{})
			err := store.Put(tt.key, tt.def, me)
			require.ErrorIs(t, err, flag.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, store.Snapshot())
		})
	}
	var none *flag.Store
	require.ErrorIs(t, none.Put("strict", on, me), flag.ErrNotFound)
	require.ErrorIs(t, none.Create("strict", on, me), flag.ErrNotFound)
	require.ErrorIs(t, none.Clear("strict", me), flag.ErrNotFound)
	require.ErrorIs(t, none.Rebalance("strict", flag.Split{}, me), flag.ErrNotFound)
	unread := flag.New(&source{}, flag.Options{})
	require.ErrorContains(t, unread.Put("strict", on, me), "no document is loaded yet")
	require.ErrorContains(t, unread.Put("strict", on, flag.Change{}), "want both")
}

// TestPutLiesOverTheDocument: a later document does not undo it, what lies over the flag
// stays, and Clear takes it away.
func TestPutLiesOverTheDocument(t *testing.T) {
	src := &source{data: `{"flags": {"laid": {"ramp": {"percent": 10}}, "beside": {}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	laid, subject := flag.Bool("laid", false), flag.For("u")
	require.NoError(t, store.SetRamp("laid", flag.Ramp{Share: 0}, me))
	def := flag.FeatureFlag{Description: "put", Targets: map[string][]string{"on": {"u"}}}
	require.NoError(t, store.Put("laid", def, me))
	require.True(t, laid.Value(store, &subject))
	def.Targets["on"][0] = "changed by its owner"
	check := func() {
		t.Helper()
		require.True(t, laid.Value(store, &subject))
		status, err := store.Status("laid")
		require.NoError(t, err)
		require.True(t, status.Put)
		require.Equal(t, flag.Ramp{Serve: "on", Salt: "laid"}, status.Ramp)
		got, err := store.Definition("laid")
		require.NoError(t, err)
		require.Equal(t, flag.FeatureFlag{Description: "put", Targets: map[string][]string{"on": {"u"}}}, got)
		got.Targets["on"][0] = "changed by a reader"
	}
	check()
	src.put(`{"flags": {"laid": {"ramp": {"percent": 20}}, "beside": {"serve": "on"}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	check()
	require.True(t, flag.ByKey("beside", false).Value(store, &subject))
	src.put(`{"flags": {"beside": {}}}`, nil)
	require.NoError(t, store.Load(t.Context()), "what is put does without a document")
	check()
	src.put(`{"flags": {"laid": {"ramp": {"percent": 30}}, "beside": {}}}`, nil)
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Clear("laid", me))
	status, err := store.Status("laid")
	require.NoError(t, err)
	require.Equal(t, flag.Share(30*flag.Percent), status.Ramp.Share)
	require.False(t, status.Put || status.Overlaid)

	// What lies over a flag must fit what is put under it.
	require.NoError(t, store.Override("laid", "on", me))
	err = store.Put("laid", flag.FeatureFlag{Variants: map[string]any{"yes": true}, Serve: "yes"}, me)
	require.ErrorContains(t, err, `flags.laid: unknown variant "on", want one of ["yes"]: me changed it at run time (test)`)
}

// TestPutAmongBrokenDocuments: a document that does not compile never replaces one that
// did, whatever was put over either.
func TestPutAmongBrokenDocuments(t *testing.T) {
	src := &source{data: `{"flags": {"a": {"variants": {"x": "1"}, "serve": "x"}, "b": {"variants": {"x": "1"}, "serve": "x"}}, "segments": {"s": {"keys": ["u"]}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	variants := func(names ...string) map[string]any {
		out := map[string]any{}
		for _, name := range names {
			out[name] = "put " + name
		}
		return out
	}
	expect := func(a, b string) {
		t.Helper()
		require.Equal(t, map[string]string{"a": a, "b": b}, served(store, "a", "b"))
	}
	refused := func(text, want string, quarantined ...string) {
		t.Helper()
		src.put(text, nil)
		require.ErrorContains(t, store.Load(t.Context()), want)
		for _, key := range []string{"a", "b"} {
			status, err := store.Status(key)
			require.NoError(t, err)
			require.Equal(t, len(quarantined) > 0 && quarantined[0] == key, status.Quarantined, key)
		}
	}
	require.NoError(t, store.Put("a", flag.FeatureFlag{Variants: variants("y"), Serve: "y", When: &flag.Condition{Segment: "s"}}, me))
	expect("put y", "1")
	refused(`{"flags": {"a": {"variants": {"x": "2"}, "serve": "x"}, "b": {"variants": {"x": "2"}, "serve": "x"}}}`, `flags.a.when.segment: unknown segment "s"`, "a")
	expect("put y", "2")
	refused(`{"flags": {"a": {"variants": {"x": "3"}, "serve": "z"}, "b": {"variants": {"x": "3"}, "serve": "x"}}, "segments": {"s": {"keys": ["u"]}}}`, `unknown variant "z"`, "a")
	expect("put y", "3")
	// Its document is wrong about a by now, but once was right.
	require.NoError(t, store.Clear("a", me))
	expect("2", "3")
	require.NoError(t, store.Put("a", flag.FeatureFlag{Variants: variants("y"), Serve: "y"}, me))
	// A document that fits only what it says itself keeps what serves.
	refused(`{"flags": {"a": {"variants": {"x": "4"}, "serve": "x"}, "b": {"variants": {"x": "4"}, "serve": "x", "when": {"flag": "a", "serves": ["x"]}}}}`, `flags.b.when.serves[0]`, "b")
	expect("put y", "3")
	require.ErrorIs(t, store.Load(t.Context()), flag.ErrInvalid)
	require.NoError(t, store.Clear("a", me))
	expect("4", "4")
	require.NoError(t, store.Load(t.Context()), "it fits by now")
	require.NoError(t, store.Err())
	refused(`{"flags": {"a"`, "invalid document")
	require.NoError(t, store.Put("a", flag.FeatureFlag{Variants: variants("x"), Serve: "x"}, me), "over the last document that was right")
	expect("put x", "4")
}

// TestRebalanceAtRunTime moves no more people than it must.
func TestRebalanceAtRunTime(t *testing.T) {
	store := load(t, `{"flags": {"parted": {"variants": {"a": "a", "b": "b", "c": "c"}, "split": {"parts": [{"serve": "a", "percent": 60}, {"serve": "b", "percent": 40}]}}, "whole": {}}}`)
	before := store.Snapshot()
	shares := flag.Split{Parts: []flag.Part{{Serve: "a", Share: 40 * flag.Percent}, {Serve: "b", Share: 40 * flag.Percent}, {Serve: "c", Share: 20 * flag.Percent}}}
	require.NoError(t, store.Rebalance("parted", shares, me))
	parted, moved := flag.ByKey("parted", ""), 0
	for i := range 2000 {
		subject := flag.For(string(rune('a'+i%26)) + string(rune('0'+i/26)))
		was, is := parted.From(before.View(subject)), parted.Value(store, &subject)
		if was != is {
			moved++
			require.Equal(t, []string{"a", "c"}, []string{was, is})
		}
	}
	require.InDelta(t, 400, moved, 80)
	require.ErrorContains(t, store.Rebalance("whole", shares, me), "has no split of its own")
	require.ErrorIs(t, store.Rebalance("nowhere", shares, me), flag.ErrNotFound)
	require.ErrorContains(t, store.Rebalance("parted", flag.Split{By: "country", Parts: shares.Parts}, me), "new.by")
	require.ErrorContains(t, store.Rebalance("parted", flag.Split{Parts: []flag.Part{{Serve: "z", Share: flag.All}}}, me), `unknown variant "z"`)
}

// TestPutAmongOlderDefinitions: what is put has to serve together with definitions that
// serve because the newest document is wrong about their flags, and is not blamed for
// those.
func TestPutAmongOlderDefinitions(t *testing.T) {
	src := &source{data: `{"flags": {"a": {}, "b": {"serve": "on", "when": {"flag": "a"}}, "c": {"variants": {"x": "1", "y": "2", "z": "3"}, "serve": "x"}}}`}
	store := flag.New(src, flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, store.Override("c", "y", me))
	src.put(`{"flags": {"a": {}, "b": {"serve": "onn"}, "c": {"variants": {"x": "1"}, "serve": "x"}}}`, nil)
	require.Error(t, store.Load(t.Context()))
	require.NoError(t, store.Override("c", "z", me), "of what serves")

	err := store.Put("a", flag.FeatureFlag{When: &flag.Condition{Flag: "b"}}, me)
	require.ErrorContains(t, err, `flags.a: does not fit older definitions, which serve because the newest document is wrong about their flags: ["b" "c"]`)
	require.NoError(t, store.Put("a", on, me))
	subject := flag.For("u")
	require.True(t, flag.ByKey("b", false).Value(store, &subject))
	require.Equal(t, "3", flag.ByKey("c", "").Value(store, &subject))
}
