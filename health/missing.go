package health

import (
	"fmt"
	"slices"
)

// Missing says why there was nothing to judge by. Missing data is counted apart and
// never passes: the call of its verdict is [Inconclusive]. The zero value is [Present].
type Missing uint8

const (
	// Present: there is data.
	Present Missing = iota
	// NoData: nothing was measured.
	NoData
	// TooFew: it rests on too few observations.
	TooFew
	// Stale: it was measured too long ago, or in the future.
	Stale
	// NaN: it is not a number, such as a rate of nothing.
	NaN
	// Inf: it is infinite.
	Inf
	// Errored: measuring it failed.
	Errored
)

var missingNames = [...]string{"present", "no data", "too few", "stale", "nan", "inf", "errored"}

// String is the name in lower case.
func (m Missing) String() string {
	if int(m) < len(missingNames) {
		return missingNames[m]
	}
	return fmt.Sprintf("missing(%d)", uint8(m))
}

// MarshalText is String.
func (m Missing) MarshalText() ([]byte, error) {
	if int(m) >= len(missingNames) {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, m)
	}
	return []byte(missingNames[m]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (m *Missing) UnmarshalText(text []byte) error {
	i := slices.Index(missingNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("%w: missing %q, want one of %q", ErrInvalid, text, missingNames)
	}
	*m = Missing(i)
	return nil
}
