package lint_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// graph is who imports whom: by code, and by _test.go files.
type graph struct{ code, tests map[string][]string }

// graphOf reads our own packages from the syntax of every file, whatever
// platform it is for, and asks the go command about the others.
func graphOf(t *testing.T, r repo) graph {
	t.Helper()
	g := graph{map[string][]string{}, map[string][]string{}}
	outside := map[string]bool{}
	for _, f := range r.files {
		if f.module != "." {
			continue
		}
		from := ownName(path.Join(module, f.dir()))
		if g.code[from] == nil {
			g.code[from] = []string{}
		}
		for _, p := range f.imports() {
			if f.test() {
				g.tests[from] = append(g.tests[from], ownName(p))
				continue
			}
			g.code[from] = append(g.code[from], ownName(p))
			if ownName(p) == p && p != "C" {
				outside[p] = true
			}
		}
	}
	if len(outside) > 0 {
		maps.Copy(g.code, importsOf(t, r.root, slices.Sorted(maps.Keys(outside))))
	}
	return g
}

// ownName writes an import path of this module as the rules do.
func ownName(p string) string {
	if p == module {
		return "."
	}
	if own, ok := strings.CutPrefix(p, module+"/"); ok {
		return "./" + own
	}
	return p
}

// importsOf asks the go command what packages and their dependencies import.
func importsOf(t *testing.T, dir string, packages []string) map[string][]string {
	t.Helper()
	args := append([]string{"list", "-e", "-deps", "-json=ImportPath,Imports", "--"}, packages...)
	found := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(goCommand(t, dir, args...))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err == io.EOF {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[p.ImportPath] = p.Imports
	}
}

// chain is the shortest way from a package to one that is bad, or nil.
func (g graph) chain(from string, bad func(string) bool) []string {
	came := map[string]string{from: ""}
	queue := []string{from}
	for len(queue) > 0 {
		p := queue[0]
		queue = queue[1:]
		if p != from && bad(p) {
			var chain []string
			for ; p != ""; p = came[p] {
				chain = append(chain, p)
			}
			slices.Reverse(chain)
			return chain
		}
		for _, next := range slices.Sorted(slices.Values(g.code[p])) {
			if _, seen := came[next]; !seen {
				came[next] = p
				queue = append(queue, next)
			}
		}
	}
	return nil
}
