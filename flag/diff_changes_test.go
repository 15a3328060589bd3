package flag_test

import (
	"encoding/json"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestDiffNamesChanges: what is said of a definition, where it is easy to say.
func TestDiffNamesChanges(t *testing.T) {
	const se, no, old = `{"attr": "country", "eq": "SE"}`, `{"attr": "country", "eq": "NO"}`, `{"all": [{"attr": "age", "ge": 18}, {"attr": "country", "in": ["DK", "FI"]}]}`
	const abc = `"variants": {"a": "a", "b": "b", "c": "c"}, "serve": "a", `
	rules := func(list ...string) string { return `"rules": [` + strings.Join(list, ", ") + `]` }
	rule := func(cond, then string) string { return `{"if": ` + cond + `, ` + then + `}` }
	on, one, two := `"serve": "on"`, `"ramp": {"percent": 1}`, `"ramp": {"percent": 2}`
	tests := []struct {
		name, old, new string
		want           []string
	}{
		{"nothing", on, on, nil},
		{"words for people", `"description": "old"`, `"description": "new"`, nil},
		{"what says the same", rules(rule(old, on)), rules(rule(`{"all": [{"attr": "country", "in": ["FI", "DK", "FI"]}, {"all": [{"attr": "age", "ge": 18.0}]}]}`, on)), nil},
		{"a table and a program", rules(rule(old, on)), rules(rule(old, on), rule(`{"not": `+se+`}`, on)), []string{"rules[1] is new"}},
		{"behind what is disabled", `"disabled": true, ` + one, `"disabled": true, ` + two, nil},
		{"enabled", `"disabled": true, ` + one, one, []string{"is no longer disabled"}},
		{"off", `"disabled": true`, `"disabled": true, "off": "on"`, []string{"off off to on"}},
		{"serve", `"serve": "off"`, on, []string{"serve off to on"}},
		{"serve behind a ramp", abc + `"ramp": {"percent": 5, "serve": "b"}`, strings.Replace(abc, `"serve": "a"`, `"serve": "c"`, 1) + `"ramp": {"percent": 5, "serve": "b"}`, []string{"serve a to c"}},
		{"ramp to", abc + `"ramp": {"percent": 5, "serve": "b"}`, abc + `"ramp": {"percent": 5, "serve": "c"}`, []string{`ramp to "c" instead of "b"`}},
		{"ramp by", one, `"ramp": {"percent": 1, "by": "tenant"}`, []string{"ramp by another unit"}},
		{"ramp and split", one, `"split": {"parts": [{"serve": "on", "percent": 100}]}`, []string{"ramp 1 % to split"}},
		{"a rule in front", rules(rule(se, one)), rules(rule(no, on), rule(se, two)), []string{"rules[1]: ramp 1 % to 2 %", "rules[0] is new"}},
		{"a rule less", rules(rule(no, on), rule(se, one)), rules(rule(se, one)), []string{"old rules[0] is gone"}},
		{"another order", rules(rule(no, on), rule(se, one)), rules(rule(se, one), rule(no, on)), []string{"rules[0] stands elsewhere"}},
		{"another condition", rules(rule(no, on)), rules(rule(se, on)), []string{"rules[0] has another condition"}},
		{"when", `"when": ` + se, `"when": ` + no, []string{"when changed"}},
		{"a new when", on, on + `, "when": ` + no, []string{"when is new"}},
		{"targets", `"targets": {"on": ["a", "b"], "off": ["c"]}`, `"targets": {"on": ["b", "c", "d", "e"]}`, []string{"2 targets new", "1 target gone", "1 target moved to another variant"}},
		{"targets in another order", `"targets": {"on": ["a", "b"]}`, `"targets": {"on": ["b", "a"]}`, nil},
		{"targets behind when", `"targets": {"on": ["a"]}, "when": ` + se, `"targets": {"on": ["b"]}, "when": ` + se, []string{"1 target new", "1 target gone"}},
		{"values", abc + one[:len(one)-1] + `, "serve": "b"}`, strings.Replace(abc, `"a": "a"`, `"a": "x"`, 1) + one[:len(one)-1] + `, "serve": "b"}`, []string{`variant "a" "a" to "x"`}},
		{"a value without a definition", `"serve": "on"`, `"variants": {"on": {"x": 1.50}, "off": []}, "serve": "on"`, []string{`variant "off" false to []`, `variant "on" true to {"x":1.50}`}},
		{"variants", `"variants": {"a": 1, "b": 2}, "serve": "a"`, `"variants": {"a": 1.0, "c": 0.5}, "serve": "a"`, []string{`variant "b" is gone`, `variant "c" is new`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := compiled(t, `{"flags": {"f": {`+tt.old+`}}}`), compiled(t, `{"flags": {"f": {`+tt.new+`}}}`)
			got := flag.Diff(old, new, nil)
			if tt.want == nil {
				require.Empty(t, got.Flags)
				require.Zero(t, got.Most())
				return
			}
			require.Len(t, got.Flags, 1)
			require.Equal(t, tt.want, got.Flags[0].Changes)
		})
	}
}

// TestDiffOfWhatAFlagNeeds: segments and layers change a flag, other flags do if
// somebody moves.
func TestDiffOfWhatAFlagNeeds(t *testing.T) {
	document := func(keys, holdout, base string) *flag.Set {
		return compiled(t, `{
			"segments": {"staff": {"keys": [`+keys+`]}, "inner": {"if": {"flag": "base"}}},
			"layers": {"page": {"holdout": `+holdout+`, "flags": {"layered": [{"from": 0, "to": 50}]}}},
			"flags": {"base": {"serve": `+base+`}, "layered": {"ramp": {"percent": 100}}, "alone": {"ramp": {"percent": 50}},
				"internal": {"rules": [{"if": {"segment": "staff"}, "serve": "on"}]}, "indirect": {"rules": [{"if": {"segment": "inner"}, "serve": "on"}]},
				"needs": {"when": {"flag": "base"}, "serve": "on"}, "unmoved": {"when": {"flag": "base"}}}}`)
	}
	first := document(`"anna"`, "0", `"on"`)
	require.Equal(t, "internal  100.000 % of old rules[0]: on -> off (segment \"staff\" changed)\n"+
		"          100.000 % of rules[0]: off -> on\n"+
		"at most 100 % of everybody, by internal: only a population tells how many its groups have", flag.Diff(first, document(`"anna", "bert"`, "0", `"on"`), nil).String())
	require.Equal(t, "layered    5.000 % of everybody, expected: on -> off (another place in a layer)",
		flag.Diff(first, document(`"anna"`, "10", `"on"`), nil).String())
	other := flag.Diff(first, document(`"anna"`, "0", `"off"`), nil)
	require.Equal(t, "base      100.000 % of everybody: on -> off (serve on to off)\n"+
		"indirect  100.000 % of everybody: on -> off (needs flag \"base\", which changed)\n"+
		"needs     100.000 % of everybody: on -> off (needs flag \"base\", which changed)", other.String())
	people := slices.Values([]flag.Subject{flag.For("anna"), flag.For("bert"), flag.For("carl")})
	require.Equal(t, "internal   33.334 % (1 of 3): off -> on (segment \"staff\" changed)\n1 of 3 subjects moved by at least one flag",
		flag.Diff(first, document(`"anna", "bert"`, "0", `"on"`), people).String())
	require.Len(t, flag.Diff(first, document(`"anna"`, "0", `"off"`), people).Flags, 3)
}

// TestDiffWithoutSets: a nil set has no flags.
func TestDiffWithoutSets(t *testing.T) {
	require.Empty(t, flag.Diff(nil, nil, nil).Flags)
	require.Equal(t, "nothing changes", flag.Difference{}.String())
	require.Zero(t, flag.Difference{}.Most())
	set := compiled(t, `{"flags": {"f": {"serve": "on"}}}`)
	require.Equal(t, "f  100.000 % of everybody: default -> on (is new)", flag.Diff(nil, set, nil).String())
	require.Equal(t, "f  100.000 % of everybody: on -> default (is gone)", flag.Diff(set, nil, nil).String())
	nobody := flag.Diff(nil, set, func(func(flag.Subject) bool) {})
	require.Equal(t, flag.All, nobody.Most(), "nobody was asked, so nothing is known")
	require.Equal(t, flag.BasisNobody, nobody.Flags[0].Basis)
	require.Equal(t, "f  100.000 % of everybody at most: the population is of nobody (is new)", nobody.String())
	require.Empty(t, flag.Diff(set, set, func(func(flag.Subject) bool) {}).Flags)
	require.Equal(t, "nobody", flag.BasisNobody.String())
	require.Equal(t, "invalid", flag.Basis(0).String())
	require.Equal(t, "invalid", flag.Basis(99).String())
}

// TestDiffOfDefaults: whom no variant is served gets what the code declares, if that is
// one value.
func TestDiffOfDefaults(t *testing.T) {
	type size struct{ Width int }
	flag.Bool("diff-default-bool", false)
	flag.Int("diff-default-int", 20)
	flag.JSON("diff-default-json", size{3})
	flag.String("diff-default-two", "a")
	flag.String("diff-default-two", "b")
	set := func(serve, more string) *flag.Set {
		of := func(key, variants string) string {
			return `"` + key + `": {"variants": ` + variants + `, "serve": "` + serve + `"` + more + `}`
		}
		return compiled(t, `{"flags": {`+strings.Join([]string{
			of("diff-default-bool", `{"same": false, "other": true}`), of("diff-default-int", `{"same": 20, "other": 30}`), of("diff-default-json", `{"same": {"Width": 3}, "other": {"Width": 4}}`),
			of("diff-default-two", `{"same": "a", "other": "c"}`), of("diff-default-none", `{"same": 1, "other": 2}`)}, ", ")+`}}`)
	}
	moving := func(old, new *flag.Set, people iter.Seq[flag.Subject]) (keys []string) {
		for _, f := range flag.Diff(old, new, people).Flags {
			if f.Share > 0 {
				keys = append(keys, f.Key)
			}
		}
		return keys
	}
	unknown := []string{"diff-default-none", "diff-default-two"}
	for _, people := range []iter.Seq[flag.Subject]{nil, slices.Values([]flag.Subject{flag.For("u")})} {
		same := set("same", "")
		require.Equal(t, unknown, moving(same, nil, people), "gone")
		require.Equal(t, unknown, moving(nil, same, people), "new")
		require.Equal(t, unknown, moving(same, set("other", `, "disabled": true`), people), "no off")
		require.Len(t, moving(set("other", ""), nil, people), 5)
	}
	require.Contains(t, flag.Diff(set("same", ""), nil, nil).String(), "diff-default-int   nobody moves (is gone)")
}

// TestDiffTooComplicated: a flag with more ways through it than can be walked gets a
// bound, soon, and takes nothing from the others.
func TestDiffTooComplicated(t *testing.T) {
	doc := func(more flag.Share) *flag.Set {
		f := flag.FeatureFlag{Ramp: &flag.Ramp{Share: more}}
		for i := range 60 {
			f.Rules = append(f.Rules, flag.Rule{If: flag.Condition{Attr: "age", Eq: i}, Ramp: &flag.Ramp{Share: flag.Share(i) + more}})
		}
		set, err := flag.Compile(flag.Document{Flags: map[string]flag.FeatureFlag{"f": f, "g": {Ramp: &flag.Ramp{Share: more}}}})
		require.NoError(t, err)
		return set
	}
	got := byKey(flag.Diff(doc(0), doc(100), nil))
	require.Equal(t, []any{flag.All, flag.BasisBound, []flag.Move(nil)}, []any{got["f"].Share, got["f"].Basis, got["f"].Moves})
	require.Equal(t, flag.Share(100), got["g"].Share)
}

func TestDiffInJSON(t *testing.T) {
	old, new := compiled(t, `{"flags": {"f": {"ramp": {"percent": 25}}}}`), compiled(t, `{"flags": {"f": {"ramp": {"percent": 50}}}}`)
	text, err := json.Marshal(flag.DiffAt(old, new, nil, launch))
	require.NoError(t, err)
	require.JSONEq(t, `{"at": "2026-12-01T08:00:00Z", "flags": [{"key": "f", "changes": ["ramp 25 % to 50 %"], "percent": 25, "basis": "exact",
		"moves": [{"from": "off", "to": "on", "percent": 25, "basis": "exact"}]}]}`, string(text))
	text, err = json.Marshal(flag.DiffAt(old, new, slices.Values([]flag.Subject{flag.For("u6"), flag.For("u7")}), launch))
	require.NoError(t, err)
	require.Contains(t, string(text), `"subjects":2`)
}
