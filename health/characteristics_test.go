package health_test

import (
	"flag"
	"math"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/simulation"
	"github.com/guidon-go/guidon/internal/simulation/trial"
)

// The tables in the package documentation come from the command in
// internal/simulation; these tests keep to a few cells of them, unless asked for
// all: go test ./health -run Characteristics -timeout 0 -health.runs 300
var allRuns = flag.Int("health.runs", 0, "play every cell of the operating characteristics so many times")

const (
	tenMinutes = 10 * time.Minute
	alpha      = 0.05
)

// measured plays a cell. Where the judge has nothing to find, it may call with
// probability at most alpha; else as often as an independent simulation did, but for
// five points and for luck.
func measured(t *testing.T, c simulation.Cell, nothing bool, fast map[string]int, play simulation.Trial) {
	t.Helper()
	runs := fast[c.Name+" "+c.Kind()]
	switch {
	case *allRuns > 0:
		runs = *allRuns
	case runs == 0:
		return
	case raceEnabled: // nothing runs at once here
		return
	case testing.Short():
		runs = 10
	}
	r := c.Play(runs, play)
	luck := func(p float64) float64 { return 3 * math.Sqrt(p*(1-p)/float64(runs)) }
	t.Logf("%-28s %-19s %5.1f %% of %d, median %v", c.Name, c.Kind(), 100*r.Share(), runs, r.Median)
	if most := alpha + luck(alpha); nothing && r.Share() > most {
		t.Errorf("%s, %s: got %.1f %%, want at most %.1f %%", c.Name, c.Kind(), 100*r.Share(), 100*most)
	}
	want := c.Expected / 100
	if nothing || want < 0 {
		return
	}
	// The other simulation had luck, too, in 300 runs or more.
	slack := 0.05 + math.Hypot(luck(min(max(want, 0.05), 0.95)), 3*math.Sqrt(want*(1-want)/300))
	if more := r.Share() - want; more < -slack || more > slack && !c.AtLeast {
		t.Errorf("%s, %s: got %.1f %%, want %.1f within %.1f", c.Name, c.Kind(), 100*r.Share(), c.Expected, 100*slack)
	}
}

func TestDefaultJudgeCharacteristics(t *testing.T) {
	fast := map[string]int{
		"harmless, bursts of 10 500 users":         60,
		"harmless, chronic users 500 users":        60,
		"harmless, incident x4 10,000 users, Zipf": 60,
		"2x 500 users":                        20,
		"2x, chronic users 500 users":         30,
		"5x, bursts of 10 10,000 users, Zipf": 20,
	}
	for _, ladder := range []bool{false, true} {
		for _, c := range simulation.Errors(ladder) {
			measured(t, c, c.Harmless(), fast, trial.Of(health.CohortsOptions{}, health.DefaultJudge(tenMinutes), health.Fail))
		}
	}
}

func TestLatencyCharacteristics(t *testing.T) {
	fast := map[string]int{"harmless 500 users": 30, "+10 % 500 users": 10}
	for _, c := range simulation.Latency() {
		measured(t, c, c.Harmless(), fast, trial.Of(health.CohortsOptions{Slow: trial.Slow()}, health.DefaultJudge(tenMinutes, health.Latency), health.Fail))
	}
}

// A change that fails twice as often passes with probability at most Beta.
func TestNoHarmCharacteristics(t *testing.T) {
	fast := map[string]int{"2x, chronic users as well 500 users": 40, "2x, 10 % fail 500 users": 20, "harmless 500 users": 15}
	for _, c := range simulation.Pass() {
		measured(t, c, !c.Harmless(), fast, trial.Of(health.CohortsOptions{Harm: 2}, health.NoHarm{Over: tenMinutes}, health.Pass))
	}
}

// Where the candidate's traffic steers the ramp, strict mode has the proof, and the
// usual one is measured.
func TestSteeredCharacteristics(t *testing.T) {
	fast := map[string]int{"harmless, chronic users 500 users": 40}
	for _, strict := range []int{0, 4} {
		for _, c := range simulation.Steered() {
			measured(t, c, c.Harmless(), fast, trial.Of(health.CohortsOptions{Strict: strict}, health.DefaultJudge(tenMinutes), health.Fail))
		}
	}
}

// History costs nothing and promises the same.
func TestHistoryCharacteristics(t *testing.T) {
	fast := map[string]int{"harmless, chronic users 500 users": 30}
	for _, c := range simulation.WithHistory() {
		measured(t, c, c.Harmless(), fast, trial.Of(health.CohortsOptions{}, health.DefaultJudge(tenMinutes), health.Fail))
	}
}
