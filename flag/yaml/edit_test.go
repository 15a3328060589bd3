package yaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

const shop = `# The shop's flags; ask anna.
flags:

  # One page instead of three.
  new-checkout:           # since May
    "ramp": {percent: 5,   serve: on}   # slowly
    targets: {on: [anna, 'bert']} # testers

  button: &button
    variants: {blue: "#00f", green: '#0f0'}
    off: blue
    split:
      parts:
      # half and half
      - {serve: blue, percent: 50}
      - {serve: green, percent: 50}   # the new one

  link: *button
  banner:
    <<: *button
    off: 'green'
    description: |
      Two lines,
      one text.

  # The last.
  export:
    rules:
      # At home.
      - if: {attr: country, in: [SE, NO]}
        serve: on
      # Testers.
      - if:
          segment: testers
        serve: on
segments:
  testers: {keys: [carl]}
# the end
`

// edits are what is done to a flag, with what changes in the lines of the file.
func TestEdit(t *testing.T) {
	tests := []struct {
		name string
		edit func(doc *flag.Document)
		want string // "-" before a line that goes, "+" before one that comes
	}{
		{"nothing", func(*flag.Document) {}, ""},
		{"a share", with("new-checkout", func(f *flag.FeatureFlag) { f.Ramp.Share = 25.5 * flag.Percent }), `
-    "ramp": {percent: 5,   serve: on}   # slowly
+    "ramp": {percent: 25.5,   serve: on}   # slowly
`},
		{"a kill", with("new-checkout", func(f *flag.FeatureFlag) { f.Disabled = true }), `
+    disabled: true
`},
		{"a kill of an anchor, and of what refers to it", func(doc *flag.Document) {
			for _, key := range []string{"button", "link", "banner"} {
				with(key, func(f *flag.FeatureFlag) { f.Disabled = true })(doc)
			}
		}, `
+    disabled: true
`},
		{"a kill of an alias", with("link", func(f *flag.FeatureFlag) { f.Off = "green" }), `
-  link: *button
+  link: {variants: {blue: "#00f", green: "#0f0"}, "off": green, split: {parts: [{serve: blue, percent: 50}, {serve: green, percent: 50}]}}
`},
		{"over a merge", with("banner", func(f *flag.FeatureFlag) { f.Off = "blue"; f.Salt = "x" }), `
-    off: 'green'
+    off: 'blue'
+    salt: x
`},
		{"a target more", with("new-checkout", func(f *flag.FeatureFlag) { f.Targets["on"] = append(f.Targets["on"], "carl: no") }), `
-    targets: {on: [anna, 'bert']} # testers
+    targets: {on: [anna, 'bert', "carl: no"]} # testers
`},
		{"a target another", with("new-checkout", func(f *flag.FeatureFlag) { f.Targets["on"][1] = "o'hara" }), `
-    targets: {on: [anna, 'bert']} # testers
+    targets: {on: [anna, 'o''hara']} # testers
`},
		{"no targets", with("new-checkout", func(f *flag.FeatureFlag) { f.Targets = nil }), `
-    targets: {on: [anna, 'bert']} # testers
`},
		{"a re-split", func(doc *flag.Document) {
			for _, key := range []string{"button", "link", "banner"} {
				parts := doc.Flags[key].Split.Parts
				parts[0].Share, parts[1].Share = 20*flag.Percent, 80*flag.Percent
			}
		}, `
-      - {serve: blue, percent: 50}
-      - {serve: green, percent: 50}   # the new one
+      - {serve: blue, percent: 20}
+      - {serve: green, percent: 80}   # the new one
`},
		{"a rule first", with("export", func(f *flag.FeatureFlag) {
			f.Rules = append([]flag.Rule{{If: flag.Condition{Attr: "plan", Eq: "pro"}, Ramp: &flag.Ramp{Share: flag.Percent}}}, f.Rules...)
		}), `
+      - if: {attr: plan, eq: pro}
+        ramp: {percent: 1}
`},
		{"a rule last", with("export", func(f *flag.FeatureFlag) {
			f.Rules = append(f.Rules, flag.Rule{If: flag.Condition{Not: &flag.Condition{Segment: "testers"}}, Serve: "off"})
		}), `
+      - if:
+          not: {segment: testers}
+        serve: "off"
`},
		{"a rule less", with("export", func(f *flag.FeatureFlag) { f.Rules = f.Rules[1:] }), `
-      # At home.
-      - if: {attr: country, in: [SE, NO]}
-        serve: on
`},
		{"no rules", with("export", func(f *flag.FeatureFlag) { f.Rules, f.Serve = nil, "on" }), `
-    rules:
-      # At home.
-      - if: {attr: country, in: [SE, NO]}
-        serve: on
-      # Testers.
-      - if:
-          segment: testers
-        serve: on
+    serve: "on"
`},
		{"a condition", with("export", func(f *flag.FeatureFlag) { f.Rules[0].If.In[1] = "DK" }), `
-      - if: {attr: country, in: [SE, NO]}
+      - if: {attr: country, in: [SE, DK]}
`},
		{"a flag more", func(doc *flag.Document) {
			doc.Flags["R&D"] = flag.FeatureFlag{Description: "no\nyes \u2028", When: &flag.Condition{Any: []flag.Condition{{Attr: "a", Lt: int64(9007199254740993)}}}}
		}, `
+  "R&D":
+    description: "no\nyes \u2028"
+    when:
+      any:
+        - {attr: a, lt: 9007199254740993}
`},
		{"a flag less", func(doc *flag.Document) { delete(doc.Flags, "export") }, `
-  # The last.
-  export:
-    rules:
-      # At home.
-      - if: {attr: country, in: [SE, NO]}
-        serve: on
-      # Testers.
-      - if:
-          segment: testers
-        serve: on
`},
		{"segments", func(doc *flag.Document) { doc.Segments = nil }, `
-segments:
-  testers: {keys: [carl]}
`},
		{"a layer", func(doc *flag.Document) {
			doc.Layers = map[string]flag.Layer{"page": {Flags: map[string][]flag.Range{"button": {{From: 0, To: flag.All}}}}}
		}, `
+layers:
+  page:
+    flags:
+      button:
+        - {from: 0, to: 100}
`},
	}
	for _, tt := range tests {
		for _, eol := range []string{"\n", "\r\n"} {
			t.Run(tt.name+map[string]string{"\n": "", "\r\n": ", CRLF"}[eol], func(t *testing.T) {
				before := "\ufeff" + strings.ReplaceAll(shop, "\n", eol)
				after, err := yaml.Edit([]byte(before), func(doc *flag.Document) error { tt.edit(doc); return nil })
				require.NoError(t, err)
				want, err := yaml.Parse([]byte(before))
				require.NoError(t, err)
				tt.edit(&want)
				got, err := yaml.Parse(after)
				require.NoError(t, err)
				requireSame(t, want, got)
				require.Equal(t, strings.Count(string(after), "\n"), strings.Count(string(after), eol))
				require.True(t, strings.HasPrefix(string(after), "\ufeff"))
				text := strings.ReplaceAll(strings.TrimPrefix(string(after), "\ufeff"), "\r\n", "\n")
				if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), lineDiff(shop, text)); diff != "" {
					t.Errorf("(-want +got):\n%s\n%s", diff, text)
				}
			})
		}
	}
}

func with(key string, edit func(f *flag.FeatureFlag)) func(doc *flag.Document) {
	return func(doc *flag.Document) {
		f := doc.Flags[key]
		edit(&f)
		doc.Flags[key] = f
	}
}

// lineDiff lists the lines that go and come.
func lineDiff(before, after string) string {
	a, b := strings.SplitAfter(before, "\n"), strings.SplitAfter(after, "\n")
	common := make([][]int, len(a)+1) // the longest common subsequence of what follows
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[i+1][j] >= common[i][j+1]):
			out.WriteString("-" + a[i])
			i++
		default:
			out.WriteString("+" + b[j])
			j++
		}
	}
	return out.String()
}

func TestEditRefuses(t *testing.T) {
	edit := func(file string, edit func(doc *flag.Document) error) error {
		data, err := yaml.Edit([]byte(file), edit)
		require.Error(t, err)
		require.Nil(t, data)
		return err
	}
	nothing := func(*flag.Document) error { return nil }
	require.ErrorIs(t, edit("flags: {a: {ramp: 1}}", nothing), flag.ErrInvalid)
	require.ErrorIs(t, edit("flags: [", nothing), flag.ErrInvalid)
	mine := errors.New("mine")
	require.Equal(t, mine, edit("flags: {}", func(*flag.Document) error { return mine }))
	require.ErrorIs(t, edit("flags: {}", func(doc *flag.Document) error {
		doc.Flags["a"] = flag.FeatureFlag{Ramp: &flag.Ramp{Share: -1}}
		return nil
	}), flag.ErrInvalid)
	require.ErrorContains(t, edit(shop, func(doc *flag.Document) error { delete(doc.Flags, "button"); return nil }),
		"yaml: line 9: the change takes away what &button names, and line 18 refers to it")
	require.EqualError(t, edit(shop, func(doc *flag.Document) error {
		with("button", func(f *flag.FeatureFlag) { f.Disabled = true })(doc)
		return nil
	}), "yaml: line 20: flags.banner.disabled would change, too, because it is merged here; make the same change to both, or write the key here\n"+
		"yaml: line 18: flags.link would change, too, because *button stands here; make the same change to both, or write it out here")
	require.ErrorContains(t, edit("flags: {}", func(doc *flag.Document) error {
		doc.Flags["a"] = flag.FeatureFlag{Variants: map[string]any{"a": func() {}}}
		return nil
	}), "cannot be written")
}
