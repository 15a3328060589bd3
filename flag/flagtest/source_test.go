package flagtest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flaghttp"
	"github.com/guidon-go/guidon/flag/flagtest"
)

// memory is a source with a fault or none.
type memory struct {
	data   []byte
	broken bool
	seen   bool // whether what is there was read

	// The faults.
	shares, sharesPut, torn, silent, empty, beside, deaf, hangs, nameless, renamed, never, dies bool

	before []byte
}

var errBroken = errors.New("broken")

func (m *memory) Read(ctx context.Context) ([]byte, error) {
	if m.hangs && ctx.Err() != nil {
		time.Sleep(time.Minute)
	}
	if ctx.Err() != nil && !m.deaf {
		return nil, ctx.Err()
	}
	switch {
	case m.broken && m.silent:
		return bytes.Clone(m.data), nil
	case m.broken && m.empty:
		return nil, errors.New("")
	case m.broken && m.beside:
		return bytes.Clone(m.data), errBroken
	case m.broken:
		return nil, errBroken
	case m.torn && !m.seen:
		m.seen = true
		return bytes.Clone(m.data[:len(m.data)/2]), nil
	case m.never:
		return bytes.Clone(m.before), nil
	case m.shares:
		return m.data, nil
	}
	return bytes.Clone(m.data), nil
}

func (m *memory) String() string {
	switch {
	case m.nameless:
		return "\n"
	case m.renamed:
		return fmt.Sprint("memory ", m.broken)
	}
	return "memory"
}

func newMemory(faults memory) func(data []byte) (flag.Source, func([]byte), func()) {
	return func(data []byte) (flag.Source, func([]byte), func()) {
		m := faults
		m.data, m.before, m.seen = data, data, true
		return &m, func(data []byte) {
				if m.broken && m.dies {
					return
				}
				if !m.sharesPut {
					data = bytes.Clone(data)
				}
				m.before, m.data, m.broken, m.seen = m.data, data, false, false
			},
			func() { m.broken = true }
	}
}

// told collects the errors of a kit.
type told struct {
	testing.TB
	lines []string
}

func (t *told) Errorf(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf(format, args...))
}

// TestWrongSources: each fault breaks its rule, and no other.
func TestWrongSources(t *testing.T) {
	for want, faults := range map[string]memory{
		"":                            {},
		"owned: Read returns \"xxx":   {shares: true},
		"owned: Read returns \"\\x00": {sharesPut: true},
		"later: Read returns \"":      {torn: true},
		"later: Read returns the document before, 1m0s":                      {never: true},
		"broken: Read returns \"":                                            {silent: true},
		"broken: the error says nothing":                                     {empty: true},
		"broken: Read returns \"{\\\"fl":                                     {beside: true},
		"broken: Read still fails 1m0s after the source was mended: broken":  {dies: true},
		"context: Read returns the error <nil> with a context that is over":  {deaf: true},
		"context: Read has not returned 1s after its context was over":       {hangs: true},
		"named: String returns \"\\n\", want a name in one line":             {nameless: true},
		"named: String returns \"memory true\", and \"memory false\" before": {renamed: true},
	} {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := &told{TB: t}
				flagtest.TestSource(got, newMemory(faults))
				rule, _, _ := strings.Cut(want, ":")
				for _, line := range got.lines {
					if found, _, _ := strings.Cut(line, ":"); found != rule && !(faults.torn || faults.never || faults.silent) {
						t.Errorf("another rule is broken: %s", line)
					}
				}
				if all := strings.Join(got.lines, "\n"); want == "" && all != "" || !strings.Contains(all, want) {
					t.Errorf("found\n%s\nwant %q", all, want)
				}
				time.Sleep(time.Hour) // for the one that hangs
			})
		})
	}
}

// TestOwnSources: those of this library keep the rules that others must keep.
func TestOwnSources(t *testing.T) {
	onDisk := func(source func(folder string) flag.Source) func(data []byte) (flag.Source, func([]byte), func()) {
		return func(data []byte) (flag.Source, func([]byte), func()) {
			folder := t.TempDir()
			path := filepath.Join(folder, "flags.json")
			put := func(data []byte) {
				next := path + ".next"
				if err := errors.Join(os.WriteFile(next, data, 0o600), os.Rename(next, path)); err != nil {
					t.Fatal(err)
				}
			}
			put(data)
			return source(folder), put, func() { _ = os.Remove(path) }
		}
	}
	t.Run("File", func(t *testing.T) {
		flagtest.TestSource(t, onDisk(func(folder string) flag.Source { return flag.File(filepath.Join(folder, "flags.json")) }))
	})
	t.Run("FS", func(t *testing.T) {
		flagtest.TestSource(t, onDisk(func(folder string) flag.Source { return flag.FS(os.DirFS(folder), "flags.json") }))
	})
	t.Run("Bytes", func(t *testing.T) {
		flagtest.TestSource(t, func(data []byte) (flag.Source, func([]byte), func()) { return flag.Bytes(data), nil, nil })
	})
	t.Run("SourceFunc", func(t *testing.T) {
		flagtest.TestSource(t, func(data []byte) (flag.Source, func([]byte), func()) {
			source, put, breakIt := newMemory(memory{})(data)
			return flag.SourceFunc(source.Read), put, breakIt
		})
	})
	t.Run("HTTP", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			flagtest.TestSource(t, func(data []byte) (flag.Source, func([]byte), func()) {
				s := &server{data: data}
				return s.source(t, "http://flags", &http.Client{Transport: s}), s.put, s.breakIt
			})
		})
	})
	t.Run("HTTP over a socket", func(t *testing.T) {
		flagtest.TestSource(t, func(data []byte) (flag.Source, func([]byte), func()) {
			s := &server{data: data}
			socket := httptest.NewServer(s)
			t.Cleanup(socket.Close)
			return s.source(t, socket.URL, nil), s.put, s.breakIt
		})
	})
}

// server has one document, with a socket or without.
type server struct {
	mu      sync.Mutex
	data    []byte
	version int
	broken  bool
}

func (s *server) source(t *testing.T, address string, client *http.Client) flag.Source {
	source, err := flaghttp.NewSource(address, flaghttp.SourceOptions{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func (s *server) put(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data, s.broken = bytes.Clone(data), false
	s.version++
}

func (s *server) breakIt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = true
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result(), r.Context().Err()
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := fmt.Sprintf("%q", fmt.Sprint(s.version))
	w.Header().Set("ETag", tag)
	switch {
	case s.broken:
		w.WriteHeader(http.StatusBadGateway)
	case r.Header.Get("If-None-Match") == tag:
		w.WriteHeader(http.StatusNotModified)
	default:
		_, _ = io.Copy(w, bytes.NewReader(s.data))
	}
}
