package flag_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestPutIsAsInTheDocument: a definition that is put over a document is refused exactly
// when the document with it would be, with the same problems, and otherwise all flags
// serve what that document says.
func TestPutIsAsInTheDocument(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 80
	}
	put, refused := 0, 0
	for seed := range seeds {
		d := newDice(seed, nil)
		doc, other := d.document(), d.document()
		b, err := newBench(t, doc)
		require.NoError(t, err)
		b.set = nil
		for _, key := range slices.Concat(slices.Sorted(maps.Keys(other.Flags)), slices.Sorted(maps.Keys(doc.Flags))) {
			def, found := other.Flags[key]
			if !found || d.chance(20) {
				if def, found = doc.Flags[key]; !found {
					continue
				}
			}
			next := doc
			next.Flags = maps.Clone(doc.Flags)
			next.Flags[key] = def
			before := b.store.Snapshot()
			_, want := flag.Compile(next)
			err := b.store.Put(key, def, me)
			if want != nil {
				var problems flag.Problems
				require.ErrorAs(t, err, &problems, "seed %d: %s", seed, key)
				require.Len(t, problems, len(want.(flag.Problems)), "seed %d: %s: %v, want %v", seed, key, err, want)
				require.Same(t, before, b.store.Snapshot())
				require.Error(t, b.quiet.Put(key, def, me))
				refused++
				continue
			}
			require.NoError(t, err, "seed %d: %s", seed, key)
			require.NoError(t, b.quiet.Put(key, def, me))
			got, err := b.store.Definition(key)
			require.NoError(t, err)
			require.Equal(t, written(def), written(got))
			doc, put = next, put+1
			b.reference.doc = doc
		}
		for range 5 {
			p := d.person(attributes)
			subject := p.subject()
			for _, key := range append(slices.Sorted(maps.Keys(doc.Flags)), "no-such-flag") {
				_, found := b.ask(key, p, &subject)
				require.Empty(t, found, "seed %d: %s", seed, key)
			}
		}
	}
	require.Greater(t, min(put, refused), int(seeds)/2, "enough of both: %d and %d", put, refused)
}
