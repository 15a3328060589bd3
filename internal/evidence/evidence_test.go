package evidence_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/evidence"
)

func process(coins ...evidence.Coins) *evidence.Process {
	var p evidence.Process
	for _, c := range coins {
		p.Add(c)
	}
	return &p
}

// Vectors computed apart from this code, by a direct product over the coins.
func TestLogE(t *testing.T) {
	for _, tt := range []struct {
		name  string
		coins []evidence.Coins
		e     float64
	}{
		{"nothing", nil, 1},
		{"one in the candidate", []evidence.Coins{{0, 10_000, 1, 0}}, 2.633475},
		{"one in the baseline", []evidence.Coins{{0, 10_000, 0, 1}}, 0.818503},
		{"five times too many", []evidence.Coins{{0, 10_000, 5, 10}}, 9.311204},
		{"nine of 36", []evidence.Coins{{0, 10_000, 9, 27}}, 10.807166},
		{"a ramp", []evidence.Coins{{0, 1_000, 1, 20}, {0, 5_000, 4, 30}, {0, 25_000, 12, 18}}, 9.793538},
		{"bias 1 bets nothing", []evidence.Coins{{0, 100_000, 7, 0}}, 1},
		{"bias 0 bets nothing", []evidence.Coins{{5_000, 5_000, 0, 7}}, 1},
		{"nonsense bets nothing", []evidence.Coins{{-1, 10, 7, 0}, {9, 3, 7, 0}, {0, 100_001, 7, 0}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := math.Exp(process(tt.coins...).LogE()); math.Abs(got-tt.e) > 5e-7 {
				t.Errorf("got E %.6f, want %.6f", got, tt.e)
			}
		})
	}
	require.InDelta(t, 2.281723,
		process(evidence.Coins{Ramp: 1_000, Candidate: 1, Baseline: 20},
			evidence.Coins{Ramp: 5_000, Candidate: 4, Baseline: 30},
			evidence.Coins{Ramp: 25_000, Candidate: 12, Baseline: 18}).LogE(), 5e-7)
}

// However many the coins, the logarithm stays a number.
func TestLogEFinite(t *testing.T) {
	for _, c := range []evidence.Coins{
		{0, 1, math.MaxUint64, 0},
		{0, 99_999, 0, math.MaxUint64},
		{0, 50_000, math.MaxUint64, math.MaxUint64},
	} {
		got := process(c, c).LogE()
		require.False(t, math.IsNaN(got) || math.IsInf(got, 0), "%+v: got %v", c, got)
	}
}

func TestFailuresToReach(t *testing.T) {
	for _, tt := range []struct {
		ramp int32
		e    float64
		want uint64
	}{{1_000, 20, 2}, {10_000, 20, 3}, {50_000, 20, 7}, {10_000, 40, 4}} {
		n := uint64(1)
		for process(evidence.Coins{Ramp: tt.ramp, Candidate: n}).LogE() < math.Log(tt.e) {
			n++
		}
		if n != tt.want {
			t.Errorf("ramp %d: E reaches %v after %d failures in the candidate, want %d", tt.ramp, tt.e, n, tt.want)
		}
	}
}

// story keeps what the caller of Reveal has to keep.
type story struct {
	lo    map[int]int32
	coins map[[2]int32]evidence.Coins
}

func (s *story) fail(unit int, slot, ramp int32) (w float64, counted bool) {
	if s.lo == nil {
		s.lo, s.coins = map[int]int32{}, map[[2]int32]evidence.Coins{}
	}
	lo := s.lo[unit]
	next, candidate, counted := evidence.Reveal(lo, slot, ramp)
	s.lo[unit] = next
	if !counted {
		return 0, false
	}
	c := s.coins[[2]int32{lo, ramp}]
	c.Lo, c.Ramp = lo, ramp
	if candidate {
		c.Candidate++
	} else {
		c.Baseline++
	}
	s.coins[[2]int32{lo, ramp}] = c
	return float64(ramp-lo) / float64(bucket.Slots-lo), true
}

// table is in a fixed order, so that equal counts give equal bits.
func (s *story) logE() float64 {
	var keys [][2]int32
	for k := range s.coins {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int32) int { return slices.Compare(a[:], b[:]) })
	var p evidence.Process
	for _, k := range keys {
		p.Add(s.coins[k])
	}
	return p.LogE()
}

// Five units fail again and again along a ramp; the expected w is zero where the
// failure teaches nothing.
func TestReveal(t *testing.T) {
	slot := map[int]int32{1: 3_000, 2: 40_000, 3: 2_000, 4: 20_000}
	var s story
	for i, tt := range []struct {
		unit int
		ramp int32
		w    float64
	}{
		{1, 1_000, 0.01},      // baseline
		{2, 1_000, 0.01},      // baseline
		{1, 1_000, 0},         // known
		{1, 5_000, 0.040404},  // candidate, of what was left
		{3, 5_000, 0.05},      // candidate
		{2, 25_000, 0.242424}, // baseline again
		{1, 25_000, 0},        // done
		{4, 25_000, 0.25},     // candidate
		{2, 50_000, 0.333333}, // candidate
		{2, 50_000, 0},        // done
	} {
		w, counted := s.fail(tt.unit, slot[tt.unit], tt.ramp)
		if counted != (tt.w > 0) || math.Abs(w-tt.w) > 5e-7 {
			t.Errorf("event %d: got w %.6f (counted %v), want %.6f", i, w, counted, tt.w)
		}
	}
	require.InDelta(t, 3.388827, s.logE(), 5e-7)
	require.InDelta(t, 29.631175, math.Exp(s.logE()), 5e-6)
}

func TestRevealEdges(t *testing.T) {
	for _, tt := range []struct {
		name           string
		lo, slot, ramp int32
		next           int32
		candidate, ok  bool
	}{
		{"first slot in", 0, 0, 1, evidence.Done, true, true},
		{"first slot out", 0, 1, 1, 1, false, true},
		{"ramp of nothing", 0, 5, 0, 0, false, false},
		{"ramp of all", 0, 5, 100_000, 0, false, false},
		{"ramp below what is known", 50, 70, 20, 50, false, false},
		{"contradiction", 50, 10, 60, 50, false, false},
		{"done", evidence.Done, 10, 99_999, evidence.Done, false, false},
		{"last slot", 0, 99_999, 99_999, 99_999, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			next, candidate, ok := evidence.Reveal(tt.lo, tt.slot, tt.ramp)
			if next != tt.next || candidate != tt.candidate || ok != tt.ok {
				t.Errorf("got %d, %v, %v; want %d, %v, %v", next, candidate, ok, tt.next, tt.candidate, tt.ok)
			}
		})
	}
}

// The martingale, exactly: over all ways the hash can place the units, E averages
// 1, for a ramp of three steps and failures that repeat. In the second case the
// next ramp depends on E so far, and who fails next on who was found where, which
// is allowed.
func TestExpectationIsOne(t *testing.T) {
	ramps := []int32{10_000, 30_000, 65_000}
	// Only which steps a slot is above matters, so one slot stands for each range.
	slots := []int32{0, 10_000, 30_000, 65_000}
	sizes := []float64{0.1, 0.2, 0.35, 0.35}
	for _, tt := range []struct {
		name string
		play func(fail func(unit int, ramp int32) bool, logE func() float64)
	}{
		{"fixed", func(fail func(int, int32) bool, _ func() float64) {
			for _, ramp := range ramps {
				for _, unit := range []int{0, 1, 1, 2, 0, 3} {
					fail(unit, ramp)
				}
				fail(2, ramps[0]) // a step back teaches nothing new about this one
			}
		}},
		{"steered by the evidence", func(fail func(int, int32) bool, logE func() float64) {
			step := 0
			for i := range 9 {
				again := fail(i%4, ramps[step])
				if again {
					fail((i+1)%4, ramps[step])
				}
				if logE() < 0 && step < 2 {
					step++
				}
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const units = 4
			mean := 0.0
			for world := range 1 << (2 * units) { // base 4: the range of each unit
				var s story
				chance := 1.0
				for u := range units {
					chance *= sizes[world>>(2*u)&3]
				}
				tt.play(func(unit int, ramp int32) bool {
					slot := slots[world>>(2*unit)&3]
					_, counted := s.fail(unit, slot, ramp)
					return counted && slot < ramp
				}, s.logE)
				mean += chance * math.Exp(s.logE())
			}
			require.InDelta(t, 1, mean, 1e-12)
		})
	}
}

// Counting each failure of a unit anew is what the rule is there to prevent: the
// average is then far from 1.
func TestExpectationWithoutTheRule(t *testing.T) {
	mean := 0.0
	for _, side := range []struct {
		chance float64
		coins  evidence.Coins
	}{
		{0.1, evidence.Coins{Ramp: 10_000, Candidate: 5}},
		{0.9, evidence.Coins{Ramp: 10_000, Baseline: 5}},
	} {
		mean += side.chance * math.Exp(process(side.coins).LogE())
	}
	require.Greater(t, mean, 10.0)
}

// Who the units are, and in which order they fail within a step, changes nothing,
// to the last bit.
func TestPermutation(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	slots := make([]int32, 200)
	for i := range slots {
		slots[i] = rng.Int32N(bucket.Slots)
	}
	play := func(names []int) float64 {
		var s story
		for _, ramp := range []int32{1_000, 20_000, 50_000} {
			for _, u := range names {
				s.fail(u+1_000*names[0], slots[u], ramp) // another order, and other names
			}
		}
		return s.logE()
	}
	want := play(rng.Perm(len(slots)))
	for range 20 {
		require.Equal(t, want, play(rng.Perm(len(slots))))
	}
}

func BenchmarkLogENoAlloc(b *testing.B) {
	coins := []evidence.Coins{{0, 1_000, 1, 20}, {0, 5_000, 4, 30}, {1_000, 5_000, 1, 2}, {0, 25_000, 12, 18}}
	b.ReportAllocs()
	for b.Loop() {
		process(coins...).LogE()
	}
}

func TestBeyondAndBelow(t *testing.T) {
	p := evidence.Beyond(1.5)
	p.Add(evidence.Coins{Ramp: 10_000, Candidate: 9, Baseline: 27})
	require.InDelta(t, 1.996993, math.Exp(p.LogE()), 5e-7)
	p = evidence.Beyond(1)
	p.Add(evidence.Coins{Ramp: 10_000, Candidate: 9, Baseline: 27})
	require.InDelta(t, 10.807166, math.Exp(p.LogE()), 5e-6)

	p = evidence.Below(2)
	p.Add(evidence.Coins{Ramp: 10_000, Candidate: 3, Baseline: 120})
	require.InDelta(t, 102.816075, math.Exp(p.LogE()), 5e-6)
	p = evidence.Below(2)
	p.Add(evidence.Coins{Ramp: 10_000, Candidate: 5, Baseline: 90})
	require.InDelta(t, 3.708477, math.Exp(p.LogE()), 5e-7)
}
