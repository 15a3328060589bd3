package openfeature

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/guidon-go/guidon/flag"
	of "github.com/open-feature/go-sdk/openfeature"
)

// state is what whoever listens knows of the store.
type state struct {
	event   of.EventType // of its state: ready, stale or error
	message string
	set     *flag.Set
	since   map[string]uint64 // each flag's newest change
}

// Init is InitWithContext without a deadline.
func (p *Provider) Init(global of.EvaluationContext) error {
	return p.InitWithContext(context.Background(), global)
}

// InitWithContext loads a document if the store has none yet, and begins to tell of events,
// until Shutdown. It fails if there is no document after that; the event ready follows when
// there is one. The SDK calls it, once for each domain.
func (p *Provider) InitWithContext(ctx context.Context, _ of.EvaluationContext) error {
	var err error
	if p.flags.Snapshot() == nil {
		err = p.flags.Load(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop == nil {
		p.told = p.look()
	}
	switch {
	case p.flags.Snapshot() != nil:
		p.told.event, p.told.message = of.ProviderReady, "" // this is what the SDK tells now, even if it is stale
		err = nil
	case err == nil:
		err = errors.New("no document has been loaded")
	}
	if p.stop == nil {
		follow, stop := context.WithCancel(context.Background())
		over := make(chan struct{})
		p.stop, p.over = stop, over
		go func() {
			defer close(over)
			p.follow(follow)
		}()
	}
	if err != nil {
		return &of.ProviderInitError{ErrorCode: of.ProviderNotReadyCode, Message: err.Error()}
	}
	return nil
}

// Shutdown is ShutdownWithContext without a deadline.
func (p *Provider) Shutdown() { _ = p.ShutdownWithContext(context.Background()) }

// ShutdownWithContext ends what Init has begun: when it returns nil, nothing of it is left.
// The store goes on as it is.
func (p *Provider) ShutdownWithContext(ctx context.Context) error {
	p.mu.Lock()
	stop, over := p.stop, p.over
	p.stop = nil
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
	if over == nil {
		return nil
	}
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// EventChannel returns the channel of events, which is never closed.
func (p *Provider) EventChannel() <-chan of.Event { return p.events }

// follow looks at the store again and again. Its first look is an interval after Init, so
// that what the SDK tells of that comes first.
func (p *Provider) follow(ctx context.Context) {
	tick := time.NewTicker(p.options.Every)
	defer tick.Stop()
	for {
		p.learn(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, event := range p.news() {
			select {
			case <-ctx.Done():
				return
			case p.events <- event:
			}
		}
	}
}

// news are the events since the last call.
func (p *Provider) news() (events []of.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, is := p.told, p.look()
	p.told = is
	if is.event != was.event || is.message != was.message {
		details := of.ProviderEventDetails{Message: is.message}
		if is.event == of.ProviderError {
			details.ErrorCode = of.ProviderNotReadyCode
		}
		events = append(events, eventOf(is.event, details))
	}
	if is.set != was.set && was.set != nil {
		events = append(events, eventOf(of.ProviderConfigChange, of.ProviderEventDetails{
			Message: "other flags serve", FlagChanges: changed(was.since, is.since),
		}))
	}
	return events
}

func eventOf(kind of.EventType, details of.ProviderEventDetails) of.Event {
	return of.Event{ProviderName: name, EventType: kind, ProviderEventDetails: details}
}

// look is the store as it is now. It is called with mu held.
func (p *Provider) look() state {
	is := state{event: of.ProviderReady, set: p.flags.Snapshot(), since: p.told.since}
	if err := p.flags.Err(); err != nil {
		is.event, is.message = of.ProviderStale, err.Error()
	}
	switch {
	case is.set == nil:
		is.event = of.ProviderError
		if is.message == "" {
			is.message = "no document has been loaded"
		}
	case is.set != p.told.set:
		is.since = map[string]uint64{}
		for status := range p.flags.All() {
			is.since[status.Key] = status.Since
		}
	}
	return is
}

// changed are the flags that are other ones, new or gone, in the order of their keys.
func changed(was, is map[string]uint64) (keys []string) {
	for key, since := range is {
		if before, there := was[key]; !there || before != since {
			keys = append(keys, key)
		}
	}
	for key := range maps.Keys(was) {
		if _, there := is[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
