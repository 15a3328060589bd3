package evidence

import "github.com/guidon-go/guidon/internal/bucket"

// Done is the lo of a unit that was revealed in the candidate: nothing is left
// to learn about its slot.
const Done int32 = bucket.Slots

// Reveal is the re-counting rule, for a failure of one unit at one ramp. All
// that is known of the unit's slot before is that it is at least lo; given that,
// it is uniform on [lo, Slots), so looking it up is a coin of bias
// (ramp-lo)/(Slots-lo).
//
// It says whether the failure counts as a coin, on which side it came up, and
// what is known of the unit afterwards. A failure does not count, and teaches
// nothing, when its side was known beforehand: the ramp is not above lo, or it
// is 100 %. A slot below lo contradicts what is known and is not counted either.
func Reveal(lo, slot, ramp int32) (next int32, candidate, counted bool) {
	switch {
	case ramp <= lo || ramp >= bucket.Slots || slot < lo:
		return lo, false, false
	case slot < ramp:
		return Done, true, true
	default:
		return ramp, false, true
	}
}
