package rollout_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// balancer is a target: something that splits traffic between two versions.
type balancer struct{ share atomic.Int32 }

func (b *balancer) Shift(_ context.Context, to strategy.Share) error {
	b.share.Store(int32(to))
	return nil
}

func (b *balancer) Observe(context.Context) (strategy.Observation, error) {
	return strategy.Observation{Share: strategy.Share(b.share.Load())}, nil
}

// A release that waits for a person at 10 %, and is taken back later.
func ExampleEngine_Act() {
	ctx, journal, target := context.Background(), &rollout.Memory{}, &balancer{}
	asked := make(chan string, 1)
	engine, err := rollout.New(journal, rollout.Options{
		Service: "shop", Environment: "production",
		OnRecord: func(r rollout.Record) {
			if r.Kind == rollout.KindWaiting {
				asked <- r.Rollout // page somebody
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	go func() { // somebody's admin page
		engine.Act(ctx, <-asked, rollout.Act{Kind: rollout.Approve, Actor: "ann", Reason: "looks good"})
	}()
	plan := strategy.Plan{Strategy: "with a look", Steps: []strategy.Step{
		strategy.Shift{To: 10 * strategy.Percent},
		strategy.Hold{Approval: true},
		strategy.Shift{From: 10 * strategy.Percent, To: strategy.All},
		strategy.Promote{},
	}}
	for _, version := range []string{"41", "42"} {
		outcome, err := engine.Deploy(ctx, rollout.Request{
			ID: "shop " + version, Release: rollout.Release{Name: "shop", Version: version}, Plan: plan, Target: target,
			Deadlines: rollout.Deadlines{Approval: rollout.Deadline{Within: 24 * time.Hour, Then: rollout.ThenAbort}},
			Overlap:   rollout.Queue,
		})
		fmt.Println(version, outcome, err)
		if version == "41" {
			go func() { engine.Act(ctx, <-asked, rollout.Act{Kind: rollout.Approve, Actor: "bob"}) }()
		}
	}
	err = engine.Act(ctx, "shop 42", rollout.Act{Kind: rollout.RollBack, Actor: "ann", Reason: "orders vanish"})
	if err != nil {
		log.Fatal(err)
	}
	outcome, err := engine.Resume(ctx, rollout.Request{ID: rollout.BackID("shop 42"), Target: target})
	fmt.Println("back to 41:", outcome, err, strategy.Share(target.share.Load()))
	for r, err := range (rollout.Filter{Kinds: []rollout.Kind{rollout.KindActed}}).Of(journal.Records()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(r.Rollout, r.Actor, r.Act.Kind, r.Reason)
	}
	// Output:
	// 41 succeeded <nil>
	// 42 succeeded <nil>
	// back to 41: rolled back <nil> 0 %
	// shop 41 ann approve looks good
	// shop 42 bob approve
}
