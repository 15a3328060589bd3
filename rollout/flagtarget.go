package rollout

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/strategy"
)

// FlagTarget is a boolean flag as the target of a plan: a share of the traffic is
// a ramp that lies over the flag's document. It is a [strategy.Target] and a
// [strategy.Shifter].
type FlagTarget struct {
	flags *flag.Store
	key   string
	salt  string
}

// NewFlagTarget returns the flag as a target. The salt decides who is in the ramp;
// empty keeps the flag's own.
func NewFlagTarget(flags *flag.Store, flag flag.Switch, salt string) *FlagTarget {
	return &FlagTarget{flags: flags, key: flag.Key(), salt: salt}
}

// Shift sets the ramp.
func (t *FlagTarget) Shift(_ context.Context, to strategy.Share) error {
	return t.set(to, fmt.Sprintf("rollout: shift to %v", to))
}

func (t *FlagTarget) set(share strategy.Share, reason string) error {
	s, err := t.flags.Status(t.key)
	if err != nil {
		return err
	}
	err = t.flags.SetRamp(t.key, flag.Ramp{Share: flag.Share(share), Salt: t.salt, Serve: s.True}, flag.Change{Actor: flagActor, Reason: reason})
	if errors.Is(err, flag.ErrNotKept) {
		return nil // it serves, and the journal knows it; the store says what is wrong
	}
	return err
}

// Observe reads the ramp that serves now; a flag that is killed or disabled serves
// nobody.
func (t *FlagTarget) Observe(context.Context) (strategy.Observation, error) {
	s, err := t.flags.Status(t.key)
	seen := strategy.Observation{Share: strategy.Share(s.Ramp.Share)}
	switch {
	case s.Killed: // which wins, and so stands first
		seen = strategy.Observation{Why: fmt.Sprintf("killed by %s: %s", s.Laid[0].Change.Actor, s.Laid[0].Change.Reason)}
	case s.Disabled:
		seen = strategy.Observation{Why: "disabled"}
	case s.Overlaid && (s.OverlaidBy.Actor != flagActor || t.salt != "" && s.Ramp.Salt != t.salt):
		seen.Why = fmt.Sprintf("changed by %s: %s", s.OverlaidBy.Actor, s.OverlaidBy.Reason)
	}
	return seen, err
}

// flagActor is who changes a flag's ramp for a rollout.
const flagActor = "guidon"
