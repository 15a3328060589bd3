package jsontree_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// wanting has every sort of field with a tag of its own.
type wanting struct {
	Must   int            `json:"must" want:"a number"`
	May    *string        `json:"may,omitempty" want:"a text"`
	Any    any            `json:"any,omitempty" want:"anything else"`
	At     time.Time      `json:"at,omitzero" want:"a time"`
	Alone  int            `json:"alone,omitempty" want:"none beside map" if:"map"`
	Beside bool           `json:"beside,omitempty" want:"it beside any or may" unless:"any may"`
	Map    map[string]int `json:"map,omitempty"`
}

func TestUnmarshalWants(t *testing.T) {
	long := strings.Repeat("k", jsontree.MaxKey+1)
	tests := []struct {
		text string
		want []string
	}{
		{`{"must":0}`, nil},
		{`{"must":0,"alone":0}`, nil},
		{`{"must":0,"alone":1,"map":{}}`, nil},
		{`{"must":0,"any":"","beside":false}`, nil},
		{`{"must":0,"beside":true,"may":""}`, nil},
		{`{"must":0,"map":{"` + long[1:] + `":1}}`, nil},
		{` {}`, []string{`must (line 1, column 2): missing, want a number`}},
		{`{"mst":1}`, []string{`mst (line 1, column 2): unknown field, did you mean "must"?`}},
		{`{"must":null}`, []string{`must (line 1, column 9): found null, want a whole number`}},
		{`{"must":0,"may":null,"any":null,"at":"0001-01-01T01:00:00+01:00"}`, []string{
			`may (line 1, column 17): found null, want a text`,
			`any (line 1, column 28): found null, want anything else`,
			`at (line 1, column 38): found string "0001-01-01T01:00:00+01:00", want a time`,
		}},
		{`{"must":0,"at":"x"}`, []string{`at (line 1, column 16): found string "x", want a time like "2026-12-01T08:00:00Z"`}},
		{`{"must":0,"alone":0,"map":{}}`, []string{`alone (line 1, column 19): found number 0, want none beside map`}},
		{`{"must":0,"beside":false}`, []string{`beside (line 1, column 20): found false, want it beside any or may`}},
		{`{"must":0,"map":{"` + long + `":"not looked at","b":"x"}}`, []string{
			`map.` + long + ` (line 1, column 18): found 257 bytes, want at most 256`,
			`map.b (line 1, column 298): found string "x", want a whole number`,
		}},
	}
	for _, tt := range tests {
		var got wanting
		if diff := cmp.Diff(tt.want, lines(jsontree.Unmarshal([]byte(tt.text), &got))); diff != "" {
			t.Errorf("Unmarshal(%s) (-want +got):\n%s", tt.text, diff)
		}
	}
}
