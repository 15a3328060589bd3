package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what one run of a [Suite] saw. It is a plain value: copy and keep it
// as you like. The zero Report is not healthy. JSON reads back what it wrote; in it,
// all durations are in nanoseconds.
type Report struct {
	Suite    string        `json:"suite,omitempty"`    // its name
	Target   string        `json:"target"`             // its URL, or "a handler"
	Start    time.Time     `json:"start"`              // when Probe was called
	Took     time.Duration `json:"took"`               // of all tests together; 0 if there are Problems
	Problems []string      `json:"problems,omitempty"` // what is wrong with the suite itself; if anything is, no test was run
	Results  []Result      `json:"results"`            // in the order of the tests: Setup, Tests, Cleanup
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
	lines = append(lines, r.problems()...)
	for _, result := range r.Results {
		lines = append(lines, result.String())
		for _, detail := range result.details() {
			lines = append(lines, "    "+detail)
		}
	}
	return strings.Join(append(lines, s.String()), "\n")
}

func (r Report) title() string {
	switch {
	case r.Target == "" && r.Suite == "":
		return "suite" // that could not be read
	case r.Target == "":
		return fmt.Sprintf("suite %q", r.Suite)
	}
	if r.Suite == "" {
		return "suite against " + line(r.Target)
	}
	return fmt.Sprintf("suite %q against %s", r.Suite, line(r.Target))
}

func (r Report) problems() []string {
	var lines []string
	for _, p := range r.Problems {
		lines = append(lines, line(p))
	}
	return lines
}

// MarshalJSON adds summary, as [Summary.MarshalJSON] writes it.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return json.Marshal(struct {
		plain
		Summary Summary `json:"summary"`
	}{plain(r), r.Summary()})
}

// unsaid is why a report is not healthy, if no result in it that failed and decides
// says so. Formats that count failures need something to count.
func (r Report) unsaid() []string {
	switch {
	case len(r.Problems) > 0:
		return r.problems()
	case r.Healthy():
		return nil
	}
	why := "want at least one test that is not optional"
	for _, result := range r.Results {
		switch {
		case result.Optional:
		case result.State == Failed:
			return nil
		case result.State == Skipped:
			why = "a test that is not optional was skipped"
		}
	}
	return []string{why}
}

// unanswered says whether a test failed because there was no answer to compare, or
// not all of it.
func (r Result) unanswered() bool {
	return slices.ContainsFunc(r.Mismatches, func(m Mismatch) bool {
		switch m.Kind {
		case KindTransport, KindTimeout, KindCanceled, KindPanic:
			return true
		}
		return false
	})
}
