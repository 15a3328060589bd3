package strategy

// Recreate stops the old version before it starts the new one, for what cannot run
// twice. Between the two nobody is served.
type Recreate struct {
	// Gates must say yes about the new version before it gets traffic.
	Gates []string `json:"gates"`
	// After is a hold with everybody on the new version, before it is promoted.
	After Hold `json:"after"`
}

// Plan stops all old instances, starts all new ones, verifies and shifts. Its way back
// stops the new ones and starts the old ones again.
func (r Recreate) Plan(in Input) (Plan, error) {
	p := problems{strategy: "recreate"}
	p.input(in)
	p.instances(in)
	p.names("gates", r.Gates)
	p.hold("after", r.After)
	if err := p.err(); err != nil {
		return Plan{}, err
	}
	w := in.begin()
	w.scale(0, 0)
	w.scale(0, in.Instances)
	w.verify(r.Gates)
	w.shift(All)
	w.hold(r.After)
	w.retire(0, in)
	return w.end("recreate", in), nil
}
