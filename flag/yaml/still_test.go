package yaml_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
	"github.com/guidon-go/guidon/flag/yaml"
)

// TestHalfWritten: a file that is written bit by bit is read once it has stood still.
func TestHalfWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const full = "flags:\n  a:\n    serve: on\n  b:\n    serve: on\n"
		path := filepath.Join(t.TempDir(), "flags.yaml")
		write := func(text string) { // at the time of the bubble
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			require.NoError(t, os.Chtimes(path, time.Time{}, time.Now()))
		}
		write(full[:30])
		begun := time.Now()
		go func() {
			time.Sleep(50 * time.Millisecond)
			write(full)
		}()
		store, err := yaml.Open(path)
		require.NoError(t, err)
		require.True(t, serves(store, "b"))
		require.Equal(t, 200*time.Millisecond, time.Since(begun), "the first is not waited for for long")

		go func() {
			for i := 26; i < len(full); i++ {
				write(full[:i])
				time.Sleep(300 * time.Millisecond)
			}
			write(full + "  c:\n    serve: on\n")
		}()
		for !serves(store, "c") {
			require.NoError(t, store.Load(t.Context()))
			require.True(t, serves(store, "b"), "half a file never serves")
		}

		begun = time.Now()
		require.NoError(t, store.Load(t.Context()))
		write("flags: {}\n")
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-time.Second)))
		require.NoError(t, store.Load(t.Context()))
		require.Zero(t, time.Since(begun), "what has not changed, and what was written long ago, is not waited for")

		stop := make(chan struct{})
		go func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(700 * time.Millisecond):
					write(full[:26] + string(rune('a'+i)))
				}
			}
		}()
		synctest.Wait()
		time.Sleep(time.Second)
		require.ErrorContains(t, store.Load(t.Context()), "flags.yaml: read 11 times in 10s, and it had changed; want a file that is replaced whole")
		close(stop)
	})
}

// TestFileIsASource: a source of YAML gives what the file says, and not its bytes; so each
// document of the kit is known again by what it says.
func TestFileIsASource(t *testing.T) {
	says := func(data []byte) string {
		var v any
		require.NoError(t, json.Unmarshal(data, &v))
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return string(text)
	}
	synctest.Test(t, func(t *testing.T) {
		flagtest.TestSource(t, func(data []byte) (flag.Source, func([]byte), func()) {
			path := filepath.Join(t.TempDir(), "flags.yaml")
			wrote := map[string][]byte{}
			put := func(data []byte) {
				wrote[says(data)] = bytes.Clone(data)
				asYAML := bytes.ReplaceAll(data, []byte("\u2028"), []byte(`\u2028`)) // which is no YAML
				require.NoError(t, os.WriteFile(path+".new", asYAML, 0o600))
				require.NoError(t, os.Rename(path+".new", path))
			}
			put(data)
			return named{yaml.File(path), func(data []byte) []byte { return bytes.Clone(wrote[says(data)]) }}, put, func() { require.NoError(t, os.Remove(path)) }
		})
	})
}

// named is a source with its name that turns what another reads into something else.
type named struct {
	flag.Source
	turn func([]byte) []byte
}

func (n named) Read(ctx context.Context) ([]byte, error) {
	data, err := n.Source.Read(ctx)
	if err != nil {
		return data, err
	}
	return n.turn(data), nil
}

func (n named) String() string { return n.Source.(fmt.Stringer).String() }
