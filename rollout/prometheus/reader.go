package prometheus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	// failures, and where no counter of a side has one, that is missing data. It must be
	// safe for concurrent use.
	Classify func(labels map[string]string) health.Class
	// MaxAge is how old the newest sample of a counter may be: more than two of the
	// server's scrape intervals, and at most half an hour. The first reading waits until
	// the server has known the baseline for as long, as one that has just begun has yet
	// to see all that runs. Zero means a minute.
	MaxAge time.Duration
	// Every is how often gates and alarms read, at most half an hour. Zero means 15 s.
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
// It counts from its first reading on, sample by sample, and extrapolates nothing. Each
// call of a gate, each alarm, and Read count for themselves. A counter that goes down was
// restarted, and one that was not there in the hour before the first reading began at 0:
// do not relabel counters meanwhile. It is safe for concurrent use and starts nothing but
// what [Reader.Alarm] says. Make one with [NewReader].
type Reader struct {
	o    ReaderOptions
	base *url.URL

	turn chan struct{} // has room for the Read that is under way
	own  tally         // of Read; belongs to whose turn it is
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
	if o.MaxAge > longest || o.Every > longest {
		problems = append(problems, fmt.Errorf("max age, every: found %v and %v, want at most %v", o.MaxAge, o.Every, longest))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("prometheus: invalid reader: %w", err)
	}
	o.MaxAge, o.Every = cmp.Or(o.MaxAge, time.Minute), cmp.Or(o.Every, 15*time.Second)
	o.Timeout, o.MaxSeries = cmp.Or(o.Timeout, 10*time.Second), cmp.Or(o.MaxSeries, 10_000)
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	r := &Reader{o: o, base: base, turn: make(chan struct{}, 1)}
	r.own.r = r
	return r, nil
}

// Read asks both sides, as of one moment by the clock of this machine, and returns what
// they did since its first reading, with Elapsed. The first one returns nothing but
// zeros. When anything of it is missing nothing is counted, the error wraps
// [ErrMissing], and the sample is zero; what happened meanwhile counts with the next one
// that is whole. After an hour without one it begins anew, as at first: a sample whose
// Elapsed is zero is a beginning, and a judge looks at it without a state of before. Of
// several at once, each waits for its turn.
func (r *Reader) Read(ctx context.Context) (health.Sample, error) {
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return missing("turn", ctx.Err())
	}
	defer func() { <-r.turn }()
	return r.own.read(ctx)
}
