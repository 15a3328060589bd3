package flag_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
)

// TestAttributes: what a flag asks for itself, and what others ask for it.
func TestAttributes(t *testing.T) {
	store := load(t, `{
		"segments": {"staff": {"if": {"all": [{"attr": "email", "suffix": "@example.com"}, {"not": {"segment": "out"}}]}}, "out": {"if": {"attr": "left", "exists": true}}},
		"layers": {"page": {"by": "team", "flags": {"laid": [{"from": 0, "to": 50}]}}},
		"flags": {
			"static": {}, "keyed": {"ramp": {"percent": 5}, "targets": {"on": ["anna"]}},
			"simple": {"rules": [{"if": {"attr": "country", "in": ["SE", "NO"]}, "serve": "on"}, {"if": {"attr": "plan", "eq": "pro"}, "serve": "on"}]},
			"rules": {"when": {"attr": "beta", "eq": true}, "rules": [{"if": {"any": [{"attr": "age", "ge": 18}, {"attr": "plan", "eq": "pro"}]}, "ramp": {"percent": 5, "by": "device"}}]},
			"staff": {"rules": [{"if": {"segment": "staff"}, "serve": "on"}]},
			"needs": {"rules": [{"if": {"flag": "rules", "serves": ["on"]}, "serve": "on"}], "ramp": {"percent": 5, "by": "account"}},
			"laid": {"ramp": {"percent": 100}}
		}
	}`)
	asks := func() map[string][]string {
		all := map[string][]string{}
		for status := range store.All() {
			all[status.Key] = store.Snapshot().Attributes(status.Key)
		}
		return all
	}
	want := map[string][]string{
		"static": nil, "keyed": nil, "simple": {"country", "plan"}, "rules": {"age", "beta", "device", "plan"},
		"staff": {"email", "left"}, "needs": {"account", "age", "beta", "device", "plan"}, "laid": {"team"},
	}
	require.Equal(t, want, asks())
	require.NoError(t, store.SetRamp("laid", flag.Ramp{Share: flag.All, By: "cart", Serve: "on"}, me))
	want["laid"] = []string{"cart", "team"}
	require.Equal(t, want, asks(), "what is laid over it asks, too")
	require.Nil(t, store.Snapshot().Attributes("gone"))
	require.Nil(t, (*flag.Set)(nil).Attributes("gone"))
}

// TestAttributesSuffice: facts about other attributes change no decision.
func TestAttributesSuffice(t *testing.T) {
	differ := 0
	for seed := range uint64(300) {
		d := newDice(seed, nil)
		doc := d.document()
		set, err := flag.Compile(doc)
		require.NoError(t, err)
		for range 20 {
			p := d.person(attributes)
			for key := range doc.Flags {
				few := person{key: p.key, attrs: maps.Clone(p.attrs), now: p.now}
				asked := set.Attributes(key)
				maps.DeleteFunc(few.attrs, func(name string, _ any) bool { return !slices.Contains(asked, name) })
				ref := flag.ByKey[any](key, nil)
				require.Equal(t, ref.DecideFrom(set.View(p.subject())), ref.DecideFrom(set.View(few.subject())), "seed %d: %s asks for %q", seed, key, asked)
				for _, name := range asked { // or else the walk might as well say all
					less := person{key: p.key, attrs: maps.Clone(few.attrs), now: p.now}
					if delete(less.attrs, name); ref.DecideFrom(set.View(p.subject())).Variant != ref.DecideFrom(set.View(less.subject())).Variant {
						differ++
					}
				}
			}
		}
	}
	require.Greater(t, differ, 1000)
}
