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

// formerly is a tally from before the variants changed, or the sums of several.
type formerly struct {
	tally          // without counts if it is sums
	names []string // of the variants then; of sums, the first is the caller's default
	sums  []uint64 // by name; nil for a tally
}

// maxPast is how many tallies a flag has at most from before, sums apart, so that
// documents which change its variants at each load do not make memory grow for good.
const maxPast = 8

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
	past := append(slices.Clone(f.past), formerly{f.tally, names, nil})
	if len(past) <= maxPast+1 {
		return past
	}
	// The oldest two become sums, of those variants that are still in another tally.
	old, kept := past[:2], past[2:]
	sums := formerly{names: []string{""}, sums: []uint64{0}}
	for _, t := range old {
		t.each(func(name string, n uint64) {
			i := slices.Index(sums.names, name)
			if i < 0 && slices.ContainsFunc(kept, func(t formerly) bool { return slices.Contains(t.names, name) }) {
				i = len(sums.names)
				sums.names, sums.sums = append(sums.names, name), append(sums.sums, 0)
			}
			if i >= 0 {
				sums.sums[i] += n
			}
		})
	}
	return append([]formerly{sums}, kept...)
}

// each tells of the evaluations by variant, the caller's default being nameless.
func (t formerly) each(add func(name string, n uint64)) {
	for i, n := range t.sums {
		add(t.names[i], n)
	}
	if t.counts != nil {
		add("", t.counts.sum(t.first))
		for i, name := range t.names {
			add(name, t.counts.sum(t.first+1+int32(i)))
		}
	}
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
	for _, t := range append(slices.Clip(f.past), formerly{f.tally, f.names, nil}) {
		t.each(func(name string, n uint64) {
			if n == 0 {
				return
			}
			if totals == nil {
				totals = map[string]uint64{}
			}
			totals[name] += n
		})
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
