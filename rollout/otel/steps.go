package otel

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// mostEvents bounds what is kept of one step, and of one rollout beside its steps.
const mostEvents = 100

// span is one that is over, or will be.
type span struct {
	name         string
	trace        trace.TraceID
	id, parent   trace.SpanID // no parent is the first of its trace
	began, ended time.Time
	attrs        []attribute.KeyValue
	events       []event
	link         trace.SpanContext // what it takes back
	failed       string            // why; empty if it has not
	attempt      int
}

type event struct {
	name  string
	at    time.Time
	attrs []attribute.KeyValue
}

// story is a rollout, or a run of a pipeline, that is not over.
type story struct {
	whole   span
	open    map[string]*span // by stage; a rollout has one at a time, and no name for it
	machine rollout.Machine  // of a rollout
}

// steps folds records into spans.
type steps struct {
	live   map[string]*story // what is not over, by ID
	traces map[string]part   // all that is known of, by ID
}

func newSteps() *steps { return &steps{map[string]*story{}, map[string]part{}} }

// part says where a rollout, or a run, is told.
type part struct {
	trace trace.TraceID
	run   string // of a pipeline, that it is part of
}

// remember takes in what a checkpoint has of those that are over.
func (s *steps) remember(c *rollout.Checkpoint) {
	for _, r := range c.Live {
		if r.Run != nil {
			s.traces[r.Rollout] = part{trace: TraceID(r.Run.Service, r.Run.Environment, r.Rollout)}
		}
	}
	for _, e := range c.Ended {
		if e.Run != nil {
			s.traces[e.ID] = part{trace: TraceID(e.Run.Service, e.Run.Environment, e.ID)}
		}
	}
	for _, e := range c.Ended {
		run, known := s.traces[e.Parent]
		switch {
		case e.Request == nil || e.Request.TakesBack != "": // a run, or what nothing is linked to
		case known:
			s.traces[e.ID] = part{run.trace, e.Parent}
		case e.Parent == "":
			s.traces[e.ID] = part{trace: TraceID(e.Request.Service, e.Request.Environment, e.ID)}
		}
	}
}

// apply takes a record in and returns the spans that it ends, and whether the last is that
// of a whole rollout.
func (s *steps) apply(r rollout.Record) (ended []span, over bool, err error) {
	if r.Kind == rollout.KindRequested && (r.Request != nil || r.Run != nil) {
		s.live[r.Rollout] = s.begin(r)
	}
	t := s.live[r.Rollout]
	if t == nil { // it was over long ago, or its beginning is gone
		return nil, false, nil
	}
	before := t.machine.State()
	if r.Pipeline == "" {
		if err := t.machine.Apply(r); err != nil {
			return nil, false, fmt.Errorf("%w: record %d: %w", rollout.ErrCorrupt, r.Seq, err)
		}
		if r.Generation >= 0 && r.Generation < before.Generation {
			return nil, false, nil // a late answer
		}
	}
	step := t.open[r.Stage]
	switch r.Kind {
	case rollout.KindBegun, rollout.KindWaiting:
		if step != nil && r.Pipeline != "" && r.From == r.To && r.Attempt == step.attempt { // it goes past its point of no return
			note(step, r)
			break
		}
		if step != nil { // its process was gone before it had written how it ended
			ended = append(ended, t.end(r.Stage, r, "interrupted", ""))
		}
		t.open[r.Stage] = t.step(r)
	case rollout.KindDone, rollout.KindSkipped:
		if step != nil {
			ended = append(ended, t.end(r.Stage, r, string(r.Kind), ""))
		} else if r.Kind == rollout.KindSkipped {
			note(&t.whole, r)
		}
	case rollout.KindFailed:
		if step != nil {
			ended = append(ended, t.end(r.Stage, r, string(r.Kind), r.Reason))
		} else {
			note(&t.whole, r)
		}
	case rollout.KindActed, rollout.KindPaused, rollout.KindFrozen, rollout.KindHeld, rollout.KindReplaced:
		note(t.noted(step), r)
	case rollout.KindLooked:
		if r.Look != nil && r.Look.Verdict.Call == health.Fail {
			note(t.noted(step), r)
		}
	}
	after := t.machine.State()
	if step := t.open[""]; step != nil && after.Generation != before.Generation {
		why := ""
		if r.Kind == rollout.KindLooked {
			why = r.Reason
		}
		ended = append(ended, t.end("", r, "cut short", why))
	}
	if r.Kind != rollout.KindFinished {
		return ended, false, nil
	}
	for stage := range t.open { // there is none, if the journal is right
		ended = append(ended, t.end(stage, r, "interrupted", ""))
	}
	delete(s.live, r.Rollout)
	t.whole.ended = later(t.whole.began, r.At)
	t.whole.attrs = append(t.whole.attrs, attribute.String("guidon.outcome", bounded(r.To)), attribute.String("guidon.reason", bounded(r.Reason)))
	if r.To == rollout.RolledBack.String() || r.To == rollout.Failed.String() {
		t.whole.failed = bounded(r.To + ": " + r.Reason)
	}
	return append(ended, t.whole), true, nil
}

// begin is a new rollout, or a run. What is part of a run is in the trace of that; so is what
// takes such a rollout back, while the run is not over.
func (s *steps) begin(r rollout.Record) *story {
	t := &story{open: map[string]*span{}, whole: span{name: "rollout", began: r.At}}
	service, environment, release, made := "", "", rollout.Release{}, r.Rollout
	add := func(key attribute.Key, value string) {
		if value != "" {
			t.whole.attrs = append(t.whole.attrs, key.String(bounded(value)))
		}
	}
	if r.Run != nil {
		service, environment, release = r.Run.Service, r.Run.Environment, r.Run.Release
		t.whole.name = "pipeline"
		add(semconv.CICDPipelineNameKey, r.Pipeline)
		add(semconv.CICDPipelineRunIDKey, r.Rollout)
	} else {
		service, environment, release = r.Request.Service, r.Request.Environment, r.Request.Release
		add("guidon.rollout", r.Rollout)
		add(semconv.FeatureFlagKeyKey, r.Request.Flag)
		add("guidon.takes_back", r.Request.TakesBack)
		made = cmp.Or(r.Request.TakesBack, made)
	}
	add("guidon.service", service)
	add(semconv.DeploymentEnvironmentNameKey, environment)
	if release.Name+release.Version != "" {
		add("guidon.release", release.String())
	}
	add("guidon.actor", r.Actor)
	is, taken := part{TraceID(service, environment, r.Rollout), r.Parent}, s.traces[r.Parent]
	if made != r.Rollout {
		is.run = taken.run
	}
	if run := s.live[is.run]; run != nil && is.run != "" {
		is.trace, t.whole.parent = run.whole.trace, run.whole.id
		stage, _, _ := strings.Cut(strings.TrimPrefix(made, is.run+"/"), "#")
		if step := run.open[stage]; step != nil {
			t.whole.parent = step.id
		}
	}
	s.traces[r.Rollout] = is
	t.whole.trace, t.whole.id = is.trace, spanID(is.trace, r.Rollout, 0)
	if made != r.Rollout && taken.trace.IsValid() {
		t.whole.link = trace.NewSpanContext(trace.SpanContextConfig{TraceID: taken.trace, SpanID: spanID(taken.trace, made, 0), Remote: true})
	}
	return t
}

// step is one that a record begins.
func (t *story) step(r rollout.Record) *span {
	s := &span{
		name: bounded(r.Reason), trace: t.whole.trace, id: spanID(t.whole.trace, r.Rollout, r.Seq), parent: t.whole.id, began: r.At,
		attempt: r.Attempt,
	}
	if r.Pipeline != "" {
		s.attrs = append(s.attrs, semconv.CICDPipelineNameKey.String(bounded(r.Pipeline)),
			semconv.CICDPipelineRunIDKey.String(bounded(r.Rollout)), semconv.CICDPipelineTaskNameKey.String(bounded(r.Stage)))
	} else {
		s.attrs = append(s.attrs, attribute.String("guidon.rollout", bounded(r.Rollout)), attribute.Int("guidon.step", r.Step),
			attribute.Bool("guidon.back", t.machine.State().Phase == rollout.Back))
	}
	if r.Attempt > 0 {
		s.attrs = append(s.attrs, attribute.Int("guidon.attempt", r.Attempt))
	}
	return s
}

// end closes a step.
func (t *story) end(stage string, r rollout.Record, how, why string) span {
	s := t.open[stage]
	delete(t.open, stage)
	s.ended, s.failed = later(s.began, r.At), bounded(why)
	s.attrs = append(s.attrs, attribute.String("guidon.ended", how))
	if r.Pipeline == "" {
		s.attrs = append(s.attrs, attribute.Float64("guidon.share", float64(t.machine.State().Share)/float64(strategy.All)))
	}
	return *s
}

// noted is where an event goes: to what is under way, or else to the whole.
func (t *story) noted(step *span) *span {
	if step != nil {
		return step
	}
	return &t.whole
}

func note(s *span, r rollout.Record) {
	if len(s.events) == mostEvents {
		return
	}
	e := event{name: "guidon." + string(r.Kind), at: r.At}
	add := func(key attribute.Key, value string) {
		if value != "" {
			e.attrs = append(e.attrs, key.String(bounded(value)))
		}
	}
	if r.Act != nil {
		add("guidon.act", string(r.Act.Kind))
	}
	add("guidon.stage", r.Stage)
	add("guidon.actor", r.Actor)
	add("guidon.reason", r.Reason)
	s.events = append(s.events, e)
}

// later is when something ended that began then, whatever the clock did.
func later(began, ended time.Time) time.Time {
	if ended.Before(began) {
		return began
	}
	return ended
}
