package flag

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// divide tells groups apart by an answer: 0 for no, 1 for yes, or which targeting.
type divide struct {
	kind   matter
	cond   []byte // of a rule or a When
	rules  [2]int // which rule asks, or 0 for a When, on both sides; -1 where none does
	by     uint32 // of askedUnit
	answer int    // -1 while it is open
}

// Questions that no definition asks.
const (
	askedUnit    = askedRule + 1 + iota // whether a subject has a unit
	askedTargets                        // of which variants a subject is a target
)

// targeting is the subjects that are targets of one variant on one side, and of one on
// the other.
type targeting struct {
	exits [2]*exit // nil for none
	count int
}

// group is a group in which somebody moves.
type group struct {
	in      []string // the rules that match it, or that it is targets
	where   []string // what else is known of it
	rest    bool     // whether there are rules or targets that do not match
	targets bool     // whether it is subjects by name
	flows   []flow
	basis   Basis
	name    string // empty for everybody
}

func (g group) equal(h group) bool {
	return slices.Equal(g.in, h.in) && slices.Equal(g.where, h.where) && g.rest == h.rest && g.targets == h.targets &&
		slices.Equal(g.flows, h.flows) && g.basis == h.basis
}

// spell makes the name.
func (g *group) spell() {
	g.name = strings.Join(g.in, " and ")
	switch {
	case g.name != "":
	case g.rest:
		g.name = "everybody else"
	case len(g.where) > 0:
		g.name = "everybody"
	}
	g.name = strings.Join(append([]string{g.name}, g.where...), " ")
}

// united makes one group of those in which the same shares, to the slot, go from and to
// the same variants.
func united(groups []group) (all []group) {
	if len(groups) == 1 {
		groups[0].spell()
		return groups
	}
	at, names := map[string]int{}, [][]string{}
	for _, g := range groups {
		shown := slices.Clone(g.flows)
		for i := range shown {
			shown[i].weight = float64(slots(shown[i].weight))
		}
		key := fmt.Sprint(shown, g.basis)
		i, known := at[key]
		if !known {
			i = len(all)
			at[key] = i
			all, names = append(all, g), append(names, nil)
		}
		g.spell()
		names[i] = append(names[i], g.name)
		all[i].targets = all[i].targets && g.targets
	}
	const most = 3
	for i := range all {
		list := names[i]
		if more := len(list) - most; more > 0 {
			list = append(list[:most:most], plural(more, "other group"))
		}
		all[i].name = strings.Join(list, ", or ")
	}
	return all
}

// answers is how many a divide has.
func (w *walker) answers(i int) int {
	if w.divides[i].kind == askedTargets {
		return len(w.targets)
	}
	return 2
}

// only is the one answer that a divide can have, given the others, or -1: who is a target
// has a key.
func (w *walker) only(d *divide) int {
	for _, other := range w.divides {
		switch {
		case d.kind == askedTargets && other.kind == askedUnit && other.by == 0 && other.answer == 0:
			return 0
		case d.kind == askedUnit && d.by == 0 && other.kind == askedTargets && other.answer > 0:
			return 1
		}
	}
	return -1
}

// label says of a group what a divide's answer says of it.
func (w *walker) label(g group, d *divide, answer int) group {
	older := "" // where the new set does not ask
	if d.rules[1] < 0 {
		older = "old "
	}
	first := func(list []string, one string) []string { return append([]string{one}, list...) }
	switch {
	case d.kind == askedUnit && answer == 0 && d.by == 0:
		g.where = first(g.where, "without a key")
	case d.kind == askedUnit && answer == 0:
		g.where = first(g.where, fmt.Sprintf("without a unit by %q", attributeName(d.by)))
	case d.kind == askedUnit:
	case d.kind == askedWhen:
		where := "outside its "
		if answer == 1 {
			where = "in its "
		}
		if older == "" && d.rules[0] < 0 {
			where += "new "
		}
		g.where = first(g.where, where+older+"when")
	case answer == 0:
		g.rest = true
	case d.kind == askedTargets:
		g.in, g.targets = first(g.in, plural(w.targets[answer].count, "target")), true
	case older == "":
		g.in = first(g.in, fmt.Sprintf("rules[%d]", d.rules[1]))
	default:
		g.in = first(g.in, fmt.Sprintf("old rules[%d]", d.rules[0]))
	}
	return g
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprint(n, " ", what, "s")
}

// aim makes the first divide, if any side has targets: who is a target of what.
func (w *walker) aim(sides *[2]outline) {
	exits := [2]map[string]*exit{{}, {}}
	for side := range sides {
		for i := range sides[side].questions {
			if q := &sides[side].questions[i]; q.kind == askedTarget {
				for _, key := range q.keys.keys() {
					exits[side][key] = &q.exit
				}
			}
		}
	}
	if len(exits[0])+len(exits[1]) == 0 {
		return
	}
	w.targets = []targeting{{}}
	w.divides = append(w.divides, divide{kind: askedTargets, answer: -1})
	keys := slices.Collect(maps.Keys(exits[1]))
	for key := range exits[0] {
		if exits[1][key] == nil {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		both := [2]*exit{exits[0][key], exits[1][key]}
		i := slices.IndexFunc(w.targets, func(t targeting) bool { return t.exits == both })
		if i < 0 {
			i = len(w.targets)
			w.targets = append(w.targets, targeting{exits: both})
		}
		w.targets[i].count++
	}
}

// divide finds what answers a condition.
func (w *walker) divide(side int, q *question, cond []byte) int {
	i := slices.IndexFunc(w.divides, func(d divide) bool { return d.kind == q.kind && bytes.Equal(d.cond, cond) })
	if i < 0 {
		i = len(w.divides)
		w.divides = append(w.divides, divide{kind: q.kind, cond: cond, rules: [2]int{-1, -1}, answer: -1})
	}
	if d := &w.divides[i]; d.rules[side] < 0 {
		d.rules[side] = q.rule
	}
	return i
}

// has finds what says whether a subject has a unit.
func (w *walker) has(by uint32) int {
	i := slices.IndexFunc(w.divides, func(d divide) bool { return d.kind == askedUnit && d.by == by })
	if i < 0 {
		i = len(w.divides)
		w.divides = append(w.divides, divide{kind: askedUnit, by: by, answer: -1})
	}
	return i
}
