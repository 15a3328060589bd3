package rollout

import (
	"fmt"
	"iter"
	"slices"
	"time"
)

// Filter is what to look for in a journal: records that agree with every field that
// is not zero.
type Filter struct {
	// Rollout is an ID.
	Rollout string
	// Service, Environment and Flag are those of the rollout's request. A record tells
	// only the rollout, so they are known for rollouts whose request, or a checkpoint
	// that has it, is among the records before.
	Service, Environment, Flag string
	// Actor is who.
	Actor string
	// Kinds are what.
	Kinds []Kind
	// From and To bound the time: From included, To not.
	From time.Time
	To   time.Time // see From
}

// Of yields those of the records that the filter lets through, and errors. It needs
// memory for the rollouts that are not over, and for the last that succeeded of each
// service, environment and flag, about which people may still say something.
func (f Filter) Of(records iter.Seq2[Record, error]) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		known := subjects{of: map[string]subject{}, last: map[subject]string{}}
		for r, err := range records {
			if err == nil {
				known.learn(r)
				matches := f.matches(r, known.of[r.Rollout])
				known.forget(r)
				if !matches {
					continue
				}
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func (f Filter) matches(r Record, s subject) bool {
	fits := func(want, got string) bool { return want == "" || want == got }
	return fits(f.Rollout, r.Rollout) && fits(f.Service, s.service) && fits(f.Environment, s.environment) && fits(f.Flag, s.flag) &&
		fits(f.Actor, r.Actor) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, r.Kind)) &&
		(f.From.IsZero() || !r.At.Before(f.From)) && (f.To.IsZero() || r.At.Before(f.To))
}

// subject is what a rollout is about.
type subject struct{ service, environment, flag, pipeline string }

// subjects are what rollouts are about that somebody may still say something of.
type subjects struct {
	of   map[string]subject // by rollout
	last map[subject]string // the rollout that succeeded last
}

func (s subjects) learn(r Record) {
	if q := r.Request; q != nil {
		s.of[r.Rollout] = subject{q.Service, q.Environment, q.Flag, ""}
	}
	if q := r.Run; q != nil {
		s.of[r.Rollout] = subject{q.Service, q.Environment, "", r.Pipeline}
	}
	if r.Checkpoint == nil {
		return
	}
	for _, live := range r.Checkpoint.Live {
		s.learn(live)
	}
	for _, e := range r.Checkpoint.Ended {
		if e.Request != nil {
			s.learn(Record{Rollout: e.ID, Request: e.Request})
			s.succeeded(e.ID)
		}
	}
}

// forget forgets a rollout that is over with this record.
func (s subjects) forget(r Record) {
	if r.Kind != KindFinished {
		return
	}
	if r.To == Succeeded.String() {
		s.succeeded(r.Rollout)
	} else {
		delete(s.of, r.Rollout)
	}
}

// succeeded forgets the one that succeeded before.
func (s subjects) succeeded(id string) {
	about := s.of[id]
	if before, ok := s.last[about]; ok && before != id {
		delete(s.of, before)
	}
	s.last[about] = id
}

// Verify seals each record again and compares: its checksum, its number, its place
// in the chain and its writer's. The error is the first that is wrong, as
// [ErrCorrupt] with the record's number. The records begin with the first of a
// journal, or with a checkpoint; what a [Filter] lets through has gaps.
func Verify(records iter.Seq2[Record, error]) error {
	var c chain
	for r, err := range records {
		if err != nil {
			return err
		}
		if _, err := line(r); err != nil {
			return &Error{"verify", "journal", err}
		}
		if err := c.follow(r); err != nil {
			return &Error{"verify", "journal", fmt.Errorf("%w: %w", ErrCorrupt, err)}
		}
	}
	return nil
}
