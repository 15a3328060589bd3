package strategy

import (
	"context"
	"errors"
	"fmt"
)

// Target is what a plan moves: a flag, a traffic splitter, a fleet. Every method
// of it and of the optional interfaces may be called again after a crash with
// the same arguments, and must then do nothing twice. They are called one at a
// time, must return soon after the context ends, and must not keep what they are
// given.
type Target interface {
	// Observe reads back what is so now. It is how a step is known to be done, and
	// how a resumed rollout looks before it acts again.
	Observe(ctx context.Context) (Observation, error)
}

// Observation is what a target reads back.
type Observation struct {
	// Share of the traffic that the new version has.
	Share Share
	// Why it is so, for people, if somebody else made it so. A rollout that finds
	// this on its way forward goes back.
	Why string
}

// Shifter is a target that can move traffic. Plans with a [Shift] need it.
type Shifter interface {
	// Shift gives the new version this share of the traffic.
	Shift(ctx context.Context, to Share) error
}

// Check says everything that the plan needs and the target cannot do.
func (p Plan) Check(target Target) error {
	if target == nil {
		return errors.New("strategy: no target")
	}
	var missing []error
	for i, step := range p.Steps {
		if _, needed := step.(Shift); needed {
			if _, ok := target.(Shifter); !ok {
				missing = append(missing, fmt.Errorf("strategy: step %d (%v) needs a target with the method Shift, which %T lacks", i+1, step, target))
			}
		}
	}
	return errors.Join(missing...)
}
