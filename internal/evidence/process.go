package evidence

import (
	"math"

	"github.com/guidon-go/guidon/internal/bucket"
)

// Coins counts the coins of one bias (Ramp-Lo)/(Slots-Lo) by the side that came up.
type Coins struct {
	Lo, Ramp            int32 // in slots of 0.001 %
	Candidate, Baseline uint64
}

// bet is one way to bet on coins: that the candidate side comes up psi times as
// often as the bias has it. A share of the stake goes into each bet.
type bet struct{ psi, share float64 }

var (
	// harm spreads the stake evenly over how much worse a change may be.
	harm = []bet{{1.25, 1. / 6}, {1.5, 1. / 6}, {2, 1. / 6}, {3, 1. / 6}, {5, 1. / 6}, {10, 1. / 6}}
	// noHarm bets mostly on a change that does nothing.
	noHarm = []bet{{1, 0.6}, {0.8, 0.3}, {0.5, 0.1}}
)

// Process is the e-process, in log space. It depends on how often each bias came
// up on each side and on nothing else: not on the order, not on who the units
// were. The zero value bets on harm and has seen no coin, E = 1.
type Process struct {
	bets  []bet      // nil: harm
	scale float64    // by which psi is multiplied; zero: 1
	null  float64    // how often the candidate side comes up at most, if nothing is to be found; zero: 1
	logs  [6]float64 // ln of each bet's wealth
}

// Beyond is a process that finds harm only where it goes beyond a ratio of hazards
// that is tolerated, 1 or more. Unlike the process without a margin it rests on a
// model: that the candidate multiplies the hazard of a unit's first failure.
func Beyond(margin float64) *Process { return &Process{scale: margin, null: margin} }

// Below is a process that finds evidence that coins of which all of the baseline's
// and one in ratio of the candidate's were kept come from a candidate that fails
// less than ratio times as often.
func Below(ratio float64) *Process { return &Process{bets: noHarm, scale: 1 / ratio} }

func (p *Process) settings() (bets []bet, scale, null float64) {
	bets, scale, null = p.bets, p.scale, p.null
	if bets == nil {
		bets = harm
	}
	if scale == 0 {
		scale = 1
	}
	if null == 0 {
		null = 1
	}
	return bets, scale, null
}

// Add multiplies the coins in. Coins with nothing to win, of bias 0 or 1, leave E
// as it is.
func (p *Process) Add(c Coins) {
	if c.Lo < 0 || c.Lo >= c.Ramp || c.Ramp >= bucket.Slots {
		return
	}
	w := float64(c.Ramp-c.Lo) / float64(bucket.Slots-c.Lo)
	won, all := float64(c.Candidate), float64(c.Candidate)+float64(c.Baseline)
	bets, scale, null := p.settings()
	for j, bet := range bets {
		// Candidate pays psi/null*(1-w+w*null)/(1-w+w*psi), baseline the same without
		// psi/null: a fair bet.
		psi := bet.psi * scale
		won, all := float64(won*math.Log(psi/null)), float64(all*(math.Log1p(w*(psi-1))-math.Log1p(w*(null-1))))
		p.logs[j] += won - all
	}
}

// LogE is ln E, the logarithm of the bets' wealth; it is finite even where E is not.
func (p *Process) LogE() float64 {
	bets, _, _ := p.settings()
	top := p.logs[0]
	for _, l := range p.logs[1:len(bets)] {
		top = max(top, l)
	}
	sum := 0.0
	for j, bet := range bets {
		sum += float64(bet.share * math.Exp(p.logs[j]-top))
	}
	return top + math.Log(sum)
}
