package verify_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestBrokenSuites: each suite in testdata/broken gets the complete list of its
// problems, as it stands beside it.
func TestBrokenSuites(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 40)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			suite, err := verify.Parse(data)
			require.Nil(t, suite)
			got := strings.Join(refused(t, err), "\n") + "\n"
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
		})
	}
}

// refused wants the error of a malformed suite and returns what is wrong with it:
// each problem once, on a line, with its place, in the file's terms.
func refused(t *testing.T, err error) []string {
	t.Helper()
	require.ErrorIs(t, err, verify.ErrInvalid)
	var problem *verify.Error
	require.True(t, errors.As(err, &problem))
	require.False(t, problem.Report.Healthy())
	require.NotEmpty(t, problem.Report.Problems)
	seen := map[string]bool{}
	for _, p := range problem.Report.Problems {
		require.False(t, seen[p], "twice: %s", p)
		seen[p] = true
		require.Regexp(t, `^(.* \()?line [0-9]+, column [0-9]+\)?: `, p)
		require.NotContains(t, p, "\n")
		require.NotRegexp(t, `\b(nil|RawMessage|Tests|Setup|Cleanup|Expect|Header|Timeout)\b`, p)
	}
	return problem.Report.Problems
}
