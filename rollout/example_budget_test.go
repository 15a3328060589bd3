package rollout_test

import (
	"fmt"

	"github.com/guidon-go/guidon/rollout"
)

// A bad change may harm twenty users: which ladder does that allow, where there are
// 100 requests per second, of which 1 % fail?
func ExampleBudget() {
	ladder, err := rollout.Budget{Harmed: 20, Rate: 100, ErrorRate: 0.01, Users: 10_000}.Ladder()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ladder)
	// Output:
	//    share       hold  seen if bad  harmed by then
	//     10 %         1m      99.01 %             9.9
	//     50 %         1m      99.99 %            10.4
	//    100 %
}
