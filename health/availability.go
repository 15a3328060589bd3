package health

import (
	"math"
	"sync"
	"time"
)

// AvailabilityOptions sets up an [Availability]. The zero value is right for most.
type AvailabilityOptions struct {
	Span  time.Duration // how far back it looks; zero means 30 days
	Slots int           // in how many steps it moves; zero means 360
}

// Availability adds up how long something was up, was down, could not be told, or was
// worked on, over the last [AvailabilityOptions.Span]; it moves in steps of Span/Slots
// and covers up to one step more. It counts time and not requests: how many requests
// went well is what a [Window] and an [SLO] say, and the two are not to be mixed. Make
// one with [NewAvailability], and tell it how a check stands with [Availability.Observe];
// of all checks of a monitor that runs, so:
//
//	for r := range monitor.Watch(ctx) {
//		a.Observe(time.Now(), r.Whole())
//	}
//
// It tells four kinds of time apart:
//
//   - Up is [Healthy] and [Degraded], down is [Unhealthy]: from the first failure of
//     the streak that made it so, to the first success of the one that ended it. What
//     flaps is down from when it began to.
//   - Unknown is what the check does not know, from the first result on that could not
//     tell; what is longer ago than a result is valid; and what nobody saw: the time
//     from the last report before a restart to the first one after it.
//   - Maintenance is left out of both.
//
// All times are the caller's. It takes 32 bytes a step, 12 kB by default, and is kept
// over a restart as JSON. All methods are safe for concurrent use.
type Availability struct {
	mu    sync.Mutex // guards everything
	span  time.Duration
	width int64 // of a step, in ns
	slots []uptimeSlot
	base  time.Time // the first moment in this process; later ones count from it, monotonically
	began int64     // the first moment ever, in ns since 1970, as all that follow
	seen  int64     // the newest report; zero: none ever

	// What it is now is not in the slots yet, since its beginning can still turn out
	// to have been another state's end.
	state uptimeState
	from  int64
	until int64 // after which nobody knows
}

// uptimeState is one of four; unknown is what remains of the time and is not counted.
type uptimeState uint8

const (
	isUnknown uptimeState = iota
	isUp
	isDown
	isMaintained
)

// uptimeSlot is one step: how long it was up, down and maintained.
type uptimeSlot struct {
	id    int64 // of the step: its beginning in widths since 1970
	spent [3]time.Duration
}

// NewAvailability returns one that has seen nothing.
func NewAvailability(o AvailabilityOptions) *Availability {
	if o.Span <= 0 {
		o.Span = 30 * 24 * time.Hour
	}
	if o.Slots <= 0 {
		o.Slots = 360
	}
	return &Availability{
		span:  o.Span,
		width: max(int64(o.Span)/int64(o.Slots), 1),
		slots: make([]uptimeSlot, o.Slots+1),
	}
}

// Observe says how a check stands at now: one report of [Monitor.Report], or
// [Report.Whole] for all of them together. It has to come at least once while a report
// is valid, and after [Monitor.Maintain], as it does in a loop over [Monitor.Watch]; what
// changes and changes back in between is not seen. Of a report that is made by hand,
// Status, Since and ValidUntil count: Since is when it became so, ValidUntil until when
// that holds without another report; of [Maintenance], the field of that name does. A
// report from before the newest one changes nothing.
func (a *Availability) Observe(now time.Time, c CheckReport) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.base.IsZero() {
		a.base = now
	}
	t := a.at(now)
	switch {
	case a.seen == 0:
		a.began, a.from = t, t
	case t < a.seen:
		return
	}
	if a.state != isUnknown && t > a.until {
		a.turn(isUnknown, a.until)
	}
	until := c.ValidUntil
	state := isUnknown
	switch {
	case c.Status.well():
		state = isUp
	case c.Status == Unhealthy:
		state = isDown
	case c.Status == Maintenance:
		state, until = isMaintained, c.Maintenance
	}
	if state != a.state {
		a.turn(state, min(a.turned(state, t, c), t))
	}
	a.seen, a.until = t, t
	if !until.IsZero() {
		a.until = a.at(until)
	}
}

// turned is when a check that stands so at t came to do so.
func (a *Availability) turned(state uptimeState, t int64, c CheckReport) int64 {
	if state == isUnknown {
		return a.lost(t, c)
	}
	since := a.at(c.Since)
	if known := a.state == isUp || a.state == isDown; c.Since.IsZero() || since < a.from && !known {
		return t // it stood so before, but nobody saw that, or it was not to count
	}
	return since
}

// lost is from when on a check that is unknown at t could not tell.
func (a *Availability) lost(t int64, c CheckReport) int64 {
	if c.Last.Kind != WasUnsure {
		return t
	}
	first := c.Last.At
	for i := len(c.Results) - 1; i >= 0 && c.Results[i].Kind == WasUnsure; i-- {
		first = c.Results[i].At
	}
	return a.at(first)
}

// turn ends the state that is, and begins another; never before the one that is began.
func (a *Availability) turn(state uptimeState, at int64) {
	at = max(at, a.from)
	a.spend(a.state, a.from, at)
	a.state, a.from = state, at
}

// spend counts a piece of time in its slots.
func (a *Availability) spend(state uptimeState, from, to int64) {
	if state == isUnknown {
		return
	}
	from = max(from, a.start(to))
	for from < to {
		id := floor(from, a.width)
		end := min((id+1)*a.width, to)
		slot := &a.slots[a.place(id)]
		if slot.id != id {
			*slot = uptimeSlot{id: id}
		}
		slot.spent[state-isUp] += time.Duration(end - from)
		from = end
	}
}

// start is where the period begins that ends at a moment.
func (a *Availability) start(to int64) int64 {
	return (floor(to, a.width) - int64(len(a.slots)) + 1) * a.width
}

func (a *Availability) place(id int64) int64 {
	n := int64(len(a.slots))
	return (id%n + n) % n
}

// at counts a moment in ns since 1970, on the clock that cannot be set where there is
// one.
func (a *Availability) at(t time.Time) int64 {
	if a.base.IsZero() {
		return t.UnixNano()
	}
	base, after := a.base.UnixNano(), int64(t.Sub(a.base))
	return base + min(after, math.MaxInt64-base)
}

// Snapshot is what was counted up to now.
func (a *Availability) Snapshot(now time.Time) Uptime {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.seen == 0 {
		return Uptime{}
	}
	to := max(a.at(now), a.seen)
	start := a.start(to)
	var spent [4]time.Duration
	for _, slot := range a.slots {
		if at := slot.id * a.width; at >= start && at < to {
			for i, d := range slot.spent {
				spent[int(isUp)+i] += d
			}
		}
	}
	start = max(start, a.began)
	spent[a.state] += time.Duration(max(min(a.until, to)-max(a.from, start), 0))
	u := Uptime{
		From: time.Unix(0, start).UTC(), To: time.Unix(0, to).UTC(),
		Up: spent[isUp], Down: spent[isDown], Maintenance: spent[isMaintained],
	}
	u.Unknown = u.To.Sub(u.From) - u.Up - u.Down - u.Maintenance
	return u
}

// floor is a/b rounded down, for b above zero.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
