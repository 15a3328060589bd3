// Package otel tells OpenTelemetry what flags decide.
//
// [Evaluations] puts each decision of a request on its span:
//
//	flags := flag.New(flag.File("flags.json"), flag.Options{OnExposure: otel.Evaluations(otel.EvaluationOptions{})})
//	handler := otelhttp.NewHandler(flaghttp.Middleware(flags, whoAsks)(mux), "shop")
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
// not told of, nor are prerequisites. The reasons are: "split" by a ramp or a split,
// "targeting_match" by a target or a rule, "static" by an override, "disabled" of a flag
// that is disabled or killed, "error" without a document, flag or value of its type, and
// "default" otherwise.
//
// # Guarantees
//
//   - Whom a decision was for is told only if EvaluationOptions.Who says it:
//     TestEvaluationIsOnTheSpan, TestEvaluationsAsAsked.
//   - Where nothing is recorded, an evaluation costs no allocation more than a function that
//     does nothing: TestEvaluationsOfNobodyAllocateNothing.
//   - Every text is valid UTF-8 and bounded, so that no exporter refuses a batch
//     for it: TestForeignTextsAreBounded.
package otel
