package rollout

import (
	"bytes"
	"fmt"
	"os"
)

// repair finds out what is on the disk after something failed, and takes back what
// was not acknowledged. It reads from a file that is opened anew, since the old one
// may not tell of its failures twice.
func (j *FileJournal) repair() error {
	if err := j.holds(); err != nil {
		return err
	}
	j.active.Close() // what it has to say is known
	if j.moving {
		if err := j.moveBack(); err != nil {
			return err
		}
	}
	if err := j.reopen(); err != nil {
		return err
	}
	f := j.active
	if err := sizeIs(f, j.size, j.unsure); err != nil {
		return err
	}
	// The page with the last record may have been lost with what was written after
	// it: it is written again, as it was.
	tail := make([]byte, min(j.size, 1<<16))
	if _, err := f.ReadAt(tail, j.size-int64(len(tail))); err != nil {
		return err
	}
	if err := j.acknowledged(tail); err != nil {
		return corrupt(fmt.Sprintf("before byte %d", j.size), err)
	}
	if _, err := f.WriteAt(tail, j.size-int64(len(tail))); err != nil {
		return err
	}
	if err := f.Truncate(j.size); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	j.broken, j.unsure, j.moving = false, 0, false
	return nil
}

// reopen opens journal.jsonl, which is there, after the old file was closed.
func (j *FileJournal) reopen() error {
	f, err := j.disk.Open(j.path(), os.O_RDWR)
	if err != nil {
		return err
	}
	j.active = f
	return f.Lock()
}

// acknowledged looks whether the last bytes of the file end as they did when they
// were acknowledged.
func (j *FileJournal) acknowledged(tail []byte) error {
	lines := bytes.SplitAfter(tail, []byte("\n"))
	if int64(len(tail)) < j.size {
		lines = lines[1:] // it may not be whole
	}
	last := ""
	for _, line := range lines {
		if len(line) == 0 {
			break
		}
		r, err := unseal(line[:len(line)-1], j.end.seq)
		if err != nil {
			return err
		}
		last = r.Sum
	}
	if len(lines) > 1 && last != j.end.sum {
		return fmt.Errorf("found another record than %d at the end", j.end.seq)
	}
	return nil
}
