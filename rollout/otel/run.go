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
	// Tracers makes the spans. Nil means the global one. Give rollouts an SDK's provider of
	// their own, with the generator [IDs], a sampler that keeps them all (rollouts are few,
	// and half of one is of no use; what a sampler drops is taken for told), and a batcher
	// with WithBlocking. While it makes nothing, as a no-op, one that was shut down, or the
	// global one before it is set, Run waits, and OnProblem is told.
	Tracers trace.TracerProvider
	// Meters makes guidon.rollout.duration, a histogram in seconds of how long rollouts and
	// runs took, by guidon.outcome, guidon.service and deployment.environment.name, of at
	// most 1,000 series and one for the rest. Nil means the global one. Without a Cursor, a
	// restart counts the old ones again.
	Meters metric.MeterProvider
	// Flush waits until the spans are out: the ForceFlush of the SDK's provider. An error
	// sends them again later. It is believed: spans are lost where it returns nil though
	// they were dropped, as the SDK's does if a batcher without WithBlocking had a full
	// queue, if WithSyncer failed to export, or if the provider was shut down while Run
	// went on. So end Run first, then shut it down. Nil does not wait: spans that were not
	// out as the process died are lost.
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
	// OnProblem is told when spans go nowhere or cannot be flushed, the journal cannot be
	// read or is another one, the cursor cannot be written, or records were gone before they
	// were told; what can be tried again is. It is told of the end of it with a nil error,
	// and of the error that ends Run. Nil means that slog.Default is told.
	OnProblem func(error)
}

// Run tells of rollouts, as spans, until the context ends, whose error it then returns, or
// what it follows does, and then nil. follow returns the records of one journal from the
// oldest on, each time that it is called: [rollout.Memory.Follow], or a function that
// calls [rollout.Follow]. What will not be better later is an error: a cursor that is
// none, records of a later release, or a journal that is corrupt twice in a row, and not only
// after it was followed for Options.Pause. It starts no goroutine, and may run in another
// process than the engine.
func Run(ctx context.Context, follow func(context.Context) iter.Seq2[rollout.Record, error], o Options) error {
	t, err := newTeller(o)
	if err == nil {
		err = t.run(ctx, follow)
	}
	if err != nil {
		err = &rollout.Error{Op: "trace", Key: o.Cursor, Err: err}
		t.tell(err)
		return err
	}
	return ctx.Err()
}

// teller is one Run.
type teller struct {
	options  Options
	duration metric.Float64Histogram
	series   *series // of duration
	cursor   cursor
	saved    cursor // as the file has it
	since    time.Time
	failing  bool // OnProblem was told
	noticed  bool // it was told of what is gone, which hides nothing else
}

func newTeller(o Options) (*teller, error) {
	if o.Tracers == nil {
		o.Tracers = otelapi.GetTracerProvider()
	}
	if o.Meters == nil {
		o.Meters = otelapi.GetMeterProvider()
	}
	o.Pause = cmp.Or(o.Pause, time.Minute)
	t := &teller{options: o, since: o.Since, series: newSeries(mostSeries)}
	var err error
	t.duration, err = o.Meters.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)).Float64Histogram("guidon.rollout.duration",
		metric.WithUnit("s"), metric.WithDescription("How long rollouts took, from the request to the end."),
		metric.WithExplicitBucketBoundaries(1, 10, 60, 300, 900, 3600, 4*3600, 24*3600, 7*24*3600))
	if err != nil {
		return t, err
	}
	if t.cursor, err = readCursor(o.Cursor); t.cursor != (cursor{}) {
		t.since = time.Time{}
	}
	t.saved = t.cursor
	return t, err
}

// run returns nil if the context is over.
func (t *teller) run(ctx context.Context, follow func(context.Context) iter.Seq2[rollout.Record, error]) error {
	defer t.save() // what has ended no step, too
	for failures, corrupt := 0, 0; ; {
		begun, at := t.cursor.place, time.Now()
		err := t.pass(ctx, follow(ctx))
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case errors.Is(err, errOther):
			t.cursor, t.since = cursor{}, t.options.Since
			t.notice(err)
			continue
		case t.cursor.place != begun:
			failures, corrupt = 0, 0
		case !errors.Is(err, rollout.ErrCorrupt) || time.Since(at) > t.options.Pause: // it could be read before
			corrupt = 0
		}
		failures++
		if errors.Is(err, rollout.ErrCorrupt) {
			corrupt++
		}
		if errors.Is(err, rollout.ErrVersion) || corrupt > 1 {
			return err
		}
		t.problem(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(time.Second<<min(failures-1, 20), t.options.Pause)):
		}
	}
}

// pass reads from the oldest record, and tells what comes after the cursor. It returns
// when something goes wrong, so that no file of the journal is open while it waits.
func (t *teller) pass(ctx context.Context, records iter.Seq2[rollout.Record, error]) error {
	known, first := newSteps(), true
	for r, err := range records {
		if err == nil {
			err = t.cursor.meets(r)
		}
		if err == nil && first {
			var gone uint64
			if gone, err = t.cursor.begins(r); gone > 0 {
				t.notice(fmt.Errorf("%d records are no longer in the journal: what they told, if anything, is not told, but for what is not over", gone))
			}
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
				known.remember(r.Checkpoint)
			}
		}
		first = false
		for _, r := range all {
			if err := t.take(ctx, known, r); err != nil {
				return err
			}
		}
		if t.cursor.before(r) {
			t.cursor.place = placeOf(r)
			if r.Checkpoint != nil { // those before it may be moved away
				t.save()
			}
		}
	}
	return nil
}

// take tells what a record ends.
func (t *teller) take(ctx context.Context, known *steps, r rollout.Record) error {
	ended, over, err := known.apply(r)
	if err != nil || len(ended) == 0 || !t.cursor.before(r) || r.At.Before(t.since) {
		return err
	}
	for _, s := range ended {
		if !t.emit(ctx, s) {
			return errNowhere
		}
	}
	if t.options.Flush != nil {
		if err := t.options.Flush(ctx); err != nil {
			return fmt.Errorf("spans cannot be flushed: %w", err)
		}
	}
	t.cursor.place = placeOf(r)
	if t.save() && (t.failing || t.noticed) {
		t.failing, t.noticed = false, false
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

// save writes how far it has come, and says whether that is written.
func (t *teller) save() bool {
	if t.cursor == t.saved || t.cursor.Sum == "" {
		return true
	}
	if err := t.cursor.write(t.options.Cursor); err != nil {
		t.problem(fmt.Errorf("the cursor cannot be written: %w", err))
		return false
	}
	t.saved = t.cursor
	return true
}

// errNowhere is what the API shows of a provider that makes nothing.
var errNowhere = errors.New("spans go nowhere: Options.Tracers was shut down, is not set up yet, or is a no-op")

// emit makes a span that began and ended when the journal says so, and says whether there
// is somebody who makes them. Its parent may have come from another process.
func (t *teller) emit(ctx context.Context, s span) bool {
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
	// Only a tracer that is asked for anew knows of a Shutdown.
	_, out := t.options.Tracers.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)).Start(ctx, s.name, options...)
	if !out.IsRecording() {
		return out.SpanContext().SpanID() != s.parent // one that a sampler drops has its own ID
	}
	for _, e := range s.events {
		out.AddEvent(e.name, trace.WithTimestamp(e.at), trace.WithAttributes(e.attrs...))
	}
	if s.failed != "" {
		out.SetStatus(codes.Error, s.failed)
	}
	out.End(trace.WithTimestamp(s.ended))
	return true
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

// notice tells of what is gone for good.
func (t *teller) notice(err error) {
	t.noticed = true
	t.tell(err)
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
		slog.Default().Error("rollout: traces are in trouble", "error", err)
	default:
		slog.Default().Info("rollout: traces get through")
	}
}
