// Package otel tells OpenTelemetry what flags decide and what rollouts do: as spans,
// events and metrics, through its API alone. The SDK is the host's.
//
// [Evaluations] puts each decision of a request on its span:
//
//	flags := flag.New(flag.File("flags.json"), flag.Options{OnExposure: otel.Evaluations(otel.EvaluationOptions{})})
//	handler := otelhttp.NewHandler(flaghttp.Middleware(flags, whoAsks)(mux), "shop")
//
// [Run] makes a trace of each rollout, with a span for each step:
//
//	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter, sdktrace.WithBlocking()), sdktrace.WithIDGenerator(otel.IDs{}))
//	follow := func(ctx context.Context) iter.Seq2[rollout.Record, error] { return rollout.Follow(ctx, "state") }
//	err := otel.Run(ctx, follow, otel.Options{Tracers: tracers, Flush: tracers.ForceFlush, Cursor: "state/otel.json"})
//
// [Metrics] observes what flags and rollouts have counted:
//
//	registration, err := otel.Metrics(otel.MetricOptions{Flags: flags, Engine: engine})
//
// # Evaluations
//
// An event is named feature_flag.evaluation and has the attributes of OpenTelemetry's
// semantic conventions 1.43.0, which call them release candidates: feature_flag.key,
// feature_flag.result.variant (none where the caller's default won),
// feature_flag.result.reason, error.type where that is "error",
// feature_flag.provider.name, and feature_flag.version, the revision of the snapshot:
// it is of one process, so together with service.instance.id. feature_flag.set.id
// and feature_flag.context.id, whom it was decided for, are there if they are asked for.
//
// The conventions record evaluations as events of the log API: EvaluationOptions.Logs does
// so. Without it they are events of the span that the request's context had where its view
// was put into it, so tracing stands outside of flaghttp.Middleware; spans that the
// handler begins later have none.
//
// A flag is told of once a request. Evaluations without a request (Ref.Value, Decide) are
// not told of, nor are prerequisites. The reasons are: "split" by a ramp, a split, a holdout or a layer,
// "targeting_match" by a target or a rule, "static" by an override, "disabled" of a flag
// that is disabled or killed, "error" without a document, flag or value of its type, and
// "default" otherwise.
//
// # Rollouts
//
// A rollout may take days, and outlive processes. So nothing is kept open: a span is made
// when the journal has its end, with the times of the journal, by whoever follows that; the
// span of the whole comes last, and until then the steps of its trace have no parent in the
// backend. The trace is [TraceID], and with the generator [IDs] so are the spans' IDs:
// what is sent twice, as after a crash, is the same, and a backend has it once. Without
// [IDs] spans have IDs at random, and the steps' parent is not found. A rollout that a
// pipeline makes is in the trace of the run, below its stage; so is what takes that back
// before the run is over. What takes a rollout back has a link to it, if the journal still
// knows of that.
//
// A step is one attempt. It has failed (status Error) if a gate said no, the target did not
// move, or a judge said that the change fails. The attribute guidon.ended says how it ended:
// "done", "skipped", "failed", "cut short", as the rollout turned round, or "interrupted",
// as its process was gone before it could say so; then it ends where the next attempt begins.
// guidon.share is the part of the traffic that the new version may have then, 0 to 1. Pauses,
// freezes, what people did and a judge's Fail are events, of the step that is under way, or
// of the whole. They have names of people (guidon.actor), as the journal has.
//
// Pipelines have the attributes of the conventions: cicd.pipeline.name,
// cicd.pipeline.run.id and cicd.pipeline.task.name. Those of rollouts have no convention yet:
// guidon.rollout (the ID), guidon.service, guidon.release, guidon.outcome, guidon.reason,
// guidon.takes_back, guidon.step, guidon.back, guidon.attempt; deployment.environment.name
// and feature_flag.key are the conventions' own.
//
// # Guarantees
//
//   - Whom a decision was for is told only if EvaluationOptions.Who says it:
//     TestEvaluationIsOnTheSpan, TestEvaluationsAsAsked.
//   - Where nothing is recorded, an evaluation costs no allocation more than a function that
//     does nothing: TestEvaluationsOfNobodyAllocateNothing. Metrics cost it nothing.
//   - Every text is valid UTF-8 and bounded, so that no exporter refuses a batch for it:
//     TestForeignTextsAreBounded.
//   - With a Cursor, whatever record a Run ends at, each step is told, and told once:
//     TestRestarts. With a Flush that fails whenever a span did not get out, that holds for
//     a process that dies, too, but that spans may be sent again, with the same IDs:
//     TestCrashes, TestCollectorIsAway. An SDK's ForceFlush does so only of a provider that
//     is set up as [Options] says, and shut down after Run has returned. Of one that makes
//     no spans at all OnProblem is told: TestNobodyMakesSpans, TestShutdownMeanwhile.
//   - A cursor of another journal, and records that were gone untold, are told of, and
//     nothing else is taken for that: TestNewJournal, TestRotation.
//   - No instrument has more series than its limit, and one more, of the attribute
//     guidon.overflow, for the rest: TestMetricsAreBounded.
package otel
