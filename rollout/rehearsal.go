package rollout

import (
	"math"
	"slices"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
)

// harmed is how many users a change has harmed after some time at a share.
func (b Budget) harmed(share flag.Share, harm float64, after time.Duration) float64 {
	failures := b.Rate * (min(b.ErrorRate*harm, 1) - b.ErrorRate) * after.Seconds() // if everybody had it
	exposed := float64(share) / float64(flag.All)
	if b.Users == 0 {
		return exposed * failures
	}
	users := float64(b.Users)
	return -exposed * users * math.Expm1(-failures/users)
}

// rehearse plays rollouts of a change at one share, and says when the judge fails
// each, ascending; those that it does not fail are missing, and all of them if it does
// not fail enough.
func (b Budget) rehearse(share flag.Share, harm float64) (times []time.Duration, err error) {
	worst := min(b.ErrorRate*harm, 1)
	guess := b.guess(float64(share)/float64(flag.All), worst/b.ErrorRate)
	if guess > 10*365*24*3600 {
		return nil, nil
	}
	// Only the requests between two looks matter: where traffic is low, a second of the
	// planner's stands for many, so that a plan of months is soon played.
	tick := max(b.Look, time.Duration(guess/50*float64(time.Second)))
	ticks := time.Duration(max(math.Ceil(8*guess/tick.Seconds()), 30))
	// The first half of the default judge alone is quick to play, and seldom sees less.
	attempts := []attempt{{health.FirstFailure{Alpha: 0.025}, ticks}, {health.DefaultJudge(ticks * tick), ticks}}
	if b.Judge != nil {
		attempts = []attempt{{b.Judge, ticks}, {b.Judge, 4 * ticks}}
	}
	for _, a := range attempts {
		times, err = b.play(a, share, harm, tick)
		if err != nil || len(times) >= needed {
			break
		}
	}
	return times, err
}

// attempt is a judge, and for how many ticks it may look.
type attempt struct {
	judge health.Judge
	ticks time.Duration
}

func (b Budget) play(a attempt, share flag.Share, harm float64, tick time.Duration) (times []time.Duration, err error) {
	begun := 0
	_, err = health.Planner{
		// Of a great many failures a part will do: it is seen no sooner than all of them.
		Rate:      min(b.Rate*tick.Seconds(), 1e4/min(b.ErrorRate*harm, 1)),
		ErrorRate: b.ErrorRate, Users: b.Users, Runs: rehearsed,
		Ramp: []health.RampStep{{Ramp: int32(share), For: a.ticks * time.Second}},
		Judge: health.JudgeFunc(func(state health.State, sample health.Sample) (health.Verdict, health.State) {
			if sample.Elapsed == time.Second {
				begun++
			}
			if begun-1-len(times) > rehearsed-needed {
				return health.Verdict{Call: health.Fail}, nil // no use to go on
			}
			sample.Elapsed = sample.Elapsed / time.Second * tick
			v, state := a.judge.Look(state, sample)
			if v.Call == health.Fail {
				times = append(times, sample.Elapsed)
			}
			return v, state
		}),
	}.Detect(harm)
	slices.Sort(times)
	return times, err
}

// guess is after how many seconds a change is seen, about: the evidence that its
// failures bring on average, which is the divergence of where they are from where
// chance has them, adds up to what [health.FirstFailure] needs of the worst of its six
// bets. See Lorden, Annals of Mathematical Statistics 42(6), 1971.
func (b Budget) guess(share, harm float64) float64 {
	candidate := share * harm / (1 - share + share*harm)
	divergence := candidate*math.Log(candidate/share) + (1-candidate)*math.Log((1-candidate)/(1-share))
	return math.Log(6/0.025) / (divergence * b.Rate * b.ErrorRate * (1 - share + share*harm))
}

// roundUp makes a hold readable.
func roundUp(d time.Duration) time.Duration {
	step := 10 * time.Second
	for _, s := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
		if d >= 10*s {
			step = s
		}
	}
	return (d + step - 1) / step * step
}
