package flag_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func compiled(t testing.TB, document string) *flag.Set {
	t.Helper()
	doc, err := flag.Parse([]byte(document))
	require.NoError(t, err)
	set, err := flag.Compile(doc)
	require.NoError(t, err)
	return set
}

// TestReplayAgainstAProposal: another document decides the recorded subject its way, and
// what it would have to know beside the record is named.
func TestReplayAgainstAProposal(t *testing.T) {
	country, plan := flag.Attr[string]("replay-country"), flag.Attr[string]("replay-plan")
	const before = `{"flags": {"replay": {"rules": [{"if": {"attr": "replay-country", "eq": "SE"}, "serve": "on"}]}}}`
	subject := flag.For("u", country.Is("SE"), plan.Is("pro"))
	e := compiled(t, before).Explain("replay", &subject)
	require.Equal(t, []flag.Seen{{Name: "replay-country", Value: "SE"}}, e.Attributes, "only what was asked for")
	for _, tt := range []struct {
		proposed string
		same     bool
		variant  string
		lacks    []string
	}{
		{before, true, "on", nil},
		{strings.Replace(before, "SE", "NO", 1), false, "off", nil},
		{`{"flags": {"replay": {"rules": [{"if": {"attr": "replay-plan", "eq": "pro"}, "serve": "off"}, {"if": {"attr": "replay-country", "eq": "SE"}, "serve": "on"}]}}}`, false, "on", []string{"replay-plan"}},
		{`{"flags": {"replay": {"when": {"time": {"until": "2000-01-01T00:00:00Z"}}}}}`, false, "off", nil},
		{`{"flags": {}}`, false, "", nil},
	} {
		got, err := compiled(t, tt.proposed).Replay(e)
		require.NoError(t, err)
		require.Equal(t, tt.same, e.Same(got), tt.proposed)
		require.Equal(t, tt.variant, got.Variant, tt.proposed)
		require.Equal(t, tt.lacks, got.Unrecorded, tt.proposed)
		require.Equal(t, tt.same, e.Snapshot == got.Snapshot)
		if tt.lacks != nil {
			require.Contains(t, got.String(), ", not knowing replay-plan\n")
		}
		data, err := json.Marshal(got)
		require.NoError(t, err)
		var read flag.Explanation
		require.NoError(t, json.Unmarshal(data, &read))
		require.Equal(t, got, read)
	}
}

// TestSame: an outcome is the same if all of it is.
func TestSame(t *testing.T) {
	e := flag.Explanation{Variant: "a", Reason: flag.ReasonRamp, Rule: 1, Unit: 2, Slot: 3, Ramp: 4}
	same := e
	same.Key, same.Revision, same.Snapshot = "another", 7, "another"
	require.True(t, e.Same(same))
	for i, change := range []func(*flag.Explanation){
		func(e *flag.Explanation) { e.Variant = "b" }, func(e *flag.Explanation) { e.Reason = flag.ReasonRule }, func(e *flag.Explanation) { e.Rule = -1 },
		func(e *flag.Explanation) { e.Unit = 0 }, func(e *flag.Explanation) { e.Slot = 0 }, func(e *flag.Explanation) { e.Ramp = 0 },
	} {
		other := e
		change(&other)
		require.False(t, e.Same(other), "%d", i)
	}
}

// TestReplayIsExact: every kind of value, and a moment, come back as they were.
func TestReplayIsExact(t *testing.T) {
	facts := []flag.Fact{
		flag.Attr[int64]("exact-a").Is(math.MinInt64), flag.Attr[int64]("exact-a").Is(1<<53 + 1), flag.Attr[uint64]("exact-a").Is(math.MaxUint64), flag.Attr[float64]("exact-a").Is(0.1), flag.Attr[float64]("exact-a").Is(5e-324),
		flag.Attr[float32]("exact-a").Is(0.1), flag.Attr[float64]("exact-a").Is(1e300), flag.Attr[float64]("exact-a").Is(math.Inf(1)), flag.Attr[float64]("exact-a").Is(math.Inf(-1)), flag.Attr[float64]("exact-a").Is(math.NaN()),
		flag.Attr[string]("exact-a").Is(""), flag.Attr[string]("exact-a").Is("\xff\x00<&>\u2028"), flag.Attr[string]("exact-a").Is(strings.Repeat("ä", 5000)), flag.Attr[bool]("exact-a").Is(false), flag.Attr[time.Time]("exact-a").Is(launch.Add(1)),
		flag.Attr[time.Time]("exact-a").Is(time.Time{}), flag.Attr[time.Time]("exact-a").Is(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)), flag.Attr[time.Time]("exact-a").Is(time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)),
		flag.Attr[[]string]("exact-b").Is(nil), flag.Attr[[]string]("exact-b").Is([]string{"", "\xff", "a"}),
	}
	set := compiled(t, `{"flags": {"exact": {"when": {"time": {"until": "2026-12-02T00:00:00Z"}}, "rules": [{"if": {"any": [{"attr": "exact-a", "eq": 1}, {"attr": "exact-b", "eq": "x"}]}, "serve": "on"}],
		"ramp": {"percent": 0, "linear": true, "schedule": [{"at": "2026-11-30T00:00:00Z", "percent": 0}, {"at": "2026-12-02T00:00:00Z", "percent": 100}]}}}}`)
	for i, fact := range facts {
		for _, at := range []time.Time{launch, launch.Add(1), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), {}} {
			subject := flag.For("\xffkey", fact).At(at)
			replayed(t, set, set.Explain("exact", &subject))
			subject = flag.For([]string{"", "u"}[i%2], fact)
			replayed(t, set, set.Explain("exact", &subject))
		}
	}
}

// TestHash is the same for the same definitions, and no other.
func TestHash(t *testing.T) {
	flags := map[string]string{
		"hash-a": `{"variants": {"x": 1, "y": 2.5}, "targets": {"x": ["k", "l"], "y": ["m"]}, "rules": [{"if": {"segment": "outer"}, "serve": "x"}], "serve": "y"}`,
		"hash-b": `{"ramp": {"percent": 25}}`,
	}
	segments := `"inner": {"keys": ["a"]}, "outer": {"if": {"segment": "inner"}}`
	layers := `"l": {"holdout": 1, "flags": {"hash-b": [{"from": 0, "to": 50}]}}`
	document := func(order []string) string {
		var list []string
		for _, key := range order {
			list = append(list, `"`+key+`": `+flags[key])
		}
		return `{"flags": {` + strings.Join(list, ", ") + `}, "segments": {` + segments + `}, "layers": {` + layers + `}}`
	}
	keys := slices.Sorted(maps.Keys(flags))
	plain := document(keys)
	hash := compiled(t, plain).Hash()
	require.Len(t, hash, 64)
	slices.Reverse(keys)
	require.Equal(t, hash, compiled(t, document(keys)).Hash())
	require.Equal(t, hash, compiled(t, strings.ReplaceAll(strings.ReplaceAll(plain, " ", "\n\t"), "2.5", "25e-1")).Hash())
	store := load(t, plain)
	subject := flag.For("u")
	stored := func() string { return store.Explain("hash-b", &subject).Snapshot }
	require.Equal(t, hash, stored(), "from text as from Go")
	seen := map[string]string{hash: "the same"}
	other := func(what, hash string) {
		t.Helper()
		require.Empty(t, seen[hash], what)
		seen[hash] = what
	}
	for _, change := range [][2]string{{`"x": 1`, `"x": 7`}, {`"l"]`, `"n"]`}, {`"outer"}`, `"inner"}`}, {`["a"]`, `["b"]`}, {`: 25`, `: 26`}, {`"holdout": 1`, `"holdout": 2`}, {`"to": 50`, `"to": 49`}, {`"serve": "y"`, `"serve": "x"`}, {"hash-b", "hash-c"}} {
		other(change[1], compiled(t, strings.ReplaceAll(plain, change[0], change[1])).Hash())
	}
	change := flag.Change{Actor: "anna", Reason: "test"}
	require.NoError(t, store.Kill("hash-b", change))
	other("killed", stored())
	require.NoError(t, store.Clear("hash-b", change))
	require.Equal(t, hash, stored())
	require.NoError(t, store.Override("hash-b", "on", change))
	other("override", stored())
	require.NoError(t, store.Override("hash-b", "off", change))
	other("another override", stored())
	require.NoError(t, store.Clear("hash-b", change))
	require.NoError(t, store.SetRamp("hash-b", flag.Ramp{Share: 30 * flag.Percent}, change))
	other("ramp", stored())
	require.NoError(t, store.SetRamp("hash-b", flag.Ramp{Share: 31 * flag.Percent}, change))
	ramp := stored()
	other("another ramp", ramp)
	again := load(t, plain)
	require.NoError(t, again.SetRamp("hash-b", flag.Ramp{Share: 31 * flag.Percent}, change))
	require.Equal(t, ramp, again.Explain("hash-b", &subject).Snapshot, "the same overlay")
}

// TestExplainedDefinitionsAreFrozen: who changes a document later changes no account of
// it.
func TestExplainedDefinitionsAreFrozen(t *testing.T) {
	doc, err := flag.Parse([]byte(`{"flags": {"explain-frozen": {"variants": {"a": {"x": [1]}, "b": {}}, "rules": [{"if": {"all": [{"attr": "frozen-a", "in": ["x", "y"]}, {"segment": "s"}]}, "serve": "a"}], "serve": "b"}}, "segments": {"s": {"if": {"not": {"attr": "frozen-a", "eq": "z"}}}}}`))
	require.NoError(t, err)
	set, err := flag.Compile(doc)
	require.NoError(t, err)
	twin, err := flag.Compile(doc)
	require.NoError(t, err)
	subject := flag.For("u", flag.Attr[string]("frozen-a").Is("x"))
	want := twin.Explain("explain-frozen", &subject)
	def := doc.Flags["explain-frozen"]
	def.Variants["a"].(map[string]any)["x"].([]any)[0] = 2
	def.Rules[0].If.All[0].In[0] = "changed"
	doc.Segments["s"].If.Not.Eq = "changed"
	def.Rules[0].Serve = "b"
	require.Equal(t, want, set.Explain("explain-frozen", &subject))
}

// TestExplainOfTheLastGood: a quarantined flag is explained as it serves, with the
// segment that it was compiled with.
func TestExplainOfTheLastGood(t *testing.T) {
	text := `{"flags": {"lastgood": {"rules": [{"if": {"segment": "s"}, "serve": "on"}]}}, "segments": {"s": {"keys": ["u"]}}}`
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(text), nil }), flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	subject := flag.For("u")
	want := store.Explain("lastgood", &subject)
	require.Equal(t, "on", want.Variant)
	text = `{"flags": {"lastgood": {"rules": [{"if": {"segment": "s"}, "serve": "nope"}]}}, "segments": {"s": {"keys": ["v"]}}}`
	require.Error(t, store.Load(t.Context()))
	got := store.Explain("lastgood", &subject)
	require.Equal(t, want.Steps, got.Steps)
	require.Equal(t, want.Snapshot, got.Snapshot, "the same decides")
	text = `{"flags": {"lastgood": {"rules": [{"if": {"segment": "s"}, "serve": "on"}]}}, "segments": {"s": {"keys": ["v"]}}}`
	require.NoError(t, store.Load(t.Context()))
	require.NotEqual(t, want.Snapshot, store.Explain("lastgood", &subject).Snapshot)
}

// TestGarbledRecords are errors, and leave what they were read into.
func TestGarbledRecords(t *testing.T) {
	store, subject := typical(t)
	data, err := json.Marshal(store.Explain("explain-typical", &subject))
	require.NoError(t, err)
	good := string(data)
	for _, change := range [][2]string{
		{`"reason":"ramp"`, `"reason":"luck"`}, {`"reason":"ramp"`, `"reason":"invalid"`}, {`"reason":"ramp",`, ``}, {`"key":"user-123456",`, ``}, {`"key":"user-123456"`, `"key":null`}, {`"key":"user-123456"`, `"key":7`},
		{`"key":"user-123456"`, `"key":{"base64":"!"}`}, {`"key":"user-123456"`, `"key":{}`}, {`"key":"user-123456"`, `"key":{"base64":"","more":1}`}, {`"flag":`, `"flags":`}, {`"kind":"string"`, `"kind":"text"`}, {`"kind":"string"`, `"kind":"int"`},
		{`"kind":"string"`, `"kind":"missing"`}, {`"kind":"string","value":"SE"`, `"kind":"string"`}, {`"kind":"string","value":"SE"`, `"kind":"string","value":null`}, {`"kind":"string","value":"SE"`, `"kind":"int","value":1.5`},
		{`"kind":"string","value":"SE"`, `"kind":"int","value":9223372036854775808`}, {`"kind":"string","value":"SE"`, `"kind":"uint","value":7`}, {`"kind":"string","value":"SE"`, `"kind":"float","value":7`}, {`"kind":"string","value":"SE"`, `"kind":"float","value":"NaN"`},
		{`"kind":"string","value":"SE"`, `"kind":"time","value":"2026-13-01T00:00:00Z"`}, {`"kind":"string","value":"SE"`, `"kind":"time","value":"9000-01-01T00:00:00Z"`}, {`"kind":"string","value":"SE"`, `"kind":"time","value":"0001-01-01T00:00:00Z"`},
		{`"kind":"string","value":"SE"`, `"kind":"list","value":[7]`}, {`"kind":"string","value":"SE"`, `"kind":"list","value":[null]`}, {`"kind":"string","value":"SE"`, `"kind":"bool","value":"true"`},
		{`"attr":"explain-country"`, `"attr":"explain-plan"`}, {`"is":"true"`, `"is":"maybe"`}, {`"slot":`, `"slot":1`}, {`"unit":"`, `"unit":"x`}, {`"rule":`, `"rule":-7,"x":`}, {`"steps":[`, `"steps":[null,`}, {`}]}`, `}]`}, {`{"flag"`, `[]{"flag"`},
		{`"attributes":[`, `"attributes":[{"name":"explain-country","kind":"missing"},`}, {`"attributes":[`, `"attributes":[null,`},
	} {
		if !strings.Contains(good, change[0]) {
			continue // what a record without a rule does not have
		}
		before := flag.Explanation{Flag: "before"}
		err := json.Unmarshal([]byte(strings.Replace(good, change[0], change[1], 1)), &before)
		require.Error(t, err, "%v: %s", change, good)
		require.Equal(t, flag.Explanation{Flag: "before"}, before)
	}
	var e flag.Explanation
	err = json.Unmarshal([]byte(strings.Replace(good, `"kind":"string"`, `"kind":"text"`, 1)), &e)
	require.EqualError(t, err, `flag: read record : attribute "explain-country": found kind "text", want one of an attribute`)
	var at *flag.Error
	require.True(t, errors.As(err, &at))
	_, err = store.Explain("explain-typical", &subject).MarshalJSON()
	require.NoError(t, err)
	e = flag.Explanation{Flag: "x", Reason: flag.ReasonServe, Attributes: []flag.Seen{{Name: "a", Value: 7}}}
	_, err = (*flag.Set)(nil).Replay(e)
	require.EqualError(t, err, `flag: replay x: attribute "a": found a int, which none can be`)
	_, err = json.Marshal(e)
	require.ErrorContains(t, err, "found a int, which none can be")
}

// FuzzExplainText: whatever document is served, every flag is explained as it is decided,
// and replayed.
func FuzzExplainText(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(f, err)
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(data), uint64(i), []byte{})
	}
	for seed := range uint64(30) {
		f.Add(written(newDice(seed, nil).document()), seed, []byte{})
	}
	f.Fuzz(func(t *testing.T, document string, seed uint64, tape []byte) {
		store := flag.New(flag.Bytes([]byte(document)), flag.Options{OnLoad: func(flag.LoadInfo) {}})
		_ = store.Load(t.Context())
		d, words := newDice(seed, tape), wordsOf(document)
		var set *flag.Set
		if doc, err := flag.Parse([]byte(document)); err == nil {
			set, _ = flag.Compile(doc)
		}
		for range 3 {
			p := d.person(words)
			if p.now.IsZero() {
				p.now = launch
			}
			subject := p.subject()
			for status := range store.All() {
				e := store.Explain(status.Key, &subject)
				decided := flag.ByKey[any](status.Key, nil).Decide(store, &subject)
				require.Equal(t, outcome{decided.Variant, decided.Reason, decided.Rule, decided.Unit, decided.Slot, decided.Ramp}, outcomeOf(e), "%v", e)
				for _, one := range []flag.Explanation{e, e.Redact()} {
					data, err := json.Marshal(one)
					require.NoError(t, err)
					var read flag.Explanation
					require.NoError(t, json.Unmarshal(data, &read))
					require.Equal(t, one.String(), read.String())
				}
				if set != nil {
					got, err := set.Replay(e)
					require.NoError(t, err)
					require.True(t, e.Same(got))
				}
			}
		}
	})
}

// FuzzRecord: whatever a record says, reading it gives an error or an explanation that
// prints, can be written again, and is replayed or not.
func FuzzRecord(f *testing.F) {
	for seed := range uint64(20) {
		d := newDice(seed, nil)
		doc := d.document()
		set, err := flag.Compile(doc)
		require.NoError(f, err)
		subject := d.person(attributes).subject()
		for key := range doc.Flags {
			data, err := json.Marshal(set.Explain(key, &subject))
			require.NoError(f, err)
			f.Add(data)
		}
	}
	set := compiled(f, `{"flags": {"random-a": {"rules": [{"if": {"attr": "random-country", "eq": "SE"}, "ramp": {"percent": 50, "by": "random-org"}}]}}}`)
	f.Fuzz(func(t *testing.T, data []byte) {
		var e flag.Explanation
		if err := json.Unmarshal(data, &e); err != nil {
			return
		}
		require.NotEmpty(t, e.String())
		again, err := json.Marshal(e)
		require.NoError(t, err)
		var read flag.Explanation
		require.NoError(t, json.Unmarshal(again, &read))
		require.Equal(t, e.String(), read.String())
		_ = e.Redact().String()
		if _, err := set.Replay(e); err == nil {
			require.False(t, e.Redacted)
		}
	})
}
