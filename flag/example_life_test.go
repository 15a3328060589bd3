package flag_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/guidon-go/guidon/flag"
)

// quiet is for examples that show no log.
var quiet = flag.Options{OnChange: func(flag.ChangeInfo) {}}

// Two operators look at a flag; one changes it, and the other's change comes too late.
func ExampleChange() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"new-search": {"ramp": {"percent": 10}}}}`)), quiet)
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	seen, _ := flags.Status("new-search")

	err := flags.SetRamp("new-search", flag.Ramp{}, flag.Change{Actor: "ann", Reason: "too slow", Revision: seen.Revision})
	fmt.Println(err)
	_, err = flags.Advance("new-search", 10*flag.Percent, flag.All, flag.Change{Actor: "bob", Reason: "looks good", Revision: seen.Revision})
	before, _, _ := strings.Cut(err.Error(), " at revision ")
	fmt.Println(errors.Is(err, flag.ErrConflict), before)
	// Output:
	// <nil>
	// true flag: advance new-search: conflict: ann changed it
}

// A store without a source lives of what is put.
func ExampleStore_Put() {
	flags := flag.New(nil, quiet)
	me := flag.Change{Actor: "ann", Reason: "an experiment"}
	half := flag.FeatureFlag{Description: "The new search.", Ramp: &flag.Ramp{Share: 50 * flag.Percent}}
	fmt.Println(flags.Create("new-search", half, me))
	fmt.Println(errors.Is(flags.Create("new-search", half, me), flag.ErrConflict))
	fmt.Println(flags.Put("new-search", flag.FeatureFlag{Serve: "yes", When: &flag.Condition{Segment: "staff"}}, me))
	now, _ := flags.Definition("new-search")
	fmt.Println(now.Ramp.Share)
	// Output:
	// <nil>
	// true
	// flag: put new-search: invalid document: 2 problems
	// 	flags.new-search.serve: unknown variant "yes", want one of ["off" "on"]
	// 	flags.new-search.when.segment: unknown segment "staff"
	// 50 %
}

// A ramp goes up in steps, a kill takes the flag away from everybody, and is taken back
// alone.
func ExampleStore_Advance() {
	flags := flag.New(nil, flag.Options{OnChange: func(c flag.ChangeInfo) {
		fmt.Printf("%s %q\n", c.Op, c.To)
	}})
	me := flag.Change{Actor: "ann", Reason: "the release"}
	_ = flags.Create("new-search", flag.FeatureFlag{}, me)
	for share := flag.Share(0); share < 50*flag.Percent; {
		share, _ = flags.Advance("new-search", 20*flag.Percent, 50*flag.Percent, me)
	}
	_ = flags.Kill("new-search", flag.Change{Actor: "ann", Reason: "results are empty"})
	_ = flags.Revive("new-search", flag.Change{Actor: "ann", Reason: "the index is back"})
	status, _ := flags.Status("new-search")
	fmt.Println(status.Ramp.Share, "by", status.Change.Actor, "because", status.Change.Reason)
	// Output:
	// create ""
	// advance "20 %"
	// advance "40 %"
	// advance "50 %"
	// kill ""
	// revive ""
	// 50 % by ann because the index is back
}

// whoWouldMove prints who would get another page.
func whoWouldMove(flags *flag.Store, even flag.Split, me flag.Change) error {
	next, err := flags.Preview(func(s *flag.Store) error {
		return s.Rebalance("page", even, me)
	})
	if err != nil {
		return err
	}
	fmt.Println(flag.Diff(flags.Snapshot(), next, nil)) // who would move
	return nil
}

// Who would get what, before anything changes.
func ExampleStore_Preview() {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"page": {"variants": {"old": "v1", "new": "v2"},
		"split": {"parts": [{"serve": "old", "percent": 90}, {"serve": "new", "percent": 10}]}}}}`)), quiet)
	if err := flags.Load(context.Background()); err != nil {
		fmt.Println(err)
	}
	me := flag.Change{Actor: "ann", Reason: "it sells"}
	even := flag.Split{Parts: []flag.Part{{Serve: "old", Share: 50 * flag.Percent}, {Serve: "new", Share: 50 * flag.Percent}}}
	fmt.Println(whoWouldMove(flags, even, me))
	fmt.Println(flags.Rebalance("page", even, me))
	// Output:
	// page   40.000 % of everybody: old -> new (split changed)
	// <nil>
	// <nil>
}
