package verify

import (
	"fmt"
	"strings"
	"time"
)

// Report is what one run of a [Suite] saw. It is a plain value: copy and keep it
// as you like. The zero Report is not healthy.
type Report struct {
	Suite    string        // its name
	Target   string        // its URL, or "a handler"
	Start    time.Time     // when Probe was called
	Took     time.Duration // of all tests together; 0 if there are Problems
	Problems []string      // what is wrong with the suite itself; if anything is, no test was run
	Results  []Result      // in the order of the tests: Setup, Tests, Cleanup
}

// Healthy reports whether at least one test that is not optional was run, and
// all of those passed, those of setup and cleanup included.
func (r Report) Healthy() bool {
	decided := false
	for _, result := range r.Results {
		if result.Optional {
			continue
		}
		if result.State != Passed {
			return false
		}
		decided = decided || result.Stage == StageTests
	}
	return decided && len(r.Problems) == 0
}

// Summary counts the results.
func (r Report) Summary() Summary {
	s := Summary{Total: len(r.Results), Healthy: r.Healthy()}
	for _, result := range r.Results {
		switch result.State {
		case Passed:
			s.Passed++
		case Failed:
			s.Failed++
		default:
			s.Skipped++
			continue
		}
		s.sum += result.ResponseTime
		s.max = max(s.max, result.ResponseTime)
	}
	return s
}

// String is a text for people, some lines a test, with what went wrong and how
// long it took. Its form is no promise.
func (r Report) String() string {
	s := r.Summary()
	verdict := "healthy"
	switch {
	case len(r.Problems) > 0:
		verdict = "malformed"
	case !s.Healthy:
		verdict = "not healthy"
	}
	lines := []string{r.title() + " is " + verdict}
	lines = append(lines, r.Problems...)
	for _, result := range r.Results {
		lines = append(lines, result.String())
	}
	return strings.Join(append(lines, s.String()), "\n")
}

func (r Report) title() string {
	if r.Suite == "" {
		return "suite against " + r.Target
	}
	return fmt.Sprintf("suite %q against %s", r.Suite, r.Target)
}

// Summary is a report in numbers. Optional tests count like the others.
type Summary struct {
	Healthy bool // see [Report.Healthy]
	Total   int  // Passed, Failed and Skipped together
	Passed  int  // ran, and all was as expected
	Failed  int  // ran, and something was not
	Skipped int  // were not run

	sum, max time.Duration // of the response times of those that ran
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

// MaxResponseTime is the longest of the tests that ran. There is none, and ok is
// false, if none ran.
func (s Summary) MaxResponseTime() (d time.Duration, ok bool) {
	return s.max, s.Passed+s.Failed > 0
}

// String is one line: 3 tests: 2 passed, 1 failed, 0 skipped; response time 4ms on average, 9ms at most.
func (s Summary) String() string {
	line := fmt.Sprintf("%d tests: %d passed, %d failed, %d skipped", s.Total, s.Passed, s.Failed, s.Skipped)
	if average, ok := s.AverageResponseTime(); ok {
		const unit = 100 * time.Microsecond
		line += fmt.Sprintf("; response time %v on average, %v at most", average.Round(unit), s.max.Round(unit))
	}
	return line
}
