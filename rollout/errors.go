package rollout

import (
	"errors"
	"fmt"
)

// What callers may branch on with errors.Is.
var (
	// ErrInvalid is a request that cannot be carried out as it is written.
	ErrInvalid = errors.New("invalid request")
	// ErrConflict is an ID that another request has, a flag that another rollout is
	// moving, a journal of another service, or an act that does not fit.
	ErrConflict = errors.New("conflict")
	// ErrNotFound is a rollout that the journal does not know.
	ErrNotFound = errors.New("not found")
	// ErrOver is an act on a rollout that is over.
	ErrOver = errors.New("over")
	// ErrNoWayBack is a rollout that cannot be taken back: nothing came before it,
	// what did is gone, or it is past its point of no return.
	ErrNoWayBack = errors.New("no way back")
	// ErrArtifact is an artifact whose digest is not its release's: it was built anew,
	// changed, or is another one.
	ErrArtifact = errors.New("artifact has changed")
	// ErrInconclusive is what a gate's error wraps when the gate could not tell.
	ErrInconclusive = errors.New("inconclusive")
	// ErrSkip is what the error of a pipeline's stage wraps when there is nothing to do:
	// the stage is skipped, and so is what needs it.
	ErrSkip = errors.New("skipped")
	// ErrRunning is a second run of the same rollout in this process.
	ErrRunning = errors.New("already running")
	// ErrCorrupt is a journal whose records do not agree with their checksums or
	// with one another. Nothing was changed.
	ErrCorrupt = errors.New("corrupt journal")
	// ErrVersion is a journal with records of a format that this package does not
	// know. Nothing was changed.
	ErrVersion = errors.New("unknown version")
	// ErrLocked is a journal that another process writes.
	ErrLocked = errors.New("locked by another process")
	// ErrFenced is a journal that another writer has taken over since it was opened.
	// Nothing is appended through this one any more.
	ErrFenced = errors.New("another writer has taken over")
)

// Error says which operation failed, on what.
type Error struct {
	Op  string // "deploy", "guard", "open", ...
	Key string // the rollout's ID, or the journal's file
	Err error  // why
}

// Error is "rollout: guard new-checkout: ...".
func (e *Error) Error() string { return fmt.Sprintf("rollout: %s %s: %v", e.Op, e.Key, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
