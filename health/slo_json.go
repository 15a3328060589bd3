package health

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// sloJSON is what is kept of an [SLO].
type sloJSON struct {
	Start   time.Time     `json:"start,omitzero"` // of the first outcome
	Windows []sloRingJSON `json:"windows"`        // those of the rules, and the period
}

// sloRingJSON is one window: of each step its number, its requests and its failures.
type sloRingJSON struct {
	Window time.Duration `json:"window"` // ns
	Counts [][3]uint64   `json:"counts,omitempty"`
}

// window is how long a ring looks back.
func (s *SLO) window(ring int) time.Duration {
	if ring < len(s.rules) {
		return s.rules[ring].Long
	}
	return s.period
}

// MarshalJSON is what was counted, at most 40 kB by default. Outcomes that come meanwhile
// may be in some of the windows and not in others.
func (s *SLO) MarshalJSON() ([]byte, error) {
	var out sloJSON
	if start := s.start.Load(); start != nil {
		out.Start = start.UTC()
	}
	for i, r := range s.rings {
		out.Windows = append(out.Windows, sloRingJSON{s.window(i), r.counts()})
	}
	return json.Marshal(out)
}

// UnmarshalJSON brings back what MarshalJSON wrote, in place of what was there: call it
// before anything else uses the SLO. The time until the next outcome counts as seen, with
// no requests. Text that it cannot have written is [ErrInvalid], and so is that of other
// windows, or of a start that is yet to come; then nothing is changed.
func (s *SLO) UnmarshalJSON(text []byte) error {
	var in sloJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("%w: slo: %w", ErrInvalid, err)
	}
	now := time.Now()
	if err := in.problems(s, now); err != nil {
		return err
	}
	s.start.Store(nil)
	if !in.Start.IsZero() {
		s.start.Store(new(now.Add(in.Start.Sub(now)))) // with a monotonic clock
	}
	for i, r := range s.rings {
		last, _ := r.step(now.Sub(in.Start))
		r.restore(in.Windows[i].Counts, last)
	}
	return nil
}

// problems lists everything that MarshalJSON of such an SLO cannot have written.
func (in sloJSON) problems(s *SLO, now time.Time) error {
	var all []error
	bad := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w: slo: "+format, append([]any{ErrInvalid}, args...)...))
	}
	if len(in.Windows) != len(s.rings) {
		bad("windows: found %d, want %d, of the rules and of the period", len(in.Windows), len(s.rings))
		return errors.Join(all...)
	}
	if !in.Start.IsZero() && (in.Start.Year() < 1970 || in.Start.After(now)) {
		bad("start: found %v, want 1970 to now", in.Start)
	}
	for i, w := range in.Windows {
		if want := s.window(i); w.Window != want {
			bad("windows[%d].window: found %v, want %v", i, w.Window, want)
		}
		for j, c := range w.Counts {
			switch {
			case in.Start.IsZero():
				bad("windows[%d].counts[%d]: found one without a start", i, j)
			case c[0]/ringSlots >= 1<<(64-lapShift) || c[1] >= 1<<lapShift || c[2] > c[1]:
				bad("windows[%d].counts[%d]: found step %d with %d requests and %d failures", i, j, c[0], c[1], c[2])
			}
		}
	}
	return errors.Join(all...)
}

// counts are the steps with requests.
func (r *burnRing) counts() (out [][3]uint64) {
	for i := range r.slots {
		bad := r.slots[i].failures.Load()
		all := r.slots[i].requests.Load()
		lap := all >> lapShift
		if n := counted(all, lap); n > 0 {
			out = append(out, [3]uint64{lap*ringSlots + uint64(i), n, min(counted(bad, lap), n)})
		}
	}
	return out
}

// restore puts counts in place, but those of steps after the last: the clock was set back,
// and they would be in the way.
func (r *burnRing) restore(counts [][3]uint64, last uint64) {
	for i := range r.slots {
		r.slots[i].requests.Store(0)
		r.slots[i].failures.Store(0)
	}
	for _, c := range counts {
		slot, lap := &r.slots[c[0]%ringSlots], c[0]/ringSlots
		if c[0] <= last {
			slot.requests.Store(lap<<lapShift | c[1])
			slot.failures.Store(lap<<lapShift | c[2])
		}
	}
}
