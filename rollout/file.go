package rollout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// FileJournal is a journal in a folder, a [Checkpointer]. Every record is on the
// disk, with its folder, before Append returns; records that are appended at the
// same time share one write and one sync. What writes them is a goroutine, which ends
// with the write: a disk that hangs holds up nothing else.
//
// The newest records are in journal.jsonl, one JSON object a line. A checkpoint
// begins that file anew, and what was there is journal-N.jsonl from then on, N
// being the number of its first record: those older files can be moved away, the
// oldest first, at any time. Another file, called lock, has the writer's number.
//
// A checkpoint has some 500 bytes for each rollout that is over, and opening the journal
// takes seven times that for a moment: 340 MB of memory after 100,000 rollouts.
type FileJournal struct {
	dir         string
	disk        disk
	segmentSize int64
	torn        int64

	turn chan struct{} // whoever has put something in may use what follows, and the disk

	lock   file
	fence  uint64 // number of this writer
	mark   []byte // what the lock says as long as this is the writer
	active file   // journal.jsonl
	end    chain  // of what was acknowledged
	err    error  // why nothing will be appended any more

	broken bool  // something failed, and the disk has to be looked at first
	unsure int64 // how many bytes of it may be there, after what was acknowledged
	moving bool  // it was the beginning of a segment

	mu      sync.Mutex // guards what follows, which only changes in turn; never held while the disk works
	group   *group     // what waits to be written
	working *group     // what is being written
	first   uint64     // record of journal.jsonl
	size    int64      // of journal.jsonl, as it was acknowledged
	base    int64      // size of the checkpoint that it begins with
}

// FileOptions tune a FileJournal. Every zero is right for most.
type FileOptions struct {
	// SegmentSize is after how many bytes of records since the newest checkpoint the
	// journal is full. Zero means 64 MiB. After a checkpoint that is larger than that,
	// it takes as many bytes as the checkpoint has. While a checkpoint is made, about a
	// second for 64 MiB, nobody writes records; a rollout that goes back makes none.
	SegmentSize int64
}

// OpenFile opens the journal in a folder, with the zero [FileOptions].
func OpenFile(dir string) (*FileJournal, error) { return FileOptions{}.Open(dir) }

// Open opens the journal in a folder for writing, and makes both if they are not
// there. Every record from the newest checkpoint on is checked. An incomplete last
// record, as a crash leaves it, is cut off; see [FileJournal.Torn]. Any other
// damage is [ErrCorrupt], with its place, and records of a later release are
// [ErrVersion]; then nothing is changed. There is one writer: while it is open
// others get [ErrLocked], on systems that have flock. Elsewhere the second one takes
// over, and the first gets [ErrFenced].
func (o FileOptions) Open(dir string) (*FileJournal, error) { return openFile(osDisk{}, dir, o) }

func openFile(d disk, dir string, o FileOptions) (*FileJournal, error) {
	j := &FileJournal{dir: dir, disk: d, segmentSize: o.SegmentSize, turn: make(chan struct{}, 1)}
	if o.SegmentSize < 0 {
		return nil, &Error{"open", j.path(), fmt.Errorf("%w: segment size: found %d, want bytes, or 0 for 64 MiB", ErrInvalid, o.SegmentSize)}
	}
	if o.SegmentSize == 0 {
		j.segmentSize = 64 << 20
	}
	if err := j.open(); err != nil {
		j.close()
		return nil, &Error{"open", j.path(), err}
	}
	return j, nil
}

func (j *FileJournal) path() string { return filepath.Join(j.dir, activeName) }

func (j *FileJournal) open() error {
	if err := j.disk.Mkdir(j.dir); err != nil {
		return err
	}
	if err := j.takeLock(); err != nil {
		return err
	}
	if err := j.openActive(); err != nil {
		return err
	}
	if j.end.fence >= j.fence { // the lock file is not the one that these records were written under
		if err := j.takeNumber(j.end.fence + 1); err != nil {
			return err
		}
	}
	j.end.fence = j.fence
	return j.disk.SyncDir(j.dir)
}

// Torn is how many bytes of an incomplete last record were cut off when the
// journal was opened; nobody had been told that it was written.
func (j *FileJournal) Torn() int64 { return j.torn }

// Full says that it is time for a checkpoint; see [FileOptions].
func (j *FileJournal) Full() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.size-j.base >= max(j.segmentSize, j.base)
}

// Close waits for what is being written, however long the disk takes, and lets go of
// the folder. Appending afterwards is an error; reading is not. It fails if a record
// that was refused could not be removed.
func (j *FileJournal) Close() error {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	if errors.Is(j.err, os.ErrClosed) {
		return j.err
	}
	var err error
	if j.broken && j.err == nil {
		err = j.repair()
	}
	j.err = &Error{"append", j.path(), os.ErrClosed}
	if err = errors.Join(err, j.close()); err != nil {
		return &Error{"close", j.path(), err}
	}
	return nil
}

func (j *FileJournal) close() (err error) {
	for _, f := range []file{j.active, j.lock} {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}
