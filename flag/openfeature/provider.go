package openfeature

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
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
	asks    atomic.Pointer[asks] // nil as long as nothing is known

	mu   sync.Mutex
	told state         // guarded by mu
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
	ref := flag.ByKey(key, def)
	var d flag.Decision[T]
	if view := p.decides(ctx, unit); view != nil {
		d = ref.DecideFrom(view)
	} else if known := p.asks.Load(); known != nil && known.set == p.flags.Snapshot() {
		if asked, ok := known.flags[key]; ok {
			d = answered(p, ref, unit, flat, asked)
		}
		if d.Reason == 0 || d.Revision != known.revision { // the flag asks for much, or was changed just now
			d = told(p, ref, unit, flat)
		}
	} else {
		d = told(p, ref, unit, flat)
	}
	out.Value, out.Variant = d.Value, d.Variant
	if int(d.Reason) < len(reasons) {
		out.Reason = reasons[d.Reason]
	}
	if out.Reason == "" {
		out.Reason, out.ResolutionError = of.ErrorReason, failure(key, d.Reason)
	}
	if p.options.Metadata {
		out.FlagMetadata = metadata(d)
	}
	return out
}

// answered decides for a subject of which only what the flag asks for is told.
func answered[T any](p *Provider, ref flag.Ref[T], unit string, flat of.FlattenedContext, asked []ask) flag.Decision[T] {
	if len(asked) == 0 {
		subject := flag.For(unit)
		return ref.Decide(p.flags, &subject)
	}
	var room [maxAsked]flag.Fact
	subject := flag.For(unit, answer(room[:0], asked, flat)...)
	return ref.Decide(p.flags, &subject)
}

// told decides for a subject of which everything is told.
func told[T any](p *Provider, ref flag.Ref[T], unit string, flat of.FlattenedContext) flag.Decision[T] {
	var room [8]flag.Fact // most contexts fit, and need no heap
	subject := flag.For(unit, facts(room[:0], "", flat, 1)...)
	return ref.Decide(p.flags, &subject)
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
