package jsontree_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/jsontree"
)

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{`line 1, column 1: found the end of the document, want a value`}},
		{"only space", " \n ", []string{`line 2, column 2: found the end of the document, want a value`}},
		{"byte order mark", "\ufeff{}", []string{`line 1, column 1: found a byte order mark, want JSON without one`}},
		{"trailing data", "{}x", []string{`line 1, column 3: trailing data at offset 2: found "x", want the end of the document`}},
		{"trailing data after lines", "{}\n\n {}", []string{`line 3, column 2: trailing data at offset 5: found '{', want the end of the document`}},
		{"trailing zero byte", "1\x00", []string{`line 1, column 2: trailing data at offset 1: found '\x00', want the end of the document`}},
		{"duplicate", "{\"a\":1,\n \"a\":2}", []string{`a (line 2, column 2): duplicate key, the first is at line 1, column 2`}},
		{"three of a kind", `{"a":1,"a":2,"a":3}`, []string{
			`a (line 1, column 8): duplicate key, the first is at line 1, column 2`,
			`a (line 1, column 14): duplicate key, the first is at line 1, column 2`,
		}},
		{"duplicate by escape", `{"a":1,"\u0061":2}`, []string{`a (line 1, column 8): duplicate key, the first is at line 1, column 2`}},
		{"duplicate in a duplicate", `{"a":1,"a":{"b":1,"b":1}}`, []string{
			`a (line 1, column 8): duplicate key, the first is at line 1, column 2`,
			`a.b (line 1, column 19): duplicate key, the first is at line 1, column 13`,
		}},
		{"duplicates, then a syntax error", `{"x":[{"a.b":1,"a.b":2},?]}`, []string{
			`x[0]["a.b"] (line 1, column 16): duplicate key, the first is at line 1, column 8`,
			`x[1] (line 1, column 25): found '?', want a value`,
		}},
		{"column counts runes", `["äöü€😀",?]`, []string{`[1] (line 1, column 10): found '?', want a value`}},
		{"invalid UTF-8 in a string", "{\"a\":\"x\xff\"}", []string{`a (line 1, column 8): found invalid UTF-8 (byte 0xff), want UTF-8`}},
		{"invalid UTF-8 outside", "\xff", []string{`line 1, column 1: found invalid UTF-8 (byte 0xff), want a value`}},
		{"UTF-8 surrogate", "\"\xed\xa0\x80\"", []string{`line 1, column 2: found invalid UTF-8 (byte 0xed), want UTF-8`}},
		{"lone high surrogate", `"a\ud800"`, []string{`line 1, column 3: found the lone surrogate escape \ud800, want a pair`}},
		{"lone low surrogate", `"\uDC00"`, []string{`line 1, column 2: found the lone surrogate escape \udc00, want a pair`}},
		{"high surrogate and letter", `"\ud800\u0041"`, []string{`line 1, column 2: found the lone surrogate escape \ud800, want a pair`}},
		{"control character", "\"a\tb\"", []string{`line 1, column 3: found control character U+0009 in a string, want it escaped`}},
		{"last control character", "\"\x1f\"", []string{`line 1, column 2: found control character U+001F in a string, want it escaped`}},
		{"zero byte in a string", "\"\x00\"", []string{`line 1, column 2: found control character U+0000 in a string, want it escaped`}},
		{"end of the line in a string", "\"a\nb\"", []string{`line 1, column 3: found the end of the line in a string, want '"' before it`}},
		{"carriage return in a string", "\"a\rb\"", []string{`line 1, column 3: found the end of the line in a string, want '"' before it`}},
		{"string without end", `{"a":"b`, []string{`a (line 1, column 8): found the end of the document, want '"' at the end of the string`}},
		{"wrong escape", `"\x41"`, []string{`line 1, column 2: found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`}},
		{"short escape", `"\u12"`, []string{`line 1, column 2: found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`}},
		{"escape at the end", `"\`, []string{`line 1, column 2: found a wrong escape, want one of \" \\ \/ \b \f \n \r \t or \u and four hex digits`}},
		{"leading zero", `01`, []string{`line 1, column 1: found "01", want a number without leading zeros`}},
		{"leading zeros", `-00.5`, []string{`line 1, column 2: found "00", want a number without leading zeros`}},
		{"plus", `+1`, []string{`line 1, column 1: found '+', want a value`}},
		{"no digit before the point", `.5`, []string{`line 1, column 1: found '.', want a value`}},
		{"no digit after the point", `[1.]`, []string{`[0] (line 1, column 4): found ']', want a digit after the point`}},
		{"no exponent", `1e+`, []string{`line 1, column 4: found the end of the document, want a digit of the exponent`}},
		{"only a minus", `-`, []string{`line 1, column 2: found the end of the document, want a digit`}},
		{"minus infinity", `-Infinity`, []string{`line 1, column 2: found "Infinity", want a digit`}},
		{"hex", `0x10`, []string{`line 1, column 2: trailing data at offset 1: found "x10", want the end of the document`}},
		{"NaN", `NaN`, []string{`line 1, column 1: found "NaN", want a value`}},
		{"True", `{"on":True}`, []string{`on (line 1, column 7): found "True", want a value`}},
		{"nullx", `nullx`, []string{`line 1, column 1: found "nullx", want a value`}},
		{"comment", "// x", []string{`line 1, column 1: found '/', want a value`}},
		{"no value", `{"a":}`, []string{`a (line 1, column 6): found '}', want a value`}},
		{"no colon", `{"a" 1}`, []string{`a (line 1, column 6): found "1", want ':' after the key`}},
		{"no comma", `{"a":1 "b":2}`, []string{`line 1, column 8: found '"', want ',' or '}'`}},
		{"no comma in an array", `[1 2]`, []string{`line 1, column 4: found "2", want ',' or ']'`}},
		{"comma before the end", `{"a":1,}`, []string{`line 1, column 8: found '}', want a key in double quotes`}},
		{"comma before the end of an array", `[1,]`, []string{`[1] (line 1, column 4): found ']', want a value`}},
		{"bare key", `{a:1}`, []string{`line 1, column 2: found "a", want a key in double quotes or '}'`}},
		{"single quotes", `{'a':1}`, []string{`line 1, column 2: found '\'', want a key in double quotes or '}'`}},
		{"unclosed object", `{`, []string{`line 1, column 2: found the end of the document, want a key in double quotes or '}'`}},
		{"unclosed array", `[1`, []string{`line 1, column 3: found the end of the document, want ',' or ']'`}},
		{"wrong bracket", `[1}`, []string{`line 1, column 3: found '}', want ',' or ']'`}},
		{"vertical tab is no space", "\v1", []string{`line 1, column 1: found '\v', want a value`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := jsontree.Parse([]byte(tt.text))
			if diff := cmp.Diff(tt.want, lines(err)); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.text, diff)
			}
		})
	}
}

func TestParseDepth(t *testing.T) {
	for _, tt := range []struct{ name, open, middle, end string }{
		{"arrays", "[", "", "]"},
		{"objects", `{"a":`, "1", "}"},
	} {
		nested := func(n int) []byte {
			return []byte(strings.Repeat(tt.open, n) + tt.middle + strings.Repeat(tt.end, n))
		}
		_, err := jsontree.Parse(nested(jsontree.MaxDepth))
		require.NoError(t, err, tt.name)
		_, err = jsontree.Parse(nested(jsontree.MaxDepth + 1))
		require.ErrorContains(t, err, "nested deeper than 100 levels", tt.name)
		_, err = jsontree.Parse(bytes.Repeat([]byte(tt.open), 1_000_000))
		require.ErrorContains(t, err, "nested deeper than 100 levels", tt.name)
	}
}

func TestParseReads(t *testing.T) {
	const text = " {\r\n\t\"a\" : [ true , null ] ,\n\"ключ\":-1.50E+2, \"s\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ac\\ud83d\\ude00x\", \"o\":{}, \"e\":[]\n} "
	n, err := jsontree.Parse([]byte(text))
	require.NoError(t, err)
	want := map[string]any{
		"a": []any{true, nil}, "ключ": json.Number("-1.50E+2"),
		"s": "\"\\/\b\f\n\r\t€😀x", "o": map[string]any{}, "e": []any{},
	}
	if diff := cmp.Diff(want, n.Any()); diff != "" {
		t.Errorf("Any() (-want +got):\n%s", diff)
	}
	tests := []struct {
		path, raw string
		kind      jsontree.Kind
		pos       jsontree.Pos
	}{
		{"", strings.TrimSpace(text), jsontree.Object, jsontree.Pos{Line: 1, Column: 2, Offset: 1}},
		{"a", "[ true , null ]", jsontree.Array, jsontree.Pos{Line: 2, Column: 8, Offset: 11}},
		{"a[0]", "true", jsontree.Bool, jsontree.Pos{Line: 2, Column: 10, Offset: 13}},
		{"a[1]", "null", jsontree.Null, jsontree.Pos{Line: 2, Column: 17, Offset: 20}},
		{`["ключ"]`, "-1.50E+2", jsontree.Number, jsontree.Pos{Line: 3, Column: 8, Offset: 40}},
	}
	for _, tt := range tests {
		got := n.Find(tt.path)
		require.NotNil(t, got, tt.path)
		if got.RawString() != tt.raw || string(got.Raw()) != tt.raw || got.Kind != tt.kind || got.Pos() != tt.pos {
			t.Errorf("%s: got %s %q at %+v, want %s %q at %+v", tt.path, got.Kind, got.Raw(), got.Pos(), tt.kind, tt.raw, tt.pos)
		}
	}
	if got := n.Get("ключ").Pos().String(); got != "3:8" {
		t.Errorf("position of the second value: got %s, want 3:8", got)
	}
}

func TestParseKeepsTheTreeOfDuplicates(t *testing.T) {
	n, err := jsontree.Parse([]byte(`{"a":1,"a":2}`))
	require.Error(t, err)
	if got := n.Get("a").Text(); got != "1" || len(n.Items) != 1 {
		t.Errorf("got %s in %d members, want the first, 1, alone", got, len(n.Items))
	}
	n, err = jsontree.Parse([]byte(`{"a":1,"a":2`))
	require.Error(t, err)
	require.Nil(t, n)
}

func TestRawIsACopy(t *testing.T) {
	data := []byte(`{"a":"b"}`)
	n, err := jsontree.Parse(data)
	require.NoError(t, err)
	copy(data, "xxxxxxxxx")
	copy(n.Raw(), "yyyyyyyyy")
	if got := string(n.Raw()) + n.Get("a").Text(); got != `{"a":"b"}b` {
		t.Errorf("got %s, want the text as parsed", got)
	}
}

func TestKindString(t *testing.T) {
	want := "invalid null bool number string array object invalid"
	var got []string
	for k := range jsontree.Object + 2 {
		got = append(got, k.String())
	}
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,-2.5e3,true,null,"x\u00e9\ud83d\ude00"],"b":{"c":{}}}`, `[]`, `"\ud800"`, `{"a":1,"a":1}`, "\xff", `01`, `{}x`, `[1e400000000]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := jsontree.Parse(data)
		if err != nil {
			if json.Valid(data) && !stricter(err) {
				t.Fatalf("refused %q, which is valid: %v", data, err)
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted %q, which is not valid", data)
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber()
		var want any
		require.NoError(t, decoder.Decode(&want))
		if diff := cmp.Diff(want, n.Any()); diff != "" {
			t.Fatalf("value of %q (-want +got):\n%s", data, diff)
		}
		if got := n.Raw(); !bytes.Equal(got, bytes.Trim(data, " \t\r\n")) {
			t.Fatalf("Raw() of %q: got %q", data, got)
		}
		visit(t, n, n, "", data)
	})
}

// stricter says whether all that is wrong is what encoding/json lets pass.
func stricter(err error) bool {
	for _, line := range lines(err) {
		if !strings.Contains(line, "duplicate key") && !strings.Contains(line, "UTF-8") &&
			!strings.Contains(line, "lone surrogate") && !strings.Contains(line, "nested deeper") {
			return false
		}
	}
	return true
}

// visit checks of every node that its path leads to it and that its text, at its
// offset, is the same value again.
func visit(t *testing.T, root, n *jsontree.Node, path string, data []byte) {
	if root.Find(path) != n || root.Nearest(path) != n || root.Nearest(jsontree.Join(path, "no such key")) != n && n.Get("no such key") == nil {
		t.Fatalf("%q does not lead to its node in %q", path, data)
	}
	raw, at := n.Raw(), n.Pos()
	if !bytes.HasPrefix(data[at.Offset:], raw) || at.Line != 1+bytes.Count(data[:at.Offset], []byte("\n")) {
		t.Fatalf("%q is not at %+v of %q", raw, at, data)
	}
	again, err := jsontree.Parse(raw)
	require.NoError(t, err)
	if diff := cmp.Diff(n.Any(), again.Any()); diff != "" {
		t.Fatalf("reading %q again (-want +got):\n%s", raw, diff)
	}
	for i := range n.Items {
		item := &n.Items[i]
		if n.Kind == jsontree.Array {
			visit(t, root, item, jsontree.Index(path, i), data)
		} else {
			visit(t, root, item, jsontree.Join(path, item.Key), data)
		}
	}
}
