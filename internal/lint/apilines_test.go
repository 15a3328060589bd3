package lint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"strings"
)

// fact is one line of the API, and the types it speaks of.
type fact struct {
	line  string
	types []types.Type
}

// facts lists what a package exports, the way Go's own api/*.txt does: without
// the names of parameters, which are no promise.
func facts(pkg typed) []fact {
	var all []fact
	add := func(line string, types ...types.Type) {
		all = append(all, fact{"pkg " + pkg.path + ", " + line, types})
	}
	scope := pkg.types.Scope()
	for _, name := range scope.Names() {
		if !token.IsExported(name) {
			continue
		}
		switch o := scope.Lookup(name).(type) {
		case *types.Const:
			if basic, ok := o.Type().(*types.Basic); ok && basic.Info()&types.IsUntyped != 0 {
				add(fmt.Sprintf("const %s = %s", name, o.Val().ExactString()))
			} else {
				add(fmt.Sprintf("const %s %s = %s", name, typeText(pkg, o.Type()), o.Val().ExactString()), o.Type())
			}
		case *types.Var:
			add("var "+name+" "+typeText(pkg, o.Type()), o.Type())
		case *types.Func:
			sig := o.Signature()
			add("func "+name+typeParams(pkg, sig.TypeParams())+signature(pkg, sig), sig)
		case *types.TypeName:
			typeFacts(pkg, o, add)
		}
	}
	return all
}

// typeFacts adds a type: what it is, its exported fields, its exported methods
// (those it got by embedding, too).
func typeFacts(pkg typed, o *types.TypeName, add func(string, ...types.Type)) {
	name := o.Name()
	named, ok := o.Type().(*types.Named)
	if !ok {
		is := types.Unalias(o.Type())
		add("type "+name+" = "+typeText(pkg, is), is)
		return
	}
	head := "type " + name + typeParams(pkg, named.TypeParams())
	var constraints []types.Type
	for p := range named.TypeParams().TypeParams() {
		constraints = append(constraints, p.Constraint())
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		add(head+" struct", constraints...)
		for f := range u.Fields() {
			if f.Embedded() && f.Exported() {
				add("type "+name+" struct, embedded "+typeText(pkg, f.Type()), f.Type())
			} else if f.Exported() {
				add("type "+name+" struct, "+f.Name()+" "+typeText(pkg, f.Type()), f.Type())
			}
		}
	case *types.Interface:
		if !u.IsMethodSet() {
			add(head+" "+typeText(pkg, u), append(constraints, u)...)
			return
		}
		add(head+" interface", constraints...)
		for m := range u.Methods() {
			if m.Exported() {
				add("type "+name+" interface, "+m.Name()+signature(pkg, m.Signature()), m.Signature())
			} else {
				add("type " + name + " interface, unexported methods")
			}
		}
	default:
		add(head+" "+typeText(pkg, u), append(constraints, u)...)
	}
	if !types.IsInterface(named) {
		methodFacts(pkg, named, add)
	}
}

func methodFacts(pkg typed, named *types.Named, add func(string, ...types.Type)) {
	receiver := named.Obj().Name()
	var params []string
	for p := range named.TypeParams().TypeParams() {
		params = append(params, p.Obj().Name())
	}
	if params != nil {
		receiver += "[" + strings.Join(params, ", ") + "]"
	}
	ofValue := types.NewMethodSet(named)
	for m := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		if !m.Obj().Exported() {
			continue
		}
		star := ""
		if ofValue.Lookup(m.Obj().Pkg(), m.Obj().Name()) == nil {
			star = "*"
		}
		sig := m.Type().(*types.Signature)
		add("method ("+star+receiver+") "+m.Obj().Name()+signature(pkg, sig), sig)
	}
}

func typeParams(pkg typed, list *types.TypeParamList) string {
	var params []string
	for p := range list.TypeParams() {
		params = append(params, p.Obj().Name()+" "+typeText(pkg, p.Constraint()))
	}
	if params == nil {
		return ""
	}
	return "[" + strings.Join(params, ", ") + "]"
}

// signature writes "(int) error", without names.
func signature(pkg typed, sig *types.Signature) string {
	plain := types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
	return strings.TrimPrefix(typeText(pkg, plain), "func")
}

// typeText writes a type on one line, with packages by their names and the
// package's own types bare.
func typeText(pkg typed, typ types.Type) string {
	text := types.TypeString(typ, func(other *types.Package) string {
		if other == pkg.types {
			return ""
		}
		return other.Name()
	})
	if !strings.Contains(text, "(") {
		return text
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return text
	}
	ast.Inspect(expr, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncType); ok {
			f.Params.List = nameless(f.Params)
			if f.Results != nil {
				f.Results.List = nameless(f.Results)
			}
		}
		return true
	})
	var out strings.Builder
	if err := printer.Fprint(&out, token.NewFileSet(), expr); err != nil {
		return text
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// nameless turns "a, b int" into "int, int".
func nameless(list *ast.FieldList) []*ast.Field {
	var out []*ast.Field
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			out = append(out, &ast.Field{Type: f.Type})
		}
	}
	return out
}
