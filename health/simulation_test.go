package health_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
)

// world is traffic to judge: who comes, how they fail, and how the ramp goes.
type world struct {
	name    string
	users   int     // zero: every request is a user of its own
	zipf    bool    // some users come far more often than others
	burst   float64 // mean number of failures in a row, by the same user; zero means 1
	chronic bool    // 1 % of the users fail half of the time
	ramps   []int32 // one after the other, for equal times
	exposed int     // the ramp goes up after this many requests in the candidate instead, as a guard's may
	harm    float64 // the candidate fails this many times as often; 1: a harmless change
	crashes int     // how often the process dies, and takes what the journal does not have with it
	memory  int     // CohortsOptions.MaxUnits

	perRequest bool // wrong on purpose: each request is counted as if it were a unit
}

const (
	simRequests = 6_000
	simBase     = 0.02
	simAlpha    = 0.05
)

// rollout plays the world once and says whether, and after how many requests, the
// judge failed it. The judge looks after every failure. That is as good as after
// every request: the evidence moves on failures alone (TestSuccessIsNoEvidence).
func (w world) rollout(run uint64, units []uint64, come func(*rand.Rand) int) (at int, failed bool) {
	rng := rand.New(rand.NewPCG(run, 42))
	lane := bucket.Lane("rollout-"+strconv.FormatUint(run, 10), bucket.Ramp)
	judge := health.FirstFailure{Alpha: simAlpha}
	options := health.CohortsOptions{MaxUnits: w.memory, Seed: bucket.Lane("rollout-"+strconv.FormatUint(run, 10), "placebo")}
	cohorts, state := health.NewCohorts(options), health.State(nil)
	var journal [][]byte
	crashAt := make(map[int]bool)
	for range w.crashes {
		crashAt[rng.IntN(simRequests)] = true
	}
	fresh := uint64(1) << 63
	rung, seen := 0, 0
	for i := range simRequests {
		ramp := w.ramps[i*len(w.ramps)/simRequests]
		if w.exposed > 0 {
			if ramp = w.ramps[rung]; seen >= w.exposed && rung+1 < len(w.ramps) {
				rung, seen = rung+1, 0
			}
		}
		user := come(rng)
		unit := units[user%len(units)]
		if w.users == 0 {
			unit = bucket.Unit(strconv.Itoa(i))
		}
		slot := bucket.Slot(unit, lane)
		chance := simBase
		if w.chronic && user%100 == 50 {
			chance = 0.5
		}
		if slot < ramp {
			seen++
			chance *= w.harm
		}
		failures := 0
		if rng.Float64() < chance {
			for failures = 1; w.burst > 1 && rng.Float64() < 1-1/w.burst; {
				failures++
			}
		}
		outcome := health.Outcome{Unit: unit, Slot: slot, Ramp: ramp, Class: health.Success, Latency: time.Millisecond}
		if failures == 0 {
			cohorts.Record(outcome)
		}
		outcome.Class = health.Failure
		for range failures {
			if w.perRequest {
				fresh++
				outcome.Unit = fresh
			}
			cohorts.Record(outcome)
			var verdict health.Verdict
			if verdict, state = judge.Look(state, cohorts.Snapshot()); verdict.Call == health.Fail {
				return i, true
			}
		}
		if w.crashes > 0 && i%250 == 0 {
			entry, err := json.Marshal(entry{cohorts.Checkpoint(), state})
			if err != nil {
				panic(err)
			}
			journal = append(journal, entry)
		}
		if crashAt[i] {
			cohorts, state = resume(journal, options)
		}
	}
	return 0, false
}

// entry is what a journal keeps with each look.
type entry struct {
	Checkpoint health.Checkpoint
	State      health.State
}

func resume(journal [][]byte, options health.CohortsOptions) (*health.Cohorts, health.State) {
	cohorts := health.NewCohorts(options)
	var e entry
	for _, data := range journal {
		e = entry{}
		if err := json.Unmarshal(data, &e); err != nil {
			panic(err)
		}
		if err := cohorts.Restore(e.Checkpoint); err != nil {
			panic(err)
		}
	}
	return cohorts, e.State
}

// rollouts plays the world many times and returns the share that failed and the
// median request at which it did.
func (w world) rollouts(runs int) (share float64, median int) {
	units := make([]uint64, max(w.users, 1))
	weights := make([]float64, len(units))
	for i := range units {
		units[i] = bucket.Unit("user-" + strconv.Itoa(i))
		weights[i] = 1
		if w.zipf {
			weights[i] = 1 / float64(i+1)
		}
		if i > 0 {
			weights[i] += weights[i-1]
		}
	}
	come := func(rng *rand.Rand) int {
		return sort.SearchFloat64s(weights, rng.Float64()*weights[len(weights)-1])
	}
	var at []int
	for run := range runs {
		if i, failed := w.rollout(uint64(run), units, come); failed {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return 0, 0
	}
	slices.Sort(at)
	return float64(len(at)) / float64(runs), at[len(at)/2]
}

func simRuns() int {
	switch {
	case raceEnabled:
		return 20
	case testing.Short():
		return 100
	}
	return 150
}

var (
	steady = []int32{10_000}
	steps  = []int32{1_000, 5_000, 25_000, 50_000}
)

// A harmless change is rolled back with probability at most alpha, whatever the
// traffic, however the ramp goes, though the judge looks all the time.
func TestFalseRollbacks(t *testing.T) {
	if raceEnabled {
		t.Skip("nothing runs at once here, and the shares are held without the race detector")
	}
	for _, w := range []world{
		{name: "own user each", ramps: steady},
		{name: "500 users", users: 500, ramps: steady},
		{name: "10,000 users, Zipf", users: 10_000, zipf: true, ramps: steady},
		{name: "bursts of 3", users: 10_000, zipf: true, burst: 3, ramps: steady},
		{name: "bursts of 10", users: 500, burst: 10, ramps: steady},
		{name: "chronic users", users: 500, chronic: true, ramps: steady},
		{name: "ramp", users: 10_000, zipf: true, ramps: steps},
		{name: "ramp, bursts of 10", users: 500, burst: 10, ramps: steps},
		{name: "ramp, chronic users", users: 500, chronic: true, ramps: steps},
		{name: "ramp by exposure", users: 10_000, zipf: true, ramps: steps, exposed: 20},
		{name: "ramp by exposure, chronic users", users: 100, chronic: true, ramps: steps, exposed: 20},
		{name: "crash", users: 500, burst: 3, chronic: true, ramps: steps, crashes: 1},
		{name: "crash loop", users: 100, chronic: true, ramps: []int32{50_000}, crashes: 30},
		{name: "memory of 8", users: 10_000, zipf: true, ramps: steps, memory: 8},
		{name: "memory of 8, bursts of 10", users: 500, burst: 10, ramps: steps, memory: 8},
		{name: "memory of 8, chronic users", users: 500, chronic: true, ramps: steady, memory: 8},
		{name: "memory of 8, crash loop", users: 100, chronic: true, ramps: []int32{50_000}, crashes: 30, memory: 8},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.harm = 1
			runs := simRuns()
			limit := simAlpha + 3*math.Sqrt(simAlpha*(1-simAlpha)/float64(runs))
			got, _ := w.rollouts(runs)
			t.Logf("%.1f %% of %d", 100*got, runs)
			if got > limit {
				t.Errorf("got %.1f %% false rollbacks, want at most %.1f %%", 100*got, 100*limit)
			}
		})
	}
}

// Fivefold harm is found in nearly every rollout, soon.
func TestHarmIsFound(t *testing.T) {
	for _, tt := range []struct {
		world
		by int // median request
	}{
		{world{name: "own user each", ramps: steady}, 1_200},
		{world{name: "500 users", users: 500, ramps: steady}, 1_200},
		{world{name: "10,000 users, Zipf", users: 10_000, zipf: true, ramps: steady}, 1_200},
		{world{name: "ramp", users: 10_000, zipf: true, ramps: steps}, 4_000},
		{world{name: "crash", users: 10_000, zipf: true, ramps: steps, crashes: 1}, 4_000},
		{world{name: "memory of 32", users: 10_000, zipf: true, ramps: steady, memory: 32}, 1_200},
		{world{name: "ramp, memory of 32", users: 10_000, zipf: true, ramps: steps, memory: 32}, 4_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.harm = 5
			got, median := tt.rollouts(max(simRuns()/4, 20))
			t.Logf("%.0f %%, median after %d requests", 100*got, median)
			if got < 0.95 || median > tt.by {
				t.Errorf("got %.0f %% found, median after %d requests; want 95 %% within %d", 100*got, median, tt.by)
			}
		})
	}
}

// Why the unit has to be the hashed one: counted by request, the same traffic
// breaks the promise many times over, and so this simulation can tell.
func TestRequestsAreNotUnits(t *testing.T) {
	t.Parallel()
	w := world{users: 10_000, zipf: true, burst: 3, ramps: steady, harm: 1, perRequest: true}
	got, _ := w.rollouts(max(simRuns()/4, 20))
	t.Logf("%.0f %%", 100*got)
	require.Greater(t, got, 3*simAlpha)
}

func TestSuccessIsNoEvidence(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	cohorts := health.NewCohorts(health.CohortsOptions{})
	judge, state := health.FirstFailure{}, health.State(nil)
	var before health.Verdict
	before, state = judge.Look(state, cohorts.Snapshot())
	for i := range 2_000 {
		class := health.Class(min(rng.IntN(10), 1)) // one failure in ten
		cohorts.Record(health.Outcome{Unit: uint64(i), Slot: rng.Int32N(bucket.Slots), Ramp: 20_000, Class: class})
		var after health.Verdict
		after, state = judge.Look(state, cohorts.Snapshot())
		if class == health.Success && (after.LogE != before.LogE || after.Call != before.Call) {
			t.Fatalf("outcome %d: got %v after a success, was %v", i, after, before)
		}
		before = after
	}
}
