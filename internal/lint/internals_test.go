package lint_test

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
	"testing"
)

// TestAPIHidesInternals wants no type of an internal package in the API.
func TestAPIHidesInternals(t *testing.T) { holds(t, internalsShown) }

func TestAPIHidesInternalsCatches(t *testing.T) {
	catches(t, internalsShown, []planted{{
		name: "shown in every way there is",
		files: map[string]string{
			"internal/in/in.go": "package in\n\ntype T struct{ A int }\n\ntype C interface{ ~int }\n\nfunc (T) M(T) {}\n",
			"flag/flag.go": `package flag

import "` + module + `/internal/in"

const Fine = 1

type A = in.T

type B struct{ F []in.T; hidden in.T }

func (b *B) M(func(map[string]*in.T)) {}

type D in.T

type E[X in.C] struct{ in.T }

type F interface{ M() chan in.T }

var V in.T

func G[X in.C]() {}

func hidden(in.T) {}
`,
			"flag/other_windows_arm.go": "package flag\n\nfunc NotHere() {}\n",
		},
		want: []string{
			"pkg flag, func G[X in.C](): internal/in.C must not be seen from outside",
			"pkg flag, method (*B) M(func(map[string]*in.T)): internal/in.T must not be seen from outside",
			"pkg flag, method (E[X]) M(in.T): internal/in.T must not be seen from outside",
			"pkg flag, type A = in.T: internal/in.T must not be seen from outside",
			"pkg flag, type B struct, F []in.T: internal/in.T must not be seen from outside",
			"pkg flag, type E struct, embedded in.T: internal/in.T must not be seen from outside",
			"pkg flag, type E[X in.C] struct: internal/in.C must not be seen from outside",
			"pkg flag, type F interface, M() chan in.T: internal/in.T must not be seen from outside",
			"pkg flag, var V in.T: internal/in.T must not be seen from outside",
		},
	}})
}

func internalsShown(t *testing.T, r repo) []string {
	var problems []string
	for _, pkg := range typedPackages(t, r) {
		if pkg.name == "main" || isInternal(pkg.path) {
			continue
		}
		for _, f := range facts(pkg) {
			for _, name := range internalIn(f.types) {
				problems = append(problems, fmt.Sprintf("%s: %s must not be seen from outside", f.line, name))
			}
		}
	}
	slices.Sort(problems)
	return problems
}

// internalIn finds the types of our internal packages that types name.
func internalIn(list []types.Type) []string {
	var found []string
	var visit func(types.Type)
	object := func(o *types.TypeName, args *types.TypeList) {
		if o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), module) && isInternal(o.Pkg().Path()) {
			found = append(found, strings.TrimPrefix(o.Pkg().Path(), module+"/")+"."+o.Name())
		}
		for a := range args.Types() {
			visit(a)
		}
	}
	visit = func(typ types.Type) {
		switch typ := typ.(type) {
		case *types.Alias:
			object(typ.Obj(), typ.TypeArgs())
			visit(typ.Rhs())
		case *types.Named:
			object(typ.Obj(), typ.TypeArgs())
		case *types.Map:
			visit(typ.Key())
			visit(typ.Elem())
		case interface{ Elem() types.Type }: // pointer, slice, array, channel
			visit(typ.Elem())
		case *types.Tuple:
			for v := range typ.Variables() {
				visit(v.Type())
			}
		case *types.Signature:
			for p := range typ.TypeParams().TypeParams() {
				visit(p.Constraint())
			}
			visit(typ.Params())
			visit(typ.Results())
		case *types.Struct:
			for f := range typ.Fields() {
				visit(f.Type())
			}
		case *types.Interface:
			for m := range typ.Methods() {
				visit(m.Type())
			}
			for e := range typ.EmbeddedTypes() {
				visit(e)
			}
		case *types.Union:
			for term := range typ.Terms() {
				visit(term.Type())
			}
		}
	}
	for _, typ := range list {
		visit(typ)
	}
	slices.Sort(found)
	return slices.Compact(found)
}
