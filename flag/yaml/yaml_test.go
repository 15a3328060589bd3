package yaml_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

// value reads a file that has a value for a variant "v", which may be anything, and
// returns that as JSON.
func value(t *testing.T, text string) string {
	t.Helper()
	data, err := yaml.JSON([]byte(text))
	require.NoError(t, err)
	var flat bytes.Buffer
	require.NoError(t, json.Compact(&flat, data))
	return flat.String()
}

func TestValues(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"Norway, switches and answers are strings", "[NO, no, on, off, yes, y, n, On]", `["NO","no","on","off","yes","y","n","On"]`},
		{"booleans", "[true, True, TRUE, false, False, FALSE, tRUE]", `[true,true,true,false,false,false,"tRUE"]`},
		{"nulls", "a: ~\nb: null\nc:\nd: NULL\ne: nULL", `{"a":null,"b":null,"c":null,"d":null,"e":"nULL"}`},
		{"quotes make strings", `["true", '1', "null", "~"]`, `["true","1","null","~"]`},
		{"whole numbers beyond 2^53", "[9007199254740993, -18446744073709551617, 123456789012345678901234567890]", `[9007199254740993,-18446744073709551617,123456789012345678901234567890]`},
		{"floats, digit by digit", "[0.1, 1.10, 1e400, 1E+2, -0.0, 3.141592653589793238]", `[0.1,1.10,1e400,1E+2,-0.0,3.141592653589793238]`},
		{"numbers that JSON writes another way", "[+1, .5, 5., -.5, 5.e3, 0x1F, 0o17, 0xFFFFFFFFFFFFFFFF]", `[1,0.5,5.0,-0.5,5.0e3,31,15,18446744073709551615]`},
		{"not numbers by YAML 1.2", "[1_000, 0b1, 12:30:45, 1e, e1, ., +, 0x, 0xg, 1.2.3, 1e5.5]", `["1_000","0b1","12:30:45","1e","e1",".","+","0x","0xg","1.2.3","1e5.5"]`},
		{"timestamps are strings", "[2026-12-01, 2026-12-01T08:00:00Z, 2026-12-01 08:00:00]", `["2026-12-01","2026-12-01T08:00:00Z","2026-12-01 08:00:00"]`},
		{"tags of the core schema", "[!!str 1, !!int \"7\", !!int 0x1F, !!int -7, !!float 1, !!bool 'true', !!null '', ! 5, !!map {}, !!seq []]", `["1",7,31,-7,1,true,null,"5",{},[]]`},
		{"block scalars", "a: |\n  one\n  two\nb: >-\n  one\n  two\n", `{"a":"one\ntwo\n","b":"one two"}`},
		{"unicode", "ü: \"\\U0001F600 \\x41\\u2028\"\né: 日本", `{"ü":"😀 A\u2028","é":"日本"}`},
		{"tabs between tokens", "a:\t1\nb: [1,\t2]", `{"a":1,"b":[1,2]}`},
		{"JSON", "{\"a\": [1, {\"b\": null}], \"c\": \"\\u00e9\\n\\/\"}", `{"a":[1,{"b":null}],"c":"é\n/"}`},
		{"a byte order mark", "\ufeffa: 1", `{"a":1}`},
		{"a directive, the marks of a document", "%YAML 1.1\n---\na: 1\n...\n", `{"a":1}`},
		{"line ends of others", "a: 1\r\nb:\r\n  - 2\r\n", `{"a":1,"b":[2]}`},
		{"comments", "# x\na: 1 # y\n# z\n", `{"a":1}`},
		{"keys in quotes", "\"1\": a\n'true': b\n\"<<\": c\n", `{"1":"a","true":"b","<<":"c"}`},
		{"keys that look like switches", "on: true\noff: false\n", `{"on":true,"off":false}`},
		{"anchors and aliases", "a: &x {b: 1}\nc: *x\nd: [*x, &y 2, *y]", `{"a":{"b":1},"c":{"b":1},"d":[{"b":1},2,2]}`},
		{"an anchor given again", "a: &x 1\nb: *x\nc: &x 2\nd: *x", `{"a":1,"b":1,"c":2,"d":2}`},
		{"a merge, and its own keys win", "a: &x {b: 1, c: 2}\nd:\n  b: 3\n  <<: *x\ne:\n  <<: *x\n  c: 4", `{"a":{"b":1,"c":2},"d":{"b":3,"c":2},"e":{"b":1,"c":4}}`},
		{"merges of several, the first wins", "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne:\n  <<: [*x, *y, {f: 4}]", `{"a":{"b":1},"c":{"b":2,"d":3},"e":{"b":1,"d":3,"f":4}}`},
		{"a merge of a merge", "a: &x {b: 1}\nc: &y\n  <<: *x\n  d: 2\ne:\n  <<: *y\n  g: 5", `{"a":{"b":1},"c":{"b":1,"d":2},"e":{"b":1,"d":2,"g":5}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, value(t, tt.text)) })
	}
}

func TestRefused(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	merges := "a: &a {x: 1}\n"
	for c := 'b'; c <= 'k'; c++ {
		merges += fmt.Sprintf("%c: &%c {<<: [%s]}\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	tests := []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", []string{"(line 1, column 1): found an empty file, want a document"}},
		{"comments only", "# later\n", []string{"(line 1, column 1): found an empty file, want a document"}},
		{"two documents", "a: 1\n---\nb: 2\n", []string{"(line 2, column 1): found a second document, want one in a file"}},
		{"two marks", "a: 1\n---\n", []string{"(line 2, column 1): found a second document, want one in a file"}},
		{"tab in the indentation", "a:\n\tb: 1\n", []string{"(line 2, column 1): found a tab, want spaces for indentation"}},
		{"wrong indentation", "a:\n  b: 1\n c: 2\n", []string{"(line 3, column 2): while parsing a block mapping: did not find expected key; a key stands exactly below the one before it, and a text with quotes in it needs the other quotes around it"}},
		{"two colons", "a: b: c\n", []string{"(line 1, column 5): mapping values are not allowed in this context; a value with \": \" in it needs quotes, and a key stands below the one before it"}},
		{"a character that begins nothing", "é: [@x]\n", []string{"(line 1, column 5): found \"@\", with which no value begins; want quotes around it"}},
		{"a quote that nothing closes", "é: \"x\nb: 1\n", []string{"(line 1, column 4): found a quote that nothing closes"}},
		{"a bracket that nothing closes", "a: {b: 1\nc: {}\n", []string{"(line 2, column 2): while parsing a flow mapping: did not find expected ',' or '}'; it begins at line 1, column 4"}},
		{"an escape of others", "a: \"\\d\"\n", []string{"(line 1, column 5): while scanning a quoted scalar: found unknown escape character; write \\\\ for a backslash, or single quotes around the text"}},
		{"unknown alias", "a: 1\nb: *no\n", []string{"(line 2, column 4): unknown anchor 'no' referenced; a value that begins with * needs quotes, and an anchor stands above what refers to it"}},
		{"a directive of YAML 1.2", "%YAML 1.2\n---\na: 1\n", []string{"(line 1, column 1): found incompatible YAML document"}},
		{"a surrogate pair", `a: "\ud83d\ude00"`, []string{"(line 1, column 7): while scanning a quoted scalar: found invalid Unicode character escape code"}},
		{"not UTF-8", "a: 1\nü: \xff\n", []string{"(line 2, column 4): found the byte 0xff, want UTF-8"}},
		{"UTF-16", "\xff\xfea\x00", []string{"(line 1, column 1): found the byte 0xff, want UTF-8"}},
		{"a zero", "a: é\x00", []string{"(line 1, column 5): found the character U+0000, want it escaped in double quotes"}},
		{"a line end of some readers", "a: é\u2028b", []string{"(line 1, column 5): found the character U+2028, want it escaped in double quotes"}},
		{"a second byte order mark", "\ufeff\ufeffa: 1", []string{"(line 1, column 1): found the character U+FEFF, want it escaped in double quotes"}},
		{"duplicate keys, all of them", "a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n\"a\": 4\n", []string{
			"a (line 6, column 1): duplicate key, the first is at line 1, column 1",
			"b.c (line 5, column 3): duplicate key, the first is at line 3, column 3",
		}},
		{"duplicate merges", "a: &x {}\nb:\n  <<: *x\n  <<: *x\n", []string{`b["<<"] (line 4, column 3): duplicate key, the first is at line 3, column 3`}},
		{"keys that are no strings", "1: a\ntrue: b\n~: c\n1.5: d\n[e]: f\n? {g: h}\n: i\n", []string{
			"(line 1, column 1): found the key 1, which is no string: put it in quotes",
			"(line 2, column 1): found the key true, which is no string: put it in quotes",
			"(line 3, column 1): found the key ~, which is no string: put it in quotes",
			"(line 4, column 1): found the key 1.5, which is no string: put it in quotes",
			"(line 5, column 1): found a key that is no scalar, want a string",
			"(line 6, column 3): found a key that is no scalar, want a string",
		}},
		{"numbers that JSON has not", "a: [.inf, -.INF, .nan, 012, 00]\n", []string{
			"a[0] (line 1, column 5): found .inf, want a number that JSON has, too",
			"a[1] (line 1, column 11): found -.INF, want a number that JSON has, too",
			"a[2] (line 1, column 18): found .nan, want a number that JSON has, too",
			"a[3] (line 1, column 24): found 012, want a number without leading zeros, or quotes around it",
			"a[4] (line 1, column 29): found 00, want a number without leading zeros, or quotes around it",
		}},
		{"tags", "a: !!binary aGk=\nb: !mine 1\nc: !!int x\nd: !!set {x}\ne: !!int 1.5\n", []string{
			"a (line 1, column 4): found the tag !!binary, want none",
			"b (line 2, column 4): found the tag !mine, want none",
			"c (line 3, column 4): found \"x\" under the tag !!int",
			"d (line 4, column 4): found the tag !!set, want none",
			"e (line 5, column 4): found \"1.5\" under the tag !!int",
		}},
		{"a merge of nothing", "a: &x 1\nb:\n  <<: *x\n", []string{"b (line 3, column 7): found a value to merge, want a mapping or a list of them"}},
		{"a circle", "a: &x [1, *x]\n", []string{"a" + strings.Repeat("[1]", 99) + " (line 1, column 11): nested deeper than 100 levels"}},
		{"a bomb", bomb, []string{"f[7][2][3][1][7][2] (line 6, column 29): found aliases that make more than 10 times the file of it"}},
		{"a bomb of merges", merges, nil},
		{"a bomb of empty merges", strings.Replace(merges, "{x: 1}", "{}", 1), nil},
		{"a circle of merges", "a: &x {<<: [*x, *x]}\n", []string{"a (line 1, column 13): merged deeper than 100 levels"}},
		{"too deep", strings.Repeat("[", 102) + strings.Repeat("]", 102), nil},
		{"too long", strings.Repeat("#", 8<<20) + "\n", []string{"found 8388609 bytes, want at most 8 MiB"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, err := yaml.JSON([]byte(tt.text))
			require.Nil(t, data)
			require.ErrorIs(t, err, flag.ErrInvalid)
			var problems flag.Problems
			require.True(t, errors.As(err, &problems))
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			if tt.want == nil {
				require.Len(t, got, 1, "%s", got)
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			require.Equal(t, problems, yaml.Lint([]byte(tt.text)))
			_, again := yaml.Parse([]byte(tt.text))
			require.Equal(t, err, again)
		})
	}
}

// TestAnchorsAtTheTop: keys that begin with x- are where anchors stand that no flag has.
func TestAnchorsAtTheTop(t *testing.T) {
	const file = "x-slow: &slow\n  ramp: {percent: 5} # slowly\nflags:\n  a:\n    <<: *slow\n"
	require.Empty(t, yaml.Lint([]byte(file)))
	store := flag.New(yaml.From(flag.Bytes([]byte(file))), flag.Options{Strict: true})
	require.NoError(t, store.Load(t.Context()))
	after, err := yaml.Edit([]byte(file), func(doc *flag.Document) error {
		require.Equal(t, flag.Share(5*flag.Percent), doc.Flags["a"].Ramp.Share)
		with("a", func(f *flag.FeatureFlag) { f.Disabled = true })(doc)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, file+"    disabled: true\n", string(after))
}

// TestManyProblems: what an alias brings in again and again is counted, not listed.
func TestManyProblems(t *testing.T) {
	key := strings.Repeat("k", 300)
	file := "x: &x [" + strings.Repeat("!x ,", 400) + "]\ny: " + strings.Repeat("{"+key+": ", 90) + "[" + strings.Repeat("*x,", 400) + "]" + strings.Repeat("}", 90) + "\n"
	problems := yaml.Lint([]byte(file))
	require.Len(t, problems, 1001)
	require.Equal(t, "found 159400 problems more", problems[1000].String())
	require.Less(t, len(problems[999].Path), 90*300)
	_, err := yaml.JSON([]byte(file))
	require.Equal(t, error(problems), err)
	_, err = yaml.Parse([]byte(file))
	require.Equal(t, error(problems), err)
}

// TestBrokenDocuments: JSON is YAML, so each of package flag's broken documents has the
// same problems at the same places, read either way.
func TestBrokenDocuments(t *testing.T) {
	files, err := filepath.Glob("../testdata/broken/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	same := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		want, got := flag.Lint(data), yaml.Lint(data)
		if _, err := yaml.JSON(data); err != nil || !json.Valid(data) {
			continue // it is no YAML, or no JSON
		}
		same++
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	require.Greater(t, same, len(files)*3/4, "of %d documents", len(files))
}
