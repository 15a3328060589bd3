package yaml_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/yaml"
)

func serves(store *flag.Store, key string) bool {
	subject := flag.For("anna")
	return flag.ByKey(key, false).Value(store, &subject)
}

func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.yaml")
	require.NoError(t, os.WriteFile(path, []byte("flags:\n  a: {serve: on}\n  b: {serve: of}\n"), 0o600))
	store, err := yaml.Open(path)
	require.EqualError(t, err, "flag: load "+path+": invalid document: flags.b.serve (line 3, column 14): unknown variant \"of\", want one of [\"off\" \"on\"]")
	require.True(t, serves(store, "a"), "what is right serves")

	_, err = yaml.Open(path + ".missing")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestFollow: a store follows the file; one that is no YAML, or no document, leaves the
// last good one, and a flag with a mistake is alone in that.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		file, away := "flags: {a: {serve: on}, b: {serve: on}}\n", error(nil)
		put := func(text string, err error) {
			mu.Lock()
			defer mu.Unlock()
			file, away = text, err
		}
		var told []flag.LoadInfo
		source := yaml.From(flag.SourceFunc(func(context.Context) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			return []byte(file), away
		}))
		store := flag.New(source, flag.Options{OnLoad: func(info flag.LoadInfo) { told = append(told, info) }})
		require.NoError(t, store.Load(t.Context()))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- store.Run(ctx) }()
		for _, step := range []struct {
			text string
			err  error
			a, b bool
			want string
		}{
			{"flags: {a: {serve: off}, b: {serve: off}}\n", nil, false, false, ""},
			{"flags:\n  a: {serve: on}\n\tb: {serve: on}\n", nil, false, false, "(line 3, column 1): "},
			{"flags:\n  a: {serve: on}\n  b: {serve: [on]}\n", nil, true, false, "flags.b.serve (line 3, column 14): found an array, want a string"},
			{"", nil, true, false, "(line 1, column 1): found an empty file, want a document"},
			{"", errors.New("gone"), true, false, "gone"},
			{"flags: {a: {serve: on}, b: {serve: on}}\n", nil, true, true, ""},
		} {
			before := len(told)
			put(step.text, step.err)
			time.Sleep(3 * time.Second)
			synctest.Wait()
			require.Equal(t, [2]bool{step.a, step.b}, [2]bool{serves(store, "a"), serves(store, "b")}, step.text)
			require.Len(t, told, before+1, "it is news once: %s", step.text)
			if err := told[before].Err; step.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, step.want)
			}
		}
		cancel()
		require.NoError(t, <-done)
	})
}

func TestSource(t *testing.T) {
	fsys := fstest.MapFS{"flags.yaml": {Data: []byte("flags: {a: {serve: on}}\n")}}
	source := yaml.From(flag.FS(fsys, "flags.yaml"))
	first, err := source.Read(t.Context())
	require.NoError(t, err)
	want := string(first)
	clear(first) // it is the caller's
	again, err := source.Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, string(again))

	fixed := yaml.From(flag.Bytes([]byte("flags: {a: {serve: on}}\n")))
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = fixed.Read(t.Context()) }), 2.0, "what has not changed is not read again")

	fsys["flags.yaml"] = &fstest.MapFile{Data: []byte("a: [\n")}
	for range 2 {
		data, err := source.Read(t.Context())
		require.Empty(t, data)
		require.ErrorIs(t, err, flag.ErrInvalid)
	}
	over, cancel := context.WithCancel(t.Context())
	asYAML := bytes.Repeat([]byte("a: [b, c]\n"), 1000)
	_, err = yaml.From(flag.SourceFunc(func(context.Context) ([]byte, error) { cancel(); return asYAML, nil })).Read(over)
	require.ErrorIs(t, err, context.Canceled, "it is over while it reads YAML")
	_, err = source.Read(over)
	require.ErrorIs(t, err, context.Canceled)

	named := func(s flag.Source) string { return s.(interface{ String() string }).String() }
	require.Equal(t, "flags.yaml", named(source))
	require.Equal(t, "x/flags.yaml", named(yaml.File("x/flags.yaml")))
	require.Equal(t, "document", named(yaml.From(flag.SourceFunc(nil))))
	_, err = yaml.From(nil).Read(t.Context())
	require.EqualError(t, err, "found no source of YAML, want one")
}

func TestSourceConcurrently(t *testing.T) {
	source := yaml.From(flag.Bytes([]byte("flags: {a: {serve: on}}\n")))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if _, err := source.Read(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
