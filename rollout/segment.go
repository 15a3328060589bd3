package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	activeName = "journal.jsonl"      // the newest segment
	nextName   = "journal.jsonl.next" // the next one, until it takes the place of the newest
	closedName = "journal-%020d.jsonl"
)

// closedPath is where a segment is that is not the newest, by its first record.
func closedPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf(closedName, first))
}

// closedSegments finds the first records of the segments that are not the newest
// among the names of a folder, in order.
func closedSegments(names []string) (firsts []uint64) {
	for _, name := range names {
		digits := strings.TrimSuffix(strings.TrimPrefix(name, "journal-"), ".jsonl")
		if first, err := strconv.ParseUint(digits, 10, 64); err == nil && name == fmt.Sprintf(closedName, first) {
			firsts = append(firsts, first)
		}
	}
	slices.Sort(firsts)
	return firsts
}

// openActive opens the newest segment, makes an end of what a crash left half done,
// and reads it. Where something is wrong it changes nothing.
func (j *FileJournal) openActive() error {
	names, err := j.disk.Names(j.dir)
	if err != nil {
		return err
	}
	closed, next := closedSegments(names), slices.Contains(names, nextName)
	if !slices.Contains(names, activeName) && (next || len(closed) > 0) {
		// Between the two renames of begin.
		if err := j.checkNext(closed); err != nil {
			return err
		}
		if err := j.disk.Rename(filepath.Join(j.dir, nextName), j.path()); err != nil {
			return err
		}
		next = false
	}
	if j.active, err = j.disk.Open(j.path(), os.O_RDWR|os.O_CREATE); err != nil {
		return err
	}
	if err := j.active.Lock(); err != nil { // for older releases, which know no other lock
		return err
	}
	if err := j.readActive(); err != nil {
		return err
	}
	if n := len(closed); n > 0 && j.size == 0 {
		return fmt.Errorf("%w: it has no record, and %s is older", ErrCorrupt, closedPath(j.dir, closed[n-1]))
	} else if n > 0 && closed[n-1] >= j.first {
		return fmt.Errorf("%w: it begins with record %d, and %s is not older", ErrCorrupt, j.first, closedPath(j.dir, closed[n-1]))
	}
	if j.torn > 0 {
		if err := j.active.Truncate(j.size); err != nil {
			return err
		}
	}
	if next { // nobody was told of it
		if err := j.disk.Remove(filepath.Join(j.dir, nextName)); err != nil {
			return err
		}
	}
	return j.active.Sync()
}

// readActive checks the newest segment and finds where its last complete record
// ends.
func (j *FileJournal) readActive() error {
	end, err := j.active.Size()
	if err != nil {
		return err
	}
	s := newScanner(chain{}, io.NewSectionReader(j.active, 0, end), 0)
	for j.first = 1; ; {
		r, err := s.next()
		if err == io.EOF {
			j.end, j.size, j.torn = s.chain, s.at, end-s.at
			return nil
		} else if err != nil {
			return err
		}
		if j.size == 0 {
			j.first, j.size = r.Seq, s.at
			if r.Kind == KindCheckpoint {
				j.base = s.at
			}
		}
	}
}

// checkNext looks whether the segment that was being begun is a whole checkpoint
// that follows the one before, if that is still there.
func (j *FileJournal) checkNext(closed []uint64) error {
	f, err := j.disk.Open(filepath.Join(j.dir, nextName), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: it is missing, and %s is older", ErrCorrupt, closedPath(j.dir, closed[len(closed)-1]))
	} else if err != nil {
		return err
	}
	defer f.Close()
	var before chain
	if n := len(closed); n > 0 {
		if before, err = j.lastOf(closed[n-1]); err != nil {
			return err
		}
	}
	size, err := f.Size()
	if err != nil {
		return err
	}
	s := newScanner(before, io.NewSectionReader(f, 0, size), 0)
	r, err := s.next()
	if err != nil && err != io.EOF {
		return fmt.Errorf("%s: %w", nextName, err)
	} else if err == io.EOF || s.at != size || r.Kind != KindCheckpoint {
		return fmt.Errorf("%w: it is missing, and %s is not a checkpoint", ErrCorrupt, nextName)
	}
	return nil
}

// lastOf is the end of an older segment.
func (j *FileJournal) lastOf(first uint64) (chain, error) {
	s := &segment{disk: j.disk, dir: j.dir, first: first, limit: -1}
	for _, err := range s.records() {
		if err != nil {
			return chain{}, err
		}
	}
	return s.end, nil
}

// Checkpoint begins a new segment with a checkpoint. The disk has half a minute for it.
func (j *FileJournal) Checkpoint(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	e, g := &entry{record: r}, &group{done: make(chan struct{})}
	err := j.await(ctx, g, e, slowestCheckpoint, func(g *group) {
		defer j.over(g)
		j.mu.Lock()
		j.working = g
		j.mu.Unlock()
		e.record, e.err = j.checkpoint(r, g)
	})
	if err != nil {
		return r, err
	}
	return e.record, e.err
}

func (j *FileJournal) checkpoint(r Record, g *group) (Record, error) {
	if err := j.ready(); err != nil {
		return r, err
	}
	if err := r.checkpointAfter(j.end.seq); err != nil {
		return r, &Error{"append", j.path(), err}
	}
	end := j.end
	sealed, line, err := end.seal(r)
	if err != nil {
		return r, &Error{"append", j.path(), err}
	}
	if j.size == 0 {
		err = j.write(line, end, g)
	} else {
		err = j.begin(line, end, g)
	}
	if err != nil {
		return r, err
	}
	j.mu.Lock()
	j.first, j.size, j.base = sealed.Seq, int64(len(line)), int64(len(line))
	j.mu.Unlock()
	return sealed, nil
}

// begin makes a segment with one line the newest. Each step is on the disk before
// the next: a crash leaves a next segment to be thrown away, or no newest one and a
// next to take its place.
func (j *FileJournal) begin(line []byte, end chain, g *group) error {
	names, err := j.disk.Names(j.dir)
	if err != nil {
		return j.failed(err)
	}
	next, closed := filepath.Join(j.dir, nextName), closedPath(j.dir, j.first)
	if slices.Contains(names, filepath.Base(closed)) {
		return j.failed(fmt.Errorf("%s is in the way of a new segment", closed))
	}
	j.broken, j.moving = true, true
	f, err := j.disk.Open(next, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return j.failed(err)
	}
	if _, err = f.WriteAt(line, 0); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	for _, step := range []func() error{
		func() error { return j.disk.SyncDir(j.dir) },
		j.active.Close, // no system renames an open file, and not all do
		func() error { return j.disk.Rename(j.path(), closed) },
		func() error { return j.disk.SyncDir(j.dir) },
		func() error { return j.disk.Rename(next, j.path()) },
		func() error { return j.disk.SyncDir(j.dir) },
		j.reopen,
		j.holds,
		func() error { return j.settle(g) },
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		return j.failed(err)
	}
	j.broken, j.moving, j.end = false, false, end
	return nil
}

// moveBack undoes what begin has done.
func (j *FileJournal) moveBack() error {
	names, err := j.disk.Names(j.dir)
	if err != nil {
		return err
	}
	if closed := closedPath(j.dir, j.first); slices.Contains(names, filepath.Base(closed)) {
		if err := j.disk.Rename(closed, j.path()); err != nil {
			return err
		}
	}
	// Until that is on the disk, the next segment may be what a crash has to go on with.
	if err := j.disk.SyncDir(j.dir); err != nil {
		return err
	}
	if slices.Contains(names, nextName) {
		return j.disk.Remove(filepath.Join(j.dir, nextName))
	}
	return nil
}
