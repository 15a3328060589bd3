package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/guidon-go/guidon/strategy"
	"github.com/guidon-go/guidon/strategy/split"
)

var errUnprepared = errors.New("nobody has said which versions: call Prepare first")

// Prepare says which versions a plan is about. Both must have a program, or children
// that are ready, and all requests have to go to one of them.
func (f *Fleet) Prepare(ctx context.Context, old, new string) error {
	done, err := f.take(ctx, "prepare", new)
	if err != nil {
		return err
	}
	defer done()
	if err := errors.Join(f.has(old), f.has(new)); err != nil {
		return &Error{"prepare", new, err}
	}
	if err := f.prepare(ctx, old, new); err != nil {
		return &Error{"prepare", new, err}
	}
	return nil
}

// has says why a version could not serve.
func (f *Fleet) has(version string) error {
	if version == "" {
		return errors.New("found no version, want a name")
	}
	if err := f.keeps(version); err != nil && len(f.of(version, (*child).serves)) == 0 {
		return fmt.Errorf("%s: %w", version, err)
	}
	return nil
}

func (f *Fleet) prepare(ctx context.Context, old, new string) error {
	was := f.state
	for _, version := range []string{was.Old, was.New} {
		if was.share(version) > 0 && version != old && version != new {
			return fmt.Errorf("%w: %s has %v of them, want it as the old or the new version", ErrServing, version, was.share(version))
		}
	}
	for _, version := range []string{old, new} {
		if f.pools[version] != nil {
			continue
		}
		if err := f.front.Add(split.Backend{Name: version, Handler: f.handler(version)}); err != nil {
			return err
		}
	}
	f.publish()
	if err := f.front.Prepare(ctx, old, new); err != nil {
		return errors.Join(err, f.tidy(ctx))
	}
	seen, err := f.front.Observe(ctx)
	if err == nil {
		f.state.Old, f.state.New, f.state.Share, f.state.Mirror = old, new, seen.Share, seen.Mirror
		err = f.save()
	}
	if err != nil {
		f.state = was
		if was.New != "" {
			err = errors.Join(err, f.front.Prepare(context.WithoutCancel(ctx), was.Old, was.New))
		}
	}
	return err
}

// tidy forgets versions that nothing is about any more.
func (f *Fleet) tidy(ctx context.Context) error {
	for _, version := range slices.Sorted(maps.Keys(f.pools)) {
		if version == f.state.Old || version == f.state.New || len(f.of(version, (*child).stays)) > 0 {
			continue
		}
		if err := f.front.Remove(ctx, version); err != nil {
			return err
		}
		delete(f.pools, version)
	}
	return nil
}

// Scale first starts what is missing of either version, and waits until it is ready.
// Then it sends away what is too much, and children of any other version: they get no
// more requests, have the time of [Options].Grace to answer those that they have, and as
// much to end after SIGTERM; then they are killed, with all that they have started.
//
// If a child dies, or the context ends before it is ready, all that are not ready are
// killed, and none is sent away. The error has the last lines of the output.
func (f *Fleet) Scale(ctx context.Context, old, new int) error {
	done, err := f.take(ctx, "scale", "the fleet")
	if err != nil {
		return err
	}
	defer done()
	key := f.state.New
	switch {
	case f.state.New == "":
		return &Error{"scale", "the fleet", errUnprepared}
	case old < 0 || new < 0:
		return &Error{"scale", key, fmt.Errorf("found %d and %d, want no negative number", old, new)}
	}
	was := f.state.Wanted
	want := map[string]int{f.state.Old: old, f.state.New: new}
	f.state.Wanted = want
	if err := f.grow(ctx, want); err != nil {
		f.state.Wanted = map[string]int{}
		for version, n := range want {
			f.state.Wanted[version] = min(n, max(was[version], len(f.of(version, (*child).stays))))
		}
		return &Error{"scale", key, errors.Join(err, f.save())}
	}
	if err := errors.Join(f.shrink(ctx, want), f.tidy(ctx)); err != nil {
		return &Error{"scale", key, err}
	}
	return nil
}

// Shift gives the new version this share of the requests. It is [ErrServing] if the
// version that would get more of them has no child that is ready, except for an old
// version that was scaled to none.
//
// Requests are taken from the new version even if that cannot be written to the state
// file, as on a full disk. The error says so; the next call writes it, or [Fleet.Run]. A
// tool that starts again before finds the share that the file has.
func (f *Fleet) Shift(ctx context.Context, to strategy.Share) error {
	return f.move(ctx, "shift", to, func(s *state) { s.Share = to }, f.front.Shift)
}

// Mirror sends the new version copies of this share of the requests. It is taken back as
// with Shift.
func (f *Fleet) Mirror(ctx context.Context, to strategy.Share) error {
	return f.move(ctx, "mirror", to, func(s *state) { s.Mirror = to }, f.front.Mirror)
}

// move writes down what it is going to do, and does it; what takes from the new version
// is done first.
func (f *Fleet) move(ctx context.Context, op string, to strategy.Share, set func(*state), do func(context.Context, strategy.Share) error) error {
	done, err := f.take(ctx, op, "the fleet")
	if err != nil {
		return err
	}
	defer done()
	key, was, next := f.state.New, f.state, f.state
	set(&next)
	away := next.Share <= was.Share && next.Mirror <= was.Mirror
	switch {
	case f.state.New == "":
		return &Error{op, "the fleet", errUnprepared}
	case to < 0 || to > strategy.All:
		return &Error{op, key, fmt.Errorf("found %v, want from 0 to 100 %%", to)}
	}
	if err := f.sweep(); err != nil && !away {
		return &Error{op, key, err}
	}
	f.state = next
	if err := f.answers(was); err != nil {
		f.state = was
		return &Error{op, key, err}
	}
	if !away {
		err = f.save()
	}
	if err == nil {
		err = do(ctx, to)
	}
	if err != nil {
		f.state = was
	}
	if away || err != nil {
		err = errors.Join(err, f.save())
	}
	if err != nil {
		return &Error{op, key, err}
	}
	return nil
}

// answers says which version would get requests it did not get before, and could not
// answer them.
func (f *Fleet) answers(was state) error {
	for _, v := range []struct {
		version string
		more    bool
	}{
		// On the way back of a Recreate, nobody is served for a while.
		{f.state.Old, f.state.Share < was.Share && f.state.Wanted[f.state.Old] > 0},
		{f.state.New, f.state.Share > was.Share || f.state.Mirror > was.Mirror},
	} {
		if v.more && len(f.of(v.version, (*child).serves)) == 0 {
			return fmt.Errorf("%w: no child of %s is ready", ErrServing, v.version)
		}
	}
	return nil
}

// Promote remembers the version to come back to: see [Fleet.Serving].
func (f *Fleet) Promote(ctx context.Context, version string) error {
	done, err := f.take(ctx, "promote", version)
	if err != nil {
		return err
	}
	defer done()
	if version == "" || version != f.state.Old && version != f.state.New {
		return &Error{"promote", version, fmt.Errorf("want %q or %q, which are prepared", f.state.Old, f.state.New)}
	}
	was := f.state.Serving
	f.state.Serving = version
	if err := f.save(); err != nil {
		f.state.Serving = was
		return &Error{"promote", version, err}
	}
	return nil
}

// Keeps says why a version could not be started any more.
func (f *Fleet) Keeps(ctx context.Context, version string) error {
	done, err := f.take(ctx, "keeps", version)
	if err != nil {
		return err
	}
	defer done()
	if err := f.keeps(version); err != nil {
		return &Error{"keeps", version, err}
	}
	return nil
}

// Observe reads back who gets requests, and looks how many children of each version are
// ready: have become it, live, and were not sent away.
func (f *Fleet) Observe(ctx context.Context) (strategy.Observation, error) {
	done, err := f.take(ctx, "observe", "the fleet")
	if err != nil {
		return strategy.Observation{}, err
	}
	defer done()
	o, err := f.front.Observe(ctx)
	if err == nil {
		err = f.sweep()
	}
	if err != nil {
		return strategy.Observation{}, &Error{"observe", "the fleet", err}
	}
	o.Old, o.New = len(f.of(f.state.Old, (*child).serves)), len(f.of(f.state.New, (*child).serves))
	return o, nil
}
