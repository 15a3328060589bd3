package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// StageStatus is where a stage of a run stands.
type StageStatus uint8

// Where a stage can stand.
const (
	StagePending StageStatus = iota // not begun
	StageRunning                    // under way
	StageResting                    // has failed, and is tried again
	StageDone                       // done
	StageFailed                     // has failed, and is not tried again by itself
	StageSkipped                    // there was nothing to do, or what it needs was not done
	StageUndoing                    // its way back is under way
	StageStuck                      // its way back has failed, and is tried again
	StageUndone                     // taken back
)

var stageStatuses = [...]string{"pending", "running", "resting", "done", "failed", "skipped", "undoing", "stuck", "undone"}

// String is "running" and the like.
func (s StageStatus) String() string {
	if int(s) < len(stageStatuses) {
		return stageStatuses[s]
	}
	return fmt.Sprintf("StageStatus(%d)", uint8(s))
}

// MarshalText writes what String says.
func (s StageStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *StageStatus) UnmarshalText(text []byte) error {
	for i, name := range stageStatuses {
		if string(text) == name {
			*s = StageStatus(i)
			return nil
		}
	}
	return fmt.Errorf("%w: found status %q, want one of %q", ErrInvalid, text, stageStatuses)
}

// StageResult is what an attempt at a stage, or at its way back, came to.
type StageResult struct {
	// Outputs are what was set with [Output.Set], as JSON; only of what was done.
	Outputs map[string]json.RawMessage `json:"outputs,omitempty"`
	// Output is the last 64 kB of what was written, in UTF-8.
	Output string `json:"output,omitempty"`
	// Dropped is how many bytes were written before those.
	Dropped int64 `json:"dropped,omitempty"`
	// Cut says that nobody knows how far it has come: see [Stage].
	Cut bool `json:"cut,omitempty"`
}

// StageReport is what a run's records say of one stage.
type StageReport struct {
	Name     string      `json:"name"`               // of Stage
	Needs    []string    `json:"needs,omitempty"`    // of Stage
	Status   StageStatus `json:"status"`             // where it stands
	Attempts int         `json:"attempts,omitempty"` // how often it was begun
	// Begun is when it was begun for the first time, and Ended when it was done, skipped,
	// or had failed for good.
	Begun time.Time `json:"begun,omitzero"`
	Ended time.Time `json:"ended,omitzero"` // see Begun
	// Reason is why it failed, the last time, or was skipped.
	Reason string `json:"reason,omitempty"`
	// Until is when its time is over, or when it is tried again. Zero means never.
	Until time.Time `json:"until,omitzero"`
	// StageResult is of its last attempt.
	StageResult
	// Undo is its way back, if there was one.
	Undo *UndoReport `json:"undo,omitempty"`
}

// UndoReport is what a run's records say of the way back of one stage.
type UndoReport struct {
	Attempts int       `json:"attempts"`         // how often it was begun
	Begun    time.Time `json:"begun"`            // for the first time
	Ended    time.Time `json:"ended,omitzero"`   // when it was taken back
	Reason   string    `json:"reason,omitempty"` // why it failed, the last time
	// StageResult is of its last attempt.
	StageResult
}

// words are what is known of the stage, on one line.
func (s StageReport) words() string {
	var b strings.Builder
	b.WriteString(s.stands())
	if s.Attempts > 1 {
		fmt.Fprintf(&b, ", attempt %d", s.Attempts)
	}
	switch {
	case s.Reason == "" || s.Status == StageDone:
	case s.Status == StageFailed && s.innocent():
		b.WriteString(strings.TrimPrefix(s.Reason, cutShort))
	default:
		b.WriteString(": " + s.Reason)
	}
	if s.Undo != nil && s.Undo.Reason != "" {
		fmt.Fprintf(&b, "; its way back, attempt %d: %s", s.Undo.Attempts, s.Undo.Reason)
	}
	return flat(b.String())
}

// cutShort begins the reason of a stage that has failed only because another one had.
const cutShort = "cut short"

// innocent says whether it was cut short because another stage had failed.
func (s StageReport) innocent() bool { return s.Cut && strings.HasPrefix(s.Reason, errTurned.Error()) }

// stands is the status in people's words.
func (s StageReport) stands() string {
	if s.Status == StageFailed && s.innocent() {
		return cutShort
	}
	return s.Status.String()
}

// clone shares nothing with what the run goes on with.
func (s StageResult) clone() StageResult {
	s.Outputs = maps.Clone(s.Outputs)
	for name, text := range s.Outputs {
		s.Outputs[name] = slices.Clone(text)
	}
	return s
}
