package otel

import (
	"cmp"
	"context"
	"errors"

	otelapi "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// MetricOptions say what is measured. The zero value measures nothing.
type MetricOptions struct {
	// Meters makes the instruments. Nil means the global one.
	Meters metric.MeterProvider
	// Flags is whose evaluations are observed: guidon.flag.evaluations, a counter by
	// feature_flag.key and feature_flag.result.variant, which is empty for the caller's
	// default. It does not fall when flags go or begin anew; but what was counted since it
	// was last collected goes with them. The store counts anyway, so evaluations cost no
	// more. Nil leaves it out.
	Flags *flag.Store
	// Engine is whose rollouts are observed: guidon.rollout.live, how many are not over, by
	// guidon.phase; and guidon.rollout.share, what part of the traffic the new version may
	// have, 0 to 1, of each guidon.service, deployment.environment.name and feature_flag.key
	// with a rollout that is not over. Nil leaves both out.
	Engine *rollout.Engine
	// Limit is how many series an instrument may have. What comes first by name is kept,
	// and what was kept stays; the rest is one series more, with the attribute
	// guidon.overflow: the sum, or the largest share. Zero means 1,000. An SDK has a
	// limit of its own: see its WithCardinalityLimit.
	Limit int
}

// Metrics registers instruments that are read when metrics are collected, until the
// registration is unregistered. It starts no goroutine.
func Metrics(o MetricOptions) (metric.Registration, error) {
	if o.Meters == nil {
		o.Meters = otelapi.GetMeterProvider()
	}
	meter := o.Meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))
	evaluations, err1 := meter.Int64ObservableCounter("guidon.flag.evaluations", metric.WithUnit("{evaluation}"),
		metric.WithDescription("Evaluations of flags, by the variant that they served."))
	live, err2 := meter.Int64ObservableUpDownCounter("guidon.rollout.live", metric.WithUnit("{rollout}"),
		metric.WithDescription("Rollouts that are not over, by where they stand."))
	shares, err3 := meter.Float64ObservableGauge("guidon.rollout.share", metric.WithUnit("1"),
		metric.WithDescription("What part of the traffic the new version may have."))
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	limit := cmp.Or(o.Limit, mostSeries)
	counted, shareSeries := &tally{series: newSeries(limit), past: map[names]int64{}}, newSeries(limit)
	return meter.RegisterCallback(func(_ context.Context, out metric.Observer) error {
		if o.Flags != nil {
			for n, sum := range counted.sums(o.Flags) {
				out.ObserveInt64(evaluations, sum, n.as(semconv.FeatureFlagKeyKey, semconv.FeatureFlagResultVariantKey))
			}
		}
		if o.Engine != nil {
			phases, most := map[string]int64{}, map[names]float64{}
			for s := range o.Engine.Live() {
				phases[s.Phase]++
				n := shareSeries.of(names{s.Service, s.Environment, s.Flag})
				most[n] = max(most[n], float64(s.State.Share)/float64(strategy.All))
			}
			for phase, n := range phases {
				out.ObserveInt64(live, n, metric.WithAttributes(attribute.String("guidon.phase", phase)))
			}
			for n, share := range most {
				out.ObserveFloat64(shares, share, n.as("guidon.service", semconv.DeploymentEnvironmentNameKey, semconv.FeatureFlagKeyKey))
			}
		}
		return nil
	}, evaluations, live, shares)
}
