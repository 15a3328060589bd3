package flag_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestPrerequisitesAreOfTheSameMoment: without a moment of its own, a subject is asked
// about at one moment, prerequisites included.
func TestPrerequisitesAreOfTheSameMoment(t *testing.T) {
	opens := time.Now().Add(150 * time.Millisecond).UTC().Format(time.RFC3339Nano)
	var slow []string
	for i := range 2000 {
		slow = append(slow, fmt.Sprintf(`{"not": {"attr": "moment-text", "contains": "x%d", "fold": true}}`, i))
	}
	store := load(t, `{"flags": {"moment-opens": {"when": {"time": {"from": "`+opens+`"}}, "serve": "on"},
		"moment-both": {"rules": [{"if": {"all": [{"not": {"flag": "moment-opens", "serves": ["on"]}}, `+strings.Join(slow, ",")+`, {"flag": "moment-opens", "serves": ["on"]}]}, "serve": "on"}]}}}`)
	subject := flag.For("u", flag.Attr[string]("moment-text").Is(strings.Repeat("y", 5000)))
	both, opened := flag.ByKey("moment-both", false), flag.ByKey("moment-opens", false)
	for !opened.Value(store, &subject) {
		require.False(t, both.Value(store, &subject), "off and on at once")
	}
}

// TestFractionsAreExact: a literal is compared as it is written, or refused.
func TestFractionsAreExact(t *testing.T) {
	n, x := flag.Attr[int64]("fraction-n"), flag.Attr[float64]("fraction-x")
	for _, tt := range []struct {
		condition string
		fact      flag.Fact
		want      bool
	}{
		{`"attr": "fraction-n", "lt": 0.99999999999999999999`, n.Is(1), false},
		{`"attr": "fraction-n", "lt": 1.00000000000000000001`, n.Is(1), true},
		{`"attr": "fraction-n", "eq": 1.00000000000000000001`, n.Is(1), false},
		{`"attr": "fraction-n", "gt": -1.00000000000000000001`, n.Is(-1), true},
		{`"attr": "fraction-n", "lt": -0.99999999999999999999`, n.Is(-1), true},
		{`"attr": "fraction-n", "lt": 1e-999999`, n.Is(0), true},
		{`"attr": "fraction-n", "gt": -1e-999999`, n.Is(0), true},
		{`"attr": "fraction-x", "lt": 0.99999999999999999999`, x.Is(0.5), true},
		{`"attr": "fraction-x", "ge": 2251799813685247.5`, x.Is(2251799813685247.5), true},
		{`"attr": "fraction-n", "lt": -1e19`, n.Is(-1 << 63), false},
	} {
		store := load(t, `{"flags": {"fraction": {"rules": [{"if": {`+tt.condition+`}, "serve": "on"}]}}}`)
		subject := flag.For("u", tt.fact)
		require.Equal(t, tt.want, flag.ByKey("fraction", false).Value(store, &subject), tt.condition)
	}
	for _, literal := range []string{"9007199254740993.5", "4503599627370496.4", "-1700000000000000000.5"} {
		problems := flag.Lint([]byte(`{"flags": {"fraction": {"rules": [{"if": {"attr": "fraction-n", "lt": ` + literal + `}, "serve": "on"}]}}}`))
		require.ErrorContains(t, problems, "found "+literal+", want no fraction beyond 2^52")
	}
	store := load(t, `{"flags": {"nearest": {"variants": {"a": 0.99999999999999999999, "b": 9007199254740993.5}, "serve": "a", "rules": [{"if": {"attr": "fraction-n", "eq": 1}, "serve": "b"}]}}}`)
	for i, want := range []float64{1, 9007199254740994} {
		subject := flag.For("u", n.Is(int64(i)))
		require.Equal(t, want, flag.ByKey("nearest", 0.0).Value(store, &subject))
	}
}

// TestTinyNumbersAreCheap: it is not their value that has to be written out.
func TestTinyNumbersAreCheap(t *testing.T) {
	list := strings.Repeat("1e-999999999, ", 20_000) + "0"
	load(t, `{"flags": {"tiny": {"rules": [{"if": {"attr": "fraction-x", "in": [`+list+`]}, "serve": "on"}]}}}`)
}

// TestZeroViews: the zero View is one of no document.
func TestZeroViews(t *testing.T) {
	on := flag.Bool("zero-view", true)
	var view flag.View
	require.True(t, on.From(&view))
	require.Equal(t, flag.ReasonNoDocument, on.DecideFrom(&view).Reason)
	seen := on.Watch(&view)
	require.False(t, on.From(on.Override(&view, false)))
	require.True(t, on.On(flag.NewContext(t.Context(), &view)))
	require.True(t, seen.Seen())
	//lint:ignore SA1012 a nil context is what is tested
	require.True(t, on.On(nil))
	any := flag.ByKey[error]("zero-view", context.Canceled)
	require.NoError(t, any.From(any.Override(&view, nil)), "nil is a value, too")
}

// TestAnyAllocatesNothing, and is of the same type whether it is declared or not.
func TestAnyAllocatesNothing(t *testing.T) {
	store := load(t, `{"flags": {"any-bool": {}, "any-text": {"variants": {"a": "x"}, "serve": "a"}, "any-int": {"variants": {"a": 9007199254740993}, "serve": "a"}}}`)
	subject := flag.For("u")
	for key, want := range map[string]any{"any-bool": false, "any-text": "x", "any-int": int64(9007199254740993)} {
		ref := flag.ByKey[any](key, nil)
		require.Equal(t, want, ref.Value(store, &subject))
		require.Zero(t, testing.AllocsPerRun(100, func() { ref.Value(store, &subject) }), key)
	}
	declared := flag.JSON[any]("any-int", nil)
	require.Equal(t, int64(9007199254740993), declared.Value(store, &subject))
	require.NoError(t, store.Load(t.Context()))
	require.Equal(t, int64(9007199254740993), declared.Value(store, &subject))
}

// TestNothingOfOldDocumentsIsKept: neither counters nor attributes keep the text of a
// document that is gone.
func TestNothingOfOldDocumentsIsKept(t *testing.T) {
	const size = 1 << 20
	n := 0
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) {
		n++
		return fmt.Appendf(nil, `{"flags": {"kept": {"description": %q, "variants": {"a%d": "x", "b": "y"}, "serve": "b", "rules": [{"if": {"attr": "kept-attribute-%d", "eq": 1}, "serve": "b"}]}}}`,
			strings.Repeat("x", size), n%3, n), nil
	}), flag.Options{})
	live := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	require.NoError(t, store.Load(t.Context()))
	subject, before := flag.For("u"), live()
	for range 20 {
		flag.ByKey("kept", "").Value(store, &subject)
		require.NoError(t, store.Load(t.Context()))
	}
	require.Less(t, live(), before+5*size)
	status, err := store.Status("kept")
	require.NoError(t, err)
	require.Equal(t, map[string]uint64{"b": 20}, status.Counts)
}

// TestCompiledLayersAreFrozen: who changes a document later changes nothing.
func TestCompiledLayersAreFrozen(t *testing.T) {
	var doc flag.Document
	require.NoError(t, json.Unmarshal([]byte(`{"flags": {"frozen": {"ramp": {"percent": 100}}}, "layers": {"l": {"flags": {"frozen": [{"from": 0, "to": 100}]}}}}`), &doc))
	set, err := flag.Compile(doc)
	require.NoError(t, err)
	doc.Layers["l"].Flags["frozen"][0].To = 0
	require.True(t, flag.ByKey("frozen", false).From(set.View(flag.For("u"))))
}

// TestCostIsBounded: what one evaluation may cost is counted in whatever takes time.
func TestCostIsBounded(t *testing.T) {
	var networks, ramps []string
	for i := range 1001 {
		networks = append(networks, fmt.Sprintf(`"10.%d.%d.0/24"`, i/256, i%256))
		ramps = append(ramps, `{"if": {"all": []}, "ramp": {"percent": 0}}`)
	}
	big := `{"if": {"attr": "cost-ip", "cidr": [` + strings.Join(networks, ",") + `]}, "serve": "on"}`
	for _, rules := range []string{strings.Repeat(big+",", 1000) + big, strings.Join(ramps, ",")} {
		flags := []string{`"cost-0": {"rules": [` + rules + `]}`}
		for i := range 999 { // each asks the first
			flags = append(flags, fmt.Sprintf(`"cost-%d": {"when": {"flag": "cost-0"}}`, i+1))
		}
		var needs []string
		for i := range 1000 {
			needs = append(needs, fmt.Sprintf(`{"flag": "cost-%d"}`, i))
		}
		flags = append(flags, `"cost-all": {"when": {"any": [`+strings.Join(needs, ",")+`]}}`)
		problems := flag.Lint([]byte(`{"flags": {` + strings.Join(flags, ",") + `}}`))
		require.ErrorContains(t, problems, "flags.cost-all")
	}
	require.ErrorContains(t, flag.Lint([]byte(`{"flags": {"cost": {"rules": [{"if": {"attr": "cost-ip", "matches": ".{0,500}.{0,500}.{0,500}"}, "serve": "on"}]}}}`)), "want at most 1000: repeat less")
}
