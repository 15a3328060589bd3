package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/guidon-go/guidon/health"
)

// ErrMissing is what a [Reader]'s error wraps when Prometheus had no answer to judge by:
// none in time, only a part, none for one of the sides, or no number of requests.
var ErrMissing = errors.New("missing data")

// ReaderOptions say what a [Reader] counts. URL, Candidate and Baseline are required.
type ReaderOptions struct {
	URL string // of the server, with its path prefix if it has one: http://prometheus:9090
	// Candidate and Baseline select the counters of requests of the two sides, each
	// request in one of them: http_requests_total{version="42"}. Selectors only: a sum
	// or a rate hides when a process restarts, and is refused.
	Candidate, Baseline string
	// Classify says by its labels how the requests of a counter count. Nil looks at the
	// status code in the label code, as [health.ByStatus] does; without one they are
	// failures.
	Classify func(labels map[string]string) health.Class
	// MaxAge is how old the newest sample of a counter may be: more than two of the
	// server's scrape intervals. Zero means a minute.
	MaxAge time.Duration
	// Every is how often gates and alarms read. Zero means 15 s.
	Every time.Duration
	// Timeout is how long a reading may take. Zero means 10 s.
	Timeout time.Duration
	// MaxSeries is how many counters a side may have. Zero means 10,000.
	MaxSeries int
	// Client asks; authentication belongs into its transport. Nil means
	// [http.DefaultClient].
	Client *http.Client
}

// Reader counts the requests of two versions by what Prometheus has of them, for
// judges of requests that are independent of one another: [health.Comparison],
// [health.ErrorLimit] and [health.Threshold]. It knows no users, so judges of units
// ([health.FirstFailure], [health.Placebo], [health.DefaultJudge]) have nothing to call.
//
// It counts from its first reading on, sample by sample, and extrapolates nothing. A
// counter that goes down was restarted, and one that is new began at 0: do not relabel
// counters meanwhile. It is safe for concurrent use and starts nothing. Make one with
// [NewReader].
type Reader struct {
	o    ReaderOptions
	base *url.URL

	mu     sync.Mutex
	began  time.Time         // of the first reading
	newest time.Time         // of the newest reading
	last   map[string]sample // of each counter that was ever seen, by its series
	seen   health.Sample
}

// NewReader checks the options; all that is wrong with them is told. It asks nothing yet.
func NewReader(o ReaderOptions) (*Reader, error) {
	var problems []error
	base, err := url.Parse(o.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		problems = append(problems, errors.New("url: want one that begins with http:// or https://")) // not the URL, which may have a password
	}
	if o.Candidate == "" || o.Baseline == "" || o.Candidate == o.Baseline {
		problems = append(problems, fmt.Errorf("candidate, baseline: found %q and %q, want two selectors", o.Candidate, o.Baseline))
	}
	if o.MaxAge < 0 || o.Every < 0 || o.Timeout < 0 || o.MaxSeries < 0 {
		problems = append(problems, errors.New("max age, every, timeout, max series: found one below 0"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("prometheus: invalid reader: %w", err)
	}
	o.MaxAge, o.Every = cmp.Or(o.MaxAge, time.Minute), cmp.Or(o.Every, 15*time.Second)
	o.Timeout, o.MaxSeries = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.MaxSeries, 10_000)
	if o.Classify == nil {
		o.Classify = byCode
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	return &Reader{o: o, base: base, last: map[string]sample{}}, nil
}

func byCode(labels map[string]string) health.Class {
	code, err := strconv.Atoi(labels["code"])
	if err != nil {
		return health.Failure
	}
	return health.ByStatus(code)
}

// Read asks both sides, as of one moment by the clock of this machine, and returns what
// they did since the first reading, with Elapsed. The first one returns nothing but
// zeros. When anything of it is missing nothing is counted, the error wraps
// [ErrMissing], and the sample is zero; what happened meanwhile counts with the next one
// that is whole.
func (r *Reader) Read(ctx context.Context) (health.Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	fail := func(where string, err error) (health.Sample, error) {
		return health.Sample{}, fmt.Errorf("prometheus: %w: %s: %w", ErrMissing, where, err)
	}
	at := time.Now()
	candidate, err := r.ask(ctx, r.o.Candidate, at)
	if err != nil {
		return fail("candidate", err)
	}
	baseline, err := r.ask(ctx, r.o.Baseline, at)
	if err != nil {
		return fail("baseline", err)
	}
	for series := range candidate {
		if _, both := baseline[series]; both {
			return fail("candidate, baseline", fmt.Errorf("both have the counter %.200q", series))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if at.Before(r.newest) { // one that began later was faster
		return r.seen, nil
	}
	if n := len(r.last); n > 10*r.o.MaxSeries { // processes come and go, and all their counters are remembered
		return fail("counters", fmt.Errorf("%d have come and gone, want at most ten times MaxSeries", n))
	}
	first := r.began.IsZero()
	if r.newest = at; first {
		r.began = at
	}
	r.count(&r.seen.Candidate, candidate, first)
	r.count(&r.seen.Baseline, baseline, first)
	r.seen.Elapsed = at.Sub(r.began)
	return r.seen, nil
}

// count adds to a side what its counters went up by. Called with mu held.
func (r *Reader) count(side *health.Side, counters map[string]counter, first bool) {
	for series, c := range counters {
		last := r.last[series]
		for _, s := range c.samples {
			if s.at <= last.at {
				continue // known, or from a replica of the server that is behind
			}
			n := s.value
			if n >= last.value {
				n -= last.value
			}
			last = s
			switch {
			case first || c.class == health.Excluded:
			case c.class == health.Success:
				side.Successes += uint64(n)
			default:
				side.Failures += uint64(n)
			}
		}
		r.last[series] = last
	}
}
