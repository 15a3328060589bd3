package yaml_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

const (
	people = `    targets:
      on:
        - anna # the boss
        # tests
        - bert # until May
          # or June
        - carl
`
	rules = `    rules:
      # Employees.
      - if: {attr: staff, eq: true}
        serve: on
      # Never in the EU.
      - if: {attr: country, in: [SE, DE]}
        serve: off

      - ramp: {percent: 5} # slowly
        if: {attr: beta, eq: true}
`
	brackets = `    targets: {on: [
      anna, # the boss
      # tests
      bert,
      carl, dora,   # both
      emil   # last
    ], off: [fred]} # who
`
)

// TestEditComments: each comment stays with what it is about, goes with it, or the change
// is refused.
func TestEditComments(t *testing.T) {
	on := func(keys ...string) func(*flag.FeatureFlag) {
		return func(f *flag.FeatureFlag) { f.Targets["on"] = keys }
	}
	order := func(all ...int) func(*flag.FeatureFlag) {
		return func(f *flag.FeatureFlag) {
			old := f.Rules
			f.Rules = nil
			for _, i := range all {
				f.Rules = append(f.Rules, old[i])
			}
		}
	}
	tests := []struct {
		name, file string
		edit       func(f *flag.FeatureFlag)
		want       string // the lines that change, or the error
	}{
		{"one goes, one comes", people, on("bert", "carl", "dora"), "-        - anna # the boss\n+        - dora\n"},
		{"two go", people, on("carl"), "-        - anna # the boss\n-        # tests\n-        - bert # until May\n-          # or June\n"},
		{"one in front", people, on("dora", "anna", "bert", "carl"), "+        - dora\n"},
		{"another in the place of one", people, on("anna", "dora", "carl"), "-        # tests\n-        - bert # until May\n-          # or June\n+        - dora\n"},
		{"one moves", people, on("bert", "carl", "anna"), "-        - anna # the boss\n+        - anna # the boss\n"},
		{"a rule moves", rules, order(1, 2, 0), `
-      # Employees.
-      - if: {attr: staff, eq: true}
-        serve: on
+      # Employees.
+      - if: {attr: staff, eq: true}
+        serve: on
`},
		{"two rules go", rules, order(1), `
-      # Employees.
-      - if: {attr: staff, eq: true}
-        serve: on
-      - ramp: {percent: 5} # slowly
-        if: {attr: beta, eq: true}
`},
		{"a rule changes where another goes", rules, func(f *flag.FeatureFlag) {
			f.Rules = f.Rules[1:]
			f.Rules[0].If.In[1] = "NO"
		}, `
-      # Employees.
-      - if: {attr: staff, eq: true}
-        serve: on
-      - if: {attr: country, in: [SE, DE]}
+      - if: {attr: country, in: [SE, NO]}
`},
		{"the first key behind a dash", rules, func(f *flag.FeatureFlag) { f.Rules[2].Ramp, f.Rules[2].Serve = nil, "on" }, `
-      - ramp: {percent: 5} # slowly
-        if: {attr: beta, eq: true}
+      - if: {attr: beta, eq: true}
+        serve: "on"
`},
		{"comments below", "    serve: on\n      # deeper\n    # ramp: {percent: 5}\n", func(f *flag.FeatureFlag) { f.Disabled = true }, "+    disabled: true\n"},
		{"brackets, one comes", brackets, on("anna", "bert", "carl", "dora", "emil", "zoe"), "-      emil   # last\n+      emil,   # last\n+      zoe\n"},
		{"brackets, between", brackets, on("anna", "zoe", "bert", "carl", "dora", "emil"), "+      zoe,\n"},
		{"brackets, in front", brackets, on("zoe", "anna", "bert", "carl", "dora", "emil"), "+      zoe,\n"},
		{"brackets, one goes", brackets, on("anna", "carl", "dora", "emil"), "-      # tests\n-      bert,\n"},
		{"brackets, the last goes", brackets, on("anna", "bert", "carl", "dora"), "-      carl, dora,   # both\n-      emil   # last\n+      carl, dora   # both\n"},
		{"brackets, a comment of two", brackets, on("anna", "bert", "carl", "emil"), "yaml: line 7: a comment beside what the change removes would be left to something else"},
		{"brackets, all go", brackets, on("zoe"), "yaml: line 4: the change would lose the comment here"},
		{"brackets, a key goes", brackets, func(f *flag.FeatureFlag) { delete(f.Targets, "off") }, "-    ], off: [fred]} # who\n+    ]} # who\n"},
		{"a key of a flag on a line", "    targets: {on: [anna]}\n    ramp: {percent: 5, serve: on, salt: x} # slowly\n", func(f *flag.FeatureFlag) { f.Ramp.Serve = "" }, `
-    ramp: {percent: 5, serve: on, salt: x} # slowly
+    ramp: {percent: 5, salt: x} # slowly
`},
		{"a text with a comment", "    description: | # see the wiki\n      one\n", func(f *flag.FeatureFlag) { f.Description = "two" }, "yaml: line 3: the change would lose the comment here"},
		{"a text that says how it is indented", "    description: |2+\n          deep\n      text\n\n    # on\n    serve: on\n", func(f *flag.FeatureFlag) { f.Description = "" }, `
-    description: |2+
-          deep
-      text
-
`},
		{"spaces of other scripts", "    description: 日本\u3000語 50\u00a0%\n", func(f *flag.FeatureFlag) { f.Disabled = true }, "+    disabled: true\n"},
		{"a tag before an anchor", "    ramp: !!map &r\n      percent: !!int 5\n", func(f *flag.FeatureFlag) { f.Disabled = true }, "+    disabled: true\n"},
		{"a dash alone", "    rules:\n      - # staff\n        if: {attr: staff, eq: true}\n        serve: on\n", func(f *flag.FeatureFlag) {
			f.Rules = append(f.Rules, flag.Rule{If: flag.Condition{Segment: "s"}, Serve: "on"})
		}, "+      - if: {segment: s}\n+        serve: \"on\"\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := "flags:\n  a:\n" + tt.file + "\n  # the last\n  z: {}\nsegments: {s: {keys: [x]}}\n"
			after, err := yaml.Edit([]byte(before), func(doc *flag.Document) error { with("a", tt.edit)(doc); return nil })
			if strings.HasPrefix(tt.want, "yaml") {
				require.EqualError(t, err, tt.want)
				require.Nil(t, after)
				return
			}
			require.NoError(t, err)
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), lineDiff(before, string(after))); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, after)
			}
		})
	}
}

// TestEditLongLists: a list may have very many keys, and all of them may change.
func TestEditLongLists(t *testing.T) {
	var file strings.Builder
	var after []string
	file.WriteString("flags:\n  a:\n    targets:\n      on:\n")
	for i := range 30_000 {
		fmt.Fprintf(&file, "      - key-%d # %d\n", i, i)
		after = append(after, fmt.Sprintf("key-%d", 50_000-i))
	}
	data, err := yaml.Edit([]byte(file.String()), func(doc *flag.Document) error {
		doc.Flags["a"].Targets["on"] = after
		return nil
	})
	require.NoError(t, err)
	require.Contains(t, string(data), "\n      - key-29999 # 29999\n      - key-29998 # 29998\n")
	require.Contains(t, string(data), "\n      - key-30000\n")
}

// TestEditMerged: what is merged changes where the edit says so, and nowhere else.
func TestEditMerged(t *testing.T) {
	const file = "flags:\n  base: &base\n    disabled: true\n    ramp: {percent: 5}\n  a:\n    <<: *base # as base\n    salt: x\n  b: {<<: *base}\n"
	edit := func(edit func(doc *flag.Document)) (string, error) {
		after, err := yaml.Edit([]byte(file), func(doc *flag.Document) error { edit(doc); return nil })
		return lineDiff(file, string(after)), err
	}
	revive := func(f *flag.FeatureFlag) { f.Disabled = false }
	diff, err := edit(with("a", revive))
	require.NoError(t, err)
	require.Equal(t, "+    disabled: false\n", diff)
	diff, err = edit(with("b", func(f *flag.FeatureFlag) { f.Ramp.Share = flag.All }))
	require.NoError(t, err)
	require.Equal(t, "-  b: {<<: *base}\n+  b: {<<: *base, ramp: {percent: 100}}\n", diff)
	diff, err = edit(func(doc *flag.Document) {
		for _, key := range []string{"base", "a", "b"} {
			with(key, revive)(doc)
			doc.Flags[key].Ramp.Share = flag.All
		}
	})
	require.NoError(t, err)
	require.Equal(t, "-    disabled: true\n-    ramp: {percent: 5}\n+    ramp: {percent: 100}\n", diff)
	_, err = edit(with("base", revive))
	require.EqualError(t, err, "yaml: line 6: flags.a.disabled would change, too, because it is merged here; make the same change to both, or write the key here\n"+
		"yaml: line 8: flags.b.disabled would change, too, because it is merged here; make the same change to both, or write the key here")
	_, err = edit(with("a", func(f *flag.FeatureFlag) { f.Ramp = nil }))
	require.EqualError(t, err, "yaml: line 6: ramp is merged here, and cannot be taken out of that")
}
