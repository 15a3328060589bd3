package lint_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks wants each relative link of the pages to lead to something.
func TestLinks(t *testing.T) { holds(t, deadLinks) }

func TestLinksCatches(t *testing.T) {
	catches(t, deadLinks, []planted{{
		name: "some dead",
		files: map[string]string{
			"README.md": "[site](https://example.com/x) [here](#top) [us](CONTRIBUTING.md#tests) ![a](flag)\n" +
				"`[code](nowhere)` and [gone](docs/gone.md), [titled](gone.txt \"title\")\n\n" +
				"```go\nx := y[0](nowhere)\n```\n\n[ref]: <nowhere.md>\n[mail]: mailto:a@example.com\n",
			"CONTRIBUTING.md": "[space](a%20b.txt) [up](../else) [root](/flag)\n",
			"a b.txt":         "",
			"flag/doc.go":     "package flag\n",
			"flag/README.md":  "[not looked at](gone)\n",
		},
		want: []string{
			"README.md:2: docs/gone.md does not exist",
			"README.md:2: gone.txt does not exist",
			"README.md:8: nowhere.md does not exist",
			"CONTRIBUTING.md:1: ../else leads out of the repository",
			"CONTRIBUTING.md:1: /flag leads out of the repository",
		},
	}})
}

// link finds [text](target), [text](target "title") and "[name]: target".
var link = regexp.MustCompile("`[^`]*`" + `|\]\(<?([^)\s>]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s+<?([^\s>]+)>?`)

func deadLinks(_ *testing.T, r repo) []string {
	var problems []string
	for _, page := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		text, _ := os.ReadFile(filepath.Join(r.root, page)) // a page that is not there has no links
		lines := strings.Split(string(text), "\n")
		for _, block := range fences(string(text)) {
			clear(lines[block.line : block.line+len(block.text)])
		}
		for i, line := range lines {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target := m[1] + m[2]
				if why := deadLink(r.root, target); why != "" {
					problems = append(problems, fmt.Sprintf("%s:%d: %s %s", page, i+1, target, why))
				}
			}
		}
	}
	return problems
}

func deadLink(root, target string) string {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return "is no link"
	case u.Scheme != "" || u.Host != "" || u.Path == "":
		return ""
	case !filepath.IsLocal(filepath.FromSlash(u.Path)):
		return "leads out of the repository"
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(u.Path))); err != nil {
		return "does not exist"
	}
	return ""
}
