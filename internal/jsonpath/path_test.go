package jsonpath_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsonpath"
	"github.com/guidon-go/guidon/internal/jsontree"
)

func parse(t testing.TB, text string) *jsontree.Node {
	t.Helper()
	root, err := jsontree.Parse([]byte(text))
	require.NoError(t, err)
	return root
}

// selected returns the texts of the values a path leads to, and where they are.
func selected(t testing.TB, path string, root *jsontree.Node) (raw, where []string) {
	t.Helper()
	p, err := jsonpath.Compile(path)
	require.NoError(t, err)
	nodes, err := p.Select(root)
	require.NoError(t, err)
	for _, n := range nodes {
		raw = append(raw, n.RawString())
		where = append(where, jsonpath.Where(root, n))
	}
	return raw, where
}

const (
	books = `{"store":{"book":[` +
		`{"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},` +
		`{"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},` +
		`{"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},` +
		`{"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],` +
		`"bicycle":{"color":"red","price":399}}}`
	letters = `["a","b","c","d","e","f","g"]`
	nested  = `{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}`
	quoted  = `{"o":{"j j":{"k.k":3}},"'":{"@":2}}`
	flat    = `{"o":{"j":1,"k":2},"a":[5,3]}`
	nulls   = `{"a":null,"b":[null],"c":[{}],"null":1}`
)

// TestExamplesOfTheRFC has the examples of RFC 9535, sections 1.5, 2.2.3, 2.3, 2.5
// and 2.6.1, for what is supported.
func TestExamplesOfTheRFC(t *testing.T) {
	tests := []struct {
		path, document string
		want           []string // paths
	}{
		{`$.store.book[*].author`, books, []string{`$.store.book[0].author`, `$.store.book[1].author`, `$.store.book[2].author`, `$.store.book[3].author`}},
		{`$..author`, books, []string{`$.store.book[0].author`, `$.store.book[1].author`, `$.store.book[2].author`, `$.store.book[3].author`}},
		{`$.store.*`, books, []string{`$.store.book`, `$.store.bicycle`}},
		{`$.store..price`, books, []string{`$.store.book[0].price`, `$.store.book[1].price`, `$.store.book[2].price`, `$.store.book[3].price`, `$.store.bicycle.price`}},
		{`$..book[2]`, books, []string{`$.store.book[2]`}},
		{`$..book[2].author`, books, []string{`$.store.book[2].author`}},
		{`$..book[2].publisher`, books, nil},
		{`$..book[-1]`, books, []string{`$.store.book[3]`}},
		{`$..book[0,1]`, books, []string{`$.store.book[0]`, `$.store.book[1]`}},
		{`$..book[:2]`, books, []string{`$.store.book[0]`, `$.store.book[1]`}},
		{`$`, `{"k":"v"}`, []string{`$`}},
		{`$.o['j j']`, quoted, []string{`$.o["j j"]`}},
		{`$.o['j j']['k.k']`, quoted, []string{`$.o["j j"]["k.k"]`}},
		{`$.o["j j"]["k.k"]`, quoted, []string{`$.o["j j"]["k.k"]`}},
		{`$["'"]["@"]`, quoted, []string{`$["'"]["@"]`}},
		{`$[*]`, flat, []string{`$.o`, `$.a`}},
		{`$.o[*]`, flat, []string{`$.o.j`, `$.o.k`}},
		{`$.o[*, *]`, flat, []string{`$.o.j`, `$.o.k`, `$.o.j`, `$.o.k`}},
		{`$.a[*]`, flat, []string{`$.a[0]`, `$.a[1]`}},
		{`$[1]`, `["a","b"]`, []string{`$[1]`}},
		{`$[-2]`, `["a","b"]`, []string{`$[0]`}},
		{`$[1:3]`, letters, []string{`$[1]`, `$[2]`}},
		{`$[5:]`, letters, []string{`$[5]`, `$[6]`}},
		{`$[1:5:2]`, letters, []string{`$[1]`, `$[3]`}},
		{`$[5:1:-2]`, letters, []string{`$[5]`, `$[3]`}},
		{`$[::-1]`, letters, []string{`$[6]`, `$[5]`, `$[4]`, `$[3]`, `$[2]`, `$[1]`, `$[0]`}},
		{`$[0, 3]`, letters, []string{`$[0]`, `$[3]`}},
		{`$[0:2, 5]`, letters, []string{`$[0]`, `$[1]`, `$[5]`}},
		{`$[0, 0]`, letters, []string{`$[0]`, `$[0]`}},
		{`$..j`, nested, []string{`$.o.j`, `$.a[2][0].j`}},
		{`$..[0]`, nested, []string{`$.a[0]`, `$.a[2][0]`}},
		{`$..[*]`, nested, []string{`$.o`, `$.a`, `$.o.j`, `$.o.k`, `$.a[0]`, `$.a[1]`, `$.a[2]`, `$.a[2][0]`, `$.a[2][1]`, `$.a[2][0].j`, `$.a[2][1].k`}},
		{`$..*`, nested, []string{`$.o`, `$.a`, `$.o.j`, `$.o.k`, `$.a[0]`, `$.a[1]`, `$.a[2]`, `$.a[2][0]`, `$.a[2][1]`, `$.a[2][0].j`, `$.a[2][1].k`}},
		{`$..o`, nested, []string{`$.o`}},
		{`$.o..[*, *]`, nested, []string{`$.o.j`, `$.o.k`, `$.o.j`, `$.o.k`}},
		{`$.a..[0, 1]`, nested, []string{`$.a[0]`, `$.a[1]`, `$.a[2][0]`, `$.a[2][1]`}},
		{`$.a`, nulls, []string{`$.a`}},
		{`$.a[0]`, nulls, nil},
		{`$.a.d`, nulls, nil},
		{`$.b[0]`, nulls, []string{`$.b[0]`}},
		{`$.b[*]`, nulls, []string{`$.b[0]`}},
		{`$.null`, nulls, []string{`$.null`}},
		// not in the RFC
		{"$ [ 'o' , \"a\" ]\t.j\n[ 0 : 1 : 1 ]", nested, nil},
		{`$.a[9007199254740991]`, nested, nil},
		{`$.a[-9007199254740991:9007199254740991:9007199254740991]`, nested, []string{`$.a[0]`}},
		{`$[9:]`, letters, nil},
		{`$[-9:-6]`, letters, []string{`$[0]`}},
		{`$[:-9:-1]`, letters, []string{`$[6]`, `$[5]`, `$[4]`, `$[3]`, `$[2]`, `$[1]`, `$[0]`}},
		{`$.ä`, `{"ä":1}`, []string{`$["ä"]`}},
		{`$["\ud83d\ude00\n\"\\\/"]`, `{"😀\n\"\\/":1}`, []string{`$["😀\u000a\"\\/"]`}},
		{`$["\udb40\udc41"]`, "{\"\U000e0041\":1}", []string{`$["\udb40\udc41"]`}},
		{`$['\'"']`, `{"'\"":1}`, []string{`$["'\""]`}},
		{`$.a`, `[{"a":1}]`, nil},
		{`$[0]`, `{"0":1}`, nil},
		{`$[:]`, `{"0":1}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			root := parse(t, tt.document)
			raw, where := selected(t, tt.path, root)
			if diff := cmp.Diff(tt.want, where); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for i, path := range where {
				again, _ := selected(t, path, root)
				if diff := cmp.Diff([]string{raw[i]}, again); diff != "" {
					t.Errorf("%s leads to another value (-want +got):\n%s", path, diff)
				}
			}
		})
	}
}

func TestRefusedPaths(t *testing.T) {
	const only = `supported are names, indexes, "*", slices, ".." and lists of these`
	tests := []struct{ path, want string }{
		{``, `"", at byte 0: found the end, want "$"`},
		{`a`, `"a", at byte 0: found 'a', want "$"`},
		{` $`, `" $", at byte 0: found ' ', want "$"`},
		{`$ `, `"$ ", at byte 2: found the end, want no space at the end`},
		{`$a`, `"$a", at byte 1: found 'a', want "." or "["`},
		{`$.`, `"$.", at byte 2: found the end, want a name, "*" or a list in brackets; quote other names: ["a-b"]`},
		{`$..`, `"$..", at byte 3: found the end, want a name, "*" or a list in brackets; quote other names: ["a-b"]`},
		{`$...a`, `"$...a", at byte 3: found '.', want a name, "*" or a list in brackets; quote other names: ["a-b"]`},
		{`$. a`, `"$. a", at byte 2: found ' ', want a name, "*" or a list in brackets; quote other names: ["a-b"]`},
		{`$.1`, `"$.1", at byte 2: found '1', want a name, "*" or a list in brackets; quote other names: ["a-b"]`},
		{`$.a-b`, `"$.a-b", at byte 3: found '-', want "." or "["`},
		{`$.items[?@.price < 10]`, `"$.items[?@.price < 10]", at byte 8: filters are not supported; ` + only},
		{`$.items.length()`, `"$.items.length()", at byte 14: found '(': functions and filters are not supported; ` + only},
		{`$[(@.length-1)]`, `"$[(@.length-1)]", at byte 2: found '(': functions and filters are not supported; ` + only},
		{`$[]`, `"$[]", at byte 2: found ']', want a quoted name, an index, a slice or "*"`},
		{`$[0`, `"$[0", at byte 3: found the end, want "," or "]"`},
		{`$[0,]`, `"$[0,]", at byte 4: found ']', want a quoted name, an index, a slice or "*"`},
		{`$[a]`, `"$[a]", at byte 2: found 'a', want a quoted name, an index, a slice or "*"`},
		{`$[01]`, `"$[01]", at byte 2: found "01", want a whole number without leading zeros, within 2^53`},
		{`$[-0]`, `"$[-0]", at byte 2: found "-0", want a whole number without leading zeros, within 2^53`},
		{`$[-]`, `"$[-]", at byte 2: found "-", want a whole number without leading zeros, within 2^53`},
		{`$[9007199254740992]`, `"$[9007199254740992]", at byte 2: found "9007199254740992", want a whole number without leading zeros, within 2^53`},
		{`$[1:2:0]`, `"$[1:2:0]", at byte 6: a slice with step 0 selects nothing`},
		{`$[1:2:3:4]`, `"$[1:2:3:4]", at byte 7: found ':', want "," or "]"`},
		{`$[1.5]`, `"$[1.5]", at byte 3: found '.', want "," or "]"`},
		{`$['a]`, `"$['a]", at byte 5: found the end, want ' at the end of the name`},
		{`$["\'"]`, `"$[\"\\'\"]", at byte 3: found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`},
		{`$["\ud800"]`, `"$[\"\\ud800\"]", at byte 3: found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`},
		{"$['\n']", `"$['\n']", at byte 3: found control character U+000A, want it escaped`},
		{"$.\xff", `"$.\xff" is not UTF-8`},
		{`$` + strings.Repeat(".a", 2048), `found 4097 bytes, want at most 4096`},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			if _, err := jsonpath.Compile(tt.path); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestDefiniteAndStem(t *testing.T) {
	tests := []struct {
		path, stem, want string
		definite         bool
	}{
		{`$`, `$`, jsonpath.Either, true},
		{`$.a`, `$`, "an object", true},
		{`$["a b"][-1].c`, `$["a b"][-1]`, "an object", true},
		{`$.a[1]`, `$.a`, "an array", true},
		{`$.a[*].b`, `$.a`, jsonpath.Either, false},
		{`$.a["b","c"]`, `$.a`, jsonpath.Either, false},
		{`$.a[0:1]`, `$.a`, jsonpath.Either, false},
		{`$..a`, `$`, jsonpath.Either, false},
	}
	for _, tt := range tests {
		p, err := jsonpath.Compile(tt.path)
		require.NoError(t, err)
		stem, want := p.Stem()
		if p.Definite() != tt.definite || stem.String() != tt.stem || want != tt.want || p.String() != tt.path {
			t.Errorf("%s: got definite %v, stem %s, %s", p, p.Definite(), stem, want)
		}
		if _, err := jsonpath.Compile(stem.String()); err != nil {
			t.Errorf("the stem of %s: %v", p, err)
		}
	}
}

// TestSelectGivesUp takes paths that multiply what they look at.
func TestSelectGivesUp(t *testing.T) {
	deep := parse(t, strings.Repeat(`[`, 99)+`[1,2]`+strings.Repeat(`]`, 99))
	wide := parse(t, `[`+strings.Repeat(`1,`, 1<<16)+`1]`)
	long := parse(t, `{"a":{"b":`+strings.Repeat(`[`, 90)+`{"c":1}`+strings.Repeat(`]`, 90)+`}}`)
	tests := []struct {
		path string
		root *jsontree.Node
		ok   bool
	}{
		{`$..*..*..*..*..*..*`, deep, false},
		{`$..*`, wide, true},
		{`$[` + strings.Repeat(`*,`, 99) + `*]`, wide, false},
		{`$..c`, long, true},
	}
	for _, tt := range tests {
		p, err := jsonpath.Compile(tt.path)
		require.NoError(t, err)
		if _, err := p.Select(tt.root); (err == nil) != tt.ok {
			t.Errorf("%s: got %v, want an error: %v", tt.path, err, !tt.ok)
		}
	}
}
