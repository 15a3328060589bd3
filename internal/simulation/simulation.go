// Package simulation makes up traffic for rollouts: users who come and fail in the
// ways that mislead statistics, under a ramp, with a change that harms or does not.
// It is what the judges of package health are measured with. All of it is seeded.
package simulation

import (
	"math"
	"math/rand/v2"
	"sort"
	"strconv"
	"time"

	"github.com/guidon-go/guidon/internal/bucket"
)

// World is traffic to judge. The zero value of each field leaves that feature out;
// Rate, Base, For and Ramps are needed.
type World struct {
	Name string

	Rate  float64       // requests per second
	For   time.Duration // how long the rollout is watched
	Ramps []Step        // who is exposed when
	Past  time.Duration // traffic before the rollout, at a ramp of 0

	Users int  // how many come back again and again; zero: every request is a user of its own
	Zipf  bool // some of them far more often than others, as 1/rank

	Base    float64 // probability that a request fails
	Spread  float64 // standard deviation of the logarithm of each user's own probability
	Chronic bool    // 1 % of the users fail half of the time, exposed or not
	// ChronicHarmed says that the change harms them too: they fail all the time.
	ChronicHarmed bool
	Burst         float64 // mean number of times that a failing user fails in a row; failures stay as frequent
	Incident      float64 // everybody fails this many times as often for two minutes from the fourth on
	Harm          float64 // the exposed fail this many times as often; zero: 1, a change that does nothing

	Latency  bool    // requests take time: lognormal around 20 ms, spread 0.5, and 0.3 between users
	Slower   float64 // the exposed take this many times as long; zero: 1
	Stalls   float64 // share of the exposed's requests that take a second more
	Exposure int     // the ramp goes on after this many requests of the exposed, instead of by time
}

// Step is a ramp, in slots, until a time.
type Step struct {
	Ramp  int32
	Until time.Duration
}

// Request is one request that came to an end.
type Request struct {
	At      time.Duration // since the rollout began; below zero before it
	Unit    uint64
	Slot    int32
	Ramp    int32
	Failed  bool
	Latency time.Duration
}

// user is what does not change about one.
type user struct {
	unit    uint64
	base    float64 // own probability of failing
	slow    float64 // own factor of latency
	chronic bool
}

// Crowd is who comes to a world. They are the same in each run: only the
// hash, the order and the luck differ.
type Crowd struct {
	World World // whose users they are
	all   []user
	come  []float64 // cumulated weights
}

// Crowd makes the users of the world.
func (w World) Crowd() *Crowd {
	u := &Crowd{World: w, all: make([]user, w.Users), come: make([]float64, w.Users)}
	rng := rand.New(rand.NewPCG(uint64(w.Users), 77))
	total := 0.
	for i := range u.all {
		u.all[i] = w.user(rng, bucket.Unit("user-"+strconv.Itoa(i)))
		u.all[i].chronic = w.Chronic && i%100 == 50
		total += 1
		if w.Zipf {
			total += 1/float64(i+1) - 1
		}
		u.come[i] = total
	}
	return u
}

func (w World) user(rng *rand.Rand, unit uint64) user {
	one := user{unit: unit, base: w.Base, slow: 1}
	if w.Spread > 0 {
		one.base *= math.Exp(w.Spread*rng.NormFloat64() - w.Spread*w.Spread/2)
	}
	if w.Latency {
		one.slow = math.Exp(0.3 * rng.NormFloat64())
	}
	one.chronic = w.Chronic && rng.IntN(100) == 50
	return one
}

// Run plays the world once, in order of time, until yield has enough.
func (u *Crowd) Run(seed uint64, yield func(Request) bool) {
	w := u.World
	rng := rand.New(rand.NewPCG(seed, 42))
	lane := bucket.Lane("rollout-"+strconv.FormatUint(seed, 10), bucket.Ramp)
	harm, slower, burst := or1(w.Harm), or1(w.Slower), or1(w.Burst)
	gap := time.Duration(float64(time.Second) / w.Rate)
	rung, exposed := 0, 0
	for at := -w.Past; at < w.For; at += gap {
		var one user
		if w.Users == 0 {
			one = w.user(rng, rng.Uint64())
		} else {
			one = u.all[sort.SearchFloat64s(u.come, rng.Float64()*u.come[len(u.come)-1])]
		}
		r := Request{At: at, Unit: one.unit, Slot: bucket.Slot(one.unit, lane)}
		if at >= 0 {
			r.Ramp = w.ramp(at, &rung, &exposed)
		}
		in := r.Slot < r.Ramp
		if in {
			exposed++
		}
		chance := one.base
		if w.Incident > 0 && at >= 3*time.Minute && at < 5*time.Minute {
			chance *= w.Incident
		}
		if in {
			chance *= harm
		}
		if one.chronic {
			chance = 0.5 * burst
			if in && w.ChronicHarmed {
				chance *= harm
			}
		}
		failures := 0
		if rng.Float64() < chance/burst {
			for failures = 1; burst > 1 && rng.Float64() < 1-1/burst; {
				failures++
			}
		}
		for range max(failures, 1) {
			r.Failed = failures > 0
			if w.Latency {
				took := 0.02 * math.Exp(0.5*rng.NormFloat64()) * one.slow
				if in {
					if took *= slower; rng.Float64() < w.Stalls {
						took++
					}
				}
				r.Latency = time.Duration(took * float64(time.Second))
			}
			if !yield(r) {
				return
			}
		}
	}
}

func (w World) ramp(at time.Duration, rung, exposed *int) int32 {
	if w.Exposure > 0 {
		if *exposed >= w.Exposure && *rung+1 < len(w.Ramps) {
			*rung, *exposed = *rung+1, 0
		}
		return w.Ramps[*rung].Ramp
	}
	for _, step := range w.Ramps {
		if at < step.Until {
			return step.Ramp
		}
	}
	return w.Ramps[len(w.Ramps)-1].Ramp
}

func or1(x float64) float64 {
	if x == 0 {
		return 1
	}
	return x
}

// Fixed is a ramp that stays where it is.
func Fixed(ramp int32) []Step { return []Step{{ramp, 1 << 62}} }

// Ladder is 1, 5, 25 and 50 %, two minutes each, and then 50 %.
func Ladder() []Step {
	return []Step{{1_000, 2 * time.Minute}, {5_000, 4 * time.Minute}, {25_000, 6 * time.Minute}, {50_000, 1 << 62}}
}
