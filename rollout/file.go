package rollout

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
)

// fileName is the journal's file in its folder: one JSON object a line.
const fileName = "journal.jsonl"

// FileJournal is a journal in a folder. Every record is on the disk, with its
// folder, before Append returns.
type FileJournal struct {
	path string
	torn int64

	mu   sync.Mutex // guards what follows
	file *os.File
	size int64
	seq  uint64
	prev string
	err  error // why nothing can be appended any more
}

// OpenFile opens the journal in a folder, and makes both if they are not there.
// Every record is checked. An incomplete last record, as a crash leaves it, is cut
// off; see [FileJournal.Torn]. Any other damage is [ErrCorrupt], with its place,
// and nothing is changed. While it is open, other processes get [ErrLocked], on
// systems that have flock.
func OpenFile(dir string) (*FileJournal, error) {
	j := &FileJournal{path: filepath.Join(dir, fileName)}
	if err := j.open(dir); err != nil {
		if j.file != nil {
			j.file.Close()
		}
		return nil, &Error{"open", j.path, err}
	}
	return j, nil
}

func (j *FileJournal) open(dir string) (err error) {
	_, missing := os.Stat(dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if missing != nil {
		if err := syncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := lockFile(j.file); err != nil {
		return err
	}
	end, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	for r, err := range j.read(end) {
		if err != nil {
			return err
		}
		j.seq, j.prev = r.Seq, r.Sum
	}
	if j.torn = end - j.size; j.torn > 0 {
		if err := j.file.Truncate(j.size); err != nil {
			return err
		}
	}
	return errors.Join(j.file.Sync(), syncDir(dir))
}

// Torn is how many bytes of an incomplete last record were cut off when the
// journal was opened; nobody had been told that it was written.
func (j *FileJournal) Torn() int64 { return j.torn }

// Append writes a record and waits until it is on the disk. After an error
// nothing more is appended: open the journal again, which repairs it.
func (j *FileJournal) Append(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return r, j.err
	}
	r, line, err := seal(j.seq+1, j.prev, r)
	if err != nil {
		return r, &Error{"append", j.path, err}
	}
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.err = &Error{"append", j.path, err}
		return r, j.err
	}
	j.seq, j.prev, j.size = r.Seq, r.Sum, j.size+int64(len(line))
	return r, nil
}

// Records yields every record in order, checked.
func (j *FileJournal) Records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		j.mu.Lock()
		size := j.size
		j.mu.Unlock()
		for r, err := range scan(io.NewSectionReader(j.file, 0, size), func(int64) {}) {
			if err != nil {
				err = &Error{"read", j.path, err}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// Close lets go of the file. Appending afterwards is an error.
func (j *FileJournal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		j.err = &Error{"append", j.path, os.ErrClosed}
	}
	return j.file.Close()
}

// read scans the file when it is opened and keeps where its last complete record
// ends.
func (j *FileJournal) read(end int64) iter.Seq2[Record, error] {
	return scan(io.NewSectionReader(j.file, 0, end), func(size int64) { j.size = size })
}

// scan yields the complete records of a file, tells where each ends, and stops at
// an incomplete last one.
func scan(file io.Reader, ends func(int64)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		lines, offset, prev := bufio.NewReaderSize(file, 1<<16), int64(0), ""
		for seq := uint64(1); ; seq++ {
			line, err := lines.ReadBytes('\n')
			if err == io.EOF {
				return
			}
			var r Record
			if err == nil {
				if r, err = unseal(line[:len(line)-1], seq, prev); err != nil {
					err = fmt.Errorf("%w: at byte %d: %w", ErrCorrupt, offset, err)
				}
			}
			if err != nil {
				yield(r, err)
				return
			}
			offset, prev = offset+int64(len(line)), r.Sum
			ends(offset)
			if !yield(r, nil) {
				return
			}
		}
	}
}
