package openfeature

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
)

// mark is the context's key for what a provider has put into it.
type mark struct{ by *Provider }

// NewContext returns the context of one request: it carries an evaluation context, merged
// into that of the transaction, so that clients need no other, and a view of the flags
// ([flag.NewContext]) for its targeting key. All evaluations of the provider with that
// key, in this context or one made from it, are decided by the view: from one snapshot,
// and seen by a guarded rollout and [flag.Options.OnExposure].
//
// The view has the attributes of the evaluation context that is given here, and of the
// transaction; those that the API, a client, an invocation or a hook add are not seen.
// Where the context carries a view of the same key already, by flaghttp.Middleware of the
// same store, that one decides, with what it knows. A second call, when more is known of
// who asks, makes a view of its own: begin a guard's work after it.
func (p *Provider) NewContext(ctx context.Context, who of.EvaluationContext) context.Context {
	ctx = of.MergeTransactionContext(ctx, who)
	who = of.TransactionContext(ctx)
	unit, _ := unitOf(flatten(who))
	if ctx.Value(mark{p}) != nil || p.view(ctx, unit) == nil {
		list := facts(nil, "", who.Attributes(), 1)
		if unit != "" {
			list = tell(list, of.TargetingKey, unit)
		}
		ctx = flag.NewContext(ctx, p.flags.View(flag.For(unit, list...)))
	}
	return context.WithValue(ctx, mark{p}, true)
}

func flatten(who of.EvaluationContext) of.FlattenedContext {
	if key := who.TargetingKey(); key != "" {
		return of.FlattenedContext{of.TargetingKey: key}
	}
	return of.FlattenedContext{of.TargetingKey: who.Attribute(of.TargetingKey)}
}

// decides is the view that decides for the unit, or nil if no NewContext has made one.
func (p *Provider) decides(ctx context.Context, unit string) *flag.View {
	if ctx.Value(mark{p}) == nil {
		return nil
	}
	return p.view(ctx, unit)
}

// view is the context's, if it is of the unit and of the provider's store.
func (p *Provider) view(ctx context.Context, unit string) *flag.View {
	if view := flag.FromContext(ctx); view.Of(p.flags) && keyOf(view) == unit {
		return view
	}
	return nil
}

func keyOf(view *flag.View) string {
	subject := view.Subject()
	return subject.Key()
}

// Tracked is a tracking event.
type Tracked struct {
	// Context is the one that it was tracked in. If that was made by [Provider.NewContext],
	// [flag.FromContext] finds the view by which the request was decided.
	Context    context.Context
	Name       string         // of the event
	Subject    string         // the targeting key, or empty
	Value      float64        // of its details; 0 if there is none
	Attributes map[string]any // of its details, a copy
}

// Track tells [Options.OnTrack] of a tracking event.
func (p *Provider) Track(ctx context.Context, event string, who of.EvaluationContext, details of.TrackingEventDetails) {
	if p.options.OnTrack == nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			slog.Default().Error("openfeature: OnTrack panicked", "panic", r, "event", event, "stack", string(debug.Stack()))
		}
	}()
	unit, _ := unitOf(flatten(who))
	p.options.OnTrack(Tracked{ctx, event, unit, details.Value(), details.Attributes()})
}
