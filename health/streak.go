package health

import "time"

// streak is what a check has come to by its results: a pure machine, whose only clock
// is in the results.
type streak struct {
	check   Check
	began   time.Time // when it was first asked
	status  Status    // by thresholds alone: Unknown, Healthy, Degraded or Unhealthy
	flapped bool      // whether it is flapping
	shown   Status    // what readers see
	since   time.Time // when it became that
	passed  int       // in a row
	failed  int       // in a row
	unsure  int       // in a row
	first   time.Time // of the results in a row
	ever    bool      // whether it has ever passed
	results []Result  // the newest historyKept
	wrong   []Result  // the newest wrongKept that did not pass
	flaps   []bool    // of the newest results that count, whether it passed
}

const (
	historyKept = 100
	wrongKept   = 20
	flapsKept   = 21 // as Nagios: 20 possible changes
)

// add counts a result.
func (s *streak) add(r Result) {
	if until := s.validUntil(); !until.IsZero() && r.At.Add(r.Took).After(until) {
		// Readers were told that nothing is known any more, so it begins anew.
		s.forget()
		if s.shown != Unknown {
			s.shown, s.since = Unknown, until
		}
	}
	s.results = keep(s.results, r, historyKept)
	if !r.Kind.ok() {
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
			s.forget()
		}
	}
	s.show(r)
}

func (s *streak) passes(r Result) {
	// A check that is well stays so from one success to the next, warnings included.
	if !s.status.well() && s.passed < s.check.PassAfter {
		return
	}
	s.ever = true
	s.status = Healthy
	if r.Kind == Warned {
		s.status = Degraded
	}
}

func (s *streak) fails(r Result) {
	enough := s.failed >= s.check.FailAfter
	starting := !s.ever && r.At.Sub(s.began) < s.check.Startup
	if enough && !starting || r.Kind == WasFatal {
		s.status = Unhealthy
	}
}

// forget makes the check one of which nothing is known.
func (s *streak) forget() {
	s.status, s.passed, s.failed, s.flaps, s.flapped = Unknown, 0, 0, nil, false
}

// show makes readers see the status, or the worst while it flaps. It became that with
// the first of the results in a row that led to it.
func (s *streak) show(r Result) {
	shown := s.status
	if s.flapped && s.status != Unknown {
		shown = Unhealthy
	}
	if shown == s.shown {
		return
	}
	s.since = r.At
	if s.status == Unhealthy || shown.well() && !s.shown.well() && r.Kind.ok() {
		s.since = s.first
	}
	s.shown = shown
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

// validUntil is how long the newest result says anything: for FailAfter intervals, each
// with its jitter, but always for two, so that one late probe is no gap.
func (s *streak) validUntil() time.Time {
	if len(s.results) == 0 {
		return time.Time{}
	}
	gap := s.check.Interval + s.check.Interval/10
	return s.results[len(s.results)-1].At.Add(gap*time.Duration(max(s.check.FailAfter, 2)) + s.check.Timeout)
}

// keep adds to a list that has at most so many. What readers were given of it stays as
// it is, since nothing is written but behind its end.
func keep[T any](list []T, one T, most int) []T {
	if len(list) >= most {
		list = list[len(list)-most+1:]
	}
	return append(list, one)
}
