package rollout_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestExplain: every story by the real engine, and what it says of it.
func TestExplain(t *testing.T) {
	judged := strategy.Plan{Steps: []strategy.Step{
		strategy.Verify{Gates: []string{"smoke"}}, strategy.Shift{To: 5 * strategy.Percent},
		strategy.Hold{For: time.Minute, Exposed: 10, Judges: []string{"errors"}},
	}}
	held := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Minute}}}
	approved := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{For: time.Minute, Approval: true}}}
	gone := strategy.Plan{Steps: []strategy.Step{strategy.NoReturn{Why: "a column is dropped"}, strategy.Shift{To: 5 * strategy.Percent}, judged.Steps[2]}}
	act := func(e *rollout.Engine, kind rollout.ActKind) {
		if err := e.Act(context.Background(), "r", rollout.Act{Kind: kind, Actor: "ann", Reason: "I say so"}); err != nil {
			panic(err)
		}
	}
	no := func(context.Context) error { return errors.New("no") }
	unsure := func(context.Context) error { return fmt.Errorf("%w: no answer", rollout.ErrInconclusive) }
	tests := []struct {
		name    string
		plan    strategy.Plan
		options rollout.Options
		spoil   func(*rollout.Request, *world)
		after   time.Duration // when somebody comes, never at an instant when the engine wakes, and
		act     func(*rollout.Engine)
		until   time.Duration // when somebody asks; zero means at the end
		want    string
	}{
		{name: "a judge fails it", plan: judged, spoil: func(_ *rollout.Request, w *world) { w.badAbove = strategy.Percent }},
		{name: "a judge only reports", plan: judged, spoil: func(r *rollout.Request, w *world) { r.Shadow, w.badAbove = true, strategy.Percent }},
		{name: "a gate says no", plan: judged, spoil: func(_ *rollout.Request, w *world) { w.smokeNo = true }},
		{name: "a gate cannot tell", plan: judged, spoil: func(r *rollout.Request, _ *world) {
			r.Doubt, r.Gates = rollout.ThenPause, map[string]rollout.Gate{"smoke": unsure}
		}, until: time.Hour + time.Second/2},
		{name: "an alarm", plan: held, spoil: func(r *rollout.Request, _ *world) { r.Alarms = map[string]rollout.Gate{"db": no} }},
		{name: "the target fails", plan: held, spoil: func(_ *rollout.Request, w *world) { w.stuckAt, w.flaky = strategy.All, nil }},
		{name: "the way back fails", plan: held, spoil: func(r *rollout.Request, w *world) {
			r.Alarms, w.flaky = map[string]rollout.Gate{"db": no}, map[strategy.Share]int{0: 3}
		}},
		{name: "too few requests so far", plan: judged, until: 70 * time.Second, spoil: func(r *rollout.Request, _ *world) { r.Deadlines.Progress.Within = time.Hour }},
		{name: "no evidence yet", plan: strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: 5 * strategy.Percent}, strategy.Hold{For: time.Minute, Judges: []string{"errors", "traffic"}}}},
			until: 70 * time.Second, spoil: func(r *rollout.Request, _ *world) {
				errors := r.Watches["errors"]
				r.Promotion, r.Watches["traffic"] = rollout.EvidenceOfNoHarm, rollout.Watch{Judge: errors.Judge, Cohorts: errors.Cohorts, Then: rollout.ThenPause}
			}},
		{name: "no progress", plan: judged, spoil: func(r *rollout.Request, _ *world) { r.Deadlines.Progress.Within = time.Hour }},
		{name: "paused and continued", plan: held, after: 10500 * time.Millisecond, act: func(e *rollout.Engine) {
			act(e, rollout.Pause)
			time.Sleep(time.Hour)
			act(e, rollout.Continue)
		}},
		{name: "a pause takes too long", plan: held, after: 10500 * time.Millisecond, act: func(e *rollout.Engine) { act(e, rollout.Pause) }, spoil: func(r *rollout.Request, _ *world) { r.Deadlines.Pause.Within = time.Hour }},
		{name: "not approved yet", plan: approved, until: 2 * time.Minute},
		{name: "never approved", plan: approved, spoil: func(r *rollout.Request, _ *world) { r.Deadlines.Approval.Within = time.Hour }},
		{name: "aborted", plan: held, after: 10500 * time.Millisecond, act: func(e *rollout.Engine) { act(e, rollout.Abort) }},
		{name: "promoted on its way back", plan: held, after: 10500 * time.Millisecond, act: func(e *rollout.Engine) { act(e, rollout.Promote) }, spoil: func(r *rollout.Request, w *world) {
			r.Alarms, r.Stable = map[string]rollout.Gate{"db": no}, no
		}},
		{name: "held, and gone back regardless", plan: held, after: 10500 * time.Millisecond, act: func(e *rollout.Engine) { act(e, rollout.Abort) }, spoil: func(r *rollout.Request, w *world) {
			r.Alarms, r.Stable = map[string]rollout.Gate{"db": no}, no
		}},
		{name: "frozen", plan: held, options: rollout.Options{Freezes: []rollout.Freeze{{Name: "nights", From: "00:00", To: "06:00"}}}},
		{name: "no longer frozen", plan: held, until: 6*time.Hour + 10500*time.Millisecond, options: rollout.Options{Freezes: []rollout.Freeze{{Name: "nights", From: "00:00", To: "06:00"}}}},
		{name: "past the point of no return", plan: gone, until: time.Hour + time.Second/2, spoil: func(_ *rollout.Request, w *world) { w.badAbove = strategy.Percent }},
		{name: "taken back", plan: held, options: rollout.Options{}, until: 2 * time.Minute, after: 90500 * time.Millisecond, act: func(e *rollout.Engine) {
			act(e, rollout.RollBack)
		}, spoil: func(r *rollout.Request, _ *world) { r.Release.Version = "2" }},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				memory, w := &rollout.Memory{}, harmless()
				engine, err := rollout.New(memory, tt.options)
				require.NoError(t, err)
				if tt.name == "taken back" {
					_, err := engine.Deploy(t.Context(), rollout.Request{ID: "before", Release: rollout.Release{Version: "1"}, Plan: toFifty, Target: harmless()})
					require.NoError(t, err)
				}
				cohorts := health.NewCohorts(health.CohortsOptions{})
				for unit := range uint64(4) {
					cohorts.Record(health.Outcome{Unit: unit, Slot: int32(unit % 2 * 99_999), Ramp: 50_000, Class: health.Success})
				}
				request := w.request(tt.plan, cohorts)
				if tt.spoil != nil {
					tt.spoil(&request, w)
				}
				ctx, cancel := context.WithCancel(t.Context())
				if tt.until > 0 {
					ctx, cancel = context.WithTimeout(ctx, tt.until)
				}
				defer cancel()
				done := make(chan struct{})
				go func() {
					defer close(done)
					if tt.act != nil {
						time.Sleep(tt.after)
						tt.act(engine)
					}
				}()
				if tt.name == "a judge only reports" { // it would wait for requests
					ctx, cancel = context.WithTimeout(ctx, 30500*time.Millisecond)
					defer cancel()
				}
				_, _ = engine.Deploy(ctx, request)
				<-done
				all, err := engine.Explain("r")
				require.NoError(t, err)
				var got []string
				for _, r := range all {
					got = append(got, r.String())
				}
				text := strings.Join(got, "\n")
				if want := explained[tt.name]; text != want {
					t.Errorf("%d: got\n%s\nwant\n%s", i, text, want)
				}
				again, err := rollout.Explain(memory.Records(), "r", time.Now())
				require.NoError(t, err)
				require.Equal(t, all, again, "the journal alone says as much")
				for i, r := range all {
					require.NotEmpty(t, r.Rule)
					require.NotEmpty(t, r.Text)
					require.NotZero(t, r.Seq)
					require.True(t, i == 0 || !r.Since.Before(all[i-1].Since), "oldest first")
				}
			})
		})
	}
}

// explained is what each story comes to. A bubble begins with the year 2000.
var explained = map[string]string{
	"a judge fails it": `2000-01-01 00:00:00  holding by hold 1m0s and 10 requests under errors: cut short
2000-01-01 00:00:00  rolled back by judge errors: it hurts
    judge errors, 0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs`,
	"a judge only reports": `2000-01-01 00:00:00  holding until 00:01:00 by hold 1m0s and 10 requests under errors: its time is over at 00:01:00; this hold has 2 of 10 requests on the new side
    judge errors, 0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs
2000-01-01 00:00:00  reported by judge errors: it hurts
    judge errors, 0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs`,
	"a gate says no":     `2000-01-01 00:00:00  cancelled by gate smoke: verify by smoke: gate "smoke" says no: smoke`,
	"a gate cannot tell": `2000-01-01 00:00:00  paused by doubt: pause: verify by smoke: inconclusive: gate "smoke" cannot tell: inconclusive: no answer`,
	"an alarm": `2000-01-01 00:00:00  holding by hold 1m0s: cut short
2000-01-01 00:00:00  rolled back by alarm db: alarm "db" says no: no`,
	"the target fails": `2000-01-01 00:00:00  rolled back by target: shift from 0 % to 100 %: stuck`,
	"the way back fails": `2000-01-01 00:00:00  holding by hold 1m0s: cut short
2000-01-01 00:00:00  rolled back after 7s by alarm db: alarm "db" says no: no
2000-01-01 00:00:00  rollback failing after 7s by target: attempt 3: shift from 100 % to 0 %: flaky`,
	"too few requests so far": `2000-01-01 00:00:00  holding by hold 1m0s and 10 requests under errors: this hold has 0 of 10 requests on the new side; the deadline is 2000-01-01 01:01:00`,
	"no evidence yet": `2000-01-01 00:00:00  holding by hold 1m0s under errors, traffic: no evidence of no harm yet from judge errors
    judge traffic, 1m0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs`,
	"no progress": `2000-01-01 00:00:00  holding after 1h1m0s by hold 1m0s and 10 requests under errors: cut short
2000-01-01 01:01:00  rolled back by deadline progress: abort: the hold makes no progress: abort`,
	"paused and continued": `2000-01-01 00:00:00  holding after 1h0m10.5s by hold 1m0s: held 1m0s
2000-01-01 00:00:10  paused after 1h0m0s by act pause of ann: I say so`,
	"a pause takes too long": `2000-01-01 00:00:00  holding after 1h0m10.5s by hold 1m0s: cut short
2000-01-01 00:00:10  paused after 1h0m0s by act pause of ann: I say so
2000-01-01 01:00:10  rolled back by deadline pause: abort: the pause takes longer than it may: abort`,
	"not approved yet": `2000-01-01 00:00:00  holding by hold 1m0s until approved: a person has to approve it`,
	"never approved": `2000-01-01 00:00:00  holding after 1h1m0s by hold 1m0s until approved: cut short
2000-01-01 01:01:00  rolled back by deadline approval: abort: nobody has approved in time: abort`,
	"aborted": `2000-01-01 00:00:00  holding after 10.5s by hold 1m0s: cut short
2000-01-01 00:00:10  rolled back by act abort of ann: I say so`,
	"promoted on its way back": `2000-01-01 00:00:00  holding by hold 1m0s: cut short
2000-01-01 00:00:00  rolling back after 10.5s by alarm db: alarm "db" says no: no
2000-01-01 00:00:00  rollback held after 10.5s by stable: the old version is no better: no
2000-01-01 00:00:10  promoted by act promote of ann: I say so
2000-01-01 00:00:10  holding by hold 1m0s: hold 1m0s: cut short, as ann promotes it`,
	"held, and gone back regardless": `2000-01-01 00:00:00  holding by hold 1m0s: cut short
2000-01-01 00:00:00  rolled back after 10.5s by alarm db: alarm "db" says no: no
2000-01-01 00:00:00  rollback held after 10.5s by stable: the old version is no better: no`,
	"frozen": `2000-01-01 00:00:00  frozen after 6h0m0s by freeze nights: freeze: nights
2000-01-01 06:00:00  holding after 1m0s by hold 1m0s: held 1m0s`,
	"no longer frozen": `2000-01-01 00:00:00  frozen after 6h0m0s by freeze nights: freeze: nights
2000-01-01 06:00:00  holding until 06:01:00 by hold 1m0s: its time is over at 06:01:00`,
	"past the point of no return": `2000-01-01 00:00:00  holding by hold 1m0s and 10 requests under errors: this hold has 2 of 10 requests on the new side
    judge errors, 0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs
2000-01-01 00:00:00  paused by judge errors: it hurts (there is no way back: past the point of no return)
    judge errors, 0s after the first exposure: new side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs; old side 2 requests, 0 % fail, p50 2.06µs, p99 2.06µs`,
	"taken back": `2000-01-01 00:00:00  holding after 1m0s by hold 1m0s: held 1m0s
2000-01-01 00:01:30  taken back by act roll back of ann: roll back of 2: I say so`,
}

// TestExplainQueued: one that waits for its turn says for whom, and one that nobody
// knows is not found.
func TestExplainQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := newEngine(t, &rollout.Memory{})
		hold := strategy.Plan{Steps: []strategy.Step{strategy.Hold{For: time.Hour}}}
		first := make(chan struct{})
		go func() {
			defer close(first)
			_, _ = engine.Deploy(t.Context(), rollout.Request{ID: "a", Plan: hold, Target: harmless()})
		}()
		synctest.Wait()
		second := make(chan struct{})
		go func() {
			defer close(second)
			_, _ = engine.Deploy(t.Context(), rollout.Request{ID: "b", Plan: hold, Target: harmless(), Overlap: rollout.Queue})
		}()
		synctest.Wait()
		all, err := engine.Explain("b")
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.Equal(t, `queued by overlap: queue: rollout "a" is under way`, all[0].String())
		_, err = engine.Explain("c")
		require.ErrorIs(t, err, rollout.ErrNotFound)
		_, err = rollout.Explain((&rollout.Memory{}).Records(), "c", time.Now())
		require.ErrorIs(t, err, rollout.ErrNotFound)
		<-first
		<-second
	})
}

// TestExplainFromCheckpoint: where older records are gone, the journal still says how a
// rollout ended and why.
func TestExplainFromCheckpoint(t *testing.T) {
	records := func(yield func(rollout.Record, error) bool) {
		yield(rollout.Record{Kind: rollout.KindCheckpoint, Seq: 9, At: at(3), Checkpoint: &rollout.Checkpoint{Ended: []rollout.Ended{
			{ID: "a", Outcome: rollout.RolledBack, Reason: "it hurts", Actor: "judge errors", Started: at(0), At: at(1), Request: &rollout.Requested{}},
			{ID: "b", Outcome: rollout.Succeeded, Started: at(1), At: at(2), Request: &rollout.Requested{}},
		}}}, nil)
	}
	all, err := rollout.Explain(records, "a", at(4))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "2026-01-02 13:00:00  rolled back by checkpoint of judge errors: it hurts", all[0].String())
	all, err = rollout.Explain(records, "b", at(4))
	require.NoError(t, err)
	require.Empty(t, all, "nothing kept it")
}

// TestExplainInJSON: the numbers are there by name.
func TestExplainInJSON(t *testing.T) {
	r := rollout.Reason{What: "rolled back", Rule: "judge errors", Actor: "judge errors", Text: "it hurts", Since: noon, Ended: noon.Add(time.Second), Seq: 7, Evidence: &rollout.Evidence{
		Judge: "errors", Window: time.Minute, Candidate: health.Side{Successes: 1, Failures: 9}, Baseline: health.Side{Successes: 90}, Verdict: health.Verdict{Call: health.Fail, LogE: 4, LogPeak: 4, LogThreshold: 3, Reason: "it hurts"},
	}}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"what": "rolled back", "rule": "judge errors", "actor": "judge errors", "text": "it hurts",
		"since": "2026-01-02T12:00:00Z", "ended": "2026-01-02T12:00:01Z", "seq": 7,
		"evidence": {"judge": "errors", "window": 60000000000, "candidate": {"successes": 1, "failures": 9}, "baseline": {"successes": 90, "failures": 0},
			"verdict": {"call": "fail", "log_e": 4, "log_peak": 4, "log_threshold": 3, "reason": "it hurts"}}}`, string(text))
	require.Equal(t, `2026-01-02 12:00:00  rolled back after 1s by judge errors: it hurts
    judge errors, 1m0s after the first exposure: new side 10 requests, 90.0 % fail; old side 90 requests, 0 % fail; evidence 54.6, threshold 20.1`, r.String())
}
