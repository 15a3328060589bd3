package schemadoc

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
)

// Comments are the doc comments of the package, by "Type", "Type.Field" and
// "Type.Method".
type Comments struct {
	Text  map[string]string
	Types []string // in the order of the source
}

// ReadComments parses the package in this directory.
func ReadComments() (*Comments, error) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		return nil, err
	}
	c := &Comments{Text: map[string]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						c.addType(decl, spec)
					}
				}
			case *ast.FuncDecl:
				c.addMethod(decl)
			}
		}
	}
	return c, nil
}

func (c *Comments) addType(decl *ast.GenDecl, spec *ast.TypeSpec) {
	name := spec.Name.Name
	c.Types = append(c.Types, name)
	c.Text[name] = commentText(spec.Doc, decl.Doc)
	if fields, ok := spec.Type.(*ast.StructType); ok {
		for _, f := range fields.Fields.List {
			for _, id := range f.Names {
				c.Text[name+"."+id.Name] = commentText(f.Doc, f.Comment)
			}
		}
	}
}

func (c *Comments) addMethod(decl *ast.FuncDecl) {
	if decl.Recv == nil {
		return
	}
	on := decl.Recv.List[0].Type
	if pointer, ok := on.(*ast.StarExpr); ok {
		on = pointer.X
	}
	if id, ok := on.(*ast.Ident); ok {
		c.Text[id.Name+"."+decl.Name.Name] = commentText(decl.Doc)
	}
}

// commentText is the first comment that says something, on one line.
func commentText(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.Join(strings.Fields(g.Text()), " "); text != "" {
			return text
		}
	}
	return ""
}

// Sentence begins with a capital and ends with a full stop.
func Sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}
