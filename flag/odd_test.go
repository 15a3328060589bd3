package flag_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestOddSubjects: whatever a subject is, every condition and every ramp has an answer,
// the same in each entrance, and it is the caller's default or a variant.
func TestOddSubjects(t *testing.T) {
	huge := strings.Repeat("ÅSE1.2.3", 1<<17) // 1 MiB and more
	values := map[string]func(name string) flag.Fact{
		"NaN": func(n string) flag.Fact { return flag.Attr[float64](n).Is(math.NaN()) }, "+Inf": func(n string) flag.Fact { return flag.Attr[float64](n).Is(math.Inf(1)) },
		"-Inf": func(n string) flag.Fact { return flag.Attr[float32](n).Is(float32(math.Inf(-1))) }, "-0": func(n string) flag.Fact { return flag.Attr[float64](n).Is(math.Copysign(0, -1)) },
		"max": func(n string) flag.Fact { return flag.Attr[uint64](n).Is(math.MaxUint64) }, "min": func(n string) flag.Fact { return flag.Attr[int64](n).Is(math.MinInt64) },
		"huge": func(n string) flag.Fact { return flag.Attr[string](n).Is(huge) }, "no UTF-8": func(n string) flag.Fact { return flag.Attr[string](n).Is("\xff\x00\xed\xa0\x80") },
		"empty": func(n string) flag.Fact { return flag.Attr[string](n).Is("") }, "zero time": func(n string) flag.Fact { return flag.Attr[time.Time](n).Is(time.Time{}) },
		"far": func(n string) flag.Fact {
			return flag.Attr[time.Time](n).Is(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC))
		},
		"nil list": func(n string) flag.Fact { return flag.Attr[[]string](n).Is(nil) }, "list": func(n string) flag.Fact { return flag.Attr[[]string](n).Is([]string{"", huge, "\xff"}) },
		"true": func(n string) flag.Fact { return flag.Attr[bool](n).Is(true) }, "zero fact": func(string) flag.Fact { return flag.Fact{} },
	}
	conditions := []string{
		`"eq": "SE"`, `"eq": 7`, `"eq": 0`, `"eq": true`, `"in": ["SE", "NO"]`, `"in": [1, 2.5]`, `"lt": 0`, `"ge": 1e300`, `"prefix": "å", "fold": true`, `"suffix": "3"`,
		`"contains": "se1", "fold": true`, `"matches": "(ÅSE)+[0-9.]*$"`, `"semver": ">=1.0.0"`, `"before": "2026-01-01T00:00:00Z"`, `"cidr": ["::/0"]`, `"exists": true`, `"missing": true`,
	}
	var rules []string
	for _, c := range conditions {
		rules = append(rules, `{"if": {"not": {"not": {"attr": "odd", `+c+`}}}, "ramp": {"percent": 50, "by": "odd"}}`, `{"if": {"attr": "odd", `+c+`}, "serve": "on"}`)
	}
	document := `{"flags": {"odd-flag": {"rules": [%s], "ramp": {"percent": 50, "by": "odd"}}}}`
	keys := []string{"", "u", huge, "\xff"}
	for _, rule := range append(rules, strings.Join(rules, ",")) {
		store, odd := load(t, fmt.Sprintf(document, rule)), flag.ByKey("odd-flag", true)
		for name, fact := range values {
			for i, key := range keys {
				if i > 0 && len(rule) < 1000 {
					break // the other keys for all rules at once
				}
				subject := flag.For(key, fact("odd"))
				d := odd.Decide(store, &subject)
				require.Contains(t, []string{"on", "off"}, d.Variant, "%s, %s", name, rule)
				require.Equal(t, d.Value, odd.Value(store, &subject), "%s, %s", name, rule)
				require.Equal(t, d.Value, odd.From(store.View(subject)), "%s, %s", name, rule)
			}
		}
	}
}

// TestHugeSegment: a segment may list 100 000 keys.
func TestHugeSegment(t *testing.T) {
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprint("member-", i)
	}
	text, err := json.Marshal(flag.Document{
		Flags:    map[string]flag.FeatureFlag{"huge-segment": {Rules: []flag.Rule{{If: flag.Condition{Segment: "members"}, Serve: "on"}}}},
		Segments: map[string]flag.Segment{"members": {Keys: keys}},
	})
	require.NoError(t, err)
	store, on := load(t, string(text)), flag.ByKey("huge-segment", false)
	for i := range keys {
		in, out := flag.For(keys[i]), flag.For(fmt.Sprint("other-", i))
		if !on.Value(store, &in) || on.Value(store, &out) {
			t.Fatalf("key %d: in %v, out %v", i, on.Value(store, &in), on.Value(store, &out))
		}
	}
}
