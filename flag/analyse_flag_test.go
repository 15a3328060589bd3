package flag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestFlagsThatAreHardlyMeant: each flag is "x" in a document in which everything
// else is in order.
func TestFlagsThatAreHardlyMeant(t *testing.T) {
	const (
		sweden = `{"attr": "country", "eq": "SE"}`
		norway = `{"attr": "country", "eq": "NO"}`
		adult  = `{"attr": "age", "ge": 18}`
		anyone = `{"any": [{"attr": "country", "exists": true}, {"attr": "country", "missing": true}]}`
		colors = `"variants": {"blue": 1, "green": 2, "red": 3}, `
		tester = `{"segment": "s"}`
	)
	rules := func(pairs ...string) string { // a condition, and what it does
		var list []string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, `{"if": `+pairs[i]+`, `+pairs[i+1]+`}`)
		}
		return `"rules": [` + strings.Join(list, ", ") + `]`
	}
	const on, off = `"serve": "on"`, `"serve": "off"`
	for _, c := range []struct {
		name, flag string
		want       []string // paths below the flag, and what is wrong
	}{
		// Everybody is taken.
		{"after everybody", rules(anyone, on, sweden, off, norway, `"ramp": {"percent": 5}`) + `, "ramp": {"percent": 10}, "serve": "off"`,
			[]string{
				".rules[1]: never reached: rules[0] already matches everybody",
				".rules[2]: never reached: rules[0] already matches everybody",
				".ramp: never reached: rules[0] already matches everybody",
				".serve: never reached: rules[0] already matches everybody",
			}},
		{"split after everybody", colors + rules(sweden, `"serve": "green"`, anyone, `"serve": "red"`) + `, "split": {"parts": [{"serve": "blue", "percent": 100}]}, "off": "green"`,
			[]string{
				".split: never reached: rules[1] already matches everybody",
				`.variants.blue: variant "blue" is never served`,
			}},
		{"everybody comes last", rules(sweden, off, anyone, on), nil},
		{"serve is left out", colors + rules(sweden, `"serve": "green"`) + `, "serve": "blue", "off": "red"`, nil},
		{"empty all", rules(`{"all": []}`, on, sweden, off),
			[]string{
				".rules[0].if.all: is empty, so it is always true",
				".rules[1]: never reached: rules[0] already matches everybody",
			}},
		{"not empty any", rules(`{"any": [`+sweden+`, {"not": {"any": []}}]}`, on, norway, off),
			[]string{
				".rules[0].if.any[1].not.any: is empty, so it is never true",
				".rules[1]: never reached: rules[0] already matches everybody",
			}},
		{"now or then", rules(`{"any": [{"time": {"until": "2026-12-01T00:00:00Z"}}, {"time": {"from": "2026-12-01T00:00:00Z"}}]}`, on, norway, off),
			[]string{".rules[1]: never reached: rules[0] already matches everybody"}},
		{"now or then, with a gap", rules(`{"any": [{"time": {"until": "2026-12-01T00:00:00Z"}}, {"time": {"from": "2026-12-01T00:00:01Z"}}]}`, on, norway, off), nil},
		{"in the country or not", rules(`{"any": [`+sweden+`, {"not": `+sweden+`}]}`, on, norway, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"in the country or not is not everybody", rules(`{"any": [`+sweden+`, {"not": `+sweden+`}]}`, on, adult, off) + `, "serve": "off"`, nil},
		{"a ramp of 100 % leaves those without a key", rules(anyone, `"ramp": {"percent": 100}`, sweden, off), nil},
		{"a split leaves those without a unit", rules(anyone, `"split": {"parts": [{"serve": "on", "percent": 100}]}`, sweden, on), nil},
		{"one attribute is there, the other is not", rules(`{"any": [{"attr": "country", "exists": true}, {"attr": "age", "missing": true}]}`, on, tester, off), nil},

		// An earlier rule takes them.
		{"the same", rules(sweden, on, sweden, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"another", rules(sweden, on, norway, off), nil},
		{"not the same", rules(sweden, on, `{"not": `+sweden+`}`, on), nil},
		{"the same after a ramp", rules(sweden, `"ramp": {"percent": 100}`, sweden, off), nil},
		{"the first of two", rules(norway, on, sweden, on, adult, on, `{"all": [`+adult+`, `+sweden+`]}`, off),
			[]string{".rules[3]: never reached: rules[1] matches whenever this does"}},
		{"a ramp is not reached", rules(sweden, on, sweden, `"ramp": {"percent": 0}`), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"more is asked", rules(`{"all": [`+tester+`, `+adult+`]}`, on, `{"all": [{"attr": "age", "gt": 20}, `+sweden+`, `+tester+`]}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"less is asked", rules(`{"all": [`+tester+`, `+adult+`]}`, on, tester, off), nil},
		{"something else is asked", rules(`{"all": [`+tester+`, `+adult+`]}`, on, `{"all": [`+tester+`, `+sweden+`]}`, off), nil},
		{"one of more", rules(`{"any": [`+tester+`, `+adult+`, `+sweden+`]}`, on, `{"any": [`+sweden+`, `+tester+`]}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"one of others", rules(`{"any": [`+tester+`, `+adult+`]}`, on, `{"any": [`+sweden+`, `+tester+`]}`, off), nil},
		{"fewer values", rules(`{"attr": "tags", "in": ["a", "b", "c"]}`, on, `{"attr": "tags", "in": ["c", "a"]}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"more values", rules(`{"attr": "tags", "in": ["a", "b"]}`, on, `{"attr": "tags", "in": ["c", "a"]}`, off), nil},
		{"another value, so not this one", rules(`{"not": `+sweden+`}`, on, norway, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"another value of a list", rules(`{"not": {"attr": "tags", "eq": "a"}}`, on, `{"attr": "tags", "eq": "b"}`, off), nil},
		{"not more values", rules(`{"not": {"attr": "tags", "eq": "a"}}`, on, `{"not": {"attr": "tags", "in": ["a", "b"]}}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a tighter bound", rules(`{"attr": "age", "gt": 17}`, on, adult, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a wider bound", rules(adult, on, `{"attr": "age", "gt": 17}`, off), nil},
		{"within the bounds", rules(adult, on, `{"attr": "age", "in": [18, 99.5]}`, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"one is out of the bounds", rules(adult, on, `{"attr": "age", "in": [17.5, 99.5]}`, off), nil},
		{"not below is the same bound", rules(`{"not": {"attr": "age", "lt": 18}}`, on, adult, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a longer prefix", rules(`{"attr": "tags", "prefix": "A", "fold": true}`, on, `{"attr": "tags", "prefix": "ab"}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a shorter prefix", rules(`{"attr": "tags", "prefix": "ab"}`, on, `{"attr": "tags", "prefix": "a"}`, off), nil},
		{"a prefix in one case of two", rules(`{"attr": "tags", "prefix": "AB"}`, on, `{"attr": "tags", "prefix": "AB", "fold": true}`, off), nil},
		{"a suffix has a part", rules(`{"attr": "email", "contains": "@b."}`, on, `{"attr": "email", "suffix": "@b.com"}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a part is no suffix", rules(`{"attr": "email", "suffix": "b"}`, on, `{"attr": "email", "contains": "b"}`, off), nil},
		{"a value has the suffix", rules(`{"attr": "email", "suffix": "@b.com"}`, on, `{"attr": "email", "in": ["x@b.com", "y@b.com"]}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"not for certain with upper case", rules(`{"attr": "email", "suffix": "@b.com"}`, on, `{"attr": "email", "eq": "x@b.com", "fold": true}`, off), nil},
		{"an earlier time", rules(`{"attr": "visits", "before": "2001-01-01T00:00:00Z"}`, on, `{"attr": "visits", "before": "2000-01-01T00:00:00Z"}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"not after is no time before, of a list", rules(`{"attr": "visits", "before": "2001-01-01T00:00:00Z"}`, on, `{"not": {"attr": "visits", "after": "2001-01-01T00:00:00Z"}}`, off), nil},
		{"no version is unknown", rules(`{"not": {"attr": "version", "semver": "1.2.3"}}`, on, `{"attr": "version", "eq": "x"}`, off), nil},
		{"no time is unknown", rules(`{"not": {"attr": "born", "before": "2001-01-01T00:00:00Z"}}`, on, `{"attr": "born", "eq": "x"}`, off), nil},
		{"no version is neither", rules(`{"any": [{"attr": "version", "semver": "1.2.3"}, {"not": {"attr": "version", "semver": "1.2.3"}}]}`, on, `{"attr": "version", "prefix": "x"}`, off), nil},
		{"no time is neither before", rules(`{"any": [{"attr": "born", "before": "2001-01-01T00:00:00Z"}, {"not": {"attr": "born", "before": "2001-01-01T00:00:00Z"}}]}`, on, `{"attr": "born", "prefix": "x"}`, off), nil},
		{"no time is neither after", rules(`{"any": [{"attr": "born", "after": "2001-01-01T00:00:00Z"}, {"not": {"attr": "born", "after": "2001-01-01T00:00:00Z"}}]}`, on, `{"attr": "born", "prefix": "x"}`, off), nil},
		{"it exists", rules(`{"attr": "tags", "exists": true}`, on, `{"not": {"attr": "tags", "contains": "a"}}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"it only exists", rules(`{"attr": "tags", "contains": "a"}`, on, `{"attr": "tags", "exists": true}`, off), nil},
		{"a shorter window", rules(`{"time": {"from": "2026-12-01T00:00:00Z"}}`, on, `{"all": [{"time": {"from": "2026-12-02T00:00:00Z", "until": "2026-12-03T00:00:00Z"}}, `+tester+`]}`, off),
			[]string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a longer window", rules(`{"time": {"from": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z"}}`, on, `{"time": {"from": "2026-12-01T00:00:00Z"}}`, off), nil},
		{"one variant of two", rules(`{"flag": "f", "serves": ["on", "off"]}`, on, `{"flag": "f"}`, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"a flag that says nothing", rules(`{"not": {"flag": "f"}}`, on, `{"flag": "g"}`, off), nil},
		{"a rule that never matches hides nothing", rules(`{"all": [`+sweden+`, `+norway+`]}`, on, sweden, on),
			[]string{`.rules[0].if: never true: country = "SE" and country = "NO" cannot both hold`}},

		{"a choice that is none hides like the other", rules(`{"any": [`+sweden+`, {"all": [`+sweden+`, `+norway+`]}]}`, on, sweden, off),
			[]string{
				`.rules[0].if.any[1]: never true: country = "SE" and country = "NO" cannot both hold`,
				".rules[1]: never reached: rules[0] matches whenever this does",
			}},

		// What when says is so for every rule.
		{"ruled out by when", `"when": ` + sweden + `, ` + rules(norway, on), []string{".rules[0].if: never true: the flag's when rules it out"}},
		{"certain by when", `"when": ` + adult + `, ` + rules(`{"attr": "age", "exists": true}`, on, sweden, off), []string{".rules[1]: never reached: rules[0] already matches everybody"}},
		{"implied by when", `"when": {"any": [{"not": ` + sweden + `}, ` + adult + `]}, ` + rules(adult, on, sweden, off), []string{".rules[1]: never reached: rules[0] matches whenever this does"}},
		{"not ruled out by when", `"when": ` + adult + `, ` + rules(norway, on, `{"attr": "age", "gt": 18}`, on), nil},
		{"when is never true", `"when": {"all": [` + sweden + `, ` + norway + `]}, ` + rules(sweden, on, norway, on),
			[]string{`.when: never true: country = "SE" and country = "NO" cannot both hold`}},

		// Ramps that admit nobody.
		{"a rule for nobody", rules(sweden, `"ramp": {"percent": 0}`), []string{".rules[0].ramp.percent: admits nobody: 0 % and no schedule; want a share, or no rule"}},
		{"a rule for nobody yet", rules(sweden, `"ramp": {"percent": 0, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 1}]}`), nil},
		{"a flag for nobody yet", `"ramp": {"percent": 0}`, nil},
		{"a rule for very few", rules(sweden, `"ramp": {"percent": 0.001}`), nil},

		// Variants.
		{"nothing serves one", colors + `"serve": "blue", "off": "green"`, []string{`.variants.red: variant "red" is never served`}},
		{"targets serve one", colors + `"serve": "blue", "off": "green", "targets": {"red": ["a"]}`, nil},
		{"targets of nobody", colors + `"serve": "blue", "off": "green", "targets": {"red": []}`, []string{`.variants.red: variant "red" is never served`}},
		{"a rule serves one", colors + rules(sweden, `"serve": "green"`, norway, `"ramp": {"percent": 1, "serve": "red"}`) + `, "serve": "blue", "off": "blue"`, nil},
		{"a rule that is not reached", colors + rules(sweden, `"serve": "green"`, sweden, `"serve": "red"`) + `, "serve": "blue", "off": "blue"`,
			[]string{
				".rules[1]: never reached: rules[0] matches whenever this does",
				`.variants.red: variant "red" is never served`,
			}},
		{"a ramp that waits", colors + `"ramp": {"percent": 0, "serve": "red"}, "serve": "blue", "off": "green"`, nil},
		{"a split", colors + `"split": {"parts": [{"serve": "blue", "percent": 99.999}, {"serve": "green", "percent": 0.001}, {"serve": "red"}]}, "off": "blue"`,
			[]string{`.variants.red: variant "red" is never served`}},
		{"a split by ranges", colors + `"split": {"parts": [{"serve": "blue", "ranges": [{"from": 0, "to": 50}]}, {"serve": "green"}, {"serve": "red", "ranges": [{"from": 50, "to": 100}]}]}, "off": "green"`, nil},
		{"the default", `"disabled": true`, nil},
		{"no off", colors + `"split": {"parts": [{"serve": "blue", "percent": 50}, {"serve": "green", "percent": 30}, {"serve": "red", "percent": 20}]}`,
			[]string{".variants: without off: who is to get nothing of it, when it is killed for example, gets the default that each caller has; want one of them as off"}},
		{"no off of a boolean", `"variants": {"yes": true, "no": false}, "serve": "yes"`, nil},
		{"two ways to be off", `"variants": {"yes": true, "no": false, "never": false}, "rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "no"}], "serve": "never"`,
			[]string{".variants: without off: who is to get nothing of it, when it is killed for example, gets the default that each caller has; want one of them as off"}},
		{"the default, spelled out", `"variants": {"yes": true, "no": false}`, nil},
		{"a boolean that is on", `"variants": {"on": true, "off": false}, "serve": "on", "off": "on"`, nil},
		{"two ways to be on", `"variants": {"on": true, "also-on": true, "off": false}, "serve": "on"`, []string{`.variants.also-on: variant "also-on" is never served`}},
		{"a disabled flag", colors + `"disabled": true, "split": {"parts": [{"serve": "blue", "percent": 50}, {"serve": "green", "percent": 50}]}, "off": "red"`, nil},

		// Lists.
		{"a target twice", `"targets": {"on": ["a", "b", "a"], "off": ["c"]}`, []string{".targets.on[2]: is in the list already, at 0"}},
		{"targets in order", `"targets": {"on": ["a", "b", "A"]}`, nil},

		// Schedules.
		{"a step that is none", `"ramp": {"percent": 5, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 5}, {"at": "2026-12-02T00:00:00Z", "percent": 10}, {"at": "2026-12-03T00:00:00Z", "percent": 10.000}]}`,
			[]string{
				".ramp.schedule[0]: changes nothing: it is 5 % before as well",
				".ramp.schedule[2]: changes nothing: it is 10 % before as well",
			}},
		{"steps there and back", `"ramp": {"percent": 5, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 10}, {"at": "2026-12-02T00:00:00Z", "percent": 5}]}`, nil},
		{"a line that starts where it is", rules(sweden, `"ramp": {"percent": 5, "linear": true, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 5}, {"at": "2026-12-02T00:00:00Z", "percent": 10}]}`), nil},
		{"a line that rests on its way", `"ramp": {"percent": 0, "linear": true, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 5}, {"at": "2026-12-02T00:00:00Z", "percent": 10}, {"at": "2026-12-03T00:00:00Z", "percent": 10}, {"at": "2026-12-04T00:00:00Z", "percent": 20}]}`, nil},
		{"a line that rests for too long", `"ramp": {"percent": 0, "linear": true, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 5}, {"at": "2026-12-02T00:00:00Z", "percent": 10}, {"at": "2026-12-03T00:00:00Z", "percent": 10}, {"at": "2026-12-04T00:00:00Z", "percent": 10}]}`,
			[]string{
				".ramp.schedule[2]: changes nothing: it is 10 % before as well",
				".ramp.schedule[3]: changes nothing: it is 10 % before as well",
			}},
		{"a line of one point", `"ramp": {"percent": 0, "linear": true, "schedule": [{"at": "2026-12-01T00:00:00Z", "percent": 5}]}`,
			[]string{".ramp.linear: means nothing: found 1 points in the schedule, want at least two"}},
		{"a line of none", rules(sweden, `"ramp": {"percent": 1, "linear": true}`),
			[]string{".rules[0].ramp.linear: means nothing: found 0 points in the schedule, want at least two"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := findings(t, `{"flags": {"x": {`+c.flag+`}, "f": {"when": {"segment": "s"}}, "g": {}}, "segments": {"s": {"keys": ["a"]}}}`)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], "flags.x")
			}
			require.Empty(t, cmp.Diff(c.want, got))
		})
	}
}

func TestSegmentsAndLayersThatAreHardlyMeant(t *testing.T) {
	for _, c := range []struct {
		name, document string
		want           []string
	}{
		{"nothing", `{"flags": {}}`, nil},
		{"a key twice", `{"flags": {"x": {"when": {"segment": "s"}}}, "segments": {"s": {"keys": ["a", "b", "b", "a"], "except": ["c", "c"], "if": {"segment": "r"}}, "r": {"keys": ["a"]}}}`,
			[]string{
				"segments.s.keys[2]: is in the list already, at 1",
				"segments.s.keys[3]: is in the list already, at 0",
				"segments.s.except[1]: is in the list already, at 0",
			}},
		{"in and out", `{"flags": {"x": {"rules": [{"if": {"not": {"segment": "s.t"}}, "serve": "on"}]}}, "segments": {"s.t": {"by": "tenant", "keys": ["a", "b"], "except": ["c", "b"], "if": {"attr": "beta", "eq": true}}}}`,
			[]string{`segments["s.t"].except[1]: is in keys as well, at 1, which wins: want it in one of the two`}},
		{"no key twice", `{"flags": {"x": {"when": {"segment": "s"}}}, "segments": {"s": {"keys": ["a", "b"], "except": ["A"], "if": {"attr": "beta", "eq": true}}}}`, nil},
		{"nobody", `{"flags": {"x": {"when": {"all": [{"segment": "r"}, {"segment": "s"}]}}}, "segments": {"r": {}, "s": {"except": ["a"], "keys": []}}}`,
			[]string{
				"segments.r: nobody is in it: want keys or if",
				"segments.s: nobody is in it: want keys or if",
			}},
		{"a condition that nobody meets", `{"flags": {"x": {"when": {"segment": "s"}}}, "segments": {"s": {"keys": ["a"], "if": {"all": [{"attr": "beta", "exists": true}, {"attr": "beta", "missing": true}]}}}}`,
			[]string{"segments.s.if: never true: beta exists and beta is missing cannot both hold"}},
		{"an empty list in a segment", `{"flags": {"x": {"when": {"segment": "s"}}}, "segments": {"s": {"if": {"any": []}}}}`,
			[]string{"segments.s.if.any: is empty, so it is never true"}},
		{"unused", `{"flags": {"x": {}}, "segments": {"a": {"keys": ["a"]}, "b": {"if": {"segment": "c"}}, "c": {"keys": ["a"]}}}`,
			[]string{
				"segments.a: no flag and no other segment names it",
				"segments.b: no flag and no other segment names it",
			}},
		{"used", `{"flags": {"x": {"disabled": true, "when": {"any": [{"attr": "beta", "eq": true}, {"not": {"segment": "b"}}]}}, "y": {"rules": [
			{"if": {"attr": "beta", "missing": true}, "serve": "on"},
			{"if": {"all": [{"attr": "beta", "eq": true}, {"segment": "a"}]}, "ramp": {"percent": 1}}]}},
			"segments": {"a": {"keys": ["a"]}, "b": {"if": {"segment": "c"}}, "c": {"keys": ["a"]}}}`,
			nil},
		{"a layer for nothing", `{"flags": {"x": {"rules": [{"if": {"attr": "beta", "eq": true}, "serve": "on"}]}, "y": {"ramp": {"percent": 0}}},
			"layers": {"l": {"flags": {"x": [{"from": 0, "to": 50}], "y": [{"from": 50, "to": 100}]}}}}`,
			[]string{"layers.l.flags.x: means nothing: the flag has neither ramp nor split; want one, or the flag out of the layer"}},
		{"a layer for nobody", `{"flags": {"x": {"ramp": {"percent": 1}}, "y": {"ramp": {"percent": 1}}},
			"layers": {"l": {"flags": {"x": []}}, "m": {"holdout": 100, "flags": {"y": [{"from": 0, "to": 100}]}}}}`,
			[]string{
				"layers.l.flags.x: has no range: no ramp or split of the flag reaches anybody",
				"layers.m.holdout: holds everybody out: no ramp or split of its flags reaches anybody",
			}},
		{"a layer for something", `{"flags": {
			"x": {"split": {"parts": [{"serve": "on", "percent": 100}]}},
			"y": {"rules": [{"if": {"attr": "beta", "eq": true}, "ramp": {"percent": 1}}]},
			"z": {"rules": [{"if": {"attr": "beta", "eq": true}, "split": {"parts": [{"serve": "on", "percent": 100}]}}]}},
			"layers": {"l": {"flags": {"x": [{"from": 0, "to": 50}], "y": [{"from": 50, "to": 75}], "z": [{"from": 75, "to": 100}]}}}}`, nil},
		{"the document of the page", `{"flags": {
			"new-checkout": {"when": {"time": {"from": "2026-12-01T08:00:00Z"}}, "targets": {"on": ["anna", "bert"]}, "rules": [
				{"if": {"segment": "testers"}, "serve": "on"},
				{"if": {"all": [{"attr": "country", "in": ["SE", "NO"]}, {"attr": "age", "ge": 18}]}, "ramp": {"percent": 50}}], "ramp": {"percent": 5}},
			"button": {"variants": {"blue": "#00f", "green": "#0f0", "red": "#f00"}, "off": "blue",
				"split": {"parts": [{"serve": "blue", "percent": 50}, {"serve": "green", "percent": 30}, {"serve": "red", "percent": 20}]}}},
			"segments": {"testers": {"keys": ["carl"], "if": {"attr": "email", "suffix": "@example.com", "fold": true}}}}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Empty(t, cmp.Diff(c.want, findings(t, c.document)))
		})
	}
}
