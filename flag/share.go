package flag

import (
	"fmt"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
	"github.com/guidon-go/guidon/internal/percent"
)

// Share is a part of all units, in slots of 0.001 %: 0 is nobody, 100,000 is
// everybody. In Go it is written 0.1 * flag.Percent, which is exact; a share
// finer than one slot does not compile. In JSON it is the percentage: 0.1.
type Share int32

// Percent is one percent of all units.
const Percent = 1000

// All is everybody: 100 %.
const All Share = 100 * Percent

// ParseShare reads a percentage from 0 to 100 with at most three decimals, as people
// write it: "0.1" or "0.1 %".
func ParseShare(text string) (Share, error) {
	n, err := percent.Parse(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), "%")))
	return Share(n), err
}

// String is the percentage: "0.1 %".
func (s Share) String() string { return percent.Format(int32(s)) + " %" }

// MarshalJSON writes the percentage as a number.
func (s Share) MarshalJSON() ([]byte, error) { return []byte(percent.Format(int32(s))), nil }

// UnmarshalJSON reads a percentage from 0 to 100 with at most three decimals.
func (s *Share) UnmarshalJSON(data []byte) error {
	n, err := percent.Parse(string(data))
	if err == nil {
		*s = Share(n)
		return nil
	}
	if tree, _ := jsontree.Parse(data); tree != nil && tree.Kind != jsontree.Number {
		return fmt.Errorf("found %s, want a number from 0 to 100", tree.Describe())
	}
	return err
}
