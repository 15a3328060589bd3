package histogram

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

const (
	subBits = 6  // 64 buckets per octave
	minExp  = 11 // 2^11 ns = 2.048 µs
	maxExp  = 36 // 2^36 ns = 68.7 s

	// Buckets is how many buckets there are.
	Buckets = (maxExp - minExp) << subBits
	// Min is the shortest latency that has its own bucket.
	Min = time.Duration(1) << minExp
	// Max is where the last bucket ends.
	Max = time.Duration(1) << maxExp
	// Error bounds the relative error of a latency in [Min, Max) that is reported
	// as the middle of its bucket: half of 1/64.
	Error = 1.0 / (2 << subBits)
)

// Index says which bucket counts the latency, clamped to the range.
func Index(d time.Duration) int {
	d = min(max(d, Min), Max-1)
	exp := bits.Len64(uint64(d)) - 1
	// The octave's leading 1 is the 1 that is taken off below. The mask says to the
	// compiler what we know: that the shift is short.
	return (exp-minExp-1)<<subBits + int(d>>((exp-subBits)&63))
}

// Middle is the latency that stands for the bucket.
func Middle(i int) time.Duration {
	exp := i>>subBits + minExp
	width := time.Duration(1) << (exp - subBits)
	return time.Duration(1)<<exp + time.Duration(i&(1<<subBits-1))*width + width/2
}

// Live is counted into by many goroutines at once, without a lock. The zero value
// is empty.
type Live [Buckets]atomic.Uint64

// Add counts one latency.
func (l *Live) Add(d time.Duration) { l[Index(d)].Add(1) }

// Short is a [Live] of half the size, for what is counted over a short time. The
// zero value is empty.
type Short [Buckets]atomic.Uint32

// Add counts one latency. It says when the bucket is half full, and whoever hears
// that has to go on with another Short: there is room left for those who are just
// counting, 2^31 of them, and not for more.
func (s *Short) Add(d time.Duration) (full bool) { return int32(s[Index(d)].Add(1)) < 0 }

// Counts is a histogram at rest: a sum of live ones. The zero value is empty.
type Counts struct {
	buckets [Buckets]uint64
	total   uint64
}

// Add sums a live histogram in. Latencies that are counted meanwhile are in or not.
func (c *Counts) Add(l *Live) {
	for i := range l {
		n := l[i].Load()
		c.buckets[i] += n
		c.total += n
	}
}

// AddShort is Add for a [Short].
func (c *Counts) AddShort(s *Short) {
	for i := range s {
		n := uint64(s[i].Load())
		c.buckets[i] += n
		c.total += n
	}
}

// Merge sums another histogram in.
func (c *Counts) Merge(o *Counts) {
	for i, n := range o.buckets {
		c.buckets[i] += n
	}
	c.total += o.total
}

// Total is how many latencies were counted.
func (c *Counts) Total() uint64 { return c.total }

// Quantile is the latency of nearest rank ceil(q*n), within [Error]; there is no
// value when nothing was counted or q is outside [0, 1].
func (c *Counts) Quantile(q float64) (time.Duration, bool) {
	if c.total == 0 || !(q >= 0 && q <= 1) {
		return 0, false
	}
	rank := min(max(uint64(math.Ceil(q*float64(c.total))), 1), c.total)
	seen := uint64(0)
	for i, n := range c.buckets {
		if seen += n; seen >= rank {
			return Middle(i), true
		}
	}
	return 0, false
}
