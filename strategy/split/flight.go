package split

import (
	"context"
	"sync/atomic"
	"unsafe"
)

// flights counts what is in flight, in many counters, so that cores do not wait for
// one another: a request comes and goes in the same one, so that none is ever below
// zero, and all are zero when nothing is in flight.
type flights struct {
	counters [shards]counter
	landed   atomic.Pointer[chan struct{}] // closed by the next that leaves; nil if nobody waits
}

const shards = 32

// counter has a cache line for itself.
type counter struct {
	atomic.Int64
	_ [56]byte
}

// shard is one that hardly any other goroutine uses at the moment: it goes by where
// this one has its stack.
func shard() uint64 {
	var here byte
	return uint64(uintptr(unsafe.Pointer(&here))) >> 11 * 0x9e3779b97f4a7c15 >> 58 % shards
}

// enter counts one in, in the counter that it has to leave.
func (f *flights) enter() *counter {
	c := &f.counters[shard()]
	c.Add(1)
	return c
}

// leave counts it out. Whoever waits says so first and looks at the counters then, so
// one of the two sees the other.
func (f *flights) leave(c *counter) {
	c.Add(-1)
	if l := f.landed.Load(); l != nil && f.landed.CompareAndSwap(l, nil) {
		close(*l)
	}
}

func (f *flights) count() (n int) {
	for i := range f.counters {
		n += int(f.counters[i].Load())
	}
	return n
}

// wait returns when nothing is in flight, or with the context's error.
func (f *flights) wait(ctx context.Context) error {
	for {
		landed := f.landed.Load()
		if landed == nil {
			landed = new(make(chan struct{}))
			if !f.landed.CompareAndSwap(nil, landed) {
				continue
			}
		}
		if f.count() == 0 {
			return nil
		}
		select {
		case <-*landed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
