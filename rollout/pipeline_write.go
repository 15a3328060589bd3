package rollout

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
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

// previous is the last good release before a run: as [Engine.Good] has it if there are
// rollouts of its service and environment, and otherwise that of the last run that has
// succeeded. Called with mu held.
func (e *Engine) previous(about shipment) Release {
	switch l := e.lanes[lane{about.service, about.environment, ""}]; {
	case l == nil || !l.had:
		return e.shipped[about]
	case len(l.good) == 0:
		return Release{}
	default:
		return l.good[len(l.good)-1].release
	}
}

// begins notes a rollout that was requested. Called with mu held.
func (e *Engine) begins(r *run) {
	l := e.track(r.request.lane())
	l.active, l.had = r, true
	if r.request.TakesBack != "" {
		e.takings++
	}
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
	return r.report(), nil
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
			e.mu.Unlock()
			return r, nil
		}
		e.mu.Unlock()
		if err != nil {
			return nil, err
		}
		e.clock.wait(ctx, forever, changed)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// sailing waits until no other run of the same pipeline, service and environment is under
// way, in order of arrival, and says which release was the last good one then.
func (e *Engine) sailing(ctx context.Context, r *run, about shipment) (Release, error) {
	e.mu.Lock()
	e.sails[about] = append(e.sails[about], r)
	defer e.mu.Unlock()
	for {
		other, driven := e.sails[about][0], true
		for _, one := range e.runs {
			if c := one.course; c != nil && (c.phase == Forward || c.phase == Back) && about == (shipment{c.name, c.asked.Service, c.asked.Environment}) {
				other, driven = one, one.active
			}
		}
		switch changed := e.changed; {
		case other == r:
			return e.previous(about), nil
		case !driven:
			return Release{}, fmt.Errorf("%w: run %q of pipeline %q is not over, and nobody carries it out here: Run it again to carry it on, or Act on it", ErrConflict, other.id, about.pipeline)
		default:
			e.mu.Unlock()
			e.clock.wait(ctx, forever, changed)
			e.mu.Lock()
			if err := ctx.Err(); err != nil {
				return Release{}, err
			}
		}
	}
}

// Runs yields the runs of pipelines that are not over, oldest first, as [Engine.Live] does
// rollouts: after a crash, those to be carried on.
func (e *Engine) Runs() iter.Seq[Report] {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Report
	for _, r := range e.runs {
		if c := r.course; c != nil && (c.phase == Forward || c.phase == Back) {
			all = append(all, r.report())
		}
	}
	slices.SortFunc(all, func(a, b Report) int { return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID)) })
	return slices.Values(all)
}

// report is what is known of a run, with what keeps it from going on. Called with mu held.
func (r *run) report() Report {
	report := r.course.report(r.id)
	if r.problem != nil {
		report.Problem = r.problem.Error()
	}
	return report
}

// releaseRun ends a claim.
func (e *Engine) releaseRun(r *run, pipeline string, asked RequestedRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r.active, r.problem = false, nil
	about := shipment{pipeline, asked.Service, asked.Environment}
	if e.sails[about] = slices.DeleteFunc(e.sails[about], func(one *run) bool { return one == r }); len(e.sails[about]) == 0 {
		delete(e.sails, about)
	}
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
