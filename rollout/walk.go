package rollout

import (
	"fmt"
	"iter"
)

// walked is a record, and its rollout with the record folded in.
type walked struct {
	Record
	run *run // nil for an act on a rollout that is over
}

// walk folds records, and yields each with its rollout. live has the rollouts that
// are not over meanwhile; nothing else is kept.
func walk(records iter.Seq2[Record, error], live map[string]*run) iter.Seq2[walked, error] {
	return func(yield func(walked, error) bool) {
		for record, err := range records {
			if err != nil {
				yield(walked{}, err)
				return
			}
			if record.Rollout == "" {
				continue
			}
			r := live[record.Rollout]
			if r == nil && record.Kind == KindActed {
				if !yield(walked{Record: record}, nil) {
					return
				}
				continue
			}
			if r == nil {
				r = newRun(record.Rollout)
			}
			if err := r.apply(record); err != nil {
				yield(walked{}, &Error{"read", r.id, fmt.Errorf("%w: record %d: %w", ErrCorrupt, record.Seq, err)})
				return
			}
			live[r.id] = r
			if r.machine.State().Phase == Done {
				delete(live, r.id)
			}
			if !yield(walked{record, r}, nil) {
				return
			}
		}
	}
}
