package rollout

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/strategy"
)

// sameArtifact says no if what would be rolled out is not, or no longer, what the
// release's digest says. A release without a digest gets it here.
func (d *driver) sameArtifact(ctx context.Context) error {
	if d.request.Artifact == nil {
		return nil
	}
	found := ""
	ctx, cancel := d.engine.clock.within(ctx, d.timeout(), nil)
	defer cancel()
	err := ask(ctx, func(ctx context.Context) (err error) {
		if found, err = d.request.Artifact(ctx); err == nil && found == "" {
			err = errors.New("found no digest, want one")
		}
		return err
	})
	release := &d.request.Release
	switch {
	case err != nil:
		return fmt.Errorf("artifact: %w", err)
	case release.Digest == "":
		release.Digest = found
	case found != release.Digest:
		return fmt.Errorf("%w: found %s, want %s", ErrArtifact, found, release.Digest)
	}
	return nil
}

// intact verifies the artifact before a step that starts instances from it, or makes it
// the one to come back to. The way back needs nothing of it.
func (d *driver) intact(ctx context.Context, m Machine, step strategy.Step) error {
	scale, starts := step.(strategy.Scale)
	starts = starts && scale.New.To > scale.New.From
	if _, promotes := step.(strategy.Promote); !starts && !promotes || m.State().Phase == Back {
		return nil
	}
	err := d.sameArtifact(ctx)
	switch {
	case !doubtful(err):
		return err
	case d.request.Doubt == ThenGoOn:
		return nil
	}
	return fmt.Errorf("%w: %w", ErrInconclusive, err)
}
