package rollout_test

import (
	"context"
	"fmt"
	"log"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// A rollback that is practised once a month is one that works at night.
func ExampleEngine_Drill() {
	ctx := context.Background()
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		log.Fatal(err)
	}
	const tenth = 10 * strategy.Percent
	next := func(version string) rollout.Request {
		return rollout.Request{
			ID: "shop " + version, Release: rollout.Release{Name: "shop", Version: version}, Target: &balancer{},
			Plan: strategy.Plan{Strategy: "canary", Steps: []strategy.Step{strategy.Shift{To: tenth}, strategy.Shift{From: tenth, To: strategy.All}}},
		}
	}
	if _, err := engine.Deploy(ctx, next("41")); err != nil {
		log.Fatal(err)
	}
	drill, err := engine.Drill(ctx, next("42")) // fmt.Println(drill) is a table with all times
	if err != nil {
		log.Fatal(err)
	}
	for _, step := range drill.Forward.Steps {
		fmt.Println("forward:", step.Step)
	}
	for _, step := range drill.Back.Steps {
		fmt.Println("back:", step.Step)
	}
	good, _ := engine.Good("", "")
	fmt.Println("to come back to:", good, "error:", drill.Err())
	measured, err := engine.Delivery(rollout.DeliveryOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(measured[0].Deployments, "deployment,", measured[0].Failed, "failed")
	// Output:
	// forward: shift from 0 % to 10 %
	// forward: shift from 10 % to 100 %
	// back: shift from 100 % to 0 %
	// to come back to: shop 41 error: <nil>
	// 1 deployment, 0 failed
}
