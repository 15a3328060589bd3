package otel

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/guidon-go/guidon/rollout"
)

// place is where a record stands.
type place struct {
	Seq  uint64 `json:"seq"`
	Sum  string `json:"sum"`
	Prev string `json:"prev,omitempty"` // the sum of the record before; empty also if that is not known
}

func placeOf(r rollout.Record) place { return place{r.Seq, r.Sum, r.Prev} }

// cursor is the last record of which there is nothing more to tell, but by steps that are
// not over.
type cursor struct {
	place
	Oldest place `json:"oldest,omitzero"` // of the journal by then
}

// errOther is a journal to which a cursor does not belong.
var errOther = errors.New("the journal is another one than the cursor's, so it is told from its oldest record on, or from Options.Since")

// before says whether a record comes after it. One that was taken back, and another one
// in its place, have the same number.
func (c cursor) before(r rollout.Record) bool {
	return r.Seq > c.Seq || r.Seq == c.Seq && r.Sum != c.Sum
}

// begins says what is wrong if a journal begins with a record, and how many before it are
// gone untold.
func (c *cursor) begins(r rollout.Record) (gone uint64, err error) {
	was, is := c.Oldest, placeOf(r)
	c.Oldest = is
	switch {
	case c.Sum == "" || is == was:
	case is.Seq <= was.Seq:
		return 0, fmt.Errorf("%w: it begins with record %d of sum %.16s, and began with %d of sum %.16s", errOther, is.Seq, is.Sum, was.Seq, was.Sum)
	case is.Seq > c.Seq+1:
		gone = is.Seq - c.Seq - 1
	}
	return gone, nil
}

// meets says what is wrong if a journal has a record. One in the place of the cursor's
// that follows the same record is another try of its writer's.
func (c cursor) meets(r rollout.Record) error {
	if c.Sum != "" && r.Seq == c.Seq && r.Sum != c.Sum && r.Prev != c.Prev {
		return fmt.Errorf("%w: found record %d with sum %.16s, want %.16s", errOther, r.Seq, r.Sum, c.Sum)
	}
	return nil
}

// readCursor reads a file; where none is, nothing was told.
func readCursor(path string) (c cursor, err error) {
	if path == "" {
		return c, nil
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	} else if err != nil {
		return c, err
	}
	if json.Unmarshal(text, &c) != nil || c.Sum == "" {
		return cursor{}, fmt.Errorf("%w: %s is not a cursor: remove it to begin with the oldest record, or at Options.Since", rollout.ErrInvalid, path)
	}
	return c, nil
}

// write replaces the file as a whole: a crash leaves the old one, and the same spans are
// told twice.
func (c cursor) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(next, path)
}
