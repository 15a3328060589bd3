package strategy

import "time"

// Rolling replaces the instances of the old version a few at a time, and the traffic
// follows them.
type Rolling struct {
	// Surge is how many instances there may be beyond the desired number. A share is
	// rounded up.
	Surge Amount `json:"surge"`
	// Unavailable is how many of the desired number may be missing. A share is rounded
	// down. It and Surge cannot both be zero: see [Limits].
	Unavailable Amount `json:"unavailable"`
	// Batch, instead of the other two, is how many are replaced at a time in their
	// places: it stands for Unavailable.
	Batch Amount `json:"batch"`
	// MinReady is for how long new instances have to be ready before they get traffic.
	MinReady time.Duration `json:"min_ready"`
	// Gates must say yes about the first new instances before these get traffic.
	Gates []string `json:"gates"`
	// Judges watch while instances are replaced: with each MinReady, of which those in
	// which the new version has traffic wait for 20 requests to it.
	Judges []string `json:"judges"`
	// After is a hold with all instances replaced, before the new version is promoted.
	After Hold `json:"after"`
}

// Plan adds new instances and takes old ones away in turn, and never has more than
// Surge beyond the desired number, or less than all but Unavailable of it. Before old
// ones go, their traffic does.
func (r Rolling) Plan(in Input) (Plan, error) {
	p := problems{strategy: "rolling"}
	p.input(in)
	p.instances(in)
	surge, unavailable := r.Surge, r.Unavailable
	if r.Batch != (Amount{}) {
		if surge != (Amount{}) || unavailable != (Amount{}) {
			p.add("batch: found %v beside surge %v and unavailable %v, want one or the other", r.Batch, surge, unavailable)
		}
		unavailable = r.Batch
	}
	p.amount("surge", surge)
	p.amount("unavailable", unavailable)
	if surge == (Amount{}) && unavailable == (Amount{}) {
		p.add("surge, unavailable: found 0 and 0, want room to move: one of them above zero")
	}
	p.within("min_ready", r.MinReady, in)
	if len(r.Judges) > 0 && r.MinReady == 0 {
		p.add("judges: found %q with no min_ready, when would they watch", r.Judges)
	}
	p.names("gates", r.Gates)
	p.names("judges", r.Judges)
	p.hold("after", r.After)
	if err := p.err(); err != nil {
		return Plan{}, err
	}

	more, missing := Limits(in.Instances, surge, unavailable)
	w := in.begin()
	for w.at.Old > 0 || w.at.New < in.Instances {
		old, new := NextRolling(in.Instances, w.at.Old, w.at.New, more, missing)
		w.shift(ShareOf(old, w.at.New)) // those that stay bear it
		was := w.at.New
		w.scale(old, new)
		if was == 0 && new > 0 {
			w.verify(r.Gates)
		}
		if new > was {
			w.hold(Hold{For: r.MinReady, Judges: r.Judges})
		}
	}
	w.shift(All)
	w.hold(r.After)
	w.retire(0, in)
	if p.watched(w, r.Judges); p.err() != nil {
		return Plan{}, p.err()
	}
	return w.end("rolling", in), nil
}

// amount checks a number of instances.
func (p *problems) amount(name string, a Amount) {
	switch {
	case a.Count != 0 && a.Share != 0:
		p.add("%s: found %d and %v, want one or the other", name, a.Count, a.Share)
	case a.Count < 0 || a.Count > mostInstances:
		p.add("%s: found %d, want from 0 to %d", name, a.Count, mostInstances)
	case a.Share < 0 || a.Share > All:
		p.add("%s: found %v, want from 0 to 100 %%", name, a.Share)
	}
}
