package flag

import (
	"math"
	"math/bits"
	"slices"
)

// Slot arithmetic walks both sides of a flag at once. Whether a condition holds, and
// whether a subject has a unit, divides everybody into groups, of which nobody knows
// the sizes; within a group, who gets what depends on the slots in a few lanes, and
// pieces of these are weighed.

// What one flag may take, and all of them, in questions asked.
const (
	maxAsked    = 2_000_000
	maxAskedAll = 50_000_000
)

// walker is one flag on its way through slot arithmetic.
type walker struct {
	*pair
	now     int64
	lines   [2]line
	divides []divide
	targets []targeting // the answers to whether somebody is a target; the first is nobody
	lanes   []lane
	left    int // questions that may still be asked
	flows   []flow
	drawn   []int // the lanes that those depend on
}

// line is one side: its steps in order, the last of which is for everybody.
type line struct {
	outline
	steps []step
}

// step is a question with what is asked to answer it.
type step struct {
	kind   matter
	divide int // whose answer says whether it serves, or -1 for everybody
	exit   *exit
	last   bool
	// Of its draw, or -1: whether there are units, by divide; and the lanes.
	unit, layerUnit           int
	lane, layerLane, heldLane int
	share                     Share // of a ramp
	cuts                      []Share
}

// lane is the slots of one salt and purpose, cut where it matters.
type lane struct {
	by   uint32
	lane uint64
	cuts []Share
	at   Share // in which piece a subject is; -1 while it is open
}

// flow is how many get what, in slots.
type flow struct {
	got    [2]int32
	weight float64
}

// bySlotsAt finds the moves of a flag without a population, at one moment. It returns how many questions may still be asked.
func (p *pair) bySlotsAt(d *differ, outlines [2]outline, left int) int {
	w := walker{pair: p, now: d.now, left: left}
	for side, f := range p.sides {
		if f != nil && (f.timed || f.linked().needs) {
			outlines[side] = d.outlined(f, side, true)
		}
	}
	w.aim(&outlines)
	for side := range w.lines {
		w.lay(side, outlines[side])
	}
	for i := range w.lanes {
		l := &w.lanes[i]
		slices.Sort(l.cuts)
		l.cuts, l.at = slices.Compact(l.cuts), -1
	}
	groups := w.groups()
	p.Basis = BasisExact
	for _, g := range united(groups) {
		p.add(g)
	}
	return w.left
}

// add adds a group to the moves.
func (p *pair) add(g group) {
	var moves []Move
	total := 0.0
	for _, f := range g.flows {
		moves = append(moves, Move{Group: g.name, From: p.name(0, f.got[0]), To: p.name(1, f.got[1]), Share: slots(f.weight), Basis: g.basis})
		total += f.weight
	}
	sortMoves(moves)
	p.Moves = append(p.Moves, moves...)
	p.Basis = max(p.Basis, g.basis)
	if g.name != "" {
		p.Basis = BasisBound
	}
	if g.targets {
		total = 1
	}
	p.Share = max(p.Share, slots(total))
}

// slots rounds up, but not for what floating point leaves behind.
func slots(weight float64) Share { return min(max(Share(math.Ceil(weight-2e-6)), 1), All) }

// lay makes steps of one side's questions.
func (w *walker) lay(side int, o outline) {
	l := &w.lines[side]
	l.outline = o
	aimed := false
	for i := range o.questions {
		q := &o.questions[i]
		switch cond := o.cond(q); {
		case q.kind == askedTarget && !aimed:
			aimed = true
			l.steps = append(l.steps, step{kind: askedTarget, divide: 0, unit: -1, layerUnit: -1})
		case q.kind == askedTarget:
		case q.kind == askedWhen && cond[0] == condNever:
			w.step(l, step{divide: -1, exit: &q.exit, last: true})
			return
		case q.kind == askedWhen && cond[0] == condAlways, q.kind == askedRule && cond[0] == condNever:
		case cond[0] == condAlways:
			w.step(l, step{kind: q.kind, divide: -1, exit: &q.exit})
		default:
			w.step(l, step{kind: q.kind, divide: w.divide(side, q, cond), exit: &q.exit})
		}
	}
	w.step(l, step{kind: askedRule, divide: -1, exit: &l.rest, last: true})
}

// step adds a step, with what its draw needs.
func (w *walker) step(l *line, s step) {
	s.unit, s.layerUnit, s.lane, s.layerLane, s.heldLane = -1, -1, -1, -1, -1
	if d := s.exit.draw; d != nil {
		if p := d.layer; p != nil {
			s.layerUnit = w.has(p.by)
			if p.held > 0 {
				s.heldLane = w.cut(p.by, p.holdout, p.held)
			}
			s.layerLane = w.cut(p.by, p.lane)
			for _, r := range p.ranges {
				w.cut(p.by, p.lane, r.From, r.To)
			}
		}
		s.unit = w.has(d.by)
		if s.share = d.shareAt(w.now); d.cuts == nil {
			s.lane = w.cut(d.by, d.lane, s.share)
		}
		for _, c := range d.cuts {
			hi, _ := bits.Mul64(c.limit, uint64(All))
			s.cuts = append(s.cuts, Share(hi)+1)
		}
		if d.cuts != nil {
			s.lane = w.cut(d.by, d.lane, s.cuts...)
		}
	}
	l.steps = append(l.steps, s)
}

// cut finds a lane, and cuts it in places.
func (w *walker) cut(by uint32, number uint64, at ...Share) int {
	i := slices.IndexFunc(w.lanes, func(l lane) bool { return l.by == by && l.lane == number })
	if i < 0 {
		i = len(w.lanes)
		w.lanes = append(w.lanes, lane{by: by, lane: number, cuts: []Share{0, All}})
	}
	w.lanes[i].cuts = append(w.lanes[i].cuts, at...)
	return i
}

// groups finds the groups in which somebody moves, given the answers so far.
func (w *walker) groups() []group {
	_, open, _ := w.walk(0, true)
	if open < 0 {
		_, open, _ = w.walk(1, true)
	}
	if w.left < 0 {
		return nil
	}
	if open < 0 {
		w.flows, w.drawn = nil, w.drawn[:0]
		w.weigh(float64(All))
		if len(w.flows) == 0 {
			return nil
		}
		slices.SortFunc(w.flows, func(a, b flow) int { return slices.Compare(a.got[:], b.got[:]) })
		for i := range w.flows { // the order of the sum means nothing
			w.flows[i].weight = math.Round(w.flows[i].weight*1e6) / 1e6
		}
		basis := BasisExact
		if len(w.drawn) > 1 {
			basis = BasisExpected
		}
		return []group{{flows: w.flows, basis: basis}}
	}
	d := &w.divides[open]
	if only := w.only(d); only >= 0 {
		d.answer = only
		groups := w.groups()
		d.answer = -1
		return groups
	}
	answers := make([][]group, w.answers(open))
	for i := range answers {
		d.answer = i
		answers[i] = w.groups()
	}
	d.answer = -1
	if len(answers) == 2 && slices.EqualFunc(answers[0], answers[1], group.equal) {
		return answers[0] // the answer makes no difference
	}
	var all []group
	for i := len(answers) - 1; i >= 0; i-- {
		for _, g := range answers[i] {
			all = append(all, w.label(g, d, i))
		}
	}
	return all
}

// weigh divides a weight among who gets what, by the lanes that are still open.
func (w *walker) weigh(weight float64) {
	old, _, open := w.walk(0, false)
	new := int32(0)
	if open < 0 {
		new, _, open = w.walk(1, false)
	}
	switch got := [2]int32{old, new}; {
	case w.left < 0:
	case open >= 0:
		l := &w.lanes[open]
		if len(l.cuts) > 2 && !slices.Contains(w.drawn, open) {
			w.drawn = append(w.drawn, open)
		}
		for i, from := range l.cuts[:len(l.cuts)-1] {
			l.at = from
			w.weigh(weight * float64(l.cuts[i+1]-from) / float64(All))
		}
		l.at = -1
	case !w.stays(got):
		i := slices.IndexFunc(w.flows, func(f flow) bool { return f.got == got })
		if i < 0 {
			i = len(w.flows)
			w.flows = append(w.flows, flow{got: got})
		}
		w.flows[i].weight += weight
	}
}

// walk finds what a side serves, given the answers and the slots so far; or the divide,
// or else the lane, that is open on the way. While groups are made, it goes every way
// that some slots go, and no lane is open.
func (w *walker) walk(side int, every bool) (variant int32, divide, lane int) {
	steps := w.lines[side].steps
	for i := range steps {
		s := &steps[i]
		w.left--
		if s.divide >= 0 {
			switch answer := w.divides[s.divide].answer; {
			case answer < 0:
				return 0, s.divide, -1
			case s.kind == askedTarget:
				if e := w.targets[answer].exits[side]; e != nil {
					return e.serve, -1, -1
				}
				continue
			case (answer == 1) == (s.kind == askedWhen):
				continue
			}
		}
		if s.exit.draw == nil {
			return s.exit.serve, -1, -1
		}
		variant, divide, lane = w.draw(s, every)
		if variant >= 0 || divide >= 0 || lane >= 0 {
			return variant, divide, lane
		}
		if s.last {
			return s.exit.serve, -1, -1
		}
	}
	return -1, -1, -1
}

// draw is walk for one draw. A negative variant is none.
func (w *walker) draw(s *step, every bool) (variant int32, divide, open int) {
	d := s.exit.draw
	for _, unit := range [...]int{s.layerUnit, s.unit} {
		if unit >= 0 {
			switch w.divides[unit].answer {
			case -1:
				return -1, unit, -1
			case 0:
				return -1, -1, -1
			}
		}
	}
	if every {
		if d.layer == nil && d.cuts != nil {
			return d.cuts[0].serve, -1, -1
		}
		if d.layer == nil && s.share == All {
			return d.serve, -1, -1
		}
		return -1, -1, -1
	}
	for _, l := range [...]int{s.heldLane, s.layerLane, s.lane} {
		if l >= 0 && w.lanes[l].at < 0 {
			return -1, -1, l
		}
		switch {
		case l < 0:
		case l == s.heldLane && w.lanes[l].at < d.layer.held:
			return -1, -1, -1
		case l == s.layerLane && !slices.ContainsFunc(d.layer.ranges, func(r Range) bool { return r.From <= w.lanes[l].at && w.lanes[l].at < r.To }):
			return -1, -1, -1
		}
	}
	at := w.lanes[s.lane].at
	for i, to := range s.cuts {
		if at < to {
			return d.cuts[i].serve, -1, -1
		}
	}
	if d.cuts == nil && at < s.share {
		return d.serve, -1, -1
	}
	return -1, -1, -1
}
