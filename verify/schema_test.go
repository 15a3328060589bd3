package verify_test

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/schemadoc"
	"github.com/guidon-go/guidon/verify"
)

// TestSchema: schema.json is what the types of a file say. Module internal/schema
// holds it against suites.
func TestSchema(t *testing.T) {
	got := schemadoc.Pretty(suiteSchema(t), "") + "\n"
	if *update {
		require.NoError(t, os.WriteFile("schema.json", []byte(got), 0o644))
	}
	want, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got,
		"schema.json is not what the types say; write it with: go test ./verify -run TestSchema -update")
}

type (
	object = schemadoc.Object
	member = schemadoc.Member
	list   = schemadoc.List
)

// What the types do not say: keywords of the values that stand in a field, by Go's
// names; of the items, if it is a list.
var schemaValues = map[string]object{
	"suiteFile.URL":             {{"pattern", "^[hH][tT][tT][pP][sS]?://[^?#]+$"}},
	"suiteFile.Parallel":        {{"minimum", 0}, {"maximum", 1000}},
	"suiteFile.BodyLimit":       {{"minimum", 0}, {"maximum", 1 << 30}},
	"testFile.Method":           {{"pattern", "^" + schemaToken + "*$"}},
	"testFile.Endpoint":         {{"pattern", "^/[^#]*$"}},
	"testFile.Header":           {{"pattern", "^" + schemaToken + "+$"}, {"maxLength", 256}},
	"testFile.Redirects":        {{"minimum", 0}, {"maximum", 10}},
	"testFile.Capture":          {{"pattern", schemaName}, {"maxLength", 256}},
	"fromFile.JSON":             {{"pattern", `^\$`}},
	"fromFile.Header":           {{"pattern", "^" + schemaToken + "+$"}},
	"fromFile.Cookie":           {{"minLength", 1}},
	"fromFile.Status":           {{"const", true}},
	"retryFile.Attempts":        {{"minimum", 0}, {"maximum", 1000}},
	"expectFile.HeaderAbsent":   {{"pattern", "^" + schemaToken + "+$"}},
	"expectFile.BodyContains":   {{"minLength", 1}},
	"expectFile.BodyMatches":    {{"minLength", 1}},
	"expectFile.Custom":         {{"minLength", 1}},
	"headerIsFile.Name":         {{"pattern", "^" + schemaToken + "+$"}},
	"headerMatchesFile.Name":    {{"pattern", "^" + schemaToken + "+$"}},
	"headerMatchesFile.Pattern": {{"minLength", 1}},
	"jsonContainsFile.Arrays":   {{"pattern", `^\$`}, {"maxLength", 256}},
	"jsonContainsFile.Absent":   {{"pattern", `^\$`}},
	"jsonPathFile.Path":         {{"pattern", `^\$`}},
	"jsonPathFile.Pattern":      {{"minLength", 1}},
	"jsonPathFile.Count":        {{"minimum", 1}},
	"verify.JSONType":           {{"enum", schemadoc.Strings("null", "bool", "number", "string", "array", "object")}},
	"verify.modeFile":           {{"enum", schemadoc.Strings("positional", "contains_in_order", "contains_any_order", "unordered")}},
	"verify.nodesFile":          {{"enum", schemadoc.Strings("one", "any", "all", "exactly")}},
}

const (
	schemaToken = "[!#$%&'*+.^_`|~0-9A-Za-z-]" // RFC 9110, section 5.6.2
	schemaName  = "^[A-Za-z0-9_-]+$"
)

// schemaLists are keywords of lists.
var schemaLists = map[string]object{
	"suiteFile.Tests": {{"contains", object{{"not", object{{"properties", object{{"optional", object{{"const", true}}}}}, {"required", schemadoc.Strings("optional")}}}}}},
	"testFile.Needs":  {{"uniqueItems", true}},
}

// schemaObjects are keywords of objects.
var schemaObjects = map[string]object{
	"testFile":   {{"not", object{{"required", schemadoc.Strings("body", "json")}}}},
	"fromFile":   {{"minProperties", 1}, {"maxProperties", 1}},
	"expectFile": {{"minProperties", 1}, {"maxProperties", 1}},
	"jsonContainsFile": {{"anyOf", list{
		object{{"required", schemadoc.Strings("value")}},
		object{{"properties", object{{"absent", object{{"minItems", 1}}}, {"arrays", object{{"maxProperties", 0}}}}}, {"required", schemadoc.Strings("absent")}},
	}}},
	"jsonPathFile": {
		{"if", object{{"properties", object{{"absent", object{{"const", true}}}}}, {"required", schemadoc.Strings("absent")}}},
		{"then", object{{"properties", object{
			{"nodes", object{{"const", "one"}}}, {"equals", false}, {"pattern", false}, {"type", false}, {"min", false}, {"max", false}, {"count", false},
		}}}},
	},
}

var schemaStatus = object{{"oneOf", list{
	object{{"type", "integer"}, {"minimum", 200}, {"maximum", 599}},
	object{{"type", "string"}, {"pattern", "^([2-5]xx|[2-5][0-9]{2}-[2-5][0-9]{2})$"}},
}}}

// schemaDefinitions are the types that read their JSON on their own.
var schemaDefinitions = []struct {
	typ, name string
	schema    object
}{
	{"timeFile", "Duration", object{{"type", "string"}, {"allOf", list{
		object{{"pattern", `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`}}, object{{"pattern", "[1-9]"}},
	}}}},
	{"texts", "Texts", object{{"oneOf", list{
		object{{"type", "string"}}, object{{"type", "array"}, {"items", object{{"type", "string"}}}, {"minItems", 1}},
	}}}},
	{"statusFile", "Statuses", object{{"oneOf", list{
		schemaStatus, object{{"type", "array"}, {"items", schemaStatus}, {"minItems", 1}},
	}}}},
	{"namesFile", "Names", object{{"type", "array"}, {"items", object{{"type", "string"}, {"pattern", schemaName}}}, {"uniqueItems", true}}},
}

func suiteSchema(t *testing.T) object {
	comments, err := schemadoc.ReadComments()
	require.NoError(t, err)
	g := &schemaGenerator{Comments: comments, unused: map[string]bool{}}
	for name := range schemaValues {
		g.unused[name] = true
	}
	schema := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "https://raw.githubusercontent.com/guidon-go/guidon/main/verify/schema.json"},
		{"title", "Guidon smoke suite"},
		{"description", "Smoke tests: requests, and what must come back."},
	}
	schema = append(schema, g.structure(verify.SuiteFile)...)
	var defs object
	for i := 0; i < len(g.found); i++ { // which grows meanwhile
		typ := g.found[i]
		defs = append(defs, member{defName(typ), append(object{{"description", g.describe(typ)}}, g.structure(typ)...)})
	}
	for _, d := range schemaDefinitions {
		defs = append(defs, member{d.name, append(object{{"description", g.text(d.typ)}}, d.schema...)})
	}
	require.Empty(t, g.unused, "these are no fields any more")
	return append(schema, member{"$defs", defs})
}

type schemaGenerator struct {
	*schemadoc.Comments
	found  []reflect.Type
	unused map[string]bool
}

// text is the comment of a type without its Go name.
func (g *schemaGenerator) text(name string) string {
	text := strings.TrimPrefix(g.Text[name], name+" ")
	return schemadoc.Sentence(regexp.MustCompile("^(is|are|says) ").ReplaceAllStringFunc(text, func(verb string) string {
		if verb == "says " {
			return verb
		}
		return ""
	}))
}

func (g *schemaGenerator) describe(t reflect.Type) string { return g.text(t.Name()) }

func defName(t reflect.Type) string {
	name := strings.TrimSuffix(t.Name(), "File")
	return strings.ToUpper(name[:1]) + name[1:]
}

// structure is an object with the fields of a struct. Those that encoding/json never
// omits are required.
func (g *schemaGenerator) structure(t reflect.Type) object {
	var properties object
	var required []string
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		value := g.value(f.Type, t.Name()+"."+f.Name)
		properties = append(properties, member{name, append(object{{"description", schemadoc.Sentence(g.Text[t.Name()+"."+f.Name])}}, value...)})
		if !strings.HasPrefix(options, "omit") {
			required = append(required, name)
		}
	}
	out := object{{"type", "object"}, {"properties", properties}}
	if required != nil {
		out = append(out, member{"required", schemadoc.Strings(required...)})
	}
	return append(append(out, member{"additionalProperties", false}), schemaObjects[t.Name()]...)
}

// value is what the field of that name may hold.
func (g *schemaGenerator) value(t reflect.Type, field string) object {
	for _, d := range schemaDefinitions {
		if t.Name() == d.typ {
			return object{{"$ref", "#/$defs/" + d.name}}
		}
	}
	more := schemaValues[field]
	delete(g.unused, field)
	if special := schemaValues[t.String()]; special != nil {
		delete(g.unused, t.String())
		return append(object{{"type", "string"}}, special...)
	}
	switch {
	case t.String() == "json.RawMessage":
		return nil
	case t.Name() == "numberFile":
		return object{{"type", "number"}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.value(t.Elem(), field)
	case reflect.Slice:
		return append(object{{"type", "array"}, {"items", g.value(t.Elem(), field)}}, schemaLists[field]...)
	case reflect.Map: // the keywords are of its names
		return object{{"type", "object"}, {"propertyNames", more}, {"additionalProperties", g.value(t.Elem(), "")}}
	case reflect.Struct:
		if !slices.Contains(g.found, t) {
			g.found = append(g.found, t)
		}
		return object{{"$ref", "#/$defs/" + defName(t)}}
	case reflect.String:
		return append(object{{"type", "string"}}, more...)
	case reflect.Int:
		return append(object{{"type", "integer"}}, more...)
	case reflect.Bool:
		return append(object{{"type", "boolean"}}, more...)
	}
	panic(fmt.Sprintf("no schema for %s, a %v", field, t))
}
