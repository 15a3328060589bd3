package strategy_test

import (
	"fmt"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// show prints a plan, or what is wrong.
func show(plan strategy.Plan, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
}

func ExampleCanary_Plan() {
	plan, err := strategy.Canary{
		Weights: []strategy.Share{0.1 * strategy.Percent, 5 * strategy.Percent, 100 * strategy.Percent},
		Hold:    10 * time.Minute,
		Gates:   []string{"smoke"},
		Judges:  []string{"errors"},
	}.Plan(strategy.Input{})
	show(plan, err)
	fmt.Println("and back from step 5:", plan.Undo(4))
	// Output:
	// canary, 20m0s of holds
	//   1  verify by smoke
	//   2  shift from 0 % to 0.1 %
	//   3  hold 10m0s and 20 requests under errors
	//   4  shift from 0.1 % to 5 %
	//   5  hold 10m0s and 20 requests under errors
	//   6  shift from 5 % to 100 %
	//   7  promote
	// and back from step 5: [shift from 5 % to 0 %]
}

// Where nothing steers traffic but the number of instances, weights are those that they
// can give.
func ExampleCanary_Plan_byInstances() {
	show(strategy.Canary{
		Weights:     strategy.Linear(40 * strategy.Percent),
		Hold:        10 * time.Minute,
		ByInstances: true,
	}.Plan(strategy.Input{Instances: 4}))
	// Output:
	// canary, 20m0s of holds
	//                                                         old   new  traffic
	//   1  scale the new version from 0 to 2, within 10m0s      4     2  0 %
	//   2  shift from 0 % to 40 %                               4     2  40 %
	//   3  scale the old version from 4 to 3, within 10m0s      3     2  40 %
	//   4  hold 10m0s                                           3     2  40 %
	//   5  scale the new version from 2 to 4, within 10m0s      3     4  40 %
	//   6  shift from 40 % to 80 %                              3     4  80 %
	//   7  scale the old version from 3 to 1, within 10m0s      1     4  80 %
	//   8  hold 10m0s                                           1     4  80 %
	//   9  shift from 80 % to 100 %                             1     4  100 %
	//  10  scale the old version from 1 to 0, within 10m0s      0     4  100 %
	//  11  promote                                              0     4  100 %
}

func ExampleRolling_Plan() {
	show(strategy.Rolling{
		Surge:       strategy.Amount{Share: 25 * strategy.Percent}, // rounded up: 1
		Unavailable: strategy.Amount{Share: 25 * strategy.Percent}, // rounded down: 0
		MinReady:    30 * time.Second,
	}.Plan(strategy.Input{Old: "2.0", New: "2.1", Instances: 2, Progress: 5 * time.Minute}))
	// Output:
	// rolling from 2.0 to 2.1, 1m0s of holds
	//                                                        old   new  traffic
	//   1  scale the new version from 0 to 1, within 5m0s      2     1  0 %
	//   2  hold 30s                                            2     1  0 %
	//   3  shift from 0 % to 50 %                              2     1  50 %
	//   4  scale the old version from 2 to 1, within 5m0s      1     1  50 %
	//   5  scale the new version from 1 to 2, within 5m0s      1     2  50 %
	//   6  hold 30s                                            1     2  50 %
	//   7  shift from 50 % to 100 %                            1     2  100 %
	//   8  scale the old version from 1 to 0, within 5m0s      0     2  100 %
	//   9  promote                                             0     2  100 %
}

func ExampleBlueGreen_Plan() {
	show(strategy.BlueGreen{
		Gates:  []string{"smoke"},
		Before: strategy.Hold{Approval: true}, // a person looks at green
		After:  strategy.Hold{For: 10 * time.Minute, Judges: []string{"errors"}},
		Keep:   time.Hour,
	}.Plan(strategy.Input{Old: "blue", New: "green", Instances: 3}))
	// Output:
	// blue-green from blue to green, 1h10m0s of holds
	//                                                         old   new  traffic
	//   1  scale the new version from 0 to 3, within 10m0s      3     3  0 %
	//   2  verify by smoke                                      3     3  0 %
	//   3  hold 0s until approved                               3     3  0 %
	//   4  shift from 0 % to 100 %                              3     3  100 %
	//   5  hold 10m0s and 20 requests under errors              3     3  100 %
	//   6  hold 1h0m0s                                          3     3  100 %
	//   7  scale the old version from 3 to 0, within 10m0s      0     3  100 %
	//   8  promote                                              0     3  100 %
}

func ExampleRecreate_Plan() {
	show(strategy.Recreate{Gates: []string{"smoke"}}.Plan(strategy.Input{
		Old: "2.0", New: "2.1", Instances: 1, NoReturn: "2.0 cannot read what 2.1 writes",
	}))
	// Output:
	// recreate from 2.0 to 2.1, 0s of holds
	//                                                             old   new  traffic
	//   1  scale the old version from 1 to 0, within 10m0s          0     0  0 %
	//   2  scale the new version from 0 to 1, within 10m0s          0     1  0 %
	//   3  verify by smoke                                          0     1  0 %
	//   4  shift from 0 % to 100 %                                  0     1  100 %
	//   5  point of no return: 2.0 cannot read what 2.1 writes      0     1  100 %
	//   6  promote                                                  0     1  100 %
}

// A way back is a list of steps like any other, and has a way back itself.
func ExamplePlan_Undo() {
	plan, err := strategy.BlueGreen{}.Plan(strategy.Input{Old: "blue", New: "green", Instances: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	back := strategy.Plan{Strategy: "way back", Old: "blue", New: "green", Steps: plan.Undo(len(plan.Steps) - 1)}
	fmt.Println(back)
	fmt.Println("and forth again, from its step 2:")
	for _, step := range back.Undo(1) {
		fmt.Println(" ", step)
	}
	// Output:
	// way back from blue to green, 0s of holds
	//                                                         old   new  traffic
	//   1  scale the old version from 0 to 3, within 10m0s      3     3  100 %
	//   2  shift from 100 % to 0 %                              3     3  0 %
	//   3  promote the old version again                        3     3  0 %
	//   4  scale the new version from 3 to 0, within 10m0s      3     0  0 %
	// and forth again, from its step 2:
	//   shift from 0 % to 100 %
	//   scale the old version from 3 to 0, within 10m0s
}

func ExampleParse() {
	config, err := strategy.Parse([]byte(`{
		"strategy": "canary", "environment": "production",
		"version": "2.1", "replaces": "2.0",
		"weights": {"exponential": 5, "factor": 4}, "hold": "10m", "judges": ["errors"]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	show(config.Plan())

	_, err = strategy.Parse([]byte(`{"strategy": "rollin", "surge": "a few", "unavaileble": 1}`))
	fmt.Println(err)
	// Output:
	// canary from 2.0 to 2.1, 30m0s of holds
	//   1  shift from 0 % to 5 %
	//   2  hold 10m0s and 20 requests under errors
	//   3  shift from 5 % to 20 %
	//   4  hold 10m0s and 20 requests under errors
	//   5  shift from 20 % to 80 %
	//   6  hold 10m0s and 20 requests under errors
	//   7  shift from 80 % to 100 %
	//   8  promote
	// strategy: strategy (line 1, column 14): found "rollin", did you mean "rolling"?
	// surge (line 1, column 33): found "a few", want a number of instances or a percentage like "25%"
	// unavaileble (line 1, column 42): unknown field, did you mean "unavailable"?
}

// A rolling update of one's own: ten instances, at most three more, at most two missing.
func ExampleNextRolling() {
	quarter := strategy.Amount{Share: 25 * strategy.Percent}
	more, missing := strategy.Limits(10, quarter, quarter)
	fmt.Println(more, "more,", missing, "missing")
	for old, new := 10, 0; old > 0 || new < 10; {
		old, new = strategy.NextRolling(10, old, new, more, missing)
		fmt.Println(old, "old,", new, "new")
	}
	// Output:
	// 3 more, 2 missing
	// 10 old, 3 new
	// 5 old, 3 new
	// 5 old, 8 new
	// 0 old, 8 new
	// 0 old, 10 new
}

// How near whole instances come to a share of the traffic.
func ExampleDivide() {
	for _, share := range []strategy.Share{1 * strategy.Percent, 15 * strategy.Percent, 50 * strategy.Percent} {
		old, new := strategy.Divide(share, 10, true)
		fmt.Printf("%v: %d old and %d new have %v\n", share, old, new, strategy.ShareOf(old, new))
	}
	// Output:
	// 1 %: 10 old and 1 new have 9.09 %
	// 15 %: 9 old and 2 new have 18.181 %
	// 50 %: 5 old and 5 new have 50 %
}
