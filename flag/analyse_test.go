package flag

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// What is declared with a scalar type is never a list. "tags" and "groups" are not
// declared, so they may be one.
var (
	_ = Attr[string]("country")
	_ = Attr[string]("email")
	_ = Attr[int]("age")
	_ = Attr[bool]("beta")
	_ = Attr[string]("born")
	_ = Attr[string]("version")
)

// findings analyses a document and returns what it found, a line each.
func findings(t *testing.T, document string) []string {
	t.Helper()
	doc, err := Parse([]byte(document))
	require.NoError(t, err)
	_, err = Compile(doc)
	require.NoError(t, err)
	var got []string
	for _, p := range analyse(doc) {
		got = append(got, p.String())
	}
	return got
}

// TestConditionsThatAreNeverTrue: the whole condition stands in "when".
func TestConditionsThatAreNeverTrue(t *testing.T) {
	for _, c := range []struct {
		name, cond string
		want       []string // paths below the condition, and what is wrong
	}{
		// Two strings.
		{"two values", `{"all": [{"attr": "country", "eq": "SE"}, {"attr": "country", "eq": "NO"}]}`,
			[]string{`: never true: country = "SE" and country = "NO" cannot both hold`}},
		{"two values of what may be a list", `{"all": [{"attr": "tags", "eq": "SE"}, {"attr": "tags", "eq": "NO"}]}`, nil},
		{"the same value", `{"all": [{"attr": "country", "eq": "SE"}, {"attr": "country", "in": ["NO", "SE"]}]}`, nil},
		{"no common value", `{"all": [{"attr": "country", "in": ["SE", "DK"]}, {"attr": "country", "in": ["NO", "FI", "IS", "GB", "IE"]}]}`,
			[]string{`: never true: country = "SE" or "DK" and country = "NO" or "FI" or "IS" or 2 more cannot both hold`}},
		{"two attributes", `{"all": [{"attr": "country", "eq": "SE"}, {"attr": "email", "eq": "NO"}]}`, nil},
		{"three that have no value together", `{"all": [{"attr": "country", "in": ["SE", "NO"]}, {"attr": "country", "in": ["NO", "DK"]}, {"attr": "country", "in": ["DK", "SE"]}]}`,
			[]string{`: never true: country = "DK" or "SE" cannot hold with all the rest`}},
		{"case", `{"all": [{"attr": "country", "eq": "SE", "fold": true}, {"attr": "country", "in": ["se"]}]}`, nil},
		{"case does not help", `{"all": [{"attr": "country", "eq": "SE", "fold": true}, {"attr": "country", "eq": "no", "fold": true}]}`,
			[]string{`: never true: country = "SE" and country = "no" cannot both hold`}},
		{"case of one of them", `{"all": [{"attr": "country", "eq": "no", "fold": true}, {"attr": "country", "in": ["SE", "DK"]}]}`,
			[]string{`: never true: country = "no" and country = "SE" or "DK" cannot both hold`}},
		{"case of one", `{"all": [{"attr": "country", "eq": "SE"}, {"not": {"attr": "country", "eq": "se", "fold": true}}]}`,
			[]string{`: never true: country = "SE" and not country = "se" cannot both hold`}},
		{"case of the other", `{"all": [{"attr": "country", "eq": "se", "fold": true}, {"not": {"attr": "country", "eq": "SE"}}]}`, nil},

		// Parts of strings.
		{"value without the prefix", `{"all": [{"attr": "email", "eq": "a@b"}, {"attr": "email", "prefix": "b"}]}`,
			[]string{`: never true: email = "a@b" and email prefix "b" cannot both hold`}},
		{"value with the prefix", `{"all": [{"attr": "email", "eq": "a@b"}, {"attr": "email", "prefix": "a@"}, {"attr": "email", "suffix": "@b"}, {"attr": "email", "contains": "@"}]}`, nil},
		{"value that may match", `{"all": [{"attr": "email", "eq": "a@b"}, {"attr": "email", "matches": "^b"}]}`, nil},
		{"two prefixes", `{"all": [{"attr": "email", "prefix": "a"}, {"attr": "email", "prefix": "B", "fold": true}]}`,
			[]string{`: never true: email prefix "a" and email prefix "B" cannot both hold`}},
		{"two prefixes of what may be a list", `{"all": [{"attr": "tags", "prefix": "a"}, {"attr": "tags", "prefix": "b"}]}`, nil},
		{"a longer prefix", `{"all": [{"attr": "email", "prefix": "ab"}, {"attr": "email", "prefix": "A", "fold": true}]}`, nil},
		{"two suffixes", `{"all": [{"attr": "email", "suffix": "@a.com"}, {"attr": "email", "suffix": "@b.com"}]}`,
			[]string{`: never true: email suffix "@a.com" and email suffix "@b.com" cannot both hold`}},
		{"a longer suffix", `{"all": [{"attr": "email", "suffix": "@a.com"}, {"attr": "email", "suffix": ".com"}]}`, nil},
		{"prefix and suffix", `{"all": [{"attr": "email", "prefix": "a"}, {"attr": "email", "suffix": "b"}, {"attr": "email", "contains": "c"}]}`, nil},
		{"a prefix that is not there", `{"all": [{"attr": "tags", "prefix": "ab"}, {"not": {"attr": "tags", "contains": "b"}}]}`,
			[]string{`: never true: tags prefix "ab" and not tags contains "b" cannot both hold`}},
		{"a shorter prefix", `{"all": [{"attr": "tags", "prefix": "a"}, {"not": {"attr": "tags", "prefix": "ab"}}]}`, nil},

		// A condition and its negation, for every operator.
		{"and not", `{"all": [{"attr": "tags", "in": ["a", "b"]}, {"not": {"attr": "tags", "in": ["c", "b", "a"]}}]}`,
			[]string{`: never true: tags = "a" or "b" and not tags = "c" or "b" or "a" cannot both hold`}},
		{"and not another", `{"all": [{"attr": "tags", "in": ["a", "b"]}, {"not": {"attr": "tags", "eq": "a"}}]}`, nil},
		{"each is excluded", `{"all": [{"attr": "tags", "in": ["a", "b"]}, {"not": {"attr": "tags", "eq": "a"}}, {"not": {"attr": "tags", "eq": "b"}}]}`,
			[]string{`: never true: not tags = "b" cannot hold with all the rest`}},
		{"another element each", `{"all": [{"attr": "tags", "in": ["a", "b"]}, {"attr": "tags", "in": ["a", "c"]}, {"not": {"attr": "tags", "eq": "a"}}]}`, nil},
		{"the same expression", `{"all": [{"attr": "email", "matches": "^a"}, {"not": {"attr": "email", "matches": "^a"}}]}`,
			[]string{`: never true: email matches ^a and not email matches ^a cannot both hold`}},
		{"another expression", `{"all": [{"attr": "email", "matches": "^a"}, {"not": {"attr": "email", "matches": "^ab"}}]}`, nil},
		{"the same versions", `{"all": [{"attr": "version", "semver": "^1.2.0"}, {"not": {"attr": "version", "semver": "^1.2.0"}}]}`,
			[]string{`: never true: version semver ^1.2.0 and not version semver ^1.2.0 cannot both hold`}},
		{"versions are no expression", `{"all": [{"attr": "version", "semver": "1.2.0"}, {"not": {"attr": "version", "matches": "1.2.0"}}]}`, nil},
		{"the same networks", `{"not": {"any": [{"attr": "ip", "cidr": ["10.0.0.0/8"]}, {"not": {"attr": "ip", "cidr": ["10.0.0.0/8"]}}]}}`,
			[]string{`: never true: not ip cidr 10.0.0.0/8 and ip cidr 10.0.0.0/8 cannot both hold`}},
		{"the same segment", `{"all": [{"segment": "s"}, {"not": {"segment": "s"}}]}`,
			[]string{`: never true: segment "s" and not segment "s" cannot both hold`}},
		{"another segment", `{"all": [{"segment": "s"}, {"not": {"segment": "r"}}]}`, nil},

		{"a long expression", `{"all": [{"attr": "email", "matches": "` + strings.Repeat("å", 400) + `"}, {"attr": "email", "missing": true}]}`,
			[]string{`: never true: email matches ` + strings.Repeat("å", 43) + `... and email is missing cannot both hold`}},

		// Numbers.
		{"two numbers", `{"all": [{"attr": "years", "eq": 1}, {"attr": "years", "in": [2, 3.5]}]}`,
			[]string{`: never true: years = 1 and years = 2 or 3.5 cannot both hold`}},
		{"the same number", `{"all": [{"attr": "years", "eq": 1}, {"attr": "years", "eq": 1.0}]}`, nil},
		{"nothing between", `{"all": [{"attr": "age", "lt": 18}, {"attr": "age", "ge": 18}]}`,
			[]string{`: never true: age < 18 and age >= 18 cannot both hold`}},
		{"a fraction between", `{"all": [{"attr": "age", "gt": 17}, {"attr": "age", "lt": 18}]}`, nil},
		{"one number is not below", `{"all": [{"attr": "age", "le": 18}, {"not": {"attr": "age", "lt": 18}}]}`, nil},
		{"one number between", `{"all": [{"attr": "age", "le": 18}, {"attr": "age", "ge": 18}]}`, nil},
		{"not even that", `{"all": [{"attr": "age", "le": 18}, {"attr": "age", "ge": 18}, {"not": {"attr": "age", "eq": 18}}]}`,
			[]string{`: never true: not age = 18 cannot hold with all the rest`}},
		{"out of bounds", `{"all": [{"attr": "age", "in": [16, 17]}, {"attr": "age", "gt": 17}]}`,
			[]string{`: never true: age = 16 or 17 and age > 17 cannot both hold`}},
		{"one in bounds", `{"all": [{"attr": "age", "in": [16, 17]}, {"attr": "age", "ge": 17}]}`, nil},
		{"out of the negated bounds", `{"all": [{"attr": "age", "eq": 17}, {"not": {"attr": "age", "lt": 18}}]}`,
			[]string{`: never true: age = 17 and not age < 18 cannot both hold`}},
		{"bounds the wrong way round", `{"not": {"any": [{"attr": "age", "ge": 18}, {"attr": "age", "le": 20}]}}`,
			[]string{`: never true: not age >= 18 and not age <= 20 cannot both hold`}},
		{"an empty list has no age", `{"not": {"any": [{"attr": "years", "ge": 18}, {"attr": "years", "le": 20}]}}`, nil},

		// Booleans, kinds, missing attributes.
		{"true and false", `{"all": [{"attr": "beta", "eq": true}, {"attr": "beta", "eq": false}]}`,
			[]string{`: never true: beta = true and beta = false cannot both hold`}},
		{"neither", `{"not": {"attr": "beta", "in": [true, false]}}`,
			[]string{`: never true: not beta = true or false cannot hold`}},
		{"not true", `{"all": [{"not": {"attr": "beta", "eq": true}}, {"attr": "beta", "exists": true}]}`, nil},
		{"two kinds", `{"all": [{"attr": "years", "eq": 1}, {"not": {"attr": "years", "eq": "1"}}]}`,
			[]string{`: never true: years = 1 and not years = "1" cannot both hold`}},
		{"one kind or the other", `{"any": [{"attr": "age", "eq": 1}, {"attr": "age", "eq": "1"}]}`, nil},
		{"a time is a string", `{"all": [{"attr": "born", "before": "2000-01-01T00:00:00Z"}, {"attr": "born", "prefix": "1999-"}]}`, nil},
		{"a time is no number", `{"all": [{"attr": "born", "before": "2000-01-01T00:00:00Z"}, {"attr": "born", "lt": 1999}]}`,
			[]string{`: never true: born before 2000-01-01T00:00:00Z and born < 1999 cannot both hold`}},
		{"exists and missing", `{"all": [{"attr": "tags", "exists": true}, {"attr": "tags", "missing": true}]}`,
			[]string{`: never true: tags exists and tags is missing cannot both hold`}},
		{"missing and compared", `{"all": [{"attr": "tags", "missing": true}, {"not": {"attr": "tags", "eq": "a"}}]}`,
			[]string{`: never true: tags is missing and not tags = "a" cannot both hold`}},
		{"neither missing nor there", `{"not": {"any": [{"attr": "tags", "exists": true}, {"attr": "tags", "missing": true}]}}`,
			[]string{`: never true: tags is missing and tags exists cannot both hold`}},
		{"missing or compared", `{"any": [{"attr": "tags", "missing": true}, {"attr": "tags", "eq": "a"}]}`, nil},
		{"one missing, the other compared", `{"all": [{"attr": "tags", "missing": true}, {"attr": "groups", "eq": "a"}]}`, nil},

		// Time.
		{"window the wrong way round", `{"time": {"from": "2026-12-02T00:00:00Z", "until": "2026-12-01T00:00:00Z"}}`,
			[]string{`: never true: time from 2026-12-02T00:00:00Z and time until 2026-12-01T00:00:00Z cannot both hold`}},
		{"window of no length", `{"time": {"from": "2026-12-01T00:00:00Z", "until": "2026-12-01T01:00:00+01:00"}}`,
			[]string{`: never true: time from 2026-12-01T00:00:00Z and time until 2026-12-01T01:00:00+01:00 cannot both hold`}},
		{"window", `{"time": {"from": "2026-12-01T00:00:00Z", "until": "2026-12-01T00:00:00.001Z"}}`, nil},
		{"windows apart", `{"all": [{"time": {"until": "2026-12-01T00:00:00Z"}}, {"time": {"from": "2026-12-01T00:00:00Z"}}]}`,
			[]string{`: never true: time until 2026-12-01T00:00:00Z and time from 2026-12-01T00:00:00Z cannot both hold`}},
		{"outside of a window", `{"not": {"time": {"from": "2026-12-01T00:00:00Z", "until": "2026-12-02T00:00:00Z"}}}`, nil},
		{"before and after", `{"all": [{"attr": "born", "before": "2000-01-01T00:00:00Z"}, {"attr": "born", "after": "2000-01-01T00:00:00Z"}]}`,
			[]string{`: never true: born before 2000-01-01T00:00:00Z and born after 2000-01-01T00:00:00Z cannot both hold`}},
		{"before and after, of what may be a list", `{"all": [{"attr": "visits", "before": "2000-01-01T00:00:00Z"}, {"attr": "visits", "after": "2000-01-01T00:00:00Z"}]}`, nil},
		{"before one and not before a later one", `{"all": [{"attr": "visits", "before": "2000-01-01T00:00:00Z"}, {"not": {"attr": "visits", "before": "2001-01-01T00:00:00Z"}}]}`,
			[]string{`: never true: visits before 2000-01-01T00:00:00Z and not visits before 2001-01-01T00:00:00Z cannot both hold`}},
		{"some time between", `{"all": [{"attr": "born", "before": "2001-01-01T00:00:00Z"}, {"attr": "born", "after": "2000-01-01T00:00:00Z"}]}`, nil},

		// Other flags.
		{"two variants of a flag", `{"all": [{"flag": "f", "serves": ["off"]}, {"flag": "f"}]}`,
			[]string{`: never true: flag "f" serves "off" and flag "f" serves "on" cannot both hold`}},
		{"a common variant", `{"all": [{"flag": "f", "serves": ["off", "on"]}, {"flag": "f"}]}`, nil},
		{"a flag that says nothing", `{"all": [{"not": {"flag": "f", "serves": ["off"]}}, {"not": {"flag": "g"}}]}`, nil},

		// Nested conditions.
		{"the part that is to blame", `{"all": [{"segment": "s"}, {"any": [{"segment": "r"}, {"all": [{"attr": "age", "lt": 1}, {"attr": "age", "gt": 2}]}]}]}`,
			[]string{`.all[1].any[1]: never true: age < 1 and age > 2 cannot both hold`}},
		{"all parts", `{"any": [{"all": [{"attr": "age", "lt": 1}, {"attr": "age", "gt": 2}]}, {"all": [{"segment": "s"}, {"not": {"segment": "s"}}]}]}`,
			[]string{
				`.any[0]: never true: age < 1 and age > 2 cannot both hold`,
				`.any[1]: never true: segment "s" and not segment "s" cannot both hold`,
			}},
		{"every alternative", `{"all": [{"attr": "age", "lt": 1}, {"any": [{"attr": "age", "gt": 2}, {"attr": "age", "gt": 3}]}]}`,
			[]string{`: never true: each way to meet it is ruled out by the rest`}},
		{"the only alternative", `{"all": [{"attr": "age", "lt": 1}, {"any": [{"attr": "age", "gt": 2}]}]}`,
			[]string{`: never true: age < 1 and age > 2 cannot both hold`}},
		{"one alternative", `{"all": [{"attr": "age", "lt": 1}, {"any": [{"attr": "age", "gt": 2}, {"attr": "age", "gt": 0}]}]}`, nil},
		{"alternatives twice", `{"all": [
			{"any": [{"attr": "age", "eq": 1}, {"attr": "age", "eq": 2}]},
			{"any": [{"attr": "age", "eq": 3}, {"attr": "age", "eq": 4}]}]}`,
			[]string{`: never true: each way to meet it is ruled out by the rest`}},
		{"far below", `{"all": [{"all": [{"attr": "age", "eq": 1}]}, {"not": {"not": {"all": [{"not": {"any": [{"attr": "age", "lt": 5}]}}]}}}]}`,
			[]string{`: never true: age = 1 and not age < 5 cannot both hold`}},
		{"a contradiction that is negated", `{"not": {"all": [{"attr": "age", "lt": 1}, {"attr": "age", "gt": 2}]}}`, nil},
		{"some country or not", `{"any": [{"attr": "country", "eq": "SE"}, {"not": {"attr": "country", "eq": "SE"}}]}`, nil},

		// Empty lists.
		{"empty any", `{"any": []}`, []string{`.any: is empty, so it is never true`}},
		{"empty all", `{"all": []}`, []string{`.all: is empty, so it is always true`}},
		{"empty lists within", `{"not": {"any": [{"all": []}, {"any": []}, {"segment": "s"}]}}`,
			[]string{
				`.not.any[0].all: is empty, so it is always true`,
				`.not.any[1].any: is empty, so it is never true`,
				`: never true: each way to meet it is ruled out by the rest`,
			}},
		{"not an empty all", `{"not": {"all": []}}`, []string{`.not.all: is empty, so it is always true`}},
		{"not empty", `{"all": [{"segment": "s"}]}`, nil},

		// Values twice.
		{"a value twice", `{"attr": "country", "in": ["SE", "NO", "SE"]}`, []string{`.in[2]: is in the list already, at 0`}},
		{"a number twice", `{"attr": "age", "in": [1, 2, 1.0, 10e-1]}`, []string{`.in[2]: is in the list already, at 0`, `.in[3]: is in the list already, at 0`}},
		{"twice but for case", `{"attr": "country", "in": ["SE", "se"], "fold": true}`, []string{`.in[1]: is in the list already, at 0`}},
		{"case matters", `{"attr": "country", "in": ["SE", "se"]}`, nil},
		{"nearly the same number", `{"attr": "age", "in": [9007199254740993, 9007199254740992]}`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			const used = `"g": {"when": {"all": [{"segment": "s"}, {"segment": "r"}]}}, "f": {}`
			got := findings(t, `{"flags": {"x": {"when": `+c.cond+`, "serve": "on"}, `+used+`}, "segments": {"s": {"keys": ["a"]}, "r": {"keys": ["b"]}}}`)
			for i := range got {
				got[i] = strings.TrimPrefix(got[i], "flags.x.when")
			}
			require.Empty(t, cmp.Diff(c.want, got))
		})
	}
}

// TestAnalysisGivesUp: what would take too long is left alone, and nothing is said.
func TestAnalysisGivesUp(t *testing.T) {
	is := func(i, j int) Condition { return Condition{Attr: fmt.Sprint("a", i), Eq: j} }
	for _, c := range []struct {
		name string
		cond Condition
		want int
	}{
		{"few conditions", Condition{All: conditions(150, func(i int) Condition { return is(i%149, i) })}, 1},
		{"many conditions", Condition{All: conditions(500, func(i int) Condition { return is(i%499, i) })}, 0},
		{"few choices", Condition{All: conditions(3, func(i int) Condition {
			return Condition{Any: conditions(2, func(j int) Condition { return is(j, i) })}
		})}, 1},
		// No two of 20 may be in the same of 19 places.
		{"many choices", Condition{All: conditions(20, func(i int) Condition {
			return Condition{Any: conditions(19, func(j int) Condition { return is(j, i) })}
		})}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Len(t, analyse(Document{Flags: map[string]FeatureFlag{"x": {When: &c.cond}}}), c.want)
		})
	}
}
