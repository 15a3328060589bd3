package openfeature_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"
)

// TestSecondDomain: what had changed before the provider was registered again is told.
func TestSecondDomain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{text: onFlag}
		flags := flag.New(from, flag.Options{})
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		p, h := openfeature.New(flags, openfeature.Options{}), listen(api.NewClient())
		for range 2 {
			if err := api.SetProviderAndWait(t.Context(), p, of.WithDomain("b")); err != nil {
				t.Fatal(err)
			}
			if err := api.SetProviderAndWait(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			from.set(offFlag, nil)
			if err := flags.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		later()
		if got := h.new(); !slices.Contains(got, "PROVIDER_CONFIGURATION_CHANGED[a c]") {
			t.Errorf("got %v, want the change", got)
		}
	})
}

// TestRequirement5_1_5: an error has its code.
func TestRequirement5_1_5(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := &source{err: errors.New("away")}
		flags := flag.New(from, flag.Options{})
		p := openfeature.New(flags, openfeature.Options{})
		defer p.Shutdown()
		if err := p.Init(of.EvaluationContext{}); err == nil {
			t.Fatal("got nil, want an error")
		}
		from.set("", errors.New("farther away"))
		_ = flags.Load(t.Context())
		if e := <-p.EventChannel(); e.EventType != of.ProviderError || e.ErrorCode != of.ProviderNotReadyCode {
			t.Errorf("got %+v, want PROVIDER_NOT_READY", e)
		}
	})
}

// TestShutdownAgain: who comes after one that could not wait, waits.
func TestShutdownAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := openfeature.New(loaded(t, onFlag), openfeature.Options{})
		if err := p.Init(of.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		over, cancel := context.WithCancel(t.Context())
		cancel()
		first := p.ShutdownWithContext(over)
		if err := p.ShutdownWithContext(over); first != nil && err == nil {
			t.Error("got nil from the second, want it to have waited in vain, too")
		}
		if err := p.ShutdownWithContext(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
