package flag_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestReplayBeyondWhatIsShown: a record has the attributes of all segments and flags that
// decided, also of those that are too many or too deep for its steps.
func TestReplayBeyondWhatIsShown(t *testing.T) {
	list := func(n int, format string) string {
		var all []string
		for i := range n {
			all = append(all, strings.NewReplacer("<i>", fmt.Sprint(i), "<next>", fmt.Sprint(i+1)).Replace(format))
		}
		return strings.Join(all, ", ")
	}
	attr := flag.Attr[int64]("beyond-69")
	for name, document := range map[string]string{
		"many segments": `{"flags": {"x": {"rules": [` + list(70, `{"if": {"segment": "s<i>"}, "serve": "on"}`) + `]}},
			"segments": {` + list(70, `"s<i>": {"if": {"attr": "beyond-<i>", "eq": 1}}`) + `}}`,
		"many flags": `{"flags": {"x": {"rules": [` + list(70, `{"if": {"flag": "f<i>", "serves": ["on"]}, "serve": "on"}`) + `]}, ` +
			list(70, `"f<i>": {"rules": [{"if": {"attr": "beyond-<i>", "eq": 1}, "serve": "on"}]}`) + `}}`,
		"deep segments": `{"flags": {"x": {"rules": [{"if": {"segment": "s0"}, "serve": "on"}]}},
			"segments": {` + list(69, `"s<i>": {"if": {"segment": "s<next>"}}`) + `, "s69": {"by": "beyond-69", "keys": ["1"]}}}`,
		"deep flags": `{"flags": {"x": {"when": {"flag": "f0", "serves": ["on"]}, "serve": "on"}, ` +
			list(69, `"f<i>": {"when": {"flag": "f<next>", "serves": ["on"]}, "serve": "on"}`) +
			`, "f69": {"rules": [{"if": {"attr": "beyond-69", "eq": 1}, "serve": "on"}]}}}`,
		"flags in segments": `{"flags": {"x": {"rules": [` + list(69, `{"if": {"segment": "s<i>"}, "serve": "off"}`) + `, {"if": {"segment": "s69"}, "serve": "on"}]},
			"f": {"rules": [{"if": {"attr": "beyond-69", "eq": 1}, "serve": "on"}]}}, "segments": {` + list(69, `"s<i>": {}`) + `, "s69": {"if": {"flag": "f", "serves": ["on"]}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, document)
			for _, subject := range []flag.Subject{flag.For("u", attr.Is(1)), flag.For("u", attr.Is(2)), flag.For("u")} {
				record := s.Explain("x", &subject)
				d := flag.ByKey("x", false).Decide(s, &subject)
				require.Equal(t, []any{d.Variant, d.Reason, d.Rule}, []any{record.Variant, record.Reason, record.Rule})
				require.Contains(t, fmt.Sprint(record.Attributes), "beyond-69")
				again, err := s.Snapshot().Replay(record)
				require.NoError(t, err)
				require.Equal(t, record, again)
				opened, deepest := 0, 0
				var walk func(steps []flag.Step, depth int)
				walk = func(steps []flag.Step, depth int) {
					for _, step := range steps {
						inside := depth
						if (step.What == "segment" || step.What == "flag") && step.Steps != nil {
							opened, inside = opened+1, depth+1
						}
						deepest = max(deepest, inside)
						walk(step.Steps, inside)
					}
				}
				walk(record.Steps, 0)
				require.LessOrEqual(t, opened, 64)
				require.LessOrEqual(t, deepest, 16)
			}
		})
	}
}
