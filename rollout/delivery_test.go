package rollout_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// history writes rollouts that begin at some minutes of a week, are exposed a
// minute later, and end after some more.
type history struct {
	t       *testing.T
	journal *rollout.Memory
}

func (h history) add(r rollout.Record) {
	h.t.Helper()
	_, err := h.journal.Append(h.t.Context(), r)
	require.NoError(h.t, err)
}

func (h history) rollout(id string, start, end time.Time, committed time.Time, good bool) {
	h.t.Helper()
	plan := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{}}}
	if !good {
		plan.Steps[1] = strategy.Hold{Judges: []string{"errors"}}
	}
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: id, At: start, Request: &rollout.Requested{Plan: plan, Release: rollout.Release{Committed: committed}}})
	exposed := start.Add(time.Minute)
	h.add(rollout.Record{Kind: rollout.KindBegun, Rollout: id, At: exposed, Attempt: 1})
	h.add(rollout.Record{Kind: rollout.KindDone, Rollout: id, At: exposed})
	h.add(rollout.Record{Kind: rollout.KindWaiting, Rollout: id, Step: 1, At: exposed})
	if good {
		h.add(rollout.Record{Kind: rollout.KindDone, Rollout: id, Step: 1, At: end})
	} else {
		h.add(rollout.Record{Kind: rollout.KindLooked, Rollout: id, Step: 1, At: end, Look: &rollout.Look{Watch: "errors", Verdict: health.Verdict{Call: health.Fail}}})
		h.add(rollout.Record{Kind: rollout.KindBegun, Rollout: id, Generation: 1, At: end, Attempt: 1})
		h.add(rollout.Record{Kind: rollout.KindDone, Rollout: id, Generation: 1, At: end})
	}
	generation := 0
	if !good {
		generation = 1
	}
	h.add(rollout.Record{Kind: rollout.KindFinished, Rollout: id, Generation: generation, At: end})
}

func TestDelivery(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	at := func(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }
	h.rollout("before", at(-9), at(-8), at(-10), false)
	for i := range 10 { // lead times of 1 to 10 hours
		start := at(float64(12 * i))
		h.rollout(string(rune('a'+i)), start, start.Add(30*time.Minute), start.Add(30*time.Minute).Add(-time.Duration(i+1)*time.Hour), true)
	}
	h.rollout("bad", at(130), at(131), at(129), false)
	h.rollout("worse", at(140), at(142), at(129), false)
	h.rollout("no commit time", at(150), at(151), time.Time{}, true)
	h.rollout("committed later, by a wrong clock", at(152), at(153), at(154), true)
	h.rollout("after", at(200), at(201), at(199), true)

	got, err := rollout.NewDelivery(h.journal.Records(), at(0), at(168))
	require.NoError(t, err)
	perDay := 2.0
	require.Equal(t, rollout.Delivery{
		From: at(0), To: at(168), Deployments: 14, Failed: 2, PerDay: &perDay,
		LeadTime:          &rollout.Durations{Count: 10, Mean: 5*time.Hour + 30*time.Minute, Median: 5 * time.Hour, P90: 9 * time.Hour},
		ChangeFailureRate: &rollout.Rate{Value: 2.0 / 14, Low: got.ChangeFailureRate.Low, High: got.ChangeFailureRate.High},
		RecoveryTime:      &rollout.Durations{Count: 2, Mean: 89 * time.Minute, Median: 59 * time.Minute, P90: 119 * time.Minute},
	}, got)
	// Wilson's interval of 2 in 14, from its closed form.
	require.InDelta(t, 0.0401, got.ChangeFailureRate.Low, 0.0005)
	require.InDelta(t, 0.3994, got.ChangeFailureRate.High, 0.0005)
	require.Equal(t, `deployments            14
deployment frequency   2.00 a day
lead time for changes  median 5h0m0s, p90 9h0m0s, mean 5h30m0s of 10
change failure rate    14 % (2 of 14; 95 % interval 4 to 40 %)
time to recover        median 59m0s, p90 1h59m0s, mean 1h29m0s of 2`, got.String())
}

func TestNothingToDivideBy(t *testing.T) {
	got, err := rollout.NewDelivery((&rollout.Memory{}).Records(), noon, noon.Add(time.Hour))
	require.NoError(t, err)
	text, err := json.Marshal(got)
	require.NoError(t, err)
	require.JSONEq(t, `{"from": "2026-01-02T12:00:00Z", "to": "2026-01-02T13:00:00Z", "deployments": 0, "failed": 0}`, string(text))
	require.Equal(t, `deployments            0
deployment frequency   no value: the period is under a day
lead time for changes  no value
change failure rate    no value: no deployments
time to recover        no value`, got.String())
}
