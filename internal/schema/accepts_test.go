package schema_test

import (
	"reflect"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var accepted = []struct {
	name    string
	where   place
	snippet string
}{
	{"no flags", document, `{"flags": {}}`},
	{"a schema", document, `{"$schema": "../schema.json", "flags": {}}`},
	{"no segments and layers", document, `{"flags": {}, "segments": {}, "layers": {}}`},

	{"an empty flag", aFlag, `{}`},
	{"all of a flag", aFlag, `{
		"description": "d", "disabled": true, "variants": {"a": 1, "b": 2.5}, "off": "a", "salt": "s",
		"when": {"all": []}, "targets": {"a": ["u", "v"], "b": []}, "rules": [], "ramp": {"percent": 0, "serve": "a"}, "serve": "b"}`},
	{"what is left out, written", aFlag, `{"description": "", "disabled": false, "variants": {}, "off": "", "salt": "", "targets": {}, "serve": ""}`},
	{"booleans", aFlag, `{"variants": {"yes": true, "no": false}}`},
	{"strings", aFlag, `{"variants": {"a": "", "b": "text"}, "serve": "a"}`},
	{"JSON", aFlag, `{"variants": {"a": {"deep": [null, {}]}, "b": [1, "two"]}, "serve": "a"}`},

	{"a rule that serves", aRule, `{"if": {"all": []}, "serve": "on"}`},
	{"a rule with a ramp", aRule, `{"if": {"all": []}, "ramp": {"percent": 50}}`},
	{"a rule with a split", aRule, `{"if": {"all": []}, "split": {"parts": [{"serve": "on", "percent": 100}]}}`},

	{"a ramp", aRamp, `{"percent": 0.001, "serve": "on", "salt": "s", "by": "tenant"}`},
	{"all", aRamp, `{"percent": 100.000}`},
	{"a schedule", aRamp, `{"percent": 99.999, "linear": true, "schedule": [
		{"at": "2026-12-01T08:00:00Z", "percent": 10}, {"at": "2026-12-02T08:00:00.5+01:00", "percent": 33.333}]}`},
	{"an empty schedule", aRamp, `{"percent": 5, "linear": false, "schedule": []}`},

	{"a split", aFlag, `{"split": {"by": "tenant", "salt": "s", "parts": [{"serve": "on", "percent": 99.5}, {"serve": "off", "percent": 0.5}]}}`},
	{"ranges", aFlag, `{"split": {"parts": [{"serve": "on", "ranges": [{"from": 0, "to": 10}, {"from": 20, "to": 100}]}, {"serve": "off", "ranges": [{"from": 10, "to": 20}]}]}}`},
	{"a part of nothing", aFlag, `{"split": {"parts": [{"serve": "on", "percent": 100}, {"serve": "off"}]}}`},

	{"eq string", condition, `{"attr": "a", "eq": ""}`},
	{"eq number", condition, `{"attr": "a", "eq": -1.5e3}`},
	{"eq boolean", condition, `{"attr": "a", "eq": false}`},
	{"eq folded", condition, `{"attr": "a", "eq": "x", "fold": true}`},
	{"in strings", condition, `{"attr": "a", "in": ["", "x"]}`},
	{"in numbers", condition, `{"attr": "a", "in": [1, 2.5]}`},
	{"in booleans", condition, `{"attr": "a", "in": [true]}`},
	{"in folded", condition, `{"attr": "a", "in": ["x"], "fold": true}`},
	{"lt", condition, `{"attr": "a", "lt": 0}`},
	{"le", condition, `{"attr": "a", "le": 18446744073709551615}`},
	{"gt", condition, `{"attr": "a", "gt": -1}`},
	{"ge", condition, `{"attr": "a", "ge": 1.5}`},
	{"prefix", condition, `{"attr": "a", "prefix": "x"}`},
	{"prefix folded", condition, `{"attr": "a", "prefix": "x", "fold": true}`},
	{"suffix", condition, `{"attr": "a", "suffix": "x"}`},
	{"suffix folded", condition, `{"attr": "a", "suffix": "x", "fold": true}`},
	{"contains", condition, `{"attr": "a", "contains": "x"}`},
	{"contains folded", condition, `{"attr": "a", "contains": "x", "fold": true}`},
	{"not folded", condition, `{"attr": "a", "contains": "x", "fold": false}`},
	{"matches", condition, `{"attr": "a", "matches": "^x+$"}`},
	{"semver", condition, `{"attr": "a", "semver": ">=1.2.3 <2.0.0-0"}`},
	{"before", condition, `{"attr": "a", "before": "2026-12-01T08:00:00Z"}`},
	{"after", condition, `{"attr": "a", "after": "2026-12-01T08:00:00.123456789-11:30"}`},
	{"cidr", condition, `{"attr": "a", "cidr": ["10.0.0.0/8", "2001:db8::/32"]}`},
	{"exists", condition, `{"attr": "a", "exists": true}`},
	{"missing", condition, `{"attr": "a", "missing": true}`},
	{"segment", document, `{"flags": {"f": {"when": {"segment": "s"}}}, "segments": {"s": {}}}`},
	{"flag", document, `{"flags": {"f": {"when": {"flag": "g"}}, "g": {}}}`},
	{"flag that serves", document, `{"flags": {"f": {"when": {"flag": "g", "serves": ["on", "off"]}}, "g": {}}}`},
	{"time from", condition, `{"time": {"from": "2026-12-01T08:00:00Z"}}`},
	{"time until", condition, `{"time": {"until": "2026-12-01T08:00:00Z"}}`},
	{"time from and until", condition, `{"time": {"from": "2026-12-01T08:00:00Z", "until": "2027-01-01T00:00:00Z"}}`},
	{"all, any and not", condition, `{"all": [{"any": [{"not": {"attr": "a", "eq": 1}}, {"all": []}]}]}`},
	{"an empty any", condition, `{"any": []}`},

	{"an empty segment", aSegment, `{}`},
	{"all of a segment", aSegment, `{"description": "d", "by": "tenant", "keys": ["a"], "except": ["b"], "if": {"attr": "a", "eq": 1}}`},
	{"an empty layer", aLayer, `{"flags": {}}`},
	{"all of a layer", document, `{"flags": {"f": {}, "g": {}}, "layers": {"l": {"description": "d", "by": "tenant", "salt": "s", "holdout": 0.5,
		"flags": {"f": [{"from": 0, "to": 33.333}], "g": [{"from": 33.333, "to": 66.666}]}}}}`},
}

// TestAccepts: what the library reads, the schema takes; and the table above has
// every field there is.
func TestAccepts(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range accepted {
		t.Run(tt.name, func(t *testing.T) {
			mark(reflect.ValueOf(accepts(t, tt.where.document(tt.snippet))), seen)
		})
	}
	types := map[reflect.Type]bool{}
	collect(reflect.TypeFor[flag.Document](), types)
	for typ := range types {
		for f := range typ.Fields() {
			require.True(t, seen[typ.Name()+"."+f.Name], "%s.%s is in no accepted document of the table", typ.Name(), f.Name)
		}
	}
}

// mark notes which fields of our structs are given somewhere in a value.
func mark(v reflect.Value, seen map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		mark(v.Elem(), seen)
	case reflect.Slice:
		for i := range v.Len() {
			mark(v.Index(i), seen)
		}
	case reflect.Map:
		for _, item := range v.Seq2() {
			mark(item, seen)
		}
	case reflect.Struct:
		if !ours(v.Type()) {
			return
		}
		for f, field := range v.Fields() {
			if !field.IsZero() {
				seen[v.Type().Name()+"."+f.Name] = true
				mark(field, seen)
			}
		}
	}
}

// collect adds the structs of ours that a type has in it.
func collect(t reflect.Type, types map[reflect.Type]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collect(t.Elem(), types)
	case reflect.Struct:
		if !ours(t) || types[t] {
			return
		}
		types[t] = true
		for f := range t.Fields() {
			collect(f.Type, types)
		}
	}
}

func ours(t reflect.Type) bool { return t.PkgPath() == reflect.TypeFor[flag.Document]().PkgPath() }
