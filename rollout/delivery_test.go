package rollout_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// history writes records by hand.
type history struct {
	t       testing.TB
	journal *rollout.Memory
}

func (h history) add(r rollout.Record) {
	h.t.Helper()
	_, err := h.journal.Append(h.t.Context(), r)
	require.NoError(h.t, err)
}

// deployed is a rollout that begins at start, is exposed a minute later, and ends at
// end; bad ones turn round a minute before that.
type deployed struct {
	id         string
	start, end time.Time
	request    rollout.Requested
	how        rollout.Outcome
	to         strategy.Share // zero means 100 %
}

func (h history) rollout(d deployed) {
	h.t.Helper()
	if d.to == 0 {
		d.to = strategy.All
	}
	q := d.request
	q.Plan = strategy.Plan{Steps: []strategy.Step{strategy.Shift{From: q.Floor, To: d.to}, strategy.Hold{}}}
	add := func(kind rollout.Kind, at time.Time, generation, step int, change func(*rollout.Record)) {
		h.t.Helper()
		r := rollout.Record{Kind: kind, Rollout: d.id, At: at, Generation: generation, Step: step}
		if change != nil {
			change(&r)
		}
		h.add(r)
	}
	add(rollout.KindRequested, d.start, 0, 0, func(r *rollout.Record) { r.Request = &q })
	exposed, turned := d.start.Add(time.Minute), d.end.Add(-time.Minute)
	if d.how == rollout.Cancelled {
		add(rollout.KindFailed, turned, 0, 0, nil)
		if q.Floor == 0 {
			add(rollout.KindBegun, d.end, 1, 0, func(r *rollout.Record) { r.Attempt = 1 })
			add(rollout.KindDone, d.end, 1, 0, nil)
		}
		add(rollout.KindFinished, d.end, 1, 1, nil)
		return
	}
	add(rollout.KindBegun, exposed, 0, 0, func(r *rollout.Record) { r.Attempt = 1 })
	add(rollout.KindDone, exposed, 0, 0, nil)
	add(rollout.KindWaiting, exposed, 0, 1, nil)
	switch d.how {
	case rollout.Succeeded:
		add(rollout.KindDone, d.end, 0, 1, nil)
		add(rollout.KindFinished, d.end, 0, 2, nil)
		return
	case rollout.Superseded:
		add(rollout.KindReplaced, turned, 0, 1, nil)
	case rollout.RolledBack, rollout.Failed:
		add(rollout.KindFailed, turned, 0, 1, nil)
	}
	add(rollout.KindBegun, d.end, 1, 0, func(r *rollout.Record) { r.Attempt = 1 })
	if d.how == rollout.Failed {
		h.leave(d.id, 1, d.end)
		return
	}
	add(rollout.KindDone, d.end, 1, 0, nil)
	add(rollout.KindFinished, d.end, 1, 1, nil)
}

// back takes another rollout back.
func (h history) back(id, of string, start, end time.Time) {
	h.t.Helper()
	q := rollout.Requested{TakesBack: of, Plan: strategy.Plan{Steps: []strategy.Step{strategy.Shift{From: strategy.All}}}}
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: id, At: start, Request: &q})
	h.add(rollout.Record{Kind: rollout.KindBegun, Rollout: id, At: start, Attempt: 1})
	h.add(rollout.Record{Kind: rollout.KindDone, Rollout: id, At: end})
	h.add(rollout.Record{Kind: rollout.KindFinished, Rollout: id, At: end, Step: 1})
}

// leave ends a rollout whose way back has just begun.
func (h history) leave(id string, generation int, at time.Time) {
	h.t.Helper()
	h.add(rollout.Record{Kind: rollout.KindFailed, Rollout: id, At: at, Generation: generation, Until: at})
	h.add(rollout.Record{Kind: rollout.KindActed, Rollout: id, At: at, Generation: generation, Act: &rollout.Act{Kind: rollout.Leave, Actor: "ann"}})
	h.add(rollout.Record{Kind: rollout.KindFinished, Rollout: id, At: at, Generation: generation + 1, Step: 1})
}

func (h history) failedLater(id string, at time.Time) {
	h.t.Helper()
	act := &rollout.Act{Kind: rollout.FailedLater, Actor: "ann"}
	h.add(rollout.Record{Kind: rollout.KindActed, Rollout: id, At: at, Step: 2, Act: act, Actor: act.Actor})
}

func at(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }

// released is a request for a release that was committed some hours after noon.
func released(hours float64) rollout.Requested {
	return rollout.Requested{Service: "shop", Environment: "production", Release: rollout.Release{Committed: at(hours)}}
}

// week is what the golden test measures. In hours after noon, of deployments that
// ended from 0 to 168:
//
//	id           exposed   turned   ended   lead
//	a ... j      12i       -        12i+½   1 to 10
//	bad          130 1/60  130 59/60  131   -        recovery 59m, from detection 1m
//	worse        140 1/60  141 59/60  142   -        recovery 1h59m, from detection 1m
//	undated      150                  151   unknown
//	misdated     152                  153   -1, left out
//	replaced     154                  155   -        did not fail
//	regretted    156 1/60             157   2        taken back: asked for at 170, back at 171; recovery 14h59m, from detection 1h
//	called bad   158 1/60             159   3        said at 172; a hotfix
//
// These are 10 + 2 + 1 + 1 + 1 + 2 = 17 deployments in 7 days, 2.43 a day, of which
// bad, worse, regretted and called bad failed: 4 of 17 = 23.5 %. Wilson's interval of
// that is (4 + z²/2)/(17 + z²) ± z/(17 + z²)·√(4·13/17 + z²/4) = 28.4 ± 18.9 %, with
// z² = 3.8415. Lead times are 1 to 10, 2 and 3: sorted 1 2 2 3 3 4 5 6 7 8 9 10, the
// 6th of 12 is 4, the 11th is 9, the mean 60/12 = 5; of twelve coins fewer than 3 are
// heads with probability (1 + 12 + 66)/4096 = 1.9 %, so the interval is from the 3rd
// to the 10th: 2 to 8. Between are 9 times 12 h, 22.5 h (108.5 to 131), 11, 9, 2, 2,
// 2, 2: in all 158.5 h over 16 = 9 h 54 min; the 8th of 16 is 12 h, and so is the
// 15th; fewer than 4 of 16 coins have probability 697/65536 = 1.1 % and fewer than
// 5 have 3.8 %, so the interval is from the 4th, 2 h, to the 13th, 12 h. The rework
// rate is 1 of 17: (1 + z²/2)/(17 + z²) ± z/(17 + z²)·√(16/17 + z²/4) = 14.0 ± 13.0 %.
func week(t testing.TB) *rollout.Memory {
	h := history{t, &rollout.Memory{}}
	h.rollout(deployed{"before", at(-9), at(-8), released(-10), rollout.RolledBack, 0})
	for i := range 10 {
		start := float64(12 * i)
		h.rollout(deployed{string(rune('a' + i)), at(start), at(start + 0.5), released(start + 0.5 - float64(i+1)), rollout.Succeeded, 0})
	}
	h.rollout(deployed{"cancelled", at(120), at(121), released(119), rollout.Cancelled, 0})
	h.rollout(deployed{"bad", at(130), at(131), released(129), rollout.RolledBack, strategy.Percent})
	h.rollout(deployed{"worse", at(140), at(142), released(129), rollout.RolledBack, 50 * strategy.Percent})
	h.rollout(deployed{"undated", at(150), at(151), rollout.Requested{Service: "shop", Environment: "test"}, rollout.Succeeded, 0})
	h.rollout(deployed{"misdated", at(152), at(153), released(154), rollout.Succeeded, 0})
	h.rollout(deployed{"replaced", at(154), at(155), released(150), rollout.Superseded, 0})
	h.rollout(deployed{"regretted", at(156), at(157), released(155), rollout.Succeeded, 0})
	hotfix := released(156)
	hotfix.Rework = true
	h.rollout(deployed{"called bad", at(158), at(159), hotfix, rollout.Succeeded, 0})
	h.back("regretted back", "regretted", at(170), at(171))
	h.failedLater("called bad", at(172))
	h.rollout(deployed{"after", at(200), at(201), released(199), rollout.Succeeded, 0})
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: "under way", At: at(202), Request: &rollout.Requested{Plan: strategy.Plan{Steps: []strategy.Step{strategy.Hold{}}}}})
	return h.journal
}

func measure(t testing.TB, journal rollout.Journal, o rollout.DeliveryOptions) []rollout.Delivery {
	t.Helper()
	all, err := rollout.NewDelivery(journal.Records(), o)
	require.NoError(t, err)
	return all
}

func TestDelivery(t *testing.T) {
	all := measure(t, week(t), rollout.DeliveryOptions{From: at(0), To: at(168)})
	require.Len(t, all, 1)
	require.Equal(t, `2026-01-02 12:00 to 2026-01-09 12:00 UTC
deployments             17
deployment frequency    2.43 a day
between deployments     median 12h0m0s (95 % interval 2h0m0s to 12h0m0s), p90 12h0m0s, mean 9h54m23s of 16
change lead time        median 4h0m0s (95 % interval 2h0m0s to 8h0m0s), p90 9h0m0s, mean 5h0m0s of 12; 1 left out, as committed after they were promoted
change failure rate     24 % (4 of 17; 95 % interval 10 to 47 %)
recovery time           median 1h59m0s, p90 14h59m0s, mean 5h59m0s of 3
  from detection        median 1m0s, p90 1h0m0s, mean 20m40s of 3
rework rate             6 % (1 of 17; 95 % interval 1 to 27 %)`, all[0].String())
	for _, r := range []*rollout.Rate{all[0].ChangeFailureRate, all[0].ReworkRate} { // the last bits are the processor's
		for _, x := range []*float64{&r.Value, &r.Low, &r.High} {
			*x = math.Round(*x*1e6) / 1e6
		}
	}
	text, err := json.MarshalIndent(all[0], "", "  ")
	require.NoError(t, err)
	require.Equal(t, `{
  "from": "2026-01-02T12:00:00Z",
  "to": "2026-01-09T12:00:00Z",
  "deployments": 17,
  "failed": 4,
  "rework": 1,
  "per_day": 2.4285714285714284,
  "between": {
    "count": 16,
    "mean_seconds": 35662.5,
    "median_seconds": 43200,
    "median_low_seconds": 7200,
    "median_high_seconds": 43200,
    "p90_seconds": 43200
  },
  "lead_time": {
    "count": 12,
    "mean_seconds": 18000,
    "median_seconds": 14400,
    "median_low_seconds": 7200,
    "median_high_seconds": 28800,
    "p90_seconds": 32400
  },
  "misdated": 1,
  "change_failure_rate": {
    "value": 0.235294,
    "low": 0.09555,
    "high": 0.472618
  },
  "recovery_time": {
    "count": 3,
    "mean_seconds": 21540,
    "median_seconds": 7140,
    "p90_seconds": 53940
  },
  "recovery_from_detection": {
    "count": 3,
    "mean_seconds": 1240,
    "median_seconds": 60,
    "p90_seconds": 3600
  },
  "rework_rate": {
    "value": 0.058824,
    "low": 0.01046,
    "high": 0.26982
  }
}`, string(text))
	var again rollout.Delivery
	require.NoError(t, json.Unmarshal(text, &again))
	require.Equal(t, all[0], again)
}

// TestDeliveryOptions: what counts, and under what.
func TestDeliveryOptions(t *testing.T) {
	counts := func(o rollout.DeliveryOptions) (out []string) {
		for _, d := range measure(t, week(t), o) {
			out = append(out, fmt.Sprintf("%s/%s %s to %s: %d, %d failed", d.Service, d.Environment, d.From.Format("2 15:04:05"), d.To.Format("2 15:04:05"), d.Deployments, d.Failed))
		}
		return out
	}
	within := rollout.DeliveryOptions{From: at(0), To: at(168)}
	o := within
	require.Equal(t, []string{"/ 2 03:00:00 to 10 22:00:01: 19, 5 failed"}, counts(rollout.DeliveryOptions{}), "all, from the oldest record to after the newest")
	o.Each = true
	require.Equal(t, []string{"shop/production 2 12:00:00 to 9 12:00:00: 16, 4 failed", "shop/test 2 12:00:00 to 9 12:00:00: 1, 0 failed"}, counts(o))
	o.Every = rollout.Week // from Monday, which is the 5th
	require.Equal(t, []string{
		"shop/production 2 12:00:00 to 5 00:00:00: 5, 0 failed", "shop/production 5 00:00:00 to 9 12:00:00: 11, 4 failed",
		"shop/test 2 12:00:00 to 5 00:00:00: 0, 0 failed", "shop/test 5 00:00:00 to 9 12:00:00: 1, 0 failed",
	}, counts(o))
	o = within
	o.Only = func(q rollout.Requested) bool { return q.Environment == "test" }
	require.Equal(t, []string{"/ 2 12:00:00 to 9 12:00:00: 1, 0 failed"}, counts(o))
	o = within
	o.MinExposure = 50 * strategy.Percent // all but the one that was bad at 1 %
	require.Equal(t, []string{"/ 2 12:00:00 to 9 12:00:00: 16, 3 failed"}, counts(o))
	o.MinExposure = strategy.All
	require.Equal(t, []string{"/ 2 12:00:00 to 9 12:00:00: 15, 2 failed"}, counts(o))
	o = rollout.DeliveryOptions{From: at(0), To: at(24), Every: rollout.Day}
	require.Equal(t, []string{
		"/ 2 12:00:00 to 3 00:00:00: 1, 0 failed", "/ 3 00:00:00 to 3 12:00:00: 1, 0 failed",
	}, counts(o), "the second ends at 00:30, the third after To")
	o.Location = time.FixedZone("", 3600)
	require.Equal(t, []string{
		"/ 2 13:00:00 to 3 00:00:00: 1, 0 failed", "/ 3 00:00:00 to 3 13:00:00: 1, 0 failed",
	}, counts(o))
	require.Equal(t, []string{"/ 11 12:00:00 to 11 12:00:00: 0, 0 failed"}, counts(rollout.DeliveryOptions{From: at(9 * 24)}), "nothing yet")
	// An engine measures up to now, and has the same.
	engine := newEngine(t, week(t))
	all, err := engine.Delivery(rollout.DeliveryOptions{})
	require.NoError(t, err)
	require.Equal(t, []int{19, 5}, []int{all[0].Deployments, all[0].Failed})
	require.WithinRange(t, all[0].To, time.Now().Add(-time.Minute), time.Now().Add(time.Minute))
}

// TestMidnight: what ends when a period ends belongs to the next one.
func TestMidnight(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	h.rollout(deployed{"a", at(11), at(12), rollout.Requested{}, rollout.Succeeded, 0})
	all := measure(t, h.journal, rollout.DeliveryOptions{Every: rollout.Day})
	require.Len(t, all, 2)
	require.Equal(t, []int{0, 1}, []int{all[0].Deployments, all[1].Deployments})
	require.Zero(t, measure(t, h.journal, rollout.DeliveryOptions{To: at(12)})[0].Deployments)
	require.Equal(t, 1, measure(t, h.journal, rollout.DeliveryOptions{From: at(12)})[0].Deployments)
}

// TestCalendarDays: a day is a day, however many hours it has.
func TestCalendarDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	h := history{t, &rollout.Memory{}}
	end := time.Date(2026, 3, 29, 23, 30, 0, 0, berlin) // the day that has no hour from 2 to 3
	h.rollout(deployed{"a", end.Add(-time.Hour), end, rollout.Requested{}, rollout.Succeeded, 0})
	all := measure(t, h.journal, rollout.DeliveryOptions{
		From: time.Date(2026, 3, 28, 0, 0, 0, 0, berlin), To: time.Date(2026, 3, 31, 0, 0, 0, 0, berlin), Every: rollout.Day, Location: berlin,
	})
	require.Len(t, all, 3)
	for i, want := range []float64{0, 1, 0} {
		require.Equal(t, want, *all[i].PerDay)
	}
	require.Equal(t, 23*time.Hour, all[1].To.Sub(all[1].From))
}

func TestDeliveryOptionsAreRefused(t *testing.T) {
	for want, o := range map[string]rollout.DeliveryOptions{
		"no end before the beginning":   {From: at(1), To: at(0)},
		"every: found 9":                {Every: 9},
		"min exposure: found 200 %":     {MinExposure: 2 * strategy.All},
		"has more than 10000 periods":   {From: time.Unix(0, 0), To: at(0), Every: rollout.Day},
		"min exposure: found -0.001 %":  {MinExposure: -1},
		"every: found 9, want one of t": {Every: 9, MinExposure: -1},
	} {
		_, err := rollout.NewDelivery((&rollout.Memory{}).Records(), o)
		require.ErrorIs(t, err, rollout.ErrInvalid)
		require.ErrorContains(t, err, want)
	}
}

func TestNothingToDivideBy(t *testing.T) {
	got := measure(t, &rollout.Memory{}, rollout.DeliveryOptions{From: noon, To: noon.Add(time.Hour)})[0]
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, `{"from": "2026-01-02T12:00:00Z", "to": "2026-01-02T13:00:00Z", "deployments": 0, "failed": 0, "rework": 0}`, string(text))
	require.Equal(t, `2026-01-02 12:00 to 2026-01-02 13:00 UTC
deployments             0
deployment frequency    no value: the period is under a day
between deployments     no value
change lead time        no value
change failure rate     no value: no deployments
recovery time           no value
  from detection        no value
rework rate             no value: no deployments`, got.String())
	none := measure(t, &rollout.Memory{}, rollout.DeliveryOptions{})
	require.Equal(t, []rollout.Delivery{{}}, none)
	require.Empty(t, measure(t, &rollout.Memory{}, rollout.DeliveryOptions{Each: true, Every: rollout.Day}))
}

// TestPromotedAfterAll: one that went back and was turned round by a person has
// succeeded, and when it was first detected counts for nothing.
func TestPromotedAfterAll(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	add := func(kind rollout.Kind, minutes, generation, step int, act *rollout.Act) {
		h.t.Helper()
		r := rollout.Record{Kind: kind, Rollout: "r", At: noon.Add(time.Duration(minutes) * time.Minute), Generation: generation, Step: step, Act: act}
		if kind == rollout.KindRequested {
			r.Request = &rollout.Requested{Plan: strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Hour}}}}
		}
		h.add(r)
	}
	add(rollout.KindRequested, 0, 0, 0, nil)
	add(rollout.KindBegun, 1, 0, 0, nil)
	add(rollout.KindFailed, 2, 0, 0, nil)
	add(rollout.KindActed, 3, 1, 0, &rollout.Act{Kind: rollout.Promote, Actor: "ann"})
	add(rollout.KindBegun, 4, 2, 0, nil)
	add(rollout.KindDone, 5, 2, 0, nil)
	saved := h.journal
	finish := func(end func()) rollout.Delivery {
		h.journal = &rollout.Memory{}
		for r := range saved.Records() {
			h.add(r)
		}
		end()
		return measure(t, h.journal, rollout.DeliveryOptions{})[0]
	}
	good := finish(func() {
		add(rollout.KindWaiting, 6, 2, 1, nil)
		add(rollout.KindDone, 7, 2, 1, nil)
		add(rollout.KindFinished, 8, 2, 2, nil)
	})
	require.Equal(t, []int{1, 0}, []int{good.Deployments, good.Failed})
	bad := finish(func() {
		add(rollout.KindActed, 10, 2, 1, &rollout.Act{Kind: rollout.Abort, Actor: "ann"})
		add(rollout.KindBegun, 11, 3, 0, nil)
		add(rollout.KindDone, 12, 3, 0, nil)
		add(rollout.KindFinished, 13, 3, 1, nil)
	})
	require.Equal(t, []int{1, 1}, []int{bad.Deployments, bad.Failed})
	require.Equal(t, 12*time.Minute, bad.RecoveryTime.Median)
	require.Equal(t, 3*time.Minute, bad.RecoveryFromDetection.Median)
}

// TestFailedTwiceCountsOnce: a hotfix that is a failure, too, and is taken back after a
// person has called it bad, counts once.
func TestFailedTwiceCountsOnce(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	h.rollout(deployed{"a", at(0), at(1), rollout.Requested{Rework: true}, rollout.Succeeded, 0})
	h.failedLater("a", at(2))
	h.back("a back", "a", at(3), at(4))
	d := measure(t, h.journal, rollout.DeliveryOptions{})[0]
	require.Equal(t, []int{1, 1, 1}, []int{d.Deployments, d.Failed, d.Rework})
	require.Equal(t, 1.0, d.ChangeFailureRate.Value)
	require.Equal(t, 2*time.Hour, d.RecoveryFromDetection.Median)
	require.Equal(t, 4*time.Hour-time.Minute, d.RecoveryTime.Median)
}

// TestLeftIsAFailure: whoever leaves a way back that fails restores nothing.
func TestLeftIsAFailure(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	h.rollout(deployed{"a", at(0), at(1), rollout.Requested{}, rollout.Failed, 0})
	d := measure(t, h.journal, rollout.DeliveryOptions{})[0]
	require.Equal(t, []int{1, 1}, []int{d.Deployments, d.Failed})
	require.Nil(t, d.RecoveryTime)
	require.Nil(t, d.RecoveryFromDetection)
}

// TestDeliveryAddsUp: over random histories, rates are rates, what failed was a
// deployment, and services and periods add up to the whole.
func TestDeliveryAddsUp(t *testing.T) {
	for seed := range uint64(50) {
		random := rand.New(rand.NewPCG(seed, 5))
		h := history{t, &rollout.Memory{}}
		var good []string
		for i := range random.IntN(60) {
			start := at(float64(random.IntN(2000)))
			d := deployed{
				id: fmt.Sprint(i), start: start, end: start.Add(2*time.Minute + time.Duration(random.Int64N(int64(90*time.Hour)))),
				request: rollout.Requested{Service: string(rune('a' + random.IntN(3))), Environment: string(rune('x' + random.IntN(2))), Rework: random.IntN(5) == 0},
				how:     rollout.Outcome(1 + random.IntN(5)), to: strategy.Share(1 + random.IntN(int(strategy.All))),
			}
			if random.IntN(2) == 0 {
				d.request.Release.Committed = start.Add(time.Duration(random.Int64N(int64(200*time.Hour))) - 150*time.Hour)
			}
			h.rollout(d)
			if d.how == rollout.Succeeded {
				good = append(good, d.id)
			}
			if n := len(good); n > 0 && random.IntN(4) == 0 {
				h.back(fmt.Sprint(i, " back"), good[n-1], d.end, d.end.Add(time.Hour))
				good = good[:n-1]
			} else if n > 0 && random.IntN(6) == 0 {
				h.failedLater(good[n-1], d.end)
				good = good[:n-1]
			}
		}
		o := rollout.DeliveryOptions{MinExposure: strategy.Share(random.IntN(2)) * 20 * strategy.Percent}
		if random.IntN(2) == 0 {
			o.From, o.To = at(300), at(1700)
		}
		whole := measure(t, h.journal, o)[0]
		for every := rollout.Whole; every <= rollout.Month; every++ {
			for _, each := range []bool{false, true} {
				o.Every, o.Each = every, each
				sum, ends := rollout.Delivery{From: whole.From, To: whole.To}, map[string]time.Time{}
				for _, d := range measure(t, h.journal, o) {
					if d.Failed > d.Deployments || d.Rework > d.Deployments {
						t.Fatalf("seed %d: %+v", seed, d)
					}
					for _, r := range []*rollout.Rate{d.ChangeFailureRate, d.ReworkRate} {
						if r == nil {
							require.Zero(t, d.Deployments)
						} else if !(0 <= r.Low && r.Low <= r.Value && r.Value <= r.High && r.High <= 1) {
							t.Fatalf("seed %d: rate %+v", seed, r)
						}
					}
					for _, times := range []*rollout.Durations{d.Between, d.LeadTime, d.RecoveryTime, d.RecoveryFromDetection} {
						if times != nil && times.Count >= 6 && !(times.Low <= times.Median && times.Median <= times.High && times.Median <= times.P90) {
							t.Fatalf("seed %d: %+v", seed, times)
						}
					}
					sum.Deployments += d.Deployments
					sum.Failed += d.Failed
					sum.Rework += d.Rework
					sum.Misdated += d.Misdated
					group := d.Service + d.Environment
					if from, ok := ends[group]; ok {
						require.True(t, from.Equal(d.From), "seed %d: a gap at %v", seed, d.From)
					} else {
						require.True(t, whole.From.Equal(d.From))
					}
					ends[group] = d.To
				}
				for _, to := range ends {
					require.True(t, to.Equal(whole.To))
				}
				want := rollout.Delivery{From: whole.From, To: whole.To, Deployments: whole.Deployments, Failed: whole.Failed, Rework: whole.Rework, Misdated: whole.Misdated}
				require.Equal(t, want, sum, "seed %d, every %d, each %v", seed, every, each)
			}
		}
	}
}

// TestMedianInterval: ranks from the binomial distribution, as tables of the sign
// test have them at 5 %, two-sided.
func TestMedianInterval(t *testing.T) {
	for n, rank := range map[int]int{5: 0, 6: 1, 8: 1, 9: 2, 12: 3, 20: 6, 25: 8, 50: 18, 100: 40, 1000: 469, 3000: 1446} {
		h := history{t, &rollout.Memory{}}
		for i := range n {
			h.rollout(deployed{fmt.Sprint(i), noon, noon.Add(24 * time.Hour), rollout.Requested{Release: rollout.Release{Committed: noon.Add(24*time.Hour - time.Duration(i+1)*time.Second)}}, rollout.Succeeded, 0})
		}
		lead := measure(t, h.journal, rollout.DeliveryOptions{})[0].LeadTime
		low, high := time.Duration(rank)*time.Second, time.Duration(n+1-rank)*time.Second
		if rank == 0 {
			low, high = 0, 0
		}
		require.Equal(t, []time.Duration{low, high}, []time.Duration{lead.Low, lead.High}, "of %d", n)
	}
}
