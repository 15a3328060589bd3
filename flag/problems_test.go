package flag_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	guidon "github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The types that broken documents are checked against.
var (
	_ = guidon.Int("declared-int", 0)
	_ = guidon.JSON("declared-json", struct{ Color string }{})
	_ = guidon.Bool("declared-twice", false)
	_ = guidon.String("declared-twice", "")
)

// TestGoDocumentsAreChecked: what JSON cannot even say is a problem of a document
// that is written in Go, too.
func TestGoDocumentsAreChecked(t *testing.T) {
	for _, share := range []guidon.Share{-1, guidon.All + 1} {
		ramp := &guidon.Ramp{Share: share}
		_, err := guidon.Compile(guidon.Document{Flags: map[string]guidon.FeatureFlag{
			"go": {Ramp: ramp, Rules: []guidon.Rule{{If: guidon.Condition{All: []guidon.Condition{}}, Ramp: ramp}}},
		}})
		require.ErrorIs(t, err, guidon.ErrInvalid)
		require.ErrorContains(t, err, "flags.go.ramp.percent: found "+share.String()+", want 0 to 100 %")
		require.ErrorContains(t, err, "flags.go.rules[0].ramp.percent: found "+share.String()+", want 0 to 100 %")
	}
}

// TestBrokenDocuments: each document in testdata/broken gets the complete list of
// its problems, as it stands beside it, and never replaces a good one.
func TestBrokenDocuments(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			next := []byte(`{"flags": {"good": {"serve": "on"}}}`)
			store := guidon.New(guidon.SourceFunc(func(context.Context) ([]byte, error) { return next, nil }), guidon.Options{Strict: true, OnLoad: func(guidon.LoadInfo) {}})
			require.NoError(t, store.Load(t.Context()))
			next = data
			err = store.Load(t.Context())
			require.ErrorIs(t, err, guidon.ErrInvalid)
			require.Equal(t, err, store.Err())
			var problems guidon.Problems
			require.True(t, errors.As(err, &problems))
			got := problems.Error() + "\n"
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
			subject := guidon.For("u")
			require.True(t, guidon.Bool("good", false).Value(store, &subject), "the last good document goes on serving")
		})
	}
}
