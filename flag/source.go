package flag

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Source is where a document comes from. Read returns it whole, or says why not; what
// it returned is the caller's. A document that is not known to be the newest is no
// answer: an error is, and the store goes on with its last good one. Read returns
// soon after its context is over, with the context's error. A store never calls it on
// two goroutines at once.
//
// A Source that is a [fmt.Stringer] is named by that in errors and logs, so it keeps
// passwords to itself. Package flagtest holds a Source to all of this.
type Source interface {
	Read(ctx context.Context) ([]byte, error)
}

// SourceFunc is a Source made of a function.
type SourceFunc func(ctx context.Context) ([]byte, error)

// Read calls the function.
func (f SourceFunc) Read(ctx context.Context) ([]byte, error) { return f(ctx) }

// File reads a document from a file. The file may be replaced, or be a symbolic
// link that is moved, whenever one likes: half a document does not compile, so it
// never serves, and one that changes while it is read is read again. Anything but a
// regular file, and one of more than 64 MiB, is refused.
func File(path string) Source { return file(path) }

type file string

func (f file) Read(ctx context.Context) ([]byte, error) {
	return settled(ctx, string(f), func() (fs.File, error) {
		// To open a pipe would wait for somebody who writes into it.
		if info, err := os.Stat(string(f)); err != nil {
			return nil, err
		} else if err := regular(string(f), info); err != nil {
			return nil, err
		}
		return os.Open(string(f))
	})
}

// String is the path; it names the source in errors.
func (f file) String() string { return string(f) }

// FS reads a document from a file of a file system, as [File] does from the
// operating system's: one that is embedded, or that a test made up.
func FS(fsys fs.FS, name string) Source { return within{fsys, name} }

type within struct {
	fsys fs.FS
	name string
}

func (w within) Read(ctx context.Context) ([]byte, error) {
	if w.fsys == nil {
		return nil, errors.New("found no file system, want one")
	}
	return settled(ctx, w.name, func() (fs.File, error) { return w.fsys.Open(w.name) })
}

// String is the name of the file; it names the source in errors.
func (w within) String() string { return w.name }

// Bytes is a document that is there already: embedded, or built by a test.
func Bytes(data []byte) Source { return fixed(data) }

type fixed []byte

func (f fixed) Read(ctx context.Context) ([]byte, error) { return slices.Clone(f), ctx.Err() }

// String names the source in errors.
func (f fixed) String() string { return "embedded document" }

const (
	maxDocument = 64 << 20 // bytes, so that a wrong path does not take all memory
	maxReads    = 20
)

// settled reads a file until two reads in a row agree: one that is written in place
// while it is read gives the beginning of what it was and the end of what it will be,
// which may compile.
func settled(ctx context.Context, name string, open func() (fs.File, error)) ([]byte, error) {
	var last []byte
	for round := range maxReads {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		data, err := whole(name, open)
		if err != nil {
			return nil, err
		}
		if round > 0 && bytes.Equal(data, last) {
			return data, nil
		}
		last = data
	}
	return nil, fmt.Errorf("%s: read %d times, and each time it had changed", name, maxReads)
}

// whole reads a file once.
func whole(name string, open func() (fs.File, error)) ([]byte, error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := regular(name, info); err != nil {
		return nil, err
	}
	size, tooLong := info.Size(), fmt.Errorf("%s: found more than %d MiB, which is the most for a document", name, maxDocument>>20)
	if size > maxDocument {
		return nil, tooLong
	}
	var data bytes.Buffer
	data.Grow(int(max(size, 0)) + bytes.MinRead)
	if n, err := data.ReadFrom(io.LimitReader(f, maxDocument+1)); err != nil {
		return nil, err
	} else if n > maxDocument {
		return nil, tooLong
	}
	return data.Bytes(), nil
}

func regular(name string, info fs.FileInfo) error {
	if mode := info.Mode(); !mode.IsRegular() {
		what := "something else"
		switch {
		case mode.IsDir():
			what = "a folder"
		case mode&fs.ModeNamedPipe != 0:
			what = "a pipe"
		case mode&fs.ModeDevice != 0:
			what = "a device"
		}
		return fmt.Errorf("%s: found %s, want a file", name, what)
	}
	return nil
}
