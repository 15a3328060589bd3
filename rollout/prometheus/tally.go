package prometheus

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/guidon-go/guidon/health"
)

// lookback is how old the last sample of a counter may be that is known at the first
// reading, and how far two readings may be apart. MaxAge and Every have to fit into it.
const (
	lookback = time.Hour
	longest  = lookback / 2
)

// tally is what one caller has counted since it began. The zero value but for r is fresh.
type tally struct {
	r      *Reader
	began  time.Time         // of the first whole reading; zero before
	newest time.Time         // of the newest whole one
	last   map[string]sample // of each counter that was ever seen, by its series
	seen   health.Sample
	state  health.State // of the judge that looks at it
}

// look lets the judge look at a new reading.
func (t *tally) look(ctx context.Context, judge health.Judge) (health.Verdict, error) {
	sample, err := t.read(ctx)
	if err != nil {
		return health.Verdict{}, err
	}
	verdict, state := judge.Look(t.state, sample)
	t.state = state
	return verdict, nil
}

func missing(where string, err error) (health.Sample, error) {
	return health.Sample{}, fmt.Errorf("prometheus: %w: %s: %w", ErrMissing, where, err)
}

func (t *tally) read(ctx context.Context) (health.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, t.r.o.Timeout)
	defer cancel()
	at := time.Now().Round(0) // by the wall's clock, which samples have
	if gap := at.Sub(t.newest); !t.began.IsZero() && gap > lookback {
		*t = tally{r: t.r}
		return missing("counters", fmt.Errorf("not read for %v, want at most %v: counting begins anew", gap, lookback))
	}
	if n := len(t.last); n > 10*t.r.o.MaxSeries { // processes come and go, and all their counters are remembered
		*t = tally{r: t.r}
		return missing("counters", fmt.Errorf("%d have come and gone, want at most ten times MaxSeries: counting begins anew", n))
	}
	candidate, err := t.side(ctx, t.r.o.Candidate, at)
	if err != nil {
		return missing("candidate", err)
	}
	baseline, err := t.side(ctx, t.r.o.Baseline, at)
	if err != nil {
		return missing("baseline", err)
	}
	for series := range candidate {
		if _, both := baseline[series]; both {
			return missing("candidate, baseline", fmt.Errorf("both have the counter %.200q", series))
		}
	}
	if t.began.IsZero() {
		t.began, t.last = at, map[string]sample{}
		t.count(new(health.Side), candidate) // only notes where they stand
		t.count(new(health.Side), baseline)
	} else {
		t.count(&t.seen.Candidate, candidate)
		t.count(&t.seen.Baseline, baseline)
	}
	t.newest, t.seen.Elapsed = at, at.Sub(t.began)
	return t.seen, nil
}

// side reads the samples of one side since the last reading, and of MaxAge before it for
// those that came late; at the first reading, where its counters were last. It asks for
// the samples themselves: a plain selector answers with old ones as if they were new.
func (t *tally) side(ctx context.Context, selector string, at time.Time) (map[string]counter, error) {
	o, first := t.r.o, t.began.IsZero()
	window := 2 * o.MaxAge
	if !first {
		window = max(at.Sub(t.newest), 0) + o.MaxAge
	}
	counters, err := t.r.ask(ctx, fmt.Sprintf("%s[%ds]", selector, int64(math.Ceil(window.Seconds()))), "matrix", at)
	if err != nil {
		return nil, err
	}
	var times []float64
	for _, c := range counters {
		for _, s := range c.samples {
			times = append(times, s.at)
		}
	}
	slices.Sort(times)
	unbroken := unix(at) // since when there has been no time of MaxAge without samples
	for _, t := range slices.Backward(times) {
		if unbroken-t > o.MaxAge.Seconds() {
			break
		}
		unbroken = t
	}
	switch aged := unix(at.Add(-o.MaxAge)); {
	case len(times) == 0 || times[len(times)-1] < aged:
		return nil, fmt.Errorf("no counters with a sample of the last %v", o.MaxAge)
	case len(counters) > o.MaxSeries:
		return nil, fmt.Errorf("%d counters, want at most %d", len(counters), o.MaxSeries)
	case !first:
		return counters, nil
	case selector == o.Baseline && unbroken > aged: // the server may have counters yet to see that are not new
		return nil, fmt.Errorf("no samples for a whole %v: the server may be new", o.MaxAge)
	}
	known, err := t.r.ask(ctx, fmt.Sprintf("last_over_time(%s[%ds])", selector, int64(lookback.Seconds())), "vector", at)
	for series := range counters {
		if _, is := known[series]; !is && err == nil { // it would count from 0
			err = fmt.Errorf("last_over_time does not have the counter %.200q", series)
		}
	}
	return known, err
}

// count adds to a side what its counters went up by.
func (t *tally) count(side *health.Side, counters map[string]counter) {
	for series, c := range counters {
		last := t.last[series]
		for _, s := range c.samples {
			if s.at <= last.at {
				continue // known, or from a replica of the server that is behind
			}
			n := s.value
			if n >= last.value {
				n -= last.value
			}
			last = s
			switch c.class {
			case health.Excluded:
			case health.Success:
				side.Successes += uint64(n)
			default:
				side.Failures += uint64(n)
			}
		}
		t.last[series] = last
	}
}
