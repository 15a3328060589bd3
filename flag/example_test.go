package flag_test

import (
	"context"
	"fmt"

	"github.com/guidon-go/guidon/flag"
)

const shop = `{
  "flags": {
    "new-checkout": {
      "rules": [{"if": {"attr": "country", "in": ["SE", "NO"]}, "serve": "on"}],
      "ramp": {"percent": 25}
    },
    "cart-limit": {"variants": {"small": 20, "large": 100}, "serve": "small",
      "rules": [{"if": {"attr": "staff", "eq": true}, "serve": "large"}]}
  }
}`

var (
	NewCheckout = flag.Bool("new-checkout", false)
	CartLimit   = flag.Int("cart-limit", 50)
	Country     = flag.Attr[string]("country")
	Staff       = flag.Attr[bool]("staff")
)

func opened() *flag.Store {
	flags := flag.New(flag.Bytes([]byte(shop)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	return flags
}

func Example() {
	flags := opened()
	subject := flag.For("user-1", Country.Is("SE"))
	fmt.Println(NewCheckout.Value(flags, &subject), CartLimit.Value(flags, &subject))
	// Output: true 20
}

func ExampleRef_Decide() {
	flags := opened()
	for _, user := range []string{"user-1", "user-2", ""} {
		subject := flag.For(user)
		d := NewCheckout.Decide(flags, &subject)
		fmt.Printf("%q: %v by %v, slot %d of %v\n", user, d.Value, d.Reason, d.Slot, d.Ramp)
	}
	// Output:
	// "user-1": false by ramp, slot 62629 of 25 %
	// "user-2": true by ramp, slot 21292 of 25 %
	// "": false by no unit, slot -1 of 0 %
}

func ExampleRef_In() {
	// Package flaghttp does this for every request.
	ctx := flag.NewContext(context.Background(), opened().View(flag.For("user-1", Staff.Is(true))))

	fmt.Println(CartLimit.In(ctx))
	fmt.Println(CartLimit.In(context.Background())) // no view: the caller's default
	// Output:
	// 100
	// 50
}

func ExampleStore_SetRamp() {
	flags := opened()
	subject := flag.For("user-2")
	for _, share := range []flag.Share{0.1 * flag.Percent, 60 * flag.Percent} {
		err := flags.SetRamp("new-checkout", flag.Ramp{Share: share}, flag.Change{Actor: "ada", Reason: "looks good"})
		fmt.Println(share, NewCheckout.Value(flags, &subject), err)
	}
	// Output:
	// 0.1 % false <nil>
	// 60 % true <nil>
}

func ExampleStore_Kill() {
	flags := opened()
	subject := flag.For("user-1", Country.Is("SE"))
	fmt.Println(NewCheckout.Value(flags, &subject))
	err := flags.Kill("new-checkout", flag.Change{Actor: "ada", Reason: "orders are lost"})
	d := NewCheckout.Decide(flags, &subject)
	fmt.Println(d.Value, d.Reason, err)
	// Output:
	// true
	// false killed <nil>
}

func ExampleParse() {
	doc, err := flag.Parse([]byte(`{"flags": {"new-checkout": {"ramp": {"percent": 101}, "serv": "on"}}}`))
	fmt.Println(err)
	_, err = flag.Compile(doc)
	fmt.Println(err)
	// Output:
	// invalid document: 2 problems
	// 	flags.new-checkout.ramp.percent (line 1, column 49): found 101, want a percentage from 0 to 100
	// 	flags.new-checkout.serv (line 1, column 55): unknown field, did you mean "serve"?
	// <nil>
}

func ExampleJSON() {
	type theme struct{ Color string }
	Theme := flag.JSON("theme", theme{"white"})
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"theme": {"variants": {"dark": {"Color": "black"}}, "serve": "dark"}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	subject := flag.For("user-1")
	fmt.Println(Theme.Value(flags, &subject).Color)
	// Output: black
}
