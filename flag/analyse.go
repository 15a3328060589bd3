package flag

import (
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// analyse finds what a document that compiles may say, but hardly means. Every
// finding is certain: where it cannot tell, it says nothing.
func analyse(doc Document) Problems {
	a := newAnalyser(doc)
	for _, key := range slices.Sorted(maps.Keys(doc.Flags)) {
		a.flag(jsontree.Join("flags", key), doc.Flags[key])
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Segments)) {
		a.segment(jsontree.Join("segments", name), doc.Segments[name])
	}
	a.unused()
	for _, name := range slices.Sorted(maps.Keys(doc.Layers)) {
		a.layer(jsontree.Join("layers", name), doc.Layers[name])
	}
	return a.Problems
}

// analyser collects the findings of one document.
type analyser struct {
	Problems
	doc      Document
	topics   map[topic]int   // numbered
	segments map[string]bool // that some condition names
	refuter  refuter
}

func newAnalyser(doc Document) *analyser {
	return &analyser{doc: doc, topics: map[topic]int{}, segments: map[string]bool{}, refuter: refuter{left: stepsPerDocument}}
}

func (a *analyser) flag(path string, def FeatureFlag) {
	given := goals{}
	if def.When != nil {
		at := jsontree.Join(path, "when")
		when := a.formula(def.When)
		// Where nobody gets past it, that is the finding, and not what follows.
		if !a.condition(def.When, &when, at) {
			given = goals{{&when, isTrue}}
		}
	}
	targets := jsontree.Join(path, "targets")
	for _, variant := range slices.Sorted(maps.Keys(def.Targets)) {
		duplicates(a, jsontree.Join(targets, variant), def.Targets[variant])
	}
	served := map[string]bool{}
	everybody := a.rules(path, def, given, served)
	a.rest(path, def, everybody, served)
	a.variants(path, def, served)
	if def.Off == "" && len(def.Variants) > 0 && onlyVariant(def, false) == "" {
		a.add(jsontree.Join(path, "variants"), "without off: who is to get nothing of it, when it is killed for example, gets the default that each caller has; want one of them as off")
	}
}

// earlier is a rule that decides for everybody whom it matches.
type earlier struct {
	index int
	cond  *formula
}

// rules looks for rules that never match, or only whom an earlier one took, and
// notes which variants the others serve. It returns the rule that matches
// everybody who gets there, or a negative number.
func (a *analyser) rules(path string, def FeatureFlag, given goals, served map[string]bool) (everybody int) {
	everybody = -1
	var before []earlier
	for i := range def.Rules {
		r := &def.Rules[i]
		at := jsontree.Index(jsontree.Join(path, "rules"), i)
		cond := a.formula(&r.If)
		never := a.condition(&r.If, &cond, jsontree.Join(at, "if"))
		a.ramp(jsontree.Join(at, "ramp"), r.Ramp)
		switch {
		case never:
			continue
		case everybody >= 0:
			a.add(at, "never reached: rules[%d] already matches everybody", everybody)
			continue
		case len(given) > 0 && a.refuter.refutes(given.and(&cond, isTrue)):
			a.add(jsontree.Join(at, "if"), "never true: the flag's when rules it out")
			continue
		}
		if hides := a.hidden(&cond, before, given); hides >= 0 {
			a.add(at, "never reached: rules[%d] matches whenever this does", hides)
			continue
		}
		if r.Ramp != nil && r.Ramp.Share == 0 && len(r.Ramp.Schedule) == 0 {
			a.add(jsontree.Join(jsontree.Join(at, "ramp"), "percent"), "admits nobody: 0 %% and no schedule; want a share, or no rule")
		}
		serves(served, r.Serve, r.Ramp, r.Split)
		// A ramp or a split leaves over who has no unit, even at 100 %.
		if r.Ramp == nil && r.Split == nil {
			if before = append(before, earlier{i, &cond}); a.refuter.refutes(given.and(&cond, notTrue)) {
				everybody = i
			}
		}
	}
	return everybody
}

// hidden finds the first earlier rule that matches whenever a condition does, or
// returns a negative number.
func (a *analyser) hidden(cond *formula, before []earlier, given goals) int {
	topics := cond.topics
	for _, g := range given {
		topics |= g.topics
	}
	// Many rules are compared with many others even if they speak of other things.
	if a.refuter.left -= len(before) / comparisonsPerStep; a.refuter.left <= 0 {
		return -1
	}
	for _, e := range before {
		// What speaks of other things is not implied.
		if topics&e.cond.topics != 0 && a.refuter.refutes(given.and(cond, isTrue).and(e.cond, notTrue)) {
			return e.index
		}
	}
	return -1
}

// rest looks at what a flag does with those whom no rule took.
func (a *analyser) rest(path string, def FeatureFlag, everybody int, served map[string]bool) {
	a.ramp(jsontree.Join(path, "ramp"), def.Ramp)
	if everybody < 0 {
		serves(served, def.Serve, def.Ramp, def.Split)
		return
	}
	for _, last := range []struct {
		name  string
		given bool
	}{{"ramp", def.Ramp != nil}, {"split", def.Split != nil}, {"serve", def.Serve != ""}} {
		if last.given {
			a.add(jsontree.Join(path, last.name), "never reached: rules[%d] already matches everybody", everybody)
		}
	}
}

// serves notes the variants that a rule or a flag serves to somebody. A ramp at
// 0 % counts: it waits.
func serves(served map[string]bool, serve string, ramp *Ramp, split *Split) {
	served[serve] = true
	if ramp != nil {
		served[ramp.Serve] = true
	}
	if split == nil {
		return
	}
	for _, part := range split.Parts {
		if part.Share > 0 || slices.ContainsFunc(part.Ranges, func(r Range) bool { return r.From < r.To }) {
			served[part.Serve] = true
		}
	}
}

// variants looks for those that nothing serves. The only true and the only false
// one are always needed: a boolean flag goes from one to the other.
func (a *analyser) variants(path string, def FeatureFlag, served map[string]bool) {
	served[def.Off] = true
	for variant, keys := range def.Targets {
		if len(keys) > 0 {
			served[variant] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(def.Variants)) {
		if !served[name] && name != onlyVariant(def, true) && name != onlyVariant(def, false) {
			a.add(jsontree.Join(jsontree.Join(path, "variants"), name), "variant %q is never served", name)
		}
	}
}
