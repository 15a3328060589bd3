package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// How long the disk has. What it has not done by then is as what it could not do, also
// if it is done in the end: nobody waits for it any more.
const (
	slowest           = 5 * time.Second
	slowestCheckpoint = 30 * time.Second // it may be large
)

var errSlow = errors.New("the disk does not answer")

// group is what is written together.
type group struct {
	entries []*entry
	done    chan struct{} // closed when all of it was written, or refused
	sure    bool          // it is in the journal; guarded by mu
	late    bool          // somebody was told that it is not; guarded by mu
}

type entry struct {
	record Record // as it was given, then as it was written
	err    error
}

// Append writes a record and waits until it is on the disk. A disk that does not answer
// for five seconds is an error, and what it wrote then is taken back when it can be.
func (j *FileJournal) Append(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	if err := r.notCheckpoint(); err != nil {
		return r, &Error{"append", j.path(), err}
	}
	e := &entry{record: r}
	j.mu.Lock()
	if j.working != nil && j.working.late {
		j.mu.Unlock()
		return r, j.slow()
	}
	if j.group == nil {
		j.group = &group{done: make(chan struct{})}
	}
	g := j.group
	g.entries = append(g.entries, e)
	j.mu.Unlock()
	// The first whose turn it is writes for all who came until then.
	if err := j.await(context.WithoutCancel(ctx), g, e, slowest, j.commit); err != nil {
		return r, err
	}
	return e.record, e.err
}

// await has work done in turn, unless somebody else does it, and waits until a group is
// done, for so long at most; the context ends the wait for the turn. The work has a
// goroutine, as nothing ends a call of the system that hangs.
func (j *FileJournal) await(ctx context.Context, g *group, e *entry, most time.Duration, work func(*group)) error {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for turn, stop := j.turn, ctx.Done(); ; {
		select {
		case <-g.done:
			return nil
		case <-stop:
			return ctx.Err()
		case turn <- struct{}{}:
			turn, stop = nil, nil
			go work(g)
		case <-timer.C:
			if j.giveUp(g, e) {
				return j.slow()
			}
		}
	}
}

func (j *FileJournal) slow() error { return &Error{"append", j.path(), errSlow} }

// giveUp makes sure that a record will not be in the journal, unless it is already. With
// it goes all that is being written.
func (j *FileJournal) giveUp(g *group, e *entry) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.group == g { // nobody has begun with it
		g.entries = slices.DeleteFunc(g.entries, func(other *entry) bool { return other == e })
		return true
	}
	g.late = !g.sure
	return g.late
}

// settle makes sure that a group is in the journal, unless it was given up.
func (j *FileJournal) settle(g *group) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if g.late {
		return errSlow
	}
	g.sure = true
	return nil
}

// over ends the work at a group, and gives the turn to the next.
func (j *FileJournal) over(g *group) {
	j.mu.Lock()
	j.working = nil
	j.mu.Unlock()
	close(g.done)
	<-j.turn
}

// commit writes a group, unless that was done, and gives the turn to the next.
func (j *FileJournal) commit(g *group) {
	j.mu.Lock()
	open := j.group == g
	if open {
		j.group, j.working = nil, g
	}
	j.mu.Unlock()
	if !open {
		<-j.turn
		return
	}
	defer j.over(g)
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
	err = j.write(lines, end, g)
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
func (j *FileJournal) write(lines []byte, end chain, g *group) error {
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
	if err := j.settle(g); err != nil {
		return j.failed(err)
	}
	j.broken, j.unsure, j.end = false, 0, end
	j.mu.Lock()
	j.size += int64(len(lines))
	j.mu.Unlock()
	return nil
}
