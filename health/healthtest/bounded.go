package healthtest

import (
	"cmp"
	"errors"
	"math"

	"github.com/guidon-go/guidon/health"
)

func (k *judgeKit) alphas(judge health.Bounded) {
	k.t.Helper()
	for _, alpha := range []float64{0.01, 0.05, 0.1, 0.4} {
		if err := judge.WithAlpha(alpha).Validate(); err != nil {
			k.fail(ruleAlpha, "Validate refuses %v: %v", alpha, err)
		}
	}
	for _, alpha := range []float64{-0.05, 1, 1.5, math.NaN(), math.Inf(1), math.Inf(-1)} {
		other := judge.WithAlpha(alpha)
		if err := other.Validate(); !errors.Is(err, health.ErrInvalid) {
			k.fail(ruleAlpha, "of %v Validate says %v, want health.ErrInvalid", alpha, err)
		}
		for _, s := range k.stories {
			verdicts, _ := k.judged(other, s)
			for _, v := range verdicts {
				if v.Call != health.Inconclusive {
					k.fail(ruleAlpha, "with %v, which is refused, %s is %q, want inconclusive", alpha, s.name, v)
				}
			}
		}
	}
	differ := false
	for _, s := range k.stories {
		before, _ := k.judged(judge, s)
		bold, _ := k.judged(judge.WithAlpha(0.4), s)
		shy, _ := k.judged(judge.WithAlpha(0.01), s)
		twice, _ := k.judged(judge.WithAlpha(0.01).WithAlpha(0.4), s)
		after, _ := k.judged(judge, s)
		for i := range before {
			if !same(before[i], after[i]) {
				k.fail(ruleAlpha, "WithAlpha has changed the judge itself: of %s it said\n\t%+v, and then\n\t%+v", s.name, before[i], after[i])
			}
			if !same(bold[i], twice[i]) {
				k.fail(ruleAlpha, "WithAlpha of WithAlpha is not the last: of %s it says\n\t%+v, want\n\t%+v", s.name, twice[i], bold[i])
			}
			differ = differ || !same(bold[i], shy[i])
		}
	}
	if !differ {
		k.fail(ruleAlpha, "WithAlpha changes nothing: 0.4 and 0.01 give the same verdicts")
	}
}

// bound counts how many harmless rollouts are failed.
func (k *judgeKit) bound(judge health.Bounded, o JudgeOptions) {
	k.t.Helper()
	const alpha = 0.1
	rollouts := o.Rollouts
	if rollouts == 0 {
		rollouts = 300
	}
	if rollouts < 0 {
		return
	}
	judge = judge.WithAlpha(alpha)
	failed := 0
	for run := range rollouts {
		tr := traffic{ramps: []int32{10_000, 40_000}, base: cmp.Or(o.ErrorRate, 0.06), harm: 1}
		if run%2 == 0 && !o.Independent {
			tr.users = 150 // who come again
		}
		cohorts, state := health.NewCohorts(o.Cohorts), health.State(nil)
		tr.play(o.Seed, uint64(1000+run), 700, func(outcome health.Outcome) bool {
			if cohorts.Record(outcome); outcome.Class == health.Success {
				return true
			}
			var v health.Verdict
			if v, state = k.look(judge, state, cohorts.Snapshot()); v.Call == health.Fail {
				failed++
			}
			return v.Call != health.Fail
		})
	}
	share := float64(failed) / float64(rollouts)
	if limit := alpha + 3*math.Sqrt(alpha*(1-alpha)/float64(rollouts)); share > limit {
		k.fail(ruleBound, "of %d harmless rollouts it fails %d, which is %.1f %%, want at most %.1f %% with an alpha of %.0f %%", rollouts, failed, 100*share, 100*limit, 100*alpha)
	}
}
