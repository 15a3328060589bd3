package otel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/otel"
	"github.com/guidon-go/guidon/strategy"
)

// TestHistory is of a rollout that is paused often, and taken back after it has succeeded,
// in a journal with checkpoints.
func TestHistory(t *testing.T) {
	var whole, recent []rollout.Record
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{CheckpointEvery: 50}
		engine, err := rollout.New(memory, rollout.Options{Service: "shop", Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		act := func(id string, kind rollout.ActKind) {
			t.Helper()
			if err := engine.Act(t.Context(), id, rollout.Act{Kind: kind, Actor: "anna", Reason: "to see"}); err != nil {
				t.Error(err)
			}
		}
		go func() {
			time.Sleep(time.Minute)
			for range 60 {
				act("shop 2", rollout.Pause)
				act("shop 2", rollout.Continue)
			}
		}()
		shop := &target{}
		if outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "shop 2", Plan: plan, Target: shop}); err != nil || outcome != rollout.Succeeded {
			t.Fatal(outcome, err)
		}
		act("shop 2", rollout.RollBack)
		if outcome, err := engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("shop 2"), Target: shop}); err != nil || outcome != rollout.RolledBack {
			t.Fatal(outcome, err)
		}
		whole = recorded(t, memory)
		for r := range memory.Recent() {
			recent = append(recent, r)
		}
	})
	to := tracetest.NewInMemoryExporter()
	if err := run(t, whole, to, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	var forward, back tracetest.SpanStub
	for _, s := range to.GetSpans() {
		if len(s.Events) > 100 {
			t.Errorf("%s has %d events, want at most 100", s.Name, len(s.Events))
		}
		switch {
		case s.Name != "rollout":
		case texts(s.Attributes)["guidon.takes_back"] == "":
			forward = s
		default:
			back = s
		}
	}
	want := trace.NewSpanContext(trace.SpanContextConfig{TraceID: forward.SpanContext.TraceID(), SpanID: forward.SpanContext.SpanID(), Remote: true})
	if len(back.Links) != 1 || !back.Links[0].SpanContext.Equal(want) {
		t.Errorf("links %v, want one to %v", back.Links, want)
	}
	if recent[0].Checkpoint == nil || len(recent[0].Checkpoint.Live) == 0 {
		t.Fatal("there is no checkpoint in the middle of a rollout")
	}
	late := tracetest.NewInMemoryExporter()
	if err := run(t, recent, late, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ids(to.GetSpans()), ids(late.GetSpans())); diff != "" { // all of it was not over
		t.Error("from the checkpoint: want -, got +\n" + diff)
	}
}

// TestJudgeFails is of a hold that a judge ends: that step has failed, and says why.
func TestJudgeFails(t *testing.T) {
	var records []rollout.Record
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine, err := rollout.New(memory, rollout.Options{Service: "shop", Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		cohorts, err := engine.Cohorts("shop 2", "errors", health.CohortsOptions{})
		if err != nil {
			t.Fatal(err)
		}
		judged := strategy.Plan{Strategy: "judged", Old: "1", New: "2", Steps: []strategy.Step{
			strategy.Shift{To: 10 * strategy.Percent},
			strategy.Hold{For: time.Hour, Judges: []string{"errors"}, Exposed: 1},
			strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
		}}
		fails := health.JudgeFunc(func(health.State, health.Sample) (health.Verdict, health.State) {
			return health.Verdict{Call: health.Fail, Reason: "carts are empty"}, nil
		})
		outcome, err := engine.Deploy(t.Context(), rollout.Request{ID: "shop 2", Plan: judged, Target: &target{},
			Watches: map[string]rollout.Watch{"errors": {Judge: fails, Cohorts: cohorts}}})
		if err != nil || outcome != rollout.RolledBack {
			t.Fatal(outcome, err)
		}
		records = recorded(t, memory)
	})
	to := tracetest.NewInMemoryExporter()
	if err := run(t, records, to, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range to.GetSpans() {
		if strings.HasPrefix(s.Name, "hold") {
			if s.Status.Code != codes.Error || !strings.Contains(s.Status.Description, "carts are empty") || len(s.Events) != 1 {
				t.Errorf("the hold has status %v and events %v", s.Status, s.Events)
			}
			return
		}
	}
	t.Error("there is no hold")
}

// TestStageIsInterrupted is of a process that dies while a stage runs, and another while one
// is undone: each attempt has a span, and going past a point of no return is an event.
func TestStageIsInterrupted(t *testing.T) {
	wait := func(ctx context.Context, _ *rollout.StageRun) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Hour):
			return nil
		}
	}
	tests := []struct {
		name   string
		stages []rollout.Stage
		want   string
	}{
		{"past its point of no return", []rollout.Stage{{Name: "migrate", NoReturn: "a column is dropped", Do: wait}}, `pipeline 0s to 1h31m0s succeeded
  run migrate 0s to 31m0s interrupted [guidon.begun  by engine: go past the point of no return: a column is dropped]
  run migrate 31m0s to 1h31m0s done, attempt 2
`},
		{"undone", []rollout.Stage{
			{Name: "prepare", Do: func(context.Context, *rollout.StageRun) error { return nil }, Undo: wait},
			{Name: "smoke", Needs: []string{"prepare"}, Do: func(context.Context, *rollout.StageRun) error { return errors.New("no") }},
		}, `pipeline 0s to 1h31m0s rolled back "rolled back: smoke failed: no"
  run prepare 0s to 0s done
  run smoke 0s to 0s failed "no"
  undo prepare 0s to 31m0s interrupted
  undo prepare 31m0s to 1h31m0s done, attempt 2
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			memory := &rollout.Memory{}
			synctest.Test(t, func(t *testing.T) {
				ctx, die := context.WithTimeout(t.Context(), 30*time.Minute)
				defer die()
				for _, ctx := range []context.Context{ctx, t.Context()} {
					engine, err := rollout.New(memory, rollout.Options{Service: "shop", Environment: "production"})
					if err != nil {
						t.Fatal(err)
					}
					_, err = engine.Run(ctx, rollout.RunRequest{ID: "run 4"}, rollout.Pipeline{Name: "ship", Stages: tt.stages})
					if ctx.Err() == nil && err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
			})
			to := tracetest.NewInMemoryExporter()
			if err := run(t, recorded(t, memory), to, otel.Options{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, tree(to.GetSpans())); diff != "" {
				t.Error("want -, got +\n" + diff)
			}
		})
	}
}

// TestPipelineIsTakenBack is of a run that takes its rollout back, and of a person who does
// so a day after a run: both ways back lead to what they take back, wherever the journal
// begins.
func TestPipelineIsTakenBack(t *testing.T) {
	for every := 5; every < 40; every++ {
		memory := &rollout.Memory{CheckpointEvery: every}
		recent := takenBack(t, memory)
		whole, late := tracetest.NewInMemoryExporter(), tracetest.NewInMemoryExporter()
		if err := run(t, recorded(t, memory), whole, otel.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := run(t, recent, late, otel.Options{}); err != nil {
			t.Fatal(err)
		}
		known, in := map[trace.SpanID]trace.TraceID{}, map[trace.TraceID]int{}
		for _, s := range whole.GetSpans() {
			known[s.SpanContext.SpanID()] = s.SpanContext.TraceID()
			in[s.SpanContext.TraceID()]++
		}
		bad, good, back := otel.TraceID("shop", "production", "bad"), otel.TraceID("shop", "production", "good"), otel.TraceID("shop", "production", "good/deploy back")
		if want := map[trace.TraceID]int{bad: 10, good: 7, back: 2}; !cmp.Equal(want, in) {
			t.Errorf("got %v, want %v", in, want)
		}
		links := 0
		for _, s := range append(whole.GetSpans(), late.GetSpans()...) {
			if s.Parent.SpanID().IsValid() && known[s.Parent.SpanID()] != s.SpanContext.TraceID() {
				t.Errorf("checkpoint every %d: %s has no parent", every, s.Name)
			}
			for _, link := range s.Links {
				links++
				if known[link.SpanContext.SpanID()] != link.SpanContext.TraceID() {
					t.Errorf("checkpoint every %d: %v of %s leads nowhere", every, link.SpanContext, s.Name)
				}
			}
		}
		if links < 2 {
			t.Errorf("%d links, want one of each way back", links)
		}
	}
}

// takenBack is such a journal; it returns what comes from its newest checkpoint on.
func takenBack(t *testing.T, memory *rollout.Memory) (recent []rollout.Record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine, err := rollout.New(memory, rollout.Options{Service: "shop", Environment: "production"})
		if err != nil {
			t.Fatal(err)
		}
		shop := &target{}
		ship := func(id string, end error, want rollout.Outcome) {
			t.Helper()
			report, err := engine.Run(t.Context(), rollout.RunRequest{ID: id, Release: rollout.Release{Name: "shop", Version: "2"}}, rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
				{Name: "deploy", Deploy: func(*rollout.StageRun) (rollout.Request, error) {
					return rollout.Request{Target: shop, Plan: plan}, nil
				}},
				{Name: "smoke", Needs: []string{"deploy"}, Do: func(context.Context, *rollout.StageRun) error { return end }},
			}})
			if err != nil || report.Outcome != want {
				t.Fatal(report.Outcome, err)
			}
		}
		ship("bad", errors.New("no"), rollout.RolledBack)
		ship("good", nil, rollout.Succeeded)
		time.Sleep(24 * time.Hour)
		if err := engine.Act(t.Context(), "good/deploy", rollout.Act{Kind: rollout.RollBack, Actor: "anna", Reason: "carts are empty"}); err != nil {
			t.Fatal(err)
		}
		if outcome, err := engine.Resume(t.Context(), rollout.Request{ID: rollout.BackID("good/deploy"), Target: shop}); err != nil || outcome != rollout.RolledBack {
			t.Fatal(outcome, err)
		}
		for r := range memory.Recent() {
			recent = append(recent, r)
		}
	})
	return recent
}

// recorded is what a journal has.
func recorded(t *testing.T, memory *rollout.Memory) (records []rollout.Record) {
	t.Helper()
	for r, err := range memory.Records() {
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}
