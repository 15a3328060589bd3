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

// Observation is where a target stands.
type Observation struct {
	// Share of the traffic that the new version has.
	Share Share
	// Mirror is the share of the requests that the new version gets copies of.
	Mirror Share
	// Old and New are how many instances of each version are ready. Targets without
	// instances leave them 0.
	Old, New int
	// Why it is so, for people, if somebody else made it so. A rollout that finds
	// this on its way forward goes back.
	Why string
}

// Preparer is a target that has to know which versions a plan is about. Prepare is
// called with [Plan.Old] and [Plan.New] before anything else is: when a rollout
// begins, when another process goes on with it, and when it is taken back later. It
// says no if it does not have one of them, or serves a third one.
type Preparer interface {
	// Prepare takes old and new as the versions that all later calls are about.
	// Nothing moves, nor does it half way through the plan.
	Prepare(ctx context.Context, old, new string) error
}

// Scaler is a target that runs instances. Plans with a [Scale] need it.
type Scaler interface {
	// Scale makes so many instances run of each version. It returns when those that
	// are wanted are ready, and those that are not have answered what they had begun,
	// and have gone.
	Scale(ctx context.Context, old, new int) error
}

// Mirrorer is a target that can copy requests. Plans with a [Mirror] need it.
type Mirrorer interface {
	// Mirror sends the new version copies of this share of the requests.
	Mirror(ctx context.Context, to Share) error
}

// Shifter is a target that can move traffic. Plans with a [Shift] need it.
type Shifter interface {
	// Shift gives the new version this share of the traffic.
	Shift(ctx context.Context, to Share) error
}

// Promoter is a target that remembers which version to serve when it starts again.
type Promoter interface {
	// Promote remembers this version. It says no to one that it does not have.
	Promote(ctx context.Context, version string) error
}

// Server is a target that knows which version it serves while no rollout is under way:
// the old one of the next plan, where neither the plan nor the journal says it.
type Server interface {
	// Serving is that version, or nothing if it is not known.
	Serving() string
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
	at := p.Start()
	for i, step := range p.Steps {
		switch step.(type) {
		case Verify, Scale, Mirror, Shift, Hold, NoReturn, Promote:
		default:
			add(i, "is a %T, want a Verify, Scale, Mirror, Shift, Hold, NoReturn or Promote", step)
			continue
		}
		if method, ok := step.needs(target); !ok {
			add(i, "(%v) needs a target with the method %s, which %T lacks", step, method, target)
		}
		if text := step.problem(); text != "" {
			add(i, "(%v): %s", step, text)
		}
		from := at
		switch step := step.(type) {
		case Scale:
			from.Old, from.New = step.Old.From, step.New.From
		case Mirror:
			from.Mirror = step.From
		case Shift:
			from.Share = step.From
		}
		if from != at {
			add(i, "(%v): does not begin where the steps before it lead to: %v to the new version, %v mirrored, %d old and %d new instances", step, at.Share, at.Mirror, at.Old, at.New)
		}
		step.move(&at)
	}
	return errors.Join(problems...)
}
