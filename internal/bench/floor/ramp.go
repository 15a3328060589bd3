package floor

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

const slots = 100_000

// Static is the flag of S1.
type Static struct{ On bool }

// Ramp is the flag of S2: on for those whose hash is below a threshold.
type Ramp struct{ lane, below uint64 }

// NewRamp returns a ramp of a percentage below 100.
func NewRamp(key string, percent int) Ramp {
	return Ramp{lane(key, "ramp"), threshold(percent)}
}

// Split is the flag of S5: four parts, one behind the other.
type Split struct {
	lane   uint64
	below  [3]uint64 // where the first three end
	values [4]string
}

// NewSplit returns a split by percentages that sum to 100.
func NewSplit(key string, values [4]string, percents [4]int) Split {
	s := Split{lane: lane(key, "split"), values: values}
	end := 0
	for i := range s.below {
		end += percents[i]
		s.below[i] = threshold(end)
	}
	return s
}

func lane(salt, purpose string) uint64 { return xxhash.Sum64String(salt + "\x00" + purpose) }

// threshold is the least hash whose slot is not below so many percent.
func threshold(percent int) uint64 {
	quotient, rest := bits.Div64(uint64(percent*slots/100), 0, slots)
	if rest > 0 {
		quotient++
	}
	return quotient
}

// finalise is the finaliser of SplitMix64.
func finalise(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (f *Ramp) eval(s *Subject) bool { return finalise(s.unit^f.lane) < f.below }

// value compares with every threshold, since nobody can predict which is passed.
func (f *Split) value(h uint64) string {
	return f.values[(bit(h >= f.below[0])+bit(h >= f.below[1])+bit(h >= f.below[2]))&3]
}

// bit compiles to no branch, which nobody could predict.
func bit(b bool) uint {
	if b {
		return 1
	}
	return 0
}

// S1Ref evaluates the i-th flag.
//
//go:noinline
func S1Ref(store *Store[Static], i int, _ *Subject) bool { return store.ref(i).On }

// S1Key evaluates the flag with the key.
//
//go:noinline
func S1Key(store *Store[Static], key string, _ *Subject) bool { return store.key(key).On }

// S2Ref evaluates the i-th flag.
//
//go:noinline
func S2Ref(store *Store[Ramp], i int, s *Subject) bool { return store.ref(i).eval(s) }

// S2Key evaluates the flag with the key.
//
//go:noinline
func S2Key(store *Store[Ramp], key string, s *Subject) bool { return store.key(key).eval(s) }

// S5Ref evaluates the i-th flag.
//
//go:noinline
func S5Ref(store *Store[Split], i int, s *Subject) string {
	f := store.ref(i)
	return f.value(finalise(s.unit ^ f.lane))
}

// S5Key evaluates the flag with the key.
//
//go:noinline
func S5Key(store *Store[Split], key string, s *Subject) string {
	f := store.key(key)
	return f.value(finalise(s.unit ^ f.lane))
}
