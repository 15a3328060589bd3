package rollout

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
)

// Records yields every record that is still there, in order, checked, also across
// the files. A file that is missing between others is [ErrCorrupt].
func (j *FileJournal) Records() iter.Seq2[Record, error] { return j.records(j.closed) }

// Recent yields what is in journal.jsonl: the newest checkpoint and what follows it.
func (j *FileJournal) Recent() iter.Seq2[Record, error] {
	return j.records(func() ([]uint64, error) { return nil, nil })
}

func (j *FileJournal) closed() ([]uint64, error) {
	names, err := j.disk.Names(j.dir)
	if err != nil {
		return nil, &Error{"read", j.dir, err}
	}
	return closedSegments(names), nil
}

func (j *FileJournal) records(older func() ([]uint64, error)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		j.mu.Lock()
		first, size := j.first, j.size
		j.mu.Unlock()
		firsts, err := older()
		if err != nil {
			yield(Record{}, err)
			return
		}
		var end chain
		for _, f := range append(firsts, first) {
			s := &segment{disk: j.disk, dir: j.dir, first: f, limit: -1, end: end}
			if f == first {
				s.limit = size
			}
			for r, err := range s.records() {
				if err != nil && f < first && end.seq == 0 && (errors.Is(err, errGone) || errors.Is(err, os.ErrNotExist)) {
					break // the oldest was moved away since it was listed
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
			if end = s.end; f == first {
				return // what is closed since then is not of these
			}
		}
	}
}

// errGone is a file that was moved away, or a record that was taken back, while
// somebody read.
var errGone = errors.New("records are gone")

// errIncomplete is a line without an end where there must be one.
var errIncomplete = errors.New("an incomplete record")

// segment reads one file of a journal.
type segment struct {
	disk  disk
	dir   string
	first uint64 // its first record, by which it is found
	limit int64  // how much of it to read; negative for all that is there

	at     int64 // where reading goes on
	end    chain // what the record there must follow
	closed bool  // nothing more will be appended
}

// open finds the file, which may be renamed at any time.
func (s *segment) open() (f file, path string, err error) {
	for range 3 {
		path = closedPath(s.dir, s.first)
		if f, err = s.disk.Open(path, os.O_RDONLY); !errors.Is(err, os.ErrNotExist) {
			s.closed = err == nil
			return f, path, err
		}
		path = filepath.Join(s.dir, activeName)
		if f, err = s.disk.Open(path, os.O_RDONLY); errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, path, err
		}
		first, wrong := firstOf(f)
		if wrong == nil && (first == s.first || first == 0) {
			return f, path, nil
		}
		if f.Close(); wrong != nil {
			return nil, path, wrong
		}
		err = fmt.Errorf("%w: it begins with record %d, and there is none that begins with record %d", errGone, first, s.first)
	}
	return nil, path, err
}

// firstOf is the number of the first record of a file, as its first bytes say, or 0
// if they do not say so.
func firstOf(f file) (seq uint64, err error) {
	text := make([]byte, 64)
	n, err := f.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return 0, err
	}
	var version int
	if _, err := fmt.Sscanf(string(text[:n]), `{"version":%d,"seq":%d,`, &version, &seq); err != nil {
		return 0, nil
	}
	return seq, nil
}

// records reads on. What is incomplete at the end of a file that may still grow is
// left for the next time.
func (s *segment) records() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		f, path, err := s.open()
		fail := func(err error) { yield(Record{}, &Error{"read", path, err}) }
		if err != nil {
			fail(err)
			return
		}
		defer f.Close()
		size := s.limit
		if size < 0 {
			if size, err = f.Size(); err != nil {
				fail(err)
				return
			}
		}
		if size < s.at {
			fail(fmt.Errorf("%w: it has %d bytes, and %d were read: the writer took back what it could not finish", errGone, size, s.at))
			return
		}
		in := newScanner(s.end, io.NewSectionReader(f, s.at, size-s.at), s.at)
		for {
			r, err := in.next()
			if err == io.EOF {
				break
			} else if err != nil {
				fail(err)
				return
			}
			s.at, s.end = in.at, in.chain
			if !yield(r, nil) {
				return
			}
		}
		if s.at != size && (s.closed || s.limit >= 0) {
			fail(corrupt(fmt.Sprintf("at byte %d", s.at), errIncomplete))
		}
	}
}
