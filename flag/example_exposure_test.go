package flag_test

import (
	"context"
	"fmt"

	"github.com/guidon-go/guidon/flag"
)

// With is for testers, who have a flag and a variant by their names.
func ExampleView_With() {
	view := opened().View(flag.For("user-1"))
	large, err := view.With("cart-limit", "large")
	fmt.Println(CartLimit.From(large), CartLimit.From(view), err)

	_, err = view.With("cart-limit", "huge")
	fmt.Println(err)
	// Output:
	// 100 20 <nil>
	// flag: with cart-limit: unknown variant "huge", want one of ["large" "small"]
}

// Whoever measures what a flag does must know who has met it: each request, once.
func ExampleOptions_exposure() {
	flags := flag.New(flag.Bytes([]byte(shop)), flag.Options{OnExposure: func(e flag.ExposureInfo) {
		fmt.Printf("%s met %s: %s by %v\n", e.Subject, e.Key, e.Variant, e.Reason)
	}})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	for _, user := range []string{"user-1", "user-2"} {
		ctx := flag.NewContext(context.Background(), flags.View(flag.For(user))) // package flaghttp does this
		NewCheckout.On(ctx)
		NewCheckout.On(ctx)
	}
	// Output:
	// user-1 met new-checkout: off by ramp
	// user-2 met new-checkout: on by ramp
}
