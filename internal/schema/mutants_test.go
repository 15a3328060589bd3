package schema_test

import (
	"encoding/json"
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
				if _, err = flag.Parse(text); !structural(err) {
					return
				}
				places, notJSON := refusals(t, text)
				require.NoError(t, notJSON)
				require.NotEmpty(t, places, "the schema accepts %s, but: %v", text, err)
			})
		})
	}
}

// mutate changes one value at a time, here and below, tries it, and changes it back.
func mutate(at *any, try func()) {
	was := *at
	for _, other := range []any{nil, true, -1, 100.5, "text", []any{}, []any{nil}, map[string]any{}} {
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
		for key, value := range was {
			here := value
			mutate(&here, func() {
				was[key] = here
				try()
			})
			was[key] = value
		}
		was["one field more"] = 1
		try()
		delete(was, "one field more")
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
