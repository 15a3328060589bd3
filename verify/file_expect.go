package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// expectFile is one thing that must hold for an answer: one of its fields is given.
type expectFile struct {
	// A header with a value: any one of them, if it was sent several times.
	HeaderIs *headerIsFile `json:"header_is,omitempty" want:"an object"`
	// A header with a value that matches a regular expression.
	HeaderMatches *headerMatchesFile `json:"header_matches,omitempty" want:"an object"`
	// The name of a header that must not be there.
	HeaderAbsent *string `json:"header_absent,omitempty" want:"the name of a header"`
	// The body, byte by byte.
	BodyIs *string `json:"body_is,omitempty" want:"a string"`
	// A text somewhere in the body.
	BodyContains *string `json:"body_contains,omitempty" want:"a string"`
	// A regular expression that the body has a match of.
	BodyMatches *string `json:"body_matches,omitempty" want:"a regular expression"`
	// The JSON value that the body must be, with every key and no other.
	JSONEquals json.RawMessage `json:"json_equals,omitempty"`
	// A JSON value that the body must contain, in which order the elements of arrays
	// may come, and what must not be there.
	JSONContains *jsonContainsFile `json:"json_contains,omitempty" want:"an object"`
	// What is said of the values that a JSONPath leads to.
	JSONPath *jsonPathFile `json:"json_path,omitempty" want:"an object"`
	// How long the server's certificates must be good for at least.
	TLSExpiry *timeFile `json:"tls_expiry,omitempty" want:"a duration"`
	// The budget for the response time, at most the test's timeout.
	Within *timeFile `json:"within,omitempty" want:"a duration"`
	// The name of a check that the program which reads the suite has.
	Custom *string `json:"custom,omitempty" want:"the name of a check"`
}

// headerIsFile is a header with a value.
type headerIsFile struct {
	// In upper or lower case.
	Name string `json:"name" want:"the name of a header"`
	// All of the value.
	Value string `json:"value" want:"a string"`
}

// headerMatchesFile is a header with a value that matches.
type headerMatchesFile struct {
	// In upper or lower case.
	Name string `json:"name" want:"the name of a header"`
	// A regular expression in Go's syntax (RE2).
	Pattern string `json:"pattern" want:"a regular expression"`
}

// jsonContainsFile is JSON that the body must contain.
type jsonContainsFile struct {
	// The value.
	Value json.RawMessage `json:"value,omitempty"`
	// How the elements of arrays are looked for, by JSONPaths that lead to these
	// arrays in `value`. Those without are positional.
	Arrays map[string]modeFile `json:"arrays,omitempty"`
	// JSONPaths in the body that must lead nowhere.
	Absent []string `json:"absent,omitempty"`
}

// jsonPathFile says something of the values that a path leads to in the body. If
// nothing but the path is given, it must lead to a value.
type jsonPathFile struct {
	// A JSONPath by RFC 9535 without filters and functions: "$.items[*].price".
	Path string `json:"path" want:"a JSONPath"`
	// Which of the values must be as it is said, if the path may lead to several:
	// any of them, all of them, or exactly those that `equals` lists.
	Nodes nodesFile `json:"nodes,omitempty"`
	// What a value must be.
	Equals json.RawMessage `json:"equals,omitempty"`
	// A regular expression that a value, which must be a string, has a match of.
	Pattern string `json:"pattern,omitempty" want:"a regular expression"`
	// What type a value must have.
	Type JSONType `json:"type,omitempty" want:"one of null, bool, number, string, array, object"`
	// The least that a value, which must be a number, may be.
	Min numberFile `json:"min,omitempty"`
	// The most that a value, which must be a number, may be.
	Max numberFile `json:"max,omitempty"`
	// How many values the path must lead to.
	Count int `json:"count,omitempty" want:"a whole number of at least 1"`
	// Whether the path must lead nowhere. Nothing else is said beside it.
	Absent bool `json:"absent,omitempty"`
}

// UnmarshalJSON also wants exactly one field.
func (f *expectFile) UnmarshalJSON(data []byte) error {
	type plain expectFile
	var problems jsontree.Problems
	errors.As(jsontree.Unmarshal(data, (*plain)(f)), &problems)
	if n, _ := jsontree.Parse(data); n != nil && n.Kind == jsontree.Object && len(n.Items) != 1 {
		problems = append(problems, jsontree.Problem{Text: fmt.Sprintf("want one expectation, found %d", len(n.Items))})
	}
	return problems.Err()
}

// expectation is what the file says, or nil if that could not be read.
func (f *expectFile) expectation() Expectation {
	switch {
	case f.HeaderIs != nil:
		return HeaderIs(*f.HeaderIs)
	case f.HeaderMatches != nil:
		return HeaderMatches(*f.HeaderMatches)
	case f.HeaderAbsent != nil:
		return HeaderAbsent{*f.HeaderAbsent}
	case f.BodyIs != nil:
		return BodyIs{*f.BodyIs}
	case f.BodyContains != nil:
		return BodyContains{*f.BodyContains}
	case f.BodyMatches != nil:
		return BodyMatches{*f.BodyMatches}
	case f.JSONEquals != nil:
		return JSONEquals{f.JSONEquals}
	case f.JSONContains != nil:
		x := JSONContains{Value: valueOf(f.JSONContains.Value), Absent: f.JSONContains.Absent}
		for path, mode := range f.JSONContains.Arrays {
			if x.Arrays == nil {
				x.Arrays = map[string]ArrayMode{}
			}
			x.Arrays[path] = ArrayMode(mode)
		}
		return x
	case f.JSONPath != nil:
		p := f.JSONPath
		return JSONPath{
			Path: p.Path, Nodes: Nodes(p.Nodes), Equals: valueOf(p.Equals), Pattern: p.Pattern, Type: p.Type,
			Min: json.Number(p.Min), Max: json.Number(p.Max), Count: p.Count, Absent: p.Absent,
		}
	case f.TLSExpiry != nil:
		return TLSExpiry{f.TLSExpiry.d()}
	case f.Within != nil:
		return Within{f.Within.d()}
	case f.Custom != nil:
		return Custom{Name: *f.Custom}
	}
	return nil
}

// valueOf is nil if nothing was given.
func valueOf(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return raw
}

// inWords is a Go name as files have it: "expected_status", "json_path".
func inWords(name string) string {
	var b strings.Builder
	upper := func(i int) bool { return i < len(name) && 'A' <= name[i] && name[i] <= 'Z' }
	for i := range len(name) {
		if i > 0 && upper(i) && (!upper(i-1) || i+1 < len(name) && !upper(i+1)) {
			b.WriteByte('_')
		}
		b.WriteByte(name[i])
	}
	return strings.ToLower(b.String())
}

// fileKey is the key that an expectation stands under in a file, and whether there
// is an object under it.
func fileKey(e Expectation) (key string, object bool) {
	key = inWords(reflect.TypeOf(e).Name())
	switch e.(type) {
	case HeaderIs, HeaderMatches, JSONContains, JSONPath:
		return key, true
	}
	return key, false
}
