package yaml_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// layouts are ways to write one flag, with KEY for its key. None is wrong.
var layouts = []string{
	"KEY: {}\n",
	"KEY: # on\n    serve: on\n",
	"KEY:\n    # how many\n    ramp:\n      percent: 5 # slowly\n      serve: on\n    targets:\n      on:\n      - anna\n      # and\n      - bert\n",
	"KEY: {ramp: {percent: 5}, targets: {on: [anna,\n     bert, # two\n     carl]}, rules: []}\n",
	"KEY:\n    rules:\n    - if: {attr: a, in: [x, 'y', \"z\"]} # first\n      serve: on\n    # second\n    -   if:\n          all:\n            - attr: b\n              eq: 1\n            - {segment: s}\n        ramp: {percent: 1}\n",
	"KEY:\n    description: >\n      Some text\n\n      of two paragraphs.\n\n    disabled: false\n    off: \"off\"\n",
	"KEY:\n    description: plain text\n      on two lines\n    when: {not: {attr: a, exists: true}}\n    salt: é\n",
	"? KEY\n  :\n    serve: on\n",
}

// TestEditLeavesOthers: whatever is done to a flag, however it is written, the lines of
// all others stay; and what is done one after another adds up.
func TestEditLeavesOthers(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		b.WriteString("# begin\nsegments:\n  s: {keys: [k]}\nflags:\n")
		for i := range 6 {
			fmt.Fprintf(&b, "  # flag %d\n  %s", i, strings.ReplaceAll(layouts[r.IntN(len(layouts))], "KEY", fmt.Sprintf("flag-%d", i)))
		}
		b.WriteString("# end")
		file := b.String()
		for range 6 {
			i := r.IntN(6)
			key, edit := randomEdit(r, i)
			after, err := yaml.Edit([]byte(file), func(doc *flag.Document) error { edit(doc); return nil })
			if err != nil {
				require.ErrorContains(t, err, "the change would lose the comment here", file)
				break
			}
			require.Equal(t, without(file, i), without(string(after), i), "%s in\n%s\nis\n%s", key, file, after)
			file = string(after)
		}
	}
}

// without is the file without the lines of a flag.
func without(file string, i int) string {
	before, rest, found := strings.Cut(file, fmt.Sprintf("  # flag %d\n", i))
	if !found {
		return file
	}
	if end := strings.Index(rest, "  # flag "); end >= 0 {
		return before + rest[end:]
	}
	return before + rest[strings.Index(rest, "# end"):]
}

func randomEdit(r *rand.Rand, i int) (string, func(doc *flag.Document)) {
	key := fmt.Sprintf("flag-%d", i)
	edits := []func(f *flag.FeatureFlag){
		func(f *flag.FeatureFlag) { f.Disabled = !f.Disabled },
		func(f *flag.FeatureFlag) { f.Ramp = &flag.Ramp{Share: flag.Share(r.IntN(int(flag.All)))} },
		func(f *flag.FeatureFlag) { f.Ramp = nil },
		func(f *flag.FeatureFlag) {
			f.Description = []string{"", "no", "a: b # c", "two\nlines", "'\"\\"}[r.IntN(5)]
		},
		func(f *flag.FeatureFlag) { f.Targets = map[string][]string{"off": {"dora", "x, y"}} },
		func(f *flag.FeatureFlag) { f.Targets = nil },
		func(f *flag.FeatureFlag) {
			at := r.IntN(len(f.Rules) + 1)
			rule := flag.Rule{If: flag.Condition{Any: []flag.Condition{{Attr: "c", In: []any{"NO", "1"}}, {Not: &flag.Condition{Segment: "s"}}}}, Serve: "on"}
			f.Rules = append(append(append([]flag.Rule{}, f.Rules[:at]...), rule), f.Rules[at:]...)
		},
		func(f *flag.FeatureFlag) {
			if len(f.Rules) > 0 {
				at := r.IntN(len(f.Rules))
				f.Rules = append(append([]flag.Rule{}, f.Rules[:at]...), f.Rules[at+1:]...)
			}
		},
	}
	edit := edits[r.IntN(len(edits))]
	return key, func(doc *flag.Document) {
		f := doc.Flags[key]
		edit(&f)
		doc.Flags[key] = f
	}
}
