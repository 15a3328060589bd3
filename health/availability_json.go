package health

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// availabilityJSON is what is kept of an [Availability].
type availabilityJSON struct {
	Span  time.Duration `json:"span"` // ns
	Slots int           `json:"slots"`
	Began time.Time     `json:"began,omitzero"`
	Seen  time.Time     `json:"seen,omitzero"`
	Spent []spentJSON   `json:"spent,omitempty"` // ordered by At
}

// spentJSON is one step that is not all unknown.
type spentJSON struct {
	At          int64         `json:"at"` // in steps since 1970
	Up          time.Duration `json:"up,omitempty"`
	Down        time.Duration `json:"down,omitempty"`
	Maintenance time.Duration `json:"maintenance,omitempty"`
}

// MarshalJSON is what was counted up to the newest report, about 15 kB by default.
func (a *Availability) MarshalJSON() ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := availabilityJSON{Span: a.span, Slots: len(a.slots) - 1}
	if a.seen == 0 {
		return json.Marshal(out)
	}
	out.Began, out.Seen = time.Unix(0, a.began).UTC(), time.Unix(0, a.seen).UTC()
	now := Availability{width: a.width, slots: slices.Clone(a.slots)}
	now.spend(a.state, a.from, min(a.until, a.seen))
	first := floor(now.start(a.seen), a.width)
	for _, slot := range now.slots {
		if slot.id >= first && slot.spent != [3]time.Duration{} {
			out.Spent = append(out.Spent, spentJSON{slot.id, slot.spent[0], slot.spent[1], slot.spent[2]})
		}
	}
	slices.SortFunc(out.Spent, func(s, t spentJSON) int { return int(s.At - t.At) })
	return json.Marshal(out)
}

// UnmarshalJSON brings back what MarshalJSON wrote, in place of what was there. From
// the newest report in it to the next one that is observed, all is unknown. Text that
// it cannot have written is [ErrInvalid], and so is that of other
// [AvailabilityOptions], unless the receiver is the zero value, which takes them on;
// then nothing is changed.
func (a *Availability) UnmarshalJSON(text []byte) error {
	var in availabilityJSON
	if err := json.Unmarshal(text, &in); err != nil {
		return fmt.Errorf("%w: availability: %w", ErrInvalid, err)
	}
	if err := in.problems(); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.width != 0 && (in.Span != a.span || in.Slots != len(a.slots)-1) {
		return fmt.Errorf("%w: availability: found a span of %v in %d slots, want %v in %d", ErrInvalid, in.Span, in.Slots, a.span, len(a.slots)-1)
	}
	fresh := NewAvailability(AvailabilityOptions{Span: in.Span, Slots: in.Slots})
	a.span, a.width, a.slots = fresh.span, fresh.width, fresh.slots
	a.base, a.state, a.until = time.Time{}, isUnknown, 0
	a.began, a.seen, a.from = 0, 0, 0
	if !in.Seen.IsZero() {
		a.began, a.seen, a.from = in.Began.UnixNano(), in.Seen.UnixNano(), in.Seen.UnixNano()
	}
	for _, s := range in.Spent {
		a.slots[a.place(s.At)] = uptimeSlot{s.At, [3]time.Duration{s.Up, s.Down, s.Maintenance}}
	}
	return nil
}

// problems lists everything that MarshalJSON cannot have written.
func (in availabilityJSON) problems() error {
	var all []error
	bad := func(format string, args ...any) {
		all = append(all, fmt.Errorf("%w: availability: "+format, append([]any{ErrInvalid}, args...)...))
	}
	const most = 100_000
	if in.Slots < 1 || in.Slots > most {
		bad("slots: found %d, want 1 to %d", in.Slots, most)
	}
	if in.Span <= 0 {
		bad("span: found %v, want more than 0", in.Span)
	}
	era := func(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2200 }
	switch {
	case in.Began.IsZero() && in.Seen.IsZero() && len(in.Spent) == 0:
	case !era(in.Began) || !era(in.Seen) || in.Seen.Before(in.Began):
		bad("began, seen: found %v and %v, want one after the other, 1970 to 2199", in.Began, in.Seen)
	}
	if len(all) > 0 {
		return errors.Join(all...) // steps have no meaning then
	}
	width := max(int64(in.Span)/int64(in.Slots), 1)
	last := floor(in.Seen.UnixNano(), width)
	for i, s := range in.Spent {
		switch {
		case s.At > last || s.At < last-int64(in.Slots):
			bad("spent[%d]: found step %d, want %d to %d", i, s.At, last-int64(in.Slots), last)
		case i > 0 && s.At <= in.Spent[i-1].At:
			bad("spent[%d]: found step %d after %d", i, s.At, in.Spent[i-1].At)
		}
		left := time.Duration(width)
		for _, d := range []time.Duration{s.Up, s.Down, s.Maintenance} {
			if d < 0 || d > left {
				bad("spent[%d]: found %v, %v and %v, want at most %v together", i, s.Up, s.Down, s.Maintenance, time.Duration(width))
				break
			}
			left -= d
		}
	}
	return errors.Join(all...)
}
