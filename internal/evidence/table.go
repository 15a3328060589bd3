package evidence

import (
	"math"
	"sort"
)

// Table is what two samples did in one interval: how many requests each side had,
// and how many of them failed.
type Table struct {
	CandidateFailures, Candidate uint64
	BaselineFailures, Baseline   uint64
}

// tooMany bounds the work and the rounding of one table: beyond it, Bet takes the
// closed form. It is the smallest of the four margins that decides how many terms
// there are to add.
const (
	tooMany  = 1 << 20
	tooLarge = 1 << 50
)

// Bet is the logarithm of what a bet pays on this table that is fair, or worse, at
// odds ratio from (candidate to baseline), and wins at to. Given both sizes and the
// number of failures altogether, k, those in the candidate follow Fisher's
// noncentral hypergeometric distribution, whatever the common error rate is:
//
//	(to/from)^x Z(from)/Z(to),  Z(psi) = sum over u of C(candidate,u) C(baseline,k-u) psi^u
//
// Its mean is 1 at from, exactly; it is below 1 at all smaller odds ratios if to is
// above from, and at all larger ones if to is below.
//
// A table with more than a million on its smallest margin pays by [Table.ClosedBet]
// where that is known to be no better than fair, which is where from is at least 1
// and to above it, and nothing (0) elsewhere.
//
// Products that are added up are converted, here and below, so that no machine fuses
// the two and equal counts give equal bits.
func (t Table) Bet(from, to float64) float64 {
	m, ok := t.margins()
	if !ok {
		return 0
	}
	if min(m.candidate, m.baseline, m.failures, m.successes) > tooMany || m.candidate+m.baseline > tooLarge {
		if from >= 1 && to >= from {
			return t.ClosedBet(from, to)
		}
		return 0
	}
	return float64(float64(t.CandidateFailures)*math.Log(to/from)) + m.logMean(from) - m.logMean(to)
}

// ClosedBet is Bet for failures that are rare:
//
//	(to/from)^x ((1-w+w from)/(1-w+w to))^k,  w the candidate's share of the requests
//
// For to > from >= 1 its mean is at most 1 at every odds ratio up to from: the
// failures in the candidate are distributed as a sum of k independent coins (all
// roots of Z are real and negative), so their generating function is at most that
// of k equal coins with the same mean (Hoeffding, Annals of Mathematical Statistics
// 27, 1956); and that mean, mu, satisfies mu B = from C (k-mu) - (from-1) E[x(k-x)]
// with C and B the sides' sizes, which is at most what the equal coins have.
func (t Table) ClosedBet(from, to float64) float64 {
	m, ok := t.margins()
	if !ok {
		return 0
	}
	w := m.candidate / (m.candidate + m.baseline)
	won, paid := float64(t.CandidateFailures)*math.Log(to/from), m.failures*(math.Log1p(w*(to-1))-math.Log1p(w*(from-1)))
	return float64(won) - float64(paid)
}

// margins are what a table is conditioned on.
type margins struct{ candidate, baseline, failures, successes float64 }

// margins returns false where they leave nothing to bet on, or are nonsense.
func (t Table) margins() (margins, bool) {
	if t.CandidateFailures > t.Candidate || t.BaselineFailures > t.Baseline {
		return margins{}, false
	}
	m := margins{candidate: float64(t.Candidate), baseline: float64(t.Baseline)}
	m.failures = float64(t.CandidateFailures) + float64(t.BaselineFailures)
	m.successes = m.candidate + m.baseline - m.failures
	return m, m.candidate > 0 && m.baseline > 0 && m.failures > 0 && m.successes > 0
}

// logMean is ln E[psi^U] for the central hypergeometric U, that is ln Z(psi)/Z(1).
// It adds up the terms from the largest outwards until they no longer count, which
// takes some 20 standard deviations of U: 20 sqrt(k) at most.
func (m margins) logMean(psi float64) float64 {
	if psi == 1 {
		return 0
	}
	low, high := max(0, m.failures-m.baseline), min(m.failures, m.candidate)
	// ratio of the term at u+1 to that at u; it falls as u rises.
	ratio := func(u float64) float64 {
		return psi * (m.candidate - u) * (m.failures - u) / ((u + 1) * (m.baseline - m.failures + u + 1))
	}
	top := low + float64(sort.Search(int(high-low), func(i int) bool { return ratio(low+float64(i)) < 1 }))
	const dust = 0x1p-60
	sum := 1.0
	for u, term := top, 1.0; u < high && term > dust*sum; u++ {
		term *= ratio(u)
		sum += term
	}
	for u, term := top, 1.0; u > low && term > dust*sum; u-- {
		term /= ratio(u - 1)
		sum += term
	}
	return m.logTerm(top) + float64(top*math.Log(psi)) + math.Log(sum)
}

// logTerm is the logarithm of the central hypergeometric probability of u, as the
// quotient of three binomial ones, which stay accurate where factorials overflow
// and their logarithms cancel.
func (m margins) logTerm(u float64) float64 {
	p := m.failures / (m.candidate + m.baseline)
	return logBinomial(u, m.candidate, p) + logBinomial(m.failures-u, m.baseline, p) -
		logBinomial(m.failures, m.candidate+m.baseline, p)
}

// logBinomial is the logarithm of the binomial probability of x in n at p, by
// Loader's saddle-point expansion (Fast and Accurate Computation of Binomial
// Probabilities, 2000): Stirling's formula with its error, and the deviance.
func logBinomial(x, n, p float64) float64 {
	switch x {
	case 0:
		return n * math.Log1p(-p)
	case n:
		return n * math.Log(p)
	}
	off := x - float64(n*p) // used for both parts, so that its rounding cancels
	deviance := float64(x*math.Log1p(off/(n*p))) + float64((n-x)*math.Log1p(-off/(n*(1-p))))
	return stirlingError(n) - stirlingError(x) - stirlingError(n-x) - deviance +
		math.Log(n/(2*math.Pi*x*(n-x)))/2
}

// stirlingError is ln n! less Stirling's formula for it.
func stirlingError(n float64) float64 {
	if n < 16 {
		factorial, _ := math.Lgamma(n + 1)
		return factorial - float64((n+0.5)*math.Log(n)) + n - math.Log(2*math.Pi)/2
	}
	n2 := n * n
	return (1./12 - (1./360-(1./1260-1./(1680*n2))/n2)/n2) / n
}

// mix is the logarithm of what bets are worth together, given their logarithms.
func mix(logs []float64, bets []bet) float64 {
	top, sum, shares := math.Inf(-1), 0.0, 0.0
	for _, l := range logs {
		top = max(top, l)
	}
	for j, l := range logs {
		sum += float64(bets[j].share * math.Exp(l-top))
		shares += bets[j].share
	}
	return top + math.Log(sum/shares)
}
