package flag_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestExplainReads: what a tree says to people.
func TestExplainReads(t *testing.T) {
	country, plan, number := flag.Attr[string]("reads-country"), flag.Attr[string]("reads-plan"), flag.Attr[int64]("reads-tenant")
	store := load(t, `{
		"flags": {
			"reads-base": {"ramp": {"percent": 10}},
			"reads": {
				"when": {"time": {"from": "2026-12-01T08:00:00Z", "until": "2027-01-01T00:00:00Z"}},
				"targets": {"on": ["bert"]},
				"rules": [
					{"if": {"attr": "reads-country", "in": ["DE", "FR"]}, "serve": "on"},
					{"if": {"all": [{"not": {"attr": "reads-country", "eq": "SE"}}, {"attr": "reads-plan", "prefix": "pro"}, {"segment": "reads-testers"}, {"flag": "reads-base"}]}, "serve": "on"},
					{"if": {"attr": "reads-country", "exists": true}, "ramp": {"percent": 25, "by": "reads-tenant"}},
					{"if": {"attr": "reads-plan", "missing": true}, "serve": "off"}],
				"ramp": {"percent": 50}}},
		"segments": {"reads-testers": {"keys": ["carl"], "except": ["dora"], "if": {"segment": "reads-eu"}}, "reads-eu": {"if": {"attr": "reads-country", "eq": "SE"}}},
		"layers": {"page": {"holdout": 5, "flags": {"reads-base": [{"from": 0, "to": 40}], "reads": [{"from": 40, "to": 90}]}}}}`)
	read := func(subject flag.Subject) string { return "\n" + store.Explain("reads", &subject).String() }
	require.Equal(t, `
reads serves "on" to "dora" by ramp, at 2026-12-01T08:00:00Z
  ✓ when
    ✓ time from 2026-12-01T08:00:00Z until 2027-01-01T00:00:00Z
  ✗ targets (1 key): the key is none of them
  ✗ rules[0]
    ✗ reads-country is "SE", want one of ["DE" "FR"]
  ✗ rules[1]
    ✗ all of 4
      ✗ not
        ✓ reads-country is "SE", want other than "SE"
      ✗ reads-plan is "", want a string that begins with "pro"
      ✗ segment "reads-testers"
        ✗ keys (1 key): the key is not one of them
        ✓ except (1 key): the key is one of them
        ✓ segment "reads-eu"
          ✓ reads-country = "SE": reads-country is "SE"
      ✗ flag "reads-base" serves "on": it serves "off", want "on"
        ✗ ramp 10 %: the layer keeps the unit from it
          ✗ holdout 5 % of layer "page": slot 5,130 is not below 5,000 (5 %)
          ✗ layer "page", 0 % to 40 %: slot 80,646 is not in 0 to 40,000
        ✓ serve -> "off"
  ✗ rules[2]
    ✓ reads-country exists: reads-country is "SE"
    ✗ ramp 25 % by reads-tenant: slot 71,735 is not below 25,000 (25 %)
      ✗ holdout 5 % of layer "page": slot 5,130 is not below 5,000 (5 %)
      ✓ layer "page", 40 % to 90 %: slot 80,646 is in 40,000 to 90,000
  ✗ rules[3]
    ✗ reads-plan is "", want it missing
  ✓ ramp 50 %: slot 39,903 is below 50,000 (50 %) -> "on"
    ✗ holdout 5 % of layer "page": slot 5,130 is not below 5,000 (5 %)
    ✓ layer "page", 40 % to 90 %: slot 80,646 is in 40,000 to 90,000
  · serve: not reached
`, read(flag.For("dora", country.Is("SE"), plan.Is(""), number.Is(7)).At(launch)))
	require.Contains(t, read(flag.Subject{}.At(launch)), `
      ? attribute reads-plan is missing, want a string that begins with "pro"
      ? segment "reads-testers"
        ? keys (1 key): the subject has no key
        ? except (1 key): the subject has no key
        ? segment "reads-eu"
          ? attribute reads-country is missing, want "SE"
      ✗ flag "reads-base" serves "on": it serves "off", want "on"
        ? ramp 10 %: the subject has no unit in the layer
          ? holdout 5 % of layer "page": the subject has no key
          ? layer "page", 0 % to 40 %: the subject has no key
        ✓ serve -> "off"
  ✗ rules[2]
    ✗ attribute reads-country is missing, want any value
    · ramp 25 % by reads-tenant: not reached
  ✓ rules[3] -> "off"
    ✓ reads-plan missing
`)
	require.Equal(t, `
reads serves "off" to "bert" by when, at 2026-12-01T07:59:59.999999999Z
  ✗ when -> "off"
    ✗ time from 2026-12-01T08:00:00Z until 2027-01-01T00:00:00Z: it is not then, want from 2026-12-01T08:00:00Z until 2027-01-01T00:00:00Z
  · targets, rules[0] to rules[3], ramp, serve: not reached
`, read(flag.For("bert").At(launch.Add(-1))))
	change := flag.Change{Actor: "anna", Reason: "test"}
	require.NoError(t, store.SetRamp("reads", flag.Ramp{Share: flag.All}, change))
	subject := flag.For("dora", country.Is("SE"), plan.Is("x")).At(launch)
	require.Contains(t, store.Explain("reads", &subject).String(), "✓ ramp 100 %, set at run time: slot 39,903 is below 100,000 (100 %) -> \"on\"\n")
	require.NoError(t, store.Override("reads", "on", change))
	require.Equal(t, "reads serves \"on\" to \"dora\" by override, at 2026-12-01T08:00:00Z\n  ✓ override -> \"on\"\n  · when, targets, rules[0] to rules[3], ramp, serve: not reached\n",
		store.Explain("reads", &subject).String())
	require.NoError(t, store.Kill("reads", change))
	require.Equal(t, "  ✓ killed -> \"off\"", strings.Split(store.Explain("reads", &subject).String(), "\n")[1])
}

// TestExplainNothing: whatever is not there has its reason.
func TestExplainNothing(t *testing.T) {
	subject := flag.For("u")
	for _, e := range []flag.Explanation{(*flag.Store)(nil).Explain("x", &subject), new(flag.Store).Explain("x", &subject), (*flag.Set)(nil).Explain("x", &subject)} {
		require.Equal(t, flag.Explanation{Flag: "x", Key: "u", Reason: flag.ReasonNoDocument, Rule: -1, Slot: -1}, e)
		require.Equal(t, "x serves the caller's default to \"u\" by no document\n", e.String())
	}
	require.Equal(t, flag.ReasonUnknownFlag, new(flag.Set).Explain("x", nil).Reason)
	require.NotEmpty(t, new(flag.Set).Hash())
	require.Empty(t, (*flag.Set)(nil).Hash())
	broken := flag.New(flag.Bytes([]byte(`{"flags": {"explain-broken": {"serve": "nope"}}}`)), flag.Options{OnLoad: func(flag.LoadInfo) {}})
	require.Error(t, broken.Load(t.Context()))
	require.Equal(t, flag.ReasonQuarantined, broken.Explain("explain-broken", &subject).Reason)
	require.Equal(t, "invalid", flag.Truth(9).String())
	_, err := (*flag.Set)(nil).Replay(broken.Explain("explain-broken", nil))
	require.NoError(t, err)
	replay, err := (*flag.Set)(nil).Replay(flag.Explanation{})
	require.EqualError(t, err, "flag: replay : found no decision, want what Explain returned or what was read from JSON")
	require.Zero(t, replay)
}

// TestExplainDoesNotCount, and asks no clock that the flag does not.
func TestExplainDoesNotCount(t *testing.T) {
	store := load(t, `{"flags": {"explain-counts": {}, "explain-clock": {"when": {"time": {"from": "2000-01-01T00:00:00Z"}}, "serve": "on"}}}`)
	subject := flag.For("u")
	require.Zero(t, store.Explain("explain-counts", &subject).At)
	status, err := store.Status("explain-counts")
	require.NoError(t, err)
	require.Nil(t, status.Counts)
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		e := store.Explain("explain-clock", &subject)
		require.True(t, now.Equal(e.At), "%v", e.At)
		time.Sleep(24 * time.Hour)
		require.False(t, now.Equal(store.Explain("explain-clock", &subject).At))
	})
}

// TestRedact: no hidden value is in a redacted explanation, of whatever kind and
// wherever it was seen.
func TestRedact(t *testing.T) {
	facts := map[string]struct {
		fact   flag.Fact
		hidden []string
	}{
		"string": {flag.Attr[string]("redact-string").Is("secret-tale"), []string{"secret-tale"}},
		"bytes":  {flag.Attr[string]("redact-string").Is("\xffsecret"), []string{`\xffsecret`, "/3NlY3JldA", "secret"}},
		"int":    {flag.Attr[int64]("redact-number").Is(7_777_771), []string{"7777771"}},
		"uint":   {flag.Attr[uint64]("redact-number").Is(math.MaxUint64 - 4), []string{"18446744073709551611"}},
		"float":  {flag.Attr[float64]("redact-number").Is(7.7727), []string{"7.7727"}},
		"bool":   {flag.Attr[bool]("redact-bool").Is(true), []string{`is true`, `"value":true`}},
		"time":   {flag.Attr[time.Time]("redact-time").Is(time.Date(2019, 7, 7, 7, 7, 7, 0, time.UTC)), []string{"2019-07"}},
		"list":   {flag.Attr[[]string]("redact-list").Is([]string{"secret-one", "secret-two"}), []string{"secret-one", "secret-two"}},
	}
	for kind, tt := range facts {
		name := map[string]string{"bytes": "redact-string", "int": "redact-number", "uint": "redact-number", "float": "redact-number"}[kind]
		if name == "" {
			name = "redact-" + kind
		}
		var rules []string
		for _, condition := range []string{`"eq": "x"`, `"in": ["x", "y"]`, `"eq": 1`, `"eq": false`, `"lt": 1`, `"gt": 1e30`, `"prefix": "x"`, `"suffix": "x"`, `"contains": "x", "fold": true`, `"matches": "^x"`,
			`"semver": "^1"`, `"before": "2001-01-01T00:00:00Z"`, `"after": "2101-01-01T00:00:00Z"`, `"cidr": ["10.0.0.0/8"]`, `"missing": true`} {
			rules = append(rules, `{"if": {"any": [{"attr": "`+name+`", `+condition+`}, {"all": [{"attr": "`+name+`", "exists": true}, {"not": {"attr": "`+name+`", "exists": true}}]}]}, "serve": "on"}`)
		}
		rules = append(rules, `{"if": {"segment": "redact-segment"}, "ramp": {"percent": 1, "by": "`+name+`"}}`, `{"if": {"flag": "redact-base"}, "serve": "on"}`)
		store := load(t, `{"flags": {"redact-base": {"split": {"by": "`+name+`", "parts": [{"serve": "off", "percent": 100}]}}, "redact": {"targets": {"off": ["no-such-key"]}, "rules": [`+strings.Join(rules, ",")+`]}},
			"segments": {"redact-segment": {"by": "`+name+`", "keys": ["a"], "except": ["b"], "if": {"all": []}}}, "layers": {"l": {"by": "`+name+`", "holdout": 1, "flags": {"redact": [{"from": 1, "to": 2}]}}}}`)
		subject := flag.For("secret-key", tt.fact)
		e := store.Explain("redact", &subject)
		require.Equal(t, flag.ReasonServe, e.Reason, "every rule is tried: %v", e)
		texts := func(e flag.Explanation) string {
			data, err := json.Marshal(e)
			require.NoError(t, err)
			var read flag.Explanation
			require.NoError(t, json.Unmarshal(data, &read))
			require.Equal(t, e, read)
			return e.String() + string(data)
		}
		open := texts(e)
		require.Contains(t, open, "secret-key")
		hidden := e.Redact("redact-other")
		closed := texts(hidden)
		require.NotContains(t, closed, "secret-key")
		require.NotContains(t, closed, "key\":", kind)
		for i, value := range tt.hidden {
			if i == 0 {
				require.Contains(t, open, value, kind)
			}
			require.NotContains(t, closed, value, kind)
		}
		require.Contains(t, closed, name+" is hidden")
		require.Equal(t, open, texts(e), "the original stays")
		kept := e.Redact("redact-other", name)
		require.Equal(t, e.Attributes, kept.Attributes)
		require.NotContains(t, texts(kept), "secret-key")
		for _, redacted := range []flag.Explanation{hidden, kept} {
			require.Zero(t, redacted.Unit)
			_, err := (*flag.Set)(nil).Replay(redacted)
			require.EqualError(t, err, "flag: replay redact: found a record that was redacted, want one with its key and all its values")
		}
		hidden.Unit = e.Unit
		require.True(t, e.Same(hidden), "the outcome stays")
	}
	unit := flag.For("secret-key")
	e := load(t, `{"flags": {"redact-unit": {"ramp": {"percent": 50}}}}`).Explain("redact-unit", &unit)
	require.NotZero(t, e.Unit)
	hidden := e.Redact()
	require.Zero(t, hidden.Unit, "who guesses the key could check it")
	require.Zero(t, hidden.Steps[0].Draw.Unit)
	require.Equal(t, e.Steps[0].Why(), hidden.Steps[0].Why())
}

// TestExplainConcurrently: explanations share what they make, while flags change.
func TestExplainConcurrently(t *testing.T) {
	store := load(t, `{"flags": {"concurrent-a": {"rules": [{"if": {"segment": "s"}, "serve": "on"}]}, "concurrent-b": {"when": {"flag": "concurrent-a"}, "ramp": {"percent": 50}}}, "segments": {"s": {"keys": ["u"], "if": {"attr": "concurrent", "eq": 1}}}}`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			subject := flag.For("u")
			for i := range 200 {
				e := store.Explain("concurrent-b", &subject)
				if e.Reason != flag.ReasonRamp || len(e.Steps) < 2 || len(e.Steps[0].Steps[0].Steps) == 0 {
					t.Errorf("found %v", e)
					return
				}
				if err := store.SetRamp("concurrent-b", flag.Ramp{Share: flag.Share(i)}, flag.Change{Actor: "anna", Reason: "test"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestExplainOpensNotEverything: what is not opened up any more has the right answer all
// the same.
func TestExplainOpensNotEverything(t *testing.T) {
	flags, segments := []string{`"deep-0": {"serve": "on"}`}, []string{`"s0": {"if": {"attr": "deep", "eq": 1}}`, `"none": {"if": {"attr": "deep", "eq": 2}}`}
	for i := range 100 {
		flags = append(flags, fmt.Sprintf(`"deep-%d": {"when": {"all": [{"flag": "deep-0"}, {"not": {"flag": "deep-0", "serves": ["off"]}}, {"flag": "deep-%d", "serves": ["on"]}, {"segment": "s%d"}, {"segment": "s0"}, {"not": {"segment": "none"}}]}, "serve": "on"}`, i+1, i, i))
		segments = append(segments, fmt.Sprintf(`"s%d": {"if": {"segment": "s%d"}}`, i+1, i))
	}
	var every []string
	for i := range 100 {
		every = append(every, fmt.Sprintf(`{"segment": "s%d"}`, i))
	}
	flags = append(flags, `"deep-wide": {"when": {"all": [`+strings.Join(every, ",")+`]}, "serve": "on"}`)
	set := compiled(t, `{"flags": {`+strings.Join(flags, ",")+`}, "segments": {`+strings.Join(segments, ",")+`}}`)
	for _, key := range []string{"deep-15", "deep-100", "deep-wide"} {
		for n, want := range map[int64]flag.Truth{1: flag.TruthTrue, 2: flag.TruthFalse} {
			subject := flag.For("u", flag.Attr[int64]("deep").Is(n))
			e := set.Explain(key, &subject)
			require.Equal(t, want, e.Steps[0].Is, "%v", e)
			require.Equal(t, want == flag.TruthTrue, e.Variant == "on")
			for _, s := range e.Steps[0].Steps[0].Steps {
				require.NotEqual(t, flag.TruthUnknown, s.Is)
			}
			require.Less(t, len(e.String()), 100_000)
			replayed(t, set, e)
		}
	}
}
