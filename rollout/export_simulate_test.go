package rollout

import (
	"context"
	"sync/atomic"
	"time"
)

// outerClock is package time, in place of the clock of a simulation.
type outerClock struct {
	realClock
	ahead atomic.Int64
}

func (c *outerClock) now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load())).Round(0).UTC()
}

func (c *outerClock) jump(by time.Duration) { c.ahead.Add(int64(by)) }

func (c *outerClock) set(d time.Duration, do func()) (drop func()) {
	timer := time.AfterFunc(d, do)
	return func() { timer.Stop() }
}

// SimulateRunOutside is SimulateRun by package time.
func (e *Engine) SimulateRunOutside(ctx context.Context, request RunRequest, pipeline Pipeline, world World) (Simulation, error) {
	return e.simulateRun(ctx, request, pipeline, world, &outerClock{})
}

// SimulateOutside is Simulate by package time: what an engine does with such a world for
// real.
func (e *Engine) SimulateOutside(ctx context.Context, request Request, world World) (Simulation, error) {
	return e.simulate(ctx, request, world, &outerClock{})
}
