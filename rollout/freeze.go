package rollout

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Freeze is a time in which no rollout starts or goes forward. It never keeps one
// from going back. From and To say by their form how often it comes: "18:00" every
// day, "Fri 16:00" every week, "2026-12-20 16:00" once.
//
//	{Name: "weekend", Zone: "Europe/Stockholm", From: "Fri 16:00", To: "Mon 08:00"}
//	{Name: "nights", Zone: "Europe/Stockholm", From: "18:00", To: "08:00"}
//	{Name: "Christmas", Zone: "Europe/Stockholm", From: "2026-12-20 00:00", To: "2027-01-04 08:00"}
//
// These are times on a clock on the wall, and where that clock is changed, a freeze
// is longer rather than shorter: a time that the clock shows twice begins a freeze
// the first time and ends it the second time; a time that the clock skips begins a
// freeze at the skip, and ends it by a clock that nobody has put forward: on the day
// when 02:00 becomes 03:00, a freeze to 02:30 ends at 03:30.
//
// Zones need the time zone database of the host; a program that may run where there
// is none, as in an empty container, imports time/tzdata. A Freeze is a value, safe
// for concurrent use, and reads and writes JSON.
type Freeze struct {
	// Name says what it is for: "Christmas". It is in what people read, and required.
	Name string `json:"name"`
	// Zone is where the clock hangs, by its name in the IANA database:
	// "Europe/Stockholm". Empty means UTC.
	Zone string `json:"zone,omitempty"`
	// From is the first minute that is frozen: "18:00", "Fri 16:00" (Sun, Mon, Tue,
	// Wed, Thu, Fri, Sat) or "2026-12-20 16:00". Required.
	From string `json:"from"`
	// To is the first minute that is not frozen any more, in the form of From. The
	// end of a day is 00:00 of the next. A time of day or week that is not after From
	// is on the next day or in the next week. Required.
	To string `json:"to"`
}

// String is "weekend (Fri 16:00 to Mon 08:00 Europe/Stockholm)".
func (f Freeze) String() string {
	zone := f.Zone
	if zone == "" {
		zone = "UTC"
	}
	return fmt.Sprintf("%s (%s to %s %s)", f.Name, f.From, f.To, zone)
}

// Validate says everything that is wrong with the freeze, as an [Error] that wraps
// [ErrInvalid]. A freeze that never lets anything through is wrong, too.
func (f Freeze) Validate() error {
	if _, err := f.compile(); err != nil {
		return &Error{"freeze", f.Name, fmt.Errorf("%w: %w", ErrInvalid, err)}
	}
	return nil
}

// Until says whether the freeze is in force, and if so, when it ends, which is
// always after now; the time is in the freeze's zone. A freeze that
// [Freeze.Validate] refuses is never in force.
func (f Freeze) Until(now time.Time) (time.Time, bool) {
	w, err := f.compile()
	if err != nil {
		return time.Time{}, false
	}
	return w.until(now)
}

// window is a freeze, compiled.
type window struct {
	name     string
	zone     *time.Location
	every    int       // days; 0 is once
	from, to time.Time // what the clock shows, as if it hung in UTC; of any one turn
}

func (f Freeze) compile() (window, error) {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	w := window{name: f.Name}
	if f.Name == "" || !utf8.ValidString(f.Name) {
		add("name: found %q, want some text in UTF-8", f.Name)
	}
	zone, err := time.LoadLocation(f.Zone)
	switch {
	case err != nil:
		add("zone: found %q, want an IANA name such as \"Europe/Stockholm\", or none for UTC; without a time zone database, import time/tzdata: %w", f.Zone, err)
	case zone == time.Local:
		add("zone: found %q, which is another on each host, want an IANA name such as \"Europe/Stockholm\", or none for UTC", f.Zone)
	}
	const forms = `want "08:00", "Fri 08:00" or "2026-12-20 08:00"`
	from, every, fromOK := parseClock(f.From)
	if !fromOK {
		add("from: found %q, %s", f.From, forms)
	}
	to, toEvery, toOK := parseClock(f.To)
	if !toOK {
		add("to: found %q, %s", f.To, forms)
	}
	w.zone, w.every, w.from, w.to = zone, every, from, to
	switch {
	case !fromOK || !toOK:
	case every != toEvery:
		add("to: found %q, want the form of from, which is %q", f.To, f.From)
	case every == 0 && !to.After(from):
		add("to: found %q, want a time after from, which is %q", f.To, f.From)
	case to.Equal(from):
		add("to: found %q, which is from: it would never end; want another time", f.To)
	case to.Before(from):
		w.to = to.AddDate(0, 0, every)
	}
	if len(problems) == 0 && every == 0 {
		if first, last := w.turn(0); !last.After(first) {
			add("from, to: found %q and %q, between which the clock in %s is put forward, want some time between them", f.From, f.To, f.Zone)
		}
	}
	return w, errors.Join(problems...)
}

// parseClock reads what a clock shows, and after how many days that comes again. A
// time of the week is one of the week that begins on 4 January 1970, a Sunday.
func parseClock(text string) (shown time.Time, every int, ok bool) {
	if shown, ok := parseExactly("2006-01-02 15:04", text); ok {
		return shown, 0, true
	}
	day, clock, weekly := strings.Cut(text, " ")
	if every = 7; !weekly {
		day, clock, every = "Sun", text, 1
	}
	weekday := slices.Index([]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}, day)
	at, ok := parseExactly("15:04", clock)
	return time.Date(1970, 1, 4+weekday, at.Hour(), at.Minute(), 0, 0, time.UTC), every, ok && weekday >= 0
}

// parseExactly refuses what time.Parse lets pass, as a digit or a space too few or
// too many: every time is written in one way.
func parseExactly(layout, text string) (time.Time, bool) {
	t, err := time.Parse(layout, text)
	return t, err == nil && t.Format(layout) == text
}

// until is Freeze.Until. Turns that touch are one: the clock may be changed between
// them.
func (w window) until(now time.Time) (time.Time, bool) {
	end, turn, turns := now, 0, 1
	if w.every > 0 {
		// Three turns early: one because a turn may be every days long, one because clocks
		// are up to a day off UTC, one because division rounds up before 1970.
		turn = int((now.Unix()-w.from.Unix())/(24*60*60))/w.every - 3
		turns = 100 // far more than ever touch
	}
	for range turns {
		from, to := w.turn(turn)
		if from.After(end) {
			break
		}
		if to.After(end) {
			end = to
		}
		turn++
	}
	if !end.After(now) {
		return time.Time{}, false
	}
	return end, true
}

// turn is when one turn begins and ends.
func (w window) turn(n int) (from, to time.Time) {
	from, _ = readings(w.from.AddDate(0, 0, n*w.every), w.zone)
	_, to = readings(w.to.AddDate(0, 0, n*w.every), w.zone)
	return from, to
}

// readings are the first moment at which a clock shows a time or a later one, and
// the last moment that can be called that time: by the clock, or, if it skips the
// time, by one that nobody has put forward.
func readings(shown time.Time, zone *time.Location) (first, last time.Time) {
	const most = 24 * time.Hour // more than any clock is ahead of UTC, or behind it
	found := false
	for at := shown.Add(-most).In(zone); !at.After(shown.Add(most)); {
		start, end := at.ZoneBounds() // zero where there is none
		_, offset := at.Zone()
		reading := shown.Add(-time.Duration(offset) * time.Second).In(zone)
		begun := start.IsZero() || !reading.Before(start)
		if begun {
			last = reading
		}
		if !found && (end.IsZero() || reading.Before(end)) {
			if first, found = reading, true; !begun {
				first = start
			}
		}
		if !end.After(at) {
			break
		}
		at = end
	}
	return first, last
}

// calendar is a list of freezes, compiled.
type calendar []window

// newCalendar says everything that is wrong with the freezes, also together.
func newCalendar(freezes []Freeze) (calendar, error) {
	var c calendar
	var problems []error
	for i, f := range freezes {
		w, err := f.compile()
		if err != nil {
			problems = append(problems, fmt.Errorf("freezes[%d]: %q: %w", i, f.Name, err))
		}
		c = append(c, w)
	}
	if len(problems) == 0 {
		names, until, yes := c.frozen(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) // any day would do
		if _, _, still := c.frozen(until); yes && still {
			problems = append(problems, fmt.Errorf("freezes: one of %q is always in force: together they would never end", names))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c, nil
}

// frozen says whether any freeze is in force, and until when they and those that
// follow without a gap are. The name is theirs, in order: "nights, Christmas". After
// a hundred that follow one another it stops, and is still frozen then: ask again.
func (c calendar) frozen(now time.Time) (name string, until time.Time, yes bool) {
	until = now
	var names []string
	for range 100 {
		longest, by := until, ""
		for _, w := range c {
			if end, ok := w.until(until); ok && end.After(longest) {
				longest, by = end, w.name
			}
		}
		if by == "" {
			break
		}
		until = longest
		if !slices.Contains(names, by) {
			names = append(names, by)
		}
	}
	if len(names) == 0 {
		return "", time.Time{}, false
	}
	return strings.Join(names, ", "), until, true
}
