package health

import (
	"fmt"
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/evidence"
)

// coins are the tosses of one kind of event: the first failure of each unit, for
// example. They are guarded by Cohorts.mu.
type coins struct {
	floor  int32
	max    int
	units  map[uint64]int32 // of those that had the event, all that is known: their slot is at least this
	firsts map[bias]tally
	marks  Marks // made since the last checkpoint
}

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
	if !known && len(c.units) >= c.max || !tossed && len(c.firsts) >= maxFirsts {
		return
	}
	c.firsts[key] = t.plus(candidate)
	c.units[unit] = next
	c.marks = append(c.marks, Mark{Unit: unit, Ramp: key.ramp, Candidate: candidate})
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
	s := Coins{Units: len(c.units), Full: len(c.units) >= c.max || len(c.firsts) >= maxFirsts}
	s.Firsts = sorted(c.firsts)
	return s
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
	units := len(c.units)
	for i, m := range marks {
		lo, known := fresh[m.Unit]
		if !known {
			lo, known = c.units[m.Unit]
		}
		if !known {
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
	}, nil
}
