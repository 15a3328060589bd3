package rollout

import (
	"cmp"
	"context"
	"fmt"

	"github.com/guidon-go/guidon/strategy"
)

// begin writes the request down, if there is a way back from it.
func (d *driver) begin(ctx context.Context, asked Requested) error {
	d.engine.mu.Lock()
	if all := d.engine.track(asked.lane()).good; len(all) > 0 {
		asked.Previous = all[len(all)-1].release
	}
	d.engine.mu.Unlock()
	if brings, version := asked.Plan.New, asked.Release.Version; brings != "" && version != "" && brings != version {
		return fmt.Errorf("%w: plan: brings version %q, and the release is %q", ErrInvalid, brings, version)
	}
	if err := d.named(ctx, &asked.Plan, asked.Previous); err != nil {
		return err
	}
	if old := asked.Plan.Old; asked.Previous == (Release{}) && old != "" { // the first of this journal replaces something, too
		asked.Previous = Release{Name: asked.Release.Name, Version: old}
	}
	if asked.Drill {
		if err := asked.wayBack(); err != nil {
			return err
		}
		if back := BackID(d.run.id); d.engine.known(back) {
			return refused("the journal has the ID %q for another rollout", back)
		}
	}
	if err := d.sameArtifact(ctx); err != nil { // it may have waited for long
		return err
	}
	if err := d.prepare(ctx, asked.Plan); err != nil {
		return err
	}
	if err := d.preflight(ctx, asked.Previous); err != nil {
		return err
	}
	if err := d.atStart(ctx, asked); err != nil {
		return err
	}
	reason := asked.Plan.Strategy + " of " + asked.what()
	if asked.Drill {
		reason = "drill: " + reason
	}
	if d.request.Reason != "" {
		reason += ": " + d.request.Reason
	}
	return d.engine.record(ctx, d.run, Record{Kind: KindRequested, Parent: d.request.parent, Actor: cmp.Or(d.request.Actor, "host"), Request: &asked, Reason: reason})
}

// named gives the plan its versions, for a target that has to know them.
func (d *driver) named(ctx context.Context, p *strategy.Plan, previous Release) error {
	_, prepares := d.request.Target.(strategy.Preparer)
	if _, promotes := d.request.Target.(strategy.Promoter); prepares || promotes {
		p.Old, p.New = cmp.Or(p.Old, previous.Version), cmp.Or(p.New, d.request.Release.Version)
	}
	if server, ok := d.request.Target.(strategy.Server); ok && p.Old == "" {
		if err := ask(ctx, func(context.Context) error { p.Old = server.Serving(); return nil }); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	return nil
}

// prepare tells the target which versions the plan is about: once in each process, and
// before anything else is asked of it.
func (d *driver) prepare(ctx context.Context, p strategy.Plan) error {
	if preparer, ok := d.request.Target.(strategy.Preparer); ok {
		ctx, cancel := d.engine.clock.within(ctx, d.timeout(), nil)
		defer cancel()
		if err := ask(ctx, func(ctx context.Context) error { return preparer.Prepare(ctx, p.Old, p.New) }); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	d.prepared = true
	return nil
}

// atStart says where the target stands, if that is not where the plan begins. One that
// does not know versions cannot tell: to it, what was new last time still is.
func (d *driver) atStart(ctx context.Context, asked Requested) error {
	if _, ok := d.request.Target.(strategy.Preparer); !ok {
		return nil
	}
	ctx, cancel := d.engine.clock.within(ctx, d.timeout(), nil)
	defer cancel()
	return ask(ctx, func(ctx context.Context) error {
		seen, err := d.observe(ctx)
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		want := asked.Plan.Start()
		if _, scales := d.request.Target.(strategy.Scaler); !scales {
			want.Old, want.New = seen.Old, seen.New
		}
		if seen.Old < want.Old {
			seen.Old = want.Old // of those that are ill, some may not be ready: the more reason to begin
		}
		if want.Why = seen.Why; seen != want {
			return fmt.Errorf("%w: target: found %v, want %v, where the plan begins", ErrInvalid, place(seen), place(want))
		}
		return nil
	})
}

// preflight says why there is no way back to a release, before anything moves.
func (d *driver) preflight(ctx context.Context, previous Release) error {
	keeper, ok := d.request.Target.(strategy.Keeper)
	if !ok || previous == (Release{}) {
		return nil
	}
	ctx, cancel := d.engine.clock.within(ctx, d.timeout(), nil)
	defer cancel()
	if err := ask(ctx, func(ctx context.Context) error { return keeper.Keeps(ctx, previous.Version) }); err != nil {
		return fmt.Errorf("%w to %v: %w", ErrNoWayBack, previous, err)
	}
	return nil
}
