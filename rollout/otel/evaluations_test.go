package otel_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/log/embedded"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout/otel"
)

// request is a span of a request, which ended has once it is over.
func request(t testing.TB, o ...sdktrace.TracerProviderOption) (ctx context.Context, ended func() tracetest.SpanStub) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(append(o, sdktrace.WithSyncer(exporter))...)
	ctx, span := provider.Tracer("host").Start(t.Context(), "GET /checkout")
	return ctx, func() tracetest.SpanStub {
		span.End()
		spans := exporter.GetSpans()
		if len(spans) != 1 {
			t.Fatalf("%d spans, want 1", len(spans))
		}
		return spans[0]
	}
}

func TestEvaluationIsOnTheSpan(t *testing.T) {
	flags := store(t, otel.Evaluations(otel.EvaluationOptions{}))
	ctx, ended := request(t)
	ctx = flag.NewContext(ctx, flags.View(flag.For("anna@example.org")))
	if !checkout.In(ctx) || page.In(ctx) != "new" || !checkout.In(ctx) {
		t.Fatal("the flags are not as the document says")
	}
	var got []map[string]string
	for _, e := range ended().Events {
		if e.Name != "feature_flag.evaluation" {
			t.Errorf("event %q", e.Name)
		}
		got = append(got, texts(e.Attributes))
	}
	version := strconv.FormatUint(checkout.DecideFrom(flags.View(flag.Subject{})).Revision, 10)
	want := []map[string]string{
		{"feature_flag.key": "new-checkout", "feature_flag.result.variant": "on", "feature_flag.result.reason": "split", "feature_flag.provider.name": "guidon", "feature_flag.version": version},
		{"feature_flag.key": "page", "feature_flag.result.variant": "R&D", "feature_flag.result.reason": "default", "feature_flag.provider.name": "guidon", "feature_flag.version": version},
	}
	if diff := cmp.Diff(want, got); diff != "" { // each once, and nothing of whom it was for
		t.Error("want -, got +\n" + diff)
	}
}

func TestEvaluationsAsAsked(t *testing.T) {
	flags := store(t, otel.Evaluations(otel.EvaluationOptions{
		Only:     func(e flag.ExposureInfo) bool { return e.Key == "page" },
		Who:      func(e flag.ExposureInfo) string { return "hash of " + e.Subject },
		Set:      "shop/production",
		Provider: "ours",
	}))
	ctx, ended := request(t)
	ctx = flag.NewContext(ctx, flags.View(flag.For("anna")))
	checkout.In(ctx)
	page.In(ctx)
	events := ended().Events
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	got := texts(events[0].Attributes)
	delete(got, "feature_flag.version")
	want := map[string]string{"feature_flag.key": "page", "feature_flag.result.variant": "R&D", "feature_flag.result.reason": "default",
		"feature_flag.provider.name": "ours", "feature_flag.set.id": "shop/production", "feature_flag.context.id": "hash of anna"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("want -, got +\n" + diff)
	}
}

func TestEvaluationReasons(t *testing.T) {
	tell := otel.Evaluations(otel.EvaluationOptions{})
	for reason, want := range map[flag.Reason]string{
		flag.ReasonNoDocument: "error provider_not_ready", flag.ReasonUnknownFlag: "error flag_not_found",
		flag.ReasonQuarantined: "error parse_error", flag.ReasonWrongType: "error type_mismatch",
		flag.ReasonKilled: "disabled", flag.ReasonDisabled: "disabled", flag.ReasonOverride: "static",
		flag.ReasonTarget: "targeting_match", flag.ReasonRule: "targeting_match", flag.ReasonRamp: "split", flag.ReasonSplit: "split",
		flag.ReasonServe: "default", flag.ReasonWhen: "default", flag.ReasonNoUnit: "default", flag.ReasonHoldout: "split", flag.ReasonLayer: "split",
		flag.ReasonServe + 1: "unknown", 0: "unknown",
	} {
		ctx, ended := request(t)
		tell(flag.ExposureInfo{Key: "k", Reason: reason, Context: ctx})
		got := texts(ended().Events[0].Attributes)
		if text := strings.TrimSpace(got["feature_flag.result.reason"] + " " + got["error.type"]); text != want {
			t.Errorf("%v is %q, want %q", reason, text, want)
		}
		if _, ok := got["feature_flag.result.variant"]; ok {
			t.Errorf("%v: there is a variant where the caller's default won", reason)
		}
	}
}

func TestForeignTextsAreBounded(t *testing.T) {
	who := func(flag.ExposureInfo) string { return strings.Repeat("é", 1000) }
	tell := otel.Evaluations(otel.EvaluationOptions{Who: who, Set: "a\xffb"})
	ctx, ended := request(t)
	tell(flag.ExposureInfo{Key: strings.Repeat("x", 255) + "é", Variant: "R&D\n\xff", Context: ctx})
	tell(flag.ExposureInfo{Key: strings.Repeat("x\xff", 200), Context: ctx})
	events := ended().Events
	for _, event := range events {
		for key, text := range texts(event.Attributes) {
			if !utf8.ValidString(text) || len(text) > 256 {
				t.Errorf("%s has %d bytes: %q", key, len(text), text)
			}
		}
	}
	got := texts(events[0].Attributes)
	if want := strings.Repeat("x", 255); got["feature_flag.key"] != want || got["feature_flag.result.variant"] != "R&D\n\uFFFD" {
		t.Errorf("got %q", got)
	}
}

func TestEvaluationsOfNobodyAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ctx, _ := request(t, sdktrace.WithSampler(sdktrace.NeverSample()))
	for name, tell := range map[string]func(flag.ExposureInfo){
		"no sampled span":      otel.Evaluations(otel.EvaluationOptions{Who: func(flag.ExposureInfo) string { panic("asked") }}),
		"logs that are not on": otel.Evaluations(otel.EvaluationOptions{Logs: &logs{}}),
	} {
		e := flag.ExposureInfo{Key: "k", Variant: "on", Reason: flag.ReasonRamp, Revision: 1 << 60, Context: ctx}
		if n := testing.AllocsPerRun(100, func() { tell(e) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", name, n)
		}
	}
}

func TestEvaluationsAsLogEvents(t *testing.T) {
	to := &logs{on: true}
	flags := store(t, otel.Evaluations(otel.EvaluationOptions{Logs: to}))
	ctx, ended := request(t)
	ctx = flag.NewContext(ctx, flags.View(flag.For("anna")))
	checkout.In(ctx)
	span := ended()
	if len(span.Events) != 0 {
		t.Errorf("the span has %d events, too", len(span.Events))
	}
	if len(to.records) != 1 {
		t.Fatalf("%d records, want 1", len(to.records))
	}
	r := to.records[0]
	var attrs []attribute.KeyValue
	r.WalkAttributes(func(kv attribute.KeyValue) bool { attrs = append(attrs, kv); return true })
	if got := texts(attrs); r.EventName() != "feature_flag.evaluation" || got["feature_flag.key"] != "new-checkout" || got["feature_flag.result.variant"] != "on" {
		t.Errorf("record %q with %v", r.EventName(), got)
	}
	if to.spans[0] != span.SpanContext.SpanID() {
		t.Error("the record does not carry the request's span")
	}
}

// logs is what the log API has to offer, without an SDK.
type logs struct {
	embedded.LoggerProvider
	on      bool
	records []log.Record
	spans   []trace.SpanID
}

func (l *logs) Logger(string, ...log.LoggerOption) log.Logger { return logger{l: l} }

type logger struct {
	embedded.Logger
	l *logs
}

func (l logger) Emit(ctx context.Context, r log.Record) {
	l.l.records = append(l.l.records, r)
	l.l.spans = append(l.l.spans, trace.SpanContextFromContext(ctx).SpanID())
}

func (l logger) Enabled(context.Context, log.EnabledParameters) bool { return l.l.on }

func BenchmarkEvaluation(b *testing.B) {
	for _, c := range []struct {
		name    string
		on      func(flag.ExposureInfo)
		sampler sdktrace.Sampler
	}{
		{"told to nobody", nil, sdktrace.AlwaysSample()},
		{"told to who does nothing", func(flag.ExposureInfo) {}, sdktrace.AlwaysSample()},
		{"not sampled", otel.Evaluations(otel.EvaluationOptions{}), sdktrace.NeverSample()},
		{"sampled", otel.Evaluations(otel.EvaluationOptions{}), sdktrace.AlwaysSample()},
	} {
		b.Run(c.name, func(b *testing.B) {
			flags := store(b, c.on)
			ctx, _ := request(b, sdktrace.WithSampler(c.sampler))
			b.ReportAllocs()
			for b.Loop() { // a request that evaluates one flag
				checkout.In(flag.NewContext(ctx, flags.View(flag.For("anna"))))
			}
		})
	}
}
