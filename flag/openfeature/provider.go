package openfeature

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
)

// name is that of the provider, in the SDK and in its events.
const name = "Guidon"

// Options tune a Provider. Every zero is right for most.
type Options struct {
	// Every is how often the provider looks at the store for what it tells of in events.
	// Zero means once a second.
	Every time.Duration
	// Metadata says that every evaluation has flag metadata: the reason and the rule's
	// index as in a [flag.Decision], its slot, and the revision as "version". They cost
	// some 6 allocations an evaluation, here and in the SDK.
	Metadata bool
	// OnTrack is told of every tracking event, by the goroutine that tracks, which waits
	// for it, and by several at once; a panic harms nobody and is logged. Nil drops them.
	OnTrack func(Tracked)
}

// Provider evaluates the flags of a store for OpenFeature. It is safe for concurrent use,
// may be registered under several domains, and again after it was shut down. Make it with
// [New].
type Provider struct {
	flags   *flag.Store
	options Options
	events  chan of.Event

	mu   sync.Mutex
	told told          // guarded by mu
	stop func()        // of the loop that tells of events, or nil; guarded by mu
	over chan struct{} // closed when that has ended; guarded by mu
}

var (
	_ of.FeatureProvider          = (*Provider)(nil)
	_ of.ContextAwareStateHandler = (*Provider)(nil)
	_ of.EventHandler             = (*Provider)(nil)
	_ of.Tracker                  = (*Provider)(nil)
)

// New returns a provider of the store's flags, which must not be nil. It starts nothing.
func New(flags *flag.Store, options Options) *Provider {
	if flags == nil {
		panic("openfeature: New without a store")
	}
	if options.Every <= 0 {
		options.Every = time.Second
	}
	return &Provider{flags: flags, options: options, events: make(chan of.Event)}
}

// Metadata returns the provider's name, Guidon.
func (p *Provider) Metadata() of.Metadata { return of.Metadata{Name: name} }

// Hooks returns none.
func (p *Provider) Hooks() []of.Hook { return nil }

// BooleanEvaluation evaluates a boolean flag.
func (p *Provider) BooleanEvaluation(ctx context.Context, key string, def bool, flat of.FlattenedContext) of.BoolResolutionDetail {
	return resolve(p, ctx, key, def, flat)
}

// StringEvaluation evaluates a string flag.
func (p *Provider) StringEvaluation(ctx context.Context, key, def string, flat of.FlattenedContext) of.StringResolutionDetail {
	return resolve(p, ctx, key, def, flat)
}

// FloatEvaluation evaluates a number flag: one of whole numbers, too, if no variant that
// it serves loses by it.
func (p *Provider) FloatEvaluation(ctx context.Context, key string, def float64, flat of.FlattenedContext) of.FloatResolutionDetail {
	return resolve(p, ctx, key, def, flat)
}

// IntEvaluation evaluates a flag of which every variant is a whole number.
func (p *Provider) IntEvaluation(ctx context.Context, key string, def int64, flat of.FlattenedContext) of.IntResolutionDetail {
	return resolve(p, ctx, key, def, flat)
}

// ObjectEvaluation evaluates a flag of any type.
func (p *Provider) ObjectEvaluation(ctx context.Context, key string, def any, flat of.FlattenedContext) of.InterfaceResolutionDetail {
	return resolve(p, ctx, key, def, flat)
}

func resolve[T any](p *Provider, ctx context.Context, key string, def T, flat of.FlattenedContext) (out of.GenericResolutionDetail[T]) {
	unit, ok := unitOf(flat)
	if !ok {
		out.Value, out.Reason = def, of.ErrorReason
		out.ResolutionError = of.NewInvalidContextResolutionError("the targeting key must be a string")
		return out
	}
	ref, d := flag.ByKey(key, def), flag.Decision[T]{}
	if view := p.view(ctx, unit); view != nil {
		d = ref.DecideFrom(view)
	} else {
		var room [8]flag.Fact // most contexts fit, and need no heap
		subject := flag.For(unit, facts(room[:0], "", flat, 1)...)
		d = ref.Decide(p.flags, &subject)
	}
	out.Value, out.Variant = d.Value, d.Variant
	out.Reason, out.ResolutionError = reason(key, d.Reason)
	if p.options.Metadata {
		out.FlagMetadata = metadata(d)
	}
	return out
}

// unitOf is the targeting key, and whether it is one.
func unitOf(flat of.FlattenedContext) (string, bool) {
	v, there := flat[of.TargetingKey]
	unit, text := v.(string)
	return unit, text || !there || v == nil
}

// metadata says how Guidon decided.
func metadata[T any](d flag.Decision[T]) of.FlagMetadata {
	return of.FlagMetadata{
		"version": strconv.FormatUint(d.Revision, 10), // where telemetry looks for it
		"reason":  d.Reason.String(),
		"rule":    int64(d.Rule),
		"slot":    int64(d.Slot),
	}
}
