package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/guidon-go/guidon/rollout"
)

// cursor is the last notice that was delivered.
type cursor struct {
	Seq uint64 `json:"seq"`
	ID  string `json:"id"`
}

// before says whether a notice comes after it. A record that was taken back, and
// another one in its place, have the same number and different IDs.
func (c cursor) before(n rollout.Notice) bool {
	return n.Seq > c.Seq || n.Seq == c.Seq && n.ID != c.ID
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
