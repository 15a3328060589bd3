package flag_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// load returns a store that serves the document.
func load(t testing.TB, document string) *flag.Store {
	t.Helper()
	store := flag.New(flag.Bytes([]byte(document)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	return store
}

// documentOf returns a store that serves flags written in Go.
func documentOf(t testing.TB, flags map[string]flag.FeatureFlag) *flag.Store {
	t.Helper()
	text, err := json.Marshal(flag.Document{Flags: flags})
	require.NoError(t, err)
	return load(t, string(text))
}

// alone is for long tests of one goroutine: the short tests under the race detector do
// without.
func alone(t *testing.T) {
	t.Helper()
	if raceEnabled && testing.Short() {
		t.Skip("one goroutine alone has nobody to race with")
	}
}
