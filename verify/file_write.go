package verify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// MarshalJSON writes the suite as [Parse] reads it, without what a file cannot hold:
// Handler, TLS, the texts of secrets and all functions. It is an error if an expectation
// has a function of its own, or is a pointer, and if a text is not valid UTF-8; what else
// Parse would refuse is written as it is.
func (s Suite) MarshalJSON() ([]byte, error) {
	file := suiteFile{
		Name: s.Name, URL: s.URL, Timeout: timeFile(s.Timeout), CleanupTimeout: timeFile(s.CleanupTimeout),
		Parallel: s.Parallel, Cookies: s.Cookies, BodyLimit: s.BodyLimit, Tests: []testFile{},
		Secrets: sortedKeys(s.Secrets),
	}
	for _, stage := range []struct {
		Stage
		tests []SmokeTest
		files *[]testFile
	}{{StageSetup, s.Setup, &file.Setup}, {StageTests, s.Tests, &file.Tests}, {StageCleanup, s.Cleanup, &file.Cleanup}} {
		for i, t := range stage.tests {
			f, err := fileOf(t)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", jsontree.Index(stage.String(), i), err)
			}
			*stage.files = append(*stage.files, f)
		}
	}
	if place := invalid("", reflect.ValueOf(file)); place != "" {
		return nil, fmt.Errorf("%s: invalid UTF-8, which a file cannot hold", place)
	}
	return json.Marshal(file)
}

// invalid is the path of a text that is not UTF-8, and so becomes another one in JSON.
// Raw JSON stays what it is, and is checked when it is read.
func invalid(path string, v reflect.Value) (place string) {
	look := func(path string, v reflect.Value) { place = cmp.Or(place, invalid(path, v)) }
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return path
		}
	case reflect.Pointer:
		look(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			look(jsontree.Join(path, v.Type().Field(i).Name), v.Field(i))
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			look(path, key)
			look(jsontree.Join(path, key.String()), value)
		}
	case reflect.Slice:
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			return ""
		}
		for i := range v.Len() {
			look(jsontree.Index(path, i), v.Index(i))
		}
	}
	return place
}

// UnmarshalJSON is [Parse]. If there is an error, nothing is changed.
func (s *Suite) UnmarshalJSON(data []byte) error {
	parsed, err := Parse(data)
	if err == nil {
		*s = *parsed
	}
	return err
}

func fileOf(t SmokeTest) (f testFile, err error) {
	f = testFile{
		Name: t.Name, Method: t.Method, Endpoint: t.Endpoint, Body: t.Body,
		ExpectedStatus: t.Statuses, Timeout: timeFile(t.Timeout), Needs: t.Needs, Redirects: t.Redirects, Optional: t.Optional,
		Retry: retryFile{t.Retry.Attempts, timeFile(t.Retry.Backoff), timeFile(t.Retry.Max), timeFile(t.Retry.Timeout), t.Retry.AnyMethod},
	}
	if t.ExpectedStatus != 0 {
		f.ExpectedStatus = statusFile{{From: t.ExpectedStatus}}
	}
	for name, values := range t.Header {
		if len(values) == 0 {
			continue // nothing is sent
		}
		if f.Header == nil {
			f.Header = map[string]texts{}
		}
		f.Header[name] = values
	}
	if f.ExpectedResponse, err = rawOf(t.ExpectedResponse); err != nil {
		return f, fmt.Errorf("ExpectedResponse: %w", err)
	}
	for i, e := range t.Expect {
		x, err := expectOf(e)
		if err != nil {
			return f, fmt.Errorf("%s: %w", jsontree.Index("Expect", i), err)
		}
		f.Expect = append(f.Expect, x)
	}
	for name, from := range t.Capture {
		if f.Capture == nil {
			f.Capture = map[string]fromFile{}
		}
		f.Capture[name] = fromFile(from)
	}
	return f, nil
}

// expectOf is an expectation as it stands in a file.
func expectOf(e Expectation) (f expectFile, err error) {
	switch e := e.(type) {
	case HeaderIs:
		f.HeaderIs = (*headerIsFile)(&e)
	case HeaderMatches:
		f.HeaderMatches = (*headerMatchesFile)(&e)
	case HeaderAbsent:
		f.HeaderAbsent = &e.Name
	case BodyIs:
		f.BodyIs = &e.Text
	case BodyContains:
		f.BodyContains = &e.Text
	case BodyMatches:
		f.BodyMatches = &e.Pattern
	case JSONEquals:
		f.JSONEquals, err = rawOf(e.Value)
	case JSONContains:
		f.JSONContains = &jsonContainsFile{Absent: e.Absent}
		f.JSONContains.Value, err = rawOf(e.Value)
		for path, mode := range e.Arrays {
			if f.JSONContains.Arrays == nil {
				f.JSONContains.Arrays = map[string]modeFile{}
			}
			f.JSONContains.Arrays[path] = modeFile(mode)
		}
	case JSONPath:
		f.JSONPath = &jsonPathFile{
			Path: e.Path, Nodes: nodesFile(e.Nodes), Pattern: e.Pattern, Type: e.Type,
			Min: numberFile(e.Min), Max: numberFile(e.Max), Count: e.Count, Absent: e.Absent,
		}
		f.JSONPath.Equals, err = rawOf(e.Equals)
	case TLSExpiry:
		left := timeFile(e.remaining())
		f.TLSExpiry = &left
	case Within:
		f.Within = (*timeFile)(&e.Limit)
	case Custom:
		if f.Custom = &e.Name; e.Func != nil {
			err = fmt.Errorf("a function cannot be written: want it in the suite's Custom under %q", e.Name)
		}
	default:
		err = fmt.Errorf("a %T cannot be written", e)
	}
	return f, err
}

// rawOf writes a value, if there is one.
func rawOf(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	return written(v)
}
