package health

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
)

// Call is what a [Judge] says. The zero value is [Inconclusive].
type Call uint8

const (
	// Inconclusive: not enough evidence for either. Missing data is this, always.
	Inconclusive Call = iota
	// Pass: evidence of no harm; not merely no evidence of harm.
	Pass
	// Fail: evidence of harm.
	Fail
)

// String is the name in lower case.
func (c Call) String() string {
	switch c {
	case Inconclusive:
		return "inconclusive"
	case Pass:
		return "pass"
	case Fail:
		return "fail"
	}
	return fmt.Sprintf("call(%d)", uint8(c))
}

// MarshalText is String.
func (c Call) MarshalText() ([]byte, error) {
	if c > Fail {
		return nil, fmt.Errorf("%w: %v", ErrInvalid, c)
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (c *Call) UnmarshalText(text []byte) error {
	for _, call := range []Call{Inconclusive, Pass, Fail} {
		if string(text) == call.String() {
			*c = call
			return nil
		}
	}
	return fmt.Errorf("%w: call %q, want inconclusive, pass or fail", ErrInvalid, text)
}

// Verdict is the result of one look. The zero value is inconclusive, without a
// reason.
type Verdict struct {
	Call         Call    `json:"call"`            // what the judge says
	Judge        string  `json:"judge,omitempty"` // of several, the one that says it: see [Shared]; "a/b" is b of a
	LogE         float64 `json:"log_e"`           // natural logarithm of the evidence, at this look
	LogPeak      float64 `json:"log_peak"`        // the highest LogE of any look so far, at least 0; of a Placebo, LogE
	LogThreshold float64 `json:"log_threshold"`   // what LogPeak has to reach for the call
	Reason       string  `json:"reason"`          // one sentence for people, with the numbers; never empty

	Missing Missing `json:"missing,omitzero"` // why there was nothing to judge by; Call is then Inconclusive
}

// Evidence is how many times the money a fair bet on harm would have made, or
// among how many random relabelings one stands out as much: 1 says nothing, 20 is
// what chance alone reaches at most one time in 20. It is clipped to
// [math.MaxFloat64]; LogE is not.
func (v Verdict) Evidence() float64 { return min(math.Exp(v.LogE), math.MaxFloat64) }

// String is the call and the reason.
func (v Verdict) String() string {
	if v.Reason == "" {
		return v.Call.String()
	}
	if v.Judge != "" {
		return v.Call.String() + ": " + v.Judge + ": " + v.Reason
	}
	return v.Call.String() + ": " + v.Reason
}

// LogValue lays the verdict out for package slog.
func (v Verdict) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("call", v.Call.String())}
	if v.Judge != "" {
		attrs = append(attrs, slog.String("judge", v.Judge))
	}
	return slog.GroupValue(append(attrs,
		slog.Float64("evidence", v.Evidence()),
		slog.Float64("threshold", min(math.Exp(v.LogThreshold), math.MaxFloat64)),
		slog.String("reason", v.Reason),
	)...)
}

// State is a judge's own small memory between looks: JSON, written to the journal
// with each verdict, so that judging can go on after a crash. Empty is fresh.
type State json.RawMessage

// MarshalJSON is the state itself; null if it is empty.
func (s State) MarshalJSON() ([]byte, error) {
	if len(s) == 0 {
		return []byte("null"), nil
	}
	return s, nil
}

// UnmarshalJSON keeps a copy of the JSON as it is; null is empty.
func (s *State) UnmarshalJSON(data []byte) error {
	if bytes.Equal(data, []byte("null")) {
		*s = nil
		return nil
	}
	*s = append((*s)[:0:0], data...)
	return nil
}

// Judge looks at a sample and says how it stands. Look is a pure step: no clock,
// nothing kept but the state it returns, equal arguments give equal results. It
// must be valid at any cadence of looks, and safe for concurrent use. It never
// writes to the state it is given, and a state that it cannot read is a fresh one.
// Keep the state: a judge that spends its alpha over time, such as [Placebo], spends
// it again without.
type Judge interface {
	Look(state State, sample Sample) (Verdict, State)
}

// Bounded is a [Judge] that states how often it cries wolf: the probability that
// it ever says Fail of a change that does nothing is at most its alpha, under the
// assumptions it names. Several of them can share one alpha: see [Shared].
type Bounded interface {
	Judge
	WithAlpha(alpha float64) Bounded // the same judge with another alpha
	Validate() error                 // all that is wrong with its settings
}

// JudgeFunc is a function as a [Judge].
type JudgeFunc func(state State, sample Sample) (Verdict, State)

// Look calls the function.
func (f JudgeFunc) Look(state State, sample Sample) (Verdict, State) { return f(state, sample) }
