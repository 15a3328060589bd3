package health

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

// Planner says, before a rollout, how long it takes to see harm in it: by playing
// the rollout many times on made-up traffic. It knows users who come equally often
// and fail independently; where a few users make most of the traffic, or failures
// come in bursts, harm is found later.
type Planner struct {
	Rate      float64        // requests per second, on both sides together; required
	ErrorRate float64        // share of requests that fail as it is, between 0 and 1; required
	Users     int            // how many there are; zero means that each request is a user of its own
	Ramp      []RampStep     // the plan; required
	Judge     Judge          // nil means the DefaultJudge of errors for as long as the plan takes
	Options   CohortsOptions // how it counts; Seed is drawn for each run
	Runs      int            // how often to play it; zero means 100
}

// RampStep is one step of a planned ramp.
type RampStep struct {
	Ramp int32         // in slots: 5 * Percent
	For  time.Duration // how long it stays there
}

// Detection is how soon one size of harm is seen.
type Detection struct {
	Harm   float64       `json:"harm"`             // as a ratio of failure probabilities: 2 is twice as many failures
	Found  float64       `json:"found"`            // share of the rollouts that the judge fails, 0 to 1
	Median time.Duration `json:"median,omitempty"` // in nanoseconds, by when it has failed half of the rollouts; zero if it never does
}

// String is one line for people.
func (d Detection) String() string {
	s := fmt.Sprintf("%.3gx as many failures: found in %.0f %% of rollouts", d.Harm, 100*d.Found)
	if d.Median > 0 {
		s += ", in half of them within " + d.Median.String()
	}
	return s
}

// Detect plays the plan for each size of harm. 1 is a change that does nothing:
// what is found then are false alarms. Work grows with the failures that happen;
// equal plans give equal results.
func (p Planner) Detect(harms ...float64) ([]Detection, error) {
	if err := p.validate(harms); err != nil {
		return nil, err
	}
	over := time.Duration(0)
	for _, step := range p.Ramp {
		over += step.For
	}
	if p.Judge == nil {
		p.Judge = DefaultJudge(over)
	}
	if p.Runs == 0 {
		p.Runs = 100
	}
	found := make([]Detection, len(harms))
	for i, harm := range harms {
		var times []time.Duration
		for run := range p.Runs {
			if at, hit := p.run(uint64(run), harm); hit {
				times = append(times, at)
			}
		}
		slices.Sort(times)
		found[i] = Detection{Harm: harm, Found: float64(len(times)) / float64(p.Runs)}
		if half := (p.Runs+1)/2 - 1; len(times) > half {
			found[i].Median = times[half]
		}
	}
	return found, nil
}

func (p Planner) validate(harms []float64) error {
	var c complaints
	if !(p.Rate > 0 && p.Rate <= 1e9) {
		c.add("rate is %v, want more than 0 requests per second, and at most 1e9", p.Rate)
	}
	if !(p.ErrorRate > 0 && p.ErrorRate < 1) {
		c.add("error_rate is %v, want between 0 and 1", p.ErrorRate)
	}
	if p.Users < 0 {
		c.add("users is %d, want at least 0", p.Users)
	}
	if len(p.Ramp) == 0 {
		c.add("ramp: want at least one step")
	}
	for i, step := range p.Ramp {
		if step.Ramp <= p.Options.Floor || step.Ramp > bucket.Slots || step.For <= 0 {
			c.add("ramp[%d] is %d slots for %v, want more than the floor (%d), at most 100,000, and some time", i, step.Ramp, step.For, p.Options.Floor)
		}
	}
	if p.Runs < 0 {
		c.add("runs is %d, want at least 0", p.Runs)
	}
	for i, harm := range harms {
		if !(harm >= 0 && harm <= 1e6) {
			c.add("harms[%d] is %v, want 0 to 1e6", i, harm)
		}
	}
	if v, ok := p.Judge.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			c.add("judge: %v", err)
		}
	}
	return c.err()
}

// run plays the plan once, a second at a time. Failures happen one by one; requests
// that go well are spread evenly over the buckets, which they nearly are.
func (p Planner) run(seed uint64, harm float64) (at time.Duration, found bool) {
	rng := rand.New(rand.NewPCG(seed, 0x706c616e))
	options := p.Options
	options.Seed = rng.Uint64()
	cohorts, state := NewCohorts(options), State(nil)
	lane := rng.Uint64()
	worst := min(p.ErrorRate*max(harm, 1), 1)
	for _, step := range p.Ramp {
		table := cohorts.table(step.Ramp)
		for range (step.For + time.Second - 1) / time.Second {
			at += time.Second
			for range poisson(rng, p.Rate*worst) {
				unit := rng.Uint64()
				if p.Users > 0 {
					unit = bucket.Hash(rng.Uint64N(uint64(p.Users)), 1)
				}
				o := Outcome{Unit: unit, Slot: bucket.Slot(unit, lane), Ramp: step.Ramp}
				chance := p.ErrorRate
				if o.Slot < step.Ramp {
					chance = min(chance*harm, 1)
				}
				if rng.Float64() < chance/worst {
					cohorts.Record(o)
				}
			}
			for m := (cohorts.o.Floor + evidence.BucketSlots - 1) / evidence.BucketSlots; m < evidence.Buckets; m++ {
				side, fails := &cohorts.baseline, p.ErrorRate
				if m*evidence.BucketSlots < step.Ramp {
					side, fails = &cohorts.candidate, min(p.ErrorRate*harm, 1)
				}
				good := p.Rate * (1 - fails) / evidence.Buckets
				n := uint32(good)
				if rng.Float64() < good-math.Trunc(good) {
					n++
				}
				side.carried.Successes += uint64(n)
				if table.counts != nil {
					table.counts[int(m)*table.width].Add(n)
				}
			}
			sample := cohorts.Snapshot()
			sample.Elapsed = at
			var v Verdict
			if v, state = p.Judge.Look(state, sample); v.Call == Fail {
				return at, true
			}
		}
	}
	return 0, false
}

// poisson draws a number of events of which so many are expected.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 500 { // near enough to normal
		return max(int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())), 0)
	}
	n, p := 0, math.Exp(-mean)
	for u := rng.Float64(); u > p; n++ { // Knuth, The Art of Computer Programming 3.4.1
		u *= rng.Float64()
	}
	return n
}
