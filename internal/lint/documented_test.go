package lint_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

func TestDocumented(t *testing.T) { holds(t, undocumented) }

func TestDocumentedCatches(t *testing.T) {
	const doc = "// Package a is fine.\npackage a\n"
	catches(t, undocumented, []planted{
		{name: "in order", files: map[string]string{
			"a/doc.go": doc,
			"a/a.go": `package a

// The limits.
const (
	Min = 1
	Max = 2
)

var (
	// ErrA is one.
	ErrA error
	ErrB error // ErrB is another
)

// T is documented.
type T struct {
	// A is documented.
	A    int
	B, C int // B and C are, too
	T2
	hidden int
}

// T2 is one method, and says what it does.
type T2 interface{ Do() }

func (T) hide()       {}
func (t hidden) Name() {}

type hidden struct{ Name int }
`,
			"a/a_test.go":           "package a\n\nfunc Help() {}\n",
			"cmd/main.go":           "// Cmd runs.\npackage main\n\nfunc Exported() {}\n",
			"internal/b/b.go":       "// Package b is internal.\npackage b\n\nfunc Exported() {}\n",
			"a/internal/c/share.go": "// Package c is internal.\npackage c\n\nfunc Exported() {}\n",
		}},
		{name: "names", files: map[string]string{
			"a/doc.go": doc,
			"a/a.go": `package a

const (
	Min = 1
)

var ErrA error

func Do() {}

type T struct {
	A int
	// Nested is documented.
	Nested struct{ B int }
}

//go:generate nothing
type U[X any] interface {
	V()
	W()
}

func (*T) Do()   {}
func (U2[X]) Do() {}

// U2 is documented.
type U2[X any] []X
`,
		}, want: []string{
			"a/a.go:4: Min is not documented",
			"a/a.go:7: ErrA is not documented",
			"a/a.go:9: Do is not documented",
			"a/a.go:11: T is not documented",
			"a/a.go:12: T.A is not documented",
			"a/a.go:14: T.Nested.B is not documented",
			"a/a.go:18: U is not documented",
			"a/a.go:19: U.V is not documented",
			"a/a.go:20: U.W is not documented",
			"a/a.go:23: T.Do is not documented",
			"a/a.go:24: U2.Do is not documented",
		}},
	})
}

// undocumented looks at every module, the nested ones too: hosts import them all.
func undocumented(_ *testing.T, r repo) []string {
	var problems []string
	for _, f := range r.files {
		if !f.public() {
			continue
		}
		missing := func(pos token.Pos, name string) {
			problems = append(problems, fmt.Sprintf("%s: %s is not documented", r.at(pos), name))
		}
		for _, decl := range f.syntax.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				name := decl.Name.Name
				if decl.Recv != nil {
					receiver := receiverName(decl.Recv.List[0].Type)
					if !ast.IsExported(receiver) {
						continue
					}
					name = receiver + "." + name
				}
				if decl.Name.IsExported() && !says(decl.Doc) {
					missing(decl.Pos(), name)
				}
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					undocumentedSpec(decl, spec, missing)
				}
			}
		}
	}
	return problems
}

func undocumentedSpec(decl *ast.GenDecl, spec ast.Spec, missing func(token.Pos, string)) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			if name.IsExported() && !says(decl.Doc, spec.Doc, spec.Comment) {
				missing(name.Pos(), name.Name)
			}
		}
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return
		}
		doc := says(spec.Doc, spec.Comment) || !decl.Lparen.IsValid() && says(decl.Doc)
		if !doc {
			missing(spec.Pos(), spec.Name.Name)
		}
		if i, ok := spec.Type.(*ast.InterfaceType); ok && doc && i.Methods.NumFields() == 1 {
			return // the type's comment is the method's
		}
		undocumentedFields(spec.Type, spec.Name.Name, missing)
	}
}

// undocumentedFields looks at the fields of structs, also of structs in structs,
// and at the methods of interfaces. What is embedded speaks for itself.
func undocumentedFields(typ ast.Expr, owner string, missing func(token.Pos, string)) {
	var list *ast.FieldList
	switch typ := typ.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			if !name.IsExported() {
				continue
			}
			if !says(field.Doc, field.Comment) {
				missing(name.Pos(), owner+"."+name.Name)
			}
			undocumentedFields(field.Type, owner+"."+name.Name, missing)
		}
	}
}

// says is whether a comment has any text: directives alone do not count.
func says(comments ...*ast.CommentGroup) bool {
	for _, c := range comments {
		if strings.TrimSpace(c.Text()) != "" {
			return true
		}
	}
	return false
}

func receiverName(typ ast.Expr) string {
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.IndexListExpr:
			typ = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}
