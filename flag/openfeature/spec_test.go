package openfeature_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
)

// The tests of this file are named after the requirements of the OpenFeature
// specification that they hold the provider to: its sections 2 (providers), 3 (evaluation
// context), 5 (events) and 6 (tracking). What binds the SDK alone is not among them.

const specFlags = `{
	"segments": {"staff": {"if": {"attr": "email", "suffix": "@shop.example"}}},
	"layers": {
		"l": {"holdout": 0, "flags": {"in-layer": [{"from": 0, "to": 0.001}]}},
		"h": {"holdout": 100, "flags": {"held-out": [{"from": 0, "to": 100}]}}
	},
	"flags": {
		"on":       {"serve": "on"},
		"text":     {"variants": {"a": "one", "R&D": "two"}, "serve": "R&D"},
		"int":      {"variants": {"a": 1, "big": 9007199254740993}, "serve": "big"},
		"float":    {"variants": {"a": 3.9, "b": 4}, "serve": "a"},
		"object":   {"variants": {"a": {"n": 1}, "b": {"n": 2, "list": ["x"]}}, "serve": "b"},
		"targeted": {"targets": {"on": ["anna"]}},
		"ruled":    {"rules": [{"if": {"attr": "user.plan", "eq": "pro"}, "serve": "on"}]},
		"staff":    {"rules": [{"if": {"segment": "staff"}, "serve": "on"}]},
		"ramp":     {"ramp": {"percent": 100}},
		"split":    {"split": {"parts": [{"serve": "on", "percent": 100}]}},
		"disabled": {"disabled": true, "serve": "on"},
		"when":     {"when": {"flag": "disabled"}, "serve": "on"},
		"in-layer": {"ramp": {"percent": 100}},
		"held-out": {"ramp": {"percent": 100}},
		"killed":   {"serve": "on"},
		"forced":   {}
	}
}`

func specStore(t testing.TB) *flag.Store {
	t.Helper()
	flags := loaded(t, specFlags)
	me := flag.Change{Actor: "ann", Reason: "a test"}
	if err := flags.Kill("killed", me); err != nil {
		t.Fatal(err)
	}
	if err := flags.Override("forced", "on", me); err != nil {
		t.Fatal(err)
	}
	return flags
}

func specClient(t testing.TB, options openfeature.Options) *of.Client {
	t.Helper()
	return client(t, openfeature.New(specStore(t), options))
}

func TestRequirement2_1_1(t *testing.T) { // the provider has a name
	if got := openfeature.New(&flag.Store{}, openfeature.Options{}).Metadata().Name; got != "Guidon" {
		t.Errorf("got the name %q, want Guidon", got)
	}
}

func TestRequirement2_2_2_1(t *testing.T) { // flags of every type
	c, ctx := specClient(t, openfeature.Options{}), t.Context()
	got := []any{
		c.Boolean(ctx, "on", false, someone), c.String(ctx, "text", "", someone), c.Int(ctx, "int", 0, someone),
		c.Float(ctx, "float", 0, someone), c.Object(ctx, "object", nil, someone),
	}
	want := []any{true, "two", int64(9007199254740993), 3.9, map[string]any{"n": 2.0, "list": []any{"x"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestRequirement2_2_3: value, variant (2.2.4), reason (2.2.5), and no error (2.2.6, 2.3.2).
func TestRequirement2_2_3(t *testing.T) {
	anna := of.NewEvaluationContext("anna", map[string]any{"user": map[string]any{"plan": "pro"}, "email": "a@shop.example"})
	nobody := of.EvaluationContext{}
	for _, test := range []struct {
		flag    string
		who     of.EvaluationContext
		value   bool
		variant string
		reason  of.Reason
	}{
		{"on", anna, true, "on", of.DefaultReason},
		{"targeted", anna, true, "on", of.TargetingMatchReason},
		{"targeted", nobody, false, "off", of.DefaultReason},
		{"ruled", anna, true, "on", of.TargetingMatchReason},
		{"ruled", nobody, false, "off", of.DefaultReason},
		{"staff", anna, true, "on", of.TargetingMatchReason},
		{"ramp", anna, true, "on", of.SplitReason},
		{"ramp", nobody, false, "off", of.DefaultReason}, // no unit is no error: the flag says what to serve
		{"split", anna, true, "on", of.SplitReason},
		{"in-layer", anna, false, "off", of.SplitReason},
		{"held-out", anna, false, "off", of.SplitReason},
		{"when", anna, false, "off", of.DefaultReason},
		{"disabled", anna, false, "off", of.DisabledReason},
		{"killed", anna, false, "off", of.DisabledReason},
		{"forced", anna, true, "on", of.StaticReason},
	} {
		t.Run(test.flag, func(t *testing.T) {
			d, err := specClient(t, openfeature.Options{}).BooleanValueDetails(t.Context(), test.flag, !test.value, test.who)
			if err != nil || d.ErrorCode != "" || d.ErrorMessage != "" {
				t.Fatalf("got the error %v, %s %q, want none", err, d.ErrorCode, d.ErrorMessage)
			}
			if d.Value != test.value || d.Variant != test.variant || d.Reason != test.reason {
				t.Errorf("got %v, %q, %s, want %v, %q, %s", d.Value, d.Variant, d.Reason, test.value, test.variant, test.reason)
			}
		})
	}
}

func TestRequirement2_2_4(t *testing.T) { // a variant has the name that the document gives it
	d, err := specClient(t, openfeature.Options{}).StringValueDetails(t.Context(), "text", "", someone)
	if err != nil || d.Variant != "R&D" {
		t.Errorf("got %q, %v, want R&D", d.Variant, err)
	}
}

func TestRequirement2_2_7(t *testing.T) { // errors have codes, messages (2.3.3), and the default
	flags := flag.New(flag.Bytes([]byte(specFlags)), flag.Options{})
	c := specClient(t, openfeature.Options{})
	broken := flag.New(flag.Bytes([]byte(`{"flags": {"broken": {"serve": "nobody"}, "on": {"serve": "on"}}}`)), flag.Options{})
	if err := broken.Load(t.Context()); err == nil {
		t.Fatal("want a problem")
	}
	ctx := t.Context()
	for _, test := range []struct {
		name string
		code of.ErrorCode
		ask  func() (any, any, of.ResolutionDetail) // got, default
	}{
		{"an unknown flag", of.FlagNotFoundCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.BooleanValueDetails(ctx, "nowhere", true, someone)
			return d.Value, true, d.ResolutionDetail
		}},
		{"an empty key", of.FlagNotFoundCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.BooleanValueDetails(ctx, "", true, someone)
			return d.Value, true, d.ResolutionDetail
		}},
		{"a boolean for a string", of.TypeMismatchCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.StringValueDetails(ctx, "on", "x", someone)
			return d.Value, "x", d.ResolutionDetail
		}},
		{"a string for a boolean", of.TypeMismatchCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.BooleanValueDetails(ctx, "text", true, someone)
			return d.Value, true, d.ResolutionDetail
		}},
		{"3.9 for an integer", of.TypeMismatchCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.IntValueDetails(ctx, "float", 7, someone)
			return d.Value, int64(7), d.ResolutionDetail
		}},
		{"2^53+1 for a float", of.TypeMismatchCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.FloatValueDetails(ctx, "int", 7, someone)
			return d.Value, 7.0, d.ResolutionDetail
		}},
		{"a broken flag", of.ParseErrorCode, func() (any, any, of.ResolutionDetail) {
			d, _ := client(t, openfeature.New(broken, openfeature.Options{})).BooleanValueDetails(ctx, "broken", true, someone)
			return d.Value, true, d.ResolutionDetail
		}},
		{"a targeting key that is no string", of.InvalidContextCode, func() (any, any, of.ResolutionDetail) {
			d, _ := c.BooleanValueDetails(ctx, "on", false, of.NewTargetlessEvaluationContext(map[string]any{of.TargetingKey: 42}))
			return d.Value, false, d.ResolutionDetail
		}},
		{"no document", of.ProviderNotReadyCode, func() (any, any, of.ResolutionDetail) {
			d := openfeature.New(flags, openfeature.Options{}).BooleanEvaluation(ctx, "on", true, nil)
			return d.Value, true, d.ResolutionDetail()
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, want, d := test.ask()
			if got != want || d.Reason != of.ErrorReason || d.ErrorCode != test.code || d.ErrorMessage == "" || d.Variant != "" {
				t.Errorf("got %v, %s, %s %q, variant %q, want %v, ERROR, %s", got, d.Reason, d.ErrorCode, d.ErrorMessage, d.Variant, want, test.code)
			}
		})
	}
}

func TestRequirement2_2_9(t *testing.T) { // flag metadata, of strings and numbers (2.2.10)
	flags := specStore(t)
	c := client(t, openfeature.New(flags, openfeature.Options{Metadata: true}))
	d, err := c.BooleanValueDetails(t.Context(), "ruled", false, of.NewEvaluationContext("anna", map[string]any{"user.plan": "pro"}))
	if err != nil {
		t.Fatal(err)
	}
	status, err := flags.Status("ruled")
	if err != nil {
		t.Fatal(err)
	}
	want := of.FlagMetadata{"version": decimal(status.Revision), "reason": "rule", "rule": int64(0), "slot": int64(-1)}
	if diff := cmp.Diff(want, d.FlagMetadata); diff != "" {
		t.Error(diff)
	}
}

func TestRequirement2_3_1(t *testing.T) { // no hooks of its own; those of others run, and may add to the context
	if hooks := openfeature.New(&flag.Store{}, openfeature.Options{}).Hooks(); len(hooks) > 0 {
		t.Errorf("got %v, want none", hooks)
	}
	hook := &adding{}
	if !specClient(t, openfeature.Options{}).Boolean(t.Context(), "ruled", false, someone, of.WithHooks(hook)) {
		t.Error("got false, want what the hook added to count")
	}
	if hook.variant != "on" {
		t.Errorf("got the variant %q in the hook, want on", hook.variant)
	}
}

// adding is a hook that says who the user is.
type adding struct {
	of.UnimplementedHook
	variant string
}

func (a *adding) Before(context.Context, of.HookContext, of.HookHints) (*of.EvaluationContext, error) {
	more := of.NewTargetlessEvaluationContext(map[string]any{"user": map[string]any{"plan": "pro"}})
	return &more, nil
}

func (a *adding) After(_ context.Context, _ of.HookContext, details of.InterfaceEvaluationDetails, _ of.HookHints) error {
	a.variant = details.Variant
	return nil
}
