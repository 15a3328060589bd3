package otel_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/otel"
	"github.com/guidon-go/guidon/strategy"
)

// target is what moves. It may die in a shift.
type target struct {
	share strategy.Share
	dies  func()
}

func (t *target) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: t.share}, nil
}

func (t *target) Shift(ctx context.Context, to strategy.Share) error {
	if dies := t.dies; dies != nil {
		t.dies = nil
		dies()
		<-ctx.Done()
		return ctx.Err()
	}
	t.share = to
	return nil
}

var plan = strategy.Plan{Strategy: "slow", Old: "1", New: "2", Steps: []strategy.Step{
	strategy.Shift{To: 10 * strategy.Percent},
	strategy.Hold{For: time.Hour},
	strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
}}

// journal is of a rollout whose process dies in its first step and is back a minute later,
// of one that a person aborts, and of a run of a pipeline that deploys.
func journal(t *testing.T) (records []rollout.Record) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		memory := &rollout.Memory{}
		engine := func() *rollout.Engine {
			e, err := rollout.New(memory, rollout.Options{Service: "shop", Environment: "production"})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		want := func(got rollout.Outcome, err error, want rollout.Outcome) {
			t.Helper()
			if err != nil || got != want {
				t.Fatalf("got %v, %v, want %v", got, err, want)
			}
		}
		ctx, die := context.WithCancel(t.Context())
		shop := &target{dies: die}
		request := rollout.Request{ID: "shop 2", Release: rollout.Release{Name: "shop", Version: "2"}, Plan: plan, Target: shop}
		if _, err := engine().Deploy(ctx, request); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want a process that is gone", err)
		}
		time.Sleep(time.Minute)
		e := engine()
		outcome, err := e.Deploy(t.Context(), request)
		want(outcome, err, rollout.Succeeded)

		shop.share = 0
		request.ID = "shop 3"
		go func() {
			time.Sleep(30 * time.Minute)
			if err := e.Act(t.Context(), "shop 3", rollout.Act{Kind: rollout.Abort, Actor: "anna", Reason: "carts are empty"}); err != nil {
				t.Error(err)
			}
		}()
		outcome, err = e.Deploy(t.Context(), request)
		want(outcome, err, rollout.RolledBack)

		report, err := e.Run(t.Context(), rollout.RunRequest{ID: "run 4", Release: request.Release}, rollout.Pipeline{Name: "ship", Stages: []rollout.Stage{
			{Name: "build", Do: func(context.Context, *rollout.StageRun) error { time.Sleep(time.Minute); return nil }},
			{Name: "smoke", Optional: true, Do: func(context.Context, *rollout.StageRun) error { return errors.New("the page\nis blank") }},
			{Name: "deploy", Needs: []string{"build"}, Deploy: func(*rollout.StageRun) (rollout.Request, error) {
				shop.share = 0
				return rollout.Request{Target: shop, Plan: plan}, nil
			}},
		}})
		want(report.Outcome, err, rollout.Succeeded)
		records = recorded(t, memory)
	})
	return records
}

// of follows records that are there, and ends.
func of(records []rollout.Record) func(context.Context) iter.Seq2[rollout.Record, error] {
	return func(context.Context) iter.Seq2[rollout.Record, error] {
		return func(yield func(rollout.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// sdk is a process's SDK, and what it exports to.
func sdk(to *tracetest.InMemoryExporter) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(to), sdktrace.WithIDGenerator(otel.IDs{}), sdktrace.WithSampler(sdktrace.AlwaysSample()))
}

func run(t *testing.T, records []rollout.Record, to *tracetest.InMemoryExporter, o otel.Options) error {
	t.Helper()
	provider := sdk(to)
	o.Tracers = provider
	if o.Flush == nil {
		o.Flush = provider.ForceFlush
	}
	if o.OnProblem == nil {
		o.OnProblem = func(err error) { t.Error("problem:", err) }
	}
	err := otel.Run(t.Context(), of(records), o)
	if err := provider.ForceFlush(context.Background()); err != nil {
		t.Error(err)
	}
	return err
}

// tree prints spans below their parents, each with what is told of it.
func tree(spans tracetest.SpanStubs) string {
	var b strings.Builder
	var print func(trace.SpanContext, string)
	below := map[trace.SpanID]tracetest.SpanStubs{}
	for _, s := range spans {
		below[s.Parent.SpanID()] = append(below[s.Parent.SpanID()], s)
	}
	begin := spans[0].StartTime
	for _, s := range spans {
		if s.StartTime.Before(begin) {
			begin = s.StartTime
		}
	}
	print = func(of trace.SpanContext, indent string) {
		children := below[of.SpanID()]
		slices.SortStableFunc(children, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
		for _, s := range children {
			if of.IsValid() && of.TraceID() != s.SpanContext.TraceID() {
				fmt.Fprint(&b, "in another trace: ")
			}
			a, attempt := texts(s.Attributes), ""
			if a["guidon.attempt"] > "1" {
				attempt = ", attempt " + a["guidon.attempt"]
			}
			fmt.Fprintf(&b, "%s%s %v to %v %s%s%s", indent, s.Name, s.StartTime.Sub(begin), s.EndTime.Sub(begin), a["guidon.outcome"], a["guidon.ended"], attempt)
			if s.Status.Description != "" {
				fmt.Fprintf(&b, " %q", s.Status.Description)
			}
			for _, e := range s.Events {
				fmt.Fprintf(&b, " [%s %s by %s: %s]", e.Name, texts(e.Attributes)["guidon.act"], texts(e.Attributes)["guidon.actor"], texts(e.Attributes)["guidon.reason"])
			}
			fmt.Fprintln(&b)
			print(s.SpanContext, indent+"  ")
		}
	}
	print(trace.SpanContext{}, "")
	return b.String()
}

const story = `rollout 0s to 1h1m0s succeeded
  shift from 0 % to 10 % 0s to 1m0s interrupted
  shift from 0 % to 10 % 1m0s to 1m0s done, attempt 2
  hold 1h0m0s 1m0s to 1h1m0s done
  shift from 10 % to 100 % 1h1m0s to 1h1m0s done
rollout 1h1m0s to 1h31m0s rolled back "rolled back: carts are empty"
  shift from 0 % to 10 % 1h1m0s to 1h1m0s done
  hold 1h0m0s 1h1m0s to 1h31m0s cut short [guidon.acted abort by anna: carts are empty]
  shift from 10 % to 0 % 1h31m0s to 1h31m0s done
pipeline 1h31m0s to 2h32m0s succeeded
  run smoke 1h31m0s to 1h31m0s failed "the page\nis blank"
  run build 1h31m0s to 1h32m0s done
  run deploy 1h32m0s to 2h32m0s done
    rollout 1h32m0s to 2h32m0s succeeded
      shift from 0 % to 10 % 1h32m0s to 1h32m0s done
      hold 1h0m0s 1h32m0s to 2h32m0s done
      shift from 10 % to 100 % 2h32m0s to 2h32m0s done
`

func TestSpans(t *testing.T) {
	to := tracetest.NewInMemoryExporter()
	if err := run(t, journal(t), to, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(story, tree(to.GetSpans())); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
	root := to.GetSpans()[slices.IndexFunc(to.GetSpans(), func(s tracetest.SpanStub) bool {
		return texts(s.Attributes)["guidon.rollout"] == "shop 2" && s.Name == "rollout"
	})]
	if want := otel.TraceID("shop", "production", "shop 2"); root.SpanContext.TraceID() != want {
		t.Errorf("trace %v, want %v", root.SpanContext.TraceID(), want)
	}
	got := texts(root.Attributes)
	delete(got, "guidon.reason")
	want := map[string]string{"guidon.rollout": "shop 2", "guidon.service": "shop", "deployment.environment.name": "production",
		"guidon.release": "shop 2", "guidon.actor": "host", "guidon.outcome": "succeeded"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
}

// TestRestarts stops after each record, and goes on in another process: every span is
// exported, and once.
func TestRestarts(t *testing.T) {
	records := journal(t)
	all := tracetest.NewInMemoryExporter()
	if err := run(t, records, all, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	for n := range records {
		to, cursor := tracetest.NewInMemoryExporter(), filepath.Join(t.TempDir(), "cursor")
		for _, part := range [][]rollout.Record{records[:n], records, records} {
			if err := run(t, part, to, otel.Options{Cursor: cursor}); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(ids(all.GetSpans()), ids(to.GetSpans())); diff != "" {
			t.Fatalf("stopped after record %d: want -, got +\n%s", n, diff)
		}
	}
}

// TestCrashes dies after spans were exported, and before that was noted: they are
// exported twice, and are the same ones.
func TestCrashes(t *testing.T) {
	records := journal(t)
	all := tracetest.NewInMemoryExporter()
	if err := run(t, records, all, otel.Options{}); err != nil {
		t.Fatal(err)
	}
	for n := range all.GetSpans() {
		to, cursor := tracetest.NewInMemoryExporter(), filepath.Join(t.TempDir(), "cursor")
		left := n
		ctx, die := context.WithCancel(t.Context())
		provider := sdk(to)
		err := otel.Run(ctx, of(records), otel.Options{Tracers: provider, Cursor: cursor, Flush: func(ctx context.Context) error {
			err := provider.ForceFlush(ctx)
			if left--; left < 0 {
				die()
				return ctx.Err()
			}
			return err
		}})
		if len(to.GetSpans()) < len(all.GetSpans()) && !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want a process that is gone", err)
		}
		if err := run(t, records, to, otel.Options{Cursor: cursor}); err != nil {
			t.Fatal(err)
		}
		got := ids(to.GetSpans())
		if diff := cmp.Diff(ids(all.GetSpans()), slices.Compact(got)); diff != "" {
			t.Fatalf("died after flush %d: want -, got +\n%s", n, diff)
		}
	}
}

func ids(spans tracetest.SpanStubs) (ids []string) {
	for _, s := range spans {
		ids = append(ids, fmt.Sprint(s.SpanContext.TraceID(), s.SpanContext.SpanID(), " below ", s.Parent.SpanID(), " ", s.Name))
	}
	slices.Sort(ids)
	return ids
}

// TestCollectorIsAway sends again what could not be exported.
func TestCollectorIsAway(t *testing.T) {
	records := journal(t)
	synctest.Test(t, func(t *testing.T) {
		to, fails := tracetest.NewInMemoryExporter(), 3
		provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(to), sdktrace.WithIDGenerator(otel.IDs{}))
		var told []string
		err := otel.Run(t.Context(), of(records), otel.Options{Tracers: provider, OnProblem: func(err error) { told = append(told, fmt.Sprint(err)) }, Flush: func(context.Context) error {
			if fails--; fails >= 0 {
				return errors.New("no route")
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"spans cannot be flushed: no route", "<nil>"}, told); diff != "" {
			t.Error("want -, got +\n" + diff)
		}
		got := ids(to.GetSpans())
		if again := len(got) - len(slices.Compact(got)); again != 3 {
			t.Errorf("%d spans were sent again, want 3", again)
		}
	})
}
