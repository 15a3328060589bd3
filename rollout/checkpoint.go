package rollout

import (
	"fmt"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// Checkpoint is all that one needs to know of the records before it: a journal can
// be read from its newest checkpoint on.
type Checkpoint struct {
	// Live are the records of the rollouts that are not over, each as it was written,
	// in order.
	Live []Record `json:"live,omitempty"`
	// Ended has a line for each rollout that is over.
	Ended []Ended `json:"ended,omitempty"`
}

// Ended is a rollout, or a run of a pipeline, that is over.
type Ended struct {
	ID          string         `json:"id"`                     // the rollout's
	Parent      string         `json:"parent,omitempty"`       // of Record
	Outcome     Outcome        `json:"outcome"`                // how it ended
	Share       strategy.Share `json:"share"`                  // what it ended at
	Peak        strategy.Share `json:"peak"`                   // the largest share there ever was
	Automatic   bool           `json:"automatic,omitempty"`    // no person made it turn round
	FailedLater bool           `json:"failed_later,omitempty"` // a person says that it turned out bad
	Reason      string         `json:"reason,omitempty"`       // why it ended so
	Actor       string         `json:"actor,omitempty"`        // who made it
	Started     time.Time      `json:"started"`                // when it was requested
	Since       time.Time      `json:"since,omitzero"`         // when somebody was exposed for the first time
	At          time.Time      `json:"at"`                     // when it was over
	// Request is what was asked for. The plan is kept only of the last 20 that
	// succeeded of its service, environment and flag and were not taken back, as drills
	// are: it says the way back.
	Request *Requested `json:"request,omitempty"`
	// Pipeline and Run are of a run of a pipeline, which has no Request. Its stages are not
	// kept.
	Pipeline string        `json:"pipeline,omitempty"`
	Run      *RequestedRun `json:"run,omitempty"` // see Pipeline
}

// checkpointAfter says why a record cannot be the checkpoint that follows a record.
func (r Record) checkpointAfter(seq uint64) error {
	switch {
	case r.Kind != KindCheckpoint || r.Checkpoint == nil:
		return fmt.Errorf("%w: found a record of kind %q, want a checkpoint with its content", ErrInvalid, r.Kind)
	case r.Seq != 0 && r.Seq != seq+1:
		return fmt.Errorf("%w: the checkpoint was made for record %d, and the journal is at %d", ErrConflict, r.Seq, seq)
	}
	return nil
}

// notCheckpoint refuses a checkpoint among other records.
func (r Record) notCheckpoint() error {
	if r.Kind == KindCheckpoint {
		return fmt.Errorf("%w: a checkpoint is not appended: call Checkpoint", ErrInvalid)
	}
	return nil
}
