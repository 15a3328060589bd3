package flagtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guidon-go/guidon/flag"
	"github.com/guidon-go/guidon/flag/flagtest"
)

// checkout is the code under test.
func checkout(ctx context.Context) string {
	if NewCheckout.On(ctx) {
		return fmt.Sprint("new checkout of at most ", CartLimit.In(ctx))
	}
	return "old checkout"
}

// What a test sets lives in its context, and nowhere else.
func ExampleWith() {
	ctx := flagtest.With(context.Background(), NewCheckout, true) // t.Context() in a test
	ctx = flagtest.With(ctx, CartLimit, 3)
	fmt.Println(checkout(ctx))
	// Output: new checkout of at most 3
}

// In a test there is a subtest for each: t.Run(variant, ...).
func ExampleEach() {
	t := &printed{} // a testing.T in a test
	for variant, ctx := range flagtest.Each(t, context.Background(), NewCheckout) {
		fmt.Println(variant, "-", checkout(ctx))
	}
	// Output:
	// off - old checkout
	// on - new checkout of at most 50
}

// A schedule is tested at its moments, without waiting for them.
func ExampleAt() {
	ctx := flag.NewContext(context.Background(), opened().View(flag.For("user-1")))
	for _, day := range []int{29, 30} {
		fmt.Println(Theme.In(flagtest.At(ctx, flag.Date(2026, time.November, day))))
	}
	// Output:
	// plain
	// black
}

// A test that needs somebody who gets a variant asks for him.
func ExampleSubjectIn() {
	t := &printed{} // a testing.T in a test
	flags := opened()
	lucky := flagtest.SubjectIn(t, flags, "new-checkout", "on", Country.Is("NO"))
	fmt.Println(checkout(flag.NewContext(context.Background(), flags.View(lucky))))
	// Output: new checkout of at most 20
}

// AsOf asks the same flags at another time.
func ExampleAsOf() {
	t := &printed{} // a testing.T in a test
	later := flagtest.AsOf(opened(), flag.Date(2026, time.December, 1))
	subject := flagtest.SubjectIn(t, later, "theme", "dark")
	fmt.Println(Theme.From(later.View(subject)))
	// Output: black
}

// Here the code under test reads a flag that nobody has thought of.
func ExampleOnly() {
	t := &printed{} // a testing.T in a test
	checkout(flagtest.Only(t, context.Background(), NewCheckout))
	checkout(flagtest.With(flagtest.Only(t, context.Background(), NewCheckout), NewCheckout, true))
	t.end()
	// Output: failed: read flags that it may not: "cart-limit" (not named)
}

// One test of the program that links all packages keeps their flags from growing old:
//
//	func TestNoFlagHasExpired(t *testing.T) { flagtest.NoneExpired(t) }
func ExampleNoneExpired() {
	t := &printed{} // a testing.T in a test
	flagtest.NoneExpired(t)
	// Output:
}

// NoneExpiredAt tells today what will fail the build next year.
func ExampleNoneExpiredAt() {
	t := &printed{} // a testing.T in a test
	flagtest.NoneExpiredAt(t, flag.Date(2200, time.February, 1))
	// Output: failed: flag "life-owned" of team basket, declared at life_test.go:16, has expired on 2200-01-31, 1 days ago: remove it, or say until when it stays
}

// The document in the repository and the code beside it are to know the same flags.
func ExampleReviewed() {
	t := &printed{only: "stray-flag"} // a testing.T in a test
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-checkout": {}, "stray-flag": {}}}`)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	flagtest.Reviewed(t, flags.Review(flag.ReviewOptions{}), flag.FindingUndeclared, flag.FindingUnconfigured)
	// Output: failed: flag "stray-flag" of nobody: not declared
}

func opened() *flag.Store {
	flags := flag.New(flag.Bytes([]byte(shop)), flag.Options{})
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	return flags
}

// printed is a test that prints how it fails.
type printed struct {
	testing.TB
	only     string // what must be in it
	cleanups []func()
}

func (p *printed) Helper() {}

func (p *printed) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

func (p *printed) end() {
	for _, f := range p.cleanups {
		f()
	}
}

func (p *printed) Errorf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); strings.Contains(text, p.only) {
		fmt.Println("failed:", text)
	}
}
