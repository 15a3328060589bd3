package verify

import (
	"fmt"
	"strings"
	"time"
)

// State says how a test ended.
type State uint8

// The states of a test.
const (
	Skipped State = iota // it was not run: the zero value
	Failed
	Passed
)

// String is "skipped", "failed" or "passed".
func (s State) String() string {
	switch s {
	case Skipped:
		return "skipped"
	case Failed:
		return "failed"
	case Passed:
		return "passed"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// MarshalText is String.
func (s State) MarshalText() ([]byte, error) {
	if s > Passed {
		return nil, fmt.Errorf("%v is no state of a test", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	for state := Skipped; state <= Passed; state++ {
		if state.String() == string(text) {
			*s = state
			return nil
		}
	}
	return fmt.Errorf("state %q, want skipped, failed or passed", text)
}

// Kind says what sort of difference a [Mismatch] is.
type Kind string

// The kinds of mismatch.
const (
	KindStatus     Kind = "status"     // another status
	KindMissing    Kind = "missing"    // a header, a key, an element or all a path leads to is not there
	KindUnexpected Kind = "unexpected" // it is there, and should not be
	KindType       Kind = "type"       // a value of another kind, such as "7" for 7
	KindValue      Kind = "value"      // a value of the right kind, but not equal
	KindLength     Kind = "length"     // an array of another length
	KindBody       Kind = "body"       // not JSON, or too long, or more than can be compared
	KindSlow       Kind = "slow"       // it came in time, but not within its budget
	KindTLS        Kind = "tls"        // certificates that end too soon, or none
	KindCustom     Kind = "custom"     // a function of the test's own said no
	KindRedirect   Kind = "redirect"   // too many, or one that is not followed
	KindCapture    Kind = "capture"    // a value that is not there, or cannot stand where it is wanted
	KindTransport  Kind = "transport"  // no answer, or not all of it
	KindTimeout    Kind = "timeout"    // none in time
	KindCanceled   Kind = "canceled"   // the context was cancelled meanwhile
	KindPanic      Kind = "panic"      // the Handler panicked, or a function of the test's own
)

// Mismatch is one thing that was not as expected.
type Mismatch struct {
	Kind Kind   `json:"kind"` // what sort of difference it is
	Path string `json:"path"` // "status", "body", "header Etag", or where in the body, as a JSONPath: "$.items[2].price"; cut at 480 bytes
	Want string `json:"want"` // what was expected, cut at 120 bytes
	Got  string `json:"got"`  // what came, cut at 120 bytes
}

// String is one line: $.items[2].price: want 10.5, got "10.5".
func (m Mismatch) String() string {
	return line(fmt.Sprintf("%s: want %s, got %s", m.Path, m.Want, m.Got))
}

// Result is what came of one test. The zero value is a test that was not run.
type Result struct {
	Stage        Stage         `json:"stage"`                // the part of the suite it belongs to
	Name         string        `json:"name"`                 // of the test, or method and endpoint
	Method       string        `json:"method"`               // as sent
	Endpoint     string        `json:"endpoint"`             // as in the test, with ${...} as it stands there
	Optional     bool          `json:"optional,omitempty"`   // whether it does not decide: the test says so, or it is a cleanup with nothing to take back
	State        State         `json:"state"`                // how it ended
	Status       int           `json:"status,omitempty"`     // of the answer, 0 if there was none
	ResponseTime time.Duration `json:"response_time"`        // to the last byte that was read, or to the failure; 0 if Skipped
	Mismatches   []Mismatch    `json:"mismatches,omitempty"` // of a Failed test, never empty then, at most MaxMismatches
	Omitted      int           `json:"omitted,omitempty"`    // how many more there were
	Reason       string        `json:"reason,omitempty"`     // why it was Skipped
	Attempts     []Attempt     `json:"attempts,omitempty"`   // all of them, in order; the other fields are about the last
	Flaky        bool          `json:"flaky,omitempty"`      // whether it passed after an attempt that failed
	Phases       Phases        `json:"phases,omitzero"`      // where the time of the last attempt went

	// Curl is a command line for a POSIX shell that sends the request again, of a
	// Failed test that sent one. What was secret in it reads [secret], and is to be
	// filled in, as are a body of more than 4 KiB and, against a Handler, $URL: where
	// it is served.
	Curl string `json:"curl,omitempty"`
}

// lines says all that is wrong, one line each: nothing of a test that passed.
func (r Result) lines() []string {
	head := r.Method + " " + r.Endpoint
	if r.Name != head {
		head = visible(r.Name) + ": " + visible(head)
	} else {
		head = visible(head)
	}
	if r.Stage != StageTests {
		head = r.Stage.String() + ": " + head
	}
	if r.Optional {
		head += " (optional)"
	}
	var lines []string
	for _, m := range r.Mismatches {
		lines = append(lines, head+" -> "+m.String())
	}
	if r.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("%s -> and %d more", head, r.Omitted))
	}
	if r.State == Skipped {
		lines = append(lines, head+" -> skipped: "+printable(r.Reason, mostPath))
	}
	return lines
}

// wrong is all that did not match.
func (r Result) wrong() []string {
	var lines []string
	for _, m := range r.Mismatches {
		lines = append(lines, m.String())
	}
	if r.Omitted > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", r.Omitted))
	}
	return lines
}

// details says more of a test that had more than one attempt, or failed.
func (r Result) details() []string {
	var lines []string
	for i, a := range r.Attempts {
		if len(r.Attempts) == 1 {
			break
		}
		said := "passed"
		if a.Mismatch != (Mismatch{}) {
			said = a.Mismatch.String()
		}
		after := a.Start.Sub(r.Attempts[0].Start)
		lines = append(lines, fmt.Sprintf("attempt %d after %v (%v): %s", i+1, short(after), short(a.Took), said))
	}
	if text := r.Phases.String(); text != "" && r.State == Failed {
		lines = append(lines, "time: "+text)
	}
	if r.Curl != "" {
		lines = append(lines, line(r.Curl))
	}
	return lines
}

// String is the state and the name, and all that is wrong in indented lines.
func (r Result) String() string {
	first := fmt.Sprintf("%-7s %s", r.State, visible(r.Name))
	if r.State != Skipped {
		first += fmt.Sprintf(" (%v)", short(r.ResponseTime))
	}
	if r.Flaky {
		first += " flaky"
	}
	return strings.Join(append([]string{first}, r.lines()...), "\n    ")
}
