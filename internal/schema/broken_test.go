package schema_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	guidon "github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/broken.txt")

// TestBroken: what the schema says of the documents that the library refuses, as
// testdata/broken.txt has it: the places it refuses in each. What a document means
// (which variants and segments there are, what sums to 100) no schema can know.
func TestBroken(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "flag", "testdata", "broken", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var got strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		places, notJSON := refusals(t, text)
		_, wrong := guidon.Parse(text)
		got.WriteString(filepath.Base(file))
		switch {
		case notJSON != nil:
			got.WriteString(": not JSON\n")
		case len(places) == 0:
			got.WriteString(": accepted\n")
			require.False(t, structural(wrong), "the schema accepts %s, but: %v", file, wrong)
		default:
			got.WriteString(": refused\n")
			for _, place := range places {
				got.WriteString("\t#" + place + "\n")
			}
		}
	}
	golden := filepath.Join("testdata", "broken.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got.String(),
		"if that is meant, run in internal/schema: go test -run TestBroken -update")
}
