package flag_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// served lists what each flag serves to a subject who is in no ramp below 100 %.
func served(store *flag.Store, keys ...string) map[string]string {
	out := map[string]string{}
	subject := flag.For("u", country.Is("SE"))
	for _, key := range keys {
		d := flag.ByKey(key, "default").Decide(store, &subject)
		out[key] = d.Value
		if d.Reason == flag.ReasonQuarantined {
			out[key] = "quarantined"
		}
	}
	return out
}

// TestQuarantine: what is right with a document serves at once; a flag that is
// wrong, or depends on what is wrong, goes on serving what it did.
func TestQuarantine(t *testing.T) {
	value := func(s string) string { return `"variants": {"v": "` + s + `"}, "serve": "v"` }
	tests := []struct {
		name        string
		first, next string
		quarantined []string
		want        map[string]string
	}{
		{"a bad flag", `{"flags": {"a": {` + value("1") + `}, "b": {` + value("1") + `}}}`,
			`{"flags": {"a": {` + value("2") + `, "servee": 1}, "b": {` + value("2") + `}}}`,
			[]string{"a"}, map[string]string{"a": "1", "b": "2"}},
		{"a bad flag that is new", `{"flags": {}}`,
			`{"flags": {"a": {` + value("2") + `, "off": "x"}, "b": {` + value("2") + `}}}`,
			[]string{"a"}, map[string]string{"a": "quarantined", "b": "2"}},
		{"a flag twice", `{"flags": {"a": {` + value("1") + `}}}`,
			`{"flags": {"a": {` + value("2") + `}, "a": {` + value("3") + `}}}`,
			[]string{"a"}, map[string]string{"a": "1"}},
		{"a key that must be quoted", `{"flags": {"a b.c": {` + value("1") + `}}}`,
			`{"flags": {"a b.c": {` + value("2") + `, "rules": [{"if": {}, "serve": "v"}]}, "b": {` + value("2") + `}}}`,
			[]string{"a b.c"}, map[string]string{"a b.c": "1", "b": "2"}},
		{"a bad segment", `{"flags": {"a": {` + value("1") + `, "when": {"segment": "s"}}, "b": {` + value("1") + `}}, "segments": {"s": {"keys": ["u"]}}}`,
			`{"flags": {"a": {` + value("2") + `, "when": {"segment": "t"}}, "b": {` + value("2") + `}}, "segments": {"t": {"if": {"segment": "s"}}, "s": {"keys": [""]}}}`,
			[]string{"a"}, map[string]string{"a": "1", "b": "2"}},
		{"a bad layer", `{"flags": {"a": {` + value("1") + `}, "b": {` + value("1") + `}, "c": {` + value("1") + `}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 50}]}}}}`,
			`{"flags": {"a": {` + value("2") + `}, "b": {` + value("2") + `}, "c": {` + value("2") + `}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 50}], "b": [{"from": 40, "to": 60}]}}}}`,
			[]string{"a", "b"}, map[string]string{"a": "1", "b": "1", "c": "2"}},
		{"a layer that changes with a bad flag", `{"flags": {"a": {` + value("1") + `}, "b": {` + value("1") + `}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 50}], "b": [{"from": 50, "to": 60}]}}}}`,
			`{"flags": {"a": {` + value("2") + `, "x": 1}, "b": {` + value("2") + `}}, "layers": {"l": {"flags": {"a": [{"from": 0, "to": 10}], "b": [{"from": 10, "to": 60}]}}}}`,
			[]string{"a", "b"}, map[string]string{"a": "1", "b": "1"}},
		{"a circle", `{"flags": {"a": {` + value("1") + `}, "b": {` + value("1") + `}, "c": {` + value("1") + `}}}`,
			`{"flags": {"a": {` + value("2") + `, "when": {"flag": "b", "serves": ["v"]}}, "b": {` + value("2") + `, "when": {"flag": "a", "serves": ["v"]}}, "c": {` + value("2") + `, "when": {"flag": "a", "serves": ["v"]}}}}`,
			[]string{"a", "b"}, map[string]string{"a": "1", "b": "1", "c": "2"}},
		{"a circle with a last good definition", `{"flags": {"a": {` + value("1") + `, "when": {"flag": "b", "serves": ["v"]}}, "b": {` + value("1") + `}}}`,
			`{"flags": {"a": {` + value("2") + `, "x": 1}, "b": {` + value("2") + `, "when": {"flag": "a", "serves": ["v"]}}}}`,
			[]string{"a", "b"}, map[string]string{"a": "1", "b": "1"}},
		{"a prerequisite that is quarantined and has never served", `{"flags": {}}`,
			`{"flags": {"a": {` + value("2") + `, "x": 1}, "b": {` + value("2") + `, "when": {"flag": "a", "serves": ["v"]}}}}`,
			[]string{"a"}, map[string]string{"a": "quarantined", "b": "default"}},
		{"nothing but text", `{"flags": {"a": {` + value("1") + `}}}`, `{"flags": {"a": {` + value("2") + `}`, nil, map[string]string{"a": "1"}},
		{"a field of the document", `{"flags": {"a": {` + value("1") + `}}}`, `{"flags": {"a": {` + value("2") + `}}, "segment": {}}`, nil, map[string]string{"a": "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			next := tt.first
			var told []flag.LoadInfo
			store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(next), nil }),
				flag.Options{OnLoad: func(info flag.LoadInfo) { told = append(told, info) }})
			require.NoError(t, store.Load(t.Context()))
			next = tt.next
			require.ErrorIs(t, store.Load(t.Context()), flag.ErrInvalid)
			keys := []string{}
			for key := range tt.want {
				keys = append(keys, key)
			}
			require.Equal(t, tt.want, served(store, keys...))
			require.Len(t, told, 2)
			require.Equal(t, tt.quarantined, told[1].Quarantined)
			require.Equal(t, tt.quarantined == nil, told[1].Refused)
			for _, key := range tt.quarantined {
				if status, err := store.Status(key); err == nil {
					require.True(t, status.Quarantined)
				} else {
					require.ErrorIs(t, err, flag.ErrNotFound)
				}
			}
			require.ErrorIs(t, store.Load(t.Context()), flag.ErrInvalid)
			require.Len(t, told, 2, "the same document is no news")

			// A strict store refuses it all.
			next = tt.first
			strict := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(next), nil }), flag.Options{Strict: true})
			require.NoError(t, strict.Load(t.Context()))
			before := served(strict, keys...)
			next = tt.next
			require.ErrorIs(t, strict.Load(t.Context()), flag.ErrInvalid)
			require.Equal(t, before, served(strict, keys...))
		})
	}
}

// TestCountsSurvive: counters go on over reloads, changes at run time and quarantine,
// and keep what was counted under variants that are gone.
func TestCountsSurvive(t *testing.T) {
	next := `{"flags": {"n": {"variants": {"a": 1, "b": 2}, "serve": "a"}, "other": {}}}`
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(next), nil }), flag.Options{})
	n := flag.Int("n", 0)
	subject := flag.For("u")
	step := func(document string, wrong bool, want map[string]uint64) {
		t.Helper()
		next = document
		if err := store.Load(t.Context()); wrong {
			require.Error(t, err)
		} else {
			require.NoError(t, err)
		}
		n.Value(store, &subject)
		n.From(store.View(subject))
		n.Decide(store, &subject)
		status, err := store.Status("n")
		require.NoError(t, err)
		require.Equal(t, want, status.Counts)
	}
	step(next, false, map[string]uint64{"a": 3})
	step(`{"flags": {"n": {"variants": {"a": 1, "b": 2}, "serve": "b"}}}`, false, map[string]uint64{"a": 3, "b": 3})
	require.NoError(t, store.SetRamp("n", flag.Ramp{Share: flag.All, Serve: "a"}, me))
	step(`{"flags": {"n": {"variants": {"a": 1, "b": 2}, "serve": "b", "x": 1}}}`, true, map[string]uint64{"a": 6, "b": 3})
	require.NoError(t, store.Kill("n", me))
	step(next, true, map[string]uint64{"a": 6, "b": 3, "": 3})
	require.NoError(t, store.Clear("n", me))
	step(`{"flags": {"n": {"variants": {"b": 2, "c": 3, "d": 4}, "serve": "c"}, "new": {}}}`, false, map[string]uint64{"a": 6, "b": 3, "c": 3, "": 3})

	quiet := flag.New(flag.Bytes([]byte(next)), flag.Options{NoCounts: true})
	require.NoError(t, quiet.Load(t.Context()))
	n.Value(quiet, &subject)
	status, err := quiet.Status("n")
	require.NoError(t, err)
	require.Nil(t, status.Counts)
}

// TestQuarantineForgetsNoLayer: what a document does depends on the flags that serve,
// and not on the broken documents in between.
func TestQuarantineForgetsNoLayer(t *testing.T) {
	const good = `{"flags": {"kept-a": {"ramp": {"percent": 100}}, "kept-b": {"ramp": {"percent": 100}}},
		"layers": {"kept-page": {"flags": {"kept-a": [{"from": 0, "to": 50}], "kept-b": [{"from": 50, "to": 100}]}}}}`
	text := good
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(text), nil }), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	text = strings.Replace(good, `"from": 50`, `"from": 40`, 1)
	require.Error(t, store.Load(t.Context()))
	text = strings.Replace(strings.Replace(good, `"ramp"`, `"rmap"`, 1), `"percent": 100}}},`, `"percent": 90}}},`, 1)
	require.Error(t, store.Load(t.Context()))
	a, err := store.Status("kept-a")
	require.NoError(t, err)
	require.True(t, a.Quarantined)
	b, err := store.Status("kept-b")
	require.NoError(t, err)
	require.False(t, b.Quarantined)
	require.Equal(t, flag.Share(90*flag.Percent), b.Ramp.Share)
}

// TestBrokenFromTheStart: a flag that has never had a definition is there all the same,
// can be killed, and is killed once it has one.
func TestBrokenFromTheStart(t *testing.T) {
	text := `{"flags": {"never-good": {"serve": "onn"}, "fine": {}}}`
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(text), nil }), flag.Options{})
	require.Error(t, store.Load(t.Context()))
	me := flag.Change{Actor: "me", Reason: "test"}
	require.ErrorContains(t, store.SetRamp("never-good", flag.Ramp{Share: 1}, me), "its definition is broken")
	require.ErrorContains(t, store.Override("never-good", "on", me), "its definition is broken")
	require.ErrorIs(t, store.Kill("not-there", me), flag.ErrNotFound)
	require.NoError(t, store.Kill("never-good", me))
	status, err := store.Status("never-good")
	require.NoError(t, err)
	require.True(t, status.Quarantined && status.Killed && status.Change == me, "%+v", status)
	var keys []string
	for s := range store.All() {
		keys = append(keys, s.Key)
	}
	require.Equal(t, []string{"fine", "never-good"}, keys)
	subject := flag.For("u")
	require.True(t, flag.ByKey("never-good", true).Value(store, &subject), "the caller's default")

	text = strings.Replace(text, "onn", "on", 1)
	require.NoError(t, store.Load(t.Context()))
	require.Equal(t, flag.ReasonKilled, flag.ByKey("never-good", true).Decide(store, &subject).Reason)
	require.False(t, flag.ByKey("never-good", true).Value(store, &subject))
	require.NoError(t, store.Clear("never-good", me))
	require.True(t, flag.ByKey("never-good", false).Value(store, &subject))
}

// TestWrongTypesCountAsTheDefault: a variant is counted when it is served.
func TestWrongTypesCountAsTheDefault(t *testing.T) {
	store := load(t, `{"flags": {"wrong-typed": {"variants": {"a": "x"}, "serve": "a"}}}`)
	subject := flag.For("u")
	require.Equal(t, "x", flag.ByKey("wrong-typed", "").Value(store, &subject))
	require.True(t, flag.ByKey("wrong-typed", true).Value(store, &subject))
	require.Equal(t, flag.ReasonWrongType, flag.ByKey("wrong-typed", true).Decide(store, &subject).Reason)
	status, err := store.Status("wrong-typed")
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"a": 1, "": 2}, status.Counts)
}

// TestCountsDoNotGrow: documents that change a flag's variants at each load leave no more
// behind than the newest counts; those of variants that stay, or come back soon, go on.
func TestCountsDoNotGrow(t *testing.T) {
	src := &source{}
	store := flag.New(src, flag.Options{})
	subject := flag.For("u")
	counts := func() map[string]uint64 {
		status, err := store.Status("x")
		require.NoError(t, err)
		return status.Counts
	}
	loads := 0
	serve := func(variant string) {
		t.Helper()
		loads++
		src.put(fmt.Sprintf(`{"flags": {"x": {"variants": {"stays": "s", %q: "a"}, "serve": %q, "off": "stays", "when": {"any": []}}}}`, variant, variant), nil)
		require.NoError(t, store.Load(t.Context()))
		flag.ByKey("x", "").Value(store, &subject) // off
		flag.ByKey("x", 0).Value(store, &subject)  // another type: the caller's default
		require.NoError(t, store.Override("x", variant, me))
		flag.ByKey("x", "").Value(store, &subject)
		require.NoError(t, store.Clear("x", me))
	}
	for i := range 30 {
		serve(fmt.Sprint("build-", i))
		if i%7 == 0 {
			serve("returns")
		}
		if i > 0 {
			require.NotEmpty(t, counts()[fmt.Sprint("build-", i-1)])
		}
	}
	want := map[string]uint64{"": uint64(loads), "stays": uint64(loads), "returns": 5}
	for i := 22; i < 30; i++ {
		want[fmt.Sprint("build-", i)] = 1
	}
	require.Equal(t, want, counts())
	for range 5 { // to and fro between two sets
		serve("build-28")
		serve("build-29")
	}
	delete(want, "build-22") // which more than 8 sets lack by now
	want["build-28"], want["build-29"], want[""], want["stays"] = 6, 6, uint64(loads), uint64(loads)
	require.Equal(t, want, counts())
}
