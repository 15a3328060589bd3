package health

import (
	"fmt"
	"maps"
	"slices"
)

// Merge is the sample of one rollout that runs in several processes: by the same
// flag, the same salt and the same options. Each part is all that one process has
// counted, in one checkpoint: see [Checkpoint.After]. It is what one process would
// have counted if it had seen all requests, but for outcomes that come after the
// ramp has moved on: a unit's coins are put in the order of the ramp. Where processes
// have reached [CohortsOptions.MaxUnits], all coins that any of them has counted
// count, each once; Halved is the most of all.
//
// What is merged are counts and the marks of units, never evidence: a unit that
// failed in two processes is one coin. Latency quantiles have no value, and Elapsed
// is the longest of all. Parts that do not fit together are refused with
// [ErrInvalid].
func Merge(parts ...Checkpoint) (Sample, error) {
	var sum Sample
	var errors, slow, kept []Marks
	own := make([][]Table, len(parts))
	for i, part := range parts {
		o := part.Sample.Options
		if i > 0 && !o.equal(sum.Options) {
			return Sample{}, fmt.Errorf("%w: parts[%d] was counted with options %+v, parts[0] with %+v", ErrInvalid, i, o, sum.Options)
		}
		alone := NewCohorts(CohortsOptions{Floor: o.Floor, Slow: o.Slow, Harm: o.Harm, Strict: o.Strict, Seed: o.Seed})
		if err := alone.Restore(part); err != nil {
			return Sample{}, fmt.Errorf("parts[%d]: %w", i, err)
		}
		var err error
		if sum.Tables, err = addTables(sum.Tables, alone.handed); err != nil {
			return Sample{}, fmt.Errorf("parts[%d]: %w", i, err)
		}
		own[i] = alone.handed
		sum.Options = o
		sum.Candidate = sum.Candidate.plus(part.Sample.Candidate)
		sum.Baseline = sum.Baseline.plus(part.Sample.Baseline)
		sum.Invalid += part.Sample.Invalid
		sum.Elapsed = max(sum.Elapsed, part.Sample.Elapsed)
		sum.Halved = max(sum.Halved, part.Sample.Halved)
		sum.Slow.Halved = max(sum.Slow.Halved, part.Sample.Slow.Halved)
		sum.Kept.Halved = max(sum.Kept.Halved, part.Sample.Kept.Halved)
		errors, slow, kept = append(errors, part.Marks), append(slow, part.Slow), append(kept, part.Kept)
	}
	o := sum.Options
	if o.Strict > 0 {
		// A process that did not see every step tossed its coins among other units than
		// the rest did: at those steps it has no say.
		for i := range parts {
			odd := func(m Mark) bool {
				return tablesFloor(own[i], m.Ramp, o.Floor) != tablesFloor(sum.Tables, m.Ramp, o.Floor)
			}
			errors[i] = slices.DeleteFunc(slices.Clone(errors[i]), odd)
			slow[i] = slices.DeleteFunc(slices.Clone(slow[i]), odd)
		}
	}
	r := rule{strict: o.Strict > 0, since: func(ramp int32) int32 { return tablesFloor(sum.Tables, ramp, o.Floor) }}
	for _, kind := range []struct {
		name  string
		marks []Marks
		coins *Coins
		rule  rule
	}{{"marks", errors, &sum.Coins, r}, {"slower", slow, &sum.Slow, r}, {"kept", kept, &sum.Kept, rule{once: true}}} {
		if err := kind.coins.merge(kind.marks, o.Floor, kind.rule); err != nil {
			return Sample{}, fmt.Errorf("%s: %w", kind.name, err)
		}
	}
	return sum, nil
}

func (s Side) plus(t Side) Side {
	return Side{Successes: s.Successes + t.Successes, Failures: s.Failures + t.Failures}
}

// merge tosses the coins of all processes again, each unit's in the order in which
// the ramp rose.
func (c *Coins) merge(all []Marks, floor int32, r rule) error {
	units := make(map[uint64]map[int32]bool)
	for _, marks := range all {
		for _, m := range marks {
			at := units[m.Unit]
			if at == nil {
				at = make(map[int32]bool)
				units[m.Unit] = at
			}
			if side, known := at[m.Ramp]; known && side != m.Candidate {
				return fmt.Errorf("%w: at a ramp of %d, unit %x is in the candidate of one process and in the baseline of another: they do not share a salt", ErrInvalid, m.Ramp, m.Unit)
			}
			at[m.Ramp] = m.Candidate
		}
	}
	firsts := make(map[bias]tally)
	for _, at := range units {
		lo := floor
		for _, ramp := range slices.Sorted(maps.Keys(at)) {
			if r.strict {
				lo = r.since(ramp)
			}
			candidate := at[ramp]
			firsts[bias{lo, ramp}] = firsts[bias{lo, ramp}].plus(candidate)
			if r.once || candidate {
				break // later ones are known
			}
			lo = ramp
		}
	}
	c.Units, c.Firsts = len(units), sorted(firsts)
	return nil
}
