package strategy_test

import (
	"fmt"
	"time"

	"github.com/guidon-go/guidon/strategy"
)

// A plan is read before it runs, and so is the way back from each of its steps.
func Example_plan() {
	plan, err := strategy.BlueGreen{
		Gates: []string{"smoke"},
		After: strategy.Hold{For: 10 * time.Minute, Judges: []string{"errors"}},
		Keep:  time.Hour, // the old version, for an instant way back
	}.Plan(strategy.Input{Old: "41", New: "42", Instances: 3})
	if err != nil {
		fmt.Println(err) // everything that is wrong
		return
	}
	fmt.Println(plan)
	fmt.Println("and back from step 4:")
	for _, step := range plan.Undo(3) {
		fmt.Println("-", step)
	}
	// Output:
	// blue-green from 41 to 42, 1h10m0s of holds
	//                                                         old   new  traffic
	//   1  scale the new version from 0 to 3, within 10m0s      3     3  0 %
	//   2  verify by smoke                                      3     3  0 %
	//   3  shift from 0 % to 100 %                              3     3  100 %
	//   4  hold 10m0s and 20 requests under errors              3     3  100 %
	//   5  hold 1h0m0s                                          3     3  100 %
	//   6  scale the old version from 3 to 0, within 10m0s      0     3  100 %
	//   7  promote                                              0     3  100 %
	// and back from step 4:
	// - shift from 100 % to 0 %
	// - scale the new version from 3 to 0, within 10m0s
}
