package bench

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// sample is how many users the tests look at: enough to tell shares within a point
// or two, few enough for the race detector.
const sample = 8_000

// TestSemantics proves that every system does the work of every scenario. It asks
// the very loops that are measured, for one user at a time.
func TestSemantics(t *testing.T) {
	for _, system := range systems {
		t.Run(system.name, func(t *testing.T) {
			s := system.load()
			t.Run("S1", func(t *testing.T) {
				wantShare(t, answers(s, "s1", sample), 100, 0)
			})
			t.Run("S2", func(t *testing.T) {
				wantShare(t, answers(s, "s2", sample), halfPercent, 2)
			})
			t.Run("S3", func(t *testing.T) {
				testRules(t, s, "s3", 0)
			})
			t.Run("S4", func(t *testing.T) {
				testList(t, s)
			})
			t.Run("S5", func(t *testing.T) {
				testShares(t, s)
			})
			t.Run("S6cycle10k", func(t *testing.T) {
				testCycle(t, s)
			})
			t.Run("handlerS3", func(t *testing.T) {
				testHandler(t, s)
			})
			t.Run("ten", func(t *testing.T) {
				testTen(t, s)
			})
			t.Run("loops", func(t *testing.T) {
				testLoops(t, s)
			})
			if u, ok := s.(Updater); ok {
				t.Run("Update", func(t *testing.T) {
					testUpdate(t, u)
				})
			}
		})
	}
}

// TestSame wants ours and the floors to agree on everything: they compute the
// same slots.
func TestSame(t *testing.T) {
	want := slices.IndexFunc(systems, func(s system) bool { return s.name == "floor-ref" })
	floor := systems[want].load()
	for _, system := range systems {
		if !strings.HasPrefix(system.name, "floor") && !strings.HasPrefix(system.name, "guidon") {
			continue
		}
		t.Run(system.name, func(t *testing.T) {
			s := system.load()
			for _, key := range append([]string{"s1", "s2", "s4"}, tenKeys...) {
				if !slices.Equal(answers(s, key, sample), answers(floor, key, sample)) {
					t.Errorf("%s: the answers differ", key)
				}
			}
			if !slices.Equal(lengths(s), lengths(floor)) {
				t.Error("s5: the answers differ")
			}
			// The first flag of S6 is the one that TestSemantics updates.
			for at := range 20 {
				w := Walk{At: at, Left: cycleCount, Users: userCount}
				first := Walk{At: at, Left: 1, Users: userCount}
				if got, want := s.Cycle(w)-s.Cycle(first), floor.Cycle(w)-floor.Cycle(first); got != want {
					t.Errorf("S6 from user %d: %d on, want %d", at, got, want)
				}
			}
		})
	}
}

// answers is what a flag is for each of the first so many users.
func answers(s System, key string, users int) []bool {
	all := make([]bool, users)
	for at := range all {
		all[at] = s.Bool(key, only(at)) == 1
	}
	return all
}

// lengths is how long the answer of S5 is for each user of the sample.
func lengths(s System) []int {
	all := make([]int, sample)
	for at := range all {
		all[at] = s.Text(only(at))
	}
	return all
}

// only is one turn, of one user.
func only(at int) Walk { return Walk{At: at, Left: 1, Users: userCount} }

func count(answers []bool) (on int) {
	for _, a := range answers {
		on += one(a)
	}
	return on
}

func wantShare(t *testing.T, answers []bool, percent, within float64) {
	t.Helper()
	if got := 100 * float64(count(answers)) / float64(len(answers)); math.Abs(got-percent) > within {
		t.Errorf("on for %.1f %% of %d, want %.0f %%, give or take %.0f", got, len(answers), percent, within)
	}
}

func testRules(t *testing.T, s System, key string, n int) {
	var matched, others []bool
	for at, on := range answers(s, key, sample) {
		if matchesAny(rules(n), &users[at]) {
			matched = append(matched, on)
		} else {
			others = append(others, on)
		}
	}
	wantShare(t, matched, 100, 0)
	wantShare(t, others, restPercent, 3)
	if n == 0 {
		if got := float64(len(matched)) / sample; math.Abs(got-0.75) > 0.02 {
			t.Errorf("a rule matches %.2f of the users, want 0.75", got)
		}
	}
}

func testList(t *testing.T, s System) {
	if len(members) != memberCount || memberWalk != 2*memberCount {
		t.Fatalf("%d members among %d, want half", len(members), memberWalk)
	}
	isMember := map[string]bool{}
	for _, id := range members {
		isMember[id] = true
	}
	const beyond = memberWalk + 100
	for at, on := range answers(s, "s4", beyond) {
		if on != isMember[users[at].ID] {
			t.Fatalf("user %d: %v, want %v", at, on, !on)
		}
	}
}

func testShares(t *testing.T, s System) {
	byLength := map[int][]bool{}
	for _, p := range parts {
		for _, length := range lengths(s) {
			byLength[len(p.value)] = append(byLength[len(p.value)], length == len(p.value))
		}
		wantShare(t, byLength[len(p.value)], float64(p.percent), 3)
	}
}

func testCycle(t *testing.T, s System) {
	var all []bool
	for n := range 2_000 { // n more flags: the last one's answer is the difference
		w := Walk{At: n, Left: 5, Users: userCount}
		all = append(all, s.Cycle(w) > s.Cycle(Walk{At: n, Left: 4, Users: userCount}))
	}
	wantShare(t, all, halfPercent, 4)
	on := s.Cycle(over(userCount, cycleCount))
	if got := float64(on) / cycleCount; math.Abs(got-0.5) > 0.02 {
		t.Errorf("%.3f of all flags are on, want 0.5", got)
	}
}

func testHandler(t *testing.T, s System) {
	for at, want := range answers(s, "s3", sample) {
		if got := s.Handler(only(at)) == 1; got != want {
			t.Fatalf("user %d: %v, want %v", at, got, want)
		}
	}
}

func testTen(t *testing.T, s System) {
	want := make([]int, sample)
	for n, key := range tenKeys {
		testRules(t, s, key, n)
		for at, on := range answers(s, key, sample) {
			want[at] += one(on)
		}
	}
	for at := range want {
		if got := s.Ten(only(at)); got != want[at] {
			t.Fatalf("user %d: %d on, want %d", at, got, want[at])
		}
	}
}

// testLoops wants a loop over all to find what one turn at a time does.
func testLoops(t *testing.T, s System) {
	const turns = sample + sample/2 // beyond the end, and from the beginning again
	loop := func(name string, run func(Walk) int) {
		want := 0
		for turn := range turns {
			want += run(only(turn % sample))
		}
		if got := run(over(sample, turns)); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	loop("S3", func(w Walk) int { return s.Bool("s3", w) })
	loop("S5", s.Text)
	loop("handlerS3", s.Handler)
}

func testUpdate(t *testing.T, s Updater) {
	for i, percent := range []float64{10, 20} {
		s.Update(i + 1)
		var all []bool
		for at := range sample {
			all = append(all, s.Cycle(only(at)) == 1)
		}
		wantShare(t, all, percent, 2)
	}
}
