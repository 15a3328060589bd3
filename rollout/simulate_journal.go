package rollout

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/guidon-go/guidon/health"
)

// ledger is the journal of a simulation. It has every record, but for looks after which
// another one of the same judge comes before anything else does: they say nothing that
// the later one does not say, so that they are kept in the chain of sums alone.
type ledger struct {
	end     chain
	records []Record
	all     bool  // somebody may have to restore cohorts, for which every look counts
	looks   []int // those of the records, ascending, that the next look of their judge replaces
}

// add writes a record.
func (l *ledger) add(r Record) (Record, error) {
	r, _, err := l.end.seal(r)
	if err != nil {
		return r, &Error{"append", "journal", err}
	}
	if !l.all {
		l.replace(r)
	}
	l.records = append(l.records, r)
	return r, nil
}

// replace forgets the look that a record replaces, if any, before it is added.
func (l *ledger) replace(r Record) {
	if !r.idle() {
		l.looks = slices.DeleteFunc(l.looks, func(i int) bool { return l.records[i].Rollout == r.Rollout })
		return
	}
	at := slices.IndexFunc(l.looks, func(i int) bool {
		return l.records[i].Rollout == r.Rollout && l.records[i].Look.Watch == r.Look.Watch
	})
	if at >= 0 {
		old := l.looks[at]
		l.records = slices.Delete(l.records, old, old+1)
		l.looks = slices.Delete(l.looks, at, at+1)
		for i := at; i < len(l.looks); i++ {
			l.looks[i]--
		}
	}
	l.looks = append(l.looks, len(l.records))
}

// idle is a look after which everything stands where it stood.
func (r Record) idle() bool {
	return r.Look != nil && r.From == r.To && r.Look.Verdict.Call != health.Fail
}

// pen is the journal as one process has it.
type pen struct{ process *process }

var (
	errFull = errors.New("no space left on device")
	errDied = fmt.Errorf("the process is gone: %w", ErrFenced)
)

func (p pen) Append(ctx context.Context, r Record) (Record, error) {
	s := p.process.scene
	s.mu.Lock()
	defer s.mu.Unlock()
	_, full := s.meets(FaultJournalFull, "")
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case p.process.dead:
		return r, errDied
	case full:
		return r, &Error{"append", "journal", errFull}
	}
	r, err := s.ledger.add(r)
	if err == nil {
		s.wrote(r)
	}
	return r, err
}

func (p pen) Records() iter.Seq2[Record, error] {
	s := p.process.scene
	s.mu.Lock()
	records := slices.Clone(s.ledger.records)
	s.mu.Unlock()
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}
