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

// Keeper is a target that knows whether an earlier version could still be brought
// back.
type Keeper interface {
	// Keeps returns nil if the version's artifact is still there, and otherwise why
	// there is no way back to it.
	Keeps(ctx context.Context, version string) error
}

// Check says everything that is wrong with the plan's steps, and everything that
// they need and the target cannot do.
func (p Plan) Check(target Target) error {
	if target == nil {
		return errors.New("strategy: no target")
	}
	var problems []error
	add := func(i int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("strategy: step %d "+format, append([]any{i + 1}, args...)...))
	}
	for i, step := range p.Steps {
		switch step := step.(type) {
		case Verify, Hold, NoReturn, Promote:
		case Shift:
			if _, ok := target.(Shifter); !ok {
				add(i, "(%v) needs a target with the method Shift, which %T lacks", step, target)
			}
		default:
			add(i, "is a %T, want a Verify, Shift, Hold, NoReturn or Promote", step)
			continue
		}
		if text := step.problem(); text != "" {
			add(i, "(%v): %s", step, text)
		}
	}
	return errors.Join(problems...)
}
