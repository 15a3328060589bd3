package rollout_test

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/guidon-go/guidon/rollout"
)

// pageSize is small, so that a record has several.
const pageSize = 64

// how much of an operation happens that fails, or of what was not synced when the
// machine stops.
type how int

const (
	nothing how = iota
	half
	all
	late // of a crash: what was done to the folder last, and all that is in the files
)

// memoryDisk is a disk that can fail and stop, and then has only what was synced, or
// more. A sync that fails leaves its pages clean, as Linux does.
type memoryDisk struct {
	noLocks bool
	// fault, if any, is asked before each operation; what comes back fails it.
	fault func(op, path string) (how, error)

	mu    sync.Mutex // guards what follows
	dirs  map[string]bool
	names map[string]*node // as processes see them
	kept  map[string]*node // as they are after a crash
	moves []func(map[string]*node)
	syncs int
}

type node struct {
	data  []byte // as processes see it
	kept  []byte // as it is after a crash
	dirty map[int]bool
	owner *handle // who has it locked
}

func newMemoryDisk() *memoryDisk {
	return &memoryDisk{dirs: map[string]bool{}, names: map[string]*node{}, kept: map[string]*node{}}
}

// failing sets fault while others use the disk.
func (d *memoryDisk) failing(fault func(op, path string) (how, error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = fault
}

func (d *memoryDisk) ask(op, path string) (how, error) {
	d.mu.Lock()
	fault := d.fault
	d.mu.Unlock()
	if fault == nil {
		return all, nil
	}
	h, err := fault(op, path)
	if err != nil {
		return h, &fs.PathError{Op: op, Path: path, Err: err}
	}
	return all, nil
}

// do carries out what happens as a whole or not at all.
func (d *memoryDisk) do(op, path string, f func() error) error {
	h, err := d.ask(op, path)
	if h != all {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := f(); err == nil && e != nil {
		return &fs.PathError{Op: op, Path: path, Err: e}
	}
	return err
}

func (d *memoryDisk) Mkdir(dir string) error {
	return d.do("mkdir", dir, func() error { d.dirs[dir] = true; return nil })
}

func (d *memoryDisk) Names(dir string) (names []string, err error) {
	err = d.do("list", dir, func() error {
		if !d.dirs[dir] {
			return fs.ErrNotExist
		}
		for name := range d.names {
			if filepath.Dir(name) == dir {
				names = append(names, filepath.Base(name))
			}
		}
		slices.Sort(names)
		return nil
	})
	return names, err
}

// change applies to the names now, and after the next sync of the folder.
func (d *memoryDisk) change(f func(map[string]*node)) {
	f(d.names)
	d.moves = append(d.moves, f)
}

func (d *memoryDisk) Open(name string, flag int) (f rollout.File, err error) {
	err = d.do("open", name, func() error {
		n := d.names[name]
		if n == nil {
			if flag&os.O_CREATE == 0 {
				return fs.ErrNotExist
			}
			n = &node{dirty: map[int]bool{}}
			d.change(func(names map[string]*node) { names[name] = n })
		}
		if flag&os.O_TRUNC != 0 {
			n.data = nil
		}
		f = &handle{disk: d, path: name, node: n}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d *memoryDisk) Rename(from, to string) error {
	return d.do("rename", from, func() error {
		n := d.names[from]
		if n == nil {
			return fs.ErrNotExist
		}
		d.change(func(names map[string]*node) {
			if names[from] == n { // it may not have got there
				delete(names, from)
			}
			names[to] = n
		})
		return nil
	})
}

func (d *memoryDisk) Remove(name string) error {
	return d.do("remove", name, func() error {
		if d.names[name] == nil {
			return fs.ErrNotExist
		}
		d.change(func(names map[string]*node) { delete(names, name) })
		return nil
	})
}

func (d *memoryDisk) SyncDir(dir string) error {
	return d.do("sync", dir, func() error {
		d.kept, d.moves = maps.Clone(d.names), nil
		return nil
	})
}

// crash stops the machine: so much of what was not synced is there afterwards.
func (d *memoryDisk) crash(h how) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
	names := d.kept
	for i, move := range d.moves {
		first := i < (len(d.moves)+1)/2
		if h == all || h == half && first || h == late && !first {
			move(names)
		}
	}
	d.names, d.kept, d.moves = names, maps.Clone(names), nil
	for _, n := range d.names {
		n.owner = nil
		switch h {
		case half:
			n.sync(half)
		case all, late:
			n.sync(all)
		}
		n.data, n.dirty = slices.Clone(n.kept), map[int]bool{}
	}
}

// die ends the process: the system goes on, and has what was written.
func (d *memoryDisk) die() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
	for _, n := range d.names {
		n.owner = nil
	}
}

// raw is what processes see of a file.
func (d *memoryDisk) raw(name string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := d.names[name]; n != nil {
		return slices.Clone(n.data)
	}
	return nil
}

// put writes a file as somebody else would.
func (d *memoryDisk) put(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dirs[filepath.Dir(name)] = true
	n := d.names[name]
	if n == nil {
		n = &node{}
		d.names[name], d.kept[name] = n, n
	}
	n.data, n.kept, n.dirty = slices.Clone(data), slices.Clone(data), map[int]bool{}
}

func (d *memoryDisk) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.names)) {
		fmt.Fprintf(&b, "%s: %d bytes\n", path.Base(name), len(d.names[name].data))
	}
	return b.String()
}

// sync writes dirty pages, all or the first half of them; the rest is lost.
func (n *node) sync(h how) {
	if h == nothing {
		n.dirty = map[int]bool{}
		return
	}
	kept := make([]byte, len(n.data))
	copy(kept, n.kept)
	pages := slices.Sorted(maps.Keys(n.dirty))
	if h == half {
		pages = pages[:len(pages)/2]
	}
	for _, p := range pages {
		if from := p * pageSize; from < len(n.data) {
			copy(kept[from:], n.data[from:min(from+pageSize, len(n.data))])
		}
	}
	n.kept, n.dirty = kept, map[int]bool{}
}

type handle struct {
	disk   *memoryDisk
	path   string
	node   *node
	closed bool // guarded by disk.mu
}

func (f *handle) do(op string, do func() error) error {
	return f.disk.do(op, f.path, func() error {
		if f.closed {
			return fs.ErrClosed
		}
		return do()
	})
}

func (f *handle) ReadAt(p []byte, off int64) (n int, err error) {
	end := false
	err = f.do("read", func() error {
		if off < int64(len(f.node.data)) {
			n = copy(p, f.node.data[off:])
		}
		end = n < len(p)
		return nil
	})
	if err == nil && end {
		return n, io.EOF
	}
	return n, err
}

func (f *handle) WriteAt(p []byte, off int64) (int, error) {
	h, err := f.disk.ask("write", f.path)
	n := []int{0, len(p) / 2, len(p)}[h]
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return 0, fs.ErrClosed
	}
	if n > 0 {
		if end := int(off) + n; end > len(f.node.data) {
			f.node.data = append(f.node.data, make([]byte, end-len(f.node.data))...)
		}
		copy(f.node.data[off:], p[:n])
		for page := int(off) / pageSize; page*pageSize < int(off)+n; page++ {
			f.node.dirty[page] = true
		}
	}
	return n, err
}

func (f *handle) Sync() error {
	h, err := f.disk.ask("sync", f.path)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.disk.syncs++
	f.node.sync(h)
	return err
}

func (f *handle) Truncate(size int64) error {
	return f.do("truncate", func() error { f.node.data = f.node.data[:size]; return nil })
}

func (f *handle) Size() (size int64, err error) {
	err = f.do("stat", func() error { size = int64(len(f.node.data)); return nil })
	return size, err
}

func (f *handle) Lock() error {
	return f.do("lock", func() error {
		if f.disk.noLocks {
			return nil
		}
		if f.node.owner != nil && f.node.owner != f {
			return rollout.ErrLocked
		}
		f.node.owner = f
		return nil
	})
}

// Close always closes, as systems do, also where it fails.
func (f *handle) Close() error {
	_, err := f.disk.ask("close", f.path)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	if f.node.owner == f {
		f.node.owner = nil
	}
	return err
}
