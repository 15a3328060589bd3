package verify_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/verify"
)

// FuzzParse: whatever a file says, it is a suite or it gets a list of problems. What
// is a suite survives being written, and runs once it has what a file cannot hold.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(f, err)
	for _, file := range append(files, "testdata/suite.json") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		suite, err := verify.Parse([]byte(text))
		if err != nil {
			var problem *verify.Error
			require.ErrorAs(t, err, &problem)
			require.NotEmpty(t, problem.Report.Problems)
			return
		}
		survives(t, []byte(text))
		if suite.URL == "" {
			suite.URL = "https://localhost"
		}
		for name := range suite.Secrets {
			suite.Secrets[name] = "given later"
		}
		for _, tests := range [][]verify.SmokeTest{suite.Setup, suite.Tests, suite.Cleanup} {
			for i := range tests {
				for j, e := range tests[i].Expect {
					if x, ok := e.(verify.Custom); ok {
						tests[i].Expect[j] = verify.Custom{Name: x.Name, Func: func(verify.Answer) error { return nil }}
					}
				}
			}
		}
		require.NoError(t, verify.Malformed(suite), "what Parse takes compiles")
	})
}
