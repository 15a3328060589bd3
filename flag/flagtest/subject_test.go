package flagtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/stretchr/testify/require"
)

func TestSubjectIn(t *testing.T) {
	doc, err := flag.Parse([]byte(`{"flags": {
		"ramp": {"ramp": {"percent": 0.01}},
		"all": {"ramp": {"percent": 100}},
		"rule": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "ramp": {"percent": 5}}]},
		"rules": {"rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "on"}, {"if": {"not": {"attr": "country", "exists": true}}, "serve": "off"}]},
		"target": {"targets": {"on": ["staff"]}},
		"later": {"ramp": {"percent": 0, "schedule": [{"at": "2200-11-30T00:00:00Z", "percent": 5}]}},
		"wait": {"ramp": {"percent": 0}},
		"split": {"variants": {"a": 1, "b": 2}, "split": {"parts": [{"serve": "a", "percent": 99}, {"serve": "b", "percent": 1}]}}
	}}`))
	require.NoError(t, err)
	set, err := flag.Compile(doc)
	require.NoError(t, err)
	later := flagtest.AsOf(set, time.Date(2200, time.December, 1, 0, 0, 0, 0, time.UTC))
	sweden := Country.Is("SE")
	tests := []struct {
		name, key, variant string
		flags              flagtest.Flags
		facts              []flag.Fact
		want               string
	}{
		{"in a ramp", "ramp", "on", set, nil, ""},
		{"out of a ramp", "ramp", "off", set, nil, ""},
		{"without a key", "all", "off", set, nil, ""},
		{"by a fact", "rule", "on", set, []flag.Fact{sweden}, ""},
		{"later", "later", "on", later, nil, ""},
		{"in a split", "split", "b", set, nil, ""},
		{"the caller's default", "split", "", set, nil, ""},
		{"no flag", "nowhere", "on", set, nil, `a subject in "on" of "nowhere": there is no such flag`},
		{"no store", "ramp", "on", (*flag.Store)(nil), nil, `a subject in "on" of "ramp": there is no such flag`},
		{"no variant", "ramp", "blue", set, nil, `a subject in "blue" of "ramp": the flag can serve ["off" "on"] alone`},
		{"too early", "later", "on", set, nil, `a subject in "on" of "later": none of 1000001 with these facts, but 1 in "off" by no unit, 1000000 in "off" by ramp`},
		{"without the fact", "rule", "on", set, nil, `a subject in "on" of "rule": none of 1000001 with these facts, but 1000001 in "off" by serve`},
		{"by rules", "rules", "on", set, nil, `a subject in "on" of "rules": none of 1000001 with these facts, but 1000001 in "off" by rule 1`},
		{"a target", "target", "on", set, nil, `a subject in "on" of "target": none of 1000001 with these facts, but 1000001 in "off" by serve`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if testing.Short() && strings.Contains(tt.want, "1000001") {
				t.Skip("a million subjects")
			}
			t.Parallel()
			failures := judge(t, func(t testing.TB) {
				subject := flagtest.SubjectIn(t, tt.flags, tt.key, tt.variant, tt.facts...)
				require.Equal(t, tt.variant, flag.ByKey[any](tt.key, nil).DecideFrom(tt.flags.View(subject)).Variant)
				require.Equal(t, subject, flagtest.SubjectIn(t, tt.flags, tt.key, tt.variant, tt.facts...), "always the same")
			})
			require.Equal(t, tt.want, strings.Join(failures, "\n"))
		})
	}

	store := load(t, shop)
	on, off := flagtest.SubjectIn(t, store, "new-checkout", "on"), flagtest.SubjectIn(t, store, "new-checkout", "off")
	require.True(t, NewCheckout.Value(store, &on))
	require.False(t, NewCheckout.Value(store, &off))
	dark := flagtest.SubjectIn(t, flagtest.AsOf(store, monday), "theme", "dark")
	require.Equal(t, "black", Theme.From(flagtest.AsOf(store, monday).View(dark)))
	require.Equal(t, "plain", Theme.From(flagtest.AsOf(store, monday.Add(-1)).View(dark)))

	quiet := flag.New(flag.Bytes([]byte(shop)), flag.Options{OnExposure: func(flag.ExposureInfo) { t.Error("to look for a subject is no exposure") }})
	require.NoError(t, quiet.Load(t.Context()))
	flagtest.SubjectIn(t, flagtest.AsOf(quiet, monday), "new-checkout", "on")
	flagtest.SubjectIn(t, quiet.Snapshot(), "new-checkout", "on")
	flagtest.SubjectIn(t, flagtest.AsOf(quiet.Snapshot(), monday), "theme", "dark")
	status, err := quiet.Status("new-checkout")
	require.NoError(t, err)
	require.Empty(t, status.Counts, "nor counted")
}
