package health

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Probe says whether something is well: nil is yes, an error is no. It must return
// soon after its context is done. [Warn], [Fatal] and [Unsure] wrap errors that mean
// something else. [HTTP], [TCP], [DNS], [TLS], [Ping] and [Disk] make probes, and so
// does any method value of this shape: a gate, a suite, another monitor's Check.
type Probe func(ctx context.Context) error

// Check is one thing that a [Monitor] asks again and again. Name and Probe are
// required; the zero of everything else is right for most.
type Check struct {
	// Name is unique in its monitor.
	Name string
	// Probe asks. One monitor never calls it twice at the same time.
	Probe Probe
	// Optional makes a check that fails degrade the whole, instead of making it
	// unhealthy.
	Optional bool
	// Needs names other checks. While one of them is unhealthy this one is skipped,
	// and not counted a second time. What a check needs can be optional only if the
	// check is: a failure that counts must not hide behind one that does not.
	Needs []string
	// Interval is from the beginning of one probe to the beginning of the next, give
	// or take a tenth; the first comes within min(Interval, 10 s). Zero means 10 s; it
	// is 1 ms to 30 days, and for what is asked over a network better not below 1 s.
	Interval time.Duration
	// Timeout is when the probe's context ends and the probe counts as failed, at most
	// Interval. Zero means 2 s, or Interval if that is shorter.
	Timeout time.Duration
	// FailAfter is how many failures in a row make a check unhealthy, up to 1,000. Zero
	// means 3.
	FailAfter int
	// PassAfter is how many successes in a row make it healthy, up to 1,000. Zero means
	// 2.
	PassAfter int
	// Startup is how long it may take from the first probe to the first time that the
	// check is healthy. Until then failures leave it unknown; after it they make it
	// unhealthy. Zero means 60 s.
	Startup time.Duration
}

// Status is how a check, or the whole, stands. The zero value is [Unknown].
type Status uint8

const (
	// Unknown: not asked yet, not asked for too long, or the probe itself is broken.
	Unknown Status = iota
	// Healthy: enough successes in a row.
	Healthy
	// Degraded: it works, but something should be looked at.
	Degraded
	// Unhealthy: enough failures in a row.
	Unhealthy
	// Skipped: a check that it needs is unhealthy. Of a check only.
	Skipped
	// Maintenance: somebody is working on it. Of a check only.
	Maintenance
)

var statusNames = [...]string{"unknown", "healthy", "degraded", "unhealthy", "skipped", "maintenance"}

// String is the name in lower case.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

func (s Status) well() bool { return s == Healthy || s == Degraded }

// MarshalText is String.
func (s Status) MarshalText() ([]byte, error) {
	if int(s) >= len(statusNames) {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, s)
	}
	return []byte(statusNames[s]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Status) UnmarshalText(text []byte) error {
	i := slices.Index(statusNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%w: status %q, want one of %q", ErrInvalid, text, statusNames)
	}
	*s = Status(i)
	return nil
}

// The kinds of a probe's error.
type (
	warning struct{ error }
	fatal   struct{ error }
	unsure  struct{ error }
)

func (w warning) Unwrap() error { return w.error }
func (f fatal) Unwrap() error   { return f.error }
func (u unsure) Unwrap() error  { return u.error }

// Warn is for what works but should be looked at: a certificate that expires soon. It
// counts as a success and shows as [Degraded]. Warn(nil) is nil.
func Warn(err error) error {
	if err == nil {
		return nil
	}
	return warning{err}
}

// Fatal is for an answer that leaves no doubt: one is enough, whatever FailAfter is.
// Fatal(nil) is nil.
func Fatal(err error) error {
	if err == nil {
		return nil
	}
	return fatal{err}
}

// Unsure is for a probe that is broken itself and says nothing of what it asks: no
// counter moves, and after FailAfter of them in a row the check is [Unknown] and begins
// anew.
// Unsure(nil) is nil.
func Unsure(err error) error {
	if err == nil {
		return nil
	}
	return unsure{err}
}

const (
	maxJitter   = 10 * time.Second    // how late the first probe can be
	maxInterval = 30 * 24 * time.Hour // so that no sum of intervals overflows
	maxInRow    = 1000                // likewise
)

// filled returns the check with its defaults.
func (c Check) filled() Check {
	if c.Interval == 0 {
		c.Interval = 10 * time.Second
	}
	if c.Timeout == 0 {
		c.Timeout = min(2*time.Second, c.Interval)
	}
	if c.FailAfter == 0 {
		c.FailAfter = 3
	}
	if c.PassAfter == 0 {
		c.PassAfter = 2
	}
	if c.Startup == 0 {
		c.Startup = time.Minute
	}
	c.Needs = slices.Clone(c.Needs)
	return c
}

// problems lists everything that is wrong with checks that run together.
func problems(checks []Check) error {
	var all []error
	bad := func(c Check, field, format string, args ...any) {
		all = append(all, fmt.Errorf("%w: check %q: %s: %s", ErrInvalid, c.Name, field, fmt.Sprintf(format, args...)))
	}
	names := map[string]Check{}
	for _, c := range checks {
		if c.Name == "" {
			bad(c, "Name", "missing, want a name")
		} else if _, twice := names[c.Name]; twice {
			bad(c, "Name", "is the name of two checks")
		} else {
			names[c.Name] = c
		}
		if c.Probe == nil {
			bad(c, "Probe", "missing, want a function")
		}
		if c.Interval < time.Millisecond || c.Interval > maxInterval {
			bad(c, "Interval", "found %v, want 1ms to %v", c.Interval, maxInterval)
		}
		if c.Timeout <= 0 || c.Timeout > c.Interval {
			bad(c, "Timeout", "found %v, want more than 0 and at most the interval of %v", c.Timeout, c.Interval)
		}
		if c.FailAfter < 1 || c.FailAfter > maxInRow {
			bad(c, "FailAfter", "found %d, want 1 to %d", c.FailAfter, maxInRow)
		}
		if c.PassAfter < 1 || c.PassAfter > maxInRow {
			bad(c, "PassAfter", "found %d, want 1 to %d", c.PassAfter, maxInRow)
		}
		if c.Startup < 0 {
			bad(c, "Startup", "found %v, want a time to the first success", c.Startup)
		}
	}
	for _, c := range checks {
		for _, need := range c.Needs {
			switch needed, known := names[need]; {
			case !known:
				bad(c, "Needs", "unknown check %q", need)
			case needed.Optional && !c.Optional:
				bad(c, "Needs", "%q is optional, want one that is not, or make this check optional too", need)
			}
		}
	}
	for _, path := range circles(checks, names) {
		bad(names[path[0]], "Needs", "needs itself: %s", strings.Join(path, " -> "))
	}
	return errors.Join(all...)
}

// circles returns ways from checks back to themselves, one for each need that closes
// one.
func circles(checks []Check, names map[string]Check) (all [][]string) {
	const entered, left = 1, 2
	state, path := map[string]int{}, []string{}
	var enter func(name string)
	enter = func(name string) {
		state[name], path = entered, append(path, name)
		for _, need := range names[name].Needs {
			switch state[need] {
			case entered:
				all = append(all, append(slices.Clone(path[slices.Index(path, need):]), need))
			case 0:
				enter(need)
			}
		}
		state[name], path = left, path[:len(path)-1]
	}
	for _, c := range checks {
		if state[c.Name] == 0 {
			enter(c.Name)
		}
	}
	return all
}
