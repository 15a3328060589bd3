package healthtest

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/guidon-go/guidon/health"
)

// story is what became of one rollout, by the samples of its looks. The twins are
// samples that are equal and share nothing.
type story struct {
	name           string
	noCandidate    bool
	samples, twins []health.Sample
}

// slots is a whole ramp.
const slots = 100_000

// traffic is whose requests a rollout sees, and what becomes of them.
type traffic struct {
	name  string
	users int
	ramps []int32 // one after the other, for equal times
	base  float64 // the share of requests that fail in the baseline
	harm  float64 // how many times as often they do in the candidate
	slow  float64 // how many times as long they take there; zero means 1
	odd   bool    // some slots are out of range
}

const storyLooks, storyRequests = 8, 800

func stories(o JudgeOptions) (all []story) {
	for i, tr := range []traffic{
		{name: "harmless", users: 200, ramps: []int32{10_000}, base: 0.05, harm: 1},
		{name: "harmful", users: 200, ramps: []int32{20_000}, base: 0.03, harm: 10},
		{name: "harmful, then rolled back", users: 200, ramps: []int32{50_000, 0}, base: 0.03, harm: 10},
		{name: "better", users: 200, ramps: []int32{50_000}, base: 0.2, harm: 0.1},
		{name: "slow", users: 200, ramps: []int32{50_000}, base: 0.01, harm: 1, slow: 10},
		{name: "a ramp", users: 200, ramps: []int32{1_000, 5_000, 25_000, 50_000}, base: 0.05, harm: 3},
		{name: "users of their own", ramps: []int32{50_000}, base: 0.05, harm: 1},
		{name: "all fail", users: 50, ramps: []int32{50_000}, base: 1, harm: 1},
		{name: "none fails", users: 200, ramps: []int32{50_000}, base: 0, harm: 1},
		{name: "no baseline", users: 200, ramps: []int32{slots}, base: 0.05, harm: 1},
		{name: "no candidate", users: 200, ramps: []int32{0}, base: 0.05, harm: 1},
		{name: "odd slots", users: 50, ramps: []int32{-5, 2 * slots, 50_000}, base: 0.05, harm: 1, odd: true},
	} {
		s := story{name: tr.name, noCandidate: tr.name == "no candidate"}
		one, two := health.NewCohorts(o.Cohorts), health.NewCohorts(o.Cohorts)
		n := 0
		tr.play(o.Seed, uint64(i), storyRequests, func(outcome health.Outcome) bool {
			one.Record(outcome)
			two.Record(outcome)
			if n++; n%(storyRequests/storyLooks) == 0 {
				s.samples, s.twins = append(s.samples, one.Snapshot()), append(s.twins, two.Snapshot())
			}
			return true
		})
		all = append(all, s)
	}
	return all
}

// play is a rollout of so many requests. A few of the users come often and some fail in
// bursts, as in life. It ends early where see says so.
func (tr traffic) play(seed, run uint64, requests int, see func(health.Outcome) (goOn bool)) {
	rng := rand.New(rand.NewPCG(seed, run))
	slot := make([]int32, tr.users) // uniform and anew for each rollout, as a hash with its own salt
	for i := range slot {
		slot[i] = rng.Int32N(slots)
	}
	var burst health.Outcome
	for i := range requests {
		o := health.Outcome{Ramp: tr.ramps[i*len(tr.ramps)/requests], Class: health.Success}
		if tr.users == 0 {
			o.Unit, o.Slot = uint64(i), rng.Int32N(slots)
		} else {
			o.Unit = uint64(math.Pow(rng.Float64(), 2) * float64(tr.users))
			o.Slot = slot[o.Unit]
		}
		harm, slow := 1.0, 1.0
		if o.Slot < o.Ramp {
			harm, slow = tr.harm, max(tr.slow, 1)
		}
		switch {
		case burst.Ramp == o.Ramp && tr.users > 0 && rng.Float64() < 0.3: // the same user tries again
			o.Unit, o.Slot, o.Class = burst.Unit, burst.Slot, health.Failure
		case rng.Float64() < tr.base*harm:
			o.Class = health.Failure
		}
		burst = health.Outcome{Ramp: -1}
		if o.Class == health.Failure {
			burst = o
		}
		o.Latency = time.Duration(slow * 20e6 * math.Exp(rng.NormFloat64()))
		if tr.odd && i%10 == 0 {
			o.Slot = []int32{-1, slots, math.MaxInt32, math.MinInt32}[rng.IntN(4)]
		}
		if !see(o) {
			return
		}
	}
}
