package health

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
	"github.com/guidon-go/guidon/internal/histogram"
)

// Mark is what [Cohorts] remember of one unit that failed, so that its coin is
// not counted twice.
type Mark struct {
	Unit uint64 // the hash of the unit
	Seen int32  // the highest ramp at which it was found in the baseline, in slots; 100,000: it was found in the candidate
}

// Marks is a list of marks, later ones of a unit replacing earlier ones. In JSON
// and other text it is one base64 string, 11 bytes a mark.
type Marks []Mark

// markSize is 8 bytes of unit and 3 of seen, big endian.
const markSize = 11

// MarshalText encodes the marks.
func (m Marks) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, len(m)*markSize)
	for _, mark := range m {
		if mark.Seen < 0 || mark.Seen > evidence.Done {
			return nil, fmt.Errorf("%w: mark seen at %d, want 0 to %d", ErrInvalid, mark.Seen, evidence.Done)
		}
		raw = binary.BigEndian.AppendUint64(raw, mark.Unit)
		raw = append(raw, byte(mark.Seen>>16), byte(mark.Seen>>8), byte(mark.Seen))
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
		seen := int32(raw[8])<<16 | int32(raw[9])<<8 | int32(raw[10])
		if seen > evidence.Done {
			return fmt.Errorf("%w: mark seen at %d, want 0 to %d", ErrInvalid, seen, evidence.Done)
		}
		marks = append(marks, Mark{Unit: binary.BigEndian.Uint64(raw), Seen: seen})
	}
	*m = marks
	return nil
}

// Checkpoint is what a journal must keep of [Cohorts]: the sample so far, and the
// marks made since the checkpoint before. A journal that has all of them, in
// order, can bring the cohorts back after a crash.
type Checkpoint struct {
	Sample Sample `json:"sample"`          // everything so far
	Marks  Marks  `json:"marks,omitempty"` // what is new since the checkpoint before
}

// Checkpoint takes the sample and the marks made since the last call, at one
// moment: no failure is in one and not in the other. The marks are handed out
// once: if the checkpoint cannot be written, put its marks before those of the
// next.
func (c *Cohorts) Checkpoint() Checkpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	cp := Checkpoint{Sample: c.snapshot()}
	for _, id := range c.pending {
		lo := c.units[id].lo
		c.units[id] = unit{lo: lo}
		cp.Marks = append(cp.Marks, Mark{Unit: id, Seen: lo})
	}
	c.pending = c.pending[:0]
	return cp
}

// Restore brings back what a checkpoint holds. Apply all checkpoints of a
// rollout, oldest first, to new cohorts of the same [CohortsOptions.Floor],
// before anything is recorded. Counts, first failures and the memory of failed
// units are then as they were at the last checkpoint; latency quantiles start
// anew, over the requests that follow. Outcomes after the last checkpoint are
// lost on both sides alike, coins and marks together. That costs some evidence and
// leaves the promise of [FirstFailure] as it is, provided that a look was written
// with its checkpoint before the ramp was moved by it.
//
// A checkpoint that cannot follow what was restored so far (one is missing, or
// out of order, or of another rollout) is refused with [ErrInvalid], and nothing
// is changed.
func (c *Cohorts) Restore(cp Checkpoint) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.candidate.used() || c.baseline.used() {
		return fmt.Errorf("%w: outcomes were recorded already: restore comes first", ErrInvalid)
	}
	coins, err := c.checkSample(cp.Sample)
	if err != nil {
		return err
	}
	marks, err := c.checkMarks(cp, coins)
	if err != nil {
		return err
	}
	c.candidate.carried = Side{Successes: cp.Sample.Candidate.Successes, Failures: cp.Sample.Candidate.Failures}
	c.baseline.carried = Side{Successes: cp.Sample.Baseline.Successes, Failures: cp.Sample.Baseline.Failures}
	c.carriedInvalid = cp.Sample.Invalid
	clear(c.firsts)
	for _, f := range cp.Sample.Firsts {
		c.firsts[bias{f.Lo, f.Ramp}] = tally{f.Candidate, f.Baseline}
	}
	for id, seen := range marks {
		c.units[id] = unit{lo: seen}
	}
	return nil
}

// checkSample says whether the sample is sound and continues the one restored
// before, and how many coins came up on each side. Called with mu held.
func (c *Cohorts) checkSample(s Sample) (coins tally, err error) {
	// JSON is exact up to here, and sums stay far from wrapping.
	const most = 1 << 53
	for _, side := range []struct {
		name     string
		got, was Side
	}{{"candidate", s.Candidate, c.candidate.carried}, {"baseline", s.Baseline, c.baseline.carried}} {
		if side.got.Successes > most || side.got.Failures > most {
			return coins, fmt.Errorf("%w: %s counts more than 2^53", ErrInvalid, side.name)
		}
		if side.got.Successes < side.was.Successes || side.got.Failures < side.was.Failures {
			return coins, fmt.Errorf("%w: %s counts less than the checkpoint before: apply oldest first", ErrInvalid, side.name)
		}
	}
	for i, f := range s.Firsts {
		if f.Lo < c.floor || f.Lo >= f.Ramp || f.Ramp >= bucket.Slots || f.Candidate > most || f.Baseline > most {
			return coins, fmt.Errorf("%w: firsts[%d]: %+v with floor %d", ErrInvalid, i, f, c.floor)
		}
		if i > 0 && s.Firsts[i-1].compare(f) >= 0 {
			return coins, fmt.Errorf("%w: firsts[%d] is out of order", ErrInvalid, i)
		}
		coins.candidate += f.Candidate
		coins.baseline += f.Baseline
		// Checked at each step, so that the sums cannot wrap.
		if coins.candidate > s.Candidate.Failures || coins.baseline > s.Baseline.Failures {
			return coins, fmt.Errorf("%w: more first failures than failures", ErrInvalid)
		}
	}
	return coins, nil
}

// checkMarks says what the marks change, and whether with them the memory of
// failed units fits the sample: every unit is there, and those found in the
// candidate are as many as the coins that came up there, which is how a missing
// checkpoint shows. Called with mu held.
func (c *Cohorts) checkMarks(cp Checkpoint, coins tally) (map[uint64]int32, error) {
	marks := make(map[uint64]int32, len(cp.Marks))
	units, done := len(c.units), uint64(0)
	for _, t := range c.firsts {
		done += t.candidate // as many as units, since this was checked before
	}
	for i, m := range cp.Marks {
		was, known := marks[m.Unit]
		if !known {
			var u unit
			u, known = c.units[m.Unit]
			was = u.lo
		}
		if !known {
			was = c.floor
			units++
		}
		if m.Seen < was || m.Seen <= c.floor || m.Seen > evidence.Done {
			return nil, fmt.Errorf("%w: marks[%d]: seen at %d, after %d", ErrInvalid, i, m.Seen, was)
		}
		if m.Seen == evidence.Done && was != evidence.Done {
			done++
		}
		marks[m.Unit] = m.Seen
	}
	if units != cp.Sample.Units {
		return nil, fmt.Errorf("%w: marks of %d failed units, the sample has %d: is a checkpoint missing?", ErrInvalid, units, cp.Sample.Units)
	}
	if done != coins.candidate {
		return nil, fmt.Errorf("%w: marks of %d units in the candidate, the sample has %d: is a checkpoint missing?", ErrInvalid, done, coins.candidate)
	}
	if in := uint64(units) - done; in > coins.baseline {
		return nil, fmt.Errorf("%w: marks of %d units in the baseline, the sample has %d", ErrInvalid, in, coins.baseline)
	}
	return marks, nil
}

// used says whether an outcome was recorded since the cohorts were made.
func (a *arm) used() bool {
	var latency histogram.Counts
	latency.Add(&a.latency)
	return latency.Total() > 0 || a.failures > 0
}
