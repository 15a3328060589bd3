package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// pollEvery is how often a call that waits for processes looks at them.
const pollEvery = 10 * time.Millisecond

// buryTimeout is for how long a call waits for what it has killed.
const buryTimeout = 5 * time.Second

// sweep finds out which children are dead, ends what they have started, and forgets them
// when all of it is gone. It bounds what the others print: whoever waits comes here often.
func (f *Fleet) sweep() error {
	f.trim()
	var left []*child
	var all []error
	changed := false
	for _, c := range f.children {
		before := c.dead
		buried, err := f.bury(c)
		if !buried {
			left = append(left, c)
		}
		all = append(all, err)
		changed = changed || buried || c.dead != before
	}
	if changed {
		f.children = left
		all = append(all, f.save())
	}
	return errors.Join(all...)
}

// bury says whether a child is gone, with all that it has started.
func (f *Fleet) bury(c *child) (bool, error) {
	if !c.dead {
		l, err := c.life()
		if err != nil || l == alive {
			return false, err
		}
		status := "its exit status is not known"
		if l == ended { // as long as nobody has asked how, its number is nobody else's
			kill(c.PID)
			status = reap(c.PID)
		}
		c.dead = true
		c.away.Store(true)
		c.release()
		c.transport.CloseIdleConnections()
		if !c.Leaving {
			f.report(c, status)
		}
	}
	// They have no environment any more while they end.
	heirs, err := marked(c.mark())
	c.inherit(heirs)
	left := err != nil
	for _, p := range c.heirs {
		l, err := p.life()
		if err == nil && l == alive {
			end(p)
		}
		left = left || err != nil || l == alive
	}
	if left {
		return false, err
	}
	for _, p := range c.heirs { // now they are nobody else's: ours, if we are process 1, or init's
		if l, err := p.life(); err == nil && l == ended {
			reap(p.pid)
		}
	}
	_ = os.Remove(c.output)
	return true, nil
}

// report remembers to tell of a child that failed, and when the next may be started.
func (f *Fleet) report(c *child, status string) {
	f.exits = append(f.exits, Exit{c.seen(), status, tail(c.output)})
	f.retries[c.Version] = f.retries[c.Version].after(time.Now(), time.Since(c.since))
}

// grow starts what is missing of the versions, and returns when as many as are wanted are
// ready. If they do not get there, those that are not are killed.
func (f *Fleet) grow(ctx context.Context, want map[string]int) error {
	if err := f.sweep(); err != nil {
		return err
	}
	for _, version := range slices.Sorted(maps.Keys(want)) {
		missing := want[version] - len(f.of(version, (*child).stays))
		if missing <= 0 {
			continue
		}
		if err := f.start(version, missing); err != nil {
			return errors.Join(fmt.Errorf("%s cannot be started: %w", version, err), f.abandon(want))
		}
	}
	if err := f.await(ctx, want); err != nil {
		return errors.Join(err, f.abandon(want))
	}
	return nil
}

// await returns when enough children are ready.
func (f *Fleet) await(ctx context.Context, want map[string]int) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	told := len(f.exits)
	asking, cancel := context.WithCancel(ctx)
	var replies <-chan []reply // nil if nobody is being asked
	defer func() {
		cancel()
		if replies != nil {
			<-replies
		}
	}()
	for due := true; ; {
		if err := f.sweep(); err != nil {
			return err
		}
		done := true
		for _, version := range slices.Sorted(maps.Keys(want)) {
			if len(f.of(version, (*child).stays)) < want[version] {
				return f.died(version, told)
			}
			done = done && len(f.of(version, (*child).serves)) >= want[version]
		}
		if done {
			return nil
		}
		if due && replies == nil {
			if err := ctx.Err(); err != nil {
				return f.late(err, want)
			}
			replies = f.probe(asking)
		}
		due = false
		select {
		case said := <-replies:
			replies = nil
			if f.hear(ctx, said) {
				if err := f.save(); err != nil {
					return err
				}
			}
		case <-tick.C:
			due = true
		}
	}
}

// died is why there are too few children of a version.
func (f *Fleet) died(version string, since int) error {
	for _, e := range f.exits[since:] {
		if e.Child.Version == version {
			return &e
		}
	}
	return fmt.Errorf("a child of %s is gone", version)
}

// late is why there are too few children that are ready.
func (f *Fleet) late(why error, want map[string]int) error {
	var all []error
	for _, c := range f.children {
		if _, wanted := want[c.Version]; wanted && c.stays() && !c.serves() {
			all = append(all, fmt.Errorf("child %d of %s is not ready: %w: %s; %s", c.PID, c.Version, why, c.why, lastWords(tail(c.output))))
		}
	}
	return errors.Join(all...)
}

// abandon kills the children that are not ready, and what they have started.
func (f *Fleet) abandon(want map[string]int) error {
	for _, c := range f.children {
		if _, wanted := want[c.Version]; wanted && c.stays() && !c.Ready {
			c.giveUp()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), buryTimeout)
	defer cancel()
	return errors.Join(f.save(), f.depart(ctx, func(c *child) bool { return c.stage == killed }))
}

// shrink sends away all but so many children of each version, the newest first, and
// those of other versions. It returns when they are gone.
func (f *Fleet) shrink(ctx context.Context, want map[string]int) error {
	until := time.Now().Add(f.options.Grace)
	if err := f.settle(ctx, until, want); err != nil {
		return err
	}
	stay := map[string]int{}
	for _, ready := range []bool{true, false} {
		for _, c := range f.children {
			if !c.stays() || c.Ready != ready {
				continue
			}
			stay[c.Version]++
			if stay[c.Version] > want[c.Version] {
				c.away.Store(true)
				c.Leaving, c.stage, c.until = true, draining, until
			}
		}
	}
	return errors.Join(f.save(), f.depart(ctx, func(*child) bool { return true }))
}

// settle waits for requests that are on their way to versions of which no child is to
// stay. They get no more of them, but one may have been sent there before it was so, and
// has not reached a child yet.
func (f *Fleet) settle(ctx context.Context, until time.Time, want map[string]int) error {
	short, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for _, version := range slices.Sorted(maps.Keys(f.pools)) {
		if want[version] > 0 || f.state.share(version) > 0 || len(f.of(version, (*child).serves)) == 0 {
			continue
		}
		if err := f.drain(short, version); ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// drain waits until no request is on its way to a version.
func (f *Fleet) drain(ctx context.Context, version string) error {
	for {
		short, cancel := context.WithTimeout(ctx, superviseEvery)
		err := f.front.Drain(short, version)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		f.trim()
	}
}

// depart takes the children that leave through all stages, and returns when those that
// it is about are gone.
func (f *Fleet) depart(ctx context.Context, about func(*child) bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := f.sweep(); err != nil {
			return err
		}
		var left []string
		for _, c := range f.children {
			if (c.Leaving || c.dead) && about(c) {
				left = append(left, fmt.Sprintf("child %d of %s", c.PID, c.Version))
			}
			if c.Leaving && !c.dead {
				c.leave(time.Now(), f.options.Grace)
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: not gone yet: %w", strings.Join(left, ", "), ctx.Err())
		}
	}
}
