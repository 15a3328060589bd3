package health_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/guidon-go/guidon/health"
)

// played stands in for a service: requests of many users, of whom the exposed fail
// so much more often.
func played(cohorts *health.Cohorts, requests int, harm float64) {
	const ramp = 10 * health.Percent
	rng := rand.New(rand.NewPCG(1, 1))
	for range requests {
		user := rng.Uint64()
		o := health.Outcome{Unit: user, Slot: int32(user % 100_000), Ramp: ramp, Class: health.Success}
		chance := 0.02
		if o.Slot < ramp {
			chance *= harm
		}
		if rng.Float64() < chance {
			o.Class = health.Failure
		}
		cohorts.Record(o)
	}
}

// Errors are judged by two tests that share an alpha of 5 %, and the change passes
// when there is evidence that it does not fail twice as often.
func ExampleShared() {
	judge := health.DefaultJudge(time.Hour)
	judge.Pass = []health.Part{{Name: "no harm", Judge: health.NoHarm{Over: time.Hour}}}
	for _, harm := range []float64{1, 4} {
		cohorts := health.NewCohorts(health.CohortsOptions{Harm: 2})
		played(cohorts, 20_000, harm)
		sample := cohorts.Snapshot()
		sample.Elapsed = 20 * time.Minute
		verdict, _ := judge.Look(nil, sample)
		fmt.Println(verdict.Call, "by", verdict.Judge)
	}
	// Output:
	// pass by no harm
	// fail by first errors
}

// The alarm for a sample ratio that cannot be: a quarter of the candidate's requests
// get lost on their way to the cohorts.
func ExamplePlacebo() {
	all, counted := health.NewCohorts(health.CohortsOptions{}), health.NewCohorts(health.CohortsOptions{})
	const ramp = 10 * health.Percent
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		user := rng.Uint64()
		o := health.Outcome{Unit: user, Slot: int32(user % 100_000), Ramp: ramp, Class: health.Success}
		all.Record(o)
		if o.Slot >= ramp || rng.IntN(4) > 0 {
			counted.Record(o)
		}
	}
	alarm := health.Placebo{Of: health.Traffic, Alpha: 0.01, Over: time.Hour}
	for _, cohorts := range []*health.Cohorts{all, counted} {
		sample := cohorts.Snapshot()
		sample.Elapsed = time.Hour
		verdict, _ := alarm.Look(nil, sample)
		fmt.Println(verdict)
	}
	// Output:
	// inconclusive: candidate has 10.3 % of the requests (2,054 of 20,000), the ramp is at 10.0 %: 196 of 999 random relabelings stand out as much; fewer than 10 would fail it
	// fail: candidate has 8.1 % of the requests (1,579 of 19,525), the ramp is at 10.0 %: 0 of 999 random relabelings stand out as much; fewer than 10 would fail it (a harmless change is rolled back with probability at most 1 %)
}

// Two processes of one service count the same rollout; a user who fails in both is
// one coin.
func ExampleMerge() {
	one, two := health.NewCohorts(health.CohortsOptions{}), health.NewCohorts(health.CohortsOptions{})
	one.Record(health.Outcome{Unit: 7, Slot: 500, Ramp: 1 * health.Percent})
	two.Record(health.Outcome{Unit: 7, Slot: 500, Ramp: 1 * health.Percent})
	two.Record(health.Outcome{Unit: 8, Slot: 5_000, Ramp: 1 * health.Percent})
	sample, err := health.Merge(one.Checkpoint(), two.Checkpoint()) // all that each has counted
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sample.Candidate.Failures, "failures in the candidate, of", sample.Firsts[0].Candidate, "user")
	// Output: 2 failures in the candidate, of 1 user
}

// What never comes back is a failure.
func ExampleCohorts_Expect() {
	cohorts := health.NewCohorts(health.CohortsOptions{})
	request := health.Outcome{Unit: 7, Slot: 500, Ramp: 1 * health.Percent}
	done := cohorts.Expect(request, time.Minute)
	cohorts.Expect(request, time.Millisecond) // and nobody ever calls back
	done(health.Success, 20*time.Millisecond)
	for cohorts.Snapshot().Candidate.Requests() < 2 {
		<-time.After(time.Millisecond)
	}
	fmt.Println(cohorts.Snapshot().Candidate.ErrorRate())
	// Output: 0.5 true
}
