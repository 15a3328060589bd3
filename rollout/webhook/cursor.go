package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"

	"github.com/guidon-go/guidon/rollout"
)

// place is where a record stands.
type place struct {
	Seq  uint64 `json:"seq"`
	ID   string `json:"id"`             // as a notice of it has it
	Prev string `json:"prev,omitempty"` // the sum of the record before; empty also if that is not known
}

func placeOf(r rollout.Record) place {
	return place{r.Seq, fmt.Sprintf("%d-%.16s", r.Seq, r.Sum), r.Prev}
}

// cursor is the last record of which there is nothing more to send.
type cursor struct {
	place
	Oldest place `json:"oldest,omitzero"` // of the journal by then
}

// before says whether a record comes after it. One that was taken back, and another one
// in its place, have the same number and different IDs.
func (c cursor) before(seq uint64, id string) bool {
	return seq > c.Seq || seq == c.Seq && id != c.ID
}

// errOther is a journal to which a cursor does not belong.
var errOther = errors.New("the journal is another one than the cursor's, so it is sent from its oldest record on, or from Options.Since")

// errLost is what was moved away too early.
var errLost = errors.New("are no longer in the journal: what they told, if anything, is not sent, but for what is not over")

// begins says what is wrong if a journal begins with a record.
func (c *cursor) begins(p place) error {
	was := c.Oldest
	c.Oldest = p
	switch {
	case c.ID == "" || p == was:
		return nil
	case p.Seq <= was.Seq:
		return fmt.Errorf("%w: it begins with record %s, and began with %s", errOther, p.ID, was.ID)
	case p.Seq > c.Seq+1:
		return fmt.Errorf("records %d to %d %w", c.Seq+1, p.Seq-1, errLost)
	}
	return nil
}

// meets says what is wrong if a journal has a record. One in the place of the cursor's
// that follows the same record is another try of its writer's.
func (c cursor) meets(p place) error {
	if p.Seq == c.Seq && p.ID != c.ID && c.Prev != "" && p.Prev != c.Prev {
		return fmt.Errorf("%w: found record %s, want %s", errOther, p.ID, c.ID)
	}
	return nil
}

// readCursor reads a file; where none is, nothing was delivered.
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
	if json.Unmarshal(text, &c) != nil || c.ID == "" {
		return c, fmt.Errorf("%w: %s is not a cursor: remove it to begin with the oldest record, or at Options.Since", rollout.ErrInvalid, path)
	}
	return c, nil
}

// write replaces the file as a whole: a crash leaves the old one, and sends something
// twice.
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

// watch looks whether records are those of the cursor, and moves it over each of which
// there is nothing more to send.
func (s *sender) watch(records iter.Seq2[rollout.Record, error]) iter.Seq2[rollout.Record, error] {
	return func(yield func(rollout.Record, error) bool) {
		first := true
		for r, err := range records {
			if err == nil {
				s.reads = placeOf(r)
				err = s.cursor.meets(s.reads)
			}
			if err == nil && first {
				first = false
				if err = s.cursor.begins(s.reads); errors.Is(err, errLost) {
					s.failing[ofJournal] = true
					s.tell(err)
					err = nil
				}
			}
			if !yield(r, err) || err != nil {
				return
			}
			if s.cursor.before(r.Seq, s.reads.ID) {
				s.cursor.place = s.reads
			}
		}
	}
}
