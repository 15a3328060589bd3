package rollout_test

import (
	"context"
	"fmt"
	"log"

	"github.com/guidon-go/guidon/health"
	"github.com/guidon-go/guidon/rollout"
	"github.com/guidon-go/guidon/strategy"
)

// Would a limit of 1 % have found more than the one of 5 % did? The journal knows what
// the judges saw.
func ExampleBacktest() {
	ctx, journal := context.Background(), &rollout.Memory{}
	engine, err := rollout.New(journal, rollout.Options{Service: "shop", Environment: "production"})
	if err != nil {
		log.Fatal(err)
	}
	const quarter = 25 * strategy.Percent
	for version, failing := range []int{2, 30, 100, 1} { // of 1,000 requests each
		id := fmt.Sprint("shop ", version+1)
		cohorts, err := engine.Cohorts(id, "errors", health.CohortsOptions{})
		if err != nil {
			log.Fatal(err)
		}
		for i := range 1000 { // what the middleware does
			one := health.Outcome{Unit: uint64(i), Slot: 7, Ramp: quarter, Class: health.Success}
			if i < failing {
				one.Class = health.Failure
			}
			cohorts.Record(one)
		}
		outcome, err := engine.Deploy(ctx, rollout.Request{
			ID:      id,
			Plan:    strategy.Plan{Steps: []strategy.Step{strategy.Shift{To: quarter}, strategy.Hold{Judges: []string{"errors"}}, strategy.Shift{From: quarter, To: strategy.All}}},
			Target:  &splitter{},
			Watches: map[string]rollout.Watch{"errors": {Judge: health.Threshold{ErrorRate: 0.05}, Cohorts: cohorts}},
		})
		fmt.Println(id, outcome, err)
	}
	// Months later, a person knows more.
	err = engine.Act(ctx, "shop 2", rollout.Act{Kind: rollout.FailedLater, Actor: "ann", Reason: "carts were lost"})
	if err != nil {
		log.Fatal(err)
	}
	report, err := rollout.Backtest(journal.Records(), rollout.Policy{
		Watches: map[string]rollout.Watch{"errors": {Judge: health.Threshold{ErrorRate: 0.01}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("would have rolled back %d of %d, and %d were: %d false alarms\n", report.WouldRollBack, report.Rollouts, report.RolledBack, report.FalseAlarms)
	for _, one := range report.Differ {
		fmt.Printf("%s: %v, at %v by %s\n%s\n", one.ID, one.Finding, one.Would.Share, one.Would.Actor, one.Would.Reason)
	}
	// Output:
	// shop 1 succeeded <nil>
	// shop 2 succeeded <nil>
	// shop 3 rolled back <nil>
	// shop 4 succeeded <nil>
	// would have rolled back 2 of 4, and 1 were: 0 false alarms
	// shop 2: caught, at 25 % by judge errors
	// candidate fails 3 % of 1,000 requests (95 % interval 2.11 to 4.25 %), limit 1 %
}
