package strategy_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/guidon-go/guidon/strategy"
	"github.com/stretchr/testify/require"
)

const percent = strategy.Percent

func count(n int) strategy.Amount           { return strategy.Amount{Count: n} }
func part(s strategy.Share) strategy.Amount { return strategy.Amount{Share: s} }

// up is a/b rounded up, and down is rounded down, found by counting.
func up(a, b int) int {
	n := 0
	for n*b < a {
		n++
	}
	return n
}

func down(a, b int) int {
	n := 0
	for (n+1)*b <= a {
		n++
	}
	return n
}

// interesting are shares around every edge, and an even spread between them.
func interesting() []strategy.Share {
	shares := []strategy.Share{1, 2, 99, 999, 1 * percent, 33_333, 33_334, 49_999, 50_000, 50_001, 66_666, 66_667, 99_000, 99_999}
	for s := strategy.Share(0); s <= strategy.All; s += 617 {
		shares = append(shares, s)
	}
	for n := 1; n <= 41; n++ { // and where two divisions are equally close
		for k := range n {
			shares = append(shares, strategy.Share((2*k+1)*int(strategy.All)/(2*n)))
		}
	}
	return append(shares, strategy.All)
}

// TestLimitsAsKubernetes: a share of the surge is rounded up, one of the unavailable down,
// and both nothing is one unavailable. The table is of its documentation and tests.
func TestLimitsAsKubernetes(t *testing.T) {
	tests := []struct {
		desired            int
		surge, unavailable strategy.Amount
		more, missing      int
	}{
		{10, part(25 * percent), part(25 * percent), 3, 2},
		{1, part(25 * percent), part(25 * percent), 1, 0},
		{3, part(25 * percent), part(25 * percent), 1, 0},
		{4, part(25 * percent), part(25 * percent), 1, 1},
		{100, part(25 * percent), part(25 * percent), 25, 25},
		{10, count(0), part(1 * percent), 0, 1}, // both nothing
		{10, count(0), count(0), 0, 1},
		{1, count(0), part(99 * percent), 0, 1},
		{3, part(1), count(0), 1, 0},
		{3, part(100 * percent), part(100 * percent), 3, 3},
		{3, count(7), count(7), 7, 3},
		{7, part(33_333), part(33_333), 3, 2},
		{0, part(25 * percent), part(25 * percent), 0, 1},
		{100_000, part(1), part(1), 1, 1},
		{100_001, part(1), part(1), 2, 1},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d with %v and %v", tt.desired, tt.surge, tt.unavailable), func(t *testing.T) {
			more, missing := strategy.Limits(tt.desired, tt.surge, tt.unavailable)
			require.Equal(t, [2]int{tt.more, tt.missing}, [2]int{more, missing})
		})
	}
}

// TestLimitsExactly compares with counting.
func TestLimitsExactly(t *testing.T) {
	for desired := range 41 {
		for _, s := range interesting() {
			wantMore, wantMissing := up(int(s)*desired, int(strategy.All)), down(int(s)*desired, int(strategy.All))
			if wantMore == 0 {
				wantMissing = 1
			}
			more, missing := strategy.Limits(desired, part(s), part(s))
			if more != wantMore || missing != wantMissing {
				t.Fatalf("%v of %d: got %d and %d, want %d and %d", s, desired, more, missing, wantMore, wantMissing)
			}
		}
	}
}

// TestNextRollingKeepsItsLimits from every start that a rolling update can have, with
// every limit: a move changes one version, as far as the limits let it, and comes to the
// end.
func TestNextRollingKeepsItsLimits(t *testing.T) {
	for desired := 1; desired <= 12; desired++ {
		for more := 0; more <= desired+1; more++ {
			for missing := 0; missing <= desired; missing++ {
				if more == 0 && missing == 0 {
					continue
				}
				for old := 0; old <= desired; old++ {
					for new := max(0, desired-missing-old); new <= min(desired, desired+more-old); new++ {
						rolls(t, desired, old, new, more, missing)
					}
				}
			}
		}
	}
	old, new := strategy.NextRolling(3, 2, 5, 1, 0)
	require.Equal(t, [2]int{2, 3}, [2]int{old, new}, "new ones beyond the desired number go first")
}

func rolls(t *testing.T, desired, old, new, more, missing int) {
	for moves := 0; ; moves++ {
		nextOld, nextNew := strategy.NextRolling(desired, old, new, more, missing)
		at := fmt.Sprintf("%d desired, %d more, %d missing: from %d, %d to %d, %d", desired, more, missing, old, new, nextOld, nextNew)
		switch {
		case nextOld == old && nextNew == new:
			if old != 0 || new != desired {
				t.Fatalf("%s: it comes to no end", at)
			}
			return
		case nextOld > old || nextNew < new || nextOld != old && nextNew != new || nextOld < 0 || nextNew > desired:
			t.Fatalf("%s: want new ones to come, or old ones to go", at)
		case nextOld+nextNew > desired+more || nextOld+nextNew < desired-missing:
			t.Fatalf("%s: beyond the limits", at)
		case nextNew > new && nextNew < desired && nextOld+nextNew < desired+more, nextOld < old && nextOld > 0 && nextOld+nextNew > desired-missing:
			t.Fatalf("%s: less than the limits allow", at)
		case moves > 4*desired:
			t.Fatalf("%s: it moves for ever", at)
		}
		old, new = nextOld, nextNew
	}
}

// TestInstancesForAndShareOf compares with counting: one rounds up, the other down.
func TestInstancesForAndShareOf(t *testing.T) {
	for n := range 41 {
		for _, s := range interesting() {
			if got, want := strategy.InstancesFor(s, n), up(int(s)*n, int(strategy.All)); got != want {
				t.Fatalf("%v of %d instances: got %d, want %d", s, n, got, want)
			}
		}
		for new := 1; new <= 41; new++ {
			want := down(int(strategy.All)*new, n+new)
			if got := strategy.ShareOf(n, new); int(got) != want {
				t.Fatalf("%d old and %d new: got %v, want %d slots", n, new, got, want)
			}
		}
	}
	require.Equal(t, 1, strategy.InstancesFor(1, 100_000))
	require.Equal(t, 2, strategy.InstancesFor(1, 100_001))
	require.Zero(t, strategy.ShareOf(0, 0))
	require.Zero(t, strategy.ShareOf(3, 0))
	require.Equal(t, strategy.All, strategy.ShareOf(0, 3))
	require.Equal(t, strategy.Share(33_333), strategy.ShareOf(2, 1))
}

// TestDivideAsArgo is the table of Argo Rollouts' rule for canaries without a router of
// traffic: the least error, the larger canary of two equals, never none.
func TestDivideAsArgo(t *testing.T) {
	tests := []struct {
		share    strategy.Share
		n        int
		surge    bool
		old, new int
	}{
		{0, 10, true, 10, 0},
		{strategy.All, 10, true, 0, 10},
		{10 * percent, 10, true, 9, 1},
		{10 * percent, 10, false, 9, 1},
		{1 * percent, 10, false, 9, 1}, // never starved
		{1 * percent, 10, true, 10, 1}, // 9.1 % is closer than 10 %
		{99 * percent, 10, false, 1, 9},
		{99 * percent, 10, true, 1, 10},
		{5 * percent, 1, false, 1, 0}, // no room for another
		{5 * percent, 1, true, 1, 1},
		{50 * percent, 1, true, 1, 1},
		{50 * percent, 3, false, 1, 2}, // 33 and 67 are equally close: the larger canary
		{50 * percent, 3, true, 2, 2},
		{50 * percent, 4, true, 2, 2},
		{25 * percent, 2, false, 1, 1},
		{15 * percent, 10, false, 8, 2}, // 10 and 20 are equally close
		{15 * percent, 10, true, 9, 2},  // 18.2 is closer
		{33_333, 3, false, 2, 1},
		{30 * percent, 0, true, 0, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%v of %d, surge %v", tt.share, tt.n, tt.surge), func(t *testing.T) {
			old, new := strategy.Divide(tt.share, tt.n, tt.surge)
			require.Equal(t, [2]int{tt.old, tt.new}, [2]int{old, new})
		})
	}
}

// TestDivideAgainstEveryDivision: of all that there are it takes the best.
func TestDivideAgainstEveryDivision(t *testing.T) {
	for n := range 41 {
		for _, s := range interesting() {
			for _, surge := range []bool{false, true} {
				old, new := strategy.Divide(s, n, surge)
				wantOld, wantNew := divide(s, n, surge)
				if old != wantOld || new != wantNew {
					t.Fatalf("%v of %d, surge %v: got %d and %d, want %d and %d", s, n, surge, old, new, wantOld, wantNew)
				}
			}
		}
	}
}

// divide is the slow and obvious way.
func divide(s strategy.Share, n int, surge bool) (old, new int) {
	if s == 0 || n == 0 {
		return n, 0
	}
	if s == strategy.All {
		return 0, n
	}
	old, new = n, 0 // if nothing else is left
	least := math.MaxInt
	for total := n; total == n || surge && total == n+1; total++ {
		for k := 1; k < total; k++ {
			off := k*int(strategy.All)*(n*(n+1)/total) - int(s)*n*(n+1) // in parts of 100 000 n (n+1)
			if off = max(off, -off); off < least || off == least && k > new {
				least, old, new = off, total-k, k
			}
		}
	}
	return old, new
}

// TestLadders are the weights that a canary can be given by a rule.
func TestLadders(t *testing.T) {
	tests := []struct {
		name      string
		got, want []strategy.Share
	}{
		{"even", strategy.Linear(25 * percent), []strategy.Share{25_000, 50_000, 75_000, strategy.All}},
		{"a rest", strategy.Linear(40 * percent), []strategy.Share{40_000, 80_000, strategy.All}},
		{"at once", strategy.Linear(strategy.All), []strategy.Share{strategy.All}},
		{"more than all", strategy.Linear(math.MaxInt32), []strategy.Share{strategy.All}},
		{"nothing", strategy.Linear(0), nil},
		{"back", strategy.Linear(-1), nil},
		{"doubling", strategy.Exponential(10*percent, 2), []strategy.Share{10_000, 20_000, 40_000, 80_000, strategy.All}},
		{"exactly", strategy.Exponential(1*percent, 10), []strategy.Share{1000, 10_000, strategy.All}},
		{"at once by factors", strategy.Exponential(50*percent, math.MaxInt), []strategy.Share{50_000, strategy.All}},
		{"from all", strategy.Exponential(strategy.All, 2), []strategy.Share{strategy.All}},
		{"from nothing", strategy.Exponential(0, 2), nil},
		{"no growth", strategy.Exponential(1, 1), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, tt.got) })
	}
}

// TestAmounts in JSON: those that are none say what an amount is.
func TestAmounts(t *testing.T) {
	for text, want := range map[string]strategy.Amount{
		`3`: count(3), `0`: {}, `-1`: count(-1), `"25%"`: part(25 * percent), `"0.5 %"`: part(500), `"100%"`: part(strategy.All),
	} {
		var got, again strategy.Amount
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got, text)
		back, err := json.Marshal(got)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(back, &again))
		require.Equal(t, got, again)
	}
	for _, text := range []string{`"3"`, `2.5`, `"%"`, `"-1%"`, `"101%"`, `"0.0001%"`, `true`, `{}`, `[]`, `99999999999999999999`} {
		var got strategy.Amount
		require.ErrorContains(t, json.Unmarshal([]byte(text), &got), `want a number of instances or a percentage like "25%"`, text)
	}
}
