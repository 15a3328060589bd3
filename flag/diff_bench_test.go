package flag_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// manyRamps are flags as a large team has them; of the others, every ramp is one
// percent higher.
func manyRamps(more flag.Share, rules bool) flag.Document {
	doc := flag.Document{Flags: map[string]flag.FeatureFlag{}, Segments: map[string]flag.Segment{"staff": {Keys: []string{"anna", "bert"}}}}
	for i := range 10_000 {
		f := flag.FeatureFlag{Ramp: &flag.Ramp{Share: 5*flag.Percent + more}}
		if rules && i%2 == 0 {
			f.Rules = []flag.Rule{
				{If: flag.Condition{Attr: "country", In: []any{"SE", "NO"}}, Serve: "on"},
				{If: flag.Condition{All: []flag.Condition{{Attr: "age", Ge: 18}, {Attr: "country", Eq: "DK"}}}, Ramp: &flag.Ramp{Share: 50*flag.Percent + more}},
			}
		}
		if rules && i%10 == 0 {
			f.Rules = append(f.Rules, flag.Rule{If: flag.Condition{Any: []flag.Condition{{Segment: "staff"}, {Attr: "staff", Eq: true}}}, Serve: "on"})
		}
		doc.Flags[fmt.Sprintf("flag-%d", i)] = f
	}
	return doc
}

// BenchmarkDiff reports how long a difference takes without a population, in
// compilations of the document.
func BenchmarkDiff(b *testing.B) {
	documents := map[string]bool{"ramps": false, "rules": true}
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		b.Run(name, func(b *testing.B) {
			benchmarkDiff(b, manyRamps(0, documents[name]), manyRamps(flag.Percent, documents[name]))
		})
	}
}

func benchmarkDiff(b *testing.B, doc, other flag.Document) {
	set := func(doc flag.Document) *flag.Set {
		set, err := flag.Compile(doc)
		require.NoError(b, err)
		return set
	}
	old := set(doc)
	documents := map[string]flag.Document{"equal": doc, "every ramp changed": other}
	for _, name := range slices.Sorted(maps.Keys(documents)) {
		b.Run(name, func(b *testing.B) {
			doc := documents[name]
			var ratios []float64
			for b.Loop() {
				begin := time.Now()
				new := set(doc)
				compiled := time.Now()
				difference := flag.Diff(old, new, nil)
				ratios = append(ratios, float64(time.Since(compiled))/float64(compiled.Sub(begin)))
				require.Contains(b, []int{0, len(doc.Flags)}, len(difference.Flags))
			}
			slices.Sort(ratios)
			b.ReportMetric(ratios[len(ratios)/2], "compiles/diff")
		})
	}
	b.Run("three of ten thousand changed, 1000 subjects", func(b *testing.B) {
		few := doc
		few.Flags = maps.Clone(doc.Flags)
		for i := range 3 {
			few.Flags[fmt.Sprint("flag-", i)] = flag.FeatureFlag{Ramp: &flag.Ramp{Share: 50 * flag.Percent}}
		}
		var people []flag.Subject
		for i := range int64(1000) {
			people = append(people, flag.ForInt(i))
		}
		new := set(few)
		for b.Loop() {
			require.Len(b, flag.Diff(old, new, slices.Values(people)).Flags, 3)
		}
	})
}
