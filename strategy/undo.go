package strategy

// Start is where a target has to stand before the plan's first step.
func (p Plan) Start() Observation {
	var start Observation
	var mirror, share, count bool // are known
	for _, step := range p.Steps {
		switch step := step.(type) {
		case Mirror:
			if !mirror {
				start.Mirror, mirror = step.From, true
			}
		case Shift:
			if !share {
				start.Share, share = step.From, true
			}
		case Scale:
			if !count {
				start.Old, start.New, count = step.Old.From, step.New.From, true
			}
		}
	}
	return start
}

// After is where a target stands after a step of the plan; before the first one it
// is Start.
func (p Plan) After(at int) Observation {
	o := p.Start()
	for _, step := range p.Steps[:min(at+1, len(p.Steps))] {
		step.move(&o)
	}
	return o
}

// Undo is the way back from a step that was begun, as steps to take in order. Copies
// end first. Then the plan's steps are taken back one by one until the version that
// gets the traffic back has all its instances: from there one shift takes all of it
// back, so that nobody is left on a rung between, and one scale sends the other
// version's instances away.
func (p Plan) Undo(at int) []Step {
	at = min(at, len(p.Steps)-1)
	if at < 0 {
		return nil
	}
	was := make([]Observation, at+2) // before each step, and after the last
	was[0] = p.Start()
	promoted, within := false, Scale{}.Within
	for i, step := range p.Steps[:at+1] {
		was[i+1] = was[i]
		step.move(&was[i+1])
		switch step := step.(type) {
		case Promote:
			promoted = p.New != "" // otherwise no target can tell them apart
		case Scale:
			within = max(within, step.Within)
		}
	}
	back := way{at: was[at+1], within: within}
	start := was[0]
	back.mirror(start.Mirror)
	for i := at; !ready(back.at, start); i-- {
		back.scale(was[i].Old, was[i].New)
		back.shift(was[i].Share)
	}
	back.shift(start.Share)
	if promoted { // traffic first
		back.steps = append(back.steps, Promote{Back: true})
	}
	back.scale(start.Old, start.New)
	return back.steps
}

// ready says whether all traffic may go from one place to another at once: whichever
// version gains it has its instances. Where none moves, one scale may do: of one
// version, as there may be no room for both.
func ready(from, to Observation) bool {
	switch {
	case to.Share < from.Share:
		return from.Old == to.Old
	case to.Share > from.Share:
		return from.New == to.New
	}
	return from.Old == to.Old || from.New == to.New
}
