package flag_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func TestVariants(t *testing.T) {
	const abc = `"variants": {"a": "A", "b": "B", "c": "C"}`
	reach := flag.String("reach", "default")
	tests := []struct{ name, flag, want string }{
		{"serve", `"serve": "b"`, "b=B"},
		{"ramp", `"serve": "b", "ramp": {"percent": 5, "serve": "a"}`, "a=A b=B"},
		{"a ramp that waits", `"serve": "b", "ramp": {"percent": 0, "serve": "a"}`, "a=A b=B"},
		{"everybody, but those without a unit", `"serve": "b", "ramp": {"percent": 100, "serve": "a"}`, "a=A b=B"},
		{"split", `"split": {"parts": [{"serve": "a", "percent": 50}, {"serve": "c", "percent": 50}, {"serve": "b", "percent": 0}]}`, "=default a=A c=C"},
		{"split and serve", `"serve": "b", "split": {"parts": [{"serve": "a", "percent": 100}]}`, "a=A b=B"},
		{"targets", `"serve": "b", "targets": {"c": ["u"]}`, "b=B c=C"},
		{"targets behind when", `"serve": "b", "targets": {"c": ["u"]}, "when": {"attr": "country", "eq": "SE"}`, "=default b=B c=C"},
		{"when with off", `"serve": "b", "off": "a", "when": {"attr": "country", "eq": "SE"}`, "a=A b=B"},
		{"when never", `"serve": "b", "off": "a", "when": {"any": []}`, "a=A"},
		{"when always", `"serve": "b", "off": "a", "when": {"all": []}`, "b=B"},
		{"disabled", `"serve": "b", "off": "a", "disabled": true`, "a=A"},
		{"disabled without off", `"serve": "b", "disabled": true`, "=default"},
		{"rules in a table", `"serve": "b", "rules": [{"if": {"attr": "country", "eq": "SE"}, "serve": "a"}, {"if": {"attr": "country", "eq": "NO"}, "ramp": {"percent": 5, "serve": "c"}}]`, "a=A b=B c=C"},
		{"rules in a program", `"serve": "b", "rules": [{"if": {"attr": "country", "matches": "S."}, "serve": "a"}]`, "a=A b=B"},
		{"a rule's ramp leaves to the next", `"serve": "b", "rules": [{"if": {"all": []}, "ramp": {"percent": 100, "serve": "a"}}, {"if": {"attr": "country", "matches": "S."}, "serve": "c"}]`, "a=A b=B c=C"},
		{"a rule for everybody", `"serve": "b", "rules": [{"if": {"all": []}, "serve": "a"}, {"if": {"attr": "country", "matches": "S."}, "serve": "c"}]`, "a=A"},
		{"a rule for nobody", `"serve": "b", "rules": [{"if": {"any": []}, "serve": "a"}]`, "b=B"},
		{"schedule", `"serve": "b", "ramp": {"percent": 0, "serve": "a", "schedule": [{"at": "2030-01-01T00:00:00Z", "percent": 5}]}`, "a=A b=B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := load(t, `{"flags": {"reach": {`+abc+`, `+tt.flag+`}}}`)
			require.Equal(t, tt.want, variants(reach, store.View(flag.Subject{})))
		})
	}

	store := load(t, `{"flags": {"reach": {`+abc+`, "serve": "b", "targets": {"c": ["u"]}}}}`)
	require.NoError(t, store.SetRamp("reach", flag.Ramp{Share: flag.Percent, Serve: "a"}, me))
	require.Equal(t, "a=A b=B c=C", variants(reach, store.View(flag.Subject{})))
	require.NoError(t, store.Override("reach", "a", me))
	require.Equal(t, "a=A", variants(reach, store.View(flag.Subject{})))
	require.NoError(t, store.Kill("reach", me))
	require.Equal(t, "=default", variants(reach, store.View(flag.Subject{})))

	store = load(t, `{"flags": {"reach": {`+abc+`, "serve": "b", "disabled": true}}}`)
	require.NoError(t, store.Override("reach", "a", me))
	require.Equal(t, "a=A", variants(reach, store.View(flag.Subject{})), "it wins over disabled")

	require.Empty(t, variants(reach, nil))
	require.Empty(t, variants(reach, (*flag.Set)(nil).View(flag.Subject{})))
	require.Empty(t, variants(flag.ByKey("nowhere", ""), store.View(flag.Subject{})))
	require.Empty(t, variants(flag.ByKey("reach", 0), store.View(flag.Subject{})), "of another type")
	require.Empty(t, variants(flag.Ref[string]{}, store.View(flag.Subject{})))
	for range reach.Variants(load(t, `{"flags": {"reach": {`+abc+`, "serve": "b", "targets": {"c": ["u"]}}}}`).View(flag.Subject{})) {
		break
	}
}

func variants[T any](r flag.Ref[T], view *flag.View) string {
	var all []string
	for name, value := range r.Variants(view) {
		all = append(all, fmt.Sprintf("%s=%v", name, value))
	}
	return strings.Join(all, " ")
}

// TestNothingElseIsServed: what cannot be reached nobody gets, and what a review says
// is constant everybody gets, in random documents.
func TestNothingElseIsServed(t *testing.T) {
	left, constant := 0, 0
	for seed := range uint64(400) {
		d := newDice(seed, nil)
		doc := d.document()
		text, err := json.Marshal(doc)
		require.NoError(t, err)
		store := flag.New(flag.Bytes(text), flag.Options{NoCounts: true})
		require.NoError(t, store.Load(t.Context()))
		review := store.Review(flag.ReviewOptions{})
		for key, def := range doc.Flags {
			ref := flag.ByKey[any](key, nil)
			var can []string
			for name := range ref.Variants(store.View(flag.Subject{})) {
				can = append(can, name)
			}
			left += max(2, len(def.Variants)) - len(slices.DeleteFunc(slices.Clone(can), func(name string) bool { return name == "" }))
			only := reviewed(review, key)
			if !only.OnlySince.IsZero() {
				constant++
			}
			for range 20 {
				subject := d.person(attributes).subject()
				got := ref.Decide(store, &subject).Variant
				if !slices.Contains(can, got) || !only.OnlySince.IsZero() && got != only.Only {
					t.Fatalf("seed %d: %s serves %q, but can serve %q, and only %q since %v: %s", seed, key, got, can, only.Only, only.OnlySince, text)
				}
			}
		}
	}
	if left < 100 || constant < 50 {
		t.Errorf("%d variants cannot be reached, and %d flags are constant: the documents show nothing", left, constant)
	}
}
