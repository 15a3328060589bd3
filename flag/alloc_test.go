package flag_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestNothingAllocates: no condition allocates, whatever it is about and whatever the
// subject is, and neither does building a subject.
func TestNothingAllocates(t *testing.T) {
	text, when, tags, n := flag.Attr[string]("alloc-text"), flag.Attr[time.Time]("alloc-when"), flag.Attr[[]string]("alloc-tags"), flag.Attr[float64]("alloc-n")
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`"value-%d"`, i))
	}
	list := strings.Join(many, ", ")
	conditions := []string{
		`{"attr": "A", "eq": "x"}`, `{"attr": "A", "eq": "x", "fold": true}`, `{"attr": "A", "in": [` + list + `]}`, `{"attr": "A", "in": [` + list + `], "fold": true}`,
		`{"attr": "A", "prefix": "x"}`, `{"attr": "A", "suffix": "x", "fold": true}`, `{"attr": "A", "contains": "x", "fold": true}`, `{"attr": "A", "matches": "^x+y$"}`,
		`{"attr": "A", "semver": "^1.2"}`, `{"attr": "A", "before": "2026-01-01T00:00:00Z"}`, `{"attr": "A", "cidr": ["10.0.0.0/8", "2001:db8::/32"]}`,
		`{"attr": "A", "lt": 1.5}`, `{"attr": "A", "ge": 18446744073709551615}`, `{"attr": "A", "exists": true}`, `{"segment": "s"}`,
		`{"flag": "alloc-base"}`, `{"time": {"from": "2026-01-01T00:00:00Z"}}`,
	}
	ramps := []string{`"serve": "on"`, `"ramp": {"percent": 50, "by": "A"}`, `"split": {"by": "A", "parts": [{"serve": "on", "percent": 50}, {"serve": "off", "percent": 50}]}`,
		`"ramp": {"percent": 0, "schedule": [{"at": "2026-01-01T00:00:00Z", "percent": 50}, {"at": "2100-01-01T00:00:00Z", "percent": 60}], "linear": true}`}
	values := []string{"", "x", "1.2.3-rc.1", "no version, no time, no address", "2025-01-01T00:00:00Z", "10.1.2.3", "::ffff:10.1.2.3", "1.2.3.4.5", "fe80::1%eth0", "\xff", strings.Repeat("ab", 1000)}
	on := flag.Bool("alloc", false)
	for _, name := range []string{"alloc-text", "alloc-when", "alloc-tags", "alloc-n"} {
		for i, condition := range conditions {
			condition = strings.ReplaceAll(`{"any": [{"not": `+condition+`}, `+condition+`]}`, `"A"`, `"`+name+`"`)
			ramp := strings.ReplaceAll(ramps[i%len(ramps)], `"A"`, `"`+name+`"`)
			store := load(t, `{"flags": {"alloc-base": {"ramp": {"percent": 50}}, "alloc": {"rules": [{"if": `+condition+`, `+ramp+`}]}},
				"segments": {"s": {"by": "`+name+`", "keys": [`+list+`], "if": {"attr": "`+name+`", "eq": "y"}}}}`)
			for _, value := range values {
				elements := []string{value, "y"}
				evaluate := func() {
					subject := flag.For("u", text.Is(value), when.Is(time.Unix(1, 0)), tags.Is(elements), n.Is(1.25), country.Is(value), age.Is(7))
					on.Value(store, &subject)
					on.Decide(store, &subject)
				}
				evaluate() // the first makes the counters, and package regexp its machines
				if allocs := testing.AllocsPerRun(20, evaluate); allocs > 0 {
					t.Errorf("%s of %q: %v allocations", condition, value, allocs)
				}
			}
		}
	}
}

// TestNobodyPanics: the nil and the zero of everything gives the default.
func TestNobodyPanics(t *testing.T) {
	store := load(t, `{"flags": {"nobody": {"targets": {"on": ["x"]}, "rules": [{"if": {"attr": "country", "eq": "SE"}, "split": {"parts": [{"serve": "on", "percent": 100}]}}], "ramp": {"percent": 100}}}}`)
	on := flag.Bool("nobody", false)
	var none *flag.Store
	var zero flag.Subject
	var unset flag.Attribute[string]
	fact := flag.For("u", flag.Fact{}, unset.Is("x"))
	for _, s := range []*flag.Store{store, none, {}} {
		for _, subject := range []*flag.Subject{nil, &zero} {
			require.False(t, on.Value(s, subject))
			require.False(t, on.Decide(s, subject).Value)
			require.False(t, flag.ByKey("nobody", false).Value(s, subject))
			require.Zero(t, flag.Ref[int64]{}.Value(s, subject))
			require.Zero(t, flag.Ref[int64]{}.Decide(s, subject).Value)
		}
		require.Equal(t, s == store, on.Value(s, &fact))
	}
	for _, s := range []*flag.Store{none, {}} {
		require.Error(t, s.Load(t.Context()))
		require.Error(t, s.Run(t.Context()))
		require.NoError(t, s.Err())
		for range s.All() {
			t.Error("a flag of no document")
		}
	}
	require.False(t, on.From(nil))
	require.False(t, on.On(t.Context()))
	require.True(t, on.From(on.Override(nil, true)))
}
