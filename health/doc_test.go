package health_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The program that the package documentation opens with is the Example, so that it
// compiles and says what it says.
func TestDocOpensWithTheExample(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	example, err := os.ReadFile("example_program_test.go")
	require.NoError(t, err)
	var program []string
	for line := range strings.Lines(string(doc)) {
		code, isCode := strings.CutPrefix(line, "//\t")
		switch {
		case isCode:
			program = append(program, "\t"+code)
		case len(program) > 0 && strings.TrimSpace(line) == "//":
			program = append(program, "\n")
		case len(program) > 0:
			require.Greater(t, len(program), 30)
			require.Contains(t, string(example), strings.TrimSpace(strings.Join(program, "")))
			return
		}
	}
	t.Fatal("no program")
}
