package flag_test

import (
	"fmt"

	"github.com/guidon-go/guidon/flag"
)

// A split divides everybody among several variants.
func ExampleSplit() {
	flags := serving(`{"flags": {"button-color": {
		"variants": {"blue": "#00f", "green": "#0f0", "red": "#f00"},
		"split": {"parts": [{"serve": "blue", "percent": 50}, {"serve": "green", "percent": 30}, {"serve": "red", "percent": 20}]}}}}`)
	button := flag.ByKey("button-color", "#888")
	counts := map[string]int{}
	for i := range 10_000 {
		subject := flag.ForInt(int64(i))
		counts[button.Value(flags, &subject)]++
	}
	fmt.Println(counts)
	// Output: map[#00f:5022 #0f0:3022 #f00:1956]
}

// In a layer, nobody is in two experiments, and some are in none.
func ExampleLayer() {
	flags := serving(`{
		"flags": {"short-form": {"ramp": {"percent": 100}}, "one-click": {"ramp": {"percent": 100}}},
		"layers": {"checkout-page": {"holdout": 10, "flags": {"short-form": [{"from": 0, "to": 50}], "one-click": [{"from": 50, "to": 100}]}}}}`)
	short, click := flag.ByKey("short-form", false), flag.ByKey("one-click", false)
	counts := map[string]int{}
	for i := range 10_000 {
		subject := flag.ForInt(int64(i))
		counts[fmt.Sprint(short.Value(flags, &subject), " ", click.Value(flags, &subject))]++
	}
	fmt.Println(counts)
	subject := flag.ForInt(3)
	fmt.Println(short.Decide(flags, &subject).Reason, "and", click.Decide(flags, &subject).Reason)
	// Output:
	// map[false false:961 false true:4425 true false:4614]
	// ramp and layer
}

// Two flags are independent of one another, unless they share a salt.
func ExampleRamp_salt() {
	flags := serving(`{"flags": {
		"new-cart": {"salt": "cart", "ramp": {"percent": 10}},
		"new-cart-mail": {"salt": "cart", "ramp": {"percent": 10}},
		"other": {"ramp": {"percent": 10}}}}`)
	both := func(a, b string) (n int) {
		for i := range 10_000 {
			subject := flag.ForInt(int64(i))
			if flag.ByKey(a, false).Value(flags, &subject) && flag.ByKey(b, false).Value(flags, &subject) {
				n++
			}
		}
		return n
	}
	fmt.Println(both("new-cart", "new-cart-mail"), "have both,", both("new-cart", "other"), "have two that know nothing of each other")
	// Output: 1014 have both, 93 have two that know nothing of each other
}
