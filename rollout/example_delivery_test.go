package rollout_test

import (
	"context"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// The measures come from the journal alone: by week, and of one service if you like.
func ExampleEngine_Delivery() {
	engine, err := rollout.New(&rollout.Memory{}, rollout.Options{Service: "shop"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = engine.Deploy(context.Background(), rollout.Request{
		ID:      "shop@2.0",
		Release: rollout.Release{Name: "shop", Version: "2.0", Committed: time.Now().Add(-26 * time.Hour)},
		Plan:    strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: strategy.All}, strategy.Promote{}}},
		Target:  &splitter{},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	all, err := engine.Delivery(rollout.DeliveryOptions{From: time.Now().AddDate(0, 0, -28)})
	if err != nil {
		fmt.Println(err)
		return
	}
	d := all[0] // DeliveryOptions.Every and Each ask for more than one
	fmt.Println(d.Deployments, "deployment, and", d.Failed, "failed")
	fmt.Println("from commit to production:", d.LeadTime.Median.Round(time.Hour))
	fmt.Println("time to recover:", d.RecoveryTime)
	// Output:
	// 1 deployment, and 0 failed
	// from commit to production: 26h0m0s
	// time to recover: no value
}
