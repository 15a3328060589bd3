// Package bucket is the one place that decides, from a unit and a salt, which of
// the 100,000 slots the unit falls into. It is normative: the vectors in
// flag/testdata/bucketing.json pin it, and changing one is a major version.
package bucket

import (
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Slots is how many slots there are: one slot is 0.001 %.
const Slots = 100_000

// Purpose keeps the lanes of one salt independent of one another.
type Purpose string

// The purposes a lane can have.
const (
	Ramp    Purpose = "ramp"
	Split   Purpose = "split"
	Layer   Purpose = "layer"
	Holdout Purpose = "holdout"
)

// Unit hashes the canonical bytes of a unit (a string's UTF-8, an integer's
// decimal): XXH64, seed 0. It is done once per subject.
func Unit(canonical string) uint64 { return xxhash.Sum64String(canonical) }

// UnitBytes is [Unit] of bytes.
func UnitBytes(canonical []byte) uint64 { return xxhash.Sum64(canonical) }

// Lane hashes a salt and a purpose: XXH64 of salt, a zero byte, and the purpose.
// It is done once per compiled flag.
func Lane(salt string, purpose Purpose) uint64 {
	return xxhash.Sum64String(salt + "\x00" + string(purpose))
}

// Slot places a unit in a lane: 0 .. Slots-1.
func Slot(unit, lane uint64) int32 {
	hi, _ := bits.Mul64(finalise(unit^lane), Slots)
	return int32(hi)
}

// Hash is what a unit's slot in a lane is computed from: the slot is below a share
// exactly when the hash is at most the share's [Limit].
func Hash(unit, lane uint64) uint64 { return finalise(unit ^ lane) }

// Limit is the highest [Hash] whose slot is below a share of 1 .. Slots.
func Limit(share int32) uint64 {
	if share >= Slots {
		return math.MaxUint64
	}
	quotient, rest := bits.Div64(uint64(share), 0, Slots)
	if rest == 0 {
		quotient--
	}
	return quotient
}

// finalise is the SplitMix64 finaliser (Steele, Lea, Flood, OOPSLA 2014).
func finalise(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return x
}
