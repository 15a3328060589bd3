package flag_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestBrokenEqual: a document of which a part is broken quarantines some flags, and
// the others decide as the reference does.
func TestBrokenEqual(t *testing.T) {
	alone(t)
	served, quarantined := 0, 0
	for seed := range uint64(3000) {
		d := newDice(seed, nil)
		var tree any
		doc := d.document()
		decoder := json.NewDecoder(strings.NewReader(written(doc)))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&tree))
		for range 1 + d.n(2) {
			d.damage(tree)
		}
		over := &doc
		if seed%2 == 0 {
			over = nil // the first load
		}
		yes, no := compareText(t, d, over, written(tree))
		served, quarantined = served+yes, quarantined+no
	}
	t.Log(served, quarantined)
	require.Greater(t, served, 5000)
	require.Greater(t, quarantined, 5000)
}

// damage takes a member out of a tree of JSON, or puts another one in its place.
func (d *dice) damage(tree any) {
	var members []any
	var change []func(any)
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(node)) {
				members, change = append(members, node[key]), append(change, func(v any) {
					if node[key] = v; v == nil {
						delete(node, key)
					}
				})
				walk(node[key])
			}
		case []any:
			for i, v := range node {
				members, change = append(members, v), append(change, func(v any) { node[i] = v })
				walk(v)
			}
		}
	}
	walk(tree)
	if len(members) == 0 {
		return
	}
	with := oneOf(d, []any{nil, nil, "", "x", -1, 0.0001, true, []any{}, map[string]any{}, oneOf(d, members), oneOf(d, members), oneOf(d, members)})
	copied, err := json.Marshal(with) // or a tree might become its own member
	if err == nil {
		err = json.Unmarshal(copied, &with)
	}
	if err != nil {
		panic(err)
	}
	oneOf(d, change)(with)
}

// compareText loads a text, over a document if there is one, and asks every flag. It
// says how many answers there were, and how many of them of quarantined flags.
func compareText(t *testing.T, d *dice, before *flag.Document, document string) (served, quarantined int) {
	t.Helper()
	var text []byte
	var info flag.LoadInfo
	store := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return text, nil }), flag.Options{OnLoad: func(i flag.LoadInfo) { info = i }})
	b := &bench{store: store}
	if before != nil {
		text = []byte(written(before))
		require.NoError(t, store.Load(t.Context()))
		b.reference.last = &reference{doc: *before, newest: &b.reference}
	}
	text = []byte(document)
	loadErr := store.Load(t.Context())
	doc, parseErr := flag.Parse(text)
	switch {
	case loadErr == nil:
		require.Empty(t, info.Quarantined, "%s", document)
		require.NoError(t, parseErr, "%s", document)
		set, err := flag.Compile(doc)
		require.NoError(t, err, "what loads does not compile: %s", document)
		b.set = set
	case info.Refused && before == nil:
		return 0, 0
	case info.Refused:
		doc = *before
	}
	b.reference.doc, b.reference.quarantined = doc, info.Quarantined
	words := wordsOf(document)
	for range 4 {
		p := d.person(words)
		if d.chance(60) {
			p.key = oneOf(d, words)
		}
		for _, name := range slices.Sorted(maps.Keys(p.attrs)) {
			if d.chance(30) {
				p.attrs[name] = oneOf(d, words)
			}
		}
		subject := p.subject()
		for _, key := range slices.Sorted(maps.Keys(doc.Flags)) {
			served++
			if slices.Contains(info.Quarantined, key) {
				quarantined++
			}
			if found := b.askServed(t, key, p, &subject, document); found != "" {
				t.Fatalf("flag %q of %s\nkey %q, now %s, attributes %#v\n%s", key, document, p.key, p.now.Format(time.RFC3339Nano), p.attrs, found)
			}
		}
	}
	return served, quarantined
}

// askServed is ask, where the reference panics at a flag that is wrong and served.
func (b *bench) askServed(t *testing.T, key string, p person, subject *flag.Subject, document string) string {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Fatalf("flag %q: %v\n%s", key, r, document)
		}
	}()
	_, found := b.ask(key, p, subject)
	return found
}

// wordsOf are the strings of a text: names of attributes, keys, values.
func wordsOf(document string) []string {
	words := []string{"x"}
	for _, word := range strings.Split(document, `"`) {
		if len(words) < 40 && len(word) < 100 && strings.Trim(word, " \t\r\n{}[]:,") != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}
