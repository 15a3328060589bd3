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
