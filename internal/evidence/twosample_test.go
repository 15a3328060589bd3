package evidence_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/guidon-go/guidon/internal/evidence"
)

// Vectors computed apart from this code, in exact and in log space: the first column
// in the closed form, the third in the closed form with a margin of 1.2.
func TestHarmVectors(t *testing.T) {
	type table = evidence.Table
	for _, tt := range []struct {
		name                  string
		tables                []table
		closed, exact, margin float64
	}{
		{"A", []table{{2, 100, 9, 900}, {3, 100, 8, 900}, {4, 100, 10, 900}}, 10.807166, 11.380701, 4.747303},
		{"B", []table{{5, 100, 9, 900}, {5, 100, 9, 900}, {5, 100, 9, 900}}, 5274.472791, 6410.646488, 874.428117},
		{"C", []table{{0, 100, 9, 900}, {0, 100, 9, 900}, {0, 100, 9, 900}, {0, 100, 9, 900}, {0, 100, 9, 900}}, 0.075744, 0.075898, 0.059079},
		{"D", []table{{1, 10, 0, 90}, {2, 20, 1, 80}, {5, 50, 1, 50}}, 33.747578, 37.539269, 18.485395},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var harm evidence.Harm
			var closed, margin evidence.Harm
			for _, table := range tt.tables {
				harm.Add(table, 1)
				for j, psi := range []float64{1.25, 1.5, 2, 3, 5, 10} {
					closed[j] += table.ClosedBet(1, psi)
					margin[j] += table.ClosedBet(1.2, 1.2*psi)
				}
			}
			require.InDelta(t, tt.closed, math.Exp(closed.LogE()), 5e-7)
			require.InDelta(t, tt.exact, math.Exp(harm.LogE()), 5e-7)
			require.InDelta(t, tt.margin, math.Exp(margin.LogE()), 5e-7)
		})
	}
}

// weigh returns C(candidate,u) C(baseline,k-u) psi^u for u from 0 to k, exactly.
func weigh(candidate, baseline, k int64, psi *big.Rat) (terms []*big.Rat, z *big.Rat) {
	z, power := new(big.Rat), big.NewRat(1, 1)
	for u := range k + 1 {
		ways := new(big.Int)
		if u <= candidate && k-u <= baseline {
			ways.Mul(new(big.Int).Binomial(candidate, u), new(big.Int).Binomial(baseline, k-u))
		}
		term := new(big.Rat).Mul(new(big.Rat).SetInt(ways), power)
		terms, z = append(terms, term), new(big.Rat).Add(z, term)
		power = new(big.Rat).Mul(power, psi)
	}
	return terms, z
}

// mean is what a bet pays on average at an odds ratio.
func mean(candidate, baseline, k int64, truth float64, bet func(evidence.Table) float64) float64 {
	terms, z := weigh(candidate, baseline, k, new(big.Rat).SetFloat64(truth))
	sum := 0.0
	for x, term := range terms {
		if p, _ := new(big.Rat).Quo(term, z).Float64(); p > 0 {
			sum += p * math.Exp(bet(evidence.Table{uint64(x), uint64(candidate), uint64(k) - uint64(x), uint64(baseline)}))
		}
	}
	return sum
}

// Every bet, over all tables with the same margins: the mean is 1 where it says so, at
// most 1 on the right side of that, and above on the other side.
func TestBetsAreFair(t *testing.T) {
	for _, m := range []struct{ candidate, baseline, k int64 }{{10, 90, 1}, {10, 90, 9}, {50, 50, 40}, {3, 97, 20}, {30, 7, 20}, {99, 1, 2}} {
		for _, from := range []float64{1, 1.5} {
			for _, psi := range []float64{1.25, 2, 10} {
				exact := func(t evidence.Table) float64 { return t.Bet(from, from*psi) }
				closed := func(t evidence.Table) float64 { return t.ClosedBet(from, from*psi) }
				require.InDelta(t, 1, mean(m.candidate, m.baseline, m.k, from, exact), 1e-12, "%v from %v psi %v", m, from, psi)
				require.LessOrEqual(t, mean(m.candidate, m.baseline, m.k, from/2, exact), 1.0)
				require.Greater(t, mean(m.candidate, m.baseline, m.k, from*psi, exact), 1.0)
				require.LessOrEqual(t, mean(m.candidate, m.baseline, m.k, from, closed), 1+1e-12)
				require.LessOrEqual(t, mean(m.candidate, m.baseline, m.k, from/2, closed), 1.0)
			}
		}
		for _, psi := range []float64{1, 0.8, 0.5} {
			less := func(t evidence.Table) float64 { return t.Bet(2, psi) }
			require.InDelta(t, 1, mean(m.candidate, m.baseline, m.k, 2, less), 1e-12)
			require.LessOrEqual(t, mean(m.candidate, m.baseline, m.k, 3, less), 1.0)
			require.Greater(t, mean(m.candidate, m.baseline, m.k, psi, less), 1.0)
		}
	}
}

// The mixtures, over two intervals of different split.
func TestMixturesAreFair(t *testing.T) {
	for _, truth := range []float64{1, 1.5, 2} {
		harm, noHarm := 0.0, 0.0
		first, z1 := weigh(20, 80, 12, new(big.Rat).SetFloat64(truth))
		second, z2 := weigh(50, 50, 7, new(big.Rat).SetFloat64(truth))
		for x, p1 := range first {
			for y, p2 := range second {
				both := new(big.Rat).Quo(new(big.Rat).Mul(p1, p2), new(big.Rat).Mul(z1, z2))
				p, _ := both.Float64()
				tables := []evidence.Table{{uint64(x), 20, 12 - uint64(x), 80}, {uint64(y), 50, 7 - uint64(y), 50}}
				var h evidence.Harm
				var n evidence.NoHarm
				for _, table := range tables {
					h.Add(table, truth)
					n.Add(table, truth+1e-9)
				}
				harm += p * math.Exp(h.LogE())
				noHarm += p * math.Exp(n.LogE())
			}
		}
		require.InDelta(t, 1, harm, 1e-12, "margin %v", truth)
		require.InDelta(t, 1, noHarm, 1e-6, "ratio %v", truth)
	}
}

// How much the closed form gives away: little while failures are rare. Published means.
func TestClosedIsConservative(t *testing.T) {
	for _, tt := range []struct {
		candidate, baseline, k int64
		want                   float64
	}{{100, 900, 10, 0.997}, {10, 90, 9, 0.974}, {50, 50, 40, 0.403}} {
		got := mean(tt.candidate, tt.baseline, tt.k, 1, func(t evidence.Table) float64 { return t.ClosedBet(1, 2) })
		require.InDelta(t, tt.want, got, 5e-4, "%d of %d", tt.k, tt.candidate+tt.baseline)
	}
}

// Against exact arithmetic where factorials have long overflown, and against the closed
// form where they meet.
func TestBetOfLargeTables(t *testing.T) {
	logZ := func(candidate, baseline, k int64, psi float64) float64 {
		_, z := weigh(candidate, baseline, k, new(big.Rat).SetFloat64(psi))
		f := new(big.Float).SetPrec(200).SetRat(z)
		mantissa := new(big.Float)
		exponent := f.MantExp(mantissa)
		m, _ := mantissa.Float64()
		return math.Log(m) + float64(exponent)*math.Ln2
	}
	for _, m := range []struct{ candidate, baseline, x, k int64 }{
		{500, 500, 300, 500}, {100, 9_900, 80, 700}, {40, 1_960, 39, 1_900}, {2_000, 100, 1_999, 2_050},
	} {
		for _, psi := range []float64{0.5, 1.25, 10} {
			want := float64(m.x)*math.Log(psi) + logZ(m.candidate, m.baseline, m.k, 1) - logZ(m.candidate, m.baseline, m.k, psi)
			table := evidence.Table{uint64(m.x), uint64(m.candidate), uint64(m.k - m.x), uint64(m.baseline)}
			require.InDelta(t, want, table.Bet(1, psi), 1e-9, "%v psi %v", m, psi)
		}
	}
	// By 60 digits of a recurrence.
	for _, tt := range []struct {
		table     evidence.Table
		psi, want float64
	}{
		{evidence.Table{600, 100_000, 4_400, 900_000}, 0.5, -159.109787351531886},
		{evidence.Table{600, 100_000, 4_400, 900_000}, 1.25, 10.489937280883941},
		{evidence.Table{600, 100_000, 4_400, 900_000}, 10, -1802.546399096376852},
		{evidence.Table{500, 500, 500, 999_500}, 10, 1146.822562368750843},
		{evidence.Table{900_000, 1e9, 100_000, 1e12}, 1.25, 200579.477146581232584},
	} {
		require.InEpsilon(t, tt.want, tt.table.Bet(1, tt.psi), 1e-12, "%+v psi %v", tt.table, tt.psi)
	}
	// Neither side of the seam jumps.
	below := evidence.Table{100_000, 1e9, tooMany - 100_000, 9e9}
	above := evidence.Table{100_001, 1e9, tooMany - 100_000, 9e9}
	require.InDelta(t, below.Bet(1, 2), above.Bet(1, 2), 60)
	require.Positive(t, below.Bet(2, 1))
	require.Zero(t, above.Bet(2, 1))
}

const tooMany = 1 << 20

// Nothing makes it anything but a finite number, nor lets it run long.
func TestBetIsFinite(t *testing.T) {
	sizes := []uint64{0, 1, 2, 50, 1 << 20, 1<<20 + 1, 1 << 40, 1 << 53, math.MaxUint64}
	for _, a := range sizes {
		for _, b := range sizes {
			for _, c := range sizes {
				for _, d := range sizes {
					for _, psi := range []float64{0.5, 1, 1.25, 10} {
						for _, from := range []float64{1, 1.5, 1000} {
							table := evidence.Table{a, b, c, d}
							got := table.Bet(from, from*psi)
							if math.IsNaN(got) || math.IsInf(got, 0) {
								t.Fatalf("%+v from %v psi %v: got %v", table, from, psi, got)
							}
						}
					}
				}
			}
		}
	}
	for _, table := range []evidence.Table{{5, 4, 0, 10}, {0, 10, 5, 4}, {1, 1, 0, 0}, {0, 5, 0, 9}, {5, 5, 9, 9}} {
		require.Zero(t, table.Bet(1, 2), "%+v", table)
		require.Zero(t, table.ClosedBet(1, 2), "%+v", table)
	}
}

func BenchmarkHarmNoAlloc(b *testing.B) {
	for _, bench := range []struct {
		name  string
		table evidence.Table
	}{
		{"k=1", evidence.Table{1, 10, 0, 90}},
		{"k=11", evidence.Table{2, 100, 9, 900}},
		{"k=5000", evidence.Table{600, 100_000, 4_400, 900_000}},
		{"k=million", evidence.Table{120_000, 10_000_000, 880_000, 90_000_000}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var h evidence.Harm
				h.Add(bench.table, 1)
			}
		})
	}
}
