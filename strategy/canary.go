package strategy

import (
	"errors"
	"fmt"
	"time"
)

// Canary gives the new version ever more of the traffic, and holds at each weight
// while judges compare it with the old one.
type Canary struct {
	// Weights ascend and end at 100 %.
	Weights []Share
	// Hold is the time at each weight below 100 %, where there is still an old
	// version to compare with.
	Hold time.Duration
	// Exposed is how many requests the candidate must have answered at each of
	// these weights before the next. Zero asks for none.
	Exposed int
	// Gates must say yes before the first request is exposed.
	Gates []string
	// Judges watch every hold.
	Judges []string
}

// Plan verifies, then shifts and holds at each weight above the input's, then
// promotes.
func (c Canary) Plan(in Input) (Plan, error) {
	if err := c.check(in); err != nil {
		return Plan{}, err
	}
	p := Plan{Strategy: "canary"}
	if len(c.Gates) > 0 {
		p.Steps = append(p.Steps, Verify{c.Gates})
	}
	from := in.From
	for _, to := range c.Weights {
		if to <= from {
			continue
		}
		p.Steps = append(p.Steps, Shift{from, to})
		if to < All {
			p.Steps = append(p.Steps, Hold{For: c.Hold, Exposed: c.Exposed, Judges: c.Judges})
		}
		from = to
	}
	p.Steps = append(p.Steps, Promote{})
	return p, nil
}

func (c Canary) check(in Input) error {
	var problems []error
	add := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("strategy: canary: "+format, args...))
	}
	if in.From < 0 || in.From >= All {
		add("from: found %v, want less than 100 %%: there is nothing left to move", in.From)
	}
	if n := len(c.Weights); n == 0 || c.Weights[n-1] != All {
		add("weights: found %v, want a list that ends at 100 %%", c.Weights)
	}
	for i, w := range c.Weights {
		if w <= 0 || w > All {
			add("weights[%d]: found %v, want more than 0 and at most 100 %%", i, w)
		} else if i > 0 && w <= c.Weights[i-1] {
			add("weights[%d]: found %v after %v, want ascending weights", i, w, c.Weights[i-1])
		}
	}
	if c.Hold < 0 {
		add("hold: found %v, want no negative time", c.Hold)
	}
	if c.Exposed < 0 {
		add("exposed: found %d, want no negative number", c.Exposed)
	}
	if c.Exposed > 0 && len(c.Judges) == 0 {
		add("exposed: found %d without judges, who would count them", c.Exposed)
	}
	return errors.Join(problems...)
}
