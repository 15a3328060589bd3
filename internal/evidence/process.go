package evidence

import (
	"math"

	"github.com/guidon-go/guidon/internal/bucket"
)

// grid holds the bets: how many times likelier than by chance the candidate side
// is to come up. E is the mean of the six bets' wealth.
var grid = [...]float64{1.25, 1.5, 2, 3, 5, 10}

// Coins counts the coins of one bias (Ramp-Lo)/(Slots-Lo) by the side that came up.
type Coins struct {
	Lo, Ramp            int32 // in slots of 0.001 %
	Candidate, Baseline uint64
}

// Process is the e-process, in log space. It depends on how often each bias came
// up on each side and on nothing else: not on the order, not on who the units
// were. The zero value has seen no coin, E = 1.
type Process struct {
	logs [len(grid)]float64 // ln of each bet's wealth
}

// Add multiplies the coins in. Coins with nothing to win, of bias 0 or 1, leave E
// as it is.
func (p *Process) Add(c Coins) {
	if c.Lo < 0 || c.Lo >= c.Ramp || c.Ramp >= bucket.Slots {
		return
	}
	w := float64(c.Ramp-c.Lo) / float64(bucket.Slots-c.Lo)
	won, all := float64(c.Candidate), float64(c.Candidate)+float64(c.Baseline)
	for j, psi := range grid {
		// Candidate pays psi/(1-w+w*psi), baseline 1/(1-w+w*psi): a fair bet.
		p.logs[j] += won*math.Log(psi) - all*math.Log1p(w*(psi-1))
	}
}

// LogE is ln E, the logarithm of the mean wealth; it is finite even where E is not.
func (p *Process) LogE() float64 {
	top := p.logs[0]
	for _, l := range p.logs[1:] {
		top = max(top, l)
	}
	sum := 0.0
	for _, l := range p.logs {
		sum += math.Exp(l - top)
	}
	return top + math.Log(sum/float64(len(p.logs)))
}
