package flag_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guidon-go/guidon/flag"
)

var (
	monday  = flag.Date(2026, time.November, 30)
	tuesday = flag.Date(2026, time.December, 1)
)

// declaredAs lists how a flag is declared.
func declaredAs(key string) (all []flag.Declaration) {
	for d := range flag.Declared() {
		if d.Key == key {
			all = append(all, d)
		}
	}
	return all
}

// TestLives: every life that a flag is given is kept, once, with the place that gives it
// first; whoever gives none takes nothing away.
func TestLives(t *testing.T) {
	one, other := flag.Life{Owner: "one"}, flag.Life{Owner: "other", Expires: monday}
	sometime := flag.Life{Expires: monday.In(time.FixedZone("", 3600))}
	for range 3 {
		flag.Bool("life-none", false)
		flag.Bool("life-zero", false, flag.Life{})
		flag.Int("life-one", 0, one)
		flag.Int("life-one", 0)
		flag.Float("life-several", 0, one, other, one)
		flag.Float("life-several", 0, flag.Life{Owner: "other", Expires: other.Expires.Local()})
		flag.String("life-late", "")
		flag.String("life-late", "", flag.Life{}, sometime)
		flag.JSON("life-types", []int{}, one)
		flag.Bool("life-types", false, other)
	}
	want := map[string][]flag.Declaration{
		"life-none":    {{"life-none", "bool", "life_test.go:36", flag.Life{}}},
		"life-zero":    {{"life-zero", "bool", "life_test.go:37", flag.Life{}}},
		"life-one":     {{"life-one", "int64", "life_test.go:38", one}},
		"life-several": {{"life-several", "float64", "life_test.go:40", one}, {"life-several", "float64", "life_test.go:40", other}},
		"life-late":    {{"life-late", "string", "life_test.go:43", sometime}},
		"life-types":   {{"life-types", "[]int", "life_test.go:44", one}, {"life-types", "bool", "life_test.go:45", other}},
	}
	for key, want := range want {
		if d := cmp.Diff(want, declaredAs(key)); d != "" {
			t.Errorf("%s: (-want +got)\n%s", key, d)
		}
	}
	byKey := func(a, b flag.Declaration) int { return strings.Compare(a.Key, b.Key) }
	if !slices.IsSortedFunc(slices.Collect(flag.Declared()), byKey) {
		t.Error("not in the order of the keys")
	}
}

// TestLivesAreBounded: whoever gives another life each time fills nothing.
func TestLivesAreBounded(t *testing.T) {
	for i := range 1_000 {
		flag.Bool("life-many", false, flag.Life{Expires: monday.Add(time.Duration(i))})
	}
	if n := len(declaredAs("life-many")); n != 10 {
		t.Errorf("got %d, want 10", n)
	}
}

func TestExpired(t *testing.T) {
	tests := []struct {
		life flag.Life
		now  time.Time
		want bool
	}{
		{flag.Life{}, monday, false},
		{flag.Life{Expires: monday}, monday.Add(-1), false},
		{flag.Life{Expires: monday}, monday, true},
		{flag.Life{Expires: monday}, tuesday, true},
	}
	for _, tt := range tests {
		if got := tt.life.Expired(tt.now); got != tt.want {
			t.Errorf("%v at %v: got %v", tt.life, tt.now, got)
		}
	}
}

// TestRegistryUnderLoad: declarations, reviews and loads may come at once. The race
// detector is the judge; what was declared is found, once.
func TestRegistryUnderLoad(t *testing.T) {
	store := load(t, `{"flags": {"loaded-0": {}, "loaded-7": {}}}`)
	const workers, flags = 8, 40
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			subject := flag.For("u")
			for i := range flags {
				key := fmt.Sprintf("loaded-%d", i)
				on := flag.Bool(key, false, flag.Life{Owner: fmt.Sprint("owner ", worker%2)})
				if on.Value(store, &subject) {
					t.Error(key, "is on")
				}
				if i%8 == worker {
					store.Review(flag.ReviewOptions{})
				}
				if i%16 == worker {
					if err := store.Load(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wait.Wait()
	for i := range flags {
		if all := declaredAs(fmt.Sprintf("loaded-%d", i)); len(all) != 2 || all[0].Type != "bool" || all[0].Owner == all[1].Owner {
			t.Errorf("got %v, want two lives", all)
		}
	}
}
