package flag

import (
	"math/rand/v2"
	"strconv"
)

// Anonymous returns a subject that nobody has been before: its key is drawn at random.
// It is for requests that have no user, tenant or session, so that ramps decide them
// all the same, each as a unit of its own; within one request all decisions agree.
//
// From one request to the next, the same visitor may change sides. Where that could
// be seen or do harm (pages that belong together, caches, what is stored), give
// visitors a key that stays, such as a cookie's, or the zero Subject, which no ramp
// admits.
func Anonymous(facts ...Fact) Subject {
	return For("anonymous-"+strconv.FormatUint(rand.Uint64(), 36), facts...)
}
