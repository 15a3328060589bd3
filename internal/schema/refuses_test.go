package schema_test

import (
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestRefuses: mistakes of structure are refused, where they are.
func TestRefuses(t *testing.T) {
	tests := []struct {
		name    string
		where   place
		snippet string
		at      string // within the place
	}{
		{"a list", document, `[]`, ""},
		{"no flags", document, `{}`, ""},
		{"flags is a list", document, `{"flags": []}`, "/flags"},
		{"flags is null", document, `{"flags": null}`, "/flags"},
		{"an unknown field", document, `{"flags": {}, "flag": {}}`, ""},
		{"a schema that is no string", document, `{"$schema": 1, "flags": {}}`, "/$schema"},
		{"a flag without a key", document, `{"flags": {"": {}}}`, "keys of /properties/flags"},
		{"a segment without a name", document, `{"flags": {}, "segments": {"": {}}}`, "keys of /properties/segments"},
		{"a layer without a name", document, `{"flags": {}, "layers": {"": {"flags": {}}}}`, "keys of /properties/layers"},

		{"a long key", document, `{"flags": {"` + strings.Repeat("x", 257) + `": {}}}`, "keys of /properties/flags"},
		{"a long name of a variant", document, `{"flags": {"f": {"variants": {"` + strings.Repeat("x", 257) + `": 1}}}}`, "keys of /$defs/FeatureFlag/properties/variants"},

		{"a flag that is null", aFlag, `null`, ""},
		{"a field unknown to flags", aFlag, `{"enabled": true}`, ""},
		{"disabled as text", aFlag, `{"disabled": "yes"}`, "/disabled"},
		{"a variant that is null", aFlag, `{"variants": {"a": null}}`, "/variants/a"},
		{"a variant without a name", document, `{"flags": {"f": {"variants": {"": 1}}}}`, "keys of /$defs/FeatureFlag/properties/variants"},
		{"serve as a number", aFlag, `{"serve": 5}`, "/serve"},
		{"targets without a list", aFlag, `{"targets": {"on": "anna"}}`, "/targets/on"},
		{"a target that is a number", aFlag, `{"targets": {"on": [7]}}`, "/targets/on/0"},
		{"a target that is empty", aFlag, `{"targets": {"on": [""]}}`, "/targets/on/0"},
		{"targets of no variant", document, `{"flags": {"f": {"targets": {"": []}}}}`, "keys of /$defs/FeatureFlag/properties/targets"},
		{"ramp and split", aFlag, `{"ramp": {"percent": 1}, "split": {"parts": [{"serve": "on", "percent": 100}]}}`, ""},
		{"a split without parts", aFlag, `{"split": {}}`, "/split"},
		{"a split of no parts", aFlag, `{"split": {"parts": []}}`, "/split/parts"},

		{"a rule without a condition", aRule, `{"serve": "on"}`, ""},
		{"a rule that serves nothing", aRule, `{"if": {"all": []}}`, ""},
		{"a rule that serves an empty name", aRule, `{"if": {"all": []}, "serve": ""}`, "/serve"},
		{"a rule with serve and ramp", aRule, `{"if": {"all": []}, "serve": "on", "ramp": {"percent": 1}}`, ""},
		{"a rule with ramp and split", aRule, `{"if": {"all": []}, "ramp": {"percent": 1}, "split": {"parts": [{"serve": "on", "percent": 100}]}}`, ""},
		{"a rule that serves an empty name and has a ramp", aRule, `{"if": {"all": []}, "serve": "", "ramp": {"percent": 1}}`, ""},
		{"a field unknown to rules", aRule, `{"if": {"all": []}, "serve": "on", "when": {}}`, ""},

		{"null for a condition", aFlag, `{"when": null}`, "/when"},
		{"null for a ramp", aFlag, `{"ramp": null}`, "/ramp"},
		{"a ramp without a percentage", aRamp, `{"serve": "on"}`, ""},
		{"a ramp with a schedule only", aRamp, `{"schedule": [{"at": "2026-12-01T08:00:00Z", "percent": 10}]}`, ""},
		{"a point without a percentage", aRamp, `{"percent": 1, "schedule": [{"at": "2026-12-01T08:00:00Z"}]}`, "/schedule/0"},
		{"less than nobody", aRamp, `{"percent": -1}`, "/percent"},
		{"more than everybody", aRamp, `{"percent": 100.001}`, "/percent"},
		{"a percentage as text", aRamp, `{"percent": "10"}`, "/percent"},
		{"a point without a time", aRamp, `{"percent": 1, "schedule": [{"percent": 2}]}`, "/schedule/0"},
		{"a day is not a time", aRamp, `{"percent": 1, "schedule": [{"at": "2026-12-01", "percent": 2}]}`, "/schedule/0/at"},

		{"a part that serves nothing", aPart, `{"percent": 100}`, ""},
		{"a part that serves an empty name", aPart, `{"serve": "", "percent": 100}`, "/serve"},
		{"a part by percentage and ranges", aPart, `{"serve": "on", "percent": 100, "ranges": [{"from": 0, "to": 100}]}`, ""},
		{"a part of 0 % with ranges", aPart, `{"serve": "on", "percent": 0, "ranges": [{"from": 0, "to": 100}]}`, ""},
		{"a part by percentage and no ranges", aPart, `{"serve": "on", "percent": 100, "ranges": []}`, ""},
		{"a range without a beginning", aPart, `{"serve": "on", "ranges": [{"to": 100}]}`, "/ranges/0"},
		{"a range without an end", aPart, `{"serve": "on", "ranges": [{"from": 0}]}`, "/ranges/0"},
		{"a range beyond everybody", aPart, `{"serve": "on", "ranges": [{"from": 0, "to": 101}]}`, "/ranges/0/to"},

		{"no condition", condition, `{}`, ""},
		{"a condition that is a list", condition, `[{"attr": "a", "eq": 1}]`, ""},
		{"a field unknown to conditions", condition, `{"atr": "a", "eq": 1}`, ""},
		{"no operator", condition, `{"attr": "a"}`, ""},
		{"two operators", condition, `{"attr": "a", "ge": 1, "lt": 5}`, ""},
		{"an operator without an attribute", condition, `{"eq": 1}`, ""},
		{"two forms", condition, `{"attr": "a", "eq": 1, "segment": "s"}`, ""},
		{"an operator beside a segment", condition, `{"segment": "s", "eq": 1}`, ""},
		{"an operator beside all", condition, `{"all": [], "missing": true}`, ""},
		{"exists is false beside an operator", condition, `{"attr": "a", "eq": 1, "exists": false}`, ""},
		{"an empty prefix beside an operator", condition, `{"attr": "a", "eq": 1, "prefix": ""}`, ""},
		{"no folding where there is none", condition, `{"attr": "a", "lt": 1, "fold": false}`, ""},
		{"fold beside lt", condition, `{"attr": "a", "lt": 1, "fold": true}`, ""},
		{"fold beside matches", condition, `{"attr": "a", "matches": "x", "fold": true}`, ""},
		{"serves beside a segment", condition, `{"segment": "s", "serves": ["on"]}`, ""},
		{"serves an empty name", condition, `{"flag": "g", "serves": [""]}`, "/serves/0"},
		{"serves nothing", condition, `{"flag": "g", "serves": []}`, "/serves"},
		{"an attribute without a name", condition, `{"attr": "", "eq": 1}`, "/attr"},
		{"eq null", condition, `{"attr": "a", "eq": null}`, "/eq"},
		{"eq a list", condition, `{"attr": "a", "eq": [1]}`, "/eq"},
		{"in a string", condition, `{"attr": "a", "in": "SE"}`, "/in"},
		{"in nothing", condition, `{"attr": "a", "in": []}`, "/in"},
		{"in an object", condition, `{"attr": "a", "in": [{}]}`, "/in/0"},
		{"lt a string", condition, `{"attr": "a", "lt": "5"}`, "/lt"},
		{"le a boolean", condition, `{"attr": "a", "le": true}`, "/le"},
		{"gt null", condition, `{"attr": "a", "gt": null}`, "/gt"},
		{"ge a time", condition, `{"attr": "a", "ge": "2026-12-01T08:00:00Z"}`, "/ge"},
		{"an empty prefix", condition, `{"attr": "a", "prefix": ""}`, "/prefix"},
		{"an empty suffix", condition, `{"attr": "a", "suffix": ""}`, "/suffix"},
		{"contains nothing", condition, `{"attr": "a", "contains": ""}`, "/contains"},
		{"matches nothing", condition, `{"attr": "a", "matches": ""}`, "/matches"},
		{"matches too long", condition, `{"attr": "a", "matches": "` + strings.Repeat("x", 1001) + `"}`, "/matches"},
		{"an empty semver", condition, `{"attr": "a", "semver": ""}`, "/semver"},
		{"before a day", condition, `{"attr": "a", "before": "2026-12-01"}`, "/before"},
		{"after no zone", condition, `{"attr": "a", "after": "2026-12-01T08:00:00"}`, "/after"},
		{"cidr as a string", condition, `{"attr": "a", "cidr": "10.0.0.0/8"}`, "/cidr"},
		{"cidr of nothing", condition, `{"attr": "a", "cidr": []}`, "/cidr"},
		{"cidr of an empty string", condition, `{"attr": "a", "cidr": [""]}`, "/cidr/0"},
		{"exists is false", condition, `{"attr": "a", "exists": false}`, "/exists"},
		{"missing is false", condition, `{"attr": "a", "missing": false}`, "/missing"},
		{"a segment without its name", condition, `{"segment": ""}`, "/segment"},
		{"a flag without its key", condition, `{"flag": ""}`, "/flag"},
		{"a time without an end", condition, `{"time": {}}`, "/time"},
		{"a mistake within", condition, `{"not": {"any": [{"all": [{"attr": "a"}]}]}}`, "/not/any/0/all/0"},

		{"a field unknown to segments", aSegment, `{"key": ["a"]}`, ""},
		{"a key that is empty", aSegment, `{"keys": [""]}`, "/keys/0"},
		{"an exception that is empty", aSegment, `{"except": [""]}`, "/except/0"},
		{"a segment's wrong condition", aSegment, `{"if": {}}`, "/if"},
		{"a holdout beyond everybody", aLayer, `{"holdout": 101, "flags": {}}`, "/holdout"},
		{"a layer without flags", aLayer, `{"holdout": 5}`, ""},
		{"a layer's flag without a key", document, `{"flags": {}, "layers": {"l": {"flags": {"": []}}}}`, "keys of /$defs/Layer/properties/flags"},
		{"a layer's range that is no list", aLayer, `{"flags": {"f": {"from": 0, "to": 40}}}`, "/flags/f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.where.document(tt.snippet)
			require.False(t, valid(text), "the library accepts it")
			places, err := refusals(t, text)
			require.NoError(t, err)
			require.Contains(t, places, tt.where.at+tt.at)
			for _, place := range places {
				require.True(t, strings.HasPrefix(place, tt.where.at+tt.at), "refused at %s, too", place)
			}
		})
	}
}

// valid says whether the library takes a document.
func valid(text []byte) bool {
	doc, err := flag.Parse(text)
	if err == nil {
		_, err = flag.Compile(doc)
	}
	return err == nil
}
