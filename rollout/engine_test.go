package rollout_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

// TestRequestsAreRefused: what cannot be carried out as it is written is refused before
// anything moves, and never gets into a journal that could then not be read.
func TestRequestsAreRefused(t *testing.T) {
	cohorts := health.NewCohorts(health.CohortsOptions{})
	watch := rollout.Watch{Judge: health.JudgeFunc(patient), Cohorts: cohorts}
	steps := func(steps ...strategy.Step) func(*rollout.Request) {
		return func(r *rollout.Request) { r.Plan.Steps = steps }
	}
	tests := []struct {
		name  string
		spoil func(*rollout.Request)
		want  string
	}{
		{"no steps", steps(), "plan: has no steps"},
		{"too much", steps(strategy.Shift{To: 2 * strategy.All}), "found 0 % to 200 %"},
		{"too little", steps(strategy.Shift{To: -1}), "found 0 % to -0.001 %"},
		{"from nowhere", steps(strategy.Shift{From: -1}), "found -0.001 % to 0 %"},
		{"back in time", steps(strategy.Hold{For: -1}), "found -1ns and 0 requests"},
		{"fewer than no requests", steps(strategy.Hold{Exposed: -1}), "found 0s and -1 requests"},
		{"nobody to ask", steps(strategy.Verify{}), "names no gates"},
		{"a pointer", steps(&strategy.Promote{}), "is a *strategy.Promote"},
		{"a judge without cohorts", func(r *rollout.Request) {
			r.Plan.Steps = []strategy.Step{strategy.Hold{Judges: []string{"a"}}}
			r.Watches = map[string]rollout.Watch{"a": {Judge: watch.Judge}}
		}, `"a" is in the plan and not bound to a judge and cohorts`},
		{"no gate under the name", steps(strategy.Verify{Gates: []string{"a"}}), `gates: "a" is in the plan and bound to nothing`},
		{"no ID", func(r *rollout.Request) { r.ID = "" }, `id: found "", want some text in UTF-8`},
		{"an ID that JSON cannot say", func(r *rollout.Request) { r.ID = "a\xff" }, `id: found "a\xff", want some text in UTF-8`},
		{"a look before the last", func(r *rollout.Request) { r.Look = -1 }, "look, step timeout: found -1ns and 0s"},
		{"a step before it begins", func(r *rollout.Request) { r.StepTimeout = -1 }, "look, step timeout: found 0s and -1ns"},
		{"no target", func(r *rollout.Request) { r.Target = nil }, "no target"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, w := t.TempDir(), harmless()
			journal := openFile(t, dir)
			request := rollout.Request{ID: "r", Plan: toFifty, Target: w, Watches: map[string]rollout.Watch{"a": watch, "b": watch}}
			tt.spoil(&request)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := newEngine(t, journal).Deploy(ctx, request)
			require.ErrorIs(t, err, rollout.ErrInvalid)
			require.ErrorContains(t, err, tt.want)
			require.Empty(t, w.shifts)
			require.NoError(t, journal.Close())
			require.Empty(t, records(t, openFile(t, dir)))
		})
	}
}

// TestSameID: a request joins the rollout that has its ID, if it asks for the same, and
// is a conflict otherwise.
func TestSameID(t *testing.T) {
	v1 := rollout.Release{Name: "shop", Version: "1"}
	hold := strategy.Hold{For: time.Hour}
	tests := []struct {
		name    string
		request rollout.Request
		want    string
	}{
		{"the same", rollout.Request{Release: v1, Plan: strategy.Plan{Steps: []strategy.Step{hold, strategy.Shift{To: strategy.All}}}}, ""},
		{"committed at another time", rollout.Request{Release: rollout.Release{Name: "shop", Version: "1", Committed: noon}, Plan: strategy.Plan{Steps: []strategy.Step{hold, strategy.Shift{To: strategy.All}}}}, ""},
		{"another plan", rollout.Request{Release: v1, Plan: strategy.Plan{Steps: []strategy.Step{hold, strategy.Shift{To: 1}}}}, `its step 2 is "shift from 0 % to 100 %", and this one's "shift from 0 % to 0.001 %"`},
		{"a longer plan", rollout.Request{Release: v1, Plan: strategy.Plan{Steps: []strategy.Step{hold, strategy.Shift{To: strategy.All}, strategy.Promote{}}}}, `its step 3 is "nothing", and this one's "promote"`},
		{"another release", rollout.Request{Release: rollout.Release{Name: "shop", Version: "2"}, Plan: strategy.Plan{Steps: []strategy.Step{hold, strategy.Shift{To: strategy.All}}}}, "the journal has this ID for another request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, memory := harmless(), &rollout.Memory{}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				engine := newEngine(t, memory)
				first := tests[0].request
				first.ID, first.Target = "r", w
				for range 2 { // the second goes on where the first was stopped
					_, err := engine.Deploy(ctx, first)
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				for _, engine := range []*rollout.Engine{engine, newEngine(t, memory)} {
					tt.request.ID, tt.request.Target = "r", w
					outcome, err := engine.Deploy(t.Context(), tt.request)
					if tt.want != "" {
						require.ErrorIs(t, err, rollout.ErrConflict)
						require.ErrorContains(t, err, tt.want)
						continue
					}
					require.NoError(t, err)
					require.Equal(t, rollout.Succeeded, outcome)
					require.Equal(t, []strategy.Share{strategy.All}, w.shifts)
					checkJournal(t, memory)
					break // the other engine has an older journal
				}
			})
		})
	}
}

// TestHostileRecords: records that cannot follow one another are refused when the
// journal is opened, whatever they leave out; none of them panics.
func TestHostileRecords(t *testing.T) {
	requested := rollout.Record{Kind: rollout.KindRequested, Request: &rollout.Requested{Plan: strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Hold{}}}}}
	begun, done := rollout.Record{Kind: rollout.KindBegun, Attempt: 1}, rollout.Record{Kind: rollout.KindDone}
	waiting := rollout.Record{Kind: rollout.KindWaiting, Step: 1}
	look := &rollout.Look{Watch: "errors", Verdict: health.Verdict{Reason: "late"}}
	tests := []struct {
		name    string
		records []rollout.Record
	}{
		{"nothing was asked for", []rollout.Record{{Kind: rollout.KindRequested}}},
		{"a generation before the first", []rollout.Record{{Kind: rollout.KindRequested, Generation: -1}}},
		{"a look before the first", []rollout.Record{{Kind: rollout.KindLooked, Generation: -1}}},
		{"a look at nothing", []rollout.Record{requested, begun, done, waiting, {Kind: rollout.KindLooked, Step: 1}}},
		{"a look at nothing, before the first generation", []rollout.Record{requested, begun, done, waiting, {Kind: rollout.KindLooked, Step: 1, Generation: -1}}},
		{"a generation too high", []rollout.Record{requested, {Kind: rollout.KindBegun, Attempt: 1, Generation: 1}}},
		{"a step too high", []rollout.Record{requested, {Kind: rollout.KindBegun, Step: 9}}},
		{"a step too low", []rollout.Record{requested, {Kind: rollout.KindBegun, Step: -1}}},
		{"no kind", []rollout.Record{requested, {}}},
		{"no request", []rollout.Record{begun}},
		{"the end at once", []rollout.Record{requested, {Kind: rollout.KindFinished}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := history{t, &rollout.Memory{}}
			for _, r := range tt.records {
				r.Rollout, r.At = "r", noon
				h.add(r)
			}
			_, err := rollout.New(h.journal, rollout.Options{})
			require.ErrorIs(t, err, rollout.ErrCorrupt)
			_, err = rollout.NewDelivery(h.journal.Records(), rollout.DeliveryOptions{})
			require.ErrorIs(t, err, rollout.ErrCorrupt)
		})
	}
	t.Run("a late look is dropped", func(t *testing.T) {
		h := history{t, &rollout.Memory{}}
		for _, r := range []rollout.Record{requested, begun, {Kind: rollout.KindFailed}, {Kind: rollout.KindLooked, Look: look}, {Kind: rollout.KindLooked}} {
			r.Rollout, r.At = "r", noon
			h.add(r)
		}
		status, _ := newEngine(t, h.journal).Status("r")
		require.Equal(t, rollout.Back, status.State.Phase)
		require.Zero(t, status.Verdict)
	})
}

// TestNilStep: a plan with a step that is none is refused, and nothing panics.
func TestNilStep(t *testing.T) {
	for _, s := range []strategy.Step{nil, (*strategy.Shift)(nil)} {
		t.Run(fmt.Sprintf("%T", s), func(t *testing.T) {
			_, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), rollout.Request{ID: "r", Plan: strategy.Plan{Steps: []strategy.Step{s}}, Target: harmless()})
			require.ErrorIs(t, err, rollout.ErrInvalid)
		})
	}
}

// TestNegativeAttempt: a journal with a step that was begun minus nine times is
// refused.
func TestNegativeAttempt(t *testing.T) {
	h := history{t, &rollout.Memory{}}
	plan := strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}}}
	h.add(rollout.Record{Kind: rollout.KindRequested, Rollout: "r", At: noon, Request: &rollout.Requested{Plan: plan}})
	h.add(rollout.Record{Kind: rollout.KindBegun, Rollout: "r", At: noon, Attempt: -9})
	_, err := rollout.New(h.journal, rollout.Options{})
	require.ErrorIs(t, err, rollout.ErrCorrupt)
}

// TestRequestProblems: everything that is wrong with a request is said at once.
func TestRequestProblems(t *testing.T) {
	_, err := newEngine(t, &rollout.Memory{}).Deploy(t.Context(), rollout.Request{
		Look:   -1,
		Plan:   strategy.Plan{Steps: []strategy.Step{strategy.Verify{Gates: []string{"smoke"}}, strategy.Shift{To: 2 * strategy.All}, strategy.Hold{Judges: []string{"errors"}}}},
		Target: harmless(),
	})
	require.ErrorIs(t, err, rollout.ErrInvalid)
	for _, want := range []string{`id: found ""`, "look, step timeout: found -1ns", `gates: "smoke"`, "step 2 (shift from 0 % to 200 %)", `watches: "errors"`} {
		require.ErrorContains(t, err, want)
	}
}

// TestTwoEnginesOnOneJournal: both stop at the first record that they did not expect.
func TestTwoEnginesOnOneJournal(t *testing.T) {
	memory := &rollout.Memory{}
	one, two := newEngine(t, memory), newEngine(t, memory)
	request := func(id string) rollout.Request {
		return rollout.Request{ID: id, Service: id, Plan: toFifty, Target: harmless()}
	}
	_, err := one.Deploy(t.Context(), request("a"))
	require.NoError(t, err)
	w := request("b")
	_, err = two.Deploy(t.Context(), w)
	require.ErrorIs(t, err, rollout.ErrFenced)
	require.Empty(t, w.Target.(*world).shifts, "nothing moves")
	_, err = one.Deploy(t.Context(), request("c"))
	require.ErrorIs(t, err, rollout.ErrFenced)
}
