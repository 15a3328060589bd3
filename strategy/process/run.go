package process

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// superviseEvery is how often Run looks at the children.
const superviseEvery = 200 * time.Millisecond

// Start starts the children that should run and do not: all of them, the first time and
// when the machine has started again. It returns when they are ready; if they do not get
// there, it says why as [Fleet.Scale] does. It is not needed where Run is.
func (f *Fleet) Start(ctx context.Context) error {
	return f.whole(ctx, "start", func() error {
		if err := f.grow(ctx, f.state.Wanted); err != nil {
			return err
		}
		return f.depart(ctx, func(*child) bool { return true })
	})
}

// Stop sends all children away, as Scale does, and returns when they are gone. The fleet
// does not forget them: Start brings as many of each version back. While Run runs, it
// is [ErrRunning].
func (f *Fleet) Stop(ctx context.Context) error {
	return f.whole(ctx, "stop", func() error {
		if f.running.Load() {
			return ErrRunning
		}
		return f.shrink(ctx, nil)
	})
}

// whole is a call about all of the fleet.
func (f *Fleet) whole(ctx context.Context, op string, do func() error) error {
	done, err := f.take(ctx, op, "the fleet")
	if err != nil {
		return err
	}
	defer done()
	if err := do(); err != nil {
		return &Error{op, "the fleet", err}
	}
	return nil
}

// Run starts the children that should run and do not, and those that die again: at once
// at first, and ever later if they die soon, up to half a minute. It bounds what their
// output takes: while nobody runs it, a child may print as much as it likes. It returns
// nil when the context ends, and the children live on. A second Run at the same time is
// [ErrRunning].
func (f *Fleet) Run(ctx context.Context) error {
	if !f.running.CompareAndSwap(false, true) {
		return &Error{"run", "the fleet", ErrRunning}
	}
	defer f.running.Store(false)
	ctx, cancel := context.WithCancel(ctx)
	var replies <-chan []reply // nil if nobody is being asked
	defer func() {
		cancel()
		if replies != nil {
			<-replies
		}
	}()
	tick := time.NewTicker(superviseEvery)
	defer tick.Stop()
	var said []reply
	for due := true; ; {
		done, err := f.take(ctx, "run", "the fleet")
		switch {
		case err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		if err := f.supervise(ctx, said); err != nil && ctx.Err() == nil {
			slog.Default().Error("process: supervision", "error", err)
		}
		if due && replies == nil {
			replies = f.probe(ctx)
		}
		done()
		due, said = false, nil
		select {
		case said = <-replies:
			replies = nil
		case <-tick.C:
			due = true
		case <-ctx.Done():
			return nil
		}
	}
}

// supervise takes everything one step further, and waits for nothing.
func (f *Fleet) supervise(ctx context.Context, said []reply) error {
	news := f.hear(ctx, said)
	if err := f.sweep(); err != nil {
		return err
	}
	if news {
		if err := f.save(); err != nil {
			return err
		}
	}
	now := time.Now()
	for _, c := range f.children {
		switch {
		case c.dead:
		case c.Leaving:
			c.leave(now, f.options.Grace)
		case !c.Ready && now.Sub(c.since) > f.options.Within:
			f.report(c, fmt.Sprintf("not ready after %v: %s", f.options.Within, c.why))
			c.giveUp()
		}
	}
	for _, version := range slices.Sorted(maps.Keys(f.state.Wanted)) {
		missing := f.state.Wanted[version] - len(f.of(version, (*child).stays))
		if missing <= 0 || now.Before(f.retries[version].at) {
			continue
		}
		if err := f.start(version, missing); err != nil {
			f.retries[version] = f.retries[version].after(now, 0)
			return fmt.Errorf("%s cannot be started: %w", version, err)
		}
	}
	if f.unsaved {
		_ = f.save() // whoever it was for has been told
	}
	return nil
}

// retry is when a version's children may be started again.
type retry struct {
	at    time.Time
	delay time.Duration
}

const (
	settled    = time.Minute // a child that has lived so long was all right
	firstDelay = 250 * time.Millisecond
	lastDelay  = 30 * time.Second
)

// after is when the next may be started after one that lived for so long.
func (r retry) after(now time.Time, lived time.Duration) retry {
	switch {
	case now.Before(r.at): // one more that died with it
		return r
	case lived >= settled:
		return retry{}
	}
	return retry{now.Add(r.delay), min(cmp.Or(2*r.delay, firstDelay), lastDelay)}
}
