package process

import (
	"errors"
	"fmt"
	"strings"
)

// What callers may branch on with errors.Is.
var (
	// ErrLocked is a state file that another tool has open, or had until a moment ago:
	// one that was killed while it was starting a child.
	ErrLocked = errors.New("locked by another process")
	// ErrDamaged is a state file that cannot be understood. Nothing was changed, and
	// nothing was started.
	ErrDamaged = errors.New("damaged state")
	// ErrRunning is a second Run at the same time.
	ErrRunning = errors.New("already running")
	// ErrServing is a version that gets requests, which is not one of the two that are
	// being prepared, or one without a child that could answer them.
	ErrServing = errors.New("in the way of requests")
)

// Error says which operation failed, on what.
type Error struct {
	Op  string // "open", "scale", "shift", ...
	Key string // the version, or the state file
	Err error  // why
}

// Error is "process: scale v2: ...".
func (e *Error) Error() string { return fmt.Sprintf("process: %s %s: %v", e.Op, e.Key, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Exit is the end of a child that was not asked to end, as an error. [Options.OnExit]
// gets it, and errors.As finds it in the error of a call that needed the child.
type Exit struct {
	Child  Child  // as it was; its file is gone with it
	Status string // "exit status 1", "signal: killed"
	Output string // the last of it, 64 kB at most
}

// Error has the last lines of the output.
func (e *Exit) Error() string {
	return fmt.Sprintf("child %d of %s died: %s; %s", e.Child.PID, e.Child.Version, e.Status, lastWords(e.Output))
}

// lastWords are the last lines of some output, for an error.
func lastWords(output string) string {
	const most = 2000
	output = strings.TrimSpace(output)
	switch {
	case output == "":
		return "it printed nothing"
	case len(output) > most:
		output = "..." + strings.ToValidUTF8(output[len(output)-most:], "")
	}
	return "its last output:\n" + output
}
