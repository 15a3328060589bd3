package otel

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/flag"
)

const (
	scope      = "github.com/guidon-go/guidon/rollout/otel"
	evaluation = "feature_flag.evaluation"
	longest    = 256 // bytes of an attribute's text; names in documents have no more
)

// EvaluationOptions say what is told of decisions. Every zero is right for most.
type EvaluationOptions struct {
	// Logs is where events go, through the log API: each carries the trace of its request,
	// and is emitted whether or not that is sampled. Nil puts them on the request's span
	// instead, if that records.
	Logs log.LoggerProvider
	// Only says which evaluations to tell of, for requests that evaluate many flags: a span
	// keeps 128 events unless its SDK was told otherwise. It is called by whoever evaluates.
	// Nil is all.
	Only func(flag.ExposureInfo) bool
	// Who says whom it was decided for, feature_flag.context.id: a hash of
	// ExposureInfo.Subject, say. Nil, and the empty text, leave it out.
	Who func(flag.ExposureInfo) string
	// Set is feature_flag.set.id. Empty leaves it out.
	Set string
	// Provider is feature_flag.provider.name. Empty means "guidon".
	Provider string
}

// Evaluations returns what tells of decisions, for [flag.Options].OnExposure: an event
// feature_flag.evaluation for each flag that a request evaluates, the first time. It is
// safe for concurrent use, takes no lock, and allocates nothing where the request's span
// does not record, or the logger is not enabled.
func Evaluations(o EvaluationOptions) func(flag.ExposureInfo) {
	constant := []attribute.KeyValue{semconv.FeatureFlagProviderName(bounded(cmp.Or(o.Provider, "guidon")))}
	if o.Set != "" {
		constant = append(constant, semconv.FeatureFlagSetID(bounded(o.Set)))
	}
	attributes := func(e flag.ExposureInfo) []attribute.KeyValue {
		attrs := append(make([]attribute.KeyValue, 0, 8), constant...)
		reason, failed := reasonOf(e.Reason)
		attrs = append(attrs, semconv.FeatureFlagKey(bounded(e.Key)), reason)
		if e.Variant != "" {
			attrs = append(attrs, semconv.FeatureFlagResultVariant(bounded(e.Variant)))
		}
		if failed != "" {
			attrs = append(attrs, semconv.ErrorTypeKey.String(failed))
		}
		if e.Revision != 0 {
			attrs = append(attrs, semconv.FeatureFlagVersion(strconv.FormatUint(e.Revision, 10)))
		}
		if o.Who != nil {
			if who := o.Who(e); who != "" {
				attrs = append(attrs, semconv.FeatureFlagContextID(bounded(who)))
			}
		}
		return attrs
	}
	if o.Logs == nil {
		return func(e flag.ExposureInfo) {
			if span := trace.SpanFromContext(e.Context); span.IsRecording() && (o.Only == nil || o.Only(e)) {
				span.AddEvent(evaluation, trace.WithAttributes(attributes(e)...))
			}
		}
	}
	logger := o.Logs.Logger(scope, log.WithSchemaURL(semconv.SchemaURL))
	return func(e flag.ExposureInfo) {
		if o.Only != nil && !o.Only(e) || !enabled(logger, e.Context) {
			return
		}
		var r log.Record
		r.SetEventName(evaluation)
		r.SetSeverity(log.SeverityInfo)
		r.AddAttributes(attributes(e)...)
		logger.Emit(e.Context, r)
	}
}

func enabled(logger log.Logger, ctx context.Context) bool {
	return logger.Enabled(ctx, log.EnabledParameters{Severity: log.SeverityInfo, EventName: evaluation})
}

// reasonOf is the reason by the conventions, and the error's type if it is one.
func reasonOf(r flag.Reason) (reason attribute.KeyValue, failed string) {
	switch r {
	case flag.ReasonNoDocument:
		return semconv.FeatureFlagResultReasonError, "provider_not_ready"
	case flag.ReasonUnknownFlag:
		return semconv.FeatureFlagResultReasonError, "flag_not_found"
	case flag.ReasonQuarantined:
		return semconv.FeatureFlagResultReasonError, "parse_error"
	case flag.ReasonWrongType:
		return semconv.FeatureFlagResultReasonError, "type_mismatch"
	case flag.ReasonKilled, flag.ReasonDisabled:
		return semconv.FeatureFlagResultReasonDisabled, ""
	case flag.ReasonOverride:
		return semconv.FeatureFlagResultReasonStatic, ""
	case flag.ReasonTarget, flag.ReasonRule:
		return semconv.FeatureFlagResultReasonTargetingMatch, ""
	case flag.ReasonRamp, flag.ReasonSplit, flag.ReasonHoldout, flag.ReasonLayer:
		return semconv.FeatureFlagResultReasonSplit, ""
	case flag.ReasonServe, flag.ReasonWhen, flag.ReasonNoUnit:
		return semconv.FeatureFlagResultReasonDefault, ""
	}
	return semconv.FeatureFlagResultReasonUnknown, ""
}

// bounded is a text that every exporter takes: one that is not UTF-8 would cost others
// their place in the same batch.
func bounded(s string) string {
	return shortened(strings.ToValidUTF8(shortened(s), "\uFFFD")) // which makes it longer
}

func shortened(s string) string {
	if len(s) <= longest {
		return s
	}
	cut := longest
	for cut > longest-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
