package flag_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/guidon-go/guidon/flag"
)

// A flag with a mistake is quarantined, and the others serve.
func ExampleStore_Load() {
	document := []byte(`{"flags": {"search-page": {"serve": "on"}, "export-page": {"serve": "on"}}}`)
	flags := flag.New(flag.SourceFunc(func(context.Context) ([]byte, error) { return document, nil }), flag.Options{})
	fmt.Println(flags.Load(context.Background()))

	document = []byte(`{"flags": {"search-page": {"serve": "off"}, "export-page": {"serve": "of", "ramp": {"percent": 120}}}}`)
	err := flags.Load(context.Background())
	fmt.Println(err)
	var problems flag.Problems
	fmt.Println(errors.As(err, &problems), len(problems))

	subject := flag.For("anna")
	fmt.Println(flag.ByKey("search-page", false).Value(flags, &subject)) // is new
	fmt.Println(flag.ByKey("export-page", false).Value(flags, &subject)) // is what it was
	// Output:
	// <nil>
	// flag: load document: invalid document: 2 problems
	// 	flags.export-page.serve (line 1, column 70): unknown variant "of", want one of ["off" "on"]
	// 	flags.export-page.ramp.percent (line 1, column 96): found 120, want a percentage from 0 to 100
	// true 2
	// false
	// true
}

// ByKey is for flags that are known only at run time.
func ExampleByKey() {
	flags := serving(`{"flags": {"limit-of-tenant-7": {"variants": {"high": 500}, "serve": "high"}}}`)
	subject := flag.For("anna")
	for _, tenant := range []int{7, 8} {
		fmt.Println(flag.ByKey(fmt.Sprint("limit-of-tenant-", tenant), int64(100)).Value(flags, &subject))
	}
	// Output:
	// 500
	// 100
}

// An override of one request is for testers; the flags of others stay as they are.
func ExampleRef_Override() {
	view := opened().View(flag.For("user-1"))
	forced := NewCheckout.Override(view, true)
	fmt.Println(NewCheckout.From(forced), NewCheckout.DecideFrom(forced).Reason)
	fmt.Println(NewCheckout.From(view))
	// Output:
	// true override
	// false
}

// Status says how a flag serves now, and how often it served what.
func ExampleStore_Status() {
	flags := opened()
	for i := range 1000 {
		subject := flag.ForInt(int64(i), Country.Is("DK"))
		NewCheckout.Value(flags, &subject)
	}
	status, err := flags.Status("new-checkout")
	fmt.Println(status.Ramp.Share, status.Counts, err)
	// Output: 25 % map[off:742 on:258] <nil>
}
