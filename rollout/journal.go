package rollout

import (
	"context"
	"iter"
)

// Journal is an append-only list of records, chained by their sums. It must be
// safe for concurrent use. The kit of package rollouttest holds other journals to
// what is written here.
//
// Append and Checkpoint must return soon after their context ends, or within some
// seconds, also if what is below them hangs, as a disk may: until they do, nobody
// watches the change. The engine ends the context of an Append after five seconds.
type Journal interface {
	// Append adds a record: it fills in Version, Seq, Prev, Fence and Sum and returns
	// the record as written. When it returns nil the record survives a crash. When it
	// returns an error the record is not in the journal, or nobody can tell yet: then
	// every Append fails until somebody can, and the record will not be there
	// afterwards, unless the process dies first. [ErrFenced], [ErrCorrupt] and
	// [os.ErrClosed] never heal. A context that is over when it is called writes
	// nothing; one that ends later does not take a record back.
	Append(ctx context.Context, r Record) (Record, error)
	// Records yields every record that is still there, in order, as they were when it
	// began, or the error that keeps them from being read.
	Records() iter.Seq2[Record, error]
}

// Checkpointer is a journal that need not be read from its beginning.
type Checkpointer interface {
	Journal
	// Full says that it is time for a checkpoint. It does not block.
	Full() bool
	// Checkpoint adds a record of kind [KindCheckpoint], by the rules of Append. A Seq
	// that is not zero is the number that the record must get, which is one more than
	// that of the last record it knows of: otherwise it is [ErrConflict], and nothing
	// is written.
	Checkpoint(ctx context.Context, r Record) (Record, error)
	// Recent yields the newest checkpoint and what follows it, or everything if there
	// is none, as Records does.
	Recent() iter.Seq2[Record, error]
}
