package evidence

// Harm is the e-process against "the candidate's odds of failing are at most margin
// times the baseline's": for each bet on harm the logarithm of its wealth. Add
// one interval after the other, always with the same margin of at least 1. The zero
// value has seen nothing, E = 1.
type Harm [6]float64

// Add multiplies an interval in.
func (h *Harm) Add(t Table, margin float64) {
	for j, bet := range harm {
		h[j] += t.Bet(margin, margin*bet.psi)
	}
}

// LogE is ln E.
func (h *Harm) LogE() float64 { return mix(h[:], harm) }

// NoHarm is the e-process against "the candidate's odds of failing are at least
// ratio times the baseline's", which is evidence that they are not. The zero value
// has seen nothing, E = 1. The bets are on what the odds ratio really is.
type NoHarm [3]float64

// Add multiplies an interval in, always with the same ratio, above 1.
func (h *NoHarm) Add(t Table, ratio float64) {
	for j, bet := range noHarm {
		h[j] += t.Bet(ratio, bet.psi)
	}
}

// LogE is ln E.
func (h *NoHarm) LogE() float64 { return mix(h[:], noHarm) }
