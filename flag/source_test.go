package flag_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// located is a real folder with a document, and the ways to read it.
type located struct {
	folder, path string
}

func newFolder(t *testing.T) located {
	folder := t.TempDir()
	return located{folder, filepath.Join(folder, "flags.json")}
}

// followed is a store of a file whose news are told.
type followed struct {
	*flag.Store
	told []string
}

// numbered is a document whose flags all serve the same number; it is some pages long.
func numbered(n int) string {
	var b strings.Builder
	b.WriteString(`{"flags": {`)
	for i := range 60 {
		fmt.Fprintf(&b, `%q: {"description": "a flag among many, so that the document has several pages", "variants": {"n": %04d}, "serve": "n"}, `, fmt.Sprintf("numbered-%03d", i), 1000+n)
	}
	return b.String() + `"numbered": {"variants": {"n": ` + fmt.Sprint(1000+n) + `}, "serve": "n"}}}`
}

var lastNumber, firstNumber = flag.Int("numbered", 0), flag.Int("numbered-000", 0)

// servedNumber is what serves now; negative if the snapshot is mixed of two documents.
func servedNumber(store *flag.Store) int64 {
	subject := flag.For("u")
	view := store.View(subject)
	first, last := firstNumber.From(view), lastNumber.From(view)
	if first != last {
		return -1
	}
	return last - 1000
}

func follow(t *testing.T, source flag.Source) *followed {
	f := &followed{}
	f.Store = flag.New(source, flag.Options{OnLoad: func(info flag.LoadInfo) {
		if f.told = append(f.told, "serves"); info.Refused {
			f.told[len(f.told)-1] = "refused"
		}
		if info.Refused != (info.Err != nil) {
			t.Errorf("refused is %v with %v", info.Refused, info.Err)
		}
	}})
	return f
}

// TestFilesGoWrong: whatever happens to a file, the last good document serves, the
// store says so once, and goes on when the file is good again.
func TestFilesGoWrong(t *testing.T) {
	write := func(p located, n int) error { return os.WriteFile(p.path, []byte(numbered(n)), 0o600) }
	tests := []struct {
		name  string
		spoil func(p located) error
		want  string // part of the error
		mend  func(p located) error
	}{
		{"vanishes", func(p located) error { return os.Remove(p.path) }, "flags.json", nil},
		{"its folder vanishes", func(p located) error { return os.RemoveAll(p.folder) }, "flags.json",
			func(p located) error { return errors.Join(os.Mkdir(p.folder, 0o700), write(p, 2)) }},
		{"is truncated", func(p located) error { return os.Truncate(p.path, 0) }, "invalid document", nil},
		{"is written half", func(p located) error { return os.Truncate(p.path, 5000) }, "invalid document", nil},
		{"turns into a folder", func(p located) error { return errors.Join(os.Remove(p.path), os.Mkdir(p.path, 0o700)) }, "found a folder, want a file",
			func(p located) error { return errors.Join(os.Remove(p.path), write(p, 2)) }},
		{"is replaced by nonsense", func(p located) error { return replace(p.path, "<html>") }, "invalid document", nil},
		{"is too long", func(p located) error { return os.Truncate(p.path, 64<<20+1) }, "found more than 64 MiB", nil},
	}
	for _, tt := range tests {
		for kind, source := range map[string]func(p located) flag.Source{
			"File": func(p located) flag.Source { return flag.File(p.path) },
			"FS":   func(p located) flag.Source { return flag.FS(os.DirFS(p.folder), "flags.json") },
		} {
			t.Run(kind+" "+tt.name, func(t *testing.T) {
				p := newFolder(t)
				store := follow(t, source(p))
				require.NoError(t, write(p, 1))
				require.NoError(t, store.Load(t.Context()))
				require.NoError(t, tt.spoil(p))
				for range 3 {
					require.ErrorContains(t, store.Load(t.Context()), tt.want)
					require.ErrorContains(t, store.Err(), tt.want)
					require.EqualValues(t, 1, servedNumber(store.Store))
				}
				if tt.mend == nil {
					tt.mend = func(p located) error { return write(p, 2) }
				}
				require.NoError(t, tt.mend(p))
				require.NoError(t, store.Load(t.Context()))
				require.NoError(t, store.Err())
				require.EqualValues(t, 2, servedNumber(store.Store))
				require.NoError(t, write(p, 1))
				require.NoError(t, store.Load(t.Context()))
				require.EqualValues(t, 1, servedNumber(store.Store), "it swaps back")
				require.Equal(t, []string{"serves", "refused", "serves", "serves"}, store.told)
			})
		}
	}
}

// replace puts a file in the place of another, as careful writers do.
func replace(path, text string) error {
	return errors.Join(os.WriteFile(path+".next", []byte(text), 0o600), os.Rename(path+".next", path))
}

func TestFileLosesPermissions(t *testing.T) {
	p := newFolder(t)
	require.NoError(t, os.WriteFile(p.path, []byte(numbered(1)), 0o600))
	store := follow(t, flag.File(p.path))
	require.NoError(t, store.Load(t.Context()))
	require.NoError(t, os.Chmod(p.path, 0))
	if f, err := os.Open(p.path); err == nil {
		f.Close()
		t.Skip("this user may read everything")
	}
	require.ErrorIs(t, store.Load(t.Context()), fs.ErrPermission)
	require.EqualValues(t, 1, servedNumber(store.Store))
	require.NoError(t, os.Chmod(p.path, 0o600))
	require.NoError(t, store.Load(t.Context()))
	require.Equal(t, []string{"serves", "refused", "serves"}, store.told)
}

// TestConfigMap moves files as Kubernetes does: a link to a link to a folder, of which
// the middle one is replaced, and the old folder removed.
func TestConfigMap(t *testing.T) {
	p := newFolder(t)
	data := filepath.Join(p.folder, "..data")
	publish := func(n int) {
		t.Helper()
		version := fmt.Sprintf("..version_%d", n)
		require.NoError(t, os.Mkdir(filepath.Join(p.folder, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(p.folder, version, "flags.json"), []byte(numbered(n)), 0o600))
		old, _ := os.Readlink(data)
		if err := os.Symlink(version, data+"_tmp"); err != nil {
			t.Skip("no symbolic links here:", err)
		}
		require.NoError(t, os.Rename(data+"_tmp", data))
		if old != "" {
			require.NoError(t, os.RemoveAll(filepath.Join(p.folder, old)))
		}
	}
	publish(0)
	require.NoError(t, os.Symlink(filepath.Join("..data", "flags.json"), p.path))
	store := follow(t, flag.File(p.path))
	for n := range 5 {
		if n > 0 {
			publish(n)
		}
		require.NoError(t, store.Load(t.Context()))
		require.EqualValues(t, n, servedNumber(store.Store))
	}
	require.NoError(t, os.Remove(data))
	require.ErrorIs(t, store.Load(t.Context()), fs.ErrNotExist)
	require.EqualValues(t, 4, servedNumber(store.Store))
	publish(5)
	require.NoError(t, store.Load(t.Context()))
	require.EqualValues(t, 5, servedNumber(store.Store))
}

// TestFileChangesAllTheTime: whoever writes, and however fast, what serves is always
// one of the documents that were written, and the last one in the end.
func TestFileChangesAllTheTime(t *testing.T) {
	for name, write := range map[string]func(path, text string) error{
		"replaced": replace,
		"in place": func(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFolder(t)
			require.NoError(t, os.WriteFile(p.path, []byte(numbered(0)), 0o600))
			store := flag.New(flag.File(p.path), flag.Options{OnLoad: func(flag.LoadInfo) {}})
			require.NoError(t, store.Load(t.Context()))
			ctx, cancel := context.WithCancel(t.Context())
			var writer sync.WaitGroup
			writer.Go(func() {
				for n := 1; ctx.Err() == nil; n++ {
					if err := write(p.path, numbered(n%8000)); err != nil {
						t.Error(err)
						return
					}
				}
			})
			for range 60 {
				err := store.Load(t.Context())
				if name == "replaced" && err != nil && !strings.Contains(err.Error(), "it had changed") {
					t.Error(err)
				}
				if n := servedNumber(store); n < 0 {
					t.Error("what serves is a mixture of two documents")
				}
			}
			cancel()
			writer.Wait()
			require.NoError(t, write(p.path, numbered(8001)))
			require.NoError(t, store.Load(t.Context()))
			require.EqualValues(t, 8001, servedNumber(store))
		})
	}
}

// TestFileIsReadUntilItRests: the beginning of one document and the end of another
// compile, and never serve.
func TestFileIsReadUntilItRests(t *testing.T) {
	opened := 0
	mixed := func(data string, times int) flag.Source {
		opened = 0
		return flag.FS(openFunc(func(name string) (fs.File, error) {
			if opened++; opened <= times {
				data := numbered(1)[:1000] + numbered(opened)[1000:]
				return fstest.MapFS{"f": {Data: []byte(data)}}.Open(name)
			}
			return fstest.MapFS{"f": {Data: []byte(data)}}.Open(name)
		}), "f")
	}
	data, err := mixed(numbered(7), 5).Read(t.Context())
	require.NoError(t, err)
	require.Equal(t, numbered(7), string(data))
	require.Equal(t, 7, opened)
	_, err = mixed(numbered(7), 1000).Read(t.Context())
	require.EqualError(t, err, "f: read 20 times, and each time it had changed")
}

type openFunc func(name string) (fs.File, error)

func (f openFunc) Open(name string) (fs.File, error) { return f(name) }

func TestFS(t *testing.T) {
	fsys := fstest.MapFS{
		"conf/flags.json": {Data: []byte(numbered(3))},
		"pipe":            {Mode: fs.ModeNamedPipe},
		"device":          {Mode: fs.ModeDevice},
		"socket":          {Mode: fs.ModeSocket},
	}
	store := flag.New(flag.FS(fsys, "conf/flags.json"), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	require.EqualValues(t, 3, servedNumber(store))
	for _, tt := range []struct {
		fsys fs.FS
		name string
		want string
	}{
		{fsys, "conf", "flag: load conf: conf: found a folder, want a file"},
		{fsys, "pipe", "flag: load pipe: pipe: found a pipe, want a file"},
		{fsys, "device", "flag: load device: device: found a device, want a file"},
		{fsys, "socket", "flag: load socket: socket: found something else, want a file"},
		{fsys, "/flags.json", "flag: load /flags.json: open /flags.json: file does not exist"},
		{fsys, "none", "flag: load none: open none: file does not exist"},
		{nil, "none", "flag: load none: found no file system, want one"},
		{openFunc(func(string) (fs.File, error) { return endless{}, nil }), "endless", "flag: load endless: endless: found more than 64 MiB, which is the most for a document"},
	} {
		require.EqualError(t, flag.New(flag.FS(tt.fsys, tt.name), flag.Options{}).Load(t.Context()), tt.want)
	}
}

// endless is a file without an end that says it is empty, as those of /proc do.
type endless struct{ fs.FileInfo }

func (endless) Stat() (fs.FileInfo, error) { return endless{}, nil }
func (endless) Read(p []byte) (int, error) { return len(p), nil }
func (endless) Close() error               { return nil }
func (endless) Size() int64                { return 0 }
func (endless) Mode() fs.FileMode          { return 0 }

// TestReadsAreTheCallers: what Read returns may be changed.
func TestReadsAreTheCallers(t *testing.T) {
	data := []byte("{}")
	got, err := flag.Bytes(data).Read(t.Context())
	require.NoError(t, err)
	got[0] = 'x'
	require.Equal(t, "{}", string(data))
}

// TestReadsEnd: a context that is over ends a read of whatever kind.
func TestReadsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := newFolder(t)
	require.NoError(t, os.WriteFile(p.path, []byte(numbered(1)), 0o600))
	for _, source := range []flag.Source{flag.File(p.path), flag.FS(os.DirFS(p.folder), "flags.json"), flag.Bytes(nil)} {
		_, err := source.Read(ctx)
		require.ErrorIs(t, err, context.Canceled)
	}
	broken := openFunc(func(string) (fs.File, error) { return brokenFile{}, nil })
	_, err := flag.FS(broken, "f").Read(t.Context())
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

// brokenFile fails while it is read.
type brokenFile struct{ endless }

func (brokenFile) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
