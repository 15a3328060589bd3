package strategy

import (
	"fmt"
	"slices"
	"time"
)

// Canary gives the new version ever more of the traffic, and holds at each weight
// while judges compare it with the old one.
type Canary struct {
	// Weights ascend and end at 100 %: any list, or one of [Linear] and [Exponential].
	Weights Weights `json:"weights"`
	// Hold is the time at each weight below 100 %, where there is still an old
	// version to compare with.
	Hold time.Duration `json:"hold"`
	// Exposed is how many requests the candidate must have answered at each of
	// these weights before the next. Zero means 20 if there are judges, and none
	// otherwise.
	Exposed int `json:"exposed"`
	// Rungs, instead of Weights, Hold and Exposed, are weights each with its own hold.
	Rungs []Rung `json:"rungs"`
	// Gates must say yes before the first request is exposed.
	Gates []string `json:"gates"`
	// Judges watch every hold below 100 %.
	Judges []string `json:"judges"`
	// Mirror is the share of the requests that the new version gets copies of during
	// Before.
	Mirror Share `json:"mirror"`
	// Before is a hold before anybody is exposed.
	Before Hold `json:"before"`
	// After is a hold with everybody on the new version. There is no old side to
	// compare with any more.
	After Hold `json:"after"`
	// Keep is for how long, after that, the old version's instances are kept for an
	// instant way back.
	Keep time.Duration `json:"keep"`
	// ByInstances is for traffic that follows the instances, each of which gets as much
	// as any other: weights become the closest that whole instances can give, as
	// [Divide] divides them, new instances start before old ones go, and Keep keeps
	// those that the last weight below 100 % had left. Otherwise the old version keeps
	// all its instances until it goes, and the new one has as many as its weight needs.
	ByInstances bool `json:"by_instances"`
}

// Rung is a weight of a canary and what it waits for there.
type Rung struct {
	Weight   Share         `json:"weight"`   // of the traffic
	Gates    []string      `json:"gates"`    // that must say yes before it
	Hold     time.Duration `json:"hold"`     // at least, at this weight
	Exposed  int           `json:"exposed"`  // requests, at least
	Judges   []string      `json:"judges"`   // that watch here, beside the canary's; those of the rung before do not, unless named again
	Approval bool          `json:"approval"` // whether a person has to let it go on; with no Hold it waits for nothing else
}

// Plan starts what the first weight needs, verifies, then shifts and holds at each
// weight above the input's, sends the old instances away, and promotes.
func (c Canary) Plan(in Input) (Plan, error) {
	rungs := c.rungs()
	if err := c.check(in, rungs); err != nil {
		return Plan{}, err
	}
	w, first := in.begin(), true
	for _, r := range rungs {
		if r.Weight <= in.From {
			continue
		}
		old, new, share := in.Instances, InstancesFor(r.Weight, in.Instances), r.Weight
		if c.ByInstances {
			old, new = Divide(r.Weight, in.Instances, true)
			share = ShareOf(old, new)
		}
		w.scale(w.at.Old, new)
		if first {
			w.verify(c.Gates)
			w.mirror(c.Mirror)
			w.hold(c.Before)
			w.mirror(0)
		}
		first = false
		w.verify(r.Gates)
		w.shift(share)
		if r.Weight < All {
			w.scale(old, new)
			w.stop(c.hold(r)) // even for no time: there a plan may be paused
		} else {
			w.hold(c.hold(r))
		}
	}
	w.hold(c.After)
	w.retire(c.Keep, in)
	p := problems{strategy: "canary"}
	if p.watched(w, c.Judges); p.err() != nil {
		return Plan{}, p.err()
	}
	return w.end("canary", in), nil
}

// rungs is the ladder, however it was given.
func (c Canary) rungs() []Rung {
	if len(c.Rungs) > 0 {
		return c.Rungs
	}
	rungs := make([]Rung, len(c.Weights))
	for i, weight := range c.Weights {
		rungs[i] = Rung{Weight: weight}
		if weight < All {
			rungs[i].Hold, rungs[i].Exposed = c.Hold, c.Exposed
		}
	}
	return rungs
}

// hold is what is waited for at a rung. The canary's judges compare for as long as there
// is an old side.
func (c Canary) hold(r Rung) Hold {
	h := Hold{For: r.Hold, Exposed: r.Exposed, Judges: r.Judges, Approval: r.Approval}
	if r.Weight < All {
		h.Judges = union(c.Judges, r.Judges)
	}
	return h
}

// union is a, and what b has beside it.
func union(a, b []string) []string {
	for _, name := range b {
		if !slices.Contains(a, name) {
			a = append(a[:len(a):len(a)], name)
		}
	}
	return a
}

func (c Canary) check(in Input, rungs []Rung) error {
	p := problems{strategy: "canary"}
	p.input(in)
	list := "weights"
	if len(c.Rungs) > 0 {
		list = "rungs"
		if len(c.Weights) > 0 || c.Hold != 0 || c.Exposed != 0 {
			p.add("rungs: found %d beside weights %v, hold %v and exposed %d, want one or the other", len(c.Rungs), c.Weights, c.Hold, c.Exposed)
		}
	}
	weights := make([]Share, len(rungs))
	for i, r := range rungs {
		weights[i] = r.Weight
	}
	if n := len(weights); n == 0 {
		p.add("%s: found none, want a list that ends at 100 %%", list)
	} else if weights[n-1] != All {
		p.add("%s: found %v at the end, want a list that ends at 100 %%", list, weights[n-1])
	}
	for i, w := range weights {
		if w <= 0 || w > All {
			p.add("%s[%d]: found %v, want more than 0 and at most 100 %%", list, i, w)
		} else if i > 0 && w <= weights[i-1] {
			p.add("%s[%d]: found %v after %v, want ascending weights", list, i, w, weights[i-1])
		}
	}
	for i, r := range c.Rungs {
		at := fmt.Sprintf("rungs[%d]", i)
		p.names(at+".gates", r.Gates)
		p.names(at+".judges", r.Judges)
		p.wait(at, c.hold(r))
	}
	p.names("gates", c.Gates)
	p.names("judges", c.Judges)
	if c.Hold < 0 {
		p.add("hold: found %v, want no negative time", c.Hold)
	}
	if c.Exposed < 0 {
		p.add("exposed: found %d, want no negative number", c.Exposed)
	}
	if c.Exposed > 0 && len(c.Judges) == 0 {
		p.add("exposed: found %d without judges, who would count them", c.Exposed)
	}
	if c.ByInstances {
		p.instances(in)
	}
	p.mirror(c.Mirror, c.Before)
	p.hold("before", c.Before)
	p.hold("after", c.After)
	if c.Keep < 0 {
		p.add("keep: found %v, want no negative time", c.Keep)
	}
	return p.err()
}
