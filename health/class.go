package health

import (
	"fmt"
	"net/http"
)

// Class is how one outcome counts. The zero value is [Failure], and so is every
// value that has no name here: an outcome that nobody classified must not look
// healthy.
type Class uint8

const (
	// Failure counts against the service.
	Failure Class = iota
	// Success counts for the service.
	Success
	// Excluded counts nowhere, neither in rates nor in latencies: health probes,
	// for example. Beside a baseline, exclude only by what cannot depend on the
	// change; "the client gave up" can.
	Excluded
)

// String is the name in lower case.
func (c Class) String() string {
	switch c {
	case Failure:
		return "failure"
	case Success:
		return "success"
	case Excluded:
		return "excluded"
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// ByStatus is the usual reading of an HTTP answer: 500 and above is a [Failure],
// the service's own fault; so is anything below 100, which is no answer at all.
// The rest is a [Success], 4xx included: those are the client's fault, mostly.
// Where a change can break requests into 4xx, classify them yourself.
func ByStatus(status int) Class {
	if status < 100 || status >= http.StatusInternalServerError {
		return Failure
	}
	return Success
}
