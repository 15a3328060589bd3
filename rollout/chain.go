package rollout

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// chain is a place between two records: what the next one must follow. The zero
// chain is before the first record of a journal, or before a checkpoint, which
// stands for everything before it.
type chain struct {
	seq   uint64 // of the last record
	sum   string // of the last record
	fence uint64 // of the last record: no later one may have less
}

// seal puts a record in this place and moves on.
func (c *chain) seal(r Record) (Record, []byte, error) {
	r.Seq, r.Prev, r.Fence = c.seq+1, c.sum, c.fence
	r, line, err := seal(r)
	if err == nil {
		c.seq, c.sum = r.Seq, r.Sum
	}
	return r, line, err
}

// unseal reads the record that a line says stands here, and moves on.
func (c *chain) unseal(line []byte) (Record, error) {
	r, err := unseal(line, c.seq+1)
	if err == nil {
		err = c.follow(r)
	}
	return r, err
}

// follow moves on to a record, if it is the next.
func (c *chain) follow(r Record) error {
	switch {
	case c.seq == 0 && r.Kind == KindCheckpoint && r.Seq > 1: // the chain before it is not here
	case r.Seq != c.seq+1:
		return fmt.Errorf("found record %d, want %d", r.Seq, c.seq+1)
	case r.Prev != c.sum:
		return fmt.Errorf("record %d does not follow the record before it", r.Seq)
	case r.Fence < c.fence:
		return fmt.Errorf("record %d is of writer %d, and the one before it of writer %d, which had taken over", r.Seq, r.Fence, c.fence)
	}
	*c = chain{r.Seq, r.Sum, r.Fence}
	return nil
}

// corrupt is why a record was not taken, of a journal that says so of no other kind.
func corrupt(place string, err error) error {
	if errors.Is(err, ErrVersion) {
		return fmt.Errorf("%s: %w", place, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrCorrupt, place, err)
}

// scanner reads records from a stream.
type scanner struct {
	chain chain // where it is
	lines *bufio.Reader
	at    int64 // byte where the next line begins
	torn  int64 // bytes of an incomplete line, at the end
}

func newScanner(c chain, in io.Reader, at int64) *scanner {
	return &scanner{chain: c, lines: bufio.NewReaderSize(in, 1<<16), at: at}
}

// next reads a record. The error is io.EOF where there is no further complete line.
func (s *scanner) next() (Record, error) {
	line, err := s.lines.ReadBytes('\n')
	if err != nil {
		s.torn = int64(len(line))
		return Record{}, err
	}
	r, err := s.chain.unseal(line[:len(line)-1])
	if err != nil {
		return r, corrupt(fmt.Sprintf("at byte %d", s.at), err)
	}
	s.at += int64(len(line))
	return r, nil
}
