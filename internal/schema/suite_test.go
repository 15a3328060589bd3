package schema_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/verify"
	"github.com/stretchr/testify/require"
)

// goodSuites are those that stand in the repository.
var goodSuites = []string{"verify/testdata/suite.json", "examples/smoke/suite.json"}

func TestSuites(t *testing.T) {
	for _, name := range goodSuites {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			require.NoError(t, err)
			suite, err := verify.Parse(text)
			require.NoError(t, err)
			places, err := refusalsBy(t, compiledSuite, text)
			require.NoError(t, err)
			require.Empty(t, places, "the schema refuses what the library reads")
			written, err := json.Marshal(suite)
			require.NoError(t, err)
			places, err = refusalsBy(t, compiledSuite, written)
			require.NoError(t, err)
			require.Empty(t, places, "the schema refuses what the library writes:\n%s", written)
		})
	}
}

// TestBrokenSuites: of the suites that the library refuses, the schema refuses those
// that it can see something wrong with.
func TestBrokenSuites(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "verify", "testdata", "broken", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			sameSuite(t, text)
		})
	}
}

// TestSuiteMutants: put anything in the place of anything in a good suite, or give an
// object one field more; what the schema refuses the library refuses, and the other
// way round, as far as a schema can see.
func TestSuiteMutants(t *testing.T) {
	for _, name := range goodSuites {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
			require.NoError(t, err)
			var suite any
			require.NoError(t, json.Unmarshal(text, &suite))
			mutate(&suite, func() {
				text, err := json.Marshal(suite)
				require.NoError(t, err)
				sameSuite(t, text)
			})
		})
	}
}

// TestSuiteValues: what values of a kind of their own may be.
func TestSuiteValues(t *testing.T) {
	for _, tt := range []struct {
		field  string
		values []string
	}{
		{"timeout", []string{`"1s"`, `"1.5h2m.5s"`, `"+3us"`, `"1µs"`, `"1."`, `"1.s"`, `".s"`, `"0s"`, `"0"`, `"5"`, `"-1s"`, `"1 s"`, `"1S"`, `""`, `5`}},
		{"expected_status", []string{
			`200`, `599`, `2e2`, `200.0`, `199`, `600`, `200.5`, `"2xx"`, `"5xx"`, `"1xx"`, `"6xx"`, `"2XX"`, `"200-299"`, `"200"`, `"100-200"`, `"200-600"`, `"404-404"`, `"0200-299"`, `"02xx"`,
			`[]`, `[200, "3xx", "400-404"]`, `[200, 99]`, `[[200]]`, `{}`,
		}},
		{"header", []string{`{"a b": "x"}`, `{"A-b_c!": "x"}`, `{"": "x"}`, `{"é": "x"}`, `{"A": []}`, `{"A": ["x", "y"]}`, `{"A": [1]}`, `{"` + strings.Repeat("x", 257) + `": ""}`}},
		{"method", []string{`"PURGE"`, `"GE T"`, `"GET\n"`, `""`}},
		{"endpoint", []string{`"/"`, `"/a\nb"`, `"a"`, `"/#"`, `""`}},
		{"capture", []string{`{"a": {"json": "a"}}`, `{"a.b": {"status": true}}`, `{"a": {"cookie": ""}}`, `{"a": {"header": "a b"}}`, `{"a": {"status": true, "cookie": "c"}}`}},
		{"redirects", []string{`10`, `11`, `-1`, `1.5`, `1.0`}},
		{"retry", []string{`{"attempts": 1000}`, `{"attempts": 1001}`, `{"attempts": -1}`}},
		{"needs", []string{`["x", "x"]`}},
		{"expect", []string{
			`[{"header_absent": "a:"}]`, `[{"tls_expiry": "0h"}]`, `[{"body_is": ""}]`, `[{"json_equals": null}]`, `[{}]`,
			`[{"json_contains": {"arrays": {}}}]`, `[{"json_contains": {"absent": []}}]`, `[{"json_contains": {"absent": ["$.a"], "arrays": {}}}]`,
			`[{"json_contains": {"absent": ["$.a"], "arrays": {"$": "unordered"}}}]`, `[{"json_contains": {"value": [], "arrays": {"$": "unordered"}}}]`,
			`[{"json_path": {"path": "$.a", "absent": true, "count": 1}}]`, `[{"json_path": {"path": "$.a", "absent": false, "count": 1}}]`,
			`[{"json_path": {"path": "$.a", "absent": true, "equals": null}}]`, `[{"json_path": {"path": "$.a", "absent": true, "nodes": "all"}}]`,
		}},
	} {
		for _, value := range tt.values {
			for _, rest := range []string{`"endpoint": "/", `, ""} {
				if (rest == "") == (tt.field == "endpoint") {
					sameSuite(t, []byte(`{"tests": [{`+rest+`"`+tt.field+`": `+value+`}]}`))
				}
			}
		}
	}
	for _, field := range []string{
		`"url": "HTTPS://shop.example"`, `"url": "shop"`, `"url": "http://a?b"`, `"url": "ftp://a"`, `"parallel": 1000`, `"parallel": 1001`,
		`"body_limit": 1073741824`, `"body_limit": 1073741825`, `"secrets": ["a", "a"]`, `"secrets": ["a b"]`, `"secrets": ["a"]`,
	} {
		sameSuite(t, []byte(`{"tests": [{"endpoint": "/"}], `+field+`}`))
	}
	for _, tests := range []string{`[]`, `[{"endpoint": "/", "optional": true}]`, `[{"endpoint": "/", "optional": true}, {"endpoint": "/", "optional": false}]`} {
		sameSuite(t, []byte(`{"tests": `+tests+`}`))
	}
}

// sameSuite wants the library and the schema to be of one opinion.
func sameSuite(t *testing.T, text []byte) {
	t.Helper()
	places, notJSON := refusalsBy(t, compiledSuite, text)
	_, err := verify.Parse(text)
	switch {
	case notJSON != nil:
		require.Error(t, err)
	case len(places) > 0:
		require.Error(t, err, "only the schema refuses %s at %v", text, places)
	default:
		require.Empty(t, seen(err), "the schema accepts %s", text)
	}
}

// seen are the problems that a schema can see. It cannot see what a text means that is
// a URL, a path, a pattern or a reference, how the values of two fields fit, which names
// there are, and what the text of the JSON is.
func seen(err error) []string {
	var malformed *verify.Error
	if !errors.As(err, &malformed) {
		return nil
	}
	return slices.DeleteFunc(malformed.Report.Problems, func(p string) bool {
		return slices.ContainsFunc([]string{
			"duplicate key", "want UTF-8", "nested deeper",
			"not a regular expression", "at byte ", "not a URL", "want no user name", "want http:// or https:// and a host", "is not a path: ", "a host",
			`want "${"`, "nothing captures", "is captured later", "captures it already", "want JSON with ${...}", "already", "control character",
			"no test has the name", "tests have the name", "is run later", "a cycle:",
			"leads to", "leads nowhere in", "may lead to several values", "want with exactly", "want something said of the values",
			"is more than max", "leads to one value at most", "exponent of at most", "want at least the backoff", "is not idempotent", "want at most the test's timeout",
			"want an https URL",
		}, func(unseen string) bool { return strings.Contains(p, unseen) })
	})
}
