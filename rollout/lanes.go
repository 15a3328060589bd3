package rollout

import (
	"hash/maphash"
	"slices"
	"time"
)

// track is the rollouts of one lane.
type track struct {
	had    bool   // there was one
	active *run   // under way, or about to be
	queue  []*run // who waits for its turn
	good   []good // what succeeded and was not taken back, newest last
}

// good is a release that one can come back to.
type good struct {
	id      string
	release Release
}

// rollback is one that no person asked for.
type rollback struct {
	lane lane
	at   time.Time
}

// track returns the rollouts of a lane. Called with mu held, like all that follow.
func (e *Engine) track(l lane) *track {
	if e.lanes[l] == nil {
		e.lanes[l] = &track{}
	}
	return e.lanes[l]
}

// end notes what a rollout that is over means for others.
func (e *Engine) end(r *run) {
	s, l := r.machine.State(), e.track(r.request.lane())
	l.had = true
	if l.active == r && !(r.active && r.request.Drill && s.Outcome == Succeeded) { // or its driver asks for its way back first
		l.active = nil
	}
	switch {
	case s.Outcome == Succeeded:
		l.good = append(l.good, good{r.id, r.request.Release})
		l.good = l.good[max(len(l.good)-keepGood, 0):]
	case r.request.TakesBack != "" && s.Outcome == Failed: // left on its way: it is what is there still
	case r.request.TakesBack != "":
		l.good = slices.DeleteFunc(l.good, func(g good) bool { return g.id == r.request.TakesBack })
	case s.Outcome.wentBack() && s.Automatic:
		e.backs = append(e.backs, rollback{r.request.lane(), r.ended})
		e.backs = slices.DeleteFunc(e.backs, func(b rollback) bool { return r.ended.Sub(b.at) > max(time.Hour, e.options.Cooldown) })
	}
	if salt := r.request.Salt; salt != "" {
		e.salts[maphash.String(e.seed, salt)] = struct{}{}
	}
	e.close(r)
}

// close notes that a rollout, or a run of a pipeline, is over.
func (e *Engine) close(r *run) {
	e.ended[maphash.String(e.seed, r.id)] = struct{}{}
	e.over = append(e.over, r.id)
	if len(e.over) > keepOver {
		if old := e.runs[e.over[0]]; old != nil && !old.active {
			delete(e.runs, old.id)
		}
		e.over = e.over[1:]
	}
	e.tell()
}

// tell wakes everybody who waits for a rollout to end.
func (e *Engine) tell() {
	close(e.changed)
	e.changed = make(chan struct{})
}
