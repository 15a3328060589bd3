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
	for _, step := range p.until(at) {
		step.move(&o)
	}
	return o
}

// Undo is the way back from a step that was begun, whether or not it has come through,
// as steps to take in order. It does not ask whether there is a way back: [Plan.Returns]
// says that.
//
// Copies end first. Then the plan's steps are taken back one by one until the version
// that gets the traffic back has all its instances: from there one shift takes all of it
// back, so that nobody is left on a rung between, and one scale sends the other version's
// instances away. As soon as it has its traffic and its instances, the version is made the
// one to come back to again, if it has a name.
//
// A way back that has failed goes on from the step that failed, or itself has a way back:
// that of Plan{Old: p.Old, New: p.New, Steps: steps}.
func (p Plan) Undo(at int) []Step {
	begun := p.until(at)
	if len(begun) == 0 {
		return nil
	}
	start := p.Start()
	was := make([]Observation, len(begun)) // before each step
	back := way{at: start}
	var first *Promote
	for i, step := range begun {
		was[i] = back.at
		step.move(&back.at)
		switch step := step.(type) {
		case Promote:
			if first == nil {
				first = &step
			}
		case Scale:
			back.within = max(back.within, step.Within)
		}
	}
	last := len(begun) - 1
	back.at = farther(start, was[last], back.at)
	back.mirror(start.Mirror)
	for i := last; !ready(back.at, start); i-- {
		back.scale(was[i].Old, was[i].New)
		back.shift(was[i].Share)
	}
	back.shift(start.Share)
	named := first != nil && (first.Back && p.New != "" || !first.Back && p.Old != "")
	whole := back.at.Old >= start.Old && back.at.New >= start.New
	if named && whole {
		back.steps = append(back.steps, Promote{Back: !first.Back})
	}
	back.scale(start.Old, start.New)
	if named && !whole {
		back.steps = append(back.steps, Promote{Back: !first.Back})
	}
	return back.steps
}

// farther is where a target may stand that is on its way from one place to another: what
// is back at the start again may not be yet.
func farther(start, from, to Observation) Observation {
	if to.Mirror == start.Mirror {
		to.Mirror = from.Mirror
	}
	if to.Share == start.Share {
		to.Share = from.Share
	}
	if to.Old == start.Old {
		to.Old = from.Old
	}
	if to.New == start.New {
		to.New = from.New
	}
	return to
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
