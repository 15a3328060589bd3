package health

import (
	"time"
)

// streak is what a check has come to by its results: a pure machine, whose only clock
// is in the results.
type streak struct {
	check   Check
	began   time.Time // when it was first to be asked
	status  Status    // Unknown, Healthy, Degraded or Unhealthy
	since   time.Time // of the result that began the streak that led to it
	passed  int       // in a row
	failed  int       // in a row
	unsure  int       // in a row
	first   time.Time // of the results in a row
	ever    bool      // whether it has ever passed
	results []Result  // the newest historyKept
	wrong   []Result  // the newest wrongKept that did not pass
	flaps   []bool    // of the newest results that count, whether it passed
	flapped bool      // whether it is flapping
}

const (
	historyKept = 100
	wrongKept   = 20
	flapsKept   = 21 // as Nagios: 20 possible changes
)

// add counts a result.
func (s *streak) add(r Result) {
	s.results = keep(s.results, r, historyKept)
	if r.Kind != Passed {
		s.wrong = keep(s.wrong, r, wrongKept)
	}
	switch {
	case r.Kind.ok():
		if s.passed == 0 {
			s.first = r.At
		}
		s.passed, s.failed, s.unsure = s.passed+1, 0, 0
		s.flap(true)
		s.passes(r)
	case r.Kind.bad():
		if s.failed == 0 {
			s.first = r.At
		}
		s.passed, s.failed, s.unsure = 0, s.failed+1, 0
		s.flap(false)
		s.fails(r)
	default: // the probe itself: no other counter moves
		if s.unsure++; s.unsure >= s.check.FailAfter {
			s.become(Unknown, r.At)
		}
	}
}

func (s *streak) passes(r Result) {
	status := Healthy
	if r.Kind == Warned {
		status = Degraded
	}
	// A check that is well stays so from one success to the next, warnings included.
	switch {
	case s.status.well():
		s.become(status, r.At)
	case s.passed >= s.check.PassAfter:
		s.ever = true
		s.become(status, s.first)
	}
}

func (s *streak) fails(r Result) {
	enough := s.failed >= s.check.FailAfter || r.Kind == WasFatal
	starting := !s.ever && r.At.Sub(s.began) < s.check.Startup
	if enough && (!starting || r.Kind == WasFatal) {
		s.become(Unhealthy, s.first)
	}
}

func (s *streak) become(status Status, at time.Time) {
	if s.status != status {
		s.status, s.since = status, at
	}
}

// flap notes whether a result passed and whether the check flaps: whether it has
// changed more than half of the times that it could, newer changes weighing more;
// and then until it is less than a quarter (Nagios' algorithm).
func (s *streak) flap(passed bool) {
	s.flaps = keep(s.flaps, passed, flapsKept)
	changed := 0.0
	for i := 1; i < len(s.flaps); i++ {
		if s.flaps[i] != s.flaps[i-1] {
			age := len(s.flaps) - 1 - i // 0 is the newest
			changed += 1.2 - 0.4*float64(age)/float64(flapsKept-2)
		}
	}
	switch share := changed / (flapsKept - 1); {
	case share > 0.5:
		s.flapped = true
	case share < 0.25:
		s.flapped = false
	}
}

// shows is the status that readers see: the worst, while it flaps.
func (s *streak) shows() Status {
	if s.flapped && s.status != Unknown {
		return Unhealthy
	}
	return s.status
}

// validUntil is how long the newest result says anything.
func (s *streak) validUntil() time.Time {
	if len(s.results) == 0 {
		return time.Time{}
	}
	last := s.results[len(s.results)-1].At
	return last.Add(s.check.Interval*time.Duration(s.check.FailAfter) + s.check.Timeout)
}

// keep adds to a list that has at most so many. What readers were given of it stays as
// it is, since nothing is written but behind its end.
func keep[T any](list []T, one T, most int) []T {
	if len(list) >= most {
		list = list[len(list)-most+1:]
	}
	return append(list, one)
}
