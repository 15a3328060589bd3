package flag_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// repeated writes a text n times, with the number in the place of # and the next one in the
// place of +.
func repeated(n int, text string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = strings.NewReplacer("#", fmt.Sprintf("%05d", i), "+", fmt.Sprintf("%05d", i+1)).Replace(text)
	}
	return strings.Join(all, ",")
}

// reloads loads documents one after the other and returns how the last one fared. Only
// that one may be wrong.
func reloads(t *testing.T, documents ...string) (*flag.Store, flag.LoadInfo) {
	t.Helper()
	var next string
	var info flag.LoadInfo
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return []byte(next), nil }),
		flag.Options{OnLoad: func(i flag.LoadInfo) { info = i }})
	for i := range documents[:len(documents)-1] {
		next = documents[i]
		require.NoError(t, store.Load(t.Context()), "document %d", i)
	}
	next = documents[len(documents)-1]
	_ = store.Load(t.Context())
	return store, info
}

// needs is a flag that evaluates others, ten times each.
func needs(key string, others ...string) string {
	var all []string
	for _, other := range others {
		all = append(all, strings.TrimSuffix(strings.Repeat(`{"all":[{"flag":"`+other+`"},{"any":[]}]},`, 10), ","))
	}
	return fmt.Sprintf(`%q:{"when":{"not":{"any":[%s]}},"serve":"on"}`, key, strings.Join(all, ","))
}

// chain is flags from one to another, each of which evaluates the next ten times.
func chain(from, to int) (flags []string) {
	for i := from; i < to; i++ {
		flags = append(flags, needs(fmt.Sprintf("c%02d", i), fmt.Sprintf("c%02d", i+1)))
	}
	return flags
}

func document(flags ...string) string { return `{"flags":{` + strings.Join(flags, ",") + `}}` }

// TestACircleDoesNotHideTheCost: what costs too much is refused beside a circle, too.
func TestACircleDoesNotHideTheCost(t *testing.T) {
	_, info := reloads(t, document(append(chain(0, 8), `"c08":{}`, `"z":{"when":{"flag":"z"}}`)...))
	require.ErrorContains(t, info.Err, "needs itself: flags.z -> flags.z")
	require.ErrorContains(t, info.Err, "one evaluation can take more than 1,000,000 tests")
	require.Equal(t, []string{"c00", "c01", "c02", "z"}, info.Quarantined)
}

// TestOldAndNewTogetherCostNoMore: a new definition that would cost too much together
// with the last good ones of other flags does not serve.
func TestOldAndNewTogetherCostNoMore(t *testing.T) {
	all := func(text string, flags ...string) (out []string) {
		for _, f := range flags {
			key, _, _ := strings.Cut(f, ":")
			out = append(out, key+":"+text)
		}
		return out
	}
	const good, broken = `{"serve":"on"}`, `{"x":1}`
	links := chain(0, 8)
	var even, odd []string
	for i, link := range links {
		if i%2 == 0 {
			even = append(even, link)
		} else {
			odd = append(odd, link)
		}
	}
	tests := []struct {
		name        string
		first, next [][]string
		quarantined string
	}{
		{"new ones need old ones", [][]string{all(good, links[:4]...), links[4:]}, [][]string{links[:4], all(broken, links[4:]...)},
			"c00 c01 c02 c04 c05 c06 c07"},
		{"one new, one old", [][]string{even, all(good, odd...)}, [][]string{all(broken, even...), odd},
			"c00 c01 c02 c03 c04 c06"},
		{"an old one needs new ones", [][]string{links[2:3], all(good, links[3:]...)}, [][]string{all(broken, links[2]), links[3:]},
			"c02 c03"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			last := []string{`"c08":{}`}
			store, info := reloads(t, document(slices.Concat(append(tt.first, last)...)...), document(slices.Concat(append(tt.next, last)...)...))
			require.ErrorContains(t, info.Err, "unknown field")
			require.NotContains(t, info.Err.Error(), "tests", "the document alone is cheap")
			require.Equal(t, strings.Fields(tt.quarantined), info.Quarantined)
			subject := flag.For("u")
			flag.ByKey("c00", false).Value(store, &subject)
		})
	}
}

// TestLoadingTakesWhatTheTextIsWorth: whatever a document says, the memory that loading
// it takes is bounded by its length. Each of these was quadratic once.
func TestLoadingTakesWhatTheTextIsWorth(t *testing.T) {
	alone(t)
	const n = 10_000
	long := strings.Repeat("k", 500_000)
	flags := func(text string, more ...string) string {
		return document(append([]string{repeated(n, text)}, more...)...)
	}
	segments := func(text, last string) string {
		return `{"flags":{` + repeated(n, `"f#":{}`) + `},"segments":{` + repeated(n, text) + `,"s10000":` + last + `}}`
	}
	rules := func(key, rule string) string {
		return `{"flags":{"` + key + `":{"rules":[` + repeated(n, rule) + `]}}}`
	}
	layer := func(flag string, shift int) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = fmt.Sprintf(`"f%05d":[{"from":%v,"to":%v}]`, i, float64(10*i+shift)/1000, float64(10*i+5+shift)/1000)
		}
		return `{"flags":{` + repeated(n, flag) + `},"layers":{"l":{"flags":{` + strings.Join(parts, ",") + `}}}}`
	}
	tests := []struct {
		name        string
		documents   []string
		quarantined int
	}{
		{"a circle", []string{flags(`"f#":{"when":{"flag":"f+"}}`, `"f10000":{"when":{"flag":"f00000"}}`)}, n + 1},
		{"circles through one flag", []string{flags(`"f#":{"when":{"flag":"z"}}`, `"z":{"when":{"any":[`+repeated(n, `{"flag":"f#"}`)+`]}}`)}, n + 1},
		{"a chain that ends in a circle", []string{flags(`"f#":{"when":{"flag":"f+"}}`, `"f10000":{"when":{"flag":"f10000"}}`)}, 1},
		{"circles with what served before", []string{flags(`"a#":{"when":{"flag":"b#"}},"b#":{}`), flags(`"a#":{"x":1},"b#":{"when":{"flag":"a#"}}`)}, 2 * n},
		{"circles that come one from another", []string{turning(n), turned(n)}, n + 2},
		{"a segment of all flags in all flags", []string{`{"flags":{` + repeated(n, `"f#":{"when":{"segment":"s"}},"g#":{}`) + `},"segments":{"s":{"if":{"any":[` + repeated(n, `{"flag":"g#"}`) + `]}}}}`}, 0},
		{"a chain of segments", []string{segments(`"s#":{"if":{"any":[{"segment":"s+"},{"flag":"f#"}]}}`, `{"keys":["a"]}`)}, 0},
		{"a chain of segments that breaks", []string{segments(`"s#":{"if":{"segment":"s+"}}`, `{"keys":[""]}`)}, 0},
		{"a chain of segments and ways back", []string{segments(`"s#":{"if":{"any":[{"segment":"s+"},{"segment":"s00000"}]}}`, `{}`)}, 0},
		{"a broken segment of all flags", []string{`{"flags":{` + repeated(n, `"f#":{"when":{"segment":"s"}}`) + `},"segments":{"s":{"keys":[""]}}}`}, n},
		{"a long key", []string{rules(long, `{"if":{"any":[]},"serve":"on"}`)}, 1},
		{"problems below a long key", []string{rules(long, `{}`)}, 1},
		{"many problems of one flag", []string{rules("a", `{"x":0}`)}, 1},
		{"unknown names", []string{`{"flags":{` + repeated(n, `"f#":{"when":{"segment":"wrong-#"}}`) + `},"segments":{` + repeated(n, `"right-#":{}`) + `}}`}, n},
		{"a wrong variant of many", []string{`{"flags":{"a":{"variants":{` + repeated(500, `"`+strings.Repeat("v", 200)+`#":1`) + `},"serve":"x","rules":[` + repeated(1000, `{"if":{"any":[]},"serve":"x"}`) + `]}}}`}, 1},
		{"problems everywhere", []string{flags(`"f#":{"serve":"x"}`)}, n},
		{"a layer of which all flags are wrong", []string{layer(`"f#":{}`, 0), layer(`"f#":{"x":1}`, 1)}, n},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, info := reloads(t, tt.documents...)
			message := fmt.Sprint(info.Err)
			runtime.ReadMemStats(&after)
			size := len(strings.Join(tt.documents, ""))
			if !raceEnabled {
				require.Less(t, (after.TotalAlloc-before.TotalAlloc)/uint64(size), uint64(1000), "bytes for each of the text")
			}
			require.Less(t, len(message)/size, 50, "bytes of the message for each of the text")
			require.Len(t, info.Quarantined, tt.quarantined)
		})
	}
}

// turning is flags each of which needs the next; turned is the first of them broken, and
// the others the other way round, so that each makes a circle with the one before it
// once that one goes on as it was.
func turning(n int) string {
	return document(repeated(n, `"f#":{"when":{"flag":"f+"}}`), fmt.Sprintf(`"f%05d":{}`, n), `"z":{}`)
}

func turned(n int) string {
	return document(repeated(n, `"f+":{"when":{"flag":"f#"}}`), `"f00000":{"x":1}`, `"z":{"serve":"on"}`)
}

// TestCirclesOneAfterAnother: a few are undone one by one; after more than a document
// ever has by chance, nothing of it serves.
func TestCirclesOneAfterAnother(t *testing.T) {
	z, subject := flag.ByKey("z", false), flag.For("u")
	store, info := reloads(t, turning(10), turned(10))
	require.Len(t, info.Quarantined, 11)
	require.True(t, z.Value(store, &subject))
	store, info = reloads(t, turning(100), turned(100))
	require.Len(t, info.Quarantined, 102)
	require.False(t, z.Value(store, &subject))
}

// TestLintEnds: what Lint does is bounded, however many rules a flag has.
func TestLintEnds(t *testing.T) {
	alone(t)
	flag.Lint([]byte(`{"flags":{"a":{"rules":[` + repeated(20_000, `{"if":{"attr":"country","eq":"c#"},"serve":"on"}`) + `]}}}`))
	flag.Lint([]byte(`{"flags":{"a":{"rules":[` + repeated(20_000, `{"if":{"attr":"a#","eq":"c"},"serve":"on"}`) + `]}}}`))
}

// TestNamesAreNotOfAnyLength: in a document that is written in Go, too.
func TestNamesAreNotOfAnyLength(t *testing.T) {
	long := strings.Repeat("k", 257)
	doc := func(name string) flag.Document {
		return flag.Document{
			Flags:    map[string]flag.FeatureFlag{name: {Variants: map[string]any{name: 1}, Serve: name}},
			Segments: map[string]flag.Segment{name: {}},
			Layers:   map[string]flag.Layer{name: {}},
		}
	}
	_, err := flag.Compile(doc(long[1:]))
	require.NoError(t, err)
	_, err = flag.Compile(doc(long))
	for _, path := range []string{"flags." + long, "flags." + long + ".variants." + long, "segments." + long, "layers." + long} {
		require.ErrorContains(t, err, path+": found 257 bytes, want at most 256")
	}
	require.Equal(t, 4, strings.Count(err.Error(), "found 257 bytes"))
}
