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
// are not over meanwhile; nothing else is kept. Of what a checkpoint that comes first
// says, it yields the end of what is over, and the records of what is not. Runs of
// pipelines are left out: what they deploy are rollouts of their own.
func walk(records iter.Seq2[Record, error], live map[string]*run) iter.Seq2[walked, error] {
	return func(yield func(walked, error) bool) {
		first := true
		for record, err := range records {
			if err != nil {
				yield(walked{}, err)
				return
			}
			all := []Record{record}
			if record.Kind == KindCheckpoint {
				if all = nil; first {
					all = record.Checkpoint.Live
					for _, e := range record.Checkpoint.Ended {
						if e.Run == nil && !yield(walked{Record{Kind: KindFinished, Rollout: e.ID, At: e.At}, e.run()}, nil) {
							return
						}
					}
				}
			}
			first = false
			for _, record := range all {
				if record.Pipeline != "" {
					continue
				}
				if w, err := step(record, live); !yield(w, err) || err != nil {
					return
				}
			}
		}
	}
}

// step folds one record into its rollout.
func step(record Record, live map[string]*run) (walked, error) {
	r := live[record.Rollout]
	if r == nil && record.Kind == KindActed {
		return walked{Record: record}, nil
	}
	if r == nil {
		r = newRun(record.Rollout)
	}
	if err := r.apply(record); err != nil {
		return walked{}, &Error{"read", r.id, fmt.Errorf("%w: record %d: %w", ErrCorrupt, record.Seq, err)}
	}
	live[r.id] = r
	if r.machine.State().Phase == Done {
		delete(live, r.id)
	}
	return walked{record, r}, nil
}
