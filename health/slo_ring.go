package health

import (
	"sync/atomic"
	"time"
)

// burnSlots is how many steps a window has. The ring has one more because the step
// that runs is not over, one for a window that is no multiple of a step, and one for
// writers just ahead of a reader.
const (
	burnSlots = 360
	ringSlots = burnSlots + 3
)

// burnRing counts requests and failures by the time at which they ended, over one
// window.
type burnRing struct {
	width  uint64        // of a step, in ns
	newest atomic.Uint64 // a step that was asked for, and most likely is again: saves a division
	slots  [ringSlots]burnSlot
}

// burnSlot is one step: each word is the lap of the ring in its upper bits, and a count
// of that lap in its lower ones. So a writer finds an old count and replaces it in one
// step that no other can come between.
type burnSlot struct {
	requests atomic.Uint64 // counted first and read last, so that no reader sees more failures
	failures atomic.Uint64
}

// lapShift leaves 2^38 requests for one step, and 21 years of laps of 10 s.
const lapShift = 38

func newBurnRing(window time.Duration) *burnRing {
	return &burnRing{width: uint64(window+burnSlots-1) / burnSlots}
}

// step numbers the step at an age; false if it is too long before the first outcome.
// The lap before the first is for writers that saw a time before it.
func (r *burnRing) step(age time.Duration) (uint64, bool) {
	at := uint64(age) + ringSlots*r.width
	step := r.newest.Load()
	if at-step*r.width >= r.width {
		step = at / r.width
		r.newest.Store(step)
	}
	return step, int64(at) >= 0
}

// add counts one outcome.
func (r *burnRing) add(age time.Duration, failed bool) {
	step, ok := r.step(age)
	if !ok {
		return
	}
	slot, lap := &r.slots[step%ringSlots], step/ringSlots
	bump(&slot.requests, lap)
	if failed {
		bump(&slot.failures, lap)
	}
}

// bump counts one in a lap; not if a later one has begun.
func bump(word *atomic.Uint64, lap uint64) {
	for {
		old := word.Load()
		next := old + 1
		switch has := old >> lapShift; {
		case has > lap:
			return
		case has < lap:
			next = lap<<lapShift | 1
		}
		if word.CompareAndSwap(old, next) {
			return
		}
	}
}

// sum counts what ended in the window before an age: whole steps, and the one that
// runs.
func (r *burnRing) sum(age, window time.Duration) (requests, failures uint64) {
	last, ok := r.step(age)
	if !ok {
		return 0, 0
	}
	steps := (uint64(window) + r.width - 1) / r.width
	for step := last - min(steps, last); step <= last; step++ {
		slot, lap := &r.slots[step%ringSlots], step/ringSlots
		bad := counted(slot.failures.Load(), lap)
		all := counted(slot.requests.Load(), lap)
		requests += all
		failures += min(bad, all)
	}
	return requests, failures
}

// counted is the count of a word, if it is of that lap.
func counted(word, lap uint64) uint64 {
	if word>>lapShift != lap {
		return 0
	}
	return word & (1<<lapShift - 1)
}
