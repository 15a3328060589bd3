package rollout_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// tale is a rollout to 25 % of which the journal has a look every minute: at so many
// failures, by a judge that fails the change at its limit.
type tale struct {
	id       string
	request  rollout.Requested
	failures []uint64
	limit    uint64
	ends     rollout.Record // how it ends, if no look does; zero is well
	at       int            // how many looks there are before that; zero is all
	left     bool           // its way back fails, and a person leaves it
}

// told writes the tale of a rollout that begins at start.
func (h history) told(start time.Time, one tale) {
	h.t.Helper()
	q := one.request
	if q.Plan.Steps == nil {
		q.Plan = strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 25 * strategy.Percent}, strategy.Hold{For: time.Hour, Judges: []string{"errors"}}}}
	}
	var m rollout.Machine
	add := func(at time.Time, r rollout.Record) {
		h.t.Helper()
		s := m.State()
		r.Rollout, r.At, r.Step, r.Generation = one.id, at, s.Step, s.Generation
		require.NoError(h.t, m.Apply(r))
		h.add(r)
	}
	add(start, rollout.Record{Kind: rollout.KindRequested, Request: &q})
	for m.Next(start).Do == rollout.DoBegin {
		add(start, rollout.Record{Kind: rollout.KindBegun, Attempt: 1})
		add(start, rollout.Record{Kind: rollout.KindDone})
	}
	end := start.Add(time.Hour)
	add(start, rollout.Record{Kind: rollout.KindWaiting, Until: end})
	for i, failures := range one.failures {
		if one.at > 0 && i == one.at {
			add(start.Add(time.Duration(i)*time.Minute), one.ends)
		}
		if m.State().Phase == rollout.Back {
			break
		}
		verdict := health.Verdict{Reason: "well"}
		if failures >= one.limit {
			verdict = health.Verdict{Call: health.Fail, Reason: "it hurts"}
		}
		sample := health.Sample{Candidate: health.Side{Successes: uint64(i), Failures: failures}}
		at := start.Add(time.Duration(i+1) * time.Minute)
		if i == len(one.failures)-1 {
			at = end
		}
		add(at, rollout.Record{Kind: rollout.KindLooked, Actor: "judge errors", Reason: verdict.Reason, Look: &rollout.Look{
			Watch: "errors", Verdict: verdict, Checkpoint: health.Checkpoint{Sample: sample},
		}})
	}
	if one.ends.Kind != "" && one.at == 0 {
		add(end, one.ends)
	}
	for {
		switch next := m.Next(end); next.Do {
		case rollout.DoBegin:
			add(end, rollout.Record{Kind: rollout.KindBegun, Attempt: 1})
			if one.left && m.State().Phase == rollout.Back {
				add(end, rollout.Record{Kind: rollout.KindFailed, Until: end})
				add(end, rollout.Record{Kind: rollout.KindActed, Actor: "ann", Act: &rollout.Act{Kind: rollout.Leave, Actor: "ann"}})
				continue
			}
			add(end, rollout.Record{Kind: rollout.KindDone})
		case rollout.DoHold:
			add(end, rollout.Record{Kind: rollout.KindWaiting, Until: end})
		case rollout.DoAdvance:
			add(end, rollout.Record{Kind: rollout.KindDone})
		case rollout.DoWatch: // for a look
			add(end, rollout.Record{Kind: rollout.KindActed, Act: &rollout.Act{Kind: rollout.Promote, Actor: "ann"}})
		case rollout.DoFinish:
			add(end, rollout.Record{Kind: rollout.KindFinished})
			return
		default:
			require.Fail(h.t, "stuck", "%v", next)
		}
	}
}

// limit is a judge that fails what has so many failures.
func limit(most uint64) health.Judge {
	return health.JudgeFunc(func(state health.State, sample health.Sample) (health.Verdict, health.State) {
		if failures := sample.Candidate.Failures; failures >= most {
			return health.Verdict{Call: health.Fail, Reason: fmt.Sprintf("%d failures, and %d are allowed", failures, most-1)}, state
		}
		return health.Verdict{}, state
	})
}

func backtest(t testing.TB, records iter.Seq2[rollout.Record, error], policy rollout.Policy) rollout.BacktestReport {
	t.Helper()
	report, err := rollout.Backtest(records, policy)
	require.NoError(t, err)
	sum := report.Same + report.Earlier + report.Missed + report.FalseAlarms + report.Caught + report.Unclear
	require.Equal(t, report.Rollouts, sum)
	return report
}

// TestBacktestFindings: what each policy comes to, by what happened.
func TestBacktestFindings(t *testing.T) {
	rising := []uint64{0, 2, 4, 6, 8} // at minutes 1 to 4, and at the end
	person := func(kind rollout.ActKind) rollout.Record {
		return rollout.Record{Kind: rollout.KindActed, Actor: "ann", Act: &rollout.Act{Kind: kind, Actor: "ann"}}
	}
	judged := func(most uint64) rollout.Policy { return rollout.Policy{Judge: limit(most)} }
	recorded := func(then rollout.Expiry) rollout.Policy {
		return rollout.Policy{Watches: map[string]rollout.Watch{"errors": {Then: then}}}
	}
	gone := strategy.Plan{Steps: []strategy.Step{strategy.NoReturn{Why: "a column is dropped"}, strategy.Shift{To: 25 * strategy.Percent}, strategy.Hold{For: time.Hour, Judges: []string{"errors"}}}}
	const never = 100
	tests := []struct {
		name   string
		tale   tale
		later  bool
		policy rollout.Policy
		want   rollout.Finding
		at     int // the minute at which it would have; zero for never
	}{
		{"goes forward, too", tale{limit: never}, false, judged(never), rollout.FindingSame, 0},
		{"goes back at the same look", tale{limit: 6}, false, judged(6), rollout.FindingSame, 4},
		{"nothing is asked", tale{limit: 6}, false, rollout.Policy{}, rollout.FindingSame, 4},
		{"earlier", tale{limit: 6}, false, judged(2), rollout.FindingEarlier, 2},
		{"missed", tale{limit: 6}, false, judged(7), rollout.FindingMissed, 0},
		{"left on the way back, at the same look", tale{limit: 6, left: true}, false, judged(6), rollout.FindingSame, 4},
		{"left on the way back, earlier", tale{limit: 6, left: true}, false, judged(2), rollout.FindingEarlier, 2},
		{"left on the way back, missed", tale{limit: 6, left: true}, false, judged(7), rollout.FindingMissed, 0},
		{"false alarm", tale{limit: never}, false, judged(4), rollout.FindingFalseAlarm, 3},
		{"caught", tale{limit: never}, true, judged(4), rollout.FindingCaught, 3},
		{"not caught", tale{limit: never}, true, judged(never), rollout.FindingSame, 0},
		{"no look", tale{failures: []uint64{}, limit: never}, false, judged(1), rollout.FindingUnclear, 0},
		{"no look, and nobody looks anew", tale{failures: []uint64{}, limit: never}, false, rollout.Policy{}, rollout.FindingSame, 0},
		{"a person aborts, whatever judges say", tale{limit: never, ends: person(rollout.Abort)}, false, judged(never), rollout.FindingSame, 0},
		{"before a person aborts", tale{limit: never, ends: person(rollout.Abort)}, false, judged(2), rollout.FindingEarlier, 2},
		{"a gate fails it, whatever judges say", tale{limit: never, ends: rollout.Record{Kind: rollout.KindFailed}}, false, judged(never), rollout.FindingSame, 0},
		{"another took its place", tale{limit: never, ends: rollout.Record{Kind: rollout.KindReplaced}}, false, judged(2), rollout.FindingUnclear, 2},
		{"another took its place in peace", tale{limit: never, ends: rollout.Record{Kind: rollout.KindReplaced}}, false, judged(never), rollout.FindingSame, 0},
		{"a person promotes what judges fail", tale{limit: 6, ends: person(rollout.Promote)}, false, judged(6), rollout.FindingSame, 4},
		{"a person promotes what would have failed before", tale{limit: 6, ends: person(rollout.Promote)}, false, judged(2), rollout.FindingFalseAlarm, 2},
		{"a person promotes, and the policy does not mind", tale{limit: 6, ends: person(rollout.Promote)}, false, judged(never), rollout.FindingSame, 0},
		{"a person promotes it before", tale{limit: never, ends: person(rollout.Promote), at: 1}, false, judged(2), rollout.FindingSame, 0},
		{"past its point of no return", tale{limit: never, request: rollout.Requested{Plan: gone}}, false, judged(2), rollout.FindingSame, 0},
		{"only reported", tale{limit: 6, request: rollout.Requested{Shadow: true}}, false, rollout.Policy{}, rollout.FindingFalseAlarm, 4},
		{"only paused", tale{limit: 6, request: rollout.Requested{Fails: map[string]rollout.Expiry{"errors": rollout.ThenPause}}, ends: person(rollout.Abort)}, false, rollout.Policy{}, rollout.FindingSame, 0},
		{"had it been armed", tale{limit: 6, request: rollout.Requested{Fails: map[string]rollout.Expiry{"errors": rollout.ThenPause}}, ends: person(rollout.Abort)}, false, recorded(rollout.ThenAbort), rollout.FindingEarlier, 4},
		{"had it only reported", tale{limit: 6}, false, recorded(rollout.ThenGoOn), rollout.FindingMissed, 0},
		{"judges that panic fail it", tale{limit: never}, false, rollout.Policy{Judge: health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) { panic("boo") })}, rollout.FindingFalseAlarm, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := history{t, &rollout.Memory{}}
			if tt.tale.id = "r"; tt.tale.failures == nil {
				tt.tale.failures = rising
			} else if len(tt.tale.failures) == 0 {
				tt.tale.failures = nil
			}
			h.told(noon, tt.tale)
			if tt.later {
				h.failedLater("r", at(5))
			}
			report := backtest(t, h.journal.Records(), tt.policy)
			require.Equal(t, 1, report.Rollouts)
			if tt.want == rollout.FindingSame {
				require.Equal(t, 1, report.Same, report.String())
				require.Empty(t, report.Differ)
				return
			}
			require.Len(t, report.Differ, 1)
			one := report.Differ[0]
			require.Equal(t, tt.want, one.Finding, one.String())
			require.Equal(t, tt.later, one.FailedLater)
			require.Contains(t, one.String(), "r: "+tt.want.String())
			if tt.at == 0 {
				require.Zero(t, one.Would)
				return
			}
			require.Equal(t, noon.Add(time.Duration(tt.at)*time.Minute), one.Would.At)
			require.Equal(t, 25*strategy.Percent, int(one.Would.Share))
			require.Equal(t, "judge errors", one.Would.Actor)
			require.NotEmpty(t, one.Would.Reason)
		})
	}
}

// TestBacktestTotals: the report of several rollouts, word by word.
func TestBacktestTotals(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	none := []uint64{0, 0, 0}
	for i := range 20 {
		h.told(at(float64(24*i)), tale{id: fmt.Sprint("good ", i), failures: none, limit: 5})
	}
	h.told(at(24*20), tale{id: "unlucky", failures: []uint64{0, 3, 3}, limit: 5})
	h.told(at(24*21), tale{id: "bad", failures: []uint64{0, 3, 5}, limit: 5})
	h.told(at(24*22), tale{id: "sly", failures: []uint64{0, 3, 3}, limit: 5})
	h.back("sly back", "sly", at(24*23), at(24*23+1))
	h.told(at(24*24), tale{id: "other", request: rollout.Requested{Flag: "other"}, failures: []uint64{9}, limit: 10})
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: "new", At: at(24 * 24), Request: &rollout.Requested{}})
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: "other and open", At: at(24 * 90), Request: &rollout.Requested{Flag: "other"}}) // does not count
	policy := rollout.Policy{
		Watches: map[string]rollout.Watch{"errors": {Judge: limit(3)}, "latency": {Judge: limit(1)}},
		Only:    func(q rollout.Requested) bool { return q.Flag == "" },
	}
	report := backtest(t, h.journal.Records(), policy)
	require.Equal(t, strings.TrimSpace(`
would have rolled back 3 of 23 rollouts in 24 days (in truth: 1); 1 false alarm (4.5 % of 22 that succeeded; 95 % interval 0.8 to 21.8 %), 0 missed, 1 earlier, 1 caught, 0 unclear; 1 not over
no plan has a judge "latency"
unlucky: false alarm: would have rolled back at 2026-01-22 12:02 UTC, at 25 %, by judge errors: 3 failures, and 2 are allowed; it is succeeded
bad: earlier by 58m0s: would have rolled back at 2026-01-23 12:02 UTC, at 25 %, by judge errors: 3 failures, and 2 are allowed; it turned round at 2026-01-23 13:00 UTC, at 25 %, by judge errors: it hurts
sly: caught: would have rolled back at 2026-01-24 12:02 UTC, at 25 %, by judge errors: 3 failures, and 2 are allowed; it succeeded, and failed later`), report.String())
	require.Equal(t, 58*time.Minute, report.Differ[1].Earlier())
	require.Equal(t, "would have rolled back 0 of 0 rollouts in 0s (in truth: 0); 0 false alarms, 0 missed, 0 earlier, 0 caught, 0 unclear", backtest(t, (&rollout.Memory{}).Records(), rollout.Policy{}).String())
}

// TestBacktestCounts no rollout that exposed nobody, none that a checkpoint knows only
// the end of, and of each the first time that it turned round.
func TestBacktestCounts(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	h.told(at(0), tale{id: "a", failures: []uint64{3}, limit: 5})
	ended := rollout.Ended{ID: "a", Outcome: rollout.Succeeded, Peak: 25 * strategy.Percent, At: at(1), Request: &rollout.Requested{}}
	_, err := h.journal.Checkpoint(t.Context(), rollout.Record{Kind: rollout.KindCheckpoint, At: at(1), Checkpoint: &rollout.Checkpoint{Ended: []rollout.Ended{ended}}})
	require.NoError(t, err)
	h.rollout(deployed{id: "b", start: at(2), end: at(3), how: rollout.Cancelled})
	h.rollout(deployed{id: "c", start: at(4), end: at(5), how: rollout.Succeeded})
	q := rollout.Requested{Plan: toFifty}
	turned := []rollout.Record{
		{Kind: rollout.KindRequested, Request: &q},
		{Kind: rollout.KindBegun, Attempt: 1},
		{Kind: rollout.KindFailed, Actor: "target", Reason: "stuck"},
		{Kind: rollout.KindActed, Generation: 1, Act: &rollout.Act{Kind: rollout.Promote, Actor: "ann"}},
		{Kind: rollout.KindActed, Generation: 2, Actor: "bob", Act: &rollout.Act{Kind: rollout.Abort, Actor: "bob"}},
		{Kind: rollout.KindBegun, Generation: 3, Attempt: 1},
		{Kind: rollout.KindDone, Generation: 3},
		{Kind: rollout.KindFinished, Generation: 3, Step: 1},
	}
	for i, r := range turned {
		r.Rollout, r.At = "d", at(6).Add(time.Duration(i)*time.Minute)
		h.add(r)
	}
	for name, records := range map[string]iter.Seq2[rollout.Record, error]{"all": h.journal.Records(), "from the checkpoint": h.journal.Recent()} {
		report := backtest(t, records, rollout.Policy{Judge: limit(1)})
		want := map[string]int{"all": 3, "from the checkpoint": 2}[name]
		require.Equal(t, want, report.Rollouts, name)
		require.Equal(t, 2, report.Same, name)
		require.Equal(t, at(map[string]float64{"all": 0, "from the checkpoint": 2}[name]), report.From, name)
		require.Zero(t, report.UnderWay)
	}
}

// TestBacktestRefuses bad policies, all that is wrong with them at once, and broken
// journals.
func TestBacktestRefuses(t *testing.T) {
	memory := &rollout.Memory{}
	_, err := rollout.Backtest(memory.Records(), rollout.Policy{
		Judge:   health.Threshold{},
		Watches: map[string]rollout.Watch{"b": {Then: 7}, "a": {Judge: health.ErrorLimit{}}},
	})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	require.EqualError(t, err, `rollout: backtest policy: invalid request: judge: invalid: found no limit, want an error rate, a p99 or both
watches: "a": invalid: rate is 0, want above 0 and at most 0.5
watches: "b": then: found 7, want one of the constants`)

	h := history{t, memory}
	h.told(noon, tale{id: "r", failures: []uint64{0}, limit: 1})
	all := records(t, memory)
	_, err = rollout.Backtest(sequence(all[1:], nil), rollout.Policy{})
	require.ErrorIs(t, err, rollout.ErrCorrupt)
	_, err = rollout.Backtest(sequence(all[:3], errCrash), rollout.Policy{})
	require.ErrorIs(t, err, errCrash)
	all[4].Look.Checkpoint.Tables = make([]health.Table, 65)
	_, err = rollout.Backtest(sequence(all, nil), rollout.Policy{Judge: limit(1)})
	require.ErrorIs(t, err, rollout.ErrCorrupt)
	require.ErrorContains(t, err, "backtest r: ")
}
