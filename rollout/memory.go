package rollout

import (
	"context"
	"iter"
	"slices"
	"sync"
)

// Memory is a journal that is gone with the process. The zero value is empty and
// ready. It is a [Checkpointer].
type Memory struct {
	// CheckpointEvery is after how many records it is full. Zero means never.
	CheckpointEvery int

	mu      sync.Mutex // guards what follows; never held while anybody waits
	records []Record
	end     chain
	newest  int           // index of the newest checkpoint
	since   int           // records that follow it
	grown   chan struct{} // closed by the next append, if somebody waits for it
}

// Append adds a record.
func (m *Memory) Append(ctx context.Context, r Record) (Record, error) {
	return m.add(ctx, r, func() error { return r.notCheckpoint() })
}

// Checkpoint adds a checkpoint.
func (m *Memory) Checkpoint(ctx context.Context, r Record) (Record, error) {
	return m.add(ctx, r, func() error { return r.checkpointAfter(m.end.seq) })
}

func (m *Memory) add(ctx context.Context, r Record, check func() error) (Record, error) {
	if err := ctx.Err(); err != nil {
		return r, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := check(); err != nil {
		return r, &Error{"append", "journal", err}
	}
	r, _, err := m.end.seal(r)
	if err != nil {
		return r, &Error{"append", "journal", err}
	}
	if m.since++; r.Kind == KindCheckpoint {
		m.newest, m.since = len(m.records), 0
	}
	m.records = append(m.records, r)
	if m.grown != nil {
		close(m.grown)
		m.grown = nil
	}
	return r, nil
}

// Full says that CheckpointEvery records have been appended since the newest
// checkpoint.
func (m *Memory) Full() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.CheckpointEvery > 0 && m.since >= m.CheckpointEvery
}

// Records yields every record in order.
func (m *Memory) Records() iter.Seq2[Record, error] { return m.from(func() int { return 0 }) }

// Recent yields the newest checkpoint and what follows it.
func (m *Memory) Recent() iter.Seq2[Record, error] { return m.from(func() int { return m.newest }) }

func (m *Memory) from(first func() int) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		m.mu.Lock()
		records := slices.Clip(m.records[first():])
		m.mu.Unlock()
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// Follow yields every record in order, and each that is appended, until the
// context is over.
func (m *Memory) Follow(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for n := 0; ; {
			m.mu.Lock()
			records := m.records[n:]
			if m.grown == nil {
				m.grown = make(chan struct{})
			}
			grown := m.grown
			m.mu.Unlock()
			for _, r := range records {
				if ctx.Err() != nil || !yield(r, nil) {
					return
				}
				n++
			}
			select {
			case <-grown:
			case <-ctx.Done():
				return
			}
		}
	}
}
