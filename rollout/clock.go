package rollout

import (
	"context"
	"math"
	"time"
)

// timing is what an engine goes by: the real time, or that of a simulation, which passes
// only while everybody waits. Whatever waits, or starts something, does so through it.
type timing interface {
	// now is the time on the wall, as the journal keeps it: no monotonic reading, no zone.
	now() time.Time
	// steady is a time that never jumps. Only what lies between two of them means something.
	steady() time.Time
	// wait returns after a while, or as soon as wake has something or the context ends.
	wait(ctx context.Context, d time.Duration, wake <-chan struct{})
	// within is a context that ends after a while, for a reason; nil is that its time is over.
	within(ctx context.Context, d time.Duration, why error) (context.Context, context.CancelFunc)
	// start calls f in a goroutine of its own.
	start(f func())
}

// forever is how long to wait for what has no time.
const forever = time.Duration(math.MaxInt64)

// realClock is package time.
type realClock struct{}

func (realClock) now() time.Time    { return now() }
func (realClock) steady() time.Time { return time.Now() }
func (realClock) start(f func())    { go f() }

func (realClock) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	var over <-chan time.Time
	if d != forever {
		timer := time.NewTimer(d)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
	case <-wake:
	case <-over:
	}
}

func (realClock) within(ctx context.Context, d time.Duration, why error) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, why)
}

// wallClock is replaced by tests of clocks that jump.
var wallClock = time.Now

// now is a time as the journal keeps it: no monotonic reading, no zone.
func now() time.Time { return wallClock().Round(0).UTC() }
