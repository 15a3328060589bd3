package flag_test

import (
	"context"
	"encoding/json"
	stdflag "flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var pairs = stdflag.Int("flag.pairs", 200_000, "how many (flag, subject) pairs the evaluator is compared on with the reference")

// TestEqual: the compiled evaluator decides as the reference does, and random
// documents reach everything that can be reached.
func TestEqual(t *testing.T) {
	reached, pairs := map[string]int{}, *pairs
	if raceEnabled && testing.Short() {
		pairs /= 10
	}
	for seed, done := uint64(0), 0; done < pairs; seed++ {
		d := newDice(seed, nil)
		doc := d.document()
		done += compare(t, d, doc, reached)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if pairs < 200_000 {
		return
	}
	for _, name := range everything() {
		if reached[name] < 10 {
			t.Errorf("%q was reached %d times only", name, reached[name])
		}
	}
}

// FuzzEqual is TestEqual with choices made by a fuzzer.
func FuzzEqual(f *testing.F) {
	for seed := range uint64(10) {
		f.Add(seed, []byte{0, 255, byte(seed), 7, 0, 0, 0, 0, 200, 100})
	}
	f.Fuzz(func(t *testing.T, seed uint64, tape []byte) {
		d := newDice(seed, tape)
		compare(t, d, d.document(), map[string]int{})
	})
}

// compare asks every flag of a valid document, and one that it does not have, about
// several people. It returns how often it asked.
func compare(t *testing.T, d *dice, doc flag.Document, reached map[string]int) int {
	t.Helper()
	b, err := newBench(t, doc)
	if err != nil {
		t.Fatalf("a valid document is refused: %v\n%s", err, written(doc))
	}
	b.reference.seen = func(operator string, is truth) { reached[fmt.Sprint(operator, " ", is)]++ }
	const people = 12
	for range people {
		p := d.person(attributes)
		subject := p.subject()
		before := subject
		for _, key := range append(slices.Sorted(maps.Keys(doc.Flags)), "no-such-flag") {
			want, found := b.ask(key, p, &subject)
			if reached[want.Reason.String()]++; found != "" {
				t.Errorf("flag %q: %s\n%s", key, found, smallest(t, doc, key, p))
				return 0
			}
		}
		require.Equal(t, before, subject, "a shared subject is changed")
	}
	return people * (len(doc.Flags) + 1)
}

// everything is what random documents and people must reach: each reason, and each
// operator with each answer that it can give (0 is false, 1 unknown, 2 true).
func everything() (names []string) {
	for reason := range flag.ReasonServe + 1 {
		switch reason {
		case 0, flag.ReasonNoDocument, flag.ReasonQuarantined, flag.ReasonWrongType, flag.ReasonKilled, flag.ReasonOverride:
		default:
			names = append(names, reason.String())
		}
	}
	for _, operator := range []string{"exists", "missing", "time"} {
		names = append(names, operator+" 0", operator+" 2")
	}
	for _, operator := range []string{
		"eq", "eq fold", "in", "in fold", "prefix", "prefix fold", "suffix", "suffix fold", "contains", "contains fold", "matches",
		"lt", "le", "gt", "ge", "semver", "before", "after", "cidr", "semver of a list", "in of a list",
		"all", "any", "not", "segment", "flag",
	} {
		names = append(names, operator+" 0", operator+" 1", operator+" 2")
	}
	return names
}

// bench is one document, compiled and loaded, with its judge.
type bench struct {
	reference reference
	set       *flag.Set // nil if only the store is looked at
	store     *flag.Store
	quiet     *flag.Store // does not count
}

func newBench(t *testing.T, doc flag.Document) (*bench, error) {
	set, err := flag.Compile(doc)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	store := flag.New(flag.Bytes(data), flag.Options{OnLoad: func(flag.LoadInfo) {}})
	if err := store.Load(t.Context()); err != nil {
		return nil, fmt.Errorf("what compiles does not load: %w", err)
	}
	quiet := flag.New(flag.Bytes(data), flag.Options{NoCounts: true, OnLoad: func(flag.LoadInfo) {}})
	if err := quiet.Load(t.Context()); err != nil {
		return nil, err
	}
	return &bench{reference{doc: doc}, set, store, quiet}, nil
}

// ask decides twice and says what the difference is. By the clock it may be one of
// the moment only.
func (b *bench) ask(key string, p person, subject *flag.Subject) (want outcome, found string) {
	for range 3 {
		want = b.reference.decide(key, p)
		if found = b.difference(key, subject, want); found == "" || !p.now.IsZero() {
			break
		}
	}
	return want, found
}

// difference says what an entrance to the evaluator gives that the reference does
// not; empty if they agree.
func (b *bench) difference(key string, subject *flag.Subject, want outcome) string {
	variants := slices.Collect(maps.Values(variantsOf(b.reference.definition(key))))
	every := func(is func(any) bool) bool {
		return !slices.ContainsFunc(variants, func(v any) bool { return !is(v) })
	}
	switch {
	case every(func(v any) bool { _, ok := v.(bool); return ok }):
		if found := entrances(b, key, subject, want, true); found != "" {
			return found
		}
		return entrances(b, key, subject, want, false)
	case every(func(v any) bool { _, ok := v.(string); return ok }):
		return entrances(b, key, subject, want, "the caller's default")
	case every(func(v any) bool { n := exact(v); return n != nil && fitsInt64(v) }):
		return entrances(b, key, subject, want, int64(-12345))
	case every(func(v any) bool { return exact(v) != nil }):
		return entrances(b, key, subject, want, -123.45)
	}
	return entrances[any](b, key, subject, want, "the caller's default")
}

func fitsInt64(v any) bool {
	n := exact(v)
	i, _ := n.Int64()
	return n.IsInt() && n.Cmp(exact(i)) == 0
}

func entrances[T any](b *bench, key string, subject *flag.Subject, want outcome, def T) string {
	value := def
	if want.Variant != "" {
		value = as[T](variantsOf(b.reference.definition(key))[want.Variant])
	}
	ref := flag.ByKey(key, def)
	view := b.store.View(*subject)
	stored := ref.Decide(b.store, subject)
	decisions := map[string]flag.Decision[T]{"Decide": stored, "DecideFrom a store's view": ref.DecideFrom(view)}
	values := map[string]T{"Value": ref.Value(b.store, subject), "From": ref.From(view), "In": ref.In(flag.NewContext(context.Background(), view))}
	if b.quiet != nil {
		values["Value, not counted"] = ref.Value(b.quiet, subject)
	}
	if b.set != nil {
		decisions["DecideFrom a set's view"] = ref.DecideFrom(b.set.View(*subject))
		values["From a set's view"] = ref.From(b.set.View(*subject))
	}
	for entrance, d := range decisions {
		got := outcome{d.Variant, d.Reason, d.Rule, d.Unit, d.Slot, d.Ramp}
		if got != want {
			return fmt.Sprintf("%s:\ngot  %+v\nwant %+v", entrance, got, want)
		}
		values[entrance+", the value"] = d.Value
	}
	if r := decisions["DecideFrom a store's view"].Revision; r != stored.Revision {
		return fmt.Sprintf("two revisions of one store: %d and %d", stored.Revision, r)
	}
	for entrance, got := range values {
		if !reflect.DeepEqual(got, value) {
			return fmt.Sprintf("%s: got %v (%T), want %v (%T)", entrance, got, got, value, value)
		}
	}
	return ""
}

// as is a variant in the type of a Ref.
func as[T any](variant any) (out T) {
	switch to := any(&out).(type) {
	case *bool:
		*to = variant.(bool)
	case *string:
		*to = variant.(string)
	case *int64:
		*to, _ = exact(variant).Int64()
	case *float64:
		*to, _ = exact(variant).Float64()
	case *any:
		if err := json.Unmarshal([]byte(written(variant)), to); err != nil {
			panic(err)
		}
	}
	return out
}

func written(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// smallest prints a difference for people: what is left of a document and a person
// when everything is taken away that the difference does not need.
func smallest(t *testing.T, doc flag.Document, key string, p person) string {
	differs := func(doc flag.Document) (found string) {
		defer func() {
			if recover() != nil {
				found = "" // too little is left of the document
			}
		}()
		b, err := newBench(t, doc)
		if err != nil {
			return ""
		}
		subject := p.subject()
		_, found = b.ask(key, p, &subject)
		return found
	}
	for name, v := range maps.Clone(p.attrs) {
		delete(p.attrs, name)
		if differs(doc) == "" {
			p.attrs[name] = v
		}
	}
	var tree any
	least := written(doc)
	decoder := json.NewDecoder(strings.NewReader(least))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return err.Error()
	}
	for before := ""; before != least; {
		before = least
		shrink(tree, func(v any) { tree = v }, func() bool {
			smaller, err := flag.Parse([]byte(written(tree)))
			if err != nil || differs(smaller) == "" {
				return false
			}
			doc, least = smaller, written(tree)
			return true
		})
	}
	return fmt.Sprintf("the least that differs:\n%s\nkey %q, now %s, attributes %#v\n%s", least, p.key, p.now.Format(time.RFC3339Nano), p.attrs, differs(doc))
}

// shrink takes out of a tree of JSON, member by member, what it can do without, and
// puts what is inside a node in its place.
func shrink(node any, replace func(any), still func() bool) {
	try := func(v any) bool {
		replace(v)
		if still() {
			return true
		}
		replace(node)
		return false
	}
	switch node := node.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(node)) {
			v := node[key]
			if delete(node, key); still() {
				continue
			}
			if node[key] = v; try(v) {
				shrink(v, replace, still)
				return
			}
			shrink(v, func(v any) { node[key] = v }, still)
		}
	case []any:
		for i, v := range node {
			if try(v) {
				shrink(v, replace, still)
				return
			}
			if shorter := slices.Delete(slices.Clone(node), i, i+1); try(shorter) {
				shrink(shorter, replace, still)
				return
			}
			shrink(v, func(v any) { node[i] = v }, still)
		}
	}
}

// FuzzDocument: whatever text loads decides about whomever as the reference does,
// and so does what a broken text leaves to be served.
func FuzzDocument(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(f, err)
	for i, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(data), uint64(i), []byte{})
	}
	for seed := range uint64(30) {
		f.Add(written(newDice(seed, nil).document()), seed, []byte{})
	}
	f.Fuzz(func(t *testing.T, document string, seed uint64, tape []byte) {
		if len(document) > 10_000 {
			t.Skip("the reference is slow")
		}
		compareText(t, newDice(seed, tape), nil, document)
	})
}
