package rollout

import (
	"context"
	"errors"
	"fmt"
)

// group is what is written together.
type group struct {
	entries []*entry
	done    chan struct{} // closed when all of it was written, or refused
}

type entry struct {
	record Record // as it was given, then as it was written
	err    error
}

// Append writes a record and waits until it is on the disk.
func (j *FileJournal) Append(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if err := r.notCheckpoint(); err != nil {
		return r, &Error{"append", j.path(), err}
	}
	e := &entry{record: r}
	j.mu.Lock()
	if j.group == nil {
		j.group = &group{done: make(chan struct{})}
	}
	g := j.group
	g.entries = append(g.entries, e)
	j.mu.Unlock()
	// The first whose turn it is writes for all who came until then.
	select {
	case <-g.done:
	case j.turn <- struct{}{}:
		j.commit(g)
	}
	return e.record, e.err
}

// commit writes a group, unless that was done, and gives the turn to the next.
func (j *FileJournal) commit(g *group) {
	defer func() { <-j.turn }()
	j.mu.Lock()
	open := j.group == g
	if open {
		j.group = nil
	}
	j.mu.Unlock()
	if !open {
		return
	}
	defer close(g.done)
	end, sealed, lines := j.end, make([]Record, len(g.entries)), []byte(nil)
	err := j.ready()
	for i, e := range g.entries {
		if err != nil {
			e.err = err
			continue
		}
		var line []byte
		var wrong error
		if sealed[i], line, wrong = end.seal(e.record); wrong != nil {
			e.err = &Error{"append", j.path(), wrong}
			continue
		}
		lines = append(lines, line...)
	}
	if len(lines) == 0 {
		return
	}
	err = j.write(lines, end)
	for i, e := range g.entries {
		if e.err == nil {
			if e.err = err; err == nil {
				e.record = sealed[i]
			}
		}
	}
}

// ready says that something can be appended: what failed before is repaired, and
// nobody else writes. The error is what Append returns.
func (j *FileJournal) ready() error {
	if j.err != nil {
		return j.err
	}
	if j.broken {
		return j.failed(j.repair())
	}
	if err := j.holds(); err != nil {
		return j.failed(err)
	}
	return j.failed(sizeIs(j.active, j.size, 0))
}

// sizeIs compares a file with what this writer left there, and some more that it
// may have.
func sizeIs(f file, want, more int64) error {
	size, err := f.Size()
	switch {
	case err != nil:
		return err
	case size < want:
		return fmt.Errorf("%w: it has %d bytes, want %d: records were cut off", ErrCorrupt, size, want)
	case size > want+more:
		return fmt.Errorf("%w: it has %d bytes, want %d", ErrFenced, size, want)
	}
	return nil
}

// failed keeps what never heals.
func (j *FileJournal) failed(err error) error {
	if err == nil {
		return nil
	}
	err = &Error{"append", j.path(), err}
	if errors.Is(err, ErrFenced) || errors.Is(err, ErrCorrupt) {
		j.err = err
	}
	return err
}

// write puts lines at the end of the file, with one sync. Afterwards it looks
// whether this is still the writer: if so, whoever takes over will read them.
func (j *FileJournal) write(lines []byte, end chain) error {
	j.broken, j.unsure = true, int64(len(lines))
	if _, err := j.active.WriteAt(lines, j.size); err != nil {
		return j.failed(err)
	}
	if err := j.active.Sync(); err != nil {
		return j.failed(err)
	}
	if err := j.holds(); err != nil {
		return j.failed(err)
	}
	j.broken, j.unsure, j.end = false, 0, end
	j.mu.Lock()
	j.size += int64(len(lines))
	j.mu.Unlock()
	return nil
}
