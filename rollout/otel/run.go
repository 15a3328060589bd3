package otel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	otelapi "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/rollout"
)

// Options say where spans of rollouts go. Every zero is right for a try; a service sets
// Cursor and Flush.
type Options struct {
	// Tracers makes the spans. Nil means the global one. Give its SDK the generator [IDs],
	// and a sampler that keeps them all: rollouts are few, and half of one is of no use.
	Tracers trace.TracerProvider
	// Meters makes guidon.rollout.duration, a histogram in seconds of how long rollouts and
	// runs took, by guidon.outcome, guidon.service and deployment.environment.name, of at
	// most 1,000 series and one for the rest. Nil means the global one. Without a Cursor, a
	// restart counts the old ones again.
	Meters metric.MeterProvider
	// Flush waits until the spans are out: the ForceFlush of the SDK's provider. An error
	// sends them again later. Nil does not wait: spans that were not out as the process
	// died are lost.
	Flush func(context.Context) error
	// Cursor is the file that says how far it has come. It belongs to one journal, and a
	// good place is the journal's folder. Empty tells everything anew at each Run.
	Cursor string
	// Since leaves out what ended before, where there is no cursor yet. Zero is everything
	// that the journal has.
	Since time.Time
	// Pause is the longest time between two attempts after something went wrong. Zero
	// means a minute.
	Pause time.Duration
	// OnProblem is told when spans cannot be flushed, the journal cannot be read, the cursor
	// cannot be written, or records were gone before they were told; what can be tried again
	// is. It is told of the end of it with a nil error. Nil means that slog.Default is told.
	OnProblem func(error)
}

// Run tells of rollouts, as spans, until the context ends, whose error it then returns, or
// what it follows does, and then nil. follow returns the records of one journal from the
// oldest on, each time that it is called: [rollout.Memory.Follow], or a function that
// calls [rollout.Follow]. What will not be better later is an error: a cursor that is
// none, records of a later release, or a journal that is corrupt both times that it was
// read. It starts no goroutine, and may run in another process than the engine.
func Run(ctx context.Context, follow func(context.Context) iter.Seq2[rollout.Record, error], o Options) error {
	t, err := newTeller(o)
	if err != nil {
		return &rollout.Error{Op: "trace", Key: o.Cursor, Err: err}
	}
	for failures := 0; ; {
		begun := t.cursor
		err := t.pass(ctx, follow(ctx))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			return nil
		case errors.Is(err, errOther):
			t.cursor, t.since = cursor{}, o.Since
			t.problem(err)
			continue
		case t.cursor != begun:
			failures = 0
		}
		if failures++; errors.Is(err, rollout.ErrVersion) || errors.Is(err, rollout.ErrCorrupt) && failures > 1 {
			return &rollout.Error{Op: "trace", Key: o.Cursor, Err: err}
		}
		t.problem(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(min(time.Second<<min(failures-1, 20), cmp.Or(o.Pause, time.Minute))):
		}
	}
}

// teller is one Run.
type teller struct {
	options  Options
	tracer   trace.Tracer
	duration metric.Float64Histogram
	series   *series // of duration
	cursor   cursor
	since    time.Time
	failing  bool // OnProblem was told
}

func newTeller(o Options) (*teller, error) {
	t := &teller{options: o, since: o.Since, series: newSeries(mostSeries)}
	if o.Tracers == nil {
		o.Tracers = otelapi.GetTracerProvider()
	}
	if o.Meters == nil {
		o.Meters = otelapi.GetMeterProvider()
	}
	t.tracer = o.Tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
	var err error
	t.duration, err = o.Meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)).Float64Histogram("guidon.rollout.duration",
		metric.WithUnit("s"), metric.WithDescription("How long rollouts took, from the request to the end."),
		metric.WithExplicitBucketBoundaries(1, 10, 60, 300, 900, 3600, 4*3600, 24*3600, 7*24*3600))
	if err != nil {
		return nil, err
	}
	if t.cursor, err = readCursor(o.Cursor); t.cursor != (cursor{}) {
		t.since = time.Time{}
	}
	return t, err
}

// pass reads from the oldest record, and tells what comes after the cursor. It returns
// when something goes wrong, so that no file of the journal is open while it waits.
func (t *teller) pass(ctx context.Context, records iter.Seq2[rollout.Record, error]) error {
	known, first := steps{}, true
	for r, err := range records {
		if err == nil {
			err = t.cursor.meets(r)
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		all := []rollout.Record{r}
		if r.Checkpoint != nil {
			if all = nil; first {
				all = r.Checkpoint.Live
			}
		}
		if gone := r.Seq - t.cursor.Seq - 1; first && t.cursor.Sum != "" && r.Seq > t.cursor.Seq+1 {
			t.problem(fmt.Errorf("%d records are no longer in the journal: what they told is not told, but for what is not over", gone))
		}
		first = false
		for _, r := range all {
			if err := t.take(ctx, known, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// take tells what a record ends.
func (t *teller) take(ctx context.Context, known steps, r rollout.Record) error {
	ended, over, err := known.apply(r)
	if err != nil || len(ended) == 0 || !t.cursor.before(r) || r.At.Before(t.since) {
		return err
	}
	for _, s := range ended {
		t.emit(ctx, s)
	}
	if t.options.Flush != nil {
		if err := t.options.Flush(ctx); err != nil {
			return fmt.Errorf("spans cannot be flushed: %w", err)
		}
	}
	t.cursor = cursor{Seq: r.Seq, Sum: r.Sum, Prev: r.Prev}
	if err := t.cursor.write(t.options.Cursor); err != nil {
		t.problem(fmt.Errorf("the cursor cannot be written: %w", err))
	} else if t.failing {
		t.failing = false
		t.tell(nil)
	}
	if over {
		whole := ended[len(ended)-1]
		keys := []attribute.Key{"guidon.outcome", "guidon.service", semconv.DeploymentEnvironmentNameKey}
		n := t.series.of(names{whole.get(keys[0]), whole.get(keys[1]), whole.get(keys[2])})
		t.duration.Record(ctx, whole.ended.Sub(whole.began).Seconds(), n.as(keys...))
	}
	return nil
}

// emit makes a span that began and ended when the journal says so. Its parent may have
// come from another process.
func (t *teller) emit(ctx context.Context, s span) {
	ctx = context.WithValue(ctx, wantedID{}, s.id)
	parent := trace.SpanContextConfig{TraceID: s.trace, SpanID: s.parent, Remote: true}
	if s.parent.IsValid() {
		parent.TraceFlags = trace.FlagsSampled
	}
	ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(parent)) // of the first it has no span, which makes it a root
	options := []trace.SpanStartOption{trace.WithTimestamp(s.began), trace.WithAttributes(s.attrs...)}
	if s.link.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: s.link}))
	}
	_, out := t.tracer.Start(ctx, s.name, options...)
	for _, e := range s.events {
		out.AddEvent(e.name, trace.WithTimestamp(e.at), trace.WithAttributes(e.attrs...))
	}
	if s.failed != "" {
		out.SetStatus(codes.Error, s.failed)
	}
	out.End(trace.WithTimestamp(s.ended))
}

// get is an attribute's text, or empty.
func (s span) get(key attribute.Key) string {
	for _, kv := range s.attrs {
		if kv.Key == key {
			return kv.Value.AsString()
		}
	}
	return ""
}

// problem tells once that something is wrong.
func (t *teller) problem(err error) {
	if !t.failing {
		t.failing = true
		t.tell(err)
	}
}

func (t *teller) tell(err error) {
	switch {
	case t.options.OnProblem != nil:
		t.options.OnProblem(err)
	case err != nil:
		slog.Default().Error("rollout: traces are in trouble, and tried again", "error", err)
	default:
		slog.Default().Info("rollout: traces get through")
	}
}
