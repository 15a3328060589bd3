package rollout

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// Journal is an append-only list of records, chained by their sums. It must be
// safe for concurrent use.
type Journal interface {
	// Append adds a record: it fills in Version, Seq, Prev and Sum and returns the
	// record as written. When it returns nil the record survives a crash; when it
	// returns an error the record is not in the journal, or nobody can tell and
	// every later Append fails too.
	Append(ctx context.Context, r Record) (Record, error)
	// Records yields every record in order, as they were when it began, or the
	// error that keeps them from being read.
	Records() iter.Seq2[Record, error]
}

// Memory is a journal that is gone with the process. The zero value is empty and
// ready.
type Memory struct {
	mu      sync.Mutex
	records []Record
}

// Append adds a record.
func (m *Memory) Append(ctx context.Context, r Record) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	prev := ""
	if n := len(m.records); n > 0 {
		prev = m.records[n-1].Sum
	}
	r, _, err := seal(uint64(len(m.records))+1, prev, r)
	if err == nil {
		m.records = append(m.records, r)
	}
	return r, err
}

// Records yields every record in order.
func (m *Memory) Records() iter.Seq2[Record, error] {
	m.mu.Lock()
	records := slices.Clip(m.records)
	m.mu.Unlock()
	return func(yield func(Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// recent yields what an engine needs to know.
func recent(journal Journal) iter.Seq2[Record, error] { return journal.Records() }
