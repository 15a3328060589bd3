package rollout_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// folded is the machine after some records, one a second.
func folded(t *testing.T, q rollout.Requested, records ...rollout.Record) rollout.Machine {
	t.Helper()
	var m rollout.Machine
	for i, r := range append([]rollout.Record{{Kind: rollout.KindRequested, Request: &q}}, records...) {
		if r.At.IsZero() {
			r.At = noon.Add(time.Duration(i) * time.Second)
		}
		r.Step, r.Generation, r.Actor = m.State().Step, m.State().Generation, "test"
		require.NoError(t, m.Apply(r), "record %d", i)
	}
	return m
}

func acted(kind rollout.ActKind) rollout.Record {
	return rollout.Record{Kind: rollout.KindActed, Act: &rollout.Act{Kind: kind, Actor: "ann"}}
}

// begunAndDone are the records of one step.
func begunAndDone() []rollout.Record {
	return []rollout.Record{{Kind: rollout.KindBegun, Attempt: 1}, {Kind: rollout.KindDone, Attempt: 1}}
}

// TestPausedWhilePromoted: a pause has its deadline, also of one that a person
// promotes, which knows no other.
func TestPausedWhilePromoted(t *testing.T) {
	deadlines := rollout.Deadlines{Pause: rollout.Deadline{Within: time.Minute, Then: rollout.ThenGoOn}, Overall: rollout.Deadline{Within: time.Second}}
	m := folded(t, rollout.Requested{Plan: toFifty, Deadlines: deadlines}, acted(rollout.Promote), acted(rollout.Pause))
	next := m.Next(noon.Add(time.Hour))
	require.Equal(t, rollout.DoExpire, next.Do)
	require.Equal(t, rollout.ThenGoOn, next.Then)
}

// TestNoWayBackAtADeadline: where the action of a deadline is to go back, and there is
// no way back, it waits for a person, and the deadline is used up.
func TestNoWayBackAtADeadline(t *testing.T) {
	p := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 50 * strategy.Percent}, strategy.NoReturn{Why: "gone"}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All}}}
	deadlines := rollout.Deadlines{Pause: rollout.Deadline{Within: time.Minute}, Overall: rollout.Deadline{Within: 10 * time.Minute}}
	records := append(append(begunAndDone(), begunAndDone()...), acted(rollout.Pause))
	for _, late := range []time.Duration{2 * time.Minute, time.Hour} { // the pause's deadline, and both
		at := noon.Add(late)
		m := folded(t, rollout.Requested{Plan: p, Deadlines: deadlines}, records...)
		for range 2 {
			if m.Next(at).Do == rollout.DoExpire {
				require.NoError(t, m.Apply(rollout.Record{Kind: rollout.KindFailed, At: at, Step: m.State().Step}))
			}
		}
		require.Equal(t, rollout.DoWait, m.Next(at).Do, "after %v", late)
		require.Zero(t, m.Next(at).At)
		require.Equal(t, "forward 2, paused", m.State().String())
	}
}

// TestPausedTwice: the deadline of it all pauses what goes forward, and leaves alone
// what a person has paused already.
func TestPausedTwice(t *testing.T) {
	deadlines := rollout.Deadlines{Overall: rollout.Deadline{Within: time.Minute, Then: rollout.ThenPause}}
	m := folded(t, rollout.Requested{Plan: toFifty, Deadlines: deadlines}, acted(rollout.Pause))
	at := noon.Add(time.Hour)
	require.Equal(t, rollout.DoWait, m.Next(at).Do)
	goOn := acted(rollout.Continue)
	goOn.At = at
	require.NoError(t, m.Apply(goOn))
	require.Equal(t, rollout.DoExpire, m.Next(at).Do)
	require.Equal(t, rollout.ThenPause, m.Next(at).Then)
}

// TestRollBackOfNothing: what moved nothing cannot be taken back.
func TestRollBackOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, w := newEngine(t, &rollout.Memory{}), harmless()
		for _, r := range []rollout.Request{
			{ID: "one", Plan: toFifty, Release: rollout.Release{Version: "1"}},
			{ID: "two", Plan: strategy.Plan{Steps: []strategy.Step{strategy.Promote{}}}, Release: rollout.Release{Version: "2"}},
		} {
			r.Target = w
			_, err := engine.Deploy(t.Context(), r)
			require.NoError(t, err)
		}
		err := engine.Act(t.Context(), "two", rollout.Act{Kind: rollout.RollBack, Actor: "ann"})
		require.ErrorIs(t, err, rollout.ErrNoWayBack)
		require.ErrorContains(t, err, "its plan moved nothing")
	})
}

// TestRollBackAsksNoJudge: a rollout that was promoted by the evidence of its judges
// is taken back without any.
func TestRollBackAsksNoJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine, w := newEngine(t, &rollout.Memory{}), harmless()
		pass := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
			return health.Verdict{Call: health.Pass}, nil
		})
		for _, version := range []string{"1", "2"} {
			w.share.Store(0)
			outcome, err := engine.Deploy(t.Context(), rollout.Request{
				ID: version, Release: rollout.Release{Version: version}, Target: w, Promotion: rollout.EvidenceOfNoHarm,
				Plan:    strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Minute, Judges: []string{"errors"}}}},
				Watches: map[string]rollout.Watch{"errors": {Judge: pass, Cohorts: health.NewCohorts(health.CohortsOptions{})}},
			})
			require.NoError(t, err)
			require.Equal(t, rollout.Succeeded, outcome)
		}
		require.NoError(t, engine.Act(t.Context(), "2", rollout.Act{Kind: rollout.RollBack, Actor: "ann"}))
		outcome, err := engine.Resume(t.Context(), rollout.Request{ID: "2 back", Target: w})
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Zero(t, w.at())
	})
}

// TestEvidenceFromThoseWhoWatch: a judge that does not watch the last hold could never
// pass there.
func TestEvidenceFromThoseWhoWatch(t *testing.T) {
	nothing := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { return health.Verdict{}, nil })
	watch := rollout.Watch{Judge: nothing, Cohorts: health.NewCohorts(health.CohortsOptions{})}
	_, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), rollout.Request{
		ID: "r", Target: harmless(), Promotion: rollout.EvidenceOfNoHarm, Watches: map[string]rollout.Watch{"errors": watch, "latency": watch},
		Plan: strategy.Plan{Steps: []strategy.Step{
			strategy.Shift{To: strategy.Percent}, strategy.Hold{Judges: []string{"errors", "latency"}},
			strategy.Shift{To: strategy.All}, strategy.Hold{Judges: []string{"errors"}},
		}},
	})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.ErrorContains(t, err, `"latency" does not watch the last hold that has judges`)
}

// TestSomeHaveItAlready: those who have the new version before its rollout begins are
// no exposure of its own: it may begin with a hold, and they keep it when it goes back.
func TestSomeHaveItAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := harmless()
		w.stuckAt = strategy.All
		w.share.Store(int32(5 * strategy.Percent))
		outcome, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), rollout.Request{ID: "r", Target: w, Plan: strategy.Plan{Steps: []strategy.Step{
			strategy.Hold{For: time.Minute}, strategy.Shift{From: 5 * strategy.Percent, To: 50 * strategy.Percent}, strategy.Shift{From: 50 * strategy.Percent, To: strategy.All},
		}}})
		require.NoError(t, err)
		require.Equal(t, rollout.RolledBack, outcome)
		require.Equal(t, []strategy.Share{50 * strategy.Percent, strategy.All, 5 * strategy.Percent}, w.shifts)
	})
}
