package verify

import (
	"errors"
	"fmt"
	"strings"
)

// What [Suite.Check] fails with, for errors.Is.
var (
	// ErrInvalid says that the suite is malformed and nothing was sent.
	ErrInvalid = errors.New("malformed suite")

	// ErrUnhealthy says that the suite ran and a test that is not optional did
	// not pass.
	ErrUnhealthy = errors.New("not healthy")
)

// Error is what [Suite.Check] returns, for errors.As.
type Error struct {
	Report Report // everything that was seen
	Err    error  // ErrInvalid, ErrUnhealthy, or the cause of the context that ended the suite
}

// Error says in its first line how many tests passed, and in one line each what
// did not match and what was skipped.
func (e *Error) Error() string {
	what := e.Report.title()
	if len(e.Report.Problems) > 0 {
		return fmt.Sprintf("%s is malformed:\n%s", what, strings.Join(e.Report.problems(), "\n"))
	}
	s := e.Report.Summary()
	lines := []string{fmt.Sprintf("%s is not healthy: %d of %d tests passed", what, s.Passed, s.Total)}
	for _, r := range e.Report.Results {
		lines = append(lines, r.lines()...)
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }
