package yaml

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/guidon-go/guidon/flag"
)

// Open is [flag.Open] of a YAML file: it returns a store that follows the file, with
// the document loaded. The error lists everything that is wrong with it; what is right
// with it serves all the same.
func Open(path string) (*flag.Store, error) {
	store := flag.New(File(path), flag.Options{})
	return store, store.Load(context.Background())
}

// File is [flag.File] of a YAML file. Replace the file whole: write another beside it, and
// rename that. The first half of a file is often a file as well in YAML, with half of the
// flags, and nothing in it tells that from one in which somebody deleted the others. So a
// file that has just changed is read once it has stood still for a second, or for a tenth
// of one if it is the first; one that a writer leaves half written for longer serves.
func File(path string) flag.Source { return From(&still{source: flag.File(path), path: path}) }

// From is a source of what another has as YAML: a [flag.FS], one of package flaghttp, or
// any; [File] is for files. It reads as [JSON] does, and a file that has not changed only once. What cannot be
// read as YAML is an error, so that a store goes on with its last good document. It is
// safe for concurrent use if the other is. A nil source has nothing but an error.
func From(source flag.Source) flag.Source { return &from{source: source} }

type from struct {
	source flag.Source

	mu   sync.Mutex // guards what follows
	file []byte     // what was read last
	json []byte     // what that stands for
	err  error      // what is wrong with it
	read bool
}

func (f *from) Read(ctx context.Context) ([]byte, error) {
	if f.source == nil {
		return nil, fmt.Errorf("found no source of YAML, want one")
	}
	file, err := f.source.Read(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	known, json, err := f.read && bytes.Equal(f.file, file), f.json, f.err
	f.mu.Unlock()
	if !known {
		json, err = asJSON(ctx, file)
		if over := ctx.Err(); over != nil {
			return nil, over
		}
		f.mu.Lock()
		f.file, f.json, f.err, f.read = file, json, err, true
		f.mu.Unlock()
	}
	if err != nil {
		return nil, err
	}
	return bytes.Clone(json), nil
}

// String names the other source in errors.
func (f *from) String() string {
	if named, ok := f.source.(fmt.Stringer); ok {
		return named.String()
	}
	return "document"
}
