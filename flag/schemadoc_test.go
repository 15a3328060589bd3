package flag_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// goComments are the doc comments of the package, by "Type", "Type.Field" and
// "Type.Method".
type goComments struct {
	text  map[string]string
	types []string // in the order of the source
}

// readGoComments parses the package in this directory.
func readGoComments(t *testing.T) *goComments {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	c := &goComments{text: map[string]string{}}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
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
	return c
}

func (c *goComments) addType(decl *ast.GenDecl, spec *ast.TypeSpec) {
	name := spec.Name.Name
	c.types = append(c.types, name)
	c.text[name] = commentText(spec.Doc, decl.Doc)
	if fields, ok := spec.Type.(*ast.StructType); ok {
		for _, f := range fields.Fields.List {
			for _, id := range f.Names {
				c.text[name+"."+id.Name] = commentText(f.Doc, f.Comment)
			}
		}
	}
}

func (c *goComments) addMethod(decl *ast.FuncDecl) {
	if decl.Recv == nil {
		return
	}
	on := decl.Recv.List[0].Type
	if pointer, ok := on.(*ast.StarExpr); ok {
		on = pointer.X
	}
	if id, ok := on.(*ast.Ident); ok {
		c.text[id.Name+"."+decl.Name.Name] = commentText(decl.Doc)
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

// goPhrases are said for Go; a reader of JSON is told the other thing.
var goPhrases = [][2]string{
	{"Its zero value is", "An empty one is"},
	{"Every Go number", "Every number"},
	{"Nil is", "Left out, it is"},
	{"zero is", "Left out, it is"},
	{`, written as "percent" in JSON`, ""},
	{", RFC 3339 in JSON", ", in RFC 3339"},
	{"In JSON both are", "Both are"},
}

var (
	goLink = regexp.MustCompile(`\[(\w+)\]`)
	goWord = regexp.MustCompile(`\w+`)
)

// describe is the comment of a type, or of one of its fields, for a reader of
// JSON: whole sentences, and fields under their JSON names.
func (c *goComments) describe(t reflect.Type, field string) string {
	text := c.text[t.Name()]
	if field != "" {
		text = c.text[t.Name()+"."+field]
		if other, ok := strings.CutPrefix(text, "see "); ok {
			text = c.text[t.Name()+"."+other]
		}
	}
	for _, p := range goPhrases {
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	text = goLink.ReplaceAllStringFunc(text, func(link string) string {
		name := strings.Trim(link, "[]")
		if slices.Contains(c.types, name) {
			return name
		}
		return "flag." + name
	})
	if t.Kind() == reflect.Struct {
		text = goWord.ReplaceAllStringFunc(text, func(w string) string {
			if f, ok := t.FieldByName(w); ok {
				return "`" + jsonName(f) + "`"
			}
			return w
		})
	}
	return asSentence(text)
}

// asSentence begins with a capital and ends with a full stop.
func asSentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

func TestSchemaPhrases(t *testing.T) {
	all := readGoComments(t).text
	for _, p := range goPhrases {
		said := false
		for _, text := range all {
			said = said || strings.Contains(text, p[0])
		}
		require.True(t, said, "no comment says %q any more: take it out of goPhrases", p[0])
	}
}
