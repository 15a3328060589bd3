package strategy

import "github.com/guidon-go/guidon/internal/percent"

// Share is a part of the traffic, in slots of 0.001 %, as in package flag. In Go
// it is written 0.1 * strategy.Percent, which is exact; in JSON it is the
// percentage.
type Share int32

// Percent is one percent of the traffic.
const Percent = 1000

// All is the whole traffic: 100 %.
const All Share = 100 * Percent

// String is the percentage: "0.1 %".
func (s Share) String() string { return percent.Format(int32(s)) + " %" }

// MarshalJSON writes the percentage as a number.
func (s Share) MarshalJSON() ([]byte, error) { return []byte(percent.Format(int32(s))), nil }

// UnmarshalJSON reads a percentage from 0 to 100 with at most three decimals.
func (s *Share) UnmarshalJSON(data []byte) error {
	n, err := percent.Parse(string(data))
	if err != nil {
		return err
	}
	*s = Share(n)
	return nil
}
