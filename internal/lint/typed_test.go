package lint_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/types"
	"io"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"
)

// typed is a package of the root module with its types, without its tests.
type typed struct {
	path  string // from the module: "flag/flaghttp", "." for the root
	name  string
	types *types.Package
	info  *types.Info
	files []*ast.File
}

// typedPackages type-checks the root module for this platform, against what the
// compiler left in the build cache. A module that does not compile ends the test.
func typedPackages(t *testing.T, r repo) []typed {
	t.Helper()
	type listed struct {
		ImportPath, Name, Export string
		GoFiles                  []string
		DepOnly                  bool
	}
	byPath := map[string]listed{}
	var own []listed
	out := goCommand(t, r.root, "list", "-export", "-deps", "-json=ImportPath,Name,Export,GoFiles,DepOnly", "./...")
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		byPath[p.ImportPath] = p
		if !p.DepOnly {
			own = append(own, p)
		}
	}
	syntax := map[string]*ast.File{}
	for _, f := range r.files {
		syntax[f.path] = f.syntax
	}
	config := types.Config{
		Importer: importer.ForCompiler(r.fset, "gc", func(p string) (io.ReadCloser, error) {
			return os.Open(byPath[p].Export)
		}),
		Sizes: types.SizesFor("gc", runtime.GOARCH),
	}
	var packages []typed
	for _, p := range own {
		pkg := typed{
			path: strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/"),
			name: p.Name,
			info: &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}},
		}
		if pkg.path == "" {
			pkg.path = "."
		}
		for _, name := range p.GoFiles {
			if f := syntax[path.Join(pkg.path, name)]; f != nil {
				pkg.files = append(pkg.files, f)
			}
		}
		var err error
		if pkg.types, err = config.Check(p.ImportPath, r.fset, pkg.files, pkg.info); err != nil {
			t.Fatalf("type-checking %s: %v", p.ImportPath, err)
		}
		packages = append(packages, pkg)
	}
	return packages
}
