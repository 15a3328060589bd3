package flag

import (
	"context"
	"os"
)

// Source is where a document comes from. Read returns it whole, or says why not;
// what it returned is the caller's. It is never called by two goroutines at once.
type Source interface {
	Read(ctx context.Context) ([]byte, error)
}

// SourceFunc is a Source made of a function.
type SourceFunc func(ctx context.Context) ([]byte, error)

// Read calls the function.
func (f SourceFunc) Read(ctx context.Context) ([]byte, error) { return f(ctx) }

// File reads a document from a file. The file may be replaced, or be a symbolic
// link that is moved, whenever one likes: half a document does not compile, so it
// never serves.
func File(path string) Source { return file(path) }

type file string

func (f file) Read(context.Context) ([]byte, error) { return os.ReadFile(string(f)) }

// String is the path; it names the source in errors.
func (f file) String() string { return string(f) }

// Bytes is a document that is there already: embedded, or built by a test.
func Bytes(data []byte) Source { return fixed(data) }

type fixed []byte

func (f fixed) Read(context.Context) ([]byte, error) { return f, nil }

// String names the source in errors.
func (f fixed) String() string { return "embedded document" }
