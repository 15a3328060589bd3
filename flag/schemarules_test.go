package flag_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	guidon "github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/schemadoc"
	"github.com/stretchr/testify/require"
)

// What the Go types do not say. All names are those of Go; TestSchemaRules knows
// that they exist.

var (
	scalars   = jsonObject{{"type", schemadoc.Strings("string", "number", "boolean")}}
	anyNumber = jsonObject{{"type", "number"}}
	notEmpty  = jsonObject{{"minLength", 1}}
	onlyTrue  = jsonObject{{"const", true}}

	schemaNames = jsonObject{{"minLength", 1}, {"maxLength", 256}} // of flags, segments, layers and variants
)

// schemaValues are keywords of the values that stand in a field; of its items, if
// it is a list or a map.
var schemaValues = map[string]jsonObject{
	"FeatureFlag.Variants": {{"type", schemadoc.Strings("boolean", "string", "number", "object", "array")}},
	"FeatureFlag.Targets":  notEmpty,
	"Rule.Serve":           notEmpty,
	"Part.Serve":           notEmpty,
	"Segment.Keys":         notEmpty,
	"Segment.Except":       notEmpty,
	"Condition.Attr":       notEmpty,
	"Condition.Eq":         scalars,
	"Condition.In":         scalars,
	"Condition.Lt":         anyNumber,
	"Condition.Le":         anyNumber,
	"Condition.Gt":         anyNumber,
	"Condition.Ge":         anyNumber,
	"Condition.Prefix":     notEmpty,
	"Condition.Suffix":     notEmpty,
	"Condition.Contains":   notEmpty,
	"Condition.Matches":    {{"minLength", 1}, {"maxLength", 1000}},
	"Condition.Semver":     notEmpty,
	"Condition.CIDR":       notEmpty,
	"Condition.Exists":     onlyTrue,
	"Condition.Missing":    onlyTrue,
	"Condition.Segment":    notEmpty,
	"Condition.Flag":       notEmpty,
	"Condition.Serves":     notEmpty,
}

// schemaLists have at least one item.
var schemaLists = []string{"Split.Parts", "Condition.In", "Condition.CIDR", "Condition.Serves"}

// schemaDemand is on the fields of a type; if having is not empty, where that one
// is given. One of the fields is given (oneOf), some are (anyOf), or not all (not).
type schemaDemand struct {
	typ, having string
	keyword     string
	of          []string
}

var (
	conditionForms     = []string{"Attr", "Segment", "Flag", "Time", "All", "Any", "Not"}
	conditionOperators = []string{
		"Eq", "In", "Lt", "Le", "Gt", "Ge", "Prefix", "Suffix", "Contains",
		"Matches", "Semver", "Before", "After", "CIDR", "Exists", "Missing",
	}
)

var schemaDemands = append([]schemaDemand{
	{"FeatureFlag", "", "not", []string{"Ramp", "Split"}},
	{"Rule", "", "oneOf", []string{"Serve", "Ramp", "Split"}},
	{"Part", "", "not", []string{"Share", "Ranges"}},
	{"Window", "", "anyOf", []string{"From", "Until"}},
	{"Condition", "", "oneOf", conditionForms},
	{"Condition", "Attr", "oneOf", conditionOperators},
	{"Condition", "Fold", "anyOf", []string{"Eq", "In", "Prefix", "Suffix", "Contains"}},
	{"Condition", "Serves", "anyOf", []string{"Flag"}},
}, besideAttr()...)

// besideAttr wants an attribute for each operator.
func besideAttr() (demands []schemaDemand) {
	for _, operator := range conditionOperators {
		demands = append(demands, schemaDemand{"Condition", operator, "anyOf", []string{"Attr"}})
	}
	return demands
}

// schema writes the demand with JSON names.
func (d schemaDemand) schema(t reflect.Type) jsonMember {
	required := func(names ...string) jsonMember {
		for i, name := range names {
			f, _ := t.FieldByName(name)
			names[i] = jsonName(f)
		}
		return jsonMember{"required", schemadoc.Strings(names...)}
	}
	switch {
	case d.keyword == "not":
		return jsonMember{"not", jsonObject{required(slices.Clone(d.of)...)}}
	case len(d.of) == 1:
		return required(d.of[0])
	}
	var choices jsonList
	for _, name := range d.of {
		choices = append(choices, jsonObject{required(name)})
	}
	return jsonMember{d.keyword, choices}
}

// TestSchemaRules: each name above is a field, and no field of a condition is
// forgotten.
func TestSchemaRules(t *testing.T) {
	types := documentTypes()
	exists := func(typ, field string) {
		at := slices.IndexFunc(types, func(t reflect.Type) bool { return t.Name() == typ })
		require.GreaterOrEqual(t, at, 0, "there is no type %s", typ)
		_, ok := types[at].FieldByName(field)
		require.True(t, ok, "%s has no field %s", typ, field)
	}
	names := slices.Clone(schemaLists)
	for name := range schemaValues {
		names = append(names, name)
	}
	for _, d := range schemaDemands {
		for _, field := range d.of {
			names = append(names, d.typ+"."+field)
		}
		if d.having != "" {
			names = append(names, d.typ+"."+d.having)
		}
	}
	for _, name := range names {
		typ, field, _ := strings.Cut(name, ".")
		exists(typ, field)
	}
	for f := range reflect.TypeFor[guidon.Condition]().Fields() {
		demanded := slices.ContainsFunc(schemaDemands, func(d schemaDemand) bool {
			return d.typ == "Condition" && (d.having == f.Name || slices.Contains(d.of, f.Name))
		})
		require.True(t, demanded, "no demand has Condition.%s: is it a form, an operator, or beside one?", f.Name)
	}
}
