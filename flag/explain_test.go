package flag_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/stretchr/testify/require"
)

// TestExplainEqual: for random documents and people, an explanation has the outcome of
// the reference, its tree says the same, each condition has the reference's answer at
// its place, and what was seen is what the person has. Written, read and replayed it is
// the same, bit for bit.
func TestExplainEqual(t *testing.T) {
	seeds := uint64(300)
	if raceEnabled || testing.Short() {
		seeds = 60
	}
	checked := map[string]int{}
	for seed := range seeds {
		d := newDice(seed, nil)
		explainAll(t, d, d.document(), checked)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if seeds < 300 {
		return
	}
	for _, what := range []string{"disabled", "when", "targets", "rule", "ramp", "split", "serve", "rest", "attr", "segment", "flag", "time", "all", "any", "not", "keys", "except", "holdout", "layer"} {
		if checked[what] < 20 {
			t.Errorf("%q was checked %d times only", what, checked[what])
		}
	}
}

// FuzzExplain is TestExplainEqual with choices made by a fuzzer.
func FuzzExplain(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed, []byte{0, 255, byte(seed), 7, 0, 0, 0, 0, 200, 100})
	}
	f.Fuzz(func(t *testing.T, seed uint64, tape []byte) {
		d := newDice(seed, tape)
		explainAll(t, d, d.document(), map[string]int{})
	})
}

func explainAll(t *testing.T, d *dice, doc flag.Document, checked map[string]int) {
	t.Helper()
	b, err := newBench(t, doc)
	require.NoError(t, err)
	again, err := flag.Compile(doc)
	require.NoError(t, err)
	for range 6 {
		p := d.person(attributes)
		if p.now.IsZero() {
			p.now = launch
		}
		subject := p.subject()
		for _, key := range append(slices.Sorted(maps.Keys(doc.Flags)), "no-such-flag") {
			e := b.set.Explain(key, &subject)
			want := b.reference.decide(key, p)
			at := fmt.Sprintf("flag %q of %s\nkey %q, now %s, attributes %#v\n%v", key, written(doc), p.key, p.now, p.attrs, e)
			require.Equal(t, want, outcomeOf(e), at)
			require.Equal(t, p.key, e.Key)
			stored := b.store.Explain(key, &subject)
			require.NotZero(t, stored.Revision)
			stored.Revision = 0
			require.Equal(t, e, stored, "the same from text")
			explainer{b.reference, p, checked}.check(t, key, e, at)
			replayed(t, b.set, e)
			replayed(t, again, e)
		}
	}
}

func outcomeOf(e flag.Explanation) outcome {
	return outcome{e.Variant, e.Reason, e.Rule, e.Unit, e.Slot, e.Ramp}
}

// replayed writes, reads and replays an explanation.
func replayed(t *testing.T, set *flag.Set, e flag.Explanation) {
	t.Helper()
	data, err := json.Marshal(e)
	require.NoError(t, err)
	var read flag.Explanation
	require.NoError(t, json.Unmarshal(data, &read), "%s", data)
	require.Equal(t, e, read, "%s", data)
	got, err := set.Replay(read)
	require.NoError(t, err)
	require.Equal(t, e, got)
	require.True(t, e.Same(got))
	require.Equal(t, e.String(), got.String())
}

// explainer judges an explanation by the reference.
type explainer struct {
	reference
	person
	checked map[string]int
}

func (x explainer) check(t *testing.T, key string, e flag.Explanation, at string) {
	t.Helper()
	f, found := x.doc.Flags[key]
	if !found {
		require.Empty(t, e.Steps)
		return
	}
	for _, seen := range e.Attributes {
		want := x.attr(seen.Name)
		require.Equal(t, want == nil, seen.Value == nil, at)
		if n := exact(want); n != nil {
			require.Zero(t, n.Cmp(exact(seen.Value)), at)
		} else if moment, ok := want.(time.Time); ok {
			_, still := seen.Value.(time.Time)
			require.True(t, still && (moment.Equal(seen.Value.(time.Time)) || moment.Year() < 1678 || moment.Year() > 2262), at)
		} else if want != nil {
			require.EqualValues(t, want, seen.Value, at)
		}
	}
	require.True(t, slices.IsSortedFunc(e.Attributes, func(a, b flag.Seen) int { return order(a.Name, b.Name) }))
	x.flag(t, key, f, e.Variant, e.Steps, at)
}

func order(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// flag looks at the steps of a flag: in order, one of which decides.
func (x explainer) flag(t *testing.T, key string, f flag.FeatureFlag, variant string, steps []flag.Step, at string) {
	t.Helper()
	path, decided := jsontree.Join("flags", key), 0
	for i, s := range steps {
		x.checked[s.What]++
		require.Equal(t, decided > 0, s.What == "rest", at)
		require.Equal(t, s.What == "rest", s.Is == flag.TruthNone, at)
		if s.Decides {
			decided++
			require.Equal(t, variant, s.Serve, at)
			require.Equal(t, s.What != "when", s.Is == flag.TruthTrue, at)
		} else if s.What != "when" {
			require.NotEqual(t, flag.TruthTrue, s.Is, at)
		}
		switch s.What {
		case "when":
			x.condition(t, *f.When, jsontree.Join(path, "when"), s.Steps[0], at)
		case "rule":
			rule := f.Rules[0]
			for i := range f.Rules {
				if s.At == jsontree.Index(jsontree.Join(path, "rules"), i) {
					rule = f.Rules[i]
				}
			}
			is := x.condition(t, rule.If, jsontree.Join(s.At, "if"), s.Steps[0], at)
			if rule.Ramp == nil && rule.Split == nil {
				require.Equal(t, is, s.Is, at)
				break
			}
			require.Equal(t, is == flag.TruthTrue, s.Steps[1].Is != flag.TruthNone, at)
			x.draw(t, key, rule.Ramp, rule.Split, s.Steps[1], at)
		case "ramp", "split":
			x.draw(t, key, f.Ramp, f.Split, s, at)
		case "serve":
			require.Equal(t, i, len(steps)-1)
		}
	}
	require.Equal(t, 1, decided, at)
}

func (x explainer) draw(t *testing.T, key string, ramp *flag.Ramp, split *flag.Split, s flag.Step, at string) {
	t.Helper()
	x.checked[s.What]++
	for _, part := range s.Steps {
		x.checked[part.What]++
	}
	if s.Is == flag.TruthNone {
		return
	}
	place := x.place(key, ramp, split, x.person)
	require.Equal(t, place.without != 0, s.Draw == nil, at)
	require.Equal(t, place.variant != "", s.Is == flag.TruthTrue, at)
	if s.Draw != nil {
		require.Equal(t, flag.Draw{Unit: place.unit, Slot: place.slot, Share: place.share, Range: s.Draw.Range}, *s.Draw, at)
		if split != nil {
			require.True(t, within(s.Draw.Range, place.slot), at)
			require.Equal(t, place.variant, s.Serve)
		}
	}
}

// condition compares the answers of a condition, and of what is within it.
func (x explainer) condition(t *testing.T, c flag.Condition, path string, s flag.Step, at string) flag.Truth {
	t.Helper()
	x.checked[s.What]++
	require.Equal(t, path, s.At, at)
	want := [...]flag.Truth{flag.TruthFalse, flag.TruthUnknown, flag.TruthTrue}[x.holds(c, x.person)]
	require.Equal(t, want, s.Is, "%s\n%s", path, at)
	switch {
	case c.Attr != "":
		require.Equal(t, c.Attr, s.Saw.Name)
	case c.All != nil, c.Any != nil:
		name, list := "all", c.All
		if c.Any != nil {
			name, list = "any", c.Any
		}
		require.Len(t, s.Steps, len(list))
		for i := range list {
			x.condition(t, list[i], jsontree.Index(jsontree.Join(path, name), i), s.Steps[i], at)
		}
	case c.Not != nil:
		x.condition(t, *c.Not, jsontree.Join(path, "not"), s.Steps[0], at)
	case c.Flag != "" && s.Steps != nil:
		require.Equal(t, x.decide(c.Flag, x.person).Variant, s.Serve, at)
		x.flag(t, c.Flag, x.doc.Flags[c.Flag], s.Serve, s.Steps, at)
	case c.Segment != "" && s.Steps != nil:
		segment := x.doc.Segments[c.Segment]
		for _, inner := range s.Steps {
			if inner.What == "keys" || inner.What == "except" {
				x.checked[inner.What]++
			} else {
				x.condition(t, *segment.If, jsontree.Join(jsontree.Join("segments", c.Segment), "if"), inner, at)
			}
		}
	}
	return want
}
