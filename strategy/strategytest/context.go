package strategytest

import (
	"context"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

const (
	soon  = 10 * time.Second     // how late a call may return after its context is over
	while = 3 * time.Millisecond // after which a call is given up
)

// context gives up each call, before it begins and while it goes on.
func (k *kit) context() {
	n := k.start.Old
	var steps []strategy.Step
	if k.scaler != nil {
		steps = append(steps, strategy.Scale{New: strategy.Count{To: n}})
	}
	if k.mirrorer != nil {
		steps = append(steps, strategy.Mirror{To: 10 * strategy.Percent}, strategy.Mirror{From: 10 * strategy.Percent})
	}
	if k.shifter != nil {
		steps = append(steps, strategy.Shift{To: 30 * strategy.Percent}, strategy.Shift{From: 30 * strategy.Percent})
	}
	if k.scaler != nil {
		steps = append(steps, strategy.Scale{New: strategy.Count{From: n}})
	}
	for _, in := range []time.Duration{0, while} {
		for _, step := range steps {
			if !k.givesUp(step, in) {
				return
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, ok := k.within(ctx, "Observe", func() error { _, err := k.target.Observe(ctx); return err })
	if ok && k.preparer != nil {
		_, ok = k.within(ctx, "Prepare", func() error { return k.preparer.Prepare(ctx, Old, New) })
	}
	if ok {
		k.at(k.want, "after calls whose context was over")
	}
}

// givesUp takes a step with a context that ends after a while, and then again.
func (k *kit) givesUp(step strategy.Step, in time.Duration) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if in == 0 {
		cancel()
	} else {
		defer time.AfterFunc(in, cancel).Stop()
	}
	err, ok := k.within(ctx, called(step), func() error { return k.take(ctx, step) })
	switch {
	case !ok:
		return false
	case err == nil && !k.arrived(step):
		return false
	}
	seen, ok := k.see()
	if !ok {
		return false
	}
	if to := after(k.want, step); err != nil && !between(seen, k.want, to) {
		return k.fail("it is at %v after %s was given up, want it between %v and %v", shown(seen), called(step), shown(k.want), shown(to))
	}
	return k.moves(step)
}

// between says whether a target is where a call that was given up may leave it. Traffic
// moves at once or not at all.
func between(o, a, b strategy.Observation) bool {
	return (o.Share == a.Share || o.Share == b.Share) && (o.Mirror == a.Mirror || o.Mirror == b.Mirror) && o.Why == a.Why &&
		min(a.Old, b.Old) <= o.Old && o.Old <= max(a.Old, b.Old) && min(a.New, b.New) <= o.New && o.New <= max(a.New, b.New)
}

// within wants a call to return soon after its context is over.
func (k *kit) within(ctx context.Context, name string, call func() error) (error, bool) {
	answer := make(chan error, 1)
	go func() { answer <- call() }()
	select {
	case err := <-answer:
		return err, true
	case <-ctx.Done():
	}
	timer := time.NewTimer(soon)
	defer timer.Stop()
	select {
	case err := <-answer:
		return err, true
	case <-timer.C:
		return nil, k.fail("%s has not returned %v after its context was over", name, soon)
	}
}
