package lint_test

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestNamed wants what a package's comment says is shown, or held, by a test to be so: the
// tests, fuzz targets and examples that it names are there, in its folder, or anywhere if
// it is the root's.
func TestNamed(t *testing.T) { holds(t, namedInVain) }

func TestNamedCatches(t *testing.T) {
	catches(t, namedInVain, []planted{{
		name: "some gone",
		files: map[string]string{
			"doc.go": "// Package guidon is the map: TestA, FuzzB, Example_c, ExampleGone.\npackage guidon\n",
			"a/doc.go": "// Package a holds: TestA, TestGone. See [TestOther] and kit.TestKit.\n" +
				"// A Testament is no test.\n//\n//\tfunc TestYours(t *testing.T)\npackage a\n",
			"a/a_test.go": "package a_test\n\nfunc TestA(t *testing.T) {}\n\nfunc FuzzB(f *testing.F) {}\n",
			"b/doc.go":    "// Package b is shown by ExampleB and Example_c; TestA is elsewhere.\npackage b\n",
			"b/b_test.go": "package b_test\n\nfunc Example_c() {}\n\nfunc (b) ExampleB() {}\n",
		},
		want: []string{
			"a/doc.go: TestGone is not in a",
			"b/doc.go: ExampleB is not in b",
			"b/doc.go: TestA is not in b",
			"doc.go: ExampleGone is nowhere",
		},
	}})
}

// named finds TestFoo, FuzzFoo, ExampleFoo and Example_foo, and what stands before.
var named = regexp.MustCompile(`(^|[^\w])((?:Test|Fuzz|Example)(?:[A-Z]|_[a-z])\w*)`)

// code is the lines of a comment that are code: they are the reader's.
var code = regexp.MustCompile(`(?m)^\t.*$`)

func namedInVain(_ *testing.T, r repo) []string {
	in := map[string]bool{} // folder and name
	for _, f := range r.files {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test() && fn.Recv == nil {
				in[path.Join(f.dir(), fn.Name.Name)] = true
				in["./"+fn.Name.Name] = true
			}
		}
	}
	var problems []string
	for _, f := range r.files {
		if path.Base(f.path) != "doc.go" || !says(f.syntax.Doc) {
			continue
		}
		text := code.ReplaceAllString(f.syntax.Doc.Text(), "")
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			where := path.Join(f.dir(), m[2])
			elsewhere := fmt.Sprintf("is not in %s", f.dir())
			if f.dir() == "." {
				where, elsewhere = "./"+m[2], "is nowhere"
			}
			if !in[where] && !strings.ContainsAny(m[1], ".[") {
				problems = append(problems, fmt.Sprintf("%s: %s %s", f.path, m[2], elsewhere))
			}
		}
	}
	return problems
}
