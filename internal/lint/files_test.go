package lint_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// maxLines is where a file of code, tests aside, has more than one idea in it.
const maxLines = 500

// topLevel is all that may stand in the root, beside dotfiles. vendor is there
// for who checks the module out and vendors it.
var topLevel = []string{
	"flag", "health", "rollout", "strategy", "verify", "internal", "examples", "vendor",
	"doc.go", "go.mod", "go.sum", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
}

func TestFiles(t *testing.T) { holds(t, badFiles) }

func TestFilesCatches(t *testing.T) {
	most := "package a\n" + strings.Repeat("\n", maxLines-1)
	long := most + "\n"
	catches(t, badFiles, []planted{
		{name: "in order", files: map[string]string{
			"README.md": "", ".ci/run": "", "doc.go": "package guidon\n",
			"flag/a.go": most, "flag/a_test.go": long,
			"flag/testdata/long.go": long, "flag/yaml/go.mod": "module x\n",
		}},
		{name: "too long", files: map[string]string{"flag/a.go": long},
			want: []string{"flag/a.go has 501 lines: at most 500, and one idea a file"}},
		{name: "too many", files: map[string]string{"Makefile": "", "pkg/util.go": "package pkg\n", "guidon.go": "package guidon\n"},
			want: []string{
				"Makefile does not belong in the root",
				"guidon.go does not belong in the root",
				"pkg does not belong in the root",
			}},
		{name: "code in the map", files: map[string]string{"doc.go": "package guidon\n\nconst X = 1\n"},
			want: []string{"doc.go is a map and holds no code"}},
	})
}

func badFiles(t *testing.T, r repo) []string {
	var problems []string
	for _, f := range r.files {
		if n := strings.Count(f.text, "\n"); n > maxLines && !f.test() {
			problems = append(problems, fmt.Sprintf("%s has %d lines: at most %d, and one idea a file", f.path, n, maxLines))
		}
		if f.path == "doc.go" && len(f.syntax.Decls) > 0 {
			problems = append(problems, "doc.go is a map and holds no code")
		}
	}
	entries, err := os.ReadDir(r.root)
	if err != nil {
		t.Fatal(err)
	}
	var odd []string
	for _, entry := range entries {
		if name := entry.Name(); name[0] != '.' && !slices.Contains(topLevel, name) {
			odd = append(odd, name)
		}
	}
	ignored := gitIgnored(t, r.root, odd)
	for _, name := range odd {
		if !slices.Contains(ignored, name) {
			problems = append(problems, name+" does not belong in the root")
		}
	}
	return problems
}

// gitIgnored is which of the names are a developer's own: binaries, profiles.
// Without git, or outside a clone, none are.
func gitIgnored(t *testing.T, root string, names []string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", append([]string{"check-ignore", "--"}, names...)...)
	cmd.Dir = root
	out, _ := cmd.Output()
	return strings.Fields(string(out))
}
