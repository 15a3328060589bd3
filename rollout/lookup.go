package rollout

import (
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"slices"

	"github.com/guidon-go/guidon/health"
)

// lookUp returns what is known of a rollout, from the journal if it is over for
// long, or nil. What it returns from there is a copy.
func (e *Engine) lookUp(id string) (*run, error) {
	e.mu.Lock()
	r := e.runs[id]
	_, over := e.ended[maphash.String(e.seed, id)]
	e.mu.Unlock()
	if r != nil || !over {
		return r, nil
	}
	for record, err := range e.journal.Records() {
		if err != nil {
			return nil, &Error{"look up", id, err}
		}
		if record.Kind == KindCheckpoint && r == nil {
			for _, ended := range record.Checkpoint.Ended {
				if ended.ID == id {
					r = ended.run()
				}
			}
		}
		for record := range record.of(id, r == nil) {
			if r == nil {
				r = newRun(id)
			}
			if err := r.apply(record); err != nil {
				return nil, &Error{"look up", id, fmt.Errorf("%w: record %d: %w", ErrCorrupt, record.Seq, err)}
			}
		}
	}
	return r, nil
}

// of yields the record if it is of a rollout, and what a checkpoint that comes first
// has of that.
func (r Record) of(id string, first bool) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		if r.Rollout == id {
			yield(r)
		} else if first && r.Checkpoint != nil {
			for _, r := range r.Checkpoint.Live {
				if r.Rollout == id && !yield(r) {
					return
				}
			}
		}
	}
}

// Cohorts returns cohorts for one watch of a rollout, as the journal left them:
// empty for a new rollout, and after a crash with every failed unit that a judge
// has counted, so that none is counted twice. Take them before the host listens.
func (e *Engine) Cohorts(id, watch string, options health.CohortsOptions) (*health.Cohorts, error) {
	cohorts := health.NewCohorts(options)
	first := true
	for record, err := range recent(e.journal) {
		if err != nil {
			return nil, &Error{"resume", id, err}
		}
		for r := range record.of(id, first) {
			if r.Look != nil && r.Look.Watch == watch {
				err = errors.Join(err, cohorts.Restore(r.Look.Checkpoint))
			}
		}
		if err != nil {
			return nil, &Error{"resume", id, err}
		}
		first = false
	}
	return cohorts, nil
}

// Good returns the release to come back to: the last one that succeeded in a service
// and environment and was not taken back, as the journal has it. Empty names mean what
// Options say. Flags have no releases. So a rollout in one environment can ask for the
// digest that is good in another.
func (e *Engine) Good(service, environment string) (Release, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.lanes[lane{service: cmp.Or(service, e.options.Service), environment: cmp.Or(environment, e.options.Environment)}]
	if l == nil || len(l.good) == 0 {
		return Release{}, false
	}
	return l.good[len(l.good)-1].release, true
}

func (e *Engine) judgeState(id, watch string) health.State {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[id]; r != nil {
		return slices.Clone(r.states[watch])
	}
	return nil
}
