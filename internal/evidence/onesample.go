package evidence

import "math"

// OneSample is ln E against "every request fails with a probability of at most limit,
// whatever came before it", after so many failures among so many requests: the mean
// of six likelihood ratios, of limit*psi to limit. Bets on 1 or more are left out. The order does not matter. limit is above 0 and at most 0.5, so that some
// bets remain.
func OneSample(failures, requests uint64, limit float64) float64 {
	logs, bets := make([]float64, 0, len(harm)), make([]bet, 0, len(harm))
	bad, good := float64(failures), float64(requests-failures)
	for _, b := range harm {
		if q := limit * b.psi; q < 1 {
			won, paid := bad*math.Log(b.psi), good*(math.Log1p(-limit)-math.Log1p(-q))
			logs, bets = append(logs, float64(won)-float64(paid)), append(bets, b)
		}
	}
	return mix(logs, bets)
}

// Wilson is the interval of a share of which part of whole was seen, whole above 0,
// at z standard deviations of the normal approximation (Wilson, Journal of the American
// Statistical Association 22, 1927).
func Wilson(part, whole uint64, z float64) (low, high float64) {
	n := float64(whole)
	p := float64(part) / n
	center := (p + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(center-half, 0), min(center+half, 1)
}
