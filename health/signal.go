package health

import "fmt"

// Signal is what a judge looks at. The zero value is [Errors].
type Signal uint8

const (
	// Errors: requests that fail.
	Errors Signal = iota
	// Latency: requests slower than [CohortsOptions.Slow].
	Latency
	// Traffic: how many requests there are.
	Traffic

	kept // failures kept for NoHarm
)

// Percent is one percent of the slots, in which ramps are counted: Ramp: 5 *
// health.Percent.
const Percent = 1_000

// String is the name in lower case.
func (s Signal) String() string {
	switch s {
	case Errors:
		return "errors"
	case Latency:
		return "latency"
	case Traffic:
		return "traffic"
	}
	return fmt.Sprintf("signal(%d)", uint8(s))
}

// MarshalText is String.
func (s Signal) MarshalText() ([]byte, error) {
	if s > Traffic {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (s *Signal) UnmarshalText(text []byte) error {
	for _, signal := range []Signal{Errors, Latency, Traffic} {
		if string(text) == signal.String() {
			*s = signal
			return nil
		}
	}
	return fmt.Errorf("%w: signal %q, want errors, latency or traffic", ErrInvalid, text)
}
