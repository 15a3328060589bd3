package flag_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	guidon "github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
	require.GreaterOrEqual(t, len(files), 150)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			problems := refused(t, data)
			got := problems.Error() + "\n"
			golden := strings.TrimSuffix(file, ".json") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
		})
	}
}

// refused wants a strict store to refuse a document and to go on with the good one
// before it, and whatever else reads documents to say the same. It returns what is
// wrong.
func refused(t *testing.T, data []byte) guidon.Problems {
	t.Helper()
	next := []byte(`{"flags": {"good": {"serve": "on"}}}`)
	store := guidon.New(guidon.SourceFunc(func(context.Context) ([]byte, error) { return next, nil }), guidon.Options{Strict: true, OnLoad: func(guidon.LoadInfo) {}})
	require.NoError(t, store.Load(t.Context()))
	next = data
	err := store.Load(t.Context())
	require.ErrorIs(t, err, guidon.ErrInvalid)
	require.Equal(t, err, store.Err())
	var problems guidon.Problems
	require.True(t, errors.As(err, &problems))
	subject := guidon.For("u")
	require.True(t, guidon.Bool("good", false).Value(store, &subject), "the last good document goes on serving")
	require.Equal(t, guidon.Lint(data), problems)
	sameProblems(t, problems, data)
	seen := map[guidon.Problem]bool{}
	for _, p := range problems {
		require.False(t, seen[p], "twice: %v", p)
		seen[p] = true
		require.True(t, p.Line > 0 && p.Col > 0 && !p.Warning, "%v", p)
		require.False(t, strings.Contains(p.String(), "\n") || len(p.Text) > 510, "%v", p)
	}
	return problems
}

// sameProblems: what Parse finds is in the list; and if that is nothing, Compile
// finds the same as the list has, but for the places.
func sameProblems(t *testing.T, problems guidon.Problems, data []byte) {
	t.Helper()
	var parsed, compiled guidon.Problems
	doc, err := guidon.Parse(data)
	if errors.As(err, &parsed) {
		known := map[guidon.Problem]bool{}
		for _, p := range problems {
			known[p] = true
		}
		for _, p := range parsed {
			require.True(t, known[p], "only Parse finds: %v", p)
		}
		return
	}
	_, err = guidon.Compile(doc)
	require.True(t, errors.As(err, &compiled))
	texts := func(of guidon.Problems) (texts []string) {
		for _, p := range of {
			texts = append(texts, p.Path+": "+p.Text)
		}
		slices.Sort(texts)
		return texts
	}
	require.Equal(t, texts(compiled), texts(problems))
}
