package rollout

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// shipment is what a run of a pipeline is about.
type shipment struct{ pipeline, service, environment string }

// ship notes what a run that is over means for later ones. Called with mu held.
func (e *Engine) ship(r *run) {
	if c := r.course; c.outcome == Succeeded {
		e.shipped[shipment{c.name, c.asked.Service, c.asked.Environment}] = c.asked.Release
	}
}

// previous is the last good release before a run: of the same pipeline, or else of a
// rollout of the same service and environment. Called with mu held.
func (e *Engine) previous(pipeline string, q RequestedRun) Release {
	release, known := e.shipped[shipment{pipeline, q.Service, q.Environment}]
	if all := e.track(lane{q.Service, q.Environment, ""}).good; !known && len(all) > 0 {
		release = all[len(all)-1].release
	}
	return release
}

// sail folds in one record of a run of a pipeline.
func (r *run) sail(record Record) error {
	if record.Pipeline == "" || r.machine.State().Phase != Pending {
		return fmt.Errorf("%s of a rollout and of a run of a pipeline: %w", record.Kind, errOutOfPlace)
	}
	if r.course == nil {
		r.course = &course{}
	}
	return r.course.apply(record)
}

// isOver says whether a rollout, or a run of a pipeline, is over.
func (r *run) isOver() bool {
	if r.course != nil {
		return r.course.phase == Done
	}
	return r.machine.state.Phase == Done
}

// sealed is a record of a run of a pipeline with its place, if it may follow. Called
// with mu held.
func (r *run) sealed(record Record) (Record, error) {
	c := r.course
	record.Rollout, record.From = r.id, c.state(record)
	record.Pipeline = cmp.Or(record.Pipeline, c.name)
	if record.At.IsZero() {
		record.At = now()
	}
	if _, err := c.follow(record); err != nil && record.Kind == KindActed {
		return record, err
	} else if err != nil {
		return record, fmt.Errorf("%s after %s: %w", record.Kind, record.From, err)
	}
	record.To = c.becomes(record)
	if c.phase == Back || record.To == "back" {
		record.Generation = 1
	}
	return record, nil
}

// Report returns what the journal has of a run of a pipeline, also of one that is under
// way. One that it does not know is [ErrNotFound].
func (e *Engine) Report(id string) (Report, error) {
	r, err := e.lookUp(id)
	if err != nil {
		return Report{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if r == nil || r.course == nil || r.course.phase == Pending {
		return Report{}, &Error{"report", id, ErrNotFound}
	}
	report := r.course.report(id)
	if r.problem != nil {
		report.Problem = r.problem.Error()
	}
	return report, nil
}

// claimRun finds or makes the run of an ID, for one at a time; whoever comes second waits
// until the first is done with it. It is over if it is not active.
func (e *Engine) claimRun(ctx context.Context, id, pipeline string, asked *RequestedRun) (*run, error) {
	for {
		r, err := e.lookUp(id)
		if err != nil {
			return nil, err
		}
		e.mu.Lock()
		switch live := e.runs[id]; {
		case live != nil:
			r = live
		case r == nil:
			r = newRun(id)
			r.course = &course{}
			e.runs[id] = r
		}
		changed := e.changed
		switch c := r.course; {
		case c == nil:
			err = fmt.Errorf("%w: the journal has this ID for a rollout", ErrConflict)
		case c.phase != Pending && (c.asked.Digest != asked.Digest || c.name != pipeline || c.asked.Service != asked.Service || c.asked.Environment != asked.Environment):
			err = c.asked.conflict(*asked)
		case !r.active:
			r.active = c.phase != Done
			asked.Previous = e.previous(pipeline, *asked)
			e.mu.Unlock()
			return r, nil
		}
		e.mu.Unlock()
		if err != nil {
			return nil, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// releaseRun ends a claim.
func (e *Engine) releaseRun(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.active, r.problem = false, nil
	if r.course.phase == Pending { // it never began
		delete(e.runs, r.id)
	}
	e.tell()
}

// sight is where a run stands, and what comes next.
type sight struct {
	move
	phase   Phase
	frozen  bool
	leave   bool
	records int
}

func (e *Engine) nextOf(r *run, at time.Time, mine func(int) bool) sight {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := r.course
	return sight{c.next(at, mine), c.phase, c.frozen.on(), c.leave, c.records}
}
