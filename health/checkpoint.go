package health

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
	"github.com/guidon-go/guidon/internal/histogram"
)

// Mark is one coin that [Cohorts] counted, so that after a crash it is not counted
// again, and so that the coins of several processes can be told apart.
type Mark struct {
	Unit      uint64 // the hash of the unit
	Ramp      int32  // at which the unit was looked up, in slots
	Candidate bool   // whether its slot was below Ramp
}

// Marks is a list of marks in the order of their coins. In JSON and other text it
// is one base64 string, 11 bytes a mark.
type Marks []Mark

// markSize is 8 bytes of unit and 3 of ramp, big endian, the top bit for candidate.
const (
	markSize      = 11
	markCandidate = 1 << 23
)

// MarshalText encodes the marks.
func (m Marks) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, len(m)*markSize)
	for _, mark := range m {
		if mark.Ramp < 0 || mark.Ramp > bucket.Slots {
			return nil, fmt.Errorf("%w: mark at a ramp of %d, want 0 to %d", ErrInvalid, mark.Ramp, bucket.Slots)
		}
		ramp := uint32(mark.Ramp)
		if mark.Candidate {
			ramp |= markCandidate
		}
		raw = binary.BigEndian.AppendUint64(raw, mark.Unit)
		raw = append(raw, byte(ramp>>16), byte(ramp>>8), byte(ramp))
	}
	return base64.StdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText decodes what MarshalText wrote; other text is [ErrInvalid].
func (m *Marks) UnmarshalText(text []byte) error {
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: marks: %w", ErrInvalid, err)
	}
	if len(raw)%markSize != 0 {
		return fmt.Errorf("%w: marks of %d bytes, want a multiple of %d", ErrInvalid, len(raw), markSize)
	}
	marks := make(Marks, 0, len(raw)/markSize)
	for ; len(raw) > 0; raw = raw[markSize:] {
		ramp := int32(raw[8])<<16 | int32(raw[9])<<8 | int32(raw[10])
		mark := Mark{Unit: binary.BigEndian.Uint64(raw), Ramp: ramp &^ markCandidate, Candidate: ramp&markCandidate != 0}
		if mark.Ramp > bucket.Slots {
			return fmt.Errorf("%w: mark at a ramp of %d, want 0 to %d", ErrInvalid, mark.Ramp, bucket.Slots)
		}
		marks = append(marks, mark)
	}
	*m = marks
	return nil
}

// Checkpoint is what a journal must keep of [Cohorts]: the sample so far, and what
// the checkpoint before does not have of the rest. A journal that has all of them,
// in order, can bring the cohorts back after a crash.
type Checkpoint struct {
	Sample Sample  `json:"sample"`           // everything so far; in JSON without its Tables
	Marks  Marks   `json:"marks,omitempty"`  // of first failures, new ones
	Slow   Marks   `json:"slower,omitempty"` // of first slow outcomes, new ones
	Kept   Marks   `json:"kept,omitempty"`   // of first kept failures, new ones
	Tables []Table `json:"tables,omitempty"` // what was counted by bucket since
}

// MarshalJSON leaves out the tables of the sample: the sum of all checkpoints'
// Tables is the same.
func (cp Checkpoint) MarshalJSON() ([]byte, error) {
	type plain Checkpoint
	cp.Sample.Tables = nil
	return json.Marshal(plain(cp))
}

// Checkpoint takes the sample, which is the one to let a judge look at, and the
// marks and counts made since the last call, at one moment: no failure is in one and
// not in the other. They are handed out once: if the checkpoint cannot be written, the next one must take them along,
// see [Checkpoint.After]. One that has no marks, and after which the judge
// remembers what it did before, may be left out in the same way.
func (c *Cohorts) Checkpoint() Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	cp := Checkpoint{Sample: c.snapshot(), Marks: c.errors.hand(), Slow: c.slow.hand(), Kept: c.kept.hand()}
	cp.Tables = tablesSince(cp.Sample.Tables, c.handed)
	c.handed = cp.Sample.Tables
	return cp
}

// After is one checkpoint in place of two: this one, and an earlier one of the same
// cohorts that directly precedes it. The zero value precedes every first one.
func (cp Checkpoint) After(earlier Checkpoint) (Checkpoint, error) {
	cp.Marks = slices.Concat(earlier.Marks, cp.Marks)
	cp.Slow = slices.Concat(earlier.Slow, cp.Slow)
	cp.Kept = slices.Concat(earlier.Kept, cp.Kept)
	var err error
	cp.Tables, err = addTables(earlier.Tables, cp.Tables)
	return cp, err
}

// Restore brings back what a checkpoint holds. Apply all checkpoints of a
// rollout, oldest first, to new cohorts with the same options, before anything is
// recorded. Counts, first failures and the memory of failed units are then as they
// were at the last checkpoint; latency quantiles start anew, over the requests
// that follow. Outcomes after the last checkpoint are lost on both sides alike,
// coins and marks together. That costs some evidence and leaves the promises of the
// judges as they are, provided that a look was written with its checkpoint before
// the ramp was moved by it, and that which looks are written does not depend on what
// they say: write all that have marks, or all.
//
// A checkpoint that cannot follow what was restored so far (one is missing, or
// out of order, or of another rollout) is refused with [ErrInvalid], and nothing
// is changed.
func (c *Cohorts) Restore(cp Checkpoint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used() {
		return fmt.Errorf("%w: outcomes were recorded already: restore comes first", ErrInvalid)
	}
	now := c.snapshot()
	if err := now.precedes(cp.Sample); err != nil {
		return err
	}
	tables, err := addTables(now.Tables, cp.Tables)
	if err != nil {
		return err
	}
	if err := checkTables(tables, cp.Sample); err != nil {
		return err
	}
	since := func(ramp int32) int32 { return tablesFloor(tables, ramp, c.o.Floor) }
	r := rule{strict: c.o.Strict > 0, since: since}
	errors, err := c.errors.replay("marks", cp.Marks, cp.Sample.Coins, r)
	if err != nil {
		return err
	}
	slow, err := c.slow.replay("slower", cp.Slow, cp.Sample.Slow, r)
	if err != nil {
		return err
	}
	kept, err := c.kept.replay("kept", cp.Kept, cp.Sample.Kept, rule{once: true})
	if err != nil {
		return err
	}
	errors()
	slow()
	kept()
	c.candidate.carried = Side{Successes: cp.Sample.Candidate.Successes, Failures: cp.Sample.Candidate.Failures}
	c.baseline.carried = Side{Successes: cp.Sample.Baseline.Successes, Failures: cp.Sample.Baseline.Failures}
	c.carriedInvalid = cp.Sample.Invalid
	for _, t := range tables {
		live := c.begin(t.Ramp)
		for i := range live.counts {
			live.counts[i].Store(t.Counts[i])
		}
	}
	c.handed = tables
	return nil
}

// precedes says whether the other sample is sound as far as totals go, and
// continues this one.
func (s Sample) precedes(next Sample) error {
	// JSON is exact up to here, and sums stay far from wrapping.
	const most = 1 << 53
	for _, side := range []struct {
		name     string
		got, was Side
	}{{"candidate", next.Candidate, s.Candidate}, {"baseline", next.Baseline, s.Baseline}} {
		if side.got.Successes > most || side.got.Failures > most {
			return fmt.Errorf("%w: %s counts more than 2^53", ErrInvalid, side.name)
		}
		if side.got.Successes < side.was.Successes || side.got.Failures < side.was.Failures {
			return fmt.Errorf("%w: %s counts less than the checkpoint before: apply oldest first", ErrInvalid, side.name)
		}
	}
	if next.Invalid < s.Invalid || next.Invalid > most {
		return fmt.Errorf("%w: %d invalid outcomes, after %d", ErrInvalid, next.Invalid, s.Invalid)
	}
	if was, is := s.Options, next.Options; !was.equal(is) {
		return fmt.Errorf("%w: the checkpoint was counted with options %+v, these cohorts have %+v", ErrInvalid, is, was)
	}
	coins := tally{}
	for _, f := range next.Firsts {
		if f.Candidate > most || f.Baseline > most {
			return fmt.Errorf("%w: more than 2^53 first failures", ErrInvalid)
		}
		coins.candidate += f.Candidate
		coins.baseline += f.Baseline
		// Checked at each step, so that the sums cannot wrap.
		if coins.candidate > next.Candidate.Failures || coins.baseline > next.Baseline.Failures {
			return fmt.Errorf("%w: more first failures than failures", ErrInvalid)
		}
	}
	return nil
}

// checkTables says whether tables can be those of the sample.
func checkTables(tables []Table, s Sample) error {
	width := tableWidth(s.Options.Slow)
	sum := uint64(0)
	if len(tables) > maxTables {
		return fmt.Errorf("%w: %d tables, want at most %d", ErrInvalid, len(tables), maxTables)
	}
	for i, t := range tables {
		if len(t.Counts) != width*evidence.Buckets {
			return fmt.Errorf("%w: tables[%d] has %d counts, want %d", ErrInvalid, i, len(t.Counts), width*evidence.Buckets)
		}
		if t.Ramp < s.Options.Floor || t.Ramp > bucket.Slots || t.Ramp != s.Options.Floor && t.Ramp%evidence.BucketSlots != 0 {
			return fmt.Errorf("%w: tables[%d] is of ramp %d, with floor %d", ErrInvalid, i, t.Ramp, s.Options.Floor)
		}
		if t.Ramp == s.Options.Floor {
			continue // the history counts in no total
		}
		for j, n := range t.Counts {
			if j%width != width-1 {
				sum += uint64(n)
			}
		}
	}
	if all := s.Candidate.Requests() + s.Baseline.Requests(); sum > all {
		return fmt.Errorf("%w: tables count %d outcomes, the sample has %d: was this restored before?", ErrInvalid, sum, all)
	}
	return nil
}

// used says whether an outcome was recorded since the cohorts were made or restored.
func (c *Cohorts) used() bool {
	if c.candidate.used() || c.baseline.used() {
		return true
	}
	return len(tablesSince(c.snapshotTables(), c.handed)) > 0
}

func (a *arm) used() bool {
	var latency histogram.Counts
	latency.Add(&a.latency)
	return latency.Total() > 0 || a.failures > 0
}
