package lint_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadme wants each Go snippet of the README to stand, word for word, in a
// file that is compiled: there it cannot rot.
func TestReadme(t *testing.T) { holds(t, driftedSnippets) }

func TestReadmeCatches(t *testing.T) {
	const fence = "```"
	catches(t, driftedSnippets, []planted{
		{name: "no README", want: []string{"README.md does not exist"}},
		{name: "in order", files: map[string]string{
			"README.md": "# x\n\n" + fence + "go\nf := g(func() { \n\th()\n\n\ti()\n})\n" + fence + "\n\n" +
				"- a list\n\n  " + fence + "go\n  h()\n  " + fence + "\n\n" +
				fence + "sh\ngo test\n" + fence + "\n\n" +
				"~~~~ go\n/*\n" + fence + "\n*/\n~~~~\n",
			"a/a_test.go": "package a\n\nfunc Example() {\n\tf := g(func() {\n\t\th()\n\n\t\ti()\n\t})\n}\n\n/*\n" + fence + "\n*/\n",
		}},
		{name: "adrift", files: map[string]string{
			"README.md": "text\n\n" + fence + "go\nf := g()\nh()\n" + fence + "\n\n" +
				fence + "go title=\"script.go\"\nfunc main() {}\n" + fence + "\n" +
				fence + "go\n" + fence + "\n" +
				fence + "go\nh()\n",
			"a/a_test.go":        "package a\n\nfunc Example() {\n\tf := g()\n\n\th()\n}\n",
			"a/testdata/a.go":    "package a\n\nfunc main() {}\n",
			"examples/script.go": "//go:build ignore\n\npackage main\n\nfunc main() {}\n",
		}, want: []string{
			"README.md:3: this snippet stands in no compiled .go file: f := g()",
			"README.md:8: this snippet stands in no compiled .go file: func main() {}",
			"README.md:11: this snippet is empty",
			"README.md:13: this fence is never closed",
		}},
	})
}

func driftedSnippets(t *testing.T, r repo) []string {
	text, err := os.ReadFile(filepath.Join(r.root, "README.md"))
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"README.md does not exist"}
	} else if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, s := range fences(string(text)) {
		where := fmt.Sprintf("README.md:%d: ", s.line)
		switch code := dedent(s.text); {
		case !s.closed:
			problems = append(problems, where+"this fence is never closed")
		case s.language != "go":
		case len(code) == 0:
			problems = append(problems, where+"this snippet is empty")
		case !slices.ContainsFunc(r.files, func(f file) bool { return standsIn(code, f.text) }):
			problems = append(problems, where+"this snippet stands in no compiled .go file: "+code[0])
		}
	}
	return problems
}

// fenced is a fenced block of a Markdown text.
type fenced struct {
	line     int // of the opening fence
	language string
	text     []string
	closed   bool
}

func fences(markdown string) []fenced {
	var found []fenced
	open := ""
	for i, line := range strings.Split(markdown, "\n") {
		trimmed := strings.TrimSpace(line)
		fence := trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`~"))]
		info := strings.TrimSpace(trimmed[len(fence):])
		switch {
		case open == "" && len(fence) >= 3 && !strings.Contains(info, "`"):
			language, _, _ := strings.Cut(info, " ")
			found = append(found, fenced{line: i + 1, language: language})
			open = fence
		case open == "":
		case strings.HasPrefix(fence, open) && info == "":
			found[len(found)-1].closed = true
			open = ""
		default:
			found[len(found)-1].text = append(found[len(found)-1].text, line)
		}
	}
	return found
}

// standsIn says whether a dedented snippet is a run of a file's lines.
func standsIn(code []string, text string) bool {
	lines := strings.Split(text, "\n")
	for i := 0; i+len(code) <= len(lines); i++ {
		if strings.TrimSpace(lines[i]) == strings.TrimSpace(code[0]) && slices.Equal(dedent(lines[i:i+len(code)]), code) {
			return true
		}
	}
	return false
}

// dedent takes away the white space that all lines begin with, what lines end
// with, and empty lines before and after.
func dedent(lines []string) []string {
	lines = slices.Clone(lines)
	prefix, first := "", true
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
		if lines[i] == "" {
			continue
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if first {
			prefix, first = indent, false
		}
		for !strings.HasPrefix(indent, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], prefix)
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
