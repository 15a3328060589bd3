package rollout

import (
	"errors"
	"fmt"
	"time"
)

// World is what a simulation plays in: see [Engine.Simulate]. It is a plain value. The
// zero one is healthy and quiet: every gate says yes, the target obeys at once, nobody
// comes, and nothing goes wrong.
type World struct {
	// Seed is of all that is left to chance. Equal worlds give equal journals, byte for byte.
	Seed uint64
	// Start is the time at which it begins, for freezes above all. Zero means Monday, the
	// 5th of January 2026, at 9:00 UTC.
	Start time.Time
	// Limit is how long it may take: what has not ended by then is stopped, as Unfinished.
	// Zero means a day, and three times as long as the holds of each plan, and that again
	// after each process that dies. At most it is a century.
	Limit time.Duration

	// Rate is the requests per second, on both sides together, of each target. Zero means
	// that nobody comes.
	Rate float64
	// Users is how many there are, who come equally often; zero means that each request is
	// a user of its own.
	Users int
	// ErrorRate is the share of the old version's requests that fail, 0 to 1.
	ErrorRate float64
	// Latency is how long the old version takes for half of its requests; the rest spreads
	// around it. Zero means no time at all.
	Latency time.Duration

	// Harm is how many times as many of the new version's requests fail: 5 is a bad change,
	// below 1 a cure. Zero means 1, a change that does nothing.
	Harm float64
	// HarmFrom is since when it does, from Start. Zero means from the beginning.
	HarmFrom time.Duration
	// Slower is how many times as long the new version takes. Zero means 1.
	Slower float64

	// Faults are what goes wrong, and what people do, in any order.
	Faults []Fault
}

// cast is who plays in a world, by name.
type cast struct {
	unknown bool     // whether there are other gates, too: those of requests to come
	gates   []string // and alarms
	does    []string // stages that do something themselves
	deploys []string // stages that are rollouts
}

// check says everything that is wrong with the world.
func (w World) check(c cast) error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if w.Limit < 0 || w.HarmFrom < 0 || w.Latency < 0 {
		add("limit, harm from, latency: found %v, %v and %v, want no negative time", w.Limit, w.HarmFrom, w.Latency)
	}
	if w.Limit > century {
		add("limit: found %v, want at most a century", w.Limit)
	}
	if !(w.Rate >= 0 && w.Rate <= 1e6) {
		add("rate: found %v, want 0 to 1e6 requests per second", w.Rate)
	}
	if w.Users < 0 || w.Users > maxUsers {
		add("users: found %d, want 0 to %d", w.Users, maxUsers)
	}
	if !(w.ErrorRate >= 0 && w.ErrorRate <= 1) {
		add("error rate: found %v, want 0 to 1", w.ErrorRate)
	}
	if !(w.Harm >= 0 && w.Harm <= 1e6) || !(w.Slower >= 0 && w.Slower <= 1e6) {
		add("harm, slower: found %v and %v, want 0 to 1e6 each", w.Harm, w.Slower)
	}
	if w.Harm > 0 && w.Harm != 1 && (w.Rate == 0 || w.ErrorRate == 0) {
		add("harm: found %v times an error rate of %v at %v requests per second, want more than 0 of both", w.Harm, w.ErrorRate, w.Rate)
	}
	if w.Slower > 0 && w.Slower != 1 && (w.Rate == 0 || w.Latency == 0) {
		add("slower: found %v times a latency of %v at %v requests per second, want more than 0 of both", w.Slower, w.Latency, w.Rate)
	}
	for i, f := range w.Faults {
		for _, wrong := range f.problems(c) {
			add("faults[%d] (%s): %s", i, f.Kind, wrong)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("%w: world: %w", ErrInvalid, err)
	}
	return nil
}

const century = 100 * 365 * 24 * time.Hour

// maxUsers is how many users a world may have, a bit each for whether they were harmed.
const maxUsers = 100_000_000

// start is when it begins.
func (w World) start() time.Time {
	if w.Start.IsZero() {
		return time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)
	}
	return w.Start
}
