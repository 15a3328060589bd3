package flag_test

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/internal/schemadoc"
	"github.com/stretchr/testify/require"
)

// goComments are the doc comments of the package.
type goComments struct{ *schemadoc.Comments }

func readGoComments(t *testing.T) goComments {
	c, err := schemadoc.ReadComments()
	require.NoError(t, err)
	return goComments{c}
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
func (c goComments) describe(t reflect.Type, field string) string {
	text := c.Text[t.Name()]
	if field != "" {
		text = c.Text[t.Name()+"."+field]
		if other, ok := strings.CutPrefix(text, "see "); ok {
			text = c.Text[t.Name()+"."+other]
		}
	}
	for _, p := range goPhrases {
		text = strings.ReplaceAll(text, p[0], p[1])
	}
	text = goLink.ReplaceAllStringFunc(text, func(link string) string {
		name := strings.Trim(link, "[]")
		if slices.Contains(c.Types, name) {
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
	return schemadoc.Sentence(text)
}

func TestSchemaPhrases(t *testing.T) {
	all := readGoComments(t).Text
	for _, p := range goPhrases {
		said := false
		for _, text := range all {
			said = said || strings.Contains(text, p[0])
		}
		require.True(t, said, "no comment says %q any more: take it out of goPhrases", p[0])
	}
}
