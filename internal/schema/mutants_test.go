package schema_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestMutants: put anything in the place of anything in an accepted document, or
// give an object one field more; where reading refuses that, the schema does.
func TestMutants(t *testing.T) {
	for _, tt := range accepted {
		t.Run(tt.name, func(t *testing.T) {
			var document any
			require.NoError(t, json.Unmarshal(tt.where.document(tt.snippet), &document))
			mutate(&document, func() {
				text, err := json.Marshal(document)
				require.NoError(t, err)
				places, notJSON := refusals(t, text)
				require.NoError(t, notJSON)
				if _, err = flag.Parse(text); structural(err) {
					require.NotEmpty(t, places, "the schema accepts %s, but: %v", text, err)
				}
				if len(places) > 0 {
					require.False(t, valid(text), "only the schema refuses %s at %v", text, places)
				}
			})
		})
	}
}

// mutate changes one value at a time, here and below, tries it, and changes it back.
func mutate(at *any, try func()) {
	was := *at
	for _, other := range []any{nil, true, false, -1, 0, 100.5, "", "text", []any{}, []any{nil}, map[string]any{}} {
		*at = other
		try()
	}
	*at = was
	switch was := was.(type) {
	case []any:
		for i := range was {
			mutate(&was[i], try)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(was)) {
			value := was[key]
			here := value
			mutate(&here, func() {
				was[key] = here
				try()
			})
			delete(was, key)
			try()
			was[key] = value
		}
		for _, more := range []string{
			"one field more", "serve", "percent", "fold", "prefix", "exists", "segment", "not",
			"body", "json", "value", "arrays", "absent", "count", "status", "within",
		} {
			if _, there := was[more]; there {
				continue
			}
			for _, other := range []any{nil, 0, false, "", []any{}} {
				was[more] = other
				try()
			}
			delete(was, more)
		}
	}
}

// TestOperatorsWantAttr: no operator stands alone or beside another form.
func TestOperatorsWantAttr(t *testing.T) {
	for _, tt := range accepted {
		operator, ok := strings.CutPrefix(tt.snippet, `{"attr": "a", `)
		if !ok {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			for _, snippet := range []string{"{" + operator, `{"segment": "s", ` + operator} {
				places, err := refusals(t, condition.document(snippet))
				require.NoError(t, err)
				require.Equal(t, []string{condition.at}, places, snippet)
			}
		})
	}
}
