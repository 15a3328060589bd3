package flag

import (
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// duplicates reports what a list says twice, and returns where each thing stands
// first.
func duplicates[T comparable](a *analyser, path string, list []T) map[T]int {
	first := make(map[T]int, len(list))
	for i, x := range list {
		if earlier, twice := first[x]; twice {
			a.add(jsontree.Index(path, i), "is in the list already, at %d", earlier)
		} else {
			first[x] = i
		}
	}
	return first
}

func (a *analyser) segment(path string, def Segment) {
	keys := duplicates(a, jsontree.Join(path, "keys"), def.Keys)
	except := jsontree.Join(path, "except")
	duplicates(a, except, def.Except)
	for i, key := range def.Except {
		if at, both := keys[key]; both {
			a.add(jsontree.Index(except, i), "is in keys as well, at %d, which wins: want it in one of the two", at)
		}
	}
	if def.If != nil {
		f := a.formula(def.If)
		a.condition(def.If, &f, jsontree.Join(path, "if"))
	} else if len(def.Keys) == 0 {
		a.add(path, "nobody is in it: want keys or if")
	}
}

// unused reports the segments that no condition names.
func (a *analyser) unused() {
	for _, name := range slices.Sorted(maps.Keys(a.doc.Segments)) {
		if !a.segments[name] {
			a.add(jsontree.Join("segments", name), "no flag and no other segment names it")
		}
	}
}

// layer reports flags that have nothing for a layer to keep apart, and those that the
// layer leaves nobody.
func (a *analyser) layer(path string, def Layer) {
	if def.Holdout == All {
		a.add(jsontree.Join(path, "holdout"), "holds everybody out: no ramp or split of its flags reaches anybody")
	}
	path = jsontree.Join(path, "flags")
	for _, key := range slices.Sorted(maps.Keys(def.Flags)) {
		f, ok := a.doc.Flags[key]
		drawn := f.Ramp != nil || f.Split != nil || slices.ContainsFunc(f.Rules, func(r Rule) bool { return r.Ramp != nil || r.Split != nil })
		switch {
		case ok && !drawn:
			a.add(jsontree.Join(path, key), "means nothing: the flag has neither ramp nor split; want one, or the flag out of the layer")
		case ok && len(def.Flags[key]) == 0:
			a.add(jsontree.Join(path, key), "has no range: no ramp or split of the flag reaches anybody")
		}
	}
}

// ramp reports points of a schedule without which every share is the same.
func (a *analyser) ramp(path string, r *Ramp) {
	if r == nil {
		return
	}
	if r.Linear && len(r.Schedule) < 2 {
		a.add(jsontree.Join(path, "linear"), "means nothing: found %d points in the schedule, want at least two", len(r.Schedule))
	}
	before := r.Share
	for i, point := range r.Schedule {
		// A straight line begins or ends at a point, unless it is level there on
		// both sides.
		level := !r.Linear || i == len(r.Schedule)-1 || r.Schedule[i+1].Share == point.Share
		if point.Share == before && level {
			a.add(jsontree.Index(jsontree.Join(path, "schedule"), i), "changes nothing: it is %v before as well", before)
		}
		before = point.Share
	}
}

// onlyVariant names the only variant of a flag with a boolean value, if there is
// exactly one.
func onlyVariant(def FeatureFlag, is bool) string {
	if len(def.Variants) == 0 {
		def.Variants = map[string]any{"on": true, "off": false}
	}
	found := ""
	for name, x := range def.Variants {
		if v, err := scalar(x); err == nil && v == boolValue(is) {
			if found != "" {
				return ""
			}
			found = name
		}
	}
	return found
}
