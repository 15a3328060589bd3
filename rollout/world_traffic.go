package rollout

import (
	"cmp"
	"math"
	"math/rand/v2"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/strategy"
)

// weather is what makes requests fail, as long as nothing begins and nothing ends.
type weather struct {
	old, new float64 // probability that a request fails
	slower   float64 // how many times as long the new version takes
	dark     bool    // no outcome arrives
}

// weather is what it is at a time.
func (w World) weather(at time.Duration) weather {
	now := weather{old: w.ErrorRate, slower: cmp.Or(w.Slower, 1)}
	for _, f := range w.Faults {
		switch {
		case !f.on(at):
		case f.Kind == FaultOldSick:
			now.old = min(now.old*f.factor(), 1)
		case f.Kind == FaultNoMetrics:
			now.dark = true
		}
	}
	now.new = now.old
	if at >= w.HarmFrom {
		now.new = min(now.old*cmp.Or(w.Harm, 1), 1)
	}
	return now
}

// crowd is who comes to one target. Requests come evenly, and are made up when somebody
// looks: what they are does not depend on who does, and when.
type crowd struct {
	world *World
	luck  *rand.Rand
	lane  uint64 // of the ramp
	sent  uint64 // requests so far

	old, new        health.Side
	exposed, harmed users
}

func newCrowd(w *World, name string) crowd {
	seed := bucket.Hash(bucket.Unit(name), w.Seed)
	return crowd{world: w, luck: rand.New(rand.NewPCG(w.Seed, seed)), lane: bucket.Hash(seed, 1)}
}

// users are some of them.
type users struct {
	bits []uint64 // of those who come again; nil if each request is a user of its own
	n    int
}

func (u *users) add(one uint64, of int) {
	if of > 0 {
		if u.bits == nil {
			u.bits = make([]uint64, of/64+1)
		}
		if u.bits[one/64]&(1<<(one%64)) != 0 {
			return
		}
		u.bits[one/64] |= 1 << (one % 64)
	}
	u.n++
}

// come lets the requests come that are due, while the new version has a share, and tells
// these cohorts of them.
func (c *crowd) come(until time.Duration, now weather, share strategy.Share, cohorts []*health.Cohorts) {
	due := uint64(until.Seconds() * c.world.Rate)
	for ; c.sent < due; c.sent++ {
		one, unit := uint64(0), uint64(0)
		if c.world.Users > 0 {
			one = c.luck.Uint64N(uint64(c.world.Users))
			unit = bucket.Hash(one, 1)
		} else {
			unit = c.luck.Uint64()
		}
		o := health.Outcome{Unit: unit, Slot: bucket.Slot(unit, c.lane), Ramp: int32(share), Class: health.Success}
		side, fails, takes := &c.old, now.old, 1.
		in := o.Slot < o.Ramp
		if in {
			side, fails, takes = &c.new, now.new, now.slower
			c.exposed.add(one, c.world.Users)
		}
		if luck := c.luck.Float64(); luck < fails {
			o.Class = health.Failure
			side.Failures++
			if luck >= now.old { // it would have gone well
				c.harmed.add(one, c.world.Users)
			}
		} else {
			side.Successes++
		}
		if c.world.Latency > 0 {
			o.Latency = time.Duration(takes * float64(c.world.Latency) * math.Exp(0.5*c.luck.NormFloat64()))
		}
		if now.dark {
			continue
		}
		for _, to := range cohorts {
			to.Record(o)
		}
	}
}
