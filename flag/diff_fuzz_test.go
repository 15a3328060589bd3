package flag_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// FuzzDiff: any two documents can be compared, with a population and without; what is
// the same is never different, and no subject moves where slots say that nobody does.
func FuzzDiff(f *testing.F) {
	f.Add(`{"flags": {"f": {"ramp": {"percent": 1}}}}`, `{"flags": {"f": {"serve": "on"}}}`, "u")
	for seed := range uint64(20) {
		d := newDice(seed, nil)
		doc := d.document()
		old, err := json.Marshal(doc)
		require.NoError(f, err)
		new, err := json.Marshal(d.edited(doc))
		require.NoError(f, err)
		f.Add(string(old), string(new), "user-7")
	}
	f.Fuzz(func(t *testing.T, one, other, key string) {
		sets := [3]*flag.Set{} // the last is nil
		for i, text := range []string{one, other} {
			store := flag.New(flag.Bytes([]byte(text)), flag.Options{})
			_ = store.Load(t.Context())
			sets[i] = store.Snapshot()
		}
		people := []flag.Subject{{}, flag.For(key).At(launch), flag.For(key, country.Is(key), age.Is(len(key))).At(launch)}
		for _, old := range sets {
			require.Empty(t, flag.Diff(old, old, nil).Flags)
			for _, new := range sets {
				slots, counted := flag.DiffAt(old, new, nil, launch), flag.DiffAt(old, new, slices.Values(people), launch)
				found := byKey(slots)
				for _, f := range counted.Flags {
					if f.Count > 0 {
						require.Positive(t, found[f.Key].Share, f.Key)
					}
				}
				_, err := json.Marshal(slots)
				require.NoError(t, err)
				require.NotEmpty(t, slots.String()+counted.String())
			}
		}
	})
}
