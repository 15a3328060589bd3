package health

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
)

// Reading is a number that the host measured itself: the length of a queue, a
// conversion rate, the answer of a metrics server. The zero value is no data.
type Reading struct {
	Value float64   // what was measured, in whatever unit the limit has
	N     uint64    // how many observations it rests on; needed where Gauge.MinN is set
	At    time.Time // when it was measured; zero: it was not
	Err   error     // why it could not be measured; the rest is then ignored
}

// Gauge judges readings by a limit, several in a row. Only Limit is required, and zero
// is a limit like any other. A reading that is missing, of whatever kind, never passes:
// see [Missing].
type Gauge struct {
	Name  string  // what is measured, for people; empty means "reading"
	Limit float64 // the highest value that is well, itself included
	Floor bool    // Limit is the lowest value that is well instead
	MinN  uint64  // how many observations a reading must rest on; zero: N is not looked at
	// MaxAge is how old a reading may be, and how far ahead of the clock. Zero means a
	// minute.
	MaxAge time.Duration
	// FailAfter is how many readings in a row must be outside the limit for Fail; zero
	// means 3. Missing ones in between do not end the row.
	FailAfter int
	// PassAfter is how many in a row must be within the limit for Pass; zero means 2.
	// Missing ones in between end the row.
	PassAfter int
}

// gaugeState is Gauge's State.
type gaugeState struct {
	Within  int                `json:"within"`            // in a row
	Outside int                `json:"outside"`           // in a row
	At      time.Time          `json:"at,omitzero"`       // of the newest reading counted
	Missing map[Missing]uint64 `json:"missing,omitempty"` // looks, by kind
}

// Validate lists what is wrong with the settings.
func (g Gauge) Validate() error {
	var p complaints
	if math.IsNaN(g.Limit) || math.IsInf(g.Limit, 0) {
		p.add("limit of %s is %v, want a number", g.name(), g.Limit)
	}
	if g.MaxAge < 0 {
		p.add("max age of %s is %v, want above 0", g.name(), g.MaxAge)
	}
	if g.FailAfter < 0 {
		p.add("fail after of %s is %d, want at least 1", g.name(), g.FailAfter)
	}
	if g.PassAfter < 0 {
		p.add("pass after of %s is %d, want at least 1", g.name(), g.PassAfter)
	}
	return p.err()
}

// Missing says whether the reading can be judged, as of now.
func (g Gauge) Missing(r Reading, now time.Time) Missing {
	age := cmp.Or(g.MaxAge, time.Minute)
	switch {
	case r.Err != nil:
		return Errored
	case r.At.IsZero():
		return NoData
	case now.Sub(r.At).Abs() > age:
		return Stale
	case math.IsNaN(r.Value):
		return NaN
	case math.IsInf(r.Value, 0):
		return Inf
	case g.MinN > 0 && r.N == 0:
		return NoData
	case r.N < g.MinN:
		return TooFew
	}
	return Present
}

// Look judges one reading, as of now. Like a [Judge]'s it is a pure step, whose state
// can be kept anywhere. A reading that is no newer than the one before counts once,
// however often it is looked at. The state counts the looks at which the reading was
// missing, by kind, and the verdict's reason lists them. With invalid settings the
// verdict is [Inconclusive].
func (g Gauge) Look(state State, r Reading, now time.Time) (Verdict, State) {
	if err := g.Validate(); err != nil {
		return Verdict{Reason: err.Error()}, state
	}
	var memory gaugeState
	if json.Unmarshal(state, &memory) != nil {
		memory = gaugeState{}
	}
	v := Verdict{Missing: g.Missing(r, now)}
	switch {
	case v.Missing != Present:
		memory.Within = 0
		if memory.Missing == nil {
			memory.Missing = make(map[Missing]uint64)
		}
		memory.Missing[v.Missing]++
	case !r.At.After(memory.At): // counted before
	case g.within(r.Value):
		memory.Within, memory.Outside, memory.At = memory.Within+1, 0, r.At
	default:
		memory.Within, memory.Outside, memory.At = 0, memory.Outside+1, r.At
	}
	if v.Missing == Present {
		switch {
		case memory.Outside >= cmp.Or(g.FailAfter, 3):
			v.Call = Fail
		case memory.Within >= cmp.Or(g.PassAfter, 2):
			v.Call = Pass
		}
	}
	v.Reason = g.reason(v, r, now, memory)
	next, _ := json.Marshal(memory) // whole numbers, times read from JSON or checked by Missing
	return v, next
}

// Probe makes a probe of the gauge, for a [Check] or as a gate of its own: it reads, and
// fails when the value is outside the limit. A reading that is missing is [Unsure], so
// a gate says no, and a check becomes unknown. The rows of FailAfter and PassAfter are
// the check's; those of the gauge are not used.
func (g Gauge) Probe(read func(context.Context) Reading) Probe {
	return func(ctx context.Context) error {
		if err := g.Validate(); err != nil {
			return Unsure(err)
		}
		r := read(ctx)
		now := time.Now()
		text := g.describe(r, now)
		switch missing := g.Missing(r, now); {
		case missing == Errored:
			return Unsure(fmt.Errorf("%s: %w", g.name(), r.Err))
		case missing != Present:
			return Unsure(errors.New(text))
		case !g.within(r.Value):
			return errors.New(text)
		}
		return nil
	}
}

func (g Gauge) name() string { return cmp.Or(g.Name, "reading") }

func (g Gauge) within(x float64) bool {
	if g.Floor {
		return x >= g.Limit
	}
	return x <= g.Limit
}

// describe writes a reading and what is wrong with it.
func (g Gauge) describe(r Reading, now time.Time) string {
	limit := "at most"
	if g.Floor {
		limit = "at least"
	}
	switch missing := g.Missing(r, now); missing {
	case Errored:
		return g.name() + ": " + r.Err.Error()
	case Stale:
		if age := now.Sub(r.At); age > 0 {
			return fmt.Sprintf("%s is stale: measured %s ago", g.name(), short(age))
		}
		return g.name() + " is stale: measured in the future"
	case TooFew:
		return fmt.Sprintf("%s rests on %s, want %s", g.name(), count(r.N, "observation"), group(g.MinN))
	case NoData, NaN, Inf:
		return g.name() + ": " + missing.String()
	}
	return fmt.Sprintf("%s is %.4g, want %s %.4g", g.name(), r.Value, limit, g.Limit)
}

func (g Gauge) reason(v Verdict, r Reading, now time.Time, memory gaugeState) string {
	text := g.describe(r, now)
	switch {
	case v.Missing != Present:
	case memory.Outside > 0:
		text += fmt.Sprintf(": %d in a row outside", memory.Outside)
	default:
		text += fmt.Sprintf(": %d in a row within", memory.Within)
	}
	var kinds []string
	for kind := NoData; kind <= Errored; kind++ {
		if n := memory.Missing[kind]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %s", group(n), kind))
		}
	}
	if len(kinds) > 0 {
		text += "; missing so far: " + strings.Join(kinds, ", ")
	}
	return text
}
