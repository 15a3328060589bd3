package rollout_test

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/rollout"
	"github.com/stretchr/testify/require"
)

// played is a rollout by a ladder.
type played struct {
	seen   bool
	harmed int     // users who met a failure that would not have been
	spent  float64 // the most that Budget.Spent has said
}

// play goes through a ladder, request by request, with the judge of a guard.
func play(b rollout.Budget, ladder rollout.Ladder, harm float64, seed uint64) (p played) {
	rng := rand.New(rand.NewPCG(seed, 5))
	lane := rng.Uint64()
	over := time.Duration(0)
	for _, r := range ladder {
		over += r.Hold
	}
	cohorts, judge, state := health.NewCohorts(health.CohortsOptions{Seed: rng.Uint64()}), health.DefaultJudge(over), health.State(nil)
	harmed := map[uint64]bool{}
	elapsed, due := time.Duration(0), 0.0
	tick := max(time.Second, over/300) // looks are as rare as they may be
	for _, r := range ladder {
		for until := elapsed + r.Hold; elapsed < until; {
			elapsed += tick
			for due += b.Rate * tick.Seconds(); due >= 1; due-- {
				unit := rng.Uint64()
				if b.Users > 0 {
					unit = bucket.Unit(strconv.Itoa(rng.IntN(b.Users)))
				}
				o := health.Outcome{Unit: unit, Slot: bucket.Slot(unit, lane), Ramp: int32(r.Share), Class: health.Success}
				luck := rng.Float64()
				switch exposed := o.Slot < o.Ramp; {
				case luck < b.ErrorRate:
					o.Class = health.Failure
				case exposed && luck < b.ErrorRate*harm:
					o.Class = health.Failure
					harmed[unit] = true
				}
				cohorts.Record(o)
			}
			sample := cohorts.Snapshot()
			sample.Elapsed = elapsed
			p.spent = max(p.spent, b.Spent(sample))
			var v health.Verdict
			if v, state = judge.Look(state, sample); v.Call == health.Fail {
				p.seen = true
				break
			}
		}
		if p.seen {
			break
		}
	}
	p.harmed = len(harmed)
	return p
}

// A change as bad as was meant, and one that fails everything, harms no more users
// than the budget has, on average, and is seen; one that does no harm comes through.
func TestBudgetIsKept(t *testing.T) {
	noRace(t)
	for _, tt := range []struct {
		name   string
		budget rollout.Budget
		runs   int
	}{
		{"busy", rollout.Budget{Harmed: 20, Rate: 100, ErrorRate: 0.01, Users: 10_000}, 30},
		{"little traffic", rollout.Budget{Harmed: 12, Rate: 0.1, ErrorRate: 0.02}, 30},
		{"few users", rollout.Budget{Harmed: 50, Harm: 2, Rate: 20, ErrorRate: 0.02, Users: 1000}, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() {
				tt.runs /= 2
			}
			ladder, err := tt.budget.Ladder()
			require.NoError(t, err)
			t.Logf("\n%v", ladder)
			meant := tt.budget.Harm
			if meant == 0 {
				meant = 5
			}
			for _, harm := range []float64{meant, 1 / tt.budget.ErrorRate} {
				seen, harmed, squares := 0, 0.0, 0.0
				for run := range tt.runs {
					p := play(tt.budget, ladder, harm, uint64(run))
					if p.seen {
						seen++
					}
					harmed += float64(p.harmed) / float64(tt.runs)
					squares += float64(p.harmed*p.harmed) / float64(tt.runs)
					require.LessOrEqual(t, p.spent, float64(p.harmed)+5, "it says what is certain")
				}
				noise := 3 * math.Sqrt((squares-harmed*harmed)/float64(tt.runs))
				t.Logf("%v times as many failures: %.1f users harmed, of %v; seen in %d of %d", harm, harmed, tt.budget.Harmed, seen, tt.runs)
				require.LessOrEqual(t, harmed, tt.budget.Harmed+noise)
				require.GreaterOrEqual(t, seen, tt.runs*9/10)
			}
			for run := range tt.runs / 4 {
				p := play(tt.budget, ladder, 1, uint64(run))
				require.Equal(t, 0, p.harmed)
				require.Less(t, p.spent, tt.budget.Harmed)
			}
		})
	}
}

func TestLadder(t *testing.T) {
	noRace(t)
	for _, tt := range []struct {
		name   string
		budget rollout.Budget
		shares []flag.Share
	}{
		{"a hundred times the traffic begins lower", rollout.Budget{Harmed: 20, Rate: 10_000, ErrorRate: 0.01}, []flag.Share{0.1 * flag.Percent, 5 * flag.Percent, 50 * flag.Percent, flag.All}},
		{"the usual", rollout.Budget{Harmed: 20, Rate: 100, ErrorRate: 0.01}, []flag.Share{10 * flag.Percent, 50 * flag.Percent, flag.All}},
		{"a larger budget", rollout.Budget{Harmed: 200, Rate: 100, ErrorRate: 0.01}, []flag.Share{50 * flag.Percent, flag.All}},
		{"rare looks", rollout.Budget{Harmed: 20, Rate: 100, ErrorRate: 0.01, Look: 10 * time.Second}, []flag.Share{1 * flag.Percent, 50 * flag.Percent, flag.All}},
		{"hardly any traffic", rollout.Budget{Harmed: 20, Rate: 0.001, ErrorRate: 0.01}, []flag.Share{20 * flag.Percent, 50 * flag.Percent, flag.All}},
		{"few users", rollout.Budget{Harmed: 20, Rate: 1, ErrorRate: 0.001, Users: 200}, []flag.Share{20 * flag.Percent, 50 * flag.Percent, flag.All}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ladder, err := tt.budget.Ladder()
			require.NoError(t, err)
			t.Logf("\n%v", ladder)
			var shares []flag.Share
			before := rollout.Rung{}
			for _, r := range ladder {
				shares = append(shares, r.Share)
				require.Zero(t, r.Share%(flag.Percent/10))
				if r.Share == flag.All {
					require.Equal(t, rollout.Rung{Share: flag.All}, r)
					break
				}
				require.GreaterOrEqual(t, r.Hold, time.Minute)
				require.GreaterOrEqual(t, r.Seen, 0.9-1e-9)
				require.Greater(t, r.Seen, before.Seen)
				require.Greater(t, r.Harmed, before.Harmed)
				require.Less(t, r.Harmed, tt.budget.Harmed)
				before = r
			}
			require.Equal(t, tt.shares, shares)
		})
	}
}

// A thousandth of the traffic takes a thousand times as long, and is as soon planned.
func TestHoldsFollowTraffic(t *testing.T) {
	noRace(t)
	b := rollout.Budget{Harmed: 20, Rate: 1, ErrorRate: 0.01}
	quick, err := b.Ladder()
	require.NoError(t, err)
	again, err := b.Ladder()
	require.NoError(t, err)
	require.Equal(t, quick, again)
	b.Rate /= 1_000
	slow, err := b.Ladder()
	require.NoError(t, err)
	require.Len(t, slow, len(quick))
	for i := range len(quick) - 1 {
		require.Equal(t, quick[i].Share, slow[i].Share)
		require.InEpsilon(t, 1_000, float64(slow[i].Hold)/float64(quick[i].Hold), 0.3)
	}
}

func TestBudgetRefuses(t *testing.T) {
	noRace(t)
	for _, tt := range []struct {
		name   string
		budget rollout.Budget
		want   string
	}{
		{"nothing is said", rollout.Budget{}, "rollout: derive ladder: invalid request: harmed: found 0, want more than 0 users\nrate: found 0, want more than 0 requests per second, and at most 1e9\nerror rate: found 0, want between 0 and 1"},
		{"nonsense", rollout.Budget{Harmed: math.Inf(1), Harm: 1, Rate: math.NaN(), ErrorRate: 1, Users: -1, Look: -1, Judge: health.FirstFailure{Alpha: 7}}, "rollout: derive ladder: invalid request: harmed: found +Inf, want more than 0 users\nharm: found 1, want more than 1 and at most 1e6\nrate: found NaN, want more than 0 requests per second, and at most 1e9\nerror rate: found 1, want between 0 and 1\nusers: found -1, want none below 0\nlook: found -1ns, want no time below zero\njudge: invalid: alpha is 7, want between 0 and 1"},
		{"nobody to see it by", rollout.Budget{Harmed: 20, Rate: 1, ErrorRate: 0.01, Users: 3}, "rollout: derive ladder: invalid request: harm: found 5, which is not seen in nine of ten rollouts at any share of up to 50 %, however long: want more than that, or more users"},
		{"a judge that never fails", rollout.Budget{Harmed: 20, Rate: 1, ErrorRate: 0.01, Users: 20, Judge: health.JudgeFunc(patient)}, "rollout: derive ladder: invalid request: harm: found 5, which is not seen in nine of ten rollouts at any share of up to 50 %, however long: want more than that, or more users"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.budget.Ladder()
			require.ErrorIs(t, err, rollout.ErrInvalid)
			require.EqualError(t, err, tt.want)
		})
	}
}

// Where a budget is too small, the one that the error names will do, and a smaller one
// will not.
func TestBudgetThatWouldDo(t *testing.T) {
	noRace(t)
	for _, b := range []rollout.Budget{
		{Harmed: 1, Rate: 100, ErrorRate: 0.01},
		{Harmed: 50, Rate: 200_000, ErrorRate: 0.001}, // 200 fail between two looks at 0.1 %
	} {
		_, err := b.Ladder()
		require.ErrorIs(t, err, rollout.ErrInvalid)
		want := regexp.MustCompile(`a change that fails 5 times as often, or altogether, harms [0-9.]+ users on average before it is seen, even at 0\.[12] %, the best share: want at least (\d+)$`).FindStringSubmatch(err.Error())
		require.Len(t, want, 2, "%v", err)
		do, err := strconv.ParseFloat(want[1], 64)
		require.NoError(t, err)
		b.Harmed = do - 1
		_, err = b.Ladder()
		require.ErrorContains(t, err, "want at least "+want[1])
		b.Harmed = do
		ladder, err := b.Ladder()
		require.NoError(t, err)
		require.Greater(t, len(ladder), 1)
	}
}

func TestSpent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		firsts []health.First
		want   float64
	}{
		{"nothing", nil, 0},
		{"as many as the hash expects", []health.First{{Ramp: 10_000, Candidate: 10, Baseline: 90}}, 0},
		{"fewer", []health.First{{Ramp: 10_000, Baseline: 90}}, 0},
		{"chance may do that", []health.First{{Ramp: 10_000, Candidate: 20, Baseline: 90}}, 0},
		{"and not that", []health.First{{Ramp: 10_000, Candidate: 40, Baseline: 90}}, 30 - 3*math.Sqrt(130/9.)},
		{"of those who were left", []health.First{{Lo: 20_000, Ramp: 60_000, Candidate: 100, Baseline: 20}}, 80 - 3*math.Sqrt(120)},
		{"it adds up", []health.First{{Ramp: 10_000, Candidate: 40, Baseline: 90}, {Lo: 20_000, Ramp: 60_000, Candidate: 100, Baseline: 20}}, 110 - 3*math.Sqrt(130/9.+120)},
		{"no coin at all", []health.First{{Ramp: 100_000, Candidate: 40}, {Lo: 10, Ramp: 10, Baseline: 5}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.InDelta(t, tt.want, rollout.Budget{}.Spent(health.Sample{Coins: health.Coins{Firsts: tt.firsts}}), 1e-9)
		})
	}
}

// Spent passes a small budget in few harmless rollouts, though it is asked after every
// failure of many, and in all that do a little harm for long.
func TestSpentOverTime(t *testing.T) {
	passes := func(harm float64, runs int) (share float64) {
		b := rollout.Budget{Harmed: 10}
		for run := range runs {
			rng := rand.New(rand.NewPCG(uint64(run), 8))
			firsts := []health.First{{Ramp: 1_000}, {Ramp: 10_000}, {Ramp: 50_000}}
			for i := range 12_000 {
				f := &firsts[i/4_000]
				w := float64(f.Ramp) / 100_000
				if rng.Float64() < harm*w/(1-w+harm*w) {
					f.Candidate++
				} else {
					f.Baseline++
				}
				if b.Spent(health.Sample{Coins: health.Coins{Firsts: firsts}}) > b.Harmed {
					share += 1 / float64(runs)
					break
				}
			}
		}
		return share
	}
	harmless, little := passes(1, 300), passes(1.2, 30)
	t.Logf("harmless: %.1f %%, 1.2 times as many: %.0f %%", 100*harmless, 100*little)
	require.LessOrEqual(t, harmless, 0.03)
	require.Equal(t, 1.0, math.Round(little*1e9)/1e9)
}

// noRace skips what computes for long, on one goroutine.
func noRace(t *testing.T) {
	t.Helper()
	if raceEnabled {
		t.Skip("the race detector finds nothing on one goroutine, and takes ten times as long")
	}
}

// noShortRace skips what takes long under the race detector, where other tests have
// the same goroutines.
func noShortRace(t *testing.T) {
	t.Helper()
	if raceEnabled && testing.Short() {
		t.Skip("too long under the race detector for a short test")
	}
}
