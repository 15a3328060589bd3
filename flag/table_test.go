package flag_test

import (
	"math"
	"testing"

	"github.com/guidon-go/guidon/flag"
	"github.com/stretchr/testify/require"
)

// TestFactsInAnyOrder: rules find a fact wherever it stands among the others, the last
// of those about one attribute, and only if it is of the right kind.
func TestFactsInAnyOrder(t *testing.T) {
	place, between := flag.Attr[string]("order-place"), flag.Attr[bool]("order-between")
	level, years := flag.Attr[string]("order-level"), flag.Attr[float64]("order-years")
	wrong, many, huge := flag.Attr[int]("order-level"), flag.Attr[[]string]("order-place"), flag.Attr[uint64]("order-years")
	facts := []struct {
		flag.Fact
		attr        string
		one, second bool // whether the first rule's test of this attribute holds, and the second's
	}{
		{place.Is("SE"), "place", true, true},
		{place.Is("DK"), "place", false, true},
		{many.Is([]string{"FI", "NO"}), "place", true, false},
		{between.Is(true), "between", false, false},
		{level.Is("pro"), "level", true, true},
		{level.Is("team"), "level", false, true},
		{level.Is("other"), "level", false, false},
		{wrong.Is(3), "level", false, false},
		{years.Is(18), "years", true, true},
		{years.Is(17.5), "years", false, true},
		{years.Is(math.NaN()), "years", false, false},
		{huge.Is(math.MaxUint64), "years", true, false},
	}
	const document = `{"flags": {"table-order": {"variants": {"none": 0, "one": 1, "two": 2}, "serve": "none", "rules": [
		{"if": {"all": [{"attr": "order-place", "in": ["SE", "NO"]}, {"attr": "order-level", "eq": "pro"}, {"attr": "order-years", "ge": 18}]}, "serve": "one"},
		{"if": {"all": [{"attr": "order-place", "in": ["SE", "DK"]}, {"attr": "order-level", "in": ["pro", "team", "x"]}, {"attr": "order-years", "le": 18}]}, "serve": "two"}]}}}`
	counting := load(t, document)
	quiet := flag.New(flag.Bytes([]byte(document)), flag.Options{NoCounts: true})
	require.NoError(t, quiet.Load(t.Context()))
	order := flag.ByKey("table-order", int64(-1))
	served := map[int64]int{}
	var ask func(chosen []int)
	ask = func(chosen []int) {
		one, second := map[string]bool{}, map[string]bool{}
		var list []flag.Fact
		for _, i := range chosen {
			list = append(list, facts[i].Fact)
			one[facts[i].attr], second[facts[i].attr] = facts[i].one, facts[i].second
		}
		want := int64(0)
		switch {
		case one["place"] && one["level"] && one["years"]:
			want = 1
		case second["place"] && second["level"] && second["years"]:
			want = 2
		}
		served[want]++
		subject := flag.For("u", list...)
		got := []int64{order.Value(counting, &subject), order.Value(quiet, &subject), order.Decide(quiet, &subject).Value, order.From(quiet.View(subject))}
		require.Equal(t, []int64{want, want, want, want}, got, "facts %v", chosen)
		for i := range facts {
			if len(chosen) < 4 {
				ask(append(chosen[:len(chosen):len(chosen)], i))
			}
		}
	}
	ask(nil)
	require.Len(t, served, 3)
}
