package otel_test

import (
	"context"
	"fmt"
	"iter"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/rollout/otel"
	"github.com/guidon-go/guidon/strategy"
)

// printer is an exporter that prints, where a host has one of OTLP.
type printer struct{}

func (printer) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	for _, s := range spans {
		fmt.Println(s.Name())
		for _, e := range s.Events() {
			fmt.Println(" ", e.Name)
			for _, kv := range e.Attributes {
				if kv.Key != "feature_flag.version" {
					fmt.Printf("    %s: %s\n", kv.Key, kv.Value.String())
				}
			}
		}
	}
	return nil
}

func (printer) Shutdown(context.Context) error { return nil }

// What a flag decided for a request is on the request's span.
func ExampleEvaluations() {
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(printer{}))
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {"serve": "on"}}}`)), flag.Options{
		OnExposure: otel.Evaluations(otel.EvaluationOptions{}),
	})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	ctx, span := tracers.Tracer("shop").Start(context.Background(), "GET /checkout") // as otelhttp does
	ctx = flag.NewContext(ctx, flags.View(flag.For("anna")))                         // as flaghttp.Middleware does
	checkout.In(ctx)
	span.End()
	// Output:
	// GET /checkout
	//   feature_flag.evaluation
	//     feature_flag.provider.name: guidon
	//     feature_flag.key: new-checkout
	//     feature_flag.result.reason: default
	//     feature_flag.result.variant: on
}

// A rollout is a trace, with a span for each step. This Run tells of what is in the journal
// and returns; a service follows it, with rollout.Follow or Memory.Follow, and has
// Options.Cursor.
func ExampleRun() {
	tracers := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(printer{}),
		sdktrace.WithIDGenerator(otel.IDs{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()),
	)
	journal := &rollout.Memory{}
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := engine.Deploy(context.Background(), rollout.Request{
		ID: "shop 2", Target: &target{}, Plan: strategy.Plan{Strategy: "two steps", Steps: []strategy.Step{
			strategy.Shift{To: 10 * strategy.Percent},
			strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
		}},
	})
	fmt.Println(outcome, err)
	follow := func(context.Context) iter.Seq2[rollout.Record, error] { return journal.Records() }
	err = otel.Run(context.Background(), follow, otel.Options{Tracers: tracers, Flush: tracers.ForceFlush})
	fmt.Println(err, otel.TraceID("shop", "production", "shop 2"))
	// Output:
	// succeeded <nil>
	// shift from 0 % to 10 %
	// shift from 10 % to 100 %
	// rollout
	// <nil> f31545dee999d619d55f34dd54331282
}
