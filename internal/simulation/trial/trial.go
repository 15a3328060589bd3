// Package trial lets judges of package health judge simulated rollouts.
package trial

import (
	"math"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/simulation"
)

// Of plays a world with a judge that looks once a second, until it makes the call.
func Of(options health.CohortsOptions, judge health.Judge, call health.Call) simulation.Trial {
	return func(crowd *simulation.Crowd, seed uint64) (at time.Duration, hit bool) {
		options := options
		options.Seed = seed * 0x9e3779b97f4a7c15
		cohorts, state := health.NewCohorts(options), health.State(nil)
		next := time.Second
		look := func(now time.Duration) bool {
			for ; next <= now; next += time.Second {
				sample := cohorts.Snapshot()
				sample.Elapsed = next
				var v health.Verdict
				if v, state = judge.Look(state, sample); v.Call == call {
					at, hit = next, true
					return true
				}
			}
			return false
		}
		crowd.Run(seed, func(r simulation.Request) bool {
			if look(r.At) {
				return false
			}
			class := health.Success
			if r.Failed {
				class = health.Failure
			}
			cohorts.Record(health.Outcome{Unit: r.Unit, Slot: r.Slot, Ramp: r.Ramp, Class: class, Latency: r.Latency})
			return true
		})
		if !hit {
			look(crowd.World.For)
		}
		return at, hit
	}
}

// Slow are thresholds for worlds with latency: what 50, 90, 95 and 99 % of the
// requests did not exceed before the rollout.
func Slow() []time.Duration {
	var slow []time.Duration
	for _, z := range []float64{0, 1.2816, 1.6449, 2.3263} {
		slow = append(slow, time.Duration(20e6*math.Exp(z*math.Hypot(0.5, 0.3))))
	}
	return slow
}
