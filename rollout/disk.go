package rollout

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// disk is all that a file journal asks of the operating system, so that tests can
// let each of it fail.
type disk interface {
	Mkdir(dir string) error             // with its parents; it survives a crash
	Names(dir string) ([]string, error) // of what is in the folder, in order
	Open(path string, flag int) (file, error)
	Rename(from, to string) error // replaces what is there
	Remove(path string) error
	SyncDir(dir string) error // makes the names in the folder survive a crash
}

// file is an open one.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	Sync() error
	Lock() error // keeps others out until the file is closed, or is ErrLocked
}

// osDisk is the real one.
type osDisk struct{}

func (osDisk) Mkdir(dir string) error {
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil || missing == nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

func (osDisk) Names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, err
}

func (osDisk) Open(path string, flag int) (file, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) Remove(path string) error     { return os.Remove(path) }
func (osDisk) SyncDir(dir string) error     { return syncDir(dir) }

type osFile struct{ *os.File }

func (f osFile) Lock() error { return lockFile(f.File) }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// readAll reads a small file, and no more of it than so much.
func readAll(d disk, path string, most int) (text []byte, err error) {
	f, err := d.Open(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	text = make([]byte, most)
	n, err := f.ReadAt(text, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return text[:n], errors.Join(err, f.Close())
}
