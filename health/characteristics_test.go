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

// measured plays a cell. A harmless change may fail with probability at most alpha;
// a harmful one has to be found as often as an independent simulation found it, but
// for five points and for luck.
func measured(t *testing.T, c simulation.Cell, fast int, play simulation.Trial) {
	t.Helper()
	runs := fast
	switch {
	case *allRuns > 0:
		runs = *allRuns
	case fast == 0:
		return
	case raceEnabled || testing.Short():
		runs = 10
	}
	r := c.Play(runs, play)
	luck := func(p float64) float64 { return 3 * math.Sqrt(p*(1-p)/float64(runs)) }
	t.Logf("%-28s %-19s %5.1f %% of %d, median %v", c.Name, c.Kind(), 100*r.Share(), runs, r.Median)
	if most := alpha + luck(alpha); c.Harmless() && r.Share() > most {
		t.Errorf("%s, %s: got %.1f %%, want at most %.1f %%", c.Name, c.Kind(), 100*r.Share(), 100*most)
	}
	want := c.Expected / 100
	if slack := 0.05 + math.Hypot(luck(min(max(want, 0.05), 0.95)), luck(want)); !c.Harmless() && math.Abs(r.Share()-want) > slack {
		t.Errorf("%s, %s: got %.1f %%, want %.1f within %.1f", c.Name, c.Kind(), 100*r.Share(), c.Expected, 100*slack)
	}
}

// fast is how often a few telling cells are played in every test run.
var fast = map[string]int{
	"harmless, bursts of 10 500 users":         80,
	"harmless, chronic users 500 users":        80,
	"harmless, incident x4 10,000 users, Zipf": 80,
	"2x 500 users":                                  40,
	"2x, chronic users 500 users":                   60,
	"5x, bursts of 10 10,000 users, Zipf":           40,
	"harmless 500 users":                            60,
	"+10 % 500 users":                               20,
	"2x, chronic users as well 500 users":           60,
	"2x, bursts of 3 10,000 users, Zipf":            40,
	"harmless: ramp by exposure 10,000 users, Zipf": 60,
	"2x: ramp by exposure 10,000 users, Zipf":       40,
}

func TestDefaultJudgeCharacteristics(t *testing.T) {
	for _, ladder := range []bool{false, true} {
		for _, c := range simulation.Errors(ladder) {
			measured(t, c, fast[c.Name+" "+c.Kind()], trial.Of(health.CohortsOptions{}, health.DefaultJudge(tenMinutes), health.Fail))
		}
	}
}

func TestLatencyCharacteristics(t *testing.T) {
	for _, c := range simulation.Latency() {
		measured(t, c, fast[c.Name+" "+c.Kind()]/2, trial.Of(health.CohortsOptions{Slow: trial.Slow()}, health.DefaultJudge(tenMinutes, health.Latency), health.Fail))
	}
}
