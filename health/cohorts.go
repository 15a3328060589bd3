package health

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/histogram"
)

// Outcome is what became of one request that the ramp decided. Requests that
// something else decided (a target, an override, another rule) are no part of
// the experiment and must not be recorded. A request that never came to an end
// is a [Failure], on both sides: see [Cohorts.Expect].
type Outcome struct {
	Unit    uint64        // the hash of the unit that the ramp is keyed by; never of anything finer, such as the request
	Slot    int32         // of the unit in the ramp's lane: 0 to 99,999, in steps of 0.001 %
	Ramp    int32         // in slots, as it was when this request was evaluated; clamped to 0 to 100,000
	Class   Class         // how it counts; zero is Failure
	Latency time.Duration // below zero counts as zero
}

// CohortsOptions sets up [Cohorts]. The zero value suits a ramp that starts at 0 %
// and is judged by errors.
type CohortsOptions struct {
	// Floor is the ramp at which this rollout began, in slots. Those below it were
	// exposed before and are left out of the comparison.
	Floor int32
	// MaxUnits bounds how many failed units are remembered, at about 50 bytes each;
	// zero means 65,536. When they are that many, half of all units, drawn by a hash
	// of their own, stop to be evidence: what they have told stays, they are
	// forgotten, and from then on they count in the rates and by bucket only. The
	// other half goes on, so evidence comes more slowly and does not end; see
	// [Coins.Halved]. Forgetting old ones instead would count a coin twice.
	//
	// No more than 4,096 kinds of coins (pairs of Lo and Ramp) are kept, which 90
	// steps of a ramp can fill; coins of other kinds are no evidence then.
	MaxUnits int
	// Slow holds up to four latencies, ascending, that outcomes are compared with:
	// needed to judge [Latency]. Fix them before the rollout, from what the service
	// did until then ([Metrics.Slow]) or from what it promises; one that is chosen
	// after a look at the candidate is no measure any more. Others than the first
	// four are dropped.
	Slow []time.Duration
	// Harm is what a Pass of [NoHarm] is to rule out, as a ratio of failure
	// probabilities: 2 is twice as many failures. Zero keeps no evidence for Pass.
	Harm float64
	// Strict is the number of steps of the ramp; zero is the usual mode. In strict
	// mode each step is a test of its own, on those who were not exposed when it
	// began, and the steps share alpha. It is for ramps that anything may steer, the
	// candidate's traffic or latency included; it finds harm later. Steps have to be
	// whole ones of 0.1 %, and only rise: outcomes of any but the highest ramp so far
	// count in the totals alone. At most 64.
	Strict int
	// Seed draws the relabelings of the placebo test. It must not depend on the
	// traffic: take a hash of the rollout's salt. Zero is a seed like any other.
	Seed uint64
}

// Cohorts counts the outcomes of candidate and baseline side by side, from the
// start of a rollout to its end: candidate is who the ramp let in, Slot < Ramp.
// It keeps what a [Judge] needs: totals, counts by bucket for each ramp, and
// small tables of first failures. Make them with [NewCohorts]; they take 26 kB,
// 12 to 44 kB for each step of the ramp, and what [CohortsOptions.MaxUnits]
// allows.
//
// Outcomes recorded while the ramp is at Floor or below are the history: nobody
// is exposed yet, and judges learn from them how buckets differ anyway. They count
// by bucket only, not in the totals.
//
// All methods are safe for concurrent use. Recording a success takes no lock and
// allocates nothing, unless it is slower than the last of [CohortsOptions.Slow], or
// comes from another ramp than the one before it; recording a failure takes a short
// lock.
type Cohorts struct {
	o CohortsOptions

	candidate, baseline arm
	invalid             atomic.Uint64

	current atomic.Pointer[table]    // of the last ramp seen
	tables  atomic.Pointer[[]*table] // of all ramps, ascending; replaced under mu

	mu                 sync.Mutex // held to record a failure, to begin a ramp, and to take a snapshot
	errors, slow, kept coins
	carriedInvalid     uint64
	handed             []Table // what checkpoints hold already
}

// arm is one side.
type arm struct {
	latency  histogram.Live // every request, failures too
	failures uint64         // guarded by mu
	carried  Side           // what a checkpoint restored; guarded by mu
}

// NewCohorts returns empty cohorts. Options out of range are clamped.
func NewCohorts(o CohortsOptions) *Cohorts {
	if o.MaxUnits <= 0 {
		o.MaxUnits = 65536
	}
	o.Floor = min(max(o.Floor, 0), bucket.Slots)
	o.Slow = slices.Clone(o.Slow[:min(len(o.Slow), maxSlow)])
	slices.Sort(o.Slow)
	if !(o.Harm > 1) {
		o.Harm = 0
	}
	o.Strict = min(max(o.Strict, 0), maxTables)
	c := &Cohorts{o: o}
	for _, coins := range []*coins{&c.errors, &c.slow, &c.kept} {
		coins.floor, coins.max, coins.seed = o.Floor, o.MaxUnits, o.Seed
		coins.units, coins.firsts = make(map[uint64]int32), make(map[bias]tally)
	}
	c.tables.Store(new([]*table))
	return c
}

// Options returns what the cohorts were made with, as it was clamped.
func (c *Cohorts) Options() CohortsOptions {
	o := c.o
	o.Slow = slices.Clone(o.Slow)
	return o
}

// Record counts one outcome, exactly once per request. Slots below
// [CohortsOptions.Floor] are ignored; a slot out of range is counted apart, as
// [Sample.Invalid].
func (c *Cohorts) Record(o Outcome) {
	if o.Slot < 0 || o.Slot >= bucket.Slots {
		c.invalid.Add(1)
		return
	}
	if o.Class == Excluded || o.Slot < c.o.Floor {
		return
	}
	side := &c.baseline
	if o.Slot < o.Ramp {
		side = &c.candidate
	}
	t := c.current.Load()
	if t == nil || t.ramp != o.Ramp {
		t = c.table(o.Ramp)
	}
	level := 0
	for level < len(c.o.Slow) && o.Latency > c.o.Slow[level] {
		level++
	}
	if o.Ramp <= c.o.Floor {
		t.count(o, level, len(c.o.Slow))
		return
	}
	failed := o.Class != Success
	if !failed && (level == 0 || level < len(c.o.Slow)) {
		side.latency.Add(o.Latency)
		t.count(o, level, len(c.o.Slow))
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	side.latency.Add(o.Latency)
	t.count(o, level, len(c.o.Slow))
	since, strict := c.since(o.Ramp), c.o.Strict > 0
	if level > 0 && level == len(c.o.Slow) {
		c.slow.toss(o, since, strict)
	}
	if !failed {
		return
	}
	side.failures++
	c.errors.toss(o, since, strict)
	if c.o.Harm > 0 && (o.Slot >= o.Ramp || c.keep(o.Unit)) {
		t.add(o.Slot, t.width-1)
		c.kept.once(o)
	}
}

// keep thins the candidate's failures: one in Harm is kept, at random. If the
// candidate really fails Harm times as often, what is left looks like a change that
// does nothing. Failures are drawn one by one, not by unit: the kept ones of a unit
// then spread as its failures would if there were fewer. Called with mu held.
func (c *Cohorts) keep(unit uint64) bool {
	hash := bucket.Hash(bucket.Hash(unit, c.o.Seed), c.candidate.carried.Failures+c.candidate.failures)
	return float64(hash>>11)*c.o.Harm < 1<<53
}

// since is the slot from which on units take part in a step: the floor, or in
// strict mode the ramp that went before, since those below were exposed when this
// step began. It is below zero where strict mode counts no coins, because this is
// not the newest step.
func (c *Cohorts) since(ramp int32) int32 {
	if c.o.Strict == 0 {
		return c.o.Floor
	}
	tables := *c.tables.Load()
	last := len(tables) - 1
	switch {
	case last < 0 || tables[last].ramp != ramp:
		return -1
	case last == 0:
		return c.o.Floor
	}
	return tables[last-1].ramp
}

// Expect announces an outcome that is yet to come, and counts it as a [Failure]
// when it has not come within that time. Whoever has the outcome calls done with
// how it went; the first of the two counts, the other one changes nothing.
func (c *Cohorts) Expect(o Outcome, within time.Duration) (done func(class Class, latency time.Duration)) {
	var over atomic.Bool
	timer := time.AfterFunc(within, func() {
		if over.CompareAndSwap(false, true) {
			o.Class, o.Latency = Failure, within
			c.Record(o)
		}
	})
	return func(class Class, latency time.Duration) {
		if over.CompareAndSwap(false, true) {
			timer.Stop()
			o.Class, o.Latency = class, latency
			c.Record(o)
		}
	}
}
