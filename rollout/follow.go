package rollout

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"time"
)

// followEvery is how often a reader looks for new records.
const followEvery = 200 * time.Millisecond

// Follow yields the records of the journal in a folder, the oldest that is there
// first, and then each that is appended, by this process or another, until the
// context is over. It looks five times a second, takes no lock and keeps no file
// open while it waits, so that any number can follow. The folder need not be there
// yet.
//
// Records are checked as they are when a journal is opened, and an incomplete one
// is never yielded. But a reader may see a record an instant before it is durable:
// if writing it fails then, the writer takes it back, and the reader gets an error
// at the record that has come in its place. An error ends the sequence; follow again
// from the start. If that ends in [ErrCorrupt] too, the journal is.
func Follow(ctx context.Context, dir string) iter.Seq2[Record, error] {
	return follow(ctx, osDisk{}, dir)
}

func follow(ctx context.Context, d disk, dir string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var s *segment // the one to read on
		for ctx.Err() == nil {
			if s == nil {
				first, err := oldest(d, dir)
				if err != nil {
					yield(Record{}, &Error{"read", dir, err})
					return
				}
				if first > 0 {
					s = &segment{disk: d, dir: dir, first: first, limit: -1}
				}
			}
			if s != nil {
				for r, err := range s.records() {
					if errors.Is(err, os.ErrNotExist) {
						break // the writer is between two files
					}
					if ctx.Err() != nil || !yield(r, err) || err != nil {
						return
					}
				}
				if s.closed {
					s = &segment{disk: d, dir: dir, first: s.end.seq + 1, limit: -1, end: s.end}
					continue
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(followEvery):
			}
		}
	}
}

// oldest is the first record that is there, or 0 where there is no journal yet.
func oldest(d disk, dir string) (uint64, error) {
	names, err := d.Names(dir)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	if closed := closedSegments(names); len(closed) > 0 {
		return closed[0], nil
	}
	f, err := d.Open(filepath.Join(dir, activeName), os.O_RDONLY)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	defer f.Close()
	first, err := firstOf(f)
	return max(first, 1), err
}
