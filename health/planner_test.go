package health_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/health"
)

// A service of 100 requests per second, of which 1 % fail: how soon is harm seen?
func ExamplePlanner() {
	found, err := health.Planner{
		Rate: 100, ErrorRate: 0.01, Users: 10_000,
		Ramp: []health.RampStep{{Ramp: 10_000, For: 5 * time.Minute}}, // 10 %
		Runs: 20,
	}.Detect(5)
	if err != nil {
		panic(err)
	}
	fmt.Println(found[0].Found > 0.9, found[0].Median < time.Minute)
	// Output: true true
}

// It agrees with the full simulation, in cells where users are as it takes them.
func TestPlanner(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("takes seconds")
	}
	plan := health.Planner{Rate: 100, ErrorRate: 0.01, Users: 500, Ramp: []health.RampStep{{Ramp: 10_000, For: tenMinutes}}, Runs: 60}
	found, err := plan.Detect(5, 2, 1)
	require.NoError(t, err)
	t.Log(found)
	require.Equal(t, 1.0, found[0].Found)
	require.InDelta(t, 18, found[0].Median.Seconds(), 10)
	require.GreaterOrEqual(t, found[1].Found, 0.9)
	require.InDelta(t, 130, found[1].Median.Seconds(), 60)
	require.LessOrEqual(t, found[2].Found, alpha+3*math.Sqrt(alpha*(1-alpha)/60))
	again, err := plan.Detect(5)
	require.NoError(t, err)
	require.Equal(t, found[:1], again)
	require.Equal(t, "5x as many failures: found in 100 % of rollouts, in half of them within "+found[0].Median.String(), found[0].String())

	plan.Judge = health.Comparison{}
	found, err = plan.Detect(5)
	require.NoError(t, err)
	require.Equal(t, 1.0, found[0].Found, "a judge of totals has totals")
	plan.Users, plan.Runs, plan.Judge = 0, 20, nil
	steep := plan
	steep.Ramp = []health.RampStep{{Ramp: 1_000, For: time.Minute}, {Ramp: 50_000, For: time.Minute}}
	found, err = steep.Detect(5)
	require.NoError(t, err)
	require.Greater(t, found[0].Median, 40*time.Second, "there is not much to see at 1 %%")
}

// The totals that judges see are those of such a rollout: nobody below the floor, and
// as many failures as there are.
func TestPlannerTotals(t *testing.T) {
	var last health.Sample
	watch := health.JudgeFunc(func(s health.State, sample health.Sample) (health.Verdict, health.State) {
		last = sample
		return health.Verdict{}, s
	})
	plan := health.Planner{Rate: 1000, ErrorRate: 0.3, Ramp: []health.RampStep{{Ramp: 60 * health.Percent, For: time.Minute}}, Judge: watch, Runs: 1, Options: health.CohortsOptions{Floor: 50 * health.Percent}}
	_, err := plan.Detect(3)
	require.NoError(t, err)
	rate, _ := last.Candidate.ErrorRate()
	require.InDelta(t, 0.9, rate, 0.02)
	require.InDelta(t, 6_000, last.Candidate.Requests(), 300)
	rate, _ = last.Baseline.ErrorRate()
	require.InDelta(t, 0.3, rate, 0.02)
	require.InDelta(t, 24_000, last.Baseline.Requests(), 600)
}

func TestPlannerRefuses(t *testing.T) {
	_, err := health.Planner{}.Detect(-1)
	require.EqualError(t, err, "invalid: rate is 0, want more than 0 requests per second, and at most 1e9; error_rate is 0, want between 0 and 1; ramp: want at least one step; harms[0] is -1, want 0 to 1e6")
	_, err = health.Planner{Rate: 1, ErrorRate: 0.1, Users: -1, Runs: -1, Ramp: []health.RampStep{{}}, Judge: health.FirstFailure{Alpha: 7}}.Detect()
	require.EqualError(t, err, "invalid: users is -1, want at least 0; ramp[0] is 0 slots for 0s, want more than the floor (0), at most 100,000, and some time; runs is -1, want at least 0; judge: invalid: alpha is 7, want between 0 and 1")
}
