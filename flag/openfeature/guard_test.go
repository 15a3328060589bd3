package openfeature_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/openfeature"
	"github.com/guidon-go/guidon/rollout"
	of "github.com/open-feature/go-sdk/openfeature"
)

var (
	newPayment = flag.Bool("new-payment", false)
	errPayment = errors.New("payment failed")
)

// orderKey is where a request's context has its rollout.Work.
type orderKey struct{}

// shop asks OpenFeature's client only; the guard hears of failures by tracking events.
type shop struct {
	provider *openfeature.Provider
	client   *of.Client
	guard    *rollout.Guard
}

func newShop(t *testing.T) *shop {
	flags := loaded(t, `{"flags": {"new-payment": {}}}`)
	provider := openfeature.New(flags, openfeature.Options{OnTrack: func(event openfeature.Tracked) {
		if work, ok := event.Context.Value(orderKey{}).(*rollout.Work); ok && event.Name == "payment failed" {
			work.Done(errPayment) // the first that is said of a request counts
		}
	}})
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := engine.Guard(flags, rollout.Guarded{Flag: newPayment, Manual: true})
	if err != nil {
		t.Fatal(err)
	}
	return &shop{provider, client(t, provider), guard}
}

func (s *shop) order(ctx context.Context, who of.EvaluationContext, handle func(context.Context)) {
	ctx = s.provider.NewContext(ctx, who)
	work := s.guard.Begin(ctx)
	ctx = context.WithValue(ctx, orderKey{}, work)
	handle(ctx)
	work.Done(nil)
}

// TestTrackingFeedsAGuard: what OpenFeature tracks takes a bad change back, and lets a good
// one through.
func TestTrackingFeedsAGuard(t *testing.T) {
	for _, test := range []struct {
		name    string
		failing float64 // of the new side
		want    rollout.Outcome
	}{
		{"bad", 0.5, rollout.RolledBack},
		{"good", 0, rollout.Succeeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			if testing.Short() && test.failing == 0 {
				t.Skip("it takes a while")
			}
			cryptotest.SetGlobalRandom(t, 1) // another salt would make it another test
			synctest.Test(t, func(t *testing.T) {
				s, random := newShop(t), rand.New(rand.NewPCG(1, 2))
				ctx, cancel := context.WithCancel(t.Context())
				go func() {
					for tick := time.Tick(100 * time.Millisecond); ctx.Err() == nil; {
						who := of.NewEvaluationContext(fmt.Sprint("user-", random.IntN(5000)), nil)
						s.order(ctx, who, func(ctx context.Context) {
							if s.client.Boolean(ctx, "new-payment", false, of.EvaluationContext{}) && random.Float64() < test.failing {
								s.client.Track(ctx, "payment failed", of.EvaluationContext{}, of.TrackingEventDetails{})
							}
						})
						select {
						case <-tick:
						case <-ctx.Done():
						}
					}
				}()
				outcome, err := s.guard.Run(ctx)
				if cancel(); err != nil || outcome != test.want {
					t.Errorf("got %v, %v, want %v: %v", outcome, err, test.want, s.guard.Progress())
				}
			})
		})
	}
}
