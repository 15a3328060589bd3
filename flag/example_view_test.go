package flag_test

import (
	"context"
	"fmt"
	"time"

	"github.com/guidon-go/guidon/flag"
)

// Tell is how a request's log line gets to say which flags it has met.
func ExampleView_Tell() {
	var met []string
	view := opened().View(flag.For("user-1")).Tell(func(key string) { met = append(met, key) })
	NewCheckout.From(view)
	CartLimit.From(view)
	fmt.Println(met)
	// Output: [new-checkout cart-limit]
}

// At asks what a request would get at another time.
func ExampleView_At() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {"ramp": {"percent": 0, "schedule": [{"at": "2027-01-01T00:00:00Z", "percent": 100}]}}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	view := flags.View(flag.For("user-1"))
	for _, year := range []int{2026, 2027} {
		fmt.Println(year, NewCheckout.From(view.At(flag.Date(year, time.March, 1))))
	}
	// Output:
	// 2026 false
	// 2027 true
}
