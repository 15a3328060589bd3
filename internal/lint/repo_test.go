package lint_test

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the root module's path; planted checkouts have the same.
const module = "github.com/guidon-go/guidon"

// repo is a checkout: its Go files, parsed, and where its modules are.
type repo struct {
	root    string
	fset    *token.FileSet
	files   []file
	modules []string // directories of the nested modules, never the root's
}

// file is one Go file. Paths are relative to the root and have forward slashes.
type file struct {
	path   string
	module string // the directory of the module it belongs to, "." for the root's
	text   string
	syntax *ast.File
}

func (f file) dir() string { return path.Dir(f.path) }

func (f file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func (f file) main() bool { return f.syntax.Name.Name == "main" }

// public says whether the file adds to the API that others can import.
func (f file) public() bool {
	return !f.test() && !f.main() && !isInternal(f.path)
}

func (f file) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

func isInternal(p string) bool { return slices.Contains(strings.Split(p, "/"), "internal") }

// at is where a problem stands: "flag/store.go:12".
func (r repo) at(pos token.Pos) string {
	p := r.fset.Position(pos)
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// here is the checkout this test stands in: the nearest go.mod above it that is
// the root module's.
var here = sync.OnceValues(func() (repo, error) {
	dir, err := os.Getwd()
	for err == nil {
		text, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
		if strings.Contains("\n"+string(text), "\nmodule "+module+"\n") {
			return open(dir)
		}
		if dir == filepath.Dir(dir) {
			err = fs.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return repo{}, err
})

// open walks a checkout as the go command does: without testdata, vendor, and
// what starts with a dot or an underscore.
func open(root string) (repo, error) {
	r := repo{root: root, fset: token.NewFileSet()}
	owner := map[string]string{".": "."}
	err := fs.WalkDir(os.DirFS(root), ".", func(p string, entry fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_' {
				return fs.SkipDir
			}
			owner[p] = owner[path.Dir(p)]
			if _, err := os.Stat(filepath.Join(root, p, "go.mod")); err == nil {
				owner[p] = p
				r.modules = append(r.modules, p)
			}
			return nil
		}
		if path.Ext(p) != ".go" || name[0] == '.' || name[0] == '_' {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, p))
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(r.fset, p, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if !neverBuilt(syntax) {
			r.files = append(r.files, file{p, owner[path.Dir(p)], string(text), syntax})
		}
		return nil
	})
	return r, err
}

// neverBuilt says whether a file is a script that go run takes by name.
func neverBuilt(syntax *ast.File) bool {
	for _, group := range syntax.Comments {
		if group.Pos() > syntax.Package {
			break
		}
		for _, c := range group.List {
			if expr, err := constraint.Parse(c.Text); err == nil && expr.String() == "ignore" {
				return true
			}
		}
	}
	return false
}

// goCommand runs the go command in a directory and returns what it printed. The
// caller's GOFLAGS stay out of it: a -mod or -modfile is not meant for us.
func goCommand(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}
