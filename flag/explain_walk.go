package flag

import (
	"slices"
)

// explainer goes once through what decides a flag for a subject.
type explainer struct {
	set     *Set
	subject *Subject
	now     int64
	room    []Step       // of which no step is used yet
	first   []Seen       // of the first account, those asked for with a name
	more    [][]Seen     // of the others
	opened  map[any]bool // whether flags by key, and segments by their state, are shown; nil while there are none
	shown   int          // how many are
	depth   int          // how many are open, of those that are shown
	hidden  int          // and of those that are not
	kept    []Step       // the room, while something is hidden
}

// What is opened up at most, so that an explanation can be read.
const (
	maxOpened = 64
	maxDepth  = 16
)

// take returns new steps.
func (x *explainer) take(n int) []Step {
	if n == 0 {
		return nil
	}
	if len(x.room) < n {
		x.room = make([]Step, max(n, 8))
	}
	out := x.room[:n:n]
	x.room = x.room[n:]
	return out
}

// open begins with an account, of which some rules will be tried.
func (x *explainer) open(a *account, tried int) []Seen {
	n := a.roots + tried + a.size
	for i := range tried {
		n += a.rules[i].size
	}
	if len(x.room) < n {
		x.room = make([]Step, min(n, 64))
	}
	seen := make([]Seen, len(a.attrs))
	if x.first == nil {
		x.first = seen
	} else {
		x.more = append(x.more, seen)
	}
	return seen
}

// flag returns the outcome of [compiled.decide], and the way to it.
func (x *explainer) flag(f *compiled) (verdict, []Step) {
	a := x.set.account(f)
	v := f.decide(x.set, x.subject, x.now)
	tried := len(a.rules)
	switch v.reason {
	case ReasonKilled, ReasonOverride, ReasonDisabled:
		steps := x.take(2)
		word := v.reason.String()
		steps[0] = Step{What: word, Asks: word, Is: TruthTrue, Decides: true, Serve: f.name(v.variant)}
		if v.reason == ReasonDisabled {
			steps[0].At = a.restOfAll.At + ".disabled"
		}
		steps[1] = a.restOfAll
		return v, steps
	case ReasonWhen, ReasonTarget:
		tried = 0
	case ReasonRule:
		tried = v.rule + 1
	}
	seen := x.open(a, tried)
	steps := x.take(a.roots + tried)[:0]
	add := func(s Step) *Step {
		steps = append(steps, s)
		return &steps[len(steps)-1]
	}
	decided := func(s *Step, variant int32, rest Step) []Step {
		s.Decides, s.Serve = true, f.name(variant)
		if rest.What != "" {
			add(rest)
		}
		return slices.Clip(steps)
	}
	if a.when != nil {
		s := add(Step{What: "when", At: a.when.step.At, Asks: "when", Steps: x.take(1)})
		s.Is = truthOf(x.clause(a, seen, a.when, &s.Steps[0]))
		if v.reason == ReasonWhen {
			return v, decided(s, v.variant, a.restOfWhen)
		}
	}
	if a.targets.What != "" {
		s := add(a.targets)
		if s.Is = truthOf(truly(v.reason == ReasonTarget)); v.reason == ReasonTarget {
			return v, decided(s, v.variant, a.restOfTargets)
		}
	}
	for i := range tried {
		s := add(a.rules[i].step)
		x.rule(a, seen, &a.rules[i], s)
		if i == v.rule {
			return v, decided(s, v.variant, a.rules[i].rest)
		}
	}
	if a.main != nil {
		s := add(Step{})
		if x.draw(a, seen, a.main.draw, s) == yes {
			return v, decided(s, v.variant, a.restOfMain)
		}
	}
	return v, decided(add(Step{What: "serve", At: a.restOfAll.At + ".serve", Asks: "serve", Is: TruthTrue}), v.variant, Step{})
}

// truthOf is the same for everybody.
func truthOf(t truth) Truth { return TruthUnknown + Truth(t) }

// rule tries a rule.
func (x *explainer) rule(a *account, seen []Seen, r *ruling, s *Step) {
	n := 1
	if r.draw != nil {
		n = 2
	}
	s.Steps = x.take(n)
	is := yes
	if r.clause != nil {
		is = x.clause(a, seen, r.clause, &s.Steps[0])
	}
	switch {
	case r.draw == nil:
	case is == yes:
		is = x.draw(a, seen, r.draw, &s.Steps[1])
	default:
		s.Steps[1] = r.draw.step
	}
	s.Is = truthOf(is)
}

// clause answers a condition: as the program does where it is one test, and otherwise
// by what Kleene's logic makes of the answers.
func (x *explainer) clause(a *account, seen []Seen, c *clause, s *Step) truth {
	*s = c.step
	var is truth
	switch c.join {
	case joinLeaf:
		is = x.leaf(a, seen, c, s)
	case joinNot:
		s.Steps = x.take(1)
		is = -x.clause(a, seen, &c.of[0], &s.Steps[0])
	default:
		s.Steps = x.take(len(c.of))
		is = truly(c.join == joinAll)
		for i := range c.of {
			one := x.clause(a, seen, &c.of[i], &s.Steps[i])
			if c.join == joinAll {
				is = min(is, one)
			} else {
				is = max(is, one)
			}
		}
	}
	s.Is = truthOf(is)
	return is
}

func (x *explainer) leaf(a *account, seen []Seen, c *clause, s *Step) truth {
	switch c.in.op {
	case opServes:
		return x.other(a, c, s)
	case opSegment:
		switch {
		case x.enter(c.segment):
			is := x.segment(c, s)
			x.leave(s)
			return is
		case c.segment.run(true, x.set, x.subject, x.now):
			return yes
		case c.segment.run(false, x.set, x.subject, x.now):
			return no
		}
		return unknown
	case opTime:
		return a.own.answer(c.in, x.set, x.subject, x.now)
	}
	s.Saw = x.saw(a, seen, c.attr)
	is := a.own.answer(c.in, x.set, x.subject, x.now)
	if c.flip {
		is = -is
	}
	return is
}

// answer is an instruction's, of three.
func (p *program) answer(in instr, set *Set, s *Subject, now int64) truth {
	if in.op <= opLeaf {
		if f := s.look(in.attr()); f.kind() != kindList {
			return p.leaf(&in, f.value())
		}
	}
	if in.not = false; p.other(&in, set, s, now) {
		return yes
	}
	if in.not = true; p.other(&in, set, s, now) {
		return no
	}
	return unknown
}

// enter says whether a flag or segment is gone through here: once to be shown or, where
// that is too much to read, to know which attributes it asks for.
func (x *explainer) enter(which any) bool {
	show := x.shown < maxOpened && x.depth < maxDepth
	if shown, known := x.opened[which]; known && (shown || !show) {
		return false
	}
	if x.opened == nil {
		x.opened = map[any]bool{}
	}
	if x.opened[which] = show; show {
		x.shown++
		x.depth++
		return true
	}
	if x.hidden++; x.hidden == 1 {
		x.kept, x.room = x.room, nil
	}
	return true
}

// leave is the end of what enter began.
func (x *explainer) leave(s *Step) {
	if x.hidden == 0 {
		x.depth--
		return
	}
	if s.Steps, x.hidden = nil, x.hidden-1; x.hidden == 0 {
		x.room = x.kept
	}
}

// other asks another flag.
func (x *explainer) other(a *account, c *clause, s *Step) truth {
	h := x.set.header(c.other)
	if h == nil {
		return unknown
	}
	var variant int32
	if x.enter(c.other) {
		var v verdict
		v, s.Steps = x.flag(h.flag)
		variant = v.variant
		x.leave(s)
	} else {
		variant = h.pickAt(x.set, x.subject, x.now)
	}
	if s.Serve = h.flag.name(variant); variant < 0 {
		return unknown
	}
	return truly(slices.Contains(a.compiled.more.serves[c.in.num].serves, s.Serve))
}

// segment opens up a segment: any of (keys; all of (not except; if)).
func (x *explainer) segment(c *clause, s *Step) truth {
	a := x.set.segmentAccount(c.other, c.segment)
	seen := x.open(a, 0)
	steps := x.take(3)[:0]
	list := func(l *listing) truth {
		if l == nil {
			return no
		}
		steps = append(steps, l.step)
		one := &steps[len(steps)-1]
		if l.attr >= 0 {
			one.Saw = x.saw(a, seen, l.attr)
		}
		is := l.keys.test(l.by, x.subject)
		one.Is = truthOf(is)
		return is
	}
	keys, except, others := list(a.keys), list(a.except), no
	if a.others != nil {
		steps = append(steps, Step{})
		others = x.clause(a, seen, a.others, &steps[len(steps)-1])
	}
	s.Steps = slices.Clip(steps)
	return max(keys, min(-except, others))
}
