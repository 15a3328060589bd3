package flag_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestDiffBySlots shows what is said of each kind of change, without a population.
func TestDiffBySlots(t *testing.T) {
	const se, no = `{"attr": "country", "eq": "SE"}`, `{"attr": "country", "eq": "NO"}`
	split := func(more, parts string) string {
		return `"variants": {"a": "a", "b": "b", "c": "c"}, "split": {` + more + `"parts": [` + parts + `]}`
	}
	tests := []struct{ name, old, new, want string }{
		{"a ramp grows", `"ramp": {"percent": 25}`, `"ramp": {"percent": 50}`, "f   25.000 % of everybody: off -> on (ramp 25 % to 50 %)"},
		{"a ramp ends", `"ramp": {"percent": 100}`, `"serve": "on"`, "f  100.000 % of everybody without a key: off -> on (ramp 100 % to serve on)"},
		{"another salt", `"ramp": {"percent": 25}`, `"salt": "s", "ramp": {"percent": 25}`, "f   18.750 % of everybody, expected: off -> on (ramp with another salt)\n    18.750 % of everybody, expected: on -> off"},
		{"split moves", split("", `{"serve": "a", "percent": 50}, {"serve": "b", "percent": 50}`), split("", `{"serve": "a", "percent": 40}, {"serve": "b", "percent": 60}`), "f   10.000 % of everybody: a -> b (split changed)"},
		{"a rule is new", `"ramp": {"percent": 25}`, `"ramp": {"percent": 25}, "rules": [{"if": ` + se + `, "serve": "on"}]`, "f   75.000 % of rules[0]: off -> on (rules[0] is new)\n   100.000 % of rules[0] without a key: off -> on"},
		{"a rule's ramp", `"rules": [{"if": ` + se + `, "ramp": {"percent": 1}}, {"if": ` + no + `, "serve": "on"}]`, `"rules": [{"if": ` + se + `, "ramp": {"percent": 3}}, {"if": ` + no + `, "serve": "on"}]`, "f    2.000 % of rules[0]: off -> on (rules[0]: ramp 1 % to 3 %)"},
		{"the ramp behind rules", `"rules": [{"if": ` + se + `, "serve": "on"}], "ramp": {"percent": 1}`, `"rules": [{"if": ` + se + `, "serve": "on"}], "ramp": {"percent": 2}`, "f    1.000 % of everybody else: off -> on (ramp 1 % to 2 %)"},
		{"disabled", `"ramp": {"percent": 5}`, `"disabled": true, "ramp": {"percent": 5}`, "f    5.000 % of everybody: on -> off (is disabled)"},
		{"targets", `"targets": {"on": ["anna", "bert"]}`, `"targets": {"on": ["anna"]}`, "f  100.000 % of 1 target: on -> off (1 target gone)"},
		{"targets have keys", `"targets": {"on": ["anna"]}, "ramp": {"percent": 50}`, `"ramp": {"percent": 50}`, "f   50.000 % of 1 target: on -> off (1 target gone)"},
		{"new targets have keys", `"ramp": {"percent": 100}`, `"targets": {"off": ["anna"]}, "serve": "on"`, "f  100.000 % of 1 target: on -> off (1 target new; ramp 100 % to serve on)\n   100.000 % of everybody without a key: off -> on"},
		{"when", `"when": ` + se + `, "serve": "on"`, `"serve": "on"`, "f  100.000 % of everybody outside its old when: off -> on (when is gone)"},
		{"renamed", `"variants": {"on": true, "off": false}, "ramp": {"percent": 5}`, `"variants": {"yes": true, "no": false}, "ramp": {"percent": 5}`, "f  nobody moves (variant \"off\" is renamed \"no\"; variant \"on\" is renamed \"yes\")"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			old, new := compiled(t, `{"flags": {"f": {`+tt.old+`}}}`), compiled(t, `{"flags": {"f": {`+tt.new+`}}}`)
			got := flag.Diff(old, new, nil)
			require.Equal(t, withBound(got, tt.want), got.String())
			require.Empty(t, flag.Diff(old, old, nil).Flags)
		})
	}
}

// TestDiffOfRandomDocuments holds Diff with a population to deciding each subject by
// hand, and without one to being no less.
func TestDiffOfRandomDocuments(t *testing.T) {
	moves, seeds := 0, uint64(800)
	if testing.Short() {
		seeds = 300
	}
	for seed := range seeds {
		d := newDice(seed, nil)
		a, b := d.document(), d.document()
		if d.chance(60) {
			b = d.edited(a)
		}
		old, err := flag.Compile(a)
		require.NoError(t, err)
		new, err := flag.Compile(b)
		if err != nil {
			continue // an edit took away what something needs
		}
		var people []flag.Subject
		var by []person
		for range 30 {
			p := d.person(attributes)
			people = append(people, p.subject())
			if p.now.IsZero() {
				p.now = launch // the moment of those who have none
			}
			by = append(by, p)
		}
		got := flag.DiffAt(old, new, slices.Values(people), launch)
		want, movers := map[string]int{}, map[int]bool{}
		for key := range keysOf(a, b) {
			for i, p := range by {
				was, is := decidedBy(old, key, p.subject()), decidedBy(new, key, p.subject())
				if moved(was, is) {
					want[fmt.Sprint(key, ": ", was.variant, " -> ", is.variant)]++
					movers[i] = true
				}
			}
		}
		require.Len(t, people, got.Subjects)
		require.Len(t, movers, got.Moved)
		counted := map[string]int{}
		for _, f := range got.Flags {
			for _, m := range f.Moves {
				counted[fmt.Sprint(f.Key, ": ", m.From, " -> ", m.To)] = m.Count
				moves++
			}
		}
		require.Equal(t, want, counted, "seed %d", seed)
		require.Empty(t, flag.DiffAt(old, old, nil, launch).Flags, "seed %d", seed)
		again, err := flag.Compile(a)
		require.NoError(t, err)
		require.Empty(t, flag.DiffAt(old, again, nil, launch).Flags, "seed %d", seed)
		require.Empty(t, flag.DiffAt(old, again, slices.Values(people), launch).Flags, "seed %d", seed)
		// Whoever moves, slots alone say that he may.
		for i, s := range people {
			people[i] = s.At(launch)
		}
		got = flag.DiffAt(old, new, slices.Values(people), launch)
		bySlots := flag.DiffAt(old, new, nil, launch)
		slots := byKey(bySlots)
		mirror(t, bySlots, flag.DiffAt(new, old, nil, launch), seed)
		mirror(t, got, flag.DiffAt(new, old, slices.Values(people), launch), seed)
		for _, f := range got.Flags {
			for _, m := range f.Moves {
				s := slots[f.Key]
				require.True(t, s.Share == flag.All && s.Moves == nil || slices.ContainsFunc(s.Moves, func(n flag.Move) bool { return n.From == m.From && n.To == m.To }), "seed %d: %s %v in %v", seed, f.Key, m, s)
			}
		}
		_ = bySlots.String()
	}
	require.Greater(t, moves, 100)
}

// withBound adds what is said where groups count for everybody.
func withBound(d flag.Difference, text string) string {
	for _, f := range d.Flags {
		if f.Basis == flag.BasisBound && f.Share == d.Most() {
			return fmt.Sprintf("%s\nat most %v of everybody, by %s: only a population tells how many its groups have", text, d.Most(), f.Key)
		}
	}
	return text
}

func byKey(d flag.Difference) map[string]flag.FlagDifference {
	flags := map[string]flag.FlagDifference{}
	for _, f := range d.Flags {
		flags[f.Key] = f
	}
	return flags
}

// mirror wants two differences to be the same, there and back.
func mirror(t *testing.T, there, back flag.Difference, seed uint64) {
	t.Helper()
	require.Equal(t, there.Moved, back.Moved)
	require.Equal(t, there.Most(), back.Most())
	require.Len(t, back.Flags, len(there.Flags))
	for i, f := range there.Flags {
		g := back.Flags[i]
		require.Equal(t, f.Key, g.Key)
		require.Equal(t, []any{f.Count, f.Share, f.Basis}, []any{g.Count, g.Share, g.Basis}, "seed %d: %s", seed, f.Key)
		var one, other []string
		for _, m := range f.Moves {
			one = append(one, fmt.Sprint(m.From, m.To, m.Count, m.Share, m.Basis))
		}
		for _, m := range g.Moves {
			other = append(other, fmt.Sprint(m.To, m.From, m.Count, m.Share, m.Basis))
		}
		require.ElementsMatch(t, one, other, "seed %d: %s", seed, f.Key)
	}
}

type decided struct {
	variant string
	value   any
}

func decidedBy(set *flag.Set, key string, s flag.Subject) decided {
	d := flag.ByKey[any](key, nil).DecideFrom(set.View(s))
	return decided{d.Variant, d.Value}
}

// moved says whether somebody gets another value.
func moved(was, is decided) bool {
	if was.variant == "" || is.variant == "" {
		return was.variant != is.variant
	}
	if a, b := exact(was.value), exact(is.value); a != nil && b != nil {
		return a.Cmp(b) != 0
	}
	return !reflect.DeepEqual(was.value, is.value)
}

func keysOf(documents ...flag.Document) map[string]bool {
	keys := map[string]bool{}
	for _, doc := range documents {
		for key := range doc.Flags {
			keys[key] = true
		}
	}
	return keys
}

// edited is the document with a few changes.
func (d *dice) edited(doc flag.Document) flag.Document {
	a := &author{dice: d, doc: flag.Document{Flags: maps.Clone(doc.Flags), Segments: maps.Clone(doc.Segments), Layers: maps.Clone(doc.Layers)}}
	for range 1 + d.n(3) {
		key := oneOf(d, slices.Sorted(maps.Keys(a.doc.Flags)))
		f := a.doc.Flags[key]
		f.Rules = slices.Clone(f.Rules)
		switch d.n(11) {
		case 0:
			f = a.flag()
		case 1:
			delete(a.doc.Flags, key)
			if len(a.doc.Flags) == 0 {
				a.doc.Flags[key] = f
			}
			continue
		case 2:
			f.Disabled = !f.Disabled
		case 3:
			f.Salt = a.salt()
		case 4:
			for i, j := 0, len(f.Rules)-1; i < j; i, j = i+1, j-1 {
				f.Rules[i], f.Rules[j] = f.Rules[j], f.Rules[i]
			}
		case 5:
			f.Rules = append(f.Rules, flag.Rule{If: a.condition(3), Serve: oneOf(d, slices.Sorted(maps.Keys(variantsOf(f))))})
		case 6:
			if len(f.Rules) > 0 {
				f.Rules = f.Rules[1:]
			}
		case 7:
			if f.When == nil {
				f.When = new(a.condition(2))
			} else {
				f.When = nil
			}
		case 8:
			f.Targets = nil
		case 9:
			for name := range a.doc.Segments {
				a.doc.Segments[name] = a.segment()
			}
		default:
			if f.Ramp != nil {
				ramp := *f.Ramp
				ramp.Share = a.share()
				f.Ramp = &ramp
			}
		}
		a.doc.Flags[key] = f
	}
	return a.doc
}
