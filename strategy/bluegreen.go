package strategy

import "time"

// BlueGreen starts the new version (green) beside the old one (blue), verifies it, and
// moves all of the traffic at once.
type BlueGreen struct {
	// Gates must say yes about the new version before anybody is exposed.
	Gates []string `json:"gates"`
	// Mirror is the share of the requests that the new version gets copies of during
	// Before.
	Mirror Share `json:"mirror"`
	// Before is a hold with the new version running and nobody exposed: a preview. Its
	// Approval is the word of a person for the cut-over.
	Before Hold `json:"before"`
	// After is a hold with everybody on the new version. There is no old side to
	// compare with any more: its judges go by what is known of it, or by a limit.
	After Hold `json:"after"`
	// Keep is for how long, after that, the old version is kept for an instant way
	// back.
	Keep time.Duration `json:"keep"`
}

// Plan starts all new instances, verifies, holds, shifts once, holds, and then sends
// the old ones away.
func (b BlueGreen) Plan(in Input) (Plan, error) {
	p := problems{strategy: "blue-green"}
	p.input(in)
	p.names("gates", b.Gates)
	p.hold("before", b.Before)
	p.hold("after", b.After)
	p.mirror(b.Mirror, b.Before)
	if b.Keep < 0 {
		p.add("keep: found %v, want no negative time", b.Keep)
	}
	if err := p.err(); err != nil {
		return Plan{}, err
	}
	w := in.begin()
	w.scale(in.Instances, in.Instances)
	w.verify(b.Gates)
	w.mirror(b.Mirror)
	w.hold(b.Before)
	w.mirror(0)
	w.shift(All)
	w.hold(b.After)
	w.retire(b.Keep, in)
	return w.end("blue-green", in), nil
}
