package flag_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	guidon "github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/schemadoc"
	"github.com/stretchr/testify/require"
)

// TestSchema: schema.json is what the Go types of a document say. Module
// internal/schema holds it against documents.
func TestSchema(t *testing.T) {
	got := schemadoc.Pretty(documentSchema(t), "") + "\n"
	if *update {
		require.NoError(t, os.WriteFile("schema.json", []byte(got), 0o644))
	}
	want, err := os.ReadFile("schema.json")
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got,
		"schema.json is not what the Go types say; write it with: go test ./flag -run TestSchema -update")
}

func documentSchema(t *testing.T) jsonObject {
	g := schemaGenerator{readGoComments(t)}
	root := reflect.TypeFor[guidon.Document]()
	first, _, _ := strings.Cut(g.describe(root, ""), ". ")
	schema := jsonObject{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$id", "https://raw.githubusercontent.com/guidon-go/guidon/main/flag/schema.json"},
		{"title", "Guidon flag document"},
		{"description", schemadoc.Sentence(first)},
	}
	schema = append(schema, g.structure(root)...)
	schema = append(schema, jsonMember{"patternProperties", jsonObject{{"^x-", jsonObject{{"description", "Not read: for other programs, and a place for anchors in YAML."}}}}})
	types := documentTypes()[1:]
	slices.SortFunc(types, func(a, b reflect.Type) int {
		return slices.Index(g.Types, a.Name()) - slices.Index(g.Types, b.Name())
	})
	var defs jsonObject
	for _, typ := range types {
		defs = append(defs, jsonMember{typ.Name(), g.definition(typ)})
	}
	return append(schema, jsonMember{"$defs", defs})
}

type (
	jsonObject = schemadoc.Object
	jsonMember = schemadoc.Member
	jsonList   = schemadoc.List
)

var (
	shareType = reflect.TypeFor[guidon.Share]()
	timeType  = reflect.TypeFor[time.Time]()
)

// documentTypes is each type of ours that a document has in it, Document first.
func documentTypes() []reflect.Type {
	found := []reflect.Type{reflect.TypeFor[guidon.Document]()}
	for i := 0; i < len(found); i++ {
		if found[i].Kind() != reflect.Struct {
			continue
		}
		for f := range found[i].Fields() {
			typ := f.Type
			for typ.Kind() == reflect.Map || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
				typ = typ.Elem()
			}
			if typ.PkgPath() == shareType.PkgPath() && !slices.Contains(found, typ) {
				found = append(found, typ)
			}
		}
	}
	return found
}

type schemaGenerator struct{ goComments }

// definition is what stands under $defs.
func (g schemaGenerator) definition(t reflect.Type) jsonObject {
	if t == shareType { // its comment is about slots, that of the method about JSON
		text := strings.TrimPrefix(g.Text["Share.UnmarshalJSON"], "UnmarshalJSON reads ")
		return jsonObject{{"description", schemadoc.Sentence(text)}, {"type", "number"}, {"minimum", 0}, {"maximum", 100}}
	}
	return append(jsonObject{{"description", g.describe(t, "")}}, g.structure(t)...)
}

// structure is an object with the fields of a struct. Those that encoding/json
// never omits are required.
func (g schemaGenerator) structure(t reflect.Type) jsonObject {
	var properties jsonObject
	var required jsonList
	for f := range t.Fields() {
		name := jsonName(f)
		properties = append(properties, jsonMember{name, g.field(t, f)})
		if !strings.Contains(f.Tag.Get("json"), ",omit") {
			required = append(required, name)
		}
	}
	out := jsonObject{{"type", "object"}, {"properties", properties}}
	if required != nil {
		out = append(out, jsonMember{"required", required})
	}
	out = append(out, jsonMember{"additionalProperties", false})
	var dependent jsonObject
	for _, d := range schemaDemands {
		switch {
		case d.typ != t.Name():
		case d.having == "":
			out = append(out, d.schema(t))
		default:
			f, _ := t.FieldByName(d.having)
			dependent = append(dependent, jsonMember{jsonName(f), jsonObject{d.schema(t)}})
		}
	}
	if dependent != nil {
		out = append(out, jsonMember{"dependentSchemas", dependent})
	}
	return out
}

func (g schemaGenerator) field(t reflect.Type, f reflect.StructField) jsonObject {
	name := t.Name() + "." + f.Name
	out := jsonObject{{"description", g.describe(t, f.Name)}}
	out = append(out, valueSchema(f.Type, name)...)
	if slices.Contains(schemaLists, name) {
		out = append(out, jsonMember{"minItems", 1})
	}
	return out
}

// valueSchema is what the field of that name may hold.
func valueSchema(t reflect.Type, field string) jsonObject {
	switch {
	case t == timeType:
		return jsonObject{{"type", "string"}, {"format", "date-time"}}
	case t.PkgPath() == shareType.PkgPath():
		return jsonObject{{"$ref", "#/$defs/" + t.Name()}}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return valueSchema(t.Elem(), field)
	case reflect.Slice:
		return jsonObject{{"type", "array"}, {"items", valueSchema(t.Elem(), field)}}
	case reflect.Map:
		return jsonObject{{"type", "object"}, {"propertyNames", schemaNames}, {"additionalProperties", valueSchema(t.Elem(), field)}}
	case reflect.String:
		return append(jsonObject{{"type", "string"}}, schemaValues[field]...)
	case reflect.Bool:
		return append(jsonObject{{"type", "boolean"}}, schemaValues[field]...)
	case reflect.Interface:
		if schema, ok := schemaValues[field]; ok {
			return schema
		}
	}
	panic(fmt.Sprintf("no schema for %s, a %v", field, t))
}

// jsonName is what a field is called in a document.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
