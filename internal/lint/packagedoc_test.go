package lint_test

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

// TestPackageDoc wants a package's comment in its doc.go if others can import
// it, and in any one file if not.
func TestPackageDoc(t *testing.T) { holds(t, badPackageDocs) }

func TestPackageDocCatches(t *testing.T) {
	catches(t, badPackageDocs, []planted{
		{name: "in order", files: map[string]string{
			"a/doc.go":         "// Package a is fine.\npackage a\n",
			"a/a.go":           "// Copyright, or any other remark.\n\npackage a\n",
			"a/b/only_test.go": "package b_test\n",
			"cmd/main.go":      "// Cmd runs.\npackage main\n",
			"internal/c/c.go":  "// Package c is internal.\npackage c\n",
		}},
		{name: "out of order", files: map[string]string{
			"a/a.go":          "// Package a is elsewhere.\npackage a\n",
			"b/doc.go":        "package b\n",
			"c/doc.go":        "// This package is odd.\npackage c\n",
			"cmd/main.go":     "package main\n",
			"internal/d/d.go": "package d\n",
			"e/doc.go":        "// Package e is fine.\npackage e\n",
			"e/e.go":          "// Package e has two.\npackage e\n",
		}, want: []string{
			"a/a.go:2: the package comment belongs in doc.go",
			`c/doc.go:2: the package comment does not begin with "Package c"`,
			"e/e.go:2: the package comment belongs in doc.go",
			"a has no doc.go with a package comment",
			"b has no doc.go with a package comment",
			"cmd has no package comment",
			"internal/d has no package comment",
		}},
	})
}

func badPackageDocs(_ *testing.T, r repo) []string {
	var problems, dirs []string
	missing := map[string]string{} // directory -> what it lacks, "" for nothing
	for _, f := range r.files {
		if f.test() {
			continue
		}
		want := "package comment"
		if f.public() {
			want = "doc.go with a package comment"
		}
		if _, seen := missing[f.dir()]; !seen {
			dirs = append(dirs, f.dir())
			missing[f.dir()] = want
		}
		if !says(f.syntax.Doc) {
			continue
		}
		where := r.at(f.syntax.Package)
		if f.public() && path.Base(f.path) != "doc.go" {
			problems = append(problems, where+": the package comment belongs in doc.go")
			continue
		}
		missing[f.dir()] = ""
		if begin := "Package " + f.syntax.Name.Name; !f.main() && !strings.HasPrefix(f.syntax.Doc.Text(), begin+" ") {
			problems = append(problems, fmt.Sprintf("%s: the package comment does not begin with %q", where, begin))
		}
	}
	for _, dir := range dirs {
		if missing[dir] != "" {
			problems = append(problems, dir+" has no "+missing[dir])
		}
	}
	return problems
}
