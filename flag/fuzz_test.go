package flag_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// FuzzLoad: whatever a document says, loading it gives problems or flags that can
// be evaluated, never a panic; and what was parsed survives being written.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(string(data), "u", "SE", 7.0)
	}
	f.Add(`{"flags": {"fuzzed": {"rules": [{"if": {"any": [{"not": {"attr": "country", "eq": "SE"}}, {"attr": "age", "in": [1, 7]}]}, "ramp": {"percent": 50, "salt": "s"}}], "ramp": {"percent": 0.001}, "salt": "x", "disabled": false}}}`, "", "NO", math.Inf(-1))
	fuzzed, limit := flag.Bool("fuzzed", true), flag.Int("fuzzed-int", 1)
	f.Fuzz(func(t *testing.T, document, key, place string, n float64) {
		subject := flag.For(key, country.Is(place), score.Is(n), age.Is(int(int32(len(document)))))
		lenient := flag.New(flag.Bytes([]byte(document)), flag.Options{})
		_ = lenient.Load(t.Context())
		require.NotEqual(t, "invalid", fuzzed.Decide(lenient, &subject).Reason.String())
		store := flag.New(flag.Bytes([]byte(document)), flag.Options{Strict: true})
		if err := store.Load(t.Context()); err != nil {
			require.NotEmpty(t, err.Error())
			require.Equal(t, flag.ReasonNoDocument, fuzzed.Decide(store, &subject).Reason)
			return
		}
		d := fuzzed.Decide(store, &subject)
		require.NotEqual(t, "invalid", d.Reason.String())
		require.Equal(t, d, fuzzed.Decide(store, &subject), "the same again")
		_ = limit.Decide(store, &subject)
		doc, err := flag.Parse([]byte(document))
		require.NoError(t, err)
		text, err := json.Marshal(doc)
		require.NoError(t, err)
		again := flag.New(flag.Bytes(text), flag.Options{})
		require.NoError(t, again.Load(t.Context()), "%s", text)
		same := fuzzed.Decide(again, &subject)
		same.Revision = d.Revision // of another store
		require.Equal(t, d, same, "%s", text)
	})
}
