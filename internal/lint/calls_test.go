package lint_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"iter"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCalls wants libraries to leave the host's output and life alone, and tests
// not to sleep by the wall clock.
func TestCalls(t *testing.T) { holds(t, badCalls) }

func TestCallsCatches(t *testing.T) {
	catches(t, badCalls, []planted{
		{name: "in order", files: map[string]string{
			"a/a.go": `package a

import ("fmt"; "io"; "log"; "log/slog"; "os"; "time")

func f(w io.Writer, l *slog.Logger) {
	fmt.Fprintln(w, os.Getpid(), log.New(w, "", 0))
	l.Info("x")
	time.Sleep(1)
}
`,
			"a/a_test.go":         "package a\n\nimport \"fmt\"\n\nfunc Example() { fmt.Println() }\n",
			"a/bubble_test.go":    "package a\n\nimport (\"testing/synctest\"; \"time\")\n\nvar _ = synctest.Test\n\nfunc f() { time.Sleep(1) }\n",
			"examples/x/main.go":  "package main\n\nimport (\"log\"; \"os\")\n\nfunc main() { log.Print(); os.Exit(1) }\n",
			"a/testdata/x/bad.go": "package x\n\nfunc f() { println() }\n",
		}},
		{name: "out of order", files: map[string]string{
			"a/a.go": `package a

import ("fmt"; stdlog "log"; "os")

func f() {
	fmt.Printf("x")
	stdlog.Fatal("x")
	os.Exit(1)
	println("x")
}
`,
			"a/a_test.go":     "package a\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n",
			"internal/b/b.go": "package b\n\nimport \"fmt\"\n\nfunc f() { fmt.Println() }\n",
		}, want: []string{
			"a/a.go:6: fmt.Printf: a library does not print",
			"a/a.go:7: log.Fatal: a library logs through what its host gave it",
			"a/a.go:8: os.Exit: only main may end the process",
			"a/a.go:9: println: a library does not print",
			"a/a_test.go:5: time.Sleep: sleep in a testing/synctest bubble only",
			"internal/b/b.go:5: fmt.Println: a library does not print",
		}},
	})
}

func badCalls(_ *testing.T, r repo) []string {
	var problems []string
	for _, f := range r.files {
		for name, pos := range calls(f) {
			why := ""
			switch {
			case f.test():
				if name == "time.Sleep" && !slices.Contains(f.imports(), "testing/synctest") {
					why = "sleep in a testing/synctest bubble only"
				}
			case f.main():
			case name == "print" || name == "println" || strings.HasPrefix(name, "fmt.Print"):
				why = "a library does not print"
			case name == "os.Exit":
				why = "only main may end the process"
			case strings.HasPrefix(name, "log.") && name != "log.New": // which writes where it is told to
				why = "a library logs through what its host gave it"
			}
			if why != "" {
				problems = append(problems, fmt.Sprintf("%s: %s: %s", r.at(pos), name, why))
			}
		}
	}
	return problems
}

// calls lists the functions of other packages that a file calls, by import path,
// and those it calls without a package.
func calls(f file) iter.Seq2[string, token.Pos] {
	imported := map[string]string{}
	for _, spec := range f.syntax.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imported[name] = p
	}
	return func(yield func(string, token.Pos) bool) {
		more := true
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !more {
				return more
			}
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				more = yield(fun.Name, call.Pos())
			case *ast.SelectorExpr:
				if x, ok := fun.X.(*ast.Ident); ok && imported[x.Name] != "" {
					more = yield(imported[x.Name]+"."+fun.Sel.Name, call.Pos())
				}
			}
			return more
		})
	}
}
