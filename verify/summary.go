package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Summary is a report in numbers. Optional tests count like the others.
type Summary struct {
	Healthy bool // see [Report.Healthy]
	Total   int  // Passed, Failed and Skipped together
	Passed  int  // ran, and all was as expected
	Failed  int  // ran, and something was not
	Skipped int  // were not run
	Flaky   int  // of Passed, those that failed at first

	sum, p95, max time.Duration // of the response times of those that ran
}

// Summary counts the results.
func (r Report) Summary() Summary {
	s := Summary{Total: len(r.Results), Healthy: r.Healthy()}
	var times []time.Duration
	for _, result := range r.Results {
		switch result.State {
		case Passed:
			s.Passed++
			if result.Flaky {
				s.Flaky++
			}
		case Failed:
			s.Failed++
		default:
			s.Skipped++
			continue
		}
		s.sum += result.ResponseTime
		times = append(times, result.ResponseTime)
	}
	if n := len(times); n > 0 {
		slices.Sort(times)
		s.p95, s.max = times[(95*n+99)/100-1], times[n-1]
	}
	return s
}

// AverageResponseTime is the mean over the tests that ran, failed ones and
// timeouts included. There is none, and ok is false, if none ran.
func (s Summary) AverageResponseTime() (d time.Duration, ok bool) {
	ran := s.Passed + s.Failed
	if ran == 0 {
		return 0, false
	}
	return s.sum / time.Duration(ran), true
}

// P95ResponseTime is what 95 % of the tests that ran did not exceed: the nearest
// rank, and so the response time of one of them. There is none, and ok is false, if
// none ran.
func (s Summary) P95ResponseTime() (d time.Duration, ok bool) {
	return s.p95, s.Passed+s.Failed > 0
}

// MaxResponseTime is the longest of the tests that ran. There is none, and ok is
// false, if none ran.
func (s Summary) MaxResponseTime() (d time.Duration, ok bool) {
	return s.max, s.Passed+s.Failed > 0
}

// String is one line: 3 tests: 2 passed, 1 failed, 0 skipped; response time 4ms on
// average, 9ms at most. If there are enough tests that it says something, P95 is in
// it, and if there are any, how many are flaky.
func (s Summary) String() string {
	passed := fmt.Sprintf("%d passed", s.Passed)
	if s.Flaky > 0 {
		passed += fmt.Sprintf(" (%d flaky)", s.Flaky)
	}
	line := fmt.Sprintf("%d tests: %s, %d failed, %d skipped", s.Total, passed, s.Failed, s.Skipped)
	if average, ok := s.AverageResponseTime(); ok {
		line += fmt.Sprintf("; response time %v on average, ", short(average))
		if s.p95 < s.max {
			line += fmt.Sprintf("P95 %v, ", short(s.p95))
		}
		line += fmt.Sprintf("%v at most", short(s.max))
	}
	return line
}

// short is for people.
func short(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// MarshalJSON is healthy, total, passed, failed, skipped, flaky, and if any test
// ran average, p95 and max of the response times, in nanoseconds.
func (s Summary) MarshalJSON() ([]byte, error) {
	out := struct {
		Healthy bool           `json:"healthy"`
		Total   int            `json:"total"`
		Passed  int            `json:"passed"`
		Failed  int            `json:"failed"`
		Skipped int            `json:"skipped"`
		Flaky   int            `json:"flaky"`
		Average *time.Duration `json:"average,omitempty"`
		P95     *time.Duration `json:"p95,omitempty"`
		Max     *time.Duration `json:"max,omitempty"`
	}{Healthy: s.Healthy, Total: s.Total, Passed: s.Passed, Failed: s.Failed, Skipped: s.Skipped, Flaky: s.Flaky}
	if average, ok := s.AverageResponseTime(); ok {
		out.Average, out.P95, out.Max = &average, &s.p95, &s.max
	}
	return json.Marshal(out)
}
