package lint_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
	"testing"
)

// TestErrorf wants errors wrapped: fmt.Errorf with %v, %s and the like loses
// what a caller branches on. Who means that writes err.Error().
func TestErrorf(t *testing.T) { holds(t, unwrapped) }

func TestErrorfCatches(t *testing.T) {
	catches(t, unwrapped, []planted{
		{name: "in order", files: map[string]string{"a/a.go": `package a

import "fmt"

func f(err error, n int, all ...any) []error {
	return []error{
		fmt.Errorf("%w, %[1]T, %d%%: %v", err, n, n),
		fmt.Errorf("%s", err.Error()),
		fmt.Errorf("%v", all...),
	}
}
`}},
		{name: "lost", files: map[string]string{"a/a.go": `package a

import "fmt"

const format = "%-3d %+v"

type T struct{}

func (*T) Error() string { return "" }

func f(err error, n int, t *T) {
	_ = fmt.Errorf(format, n, err)
	_ = fmt.Errorf("%[2]s %[1]*[3]d", n, err, n)
	_ = fmt.Errorf("%*.*q: %w", n, n, t, err)
}
`}, want: []string{
			"a/a.go:12: fmt.Errorf with %v loses the error: use %w",
			"a/a.go:13: fmt.Errorf with %s loses the error: use %w",
			"a/a.go:14: fmt.Errorf with %q loses the error: use %w",
		}},
	})
}

func unwrapped(t *testing.T, r repo) []string {
	isError := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	var problems []string
	for _, pkg := range typedPackages(t, r) {
		for _, f := range pkg.files {
			ast.Inspect(f, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || call.Ellipsis.IsValid() || !isErrorf(pkg, call.Fun) {
					return true
				}
				format := pkg.info.Types[call.Args[0]].Value
				if format == nil {
					return true
				}
				args := call.Args[1:]
				for _, v := range verbs(constant.StringVal(format)) {
					if v.arg < len(args) && !strings.ContainsRune("wT", v.letter) &&
						types.Implements(pkg.info.Types[args[v.arg]].Type, isError) {
						problems = append(problems, fmt.Sprintf("%s: fmt.Errorf with %%%c loses the error: use %%w", r.at(call.Pos()), v.letter))
					}
				}
				return true
			})
		}
	}
	return problems
}

func isErrorf(pkg typed, fun ast.Expr) bool {
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := pkg.info.Uses[selector.Sel].(*types.Func)
	return ok && f.FullName() == "fmt.Errorf"
}

// verb is one of a format's verbs, and the argument it prints.
type verb struct {
	letter rune
	arg    int
}

// verbs reads a format as package fmt does: flags, stars and [n] included.
func verbs(format string) []verb {
	var found []verb
	arg := 0
	inVerb := false
	for i, c := range format {
		switch {
		case !inVerb:
			inVerb = c == '%'
		case c == '%':
			inVerb = false
		case c == '*':
			arg++
		case c == '[':
			var n int
			if _, err := fmt.Sscanf(format[i:], "[%d]", &n); err == nil && n > 0 {
				arg = n - 1
			}
		case strings.ContainsRune("+-# 0123456789.]", c):
		default:
			found = append(found, verb{c, arg})
			arg++
			inVerb = false
		}
	}
	return found
}
