package rollout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/guidon-go/guidon/health"
)

// Kind is what a record tells.
type Kind string

// The kinds of records.
const (
	KindRequested Kind = "requested" // a rollout was asked for
	KindBegun     Kind = "begun"     // a step is about to be taken
	KindDone      Kind = "done"      // a step was taken, and read back
	KindFailed    Kind = "failed"    // a step was not taken, or a gate said no
	KindWaiting   Kind = "waiting"   // a hold began
	KindLooked    Kind = "looked"    // a judge looked
	KindActed     Kind = "acted"     // a person did something
	KindPaused    Kind = "paused"    // a deadline, or a gate that could not tell, keeps it from going forward
	KindFrozen    Kind = "frozen"    // a freeze keeps it from going forward
	KindHeld      Kind = "held"      // the way back waits, because the old version is no better
	KindReplaced  Kind = "replaced"  // another rollout takes its place, so it goes back
	KindSkipped   Kind = "skipped"   // a stage of a pipeline has nothing to do
	KindFinished  Kind = "finished"  // the rollout is over

	KindCheckpoint Kind = "checkpoint" // what a segment of the journal begins with; see [Checkpoint]
)

// recordVersion is the newest format that this package writes and reads.
const recordVersion = 1

// Record is one fact in a journal. Status, audit, resume and the delivery metrics
// are all folds over records.
type Record struct {
	Version int    `json:"version"`          // of the format
	Seq     uint64 `json:"seq"`              // from 1, without gaps
	Prev    string `json:"prev"`             // the Sum of the record before; empty for the first
	Fence   uint64 `json:"fence,omitempty"`  // the number of its writer; it never falls
	Kind    Kind   `json:"kind"`             // what the record tells
	Rollout string `json:"rollout"`          // the rollout's ID
	Parent  string `json:"parent,omitempty"` // the rollout, or the run of a pipeline, that this one is part of
	// Pipeline is the name of a pipeline, in every record of a run of it, and in no other.
	// Rollout is the run's ID then, and what begins, is done, fails and is skipped is a
	// stage.
	Pipeline string `json:"pipeline,omitempty"`
	Stage    string `json:"stage,omitempty"` // the stage's name
	// Generation counts how often the rollout turned round; answers of an older
	// generation are dropped.
	Generation int    `json:"generation"`
	Step       int    `json:"step"`              // index in the plan, or in the way back
	Attempt    int    `json:"attempt,omitempty"` // of the step, from 1
	From       string `json:"from"`              // the machine's state before
	To         string `json:"to"`                // and after
	Reason     string `json:"reason,omitempty"`  // what for, or why
	Actor      string `json:"actor,omitempty"`   // who
	// Until is a deadline: of a step that was begun, a hold, a freeze, or the next
	// attempt.
	Until      time.Time   `json:"until,omitzero"`
	Request    *Requested  `json:"request,omitempty"`    // of KindRequested
	Look       *Look       `json:"evidence,omitempty"`   // of KindLooked
	Act        *Act        `json:"act,omitempty"`        // of KindActed
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"` // of KindCheckpoint
	// Run is what a run of a pipeline was asked for: its KindRequested.
	Run    *RequestedRun `json:"run,omitempty"`
	Result *StageResult  `json:"result,omitempty"` // of a stage that was done, or failed
	At     time.Time     `json:"at"`               // when, in UTC
	Sum    string        `json:"sum"`              // SHA-256 of the record's JSON before this field
}

// Look is what a judge saw and said.
type Look struct {
	Watch      string            `json:"watch"`           // the judge's name in the plan
	Verdict    health.Verdict    `json:"verdict"`         // what it said
	State      health.State      `json:"state,omitempty"` // what it needs for its next look
	Checkpoint health.Checkpoint `json:"checkpoint"`      // what it saw
}

// String is the record in human words, on one line.
func (r Record) String() string { return strings.ReplaceAll(r.words(), "\n", "; ") }

func (r Record) words() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-14s  ", r.At.Format("15:04:05.000"), r.Rollout)
	switch r.Kind {
	case KindRequested:
		fmt.Fprintf(&b, "requested by %s", r.Actor)
	case KindSkipped:
		fmt.Fprintf(&b, "skips %s", r.Stage)
	case KindBegun:
		b.WriteString("begins to " + r.Reason)
		if r.Attempt > 1 {
			fmt.Fprintf(&b, ", attempt %d", r.Attempt)
		}
		return b.String()
	case KindWaiting:
		b.WriteString("waits: " + r.Reason)
		return b.String()
	case KindActed:
		if r.Act == nil {
			return b.String() + "acted"
		}
		fmt.Fprintf(&b, "%s: %s", r.Actor, r.Act.Kind)
	case KindLooked:
		if r.Look == nil {
			return b.String() + "looked"
		}
		b.WriteString(r.Actor + " looked, " + r.Look.Verdict.String())
		return b.String()
	case KindFailed:
		b.WriteString("failed")
		if r.Stage != "" {
			b.WriteString(": " + map[bool]string{false: "run ", true: "undo "}[r.From == StageUndoing.String()] + r.Stage)
		}
	case KindFinished:
		b.WriteString("is over: " + r.To)
	default:
		b.WriteString(string(r.Kind))
	}
	if r.Reason != "" {
		b.WriteString(": " + r.Reason)
	}
	return b.String()
}

// LogValue lays the record out for package slog.
func (r Record) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", string(r.Kind)),
		slog.String("rollout", r.Rollout),
		slog.String("from", r.From),
		slog.String("to", r.To),
		slog.String("reason", r.Reason),
		slog.String("actor", r.Actor),
		slog.Uint64("seq", r.Seq),
	)
}

const sumField = `,"sum":"`

// seal fills in Version and Sum and returns the record with its line, newline
// included. Where it stands in the journal is filled in already.
func seal(r Record) (Record, []byte, error) {
	r.Version, r.Sum = recordVersion, ""
	line, err := json.Marshal(r)
	if err != nil {
		return r, nil, fmt.Errorf("record %d cannot be written as JSON: %w", r.Seq, err)
	}
	if bytes.Contains(line, []byte(`\ufffd`)) { // text that was not UTF-8: the record becomes what will be read
		var read Record
		if err := json.Unmarshal(line, &read); err != nil {
			return r, nil, fmt.Errorf("record %d cannot be read as JSON: %w", r.Seq, err)
		}
		if line, err = json.Marshal(read); err != nil {
			return r, nil, fmt.Errorf("record %d cannot be written as JSON: %w", r.Seq, err)
		}
		r = read
	}
	body := line[:len(line)-len(sumField)-len(`"}`)]
	sum := sha256.Sum256(body)
	r.Sum = hex.EncodeToString(sum[:])
	line = append(body, sumField+r.Sum+"\"}\n"...)
	return r, line, nil
}

// unseal reads a line without its newline and checks it against its own sum. The
// number is the one that it should have, to say where it stands.
func unseal(line []byte, seq uint64) (Record, error) {
	var r Record
	if cut := len(line) - len(sumField) - hex.EncodedLen(sha256.Size) - len(`"}`); cut < 0 || !bytes.HasPrefix(line[cut:], []byte(sumField)) {
		return r, fmt.Errorf("record %d does not end in a checksum", seq)
	} else if sum := sha256.Sum256(line[:cut]); hex.EncodeToString(sum[:]) != string(line[cut+len(sumField):len(line)-len(`"}`)]) {
		return r, fmt.Errorf("record %d does not agree with its checksum", seq)
	}
	var format struct {
		Version int `json:"version"`
	}
	err := json.Unmarshal(line, &r)
	if err != nil { // of another version, what is in it may be of other types
		if json.Unmarshal(line, &format) == nil && format.Version != recordVersion {
			return r, wrongVersion(seq, format.Version)
		}
		return r, fmt.Errorf("record %d: %w", seq, err)
	}
	if r.Version != recordVersion {
		return r, wrongVersion(seq, r.Version)
	}
	return r, nil
}

func wrongVersion(seq uint64, version int) error {
	return fmt.Errorf("%w: record %d has version %d, want %d: open the journal with the release of this package that wrote it, or a newer one", ErrVersion, seq, version, recordVersion)
}
