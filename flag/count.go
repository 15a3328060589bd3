package flag

import (
	"slices"
	"sync/atomic"
	"unsafe"
)

// counts are counters of many flags. There are many copies of each, and a goroutine
// counts in one that hardly anybody else uses, so that cores do not wait for one
// another. A counter only grows, and never moves.
type counts struct {
	shards [shards][]atomic.Pointer[block]
	free   int32 // the first counter that nobody has
	room   int32
}

const (
	shards    = 64
	blockBits = 9
	blockSize = 1 << blockBits
)

// block is some counters of one shard, made when one of them is first used.
type block [blockSize]atomic.Uint64

// tally is one flag's counters: one for the caller's default, then one for each
// variant.
type tally struct {
	counts *counts
	first  int32
	names  []string
}

// take gives n counters away, from a new counts if this one has no room left.
func (c *counts) take(n, more int32) (*counts, int32) {
	if c == nil || c.free+n > c.room {
		c = &counts{room: max(n, more, blockSize)}
		for i := range c.shards {
			c.shards[i] = make([]atomic.Pointer[block], (c.room+blockSize-1)/blockSize)
		}
	}
	first := c.free
	c.free += n
	return c, first
}

func (c *counts) add(i int32) {
	at := &c.shards[shard()][i>>blockBits]
	b := at.Load()
	if b == nil {
		at.CompareAndSwap(nil, new(block))
		b = at.Load()
	}
	b[i&(blockSize-1)].Add(1)
}

// sum adds up one counter.
func (c *counts) sum(i int32) (total uint64) {
	for _, row := range c.shards {
		if b := row[i>>blockBits].Load(); b != nil {
			total += b[i&(blockSize-1)].Load()
		}
	}
	return total
}

// counted adds up the evaluations of a flag by variant, the caller's default being
// nameless. It is nil if there are none.
func (f *compiled) counted() map[string]uint64 {
	var totals map[string]uint64
	for _, t := range append(slices.Clip(f.past), f.tally) {
		if t.counts == nil {
			continue
		}
		for i, name := range append([]string{""}, t.names...) {
			if n := t.counts.sum(t.first + int32(i)); n > 0 {
				if totals == nil {
					totals = map[string]uint64{}
				}
				totals[name] += n
			}
		}
	}
	return totals
}

// shard is by where the goroutine's stack is: it stays the same for a goroutine in
// its loop, and two that run at once have different ones. Which one it is decides
// how fast counting is, and nothing else.
func shard() uint64 {
	var here byte
	return uint64(uintptr(unsafe.Pointer(&here))) >> 11 * 0x9e3779b97f4a7c15 >> 58
}
