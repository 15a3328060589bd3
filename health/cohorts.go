package health

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
	"github.com/guidon-go/guidon/internal/histogram"
)

// Outcome is what became of one request that the ramp decided. Requests that
// something else decided (a target, an override, another rule) are no part of
// the experiment and must not be recorded. A request that never came to an end
// is a [Failure], on both sides.
type Outcome struct {
	Unit    uint64        // the hash of the unit that the ramp is keyed by; never of anything finer, such as the request
	Slot    int32         // of the unit in the ramp's lane: 0 to 99,999, in steps of 0.001 %
	Ramp    int32         // in slots, as it was when this request was evaluated; clamped to 0 to 100,000
	Class   Class         // how it counts; zero is Failure
	Latency time.Duration // below zero counts as zero
}

// CohortsOptions sets up [Cohorts]. The zero value suits a ramp that starts at 0 %.
type CohortsOptions struct {
	// Floor is the ramp at which this rollout began, in slots. Those below it were
	// exposed before and are left out of the comparison.
	Floor int32
	// MaxUnits bounds how many failed units are remembered, at about 50 bytes each,
	// and how long the table of first failures may grow; zero means 65,536. When it
	// is reached, new failing units count in the rates but no longer as evidence.
	// Forgetting an old one to make room is not an option: its coin would be
	// counted twice.
	MaxUnits int
}

// Cohorts counts the outcomes of candidate and baseline side by side, from the
// start of a rollout to its end: candidate is who the ramp let in, Slot < Ramp.
// It keeps what a [Judge] needs, which is little: totals, and a small table of
// first failures. Make them with [NewCohorts]; they take 27 kB and what
// [CohortsOptions.MaxUnits] allows.
//
// All methods are safe for concurrent use. Recording a success takes no lock and
// allocates nothing; recording a failure takes a short lock.
type Cohorts struct {
	floor    int32
	maxUnits int

	candidate, baseline arm
	invalid             atomic.Uint64

	mu             sync.Mutex // held to record a failure and to take a snapshot
	units          map[uint64]unit
	pending        []uint64 // units marked since the last checkpoint
	firsts         map[bias]tally
	carriedInvalid uint64
}

// arm is one side.
type arm struct {
	latency  histogram.Live // every request, failures too
	failures uint64         // guarded by mu
	carried  Side           // what a checkpoint restored; guarded by mu
}

// unit is what is known of a unit that failed: its slot is at least lo.
type unit struct {
	lo      int32
	pending bool // listed in Cohorts.pending
}

type (
	bias  struct{ lo, ramp int32 }
	tally struct{ candidate, baseline uint64 }
)

// NewCohorts returns empty cohorts. A Floor outside 0 to 100,000 is clamped.
func NewCohorts(o CohortsOptions) *Cohorts {
	if o.MaxUnits <= 0 {
		o.MaxUnits = 65536
	}
	return &Cohorts{
		floor:    min(max(o.Floor, 0), bucket.Slots),
		maxUnits: o.MaxUnits,
		units:    make(map[uint64]unit),
		firsts:   make(map[bias]tally),
	}
}

// Record counts one outcome, exactly once per request. Slots below
// [CohortsOptions.Floor] are ignored; a slot out of range is counted apart, as
// [Sample.Invalid].
func (c *Cohorts) Record(o Outcome) {
	if o.Slot < 0 || o.Slot >= bucket.Slots {
		c.invalid.Add(1)
		return
	}
	if o.Class == Excluded || o.Slot < c.floor {
		return
	}
	side := &c.baseline
	if o.Slot < o.Ramp {
		side = &c.candidate
	}
	if o.Class == Success {
		side.latency.Add(o.Latency)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	side.latency.Add(o.Latency)
	side.failures++
	c.toss(o)
}

// toss counts the failure as a coin, if the unit's side was not known before.
// Called with mu held.
func (c *Cohorts) toss(o Outcome) {
	u, known := c.units[o.Unit]
	if !known {
		u.lo = c.floor
	}
	lo, candidate, counted := evidence.Reveal(u.lo, o.Slot, o.Ramp)
	if !counted {
		return
	}
	key := bias{u.lo, o.Ramp}
	coins, tossed := c.firsts[key]
	// Decided by what is known before the side is looked at, so that a full table
	// cannot bend the coins it still counts.
	if !known && len(c.units) >= c.maxUnits || !tossed && len(c.firsts) >= c.maxUnits {
		return
	}
	if candidate {
		coins.candidate++
	} else {
		coins.baseline++
	}
	c.firsts[key] = coins
	if !u.pending {
		c.pending = append(c.pending, o.Unit)
	}
	c.units[o.Unit] = unit{lo: lo, pending: true}
}
