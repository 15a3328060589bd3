package openfeature_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
	"github.com/open-feature/go-sdk/openfeature/multi"
)

// source is a document that a test changes.
type source struct {
	mu   sync.Mutex
	text string
	err  error
}

func (s *source) Read(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(s.text), s.err
}

func (s *source) set(text string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text, s.err = text, err
}

// heard notes what handlers of a client are told.
type heard struct {
	mu     sync.Mutex
	events []string
}

func listen(c *of.Client) *heard {
	h := &heard{}
	for _, kind := range []of.EventType{of.ProviderReady, of.ProviderConfigChange, of.ProviderStale, of.ProviderError} {
		handler := func(d of.EventDetails) {
			h.mu.Lock()
			defer h.mu.Unlock()
			told := fmt.Sprint(kind, d.FlagChanges)
			if kind == of.ProviderStale || kind == of.ProviderError {
				told += " " + d.Message
			}
			h.events = append(h.events, told)
		}
		c.AddHandler(kind, &handler)
	}
	return h
}

// new returns what was heard since the last call, in any order that handlers ran in.
func (h *heard) new() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.events
	h.events = nil
	slices.Sort(out)
	return out
}

// later lets the provider look once more.
func later() {
	time.Sleep(time.Second)
	synctest.Wait()
}

const (
	onFlag   = `{"flags": {"a": {"serve": "on"}, "b": {}}}`
	offFlag  = `{"flags": {"a": {}, "c": {}, "b": {}}}`
	segments = `{"segments": {"s": {"keys": [%q]}}, "flags": {"a": {"rules": [{"if": {"segment": "s"}, "serve": "on"}]}, "c": {}, "b": {}}}`
)

// TestRequirement5_1_1 tells the whole story of a store through the SDK: ready,
// configuration changed, stale, and ready again; handlers run (5.1.2).
func TestRequirement5_1_1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{text: onFlag}
		flags := flag.New(from, flag.Options{OnChange: func(flag.ChangeInfo) {}})
		p := openfeature.New(flags, openfeature.Options{})
		api := isolated.NewAPI()
		c := api.NewClient()
		h := listen(c)
		hears := func(state of.State, want ...string) {
			t.Helper()
			later()
			if diff := cmp.Diff(want, h.new()); diff != "" {
				t.Error(diff)
			}
			if c.State() != state {
				t.Errorf("got the state %s, want %s", c.State(), state)
			}
		}
		if err := api.SetProviderAndWait(t.Context(), p); err != nil { // loads the document
			t.Fatal(err)
		}
		hears(of.ReadyState, "PROVIDER_READY[]")
		hears(of.ReadyState)

		load := func() { _ = flags.Load(t.Context()) }
		from.set(offFlag, nil)
		load()
		hears(of.ReadyState, "PROVIDER_CONFIGURATION_CHANGED[a c]")

		from.set("", errors.New("away"))
		load()
		hears(of.StaleState, "PROVIDER_STALE[] "+flags.Err().Error())
		hears(of.StaleState)
		if c.Boolean(t.Context(), "a", true, someone) {
			t.Error("got true while stale, want the last good document")
		}

		from.set(`{"flags": {"a": {"serve": "nobody"}, "c": {"serve": "on"}, "b": {}}}`, nil)
		load() // a stays as it was
		hears(of.StaleState, "PROVIDER_CONFIGURATION_CHANGED[c]", "PROVIDER_STALE[] "+flags.Err().Error())

		from.set(`{"flags": {"c": {"serve": "on"}}}`, nil)
		load()
		hears(of.ReadyState, "PROVIDER_CONFIGURATION_CHANGED[a b]", "PROVIDER_READY[]")

		if err := flags.Kill("c", flag.Change{Actor: "ann", Reason: "carts are empty"}); err != nil {
			t.Fatal(err)
		}
		hears(of.ReadyState, "PROVIDER_CONFIGURATION_CHANGED[c]")
		if err := api.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestSegmentChanged: what flags have in common is no change of one of them, and is told.
func TestSegmentChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{text: fmt.Sprintf(segments, "anna")}
		flags := flag.New(from, flag.Options{})
		p := openfeature.New(flags, openfeature.Options{})
		defer p.Shutdown()
		if err := p.Init(of.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		from.set(fmt.Sprintf(segments, "bob"), nil)
		if err := flags.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if e := <-p.EventChannel(); e.EventType != of.ProviderConfigChange || len(e.FlagChanges) != 0 || e.ProviderName != "Guidon" {
			t.Errorf("got %+v, want a change of no flag", e)
		}
	})
}

// TestRequirement2_4_2_1: without a document, initialising fails, and so an error is told,
// with a message (5.1.4, 5.3.2); ready follows when there is one.
func TestRequirement2_4_2_1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{err: errors.New("away")}
		flags := flag.New(from, flag.Options{})
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		c := api.NewClient()
		h := listen(c)
		err := api.SetProviderAndWait(t.Context(), openfeature.New(flags, openfeature.Options{}))
		if initial := (*of.ProviderInitError)(nil); !errors.As(err, &initial) || initial.ErrorCode != of.ProviderNotReadyCode {
			t.Fatalf("got %v, want PROVIDER_NOT_READY", err)
		}
		later()
		if got, want := h.new(), []string{"PROVIDER_ERROR[] " + flags.Err().Error()}; !slices.Equal(got, want) || c.State() != of.ErrorState {
			t.Errorf("got %v, %s, want %v", got, c.State(), want)
		}
		from.set(onFlag, nil)
		if err := flags.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		later()
		if got := h.new(); !slices.Equal(got, []string{"PROVIDER_READY[]"}) || c.State() != of.ReadyState {
			t.Errorf("got %v, %s, want ready", got, c.State())
		}
		if !c.Boolean(t.Context(), "a", false, someone) {
			t.Error("got false, want the document to serve")
		}
	})
}

// TestStaleAtFirst: what is wrong from the beginning is told after ready.
func TestStaleAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flags := flag.New(&source{text: `{"flags": {"a": {"serve": "nobody"}, "b": {}}}`}, flag.Options{})
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		c := api.NewClient()
		p := openfeature.New(flags, openfeature.Options{})
		for range 2 { // registered under another domain as well, that is to know, too
			if err := api.SetProviderAndWait(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			if c.State() != of.ReadyState {
				t.Errorf("got %s, want ready", c.State())
			}
			later()
			if c.State() != of.StaleState {
				t.Errorf("got %s, want stale", c.State())
			}
		}
	})
}

// TestRequirement2_5_2: shut down, nothing of the provider is left (the bubble would not end
// otherwise), and it can be initialised again.
func TestRequirement2_5_2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{text: onFlag}
		flags := flag.New(from, flag.Options{})
		p := openfeature.New(flags, openfeature.Options{Every: time.Minute})
		p.Shutdown() // before it was ever initialised
		for _, text := range []string{offFlag, onFlag} {
			for range 2 { // as for two domains
				if err := p.Init(of.EvaluationContext{}); err != nil {
					t.Fatal(err)
				}
			}
			from.set(text, nil)
			if err := flags.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute - time.Nanosecond)
			synctest.Wait()
			select {
			case e := <-p.EventChannel():
				t.Errorf("got %v before a minute was over", e)
			default:
			}
			time.Sleep(time.Hour) // nobody listens: the events wait
			if e := <-p.EventChannel(); !slices.Equal(e.FlagChanges, []string{"a", "c"}) {
				t.Errorf("got %+v, want a change of a and c", e)
			}
			p.Shutdown()
			p.Shutdown()
			synctest.Wait()
			select {
			case e := <-p.EventChannel():
				t.Errorf("got %v after it was shut down", e)
			default:
			}
		}
	})
}

// TestInitInTime: loading a document ends with the context.
func TestInitInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flags := flag.New(flag.SourceFunc(func(ctx context.Context) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}), flag.Options{})
		p := openfeature.New(flags, openfeature.Options{})
		defer p.Shutdown()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.InitWithContext(ctx, of.EvaluationContext{}); err == nil {
			t.Error("got nil, want an error")
		}
	})
}

// TestMultiProvider: the SDK's own, which writes into the metadata that it gets.
func TestMultiProvider(t *testing.T) {
	for _, options := range []openfeature.Options{{}, {Metadata: true}} {
		both, err := multi.NewProvider(multi.StrategyFirstMatch,
			multi.WithProvider("empty", openfeature.New(loaded(t, `{"flags": {}}`), openfeature.Options{})),
			multi.WithProvider("guidon", openfeature.New(specStore(t), options)))
		if err != nil {
			t.Fatal(err)
		}
		c := client(t, both)
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for range 50 {
					if !c.Boolean(t.Context(), "on", false, someone) {
						t.Error("got false, want true")
						return
					}
				}
			})
		}
		asking.Wait()
	}
}
