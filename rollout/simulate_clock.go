package rollout

import (
	"context"
	"errors"
	"slices"
	"time"
)

// virtualClock is a time that passes only while everybody waits for it. Of the goroutine
// that made it and those that it has started, one runs at a time, until it waits or ends;
// then it hands on to the first, in the order in which they were started, that has what it
// waits for. If none has, the time goes on to the earliest moment that somebody waits for.
// So what happens depends on nothing but what they do.
type virtualClock struct {
	began  time.Time
	passed time.Duration // since then
	ahead  time.Duration // by how much the clock on the wall is wrong
	tasks  []*task       // those that have not ended, in the order in which they were started
	runs   *task         // one of them
	alarms []*alarm      // ascending; of equal ones the first that was set is the first
}

// task is a goroutine, and what it waits for.
type task struct {
	turn  chan struct{}   // gets one when it may go on
	ctx   context.Context // ends,
	wake  <-chan struct{} // or this has something,
	until time.Duration   // or this moment has come
}

// alarm is something to do at a time.
type alarm struct {
	at time.Duration
	do func()
}

// newVirtualClock returns a clock for the goroutine that calls it.
func newVirtualClock(began time.Time) *virtualClock {
	t := newTask()
	return &virtualClock{began: began, tasks: []*task{t}, runs: t}
}

func newTask() *task { return &task{turn: make(chan struct{}, 1), ctx: context.Background()} }

func (c *virtualClock) now() time.Time {
	return c.began.Add(c.passed + c.ahead).Round(0).UTC()
}

func (c *virtualClock) steady() time.Time { return c.began.Add(c.passed) }

// jump puts the clock on the wall forward, or back.
func (c *virtualClock) jump(by time.Duration) { c.ahead += by }

func (c *virtualClock) wait(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := c.runs
	t.ctx, t.wake, t.until = ctx, wake, c.after(d)
	c.handOn(t)
}

// after is the moment after a while.
func (c *virtualClock) after(d time.Duration) time.Duration {
	return c.passed + min(max(d, 0), forever-c.passed)
}

// ready says whether the task has what it waits for.
func (t *task) ready(now time.Duration) bool {
	select {
	case <-t.ctx.Done():
		return true
	default:
	}
	select {
	case <-t.wake:
		return true
	default:
	}
	return t.until <= now
}

// handOn lets another task go on, and returns when it is this one's turn again. Nil is
// one that has ended.
func (c *virtualClock) handOn(t *task) {
	next := c.next()
	c.runs = next
	if next == t {
		return
	}
	next.turn <- struct{}{}
	if t != nil {
		<-t.turn
	}
}

// next is the task that goes on. If none can, time passes.
func (c *virtualClock) next() *task {
	for {
		for _, t := range c.tasks {
			if t.ready(c.passed) {
				return t
			}
		}
		at := forever
		for _, t := range c.tasks {
			at = min(at, t.until)
		}
		if len(c.alarms) > 0 {
			at = min(at, c.alarms[0].at)
		}
		if at == forever {
			panic("rollout: everybody in a simulation waits for somebody else")
		}
		c.passed = at
		for len(c.alarms) > 0 && c.alarms[0].at <= c.passed {
			a := c.alarms[0]
			c.alarms = c.alarms[1:]
			a.do()
		}
	}
}

func (c *virtualClock) start(f func()) {
	t := newTask()
	c.tasks = append(c.tasks, t)
	go func() {
		<-t.turn
		defer func() {
			c.tasks = slices.DeleteFunc(c.tasks, func(one *task) bool { return one == t })
			c.handOn(nil)
		}()
		f()
	}()
}

// set has something done after a while, between what others do: it must not wait.
func (c *virtualClock) set(d time.Duration, do func()) (drop func()) {
	a := &alarm{c.after(d), do}
	at := len(c.alarms)
	for at > 0 && c.alarms[at-1].at > a.at {
		at--
	}
	c.alarms = slices.Insert(c.alarms, at, a)
	return func() { c.alarms = slices.DeleteFunc(c.alarms, func(b *alarm) bool { return b == a }) }
}

// expired is why a context ended whose time is over.
type expired struct{ error }

func (e expired) Unwrap() error { return e.error }

// virtualContext is one whose time may be over.
type virtualContext struct{ context.Context }

func (c virtualContext) Err() error {
	err := c.Context.Err()
	if err != nil && errors.As(context.Cause(c.Context), new(expired)) {
		return context.DeadlineExceeded
	}
	return err
}

func (c *virtualClock) within(parent context.Context, d time.Duration, why error) (context.Context, context.CancelFunc) {
	if why == nil {
		why = context.DeadlineExceeded
	}
	ctx, cancel := context.WithCancelCause(parent)
	if d <= 0 {
		cancel(expired{why})
	}
	drop := c.set(d, func() { cancel(expired{why}) })
	return virtualContext{ctx}, func() {
		drop()
		cancel(nil)
	}
}
