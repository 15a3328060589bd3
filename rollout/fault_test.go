package rollout_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// faults are what disks say.
var faults = []error{syscall.ENOSPC, syscall.EROFS, syscall.EACCES, syscall.EIO}

// writer uses a journal as an engine does that does not give up, and keeps what it
// was told.
type writer struct {
	disk    rollout.Disk
	dir     string
	tries   int
	journal *rollout.FileJournal
	acked   []string
	refused []string // in order
	last    error
}

// until tries something again until it works.
func (w *writer) until(what func(try int) error) bool {
	for try := range w.tries {
		if w.last = what(try); w.last == nil {
			return true
		}
	}
	return false
}

func (w *writer) open() bool {
	return w.until(func(int) (err error) {
		w.journal, err = rollout.OpenOn(w.disk, w.dir, rollout.FileOptions{})
		return err
	})
}

func (w *writer) add(name string) bool {
	return w.until(func(try int) error {
		// Each try is shorter, so that something is left of the one before.
		r := rollout.Record{Kind: rollout.KindBegun, Rollout: fmt.Sprint(name, ".", try), Reason: strings.Repeat("-", max(200-60*try, 0)), At: noon}
		_, err := w.journal.Append(context.Background(), r)
		return w.told(r.Rollout, err)
	})
}

// once does not try again.
func (w *writer) once(name string) bool {
	tries := w.tries
	w.tries = 1
	w.add(name)
	w.tries = tries
	return true
}

func (w *writer) checkpoint(name string) bool {
	return w.until(func(try int) error {
		r := rollout.Record{Kind: rollout.KindCheckpoint, Rollout: fmt.Sprint(name, ".", try), Checkpoint: &rollout.Checkpoint{}, At: noon}
		_, err := w.journal.Checkpoint(context.Background(), r)
		return w.told(r.Rollout, err)
	})
}

func (w *writer) told(name string, err error) error {
	if err == nil {
		w.acked = append(w.acked, name)
	} else {
		w.refused = append(w.refused, name)
	}
	return err
}

// live is a life of a journal with everything in it; false if it came to an end.
func (w *writer) live() bool {
	return w.open() && w.add("a") && w.add("b") && w.checkpoint("c") && w.add("d") && w.read() &&
		w.checkpoint("e") && w.checkpoint("f") && w.add("g") && w.close() && w.open() && w.add("h") && w.once("i") && w.close()
}

func (w *writer) read() bool {
	return w.until(func(int) error {
		var names []string
		for r, err := range w.journal.Records() {
			if err != nil {
				return err
			}
			names = append(names, r.Rollout)
		}
		if !slices.Equal(names, w.acked) {
			return fmt.Errorf("%w: read %q, want %q", errWrong, names, w.acked)
		}
		return nil
	})
}

var errWrong = errors.New("wrong")

// close fails if a refused record may still be there, and there is no second try.
func (w *writer) close() bool {
	w.last = w.journal.Close()
	return true
}

// inOrder says that the operations of a life are numbered from 1, and fails some.
func inOrder(fails func(n int, op string) (how, error)) (fault func(op, path string) (how, error), n *int) {
	n = new(int)
	return func(op, _ string) (how, error) {
		*n++
		return fails(*n, op)
	}, n
}

// holdsExactly opens the journal anew and wants the acknowledged records in it, and
// of the others none but those that may be there; and it wants it to go on.
func holdsExactly(t *testing.T, w *writer, maybe []string) {
	t.Helper()
	journal, err := rollout.OpenOn(w.disk, w.dir, rollout.FileOptions{})
	require.NoError(t, err)
	defer journal.Close()
	left, err := w.disk.Names(w.dir)
	require.NoError(t, err)
	require.NotContains(t, left, "journal.jsonl.next")
	var names []string
	for r, err := range journal.Records() {
		require.NoError(t, err)
		if !slices.Contains(maybe, r.Rollout) {
			names = append(names, r.Rollout)
		}
	}
	require.Equal(t, w.acked, names)
	_, err = journal.Append(context.Background(), rollout.Record{Kind: rollout.KindBegun, Rollout: "z", At: noon})
	require.NoError(t, err)
	require.NoError(t, rollout.Verify(journal.Records()))
}

// operations counts those of a life without faults.
func operations(t *testing.T) int {
	d := newMemoryDisk()
	fault, n := inOrder(func(int, string) (how, error) { return all, nil })
	d.fault = fault
	w := &writer{disk: d, dir: "/j", tries: 1}
	require.True(t, w.live(), "%v", w.last)
	require.NoError(t, w.last)
	d.fault = nil
	holdsExactly(t, w, nil)
	return *n
}

// TestEveryOperationFails lets each operation of a life fail once, and some more
// after it, in every way: the journal repairs itself, loses nothing that was
// acknowledged, and keeps nothing that was refused, also if the machine stops then.
func TestEveryOperationFails(t *testing.T) {
	total := operations(t)
	for k := 1; k <= total; k++ {
		for _, more := range []int{1, 3, 8} {
			for h := nothing; h <= all; h++ {
				d, op := newMemoryDisk(), ""
				d.fault, _ = inOrder(func(n int, o string) (how, error) {
					if n < k || n >= k+more {
						return all, nil
					}
					op = o
					return h, faults[n%len(faults)]
				})
				w := &writer{disk: d, dir: "/j", tries: more + 3}
				if !w.live() {
					t.Fatalf("%d operations from %d, %s, how %d: %v", more, k, op, h, w.last)
				}
				// Where even the last close failed, it may have had something to remove.
				var maybe []string
				if w.last != nil {
					maybe = w.refused
				}
				d.crash(how(k % 4))
				holdsExactly(t, w, maybe)
				failedAt(t, d, "%d operations from %d, %s, how %d", more, k, op, h)
			}
		}
	}
}

func failedAt(t *testing.T, d *memoryDisk, format string, args ...any) {
	t.Helper()
	if t.Failed() {
		t.Fatalf(format+", with\n%v", append(args, d)...)
	}
}

// dies lets the process die at an operation, which happens as far as it is said.
func dies(at int, h how) func(n int) (how, error) {
	return func(n int) (how, error) {
		switch {
		case n < at:
			return all, nil
		case n == at:
			return h, errCrash
		}
		return nothing, errCrash
	}
}

// TestEveryOperationIsTheLast lets the machine stop at each operation of a life, or
// just after it, with nothing, half or all of what was not synced on the disk.
func TestEveryOperationIsTheLast(t *testing.T) {
	noShortRace(t)
	total := operations(t)
	for k := 1; k <= total; k++ {
		for h := nothing; h <= all; h++ {
			for left := nothing; left <= late; left++ {
				d, op := newMemoryDisk(), ""
				d.fault, _ = inOrder(func(n int, o string) (how, error) {
					if n == k {
						op = o
					}
					return dies(k, h)(n)
				})
				w := &writer{disk: d, dir: "/j", tries: 2}
				w.live()
				d.crash(left)
				holdsExactly(t, w, w.refused) // nobody was told of what was being written
				failedAt(t, d, "%d, %s, how %d, left %d", k, op, h, left)
			}
		}
	}
}

// TestWhatWasReadStays: the process dies at each operation, and the next one reads
// what the system has; then the machine stops, and what was read is still there. A
// sync that failed just before is left out: nobody can tell a new process that the
// system's pages are not on the disk.
func TestWhatWasReadStays(t *testing.T) {
	total := operations(t)
	for k := 1; k <= total; k++ {
		for h := nothing; h <= all; h++ {
			d := newMemoryDisk()
			d.fault, _ = inOrder(func(n int, op string) (how, error) {
				h, err := dies(k, h)(n)
				if op == "sync" {
					h = all
				}
				return h, err
			})
			w := &writer{disk: d, dir: "/j", tries: 2}
			w.live()
			d.die()
			journal, err := rollout.OpenOn(d, "/j", rollout.FileOptions{})
			require.NoError(t, err)
			read := records(t, journal)
			d.crash(nothing)
			journal, err = rollout.OpenOn(d, "/j", rollout.FileOptions{})
			require.NoError(t, err)
			require.Equal(t, read, records(t, journal), "operation %d, how %d", k, h)
		}
	}
}

// TestEveryOperationFailsTwice: a fault, and another one, or the end, while it is
// repaired or soon after. Each gap comes with every sixth operation.
func TestEveryOperationFailsTwice(t *testing.T) {
	total, every := operations(t), 1
	if testing.Short() || raceEnabled {
		every = 11
	}
	for k := 1; k <= total; k += every {
		for gap := 2 + k%6; gap < 26; gap += 6 {
			for h := nothing; h <= all; h++ {
				for _, end := range []bool{false, true} {
					left, d := how(k/6+gap)%(late+1), newMemoryDisk()
					d.fault, _ = inOrder(func(n int, _ string) (how, error) {
						if n == k || !end && n == k+gap {
							return h, faults[n%len(faults)]
						} else if end {
							return dies(k+gap, h)(n)
						}
						return all, nil
					})
					w := &writer{disk: d, dir: "/j", tries: 4}
					if !w.live() && !end {
						t.Fatalf("%d and %d, how %d: %v", k, k+gap, h, w.last)
					}
					var maybe []string
					if w.last != nil {
						maybe = w.refused
					}
					d.crash(left)
					holdsExactly(t, w, maybe)
					failedAt(t, d, "%d and %d, how %d, left %d", k, k+gap, h, left)
				}
			}
		}
	}
}

// TestADamagedPage: a sync that failed damaged the page that has the end of the last
// record, too. The repair writes it again.
func TestADamagedPage(t *testing.T) {
	d := newMemoryDisk()
	w := &writer{disk: d, dir: "/j", tries: 1}
	require.True(t, w.open() && w.add("a"))
	file := d.names["/j/journal.jsonl"]
	d.fault = func(op, _ string) (how, error) {
		if op == "sync" {
			last := len(file.kept) / pageSize * pageSize
			copy(file.kept[last:], bytes.Repeat([]byte{0xff}, pageSize))
			return nothing, syscall.EIO
		}
		return all, nil
	}
	require.False(t, w.add("b"))
	writes := 0
	d.fault = func(op, path string) (how, error) {
		if op == "write" && path == "/j/journal.jsonl" {
			writes++
		}
		if writes > 1 {
			return nothing, errCrash
		}
		return all, nil
	}
	require.False(t, w.add("c"))
	d.crash(nothing)
	holdsExactly(t, w, nil)
}
