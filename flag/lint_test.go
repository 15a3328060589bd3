package flag_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func ExampleLint() {
	for _, problem := range flag.Lint([]byte(`{"flags": {"search": {
	"rules": [
		{"if": {"attr": "age", "ge": 18}, "serve": "on"},
		{"if": {"attr": "age", "ge": 21}, "serve": "off"}
	]}}}`)) {
		fmt.Println(problem)
	}
	// Output:
	// flags.search.rules[1] (line 4, column 3): warning: never reached: rules[0] matches whenever this does
}

// TestKeysThatAreNotRead: at the top, and nowhere else, keys that begin with x- are not read.
func TestKeysThatAreNotRead(t *testing.T) {
	doc, err := flag.Parse([]byte(`{"x-defaults": {"ramp": null}, "flags": {"x-a": {}}, "x-": 1}`))
	require.NoError(t, err)
	require.Equal(t, flag.Document{Flags: map[string]flag.FeatureFlag{"x-a": {}}}, doc)
	require.Empty(t, flag.Lint([]byte(`{"x-defaults": {"ramp": null}, "flags": {"x-a": {}}, "x-": 1}`)))
	_, err = flag.Parse([]byte(`{"x-a": 1, "x-a": 2, "X-b": 3, "flags": {"a": {"x-b": 1}}}`))
	var problems flag.Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 3, "%s", problems)
}

// TestLintTellsMistakesFirst: of a document that does not compile, nothing but what
// is wrong; of one that is no document, too.
func TestLintTellsMistakesFirst(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(t, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		problems := flag.Lint(data)
		require.NotEmpty(t, problems, file)
		for _, p := range problems {
			require.False(t, p.Warning, "%s: %v", file, p)
		}
	}
	require.Empty(t, flag.Lint([]byte(`{"flags": {"fine": {"ramp": {"percent": 5}}}}`)))
}
