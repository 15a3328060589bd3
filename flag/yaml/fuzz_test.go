package yaml_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// FuzzRead: whatever a file says, reading it gives problems or a document, never a panic.
// What is read equals what package flag reads of the document that [yaml.JSON] makes of
// it, with the same problems; and a file that is JSON already, its own document.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("../testdata/broken/*.json")
	require.NoError(f, err)
	for i, file := range files {
		if i%10 == 0 {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(string(data))
		}
	}
	f.Add(broken)
	f.Add("a: &x {<<: *x}\nb: [*x, *x]\n? c\n: !!int '7'\nd: |+\n  e\n\n--- \n")
	f.Fuzz(func(t *testing.T, text string) {
		problems := yaml.Lint([]byte(text))
		doc, parseErr := yaml.Parse([]byte(text))
		for _, p := range problems {
			require.NotEmpty(t, p.Text)
		}
		data, err := yaml.JSON([]byte(text))
		if err != nil {
			require.ErrorIs(t, err, flag.ErrInvalid)
			require.Equal(t, err, parseErr)
			return
		}
		require.True(t, json.Valid(data), "%s", data)
		same(t, flag.Lint(data), problems, true)
		want, wantErr := flag.Parse(data)
		require.Equal(t, want, doc)
		require.Equal(t, wantErr == nil, parseErr == nil)
		// A lone carriage return ends a line in YAML, and not in JSON.
		if json.Valid([]byte(text)) && !strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\r") {
			same(t, flag.Lint([]byte(text)), problems, false)
		}
	})
}

// same compares problems: the lines if they count, and the columns if the text is the same.
func same(t *testing.T, want, got flag.Problems, lines bool) {
	t.Helper()
	require.Len(t, got, len(want), "%v, want %v", got, want)
	want, got = slices.Clone(want), slices.Clone(got)
	for i := range want {
		if lines {
			want[i].Col, got[i].Col = 0, 0
		}
	}
	require.ElementsMatch(t, want, got)
}

// FuzzEdit: any file is changed into any document, or an error says why not. What was
// written is that document; and a file that says nothing can be changed into all of them.
func FuzzEdit(f *testing.F) {
	f.Add(shop, "flags: {}\n")
	f.Add("flags: {a: {}}\n", shop)
	f.Add(strings.ReplaceAll(shop, "#00f", "\u00a0\u2029 :é"), shop)
	f.Add("flags:\n- a\n", "flags:\n  a:\n    rules:\n    - if: {attr: a, eq: |\n        x\n\n      }\n      serve: on\n")
	f.Add("flags:\n  ? a\n  : &b !!map\n    ramp: {percent: 5}\n  c: *b\n", "flags:\n  a: {ramp: {percent: 6, by: 'x'}, targets: {on: [a, b, c]}}\n  c: {ramp: {percent: 5}}\n")
	f.Add("flags:\n  a: &x\n    description: >-\n      a\n\n      b\n    ramp: # c\n      percent: 5\n  b: {<<: *x}\n", "flags: {a: {serve: on}, b: {ramp: {percent: 5}}}")
	f.Fuzz(func(t *testing.T, file, other string) {
		want, err := yaml.Parse([]byte(other))
		if err != nil {
			return
		}
		set := func(doc *flag.Document) error { *doc = want; return nil }
		for _, from := range []string{file, "flags: {}\n", other} {
			data, err := yaml.Edit([]byte(from), set)
			if err != nil {
				require.Equal(t, file, from, "%v", err)
				continue
			}
			got, err := yaml.Parse(data)
			require.NoError(t, err)
			requireSame(t, want, got)
			if from == other {
				require.Equal(t, other, string(data), "nothing was changed")
			}
		}
	})
}
