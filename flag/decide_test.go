package flag_test

import (
	"crypto/rand"
	"math"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var (
	country = flag.Attr[string]("country")
	age     = flag.Attr[int]("age")
	score   = flag.Attr[float64]("score")
	serial  = flag.Attr[uint64]("serial")
	staff   = flag.Attr[bool]("staff")
)

func TestConditions(t *testing.T) {
	nobody := flag.For("u")
	tests := []struct {
		name      string
		condition string
		subject   flag.Subject
		want      bool
	}{
		{"equal", `{"attr": "country", "eq": "SE"}`, flag.For("u", country.Is("SE")), true},
		{"not equal", `{"attr": "country", "eq": "SE"}`, flag.For("u", country.Is("se")), false},
		{"one of", `{"attr": "country", "in": ["NO", "SE"]}`, flag.For("u", country.Is("SE")), true},
		{"none of", `{"attr": "country", "in": ["NO", "DK"]}`, flag.For("u", country.Is("SE")), false},
		{"the last fact wins", `{"attr": "country", "eq": "SE"}`, flag.For("u", country.Is("NO"), country.Is("SE")), true},
		{"the last fact wins beyond the sixth", `{"attr": "country", "eq": "SE"}`, flag.For("u", age.Is(1), age.Is(2), age.Is(3), age.Is(4), age.Is(5), age.Is(6), country.Is("NO"), country.Is("SE")), true},
		{"the seventh fact counts", `{"attr": "staff", "eq": true}`, flag.For("u", age.Is(1), age.Is(2), age.Is(3), age.Is(4), age.Is(5), age.Is(6), staff.Is(true)), true},
		{"the empty string is a value", `{"attr": "country", "eq": ""}`, flag.For("u", country.Is("")), true},
		{"false is a value", `{"attr": "staff", "eq": false}`, flag.For("u", staff.Is(false)), true},

		{"missing is unknown", `{"attr": "country", "eq": "SE"}`, nobody, false},
		{"not missing is unknown", `{"not": {"attr": "country", "eq": "SE"}}`, nobody, false},
		{"another kind is unknown", `{"not": {"attr": "age", "eq": "7"}}`, flag.For("u", age.Is(7)), false},
		{"not false is true", `{"not": {"attr": "country", "eq": "SE"}}`, flag.For("u", country.Is("NO")), true},
		{"true or unknown", `{"any": [{"attr": "age", "eq": 7}, {"attr": "country", "eq": "SE"}]}`, flag.For("u", age.Is(7)), true},
		{"false or unknown, negated", `{"not": {"any": [{"attr": "age", "eq": 7}, {"attr": "country", "eq": "SE"}]}}`, flag.For("u", age.Is(8)), false},
		{"false and unknown, negated", `{"not": {"all": [{"attr": "age", "eq": 7}, {"attr": "country", "eq": "SE"}]}}`, flag.For("u", age.Is(8)), true},
		{"true and unknown", `{"all": [{"attr": "age", "eq": 7}, {"attr": "country", "eq": "SE"}]}`, flag.For("u", age.Is(7)), false},
		{"every one", `{"all": [{"attr": "age", "eq": 7}, {"attr": "country", "eq": "SE"}]}`, flag.For("u", age.Is(7), country.Is("SE")), true},
		{"empty all", `{"all": []}`, nobody, true},
		{"empty any", `{"any": []}`, nobody, false},

		{"one numeric kind", `{"attr": "score", "eq": 7}`, flag.For("u", score.Is(7)), true},
		{"however it is written", `{"attr": "age", "eq": 7.0e0}`, flag.For("u", age.Is(7)), true},
		{"exact beyond 2^53", `{"attr": "serial", "eq": 9007199254740993}`, flag.For("u", serial.Is(9007199254740992)), false},
		{"exact beyond 2^63", `{"attr": "serial", "eq": 18446744073709551615}`, flag.For("u", serial.Is(math.MaxUint64)), true},
		{"exact with a fraction of zero", `{"attr": "serial", "in": [9007199254740993.0]}`, flag.For("u", serial.Is(9007199254740993)), true},
		{"exact with an exponent", `{"attr": "serial", "eq": 9.007199254740993e15}`, flag.For("u", serial.Is(9007199254740992)), false},
		{"-2^63 as a float", `{"attr": "score", "eq": -9223372036854775808}`, flag.For("u", score.Is(-1<<63)), true},
		{"2^63 as a float", `{"attr": "score", "eq": 9223372036854775808}`, flag.For("u", score.Is(1<<63)), true},
		{"2^64 as a float", `{"attr": "score", "eq": 18446744073709551616}`, flag.For("u", score.Is(1<<64)), true},
		{"2^64 is not 2^63", `{"attr": "score", "eq": 9223372036854775808}`, flag.For("u", score.Is(1<<64)), false},
		{"almost nothing is not nothing", `{"attr": "age", "eq": 1e-400}`, flag.For("u", age.Is(0)), false},
		{"almost one is not one", `{"attr": "age", "eq": 1.00000000000000000001}`, flag.For("u", age.Is(1)), false},
		{"fractions", `{"attr": "score", "in": [0.1, 0.5]}`, flag.For("u", score.Is(0.1)), true},
		{"NaN says nothing", `{"not": {"attr": "score", "eq": 7}}`, flag.For("u", score.Is(math.NaN())), false},
		{"infinity is a number", `{"not": {"attr": "score", "eq": 7}}`, flag.For("u", score.Is(math.Inf(1))), true},
		{"minus zero", `{"attr": "score", "eq": 0}`, flag.For("u", score.Is(math.Copysign(0, -1))), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := load(t, `{"flags": {"condition": {"rules": [{"if": `+tt.condition+`, "serve": "on"}]}}}`)
			require.Equal(t, tt.want, flag.Bool("condition", false).Value(store, &tt.subject))
		})
	}
}

func TestOrderOfDecision(t *testing.T) {
	const rules = `"rules": [
		{"if": {"attr": "country", "eq": "SE"}, "serve": "on"},
		{"if": {"attr": "country", "eq": "NO"}, "ramp": {"percent": 100}},
		{"if": {"attr": "country", "in": ["NO", "DK"]}, "ramp": {"percent": 0}}]`
	me := flag.Change{Actor: "me", Reason: "test"}
	tests := []struct {
		name     string
		document string
		change   func(*flag.Store) error
		subject  flag.Subject
		want     flag.Decision[bool]
	}{
		{"a flag that is not there", `{"flags": {}}`, nil, flag.For("u"), flag.Decision[bool]{Value: true, Reason: flag.ReasonUnknownFlag, Rule: -1}},
		{"nothing said", `{"flags": {"order": {}}}`, nil, flag.For("u"), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonServe, Rule: -1}},
		{"serve", `{"flags": {"order": {"serve": "on"}}}`, nil, flag.For("u"), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonServe, Rule: -1}},
		{"ramp, in", `{"flags": {"order": {"ramp": {"percent": 100}}}}`, nil, flag.For("u"), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonRamp, Rule: -1, Ramp: flag.All}},
		{"ramp, out", `{"flags": {"order": {"ramp": {"percent": 0}}}}`, nil, flag.For("u"), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonRamp, Rule: -1}},
		{"ramp without a unit", `{"flags": {"order": {"ramp": {"percent": 100}}}}`, nil, flag.For(""), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonNoUnit, Rule: -1}},
		{"a rule before the ramp", `{"flags": {"order": {"ramp": {"percent": 0}, ` + rules + `}}}`, nil, flag.For("u", country.Is("SE")), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonRule, Rule: 0}},
		{"a rule's ramp", `{"flags": {"order": {` + rules + `}}}`, nil, flag.For("u", country.Is("NO")), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonRule, Rule: 1, Ramp: flag.All}},
		{"a rule's ramp leaves the rest to what follows", `{"flags": {"order": {"ramp": {"percent": 100}, ` + rules + `}}}`, nil, flag.For("u", country.Is("DK")), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonRamp, Rule: -1, Ramp: flag.All}},
		{"a rule's ramp without a unit", `{"flags": {"order": {` + rules + `}}}`, nil, flag.For("", country.Is("NO")), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonServe, Rule: -1}},
		{"disabled before rules", `{"flags": {"order": {"disabled": true, ` + rules + `}}}`, nil, flag.For("u", country.Is("SE")), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonDisabled, Rule: -1}},
		{"disabled with an off of its own", `{"flags": {"order": {"disabled": true, "off": "on"}}}`, nil, flag.For("u"), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonDisabled, Rule: -1}},
		{"killed before all", `{"flags": {"order": {"serve": "on", ` + rules + `}}}`, func(s *flag.Store) error { return s.Kill("order", me) }, flag.For("u", country.Is("SE")), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonKilled, Rule: -1}},
		{"a ramp over the document", `{"flags": {"order": {"ramp": {"percent": 0}}}}`, func(s *flag.Store) error { return s.SetRamp("order", flag.Ramp{Share: flag.All}, me) }, flag.For("u"), flag.Decision[bool]{Value: true, Variant: "on", Reason: flag.ReasonRamp, Rule: -1, Ramp: flag.All}},
		{"cleared", `{"flags": {"order": {}}}`, func(s *flag.Store) error {
			if err := s.Kill("order", me); err != nil {
				return err
			}
			return s.Clear("order", me)
		}, flag.For("u"), flag.Decision[bool]{Variant: "off", Reason: flag.ReasonServe, Rule: -1}},
	}
	order := flag.Bool("order", true)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := load(t, tt.document)
			if tt.change != nil {
				require.NoError(t, tt.change(store))
			}
			got := order.Decide(store, &tt.subject)
			require.Equal(t, got.Slot >= 0, got.Unit != 0)
			require.Positive(t, got.Revision)
			if tt.want.Ramp > 0 || tt.want.Reason == flag.ReasonRamp {
				require.GreaterOrEqual(t, got.Slot, int32(0))
			} else {
				require.Equal(t, int32(-1), got.Slot)
			}
			got.Unit, got.Slot, got.Revision = 0, 0, 0
			require.Equal(t, tt.want, got)
			view := store.View(tt.subject)
			require.Equal(t, tt.want.Value, order.From(view))
			require.Equal(t, tt.want.Value, order.On(flag.NewContext(t.Context(), view)))
		})
	}
}

func TestEveryTypeIsTyped(t *testing.T) {
	type theme struct {
		Color string `json:"color"`
		Depth int    `json:"depth"`
	}
	key := "typed-json-" + rand.Text() // declared after its document was read
	store := load(t, `{"flags": {
		"typed-int":    {"variants": {"few": 20, "many": 1e2}, "serve": "many"},
		"typed-float":  {"variants": {"half": 0.5, "one": 1}, "serve": "one"},
		"typed-string": {"variants": {"a": "", "b": "R&D"}, "serve": "b"},
		"`+key+`":   {"variants": {"dark": {"color": "black", "depth": 2}, "light": {}}, "serve": "dark", "ramp": {"percent": 0, "serve": "light"}},
		"typed-bool":   {"variants": {"yes": true, "no": false}, "ramp": {"percent": 100}},
		"typed-late":   {"variants": {"a": 1, "b": 2.5}, "serve": "b"}}}`)
	subject := flag.For("u")
	require.Equal(t, int64(100), flag.Int("typed-int", 1).Value(store, &subject))
	require.Equal(t, 1.0, flag.Float("typed-float", 2).Value(store, &subject))
	require.Equal(t, "R&D", flag.String("typed-string", "x").Value(store, &subject))
	require.True(t, flag.Bool("typed-bool", false).Value(store, &subject))
	require.Equal(t, 2.5, flag.Float("typed-late", 0).Value(store, &subject), "declared after the document was compiled")
	late := flag.JSON(key, theme{Color: "none"}).Decide(store, &subject)
	require.Equal(t, theme{Color: "none"}, late.Value, "not decoded yet")
	require.Equal(t, flag.ReasonWrongType, late.Reason)
	require.NoError(t, store.Load(t.Context()), "the same document, and a type that is new")
	require.Equal(t, theme{"black", 2}, flag.JSON(key, theme{}).Value(store, &subject))
}

// TestIntegersAreExact: an integer variant is the number that was written, however
// it was written, or a problem.
func TestIntegersAreExact(t *testing.T) {
	exact := flag.Int("exact-int", 0)
	subject := flag.For("u")
	tests := []struct {
		text string
		want int64 // zero: a problem
	}{
		{"9007199254740993", 1<<53 + 1},
		{"9007199254740993.0", 1<<53 + 1},
		{"9.007199254740993e15", 1<<53 + 1},
		{"90071992547409930E-1", 1<<53 + 1},
		{"9223372036854775807", math.MaxInt64},
		{"-9223372036854775808", math.MinInt64},
		{"-9.223372036854775808e18", math.MinInt64},
		{"9223372036854775808", 0},
		{"-9223372036854775809", 0},
		{"18446744073709551616", 0},
		{"1e30", 0},
		{"0.5", 0},
		{"1e-400", 0},
		{"1.00000000000000000001", 0},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			store := flag.New(flag.Bytes([]byte(`{"flags": {"exact-int": {"variants": {"a": `+tt.text+`}, "serve": "a"}}}`)), flag.Options{})
			err := store.Load(t.Context())
			if tt.want == 0 {
				require.ErrorContains(t, err, "want a 64-bit integer")
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, exact.Value(store, &subject))
		})
	}
}

// TestStringsThroughJSON: a variant that is a string reaches the declared type
// byte for byte, whatever characters it has.
func TestStringsThroughJSON(t *testing.T) {
	type name string
	named := flag.JSON("named-json", name("none"))
	subject := flag.For("u")
	for _, want := range []string{"", "plain", "\a\v\x00", "\x7f", "\"\\/", "<&>", "\u2028", "\ufeff", "\U000e0067"} {
		store := documentOf(t, map[string]flag.FeatureFlag{"named-json": {Variants: map[string]any{"a": want}, Serve: "a"}})
		require.Equal(t, name(want), named.Value(store, &subject))
	}
}

// TestNothingServesDefaults: whatever is missing, the caller's default counts.
func TestNothingServesDefaults(t *testing.T) {
	limit := flag.Int("nothing", 50)
	subject := flag.For("u")
	var none *flag.Store
	for name, d := range map[string]flag.Decision[int64]{
		"nil store":   limit.Decide(none, &subject),
		"zero store":  limit.Decide(&flag.Store{}, &subject),
		"nil subject": limit.Decide(none, nil),
		"nil view":    limit.DecideFrom(nil),
		"no view":     limit.DecideFrom(flag.FromContext(t.Context())),
		"empty view":  limit.DecideFrom(none.View(subject)),
	} {
		require.Equal(t, flag.Decision[int64]{Value: 50, Reason: flag.ReasonNoDocument, Rule: -1, Slot: -1}, d, name)
	}
	require.Zero(t, flag.Ref[string]{}.Value(load(t, `{"flags": {}}`), nil))
	require.Nil(t, limit.Watch(nil))
	require.False(t, limit.Watch(nil).Seen())
	store := load(t, `{"flags": {"nothing": {"variants": {"a": 1}, "serve": "a", "rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "a"}]}}}`)
	require.Equal(t, int64(1), limit.Value(store, nil))
}

func TestEvaluationAllocatesNothing(t *testing.T) {
	store := load(t, `{"flags": {"allocates": {"rules": [{"if": {"all": [{"attr": "country", "in": ["NO", "SE"]}, {"attr": "age", "eq": 7}]}, "serve": "on"}], "ramp": {"percent": 50}}}}`)
	on := flag.Bool("allocates", false)
	key := "user-123456"
	got := testing.AllocsPerRun(100, func() {
		subject := flag.For(key, country.Is("DK"), age.Is(7), staff.Is(true))
		on.Value(store, &subject)
		on.Decide(store, &subject)
	})
	require.Zero(t, got)
	view := store.View(flag.For(key))
	on.Watch(view)
	require.Zero(t, testing.AllocsPerRun(100, func() { on.From(view) }))
}
