package flag_test

import (
	"context"
	"fmt"

	"github.com/guidon-go/guidon/flag"
)

// A loop that is told whenever a flag has changed. The one here makes the changes
// itself, so that they come in the same order each time.
func ExampleStore_Watch() {
	flags, ada := opened(), flag.Change{Actor: "ada", Reason: "orders are lost"}
	for status := range flags.Watch(context.Background(), "new-checkout") {
		fmt.Println("killed:", status.Killed)
		if status.Killed {
			break
		}
		if err := flags.Kill("new-checkout", ada); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// killed: false
	// killed: true
}

// Follow is for what lasts longer than a request: a worker that has its size from a
// flag, say. What does not change the subject's value is no news.
func ExampleRef_Follow() {
	flags, ada := opened(), flag.Change{Actor: "ada", Reason: "more room"}
	for d := range CartLimit.Follow(context.Background(), flags, flag.For("worker-1")) {
		fmt.Println(d.Value, d.Reason)
		if d.Value == 100 {
			break
		}
		if err := flags.Override("cart-limit", "large", ada); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// 20 serve
	// 100 override
}
