package flag

import (
	"slices"
	"strings"
	"sync/atomic"
	"unsafe"
)

// counts are counters of some flags. There are many copies of each, and a goroutine
// counts in one that hardly anybody else uses, so that cores do not wait for one
// another. A counter only grows, and never moves.
type counts struct {
	shards [shards]atomic.Pointer[block]
	free   int32 // the first counter that nobody has
}

const (
	shards    = 64
	blockSize = 512
)

// block is one shard's copy of the counters, made when one of them is first used.
type block [blockSize]atomic.Uint64

// maxVariants is how many a flag may have, so that its counters fit into a block.
const maxVariants = 500

// tally is one flag's counters: one for the caller's default, then one for each
// variant.
type tally struct {
	counts *counts
	first  int32
}

// formerly is a tally from before the variants changed.
type formerly struct {
	tally
	names []string // of the variants then
}

// history is the tallies of a flag whose variants change. Their names are copied, since
// they are parts of a document.
func (f *compiled) history() []formerly {
	if f == nil {
		return nil
	}
	names := make([]string, len(f.names))
	for i, name := range f.names {
		names[i] = strings.Clone(name)
	}
	return append(slices.Clone(f.past), formerly{f.tally, names})
}

// take gives n counters away, from a new counts if this one has no room left.
func (c *counts) take(n int) (*counts, int32) {
	if c == nil || int(c.free)+n > blockSize {
		c = new(counts)
	}
	first := c.free
	c.free += int32(n)
	return c, first
}

// at returns the goroutine's copy of a counter, or nil if there is none yet.
func (c *counts) at(i int32) *atomic.Uint64 {
	b := c.shards[shard()].Load()
	if b == nil {
		return nil
	}
	return &b[uint(i)%blockSize]
}

func (c *counts) add(i int32) {
	if c.at(i) == nil {
		c.shards[shard()].CompareAndSwap(nil, new(block))
	}
	if counter := c.at(i); counter != nil { // always, unless the stack moved in between
		counter.Add(1)
		return
	}
	c.add(i)
}

// sum adds up one counter.
func (c *counts) sum(i int32) (total uint64) {
	for s := range c.shards {
		if b := c.shards[s].Load(); b != nil {
			total += b[i].Load()
		}
	}
	return total
}

// total adds up the evaluations of a flag by variant, the caller's default being
// nameless. It is nil if there are none.
func (f *compiled) total() map[string]uint64 {
	var totals map[string]uint64
	for _, t := range append(slices.Clip(f.past), formerly{f.tally, f.names}) {
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
	return uint64(uintptr(unsafe.Pointer(&here))) >> 11 * 0x9e3779b97f4a7c15 >> 58 % shards
}
