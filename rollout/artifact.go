package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

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

// pins are the digests that a run's rollouts have found.
type pins struct {
	mu sync.Mutex     // guards of; held while the journal is read: whoever asks needs that
	of map[pin]string // nil before the journal was read
}

// pin is a release without its digest, of a service.
type pin struct{ service, name, version string }

func pinOf(service string, r Release) pin { return pin{service, r.Name, r.Version} }

// pinned is the artifact of a stage, which has to be that of the run's other rollouts of
// the same release and service, unless the stage itself says which it is.
func (c *conductor) pinned(r Request) func(context.Context) (string, error) {
	if r.Artifact == nil {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		found, err := r.Artifact(ctx)
		if err != nil || found == "" {
			return found, err
		}
		want, err := c.pin(pinOf(r.Service, r.Release), cmp.Or(r.Release.Digest, found))
		if err == nil && r.Release.Digest == "" && found != want {
			err = fmt.Errorf("%w: found %s, want %s, as elsewhere in this run", ErrArtifact, found, want)
		}
		return found, err
	}
}

// pin returns the first digest that the run has found of a release, or else this one.
func (c *conductor) pin(of pin, digest string) (string, error) {
	p := &c.pins
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		all, err := c.engine.pins(c.run.id)
		if err != nil {
			return "", err
		}
		p.of = all
	}
	if p.of[of] == "" {
		p.of[of] = digest
	}
	return p.of[of], nil
}

// pins are those that the journal has of a run: a process before this one may have found
// them.
func (e *Engine) pins(run string) (map[pin]string, error) {
	all := map[pin]string{}
	add := func(id string, q *Requested) {
		stage, of := strings.CutPrefix(id, run+"/")
		if q == nil || !of || strings.Contains(stage, "/") || q.Release.Digest == "" {
			return
		}
		if at := pinOf(q.Service, q.Release); all[at] == "" {
			all[at] = q.Release.Digest
		}
	}
	for record, err := range recent(e.journal) {
		if err != nil {
			return nil, err
		}
		add(record.Rollout, record.Request)
		if cp := record.Checkpoint; cp != nil {
			for _, ended := range cp.Ended {
				add(ended.ID, ended.Request)
			}
			for _, r := range cp.Live {
				add(r.Rollout, r.Request)
			}
		}
	}
	return all, nil
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
