package health

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync/atomic"
	"time"
)

// SLOOptions sets up an [SLO]. The zero value is right for an objective of 0.95 to
// 0.9999.
type SLOOptions struct {
	// Period is what the objective is about, and the budget. That is the budget of this SLO
	// only: it knows no other process, and nothing from before its first outcome, unless
	// that was kept as JSON. [Spent.Covered] says how much of the period it has seen.
	// Zero means 30 days.
	Period time.Duration
	// Rules say when failures come too fast. Nil means four:
	//
	//	Long   Short   Factor
	//	30 s   5 s     14.4     from 50 requests and 5 failures on: for rollouts
	//	1 h    5 min   14.4     2 % of a budget of 30 days
	//	6 h    30 min  6        5 % of it
	//	3 d    6 h     1        10 % of it: no reason to wake anybody
	Rules []BurnRule
	// Classify says how an HTTP answer counts that [SLO.Middleware] saw; nil means
	// [Response.Class]. It is called on the request's goroutine, many at once.
	Classify func(Response) Class
}

// BurnRule says when failures come too fast: when they burn the budget more than
// Factor times as fast as the objective allows, in both windows. The long one says that
// it matters, the short one that it still goes on, so that a rule is quiet again soon
// after the failures have ended. A rule does not wait until its long window is full: then an
// outage soon after the start would go unseen for that long; [Spent.Covered] says how full
// it is. A Factor that costs a share of the budget before the
// rule fires is share × Period / Long.
//
// The method is that of The Site Reliability Workbook (O'Reilly 2018), chapter 5.
type BurnRule struct {
	Long        time.Duration `json:"long"`         // in nanoseconds in JSON; at least 10 s
	Short       time.Duration `json:"short"`        // Long/90 to Long/2
	Factor      float64       `json:"factor"`       // more than 0
	MinRequests uint64        `json:"min_requests"` // with fewer in Long it is quiet; zero means 100
	MinFailures uint64        `json:"min_failures"` // likewise; zero means 3
}

// SLO counts requests against an objective, and says how fast they burn what it leaves
// for failures. It keeps the longest window, and the period for the budget, in about
// 6 kB for each rule and 6 kB more. Both windows of a rule move in steps of a 360th of the
// long one, and cover up to two steps more than their length. Make one with [NewSLO].
// All methods are safe for concurrent use, and none takes a lock.
//
// Times are the caller's, on the monotonic clock where they carry it; what is older
// than a window is not counted in it, whatever the order. Counts expire by the time of
// the reader. They begin with the process, unless they are kept over a restart as JSON.
type SLO struct {
	objective float64
	period    time.Duration
	rules     []BurnRule
	classify  func(Response) Class
	start     atomic.Pointer[time.Time] // of the first outcome
	rings     []*burnRing               // one for each rule, and one for the period
}

// NewSLO returns an SLO with nothing counted. The objective is the share of requests
// that are to succeed, such as 0.999. The error lists everything that is wrong: among
// others, rules that could never fire, and rules that one failure would fire.
func NewSLO(objective float64, o SLOOptions) (*SLO, error) {
	if o.Period == 0 {
		o.Period = 30 * 24 * time.Hour
	}
	if o.Rules == nil {
		o.Rules = []BurnRule{
			{Long: 30 * time.Second, Short: 5 * time.Second, Factor: 14.4, MinRequests: 50, MinFailures: 5},
			{Long: time.Hour, Short: 5 * time.Minute, Factor: 14.4},
			{Long: 6 * time.Hour, Short: 30 * time.Minute, Factor: 6},
			{Long: 3 * 24 * time.Hour, Short: 6 * time.Hour, Factor: 1},
		}
	}
	if o.Classify == nil {
		o.Classify = Response.Class
	}
	s := &SLO{objective: objective, period: o.Period, classify: o.Classify}
	for _, r := range o.Rules {
		if r.MinRequests == 0 {
			r.MinRequests = 100
		}
		if r.MinFailures == 0 {
			r.MinFailures = 3
		}
		s.rules = append(s.rules, r)
	}
	if err := s.problems(); err != nil {
		return nil, err
	}
	for _, r := range s.rules {
		s.rings = append(s.rings, newBurnRing(r.Long))
	}
	s.rings = append(s.rings, newBurnRing(s.period))
	return s, nil
}

// problems lists everything that is wrong with the settings.
func (s *SLO) problems() error {
	var all []error
	bad := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w: slo: "+format, append([]any{ErrInvalid}, args...)...))
	}
	sound := s.objective > 0 && s.objective < 1 // and not NaN
	if !sound {
		bad("objective: found %v, %s", s.objective, wantShare(s.objective))
	}
	if s.period < 10*time.Second {
		bad("Period: found %v, want at least 10s", s.period)
	}
	for i, r := range s.rules {
		if r.Long < 10*time.Second || r.Long > s.period {
			bad("Rules[%d].Long: found %v, want 10s to the period of %v", i, r.Long, s.period)
		}
		if r.Short < r.Long/90 || r.Short > r.Long/2 {
			bad("Rules[%d].Short: found %v, want %v to %v, a 90th to a half of Long", i, r.Short, r.Long/90, r.Long/2)
		}
		if !(r.Factor > 0) || math.IsInf(r.Factor, 0) {
			bad("Rules[%d].Factor: found %v, want more than 0", i, r.Factor)
		} else if sound {
			s.reachable(i, r, bad)
		}
	}
	return errors.Join(all...)
}

// wantShare says what is wanted in place of a number that is none between 0 and 1, and
// guesses whether percent was meant.
func wantShare(found float64) string {
	if found > 1 && found < 100 {
		return fmt.Sprintf("want a share between 0 and 1, such as %.10g", found/100)
	}
	return "want more than 0, and less than 1, which leaves nothing for failures"
}

// reachable says whether a rule can fire, and not by one failure.
func (s *SLO) reachable(i int, r BurnRule, bad func(format string, args ...any)) {
	allowed := 1 - s.objective
	limit := r.Factor * allowed
	switch {
	case limit >= 1-1e-9: // 10 × (1 - 0.9) is a little less than 1, in binary
		bad("Rules[%d].Factor: %.4g × (1 - %v) = %.4g: were every request to fail, it would not fire; want a Factor below %.4g", i, r.Factor, s.objective, limit, 1/allowed)
	case r.MinFailures == 1 && float64(r.MinRequests)*limit < 1-1e-9:
		bad("Rules[%d].MinFailures: 1 of %d requests is %.3g %%, and %.4g × (1 - %v) = %.3g %%: one failure would fire it; want at least 2 failures, or at least %.0f requests",
			i, r.MinRequests, 100/float64(r.MinRequests), r.Factor, s.objective, 100*limit, math.Ceil(1/limit-1e-9))
	}
}

// Record counts one outcome that ended at now. It takes no lock, and allocates nothing
// but once, for the first.
func (s *SLO) Record(now time.Time, class Class) {
	if class == Excluded {
		return
	}
	start := s.start.Load()
	if start == nil {
		start = s.begin(now)
	}
	age := now.Sub(*start)
	for i := range s.rings {
		s.rings[i].add(age, class != Success)
	}
}

// begin is apart from Record, and takes the time by value, to keep the one allocation
// off the path of every later outcome.
//
//go:noinline
func (s *SLO) begin(now time.Time) *time.Time {
	s.start.CompareAndSwap(nil, &now)
	return s.start.Load()
}

// Middleware counts every request that passes, by how [SLOOptions.Classify] counts its
// answer, when it ends. See [Observe] for what it does with panics, streams and
// connections that are taken over. It adds one allocation to a request.
func (s *SLO) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		observe(w, r, next, func(now time.Time, res Response) { s.Record(now, s.classify(res)) })
	})
}

// Snapshot is how things stand at now.
func (s *SLO) Snapshot(now time.Time) SLOReport {
	report := SLOReport{Objective: s.objective, Period: s.period, Burns: make([]Burn, len(s.rules))}
	spent := func(ring int, window time.Duration) Spent {
		var out Spent
		if start := s.start.Load(); start != nil {
			age := now.Sub(*start)
			out.Requests, out.Failures = s.rings[ring].sum(age, window)
			out.Covered = min(max(age, 0), window)
		}
		out.Allowed = (1 - s.objective) * float64(out.Requests)
		return out
	}
	for i, r := range s.rules {
		report.Burns[i] = burnOf(r, spent(i, r.Long), spent(i, r.Short))
	}
	report.Spent = spent(len(s.rules), s.period)
	return report
}
