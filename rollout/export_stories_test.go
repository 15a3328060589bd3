package rollout

import "time"

// SetWallClock lets a test hang another clock on the wall, until it calls what is
// returned.
func SetWallClock(clock func() time.Time) (restore func()) {
	before := wallClock
	wallClock = clock
	return func() { wallClock = before }
}
