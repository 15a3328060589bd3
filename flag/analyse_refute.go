package flag

import (
	"fmt"
	"slices"
)

// How much work may be done before nothing more is said. A step is about one
// comparison of two literals.
const (
	stepsPerQuestion = 20_000
	stepsPerDocument = 10_000_000

	comparisonsPerStep = 64 // of the topics of two rules
)

// mostHeld is how many literals are looked at together.
const mostHeld = 200

// refuter looks for contradictions. A condition is never true if that it is true is
// contradictory, and always true if that it is not true is; one implies another if
// it is contradictory that the one is true and the other is not.
type refuter struct {
	left  int    // steps for the document
	steps int    // steps for the question
	held  []held // all that must be, so far
	about []held // of these, what is about one topic
	split bool   // whether an alternative was tried
	first []held // the first contradiction, if there was no alternative
}

// goal is a formula with what it must be: one of the truths.
type goal struct {
	*formula
	want truths
}

type goals []goal

// and returns more goals, and leaves the receiver as it is.
func (g goals) and(f *formula, want truths) goals {
	return append(g[:len(g):len(g)], goal{f, want})
}

// refutes says whether the goals contradict each other for every subject at every
// moment; false if it cannot tell.
func (r *refuter) refutes(all goals) bool {
	if r.left <= 0 {
		return false
	}
	*r = refuter{left: r.left, held: r.held[:0], about: r.about[:0]}
	r.steps = min(stepsPerQuestion, r.left)
	r.left -= r.steps
	refuted := r.refute(all, nil)
	r.left += r.steps
	return refuted
}

// refute is refutes with what is held, and with choices that are still open. It
// tries each alternative of one choice after another, depth first.
func (r *refuter) refute(all, open goals) bool {
	before := len(r.held)
	defer func() { r.held = r.held[:before] }()
	todo, choices := slices.Clone(all), slices.Clone(open)
	r.steps -= len(open)
	for len(todo) > 0 {
		g := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if r.steps--; r.tooMuch() {
			return false
		}
		switch {
		case g.op == formulaLiteral:
			if r.hold(held{&g.literal, g.want & g.literal.can}) {
				return true
			}
		case g.op == formulaNot:
			todo = append(todo, goal{&g.of[0], g.want.opposite()})
		case g.alternative():
			choices = append(choices, g)
		default:
			for i := range g.of {
				todo = append(todo, goal{&g.of[len(g.of)-1-i], g.want})
			}
		}
	}
	if len(choices) == 0 {
		return false
	}
	r.split = r.split || len(choices[0].of) != 1
	for i := range choices[0].of {
		if !r.refute(goals{{&choices[0].of[i], choices[0].want}}, choices[1:]) {
			return false
		}
	}
	return true
}

// alternative says whether one of the parts is enough. In the logic of true, false
// and unknown, "any" is true if one part is, and not false if one part is not; for
// "all" it is the other way round.
func (g goal) alternative() bool {
	if g.op == formulaAny {
		return g.want&isTrue != 0
	}
	return g.want&isFalse != 0
}

// hold adds a literal to those that must be, and says whether it contradicts them.
func (r *refuter) hold(h held) bool {
	if r.held = append(r.held, h); r.tooMuch() {
		return false
	}
	r.about = r.about[:0]
	for _, other := range r.held {
		if other.topic == h.topic {
			r.about = append(r.about, other)
		}
	}
	r.steps -= len(r.about) * len(r.about)
	if !r.contradictory(r.about) {
		return false
	}
	if !r.split && r.first == nil {
		r.first = append(r.first, r.about...)
	}
	return true
}

func (r *refuter) tooMuch() bool { return r.steps < 0 || len(r.held) > mostHeld }

// why explains the last refutation.
func (r *refuter) why() string {
	if r.first == nil {
		return "each way to meet it is ruled out by the rest"
	}
	last := r.first[len(r.first)-1]
	for _, other := range r.first[:len(r.first)-1] {
		if r.contradictory([]held{other, last}) {
			return fmt.Sprintf("%v and %v cannot both hold", other, last)
		}
	}
	if len(r.first) == 1 {
		return last.String() + " cannot hold"
	}
	return last.String() + " cannot hold with all the rest"
}
