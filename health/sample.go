package health

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/histogram"
)

// Side is what one side of a comparison has seen since the rollout began.
type Side struct {
	Successes uint64        `json:"successes"`     // requests that went well
	Failures  uint64        `json:"failures"`      // requests that did not
	P50       time.Duration `json:"p50,omitempty"` // median latency, failed requests included, within 0.78 %; zero: no value
	P99       time.Duration `json:"p99,omitempty"` // what 99 % did not exceed, likewise
}

// Requests is how many outcomes counted.
func (s Side) Requests() uint64 { return s.Successes + s.Failures }

// ErrorRate is the share of requests that failed, 0 to 1; no value without requests.
func (s Side) ErrorRate() (float64, bool) { return rate(s.Failures, s.Requests()) }

// String is one line for people.
func (s Side) String() string {
	if s.Requests() == 0 {
		return "no requests"
	}
	text := count(s.Requests(), "request") + ", " + percent(s.Failures, s.Requests()) + " fail"
	if s.P50 > 0 || s.P99 > 0 {
		text += fmt.Sprintf(", p50 %s, p99 %s", short(s.P50), short(s.P99))
	}
	return text
}

// First counts failures that were coins of one bias: of units about whose slot
// nothing was known but that it is at least Lo, at a ramp of Ramp, by the side on
// which they turned out to be. Lo is above the floor only for units that failed
// before, in the baseline, at a lower ramp. A change that does nothing lands
// (Ramp-Lo)/(100,000-Lo) of them in the candidate, on average.
type First struct {
	Lo        int32  `json:"lo"`        // where the slots begin that were still possible, in slots of 0.001 %
	Ramp      int32  `json:"ramp"`      // by which the request was decided, in slots
	Candidate uint64 `json:"candidate"` // how many turned out to be below Ramp
	Baseline  uint64 `json:"baseline"`  // how many did not
}

// Coins are the first events of one kind of all units: first failures, for example.
type Coins struct {
	Firsts []First `json:"firsts,omitempty"` // ordered by Lo, then Ramp
	Units  int     `json:"units,omitempty"`  // how many units count in Firsts
	Halved int     `json:"halved,omitempty"` // of the units that fail now, one in 2^Halved can still count: see CohortsOptions.MaxUnits
}

// Sample is what [Cohorts] have counted since the rollout began, and all that a
// [Judge] sees. It is a value of its own: nothing changes it later. Equal
// outcomes in equal order give equal samples, byte for byte in JSON.
type Sample struct {
	Candidate Side  `json:"candidate"` // whom the ramp let in
	Baseline  Side  `json:"baseline"`  // whom it left out
	Coins           // the first failures of units
	Slow      Coins `json:"slower,omitzero"` // the first outcomes slower than the last of CohortsOptions.Slow
	Kept      Coins `json:"kept,omitzero"`   // the first failures among those kept for NoHarm

	Tables  []Table `json:"tables,omitempty"`  // counts by bucket, ascending by ramp
	Invalid uint64  `json:"invalid,omitempty"` // outcomes with a slot out of range; they count nowhere else

	// Elapsed is for how long the ramp has been up. Cohorts have no clock: whoever
	// takes the sample fills it in, for judges that spend alpha over time.
	Elapsed time.Duration `json:"elapsed,omitempty"`

	Options SampleOptions `json:"options,omitzero"` // how it was counted
}

// SampleOptions are what judges must know of [CohortsOptions], by the same names.
type SampleOptions struct {
	Floor  int32           `json:"floor,omitempty"`  // in slots
	Slow   []time.Duration `json:"slow,omitempty"`   // thresholds of latency, in nanoseconds
	Harm   float64         `json:"harm,omitempty"`   // ratio that a Pass rules out
	Strict int             `json:"strict,omitempty"` // number of steps, in strict mode
	Seed   uint64          `json:"seed,omitempty"`   // of the relabelings
}

func (o SampleOptions) equal(p SampleOptions) bool {
	return o.Floor == p.Floor && o.Harm == p.Harm && o.Strict == p.Strict && o.Seed == p.Seed && slices.Equal(o.Slow, p.Slow)
}

// String is one line for people.
func (s Sample) String() string {
	return "candidate: " + s.Candidate.String() + "; baseline: " + s.Baseline.String()
}

// Snapshot is the sample at this moment.
func (c *Cohorts) Snapshot() Sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshot()
}

// snapshot is Snapshot with mu held.
func (c *Cohorts) snapshot() Sample {
	// Tables before totals, so that no table has more than the totals do: an
	// outcome is counted the other way round.
	tables := c.snapshotTables()
	return Sample{
		Candidate: c.candidate.side(),
		Baseline:  c.baseline.side(),
		Coins:     c.errors.snapshot(),
		Slow:      c.slow.snapshot(),
		Kept:      c.kept.snapshot(),
		Tables:    tables,
		Invalid:   c.carriedInvalid + c.invalid.Load(),
		Options:   SampleOptions{Floor: c.o.Floor, Slow: c.o.Slow, Harm: c.o.Harm, Strict: c.o.Strict, Seed: c.o.Seed},
	}
}

func (f First) compare(g First) int {
	return cmp.Or(cmp.Compare(f.Lo, g.Lo), cmp.Compare(f.Ramp, g.Ramp))
}

func (a *arm) side() Side {
	var latency histogram.Counts
	latency.Add(&a.latency)
	s := Side{
		// No failure is half counted while mu is held, so this cannot wrap.
		Successes: a.carried.Successes + latency.Total() - a.failures,
		Failures:  a.carried.Failures + a.failures,
	}
	s.P50, _ = latency.Quantile(0.5)
	s.P99, _ = latency.Quantile(0.99)
	return s
}
