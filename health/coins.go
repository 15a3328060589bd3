package health

import (
	"fmt"
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

// coins are the tosses of one kind of event: the first failure of each unit, for
// example. They are guarded by Cohorts.mu.
type coins struct {
	floor  int32
	max    int
	seed   uint64
	units  map[uint64]int32 // of those that had the event, all that is known: their slot is at least this
	halved int              // how often those that count were halved; it only rises
	gone   int              // units that were counted, and dropped from units when it was halved
	firsts map[bias]tally
	marks  Marks // made since the last checkpoint
}

const (
	maxHalved = 64      // what a hash of 64 bits allows
	halving   = 1 << 63 // the lane in which units are halved; Cohorts.keep draws in those of small numbers
)

type (
	bias  struct{ lo, ramp int32 }
	tally struct{ candidate, baseline uint64 }
)

// toss counts an event as a coin, if the unit's side was not known before. In
// strict mode every step begins anew, with the slots from since on.
func (c *coins) toss(o Outcome, since int32, strict bool) {
	lo, known := c.units[o.Unit]
	switch {
	case strict && (since < 0 || known && o.Ramp <= lo):
		return
	case strict || !known:
		lo = since
	}
	next, candidate, counted := evidence.Reveal(lo, o.Slot, o.Ramp)
	if strict {
		next = o.Ramp
	}
	if counted {
		c.count(o.Unit, bias{lo, o.Ramp}, candidate, next)
	}
}

// once counts only the first event of a unit, whatever the ramp does later.
func (c *coins) once(o Outcome) {
	if _, known := c.units[o.Unit]; known {
		return
	}
	if _, candidate, counted := evidence.Reveal(c.floor, o.Slot, o.Ramp); counted {
		c.count(o.Unit, bias{c.floor, o.Ramp}, candidate, evidence.Done)
	}
}

func (c *coins) count(unit uint64, key bias, candidate bool, next int32) {
	_, known := c.units[unit]
	t, tossed := c.firsts[key]
	// Decided by what is known before the side is looked at, so that a full table
	// cannot bend the coins it still counts.
	if !tossed && len(c.firsts) >= maxFirsts || !known && !c.admit(unit) {
		return
	}
	c.firsts[key] = t.plus(candidate)
	c.units[unit] = next
	c.marks = append(c.marks, Mark{Unit: unit, Ramp: key.ramp, Candidate: candidate})
}

// admit makes room for a new unit, if it is one of those that count. In a full table
// half of the units stop to count: their coins stay, they are forgotten, and they are
// never let in again, or the same coin would be counted twice. Which half is drawn by
// a hash that has nothing to do with the slots.
func (c *coins) admit(unit uint64) bool {
	for c.counts(unit) && len(c.units) >= c.max && c.halved < maxHalved {
		c.halve(c.halved + 1)
	}
	return c.counts(unit) && len(c.units) < c.max
}

// counts says whether a unit is among those that still count: one in 2^halved is.
func (c *coins) counts(unit uint64) bool {
	return bucket.Hash(bucket.Hash(unit, c.seed), halving)>>(64-c.halved) == 0
}

// halve drops all units that no longer count.
func (c *coins) halve(halved int) {
	c.halved = halved
	before := len(c.units)
	maps.DeleteFunc(c.units, func(unit uint64, _ int32) bool { return !c.counts(unit) })
	c.gone += before - len(c.units)
}

func (t tally) plus(candidate bool) tally {
	if candidate {
		t.candidate++
	} else {
		t.baseline++
	}
	return t
}

func (c *coins) snapshot() Coins {
	return Coins{Firsts: sorted(c.firsts), Units: len(c.units) + c.gone, Halved: c.halved}
}

func sorted(firsts map[bias]tally) []First {
	var list []First
	for key, t := range firsts {
		list = append(list, First{key.lo, key.ramp, t.candidate, t.baseline})
	}
	slices.SortFunc(list, First.compare)
	return list
}

// hand returns the marks made since the last call.
func (c *coins) hand() Marks {
	marks := c.marks
	c.marks = nil
	return marks
}

// rule says how coins of one kind follow each other.
type rule struct {
	once   bool
	strict bool
	since  func(ramp int32) int32
}

// replay counts the marks of a checkpoint again, and compares the result with its
// sample, which is how a missing checkpoint shows. Nothing is changed until keep
// is called.
func (c *coins) replay(name string, marks Marks, want Coins, r rule) (keep func(), err error) {
	fresh := make(map[uint64]int32, len(marks))
	firsts := maps.Clone(c.firsts)
	units := len(c.units) + c.gone
	if want.Halved < c.halved || want.Halved > maxHalved {
		return nil, fmt.Errorf("%w: %s of units that were halved %d times, after %d, want at most %d", ErrInvalid, name, want.Halved, c.halved, maxHalved)
	}
	for i, m := range marks {
		lo, known := fresh[m.Unit]
		if !known {
			lo, known = c.units[m.Unit]
		}
		if !known {
			if !c.counts(m.Unit) {
				return nil, fmt.Errorf("%w: %s[%d]: unit %x counts no more, and may have counted before", ErrInvalid, name, i, m.Unit)
			}
			units++
			lo = c.floor
		}
		if m.Ramp <= lo || m.Ramp >= evidence.Done || r.once && known {
			return nil, fmt.Errorf("%w: %s[%d]: a ramp of %d, after %d", ErrInvalid, name, i, m.Ramp, lo)
		}
		next := m.Ramp
		switch {
		case r.strict:
			lo = r.since(m.Ramp)
		case m.Candidate:
			next = evidence.Done
		}
		fresh[m.Unit] = next
		firsts[bias{lo, m.Ramp}] = firsts[bias{lo, m.Ramp}].plus(m.Candidate)
	}
	if units != want.Units {
		return nil, fmt.Errorf("%w: %s of %d units, the sample has %d: is a checkpoint missing?", ErrInvalid, name, units, want.Units)
	}
	if !slices.Equal(sorted(firsts), want.Firsts) {
		return nil, fmt.Errorf("%w: %s do not add up to the sample's first events: is a checkpoint missing?", ErrInvalid, name)
	}
	return func() {
		c.firsts = firsts
		maps.Copy(c.units, fresh)
		if want.Halved > c.halved {
			c.halve(want.Halved)
		}
	}, nil
}
