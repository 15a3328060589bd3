package flag

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// changes says in words what is different in a flag's definition, or that one is
// which it needs, if anybody moves.
func (d *differ) changes(p *pair, a, b *outline) (words []string) {
	old, new := p.sides[0], p.sides[1]
	say := func(format string, args ...any) { words = append(words, shorten(fmt.Sprintf(format, args...))) }
	switch {
	case old == nil:
		return []string{"is new"}
	case new == nil:
		return []string{"is gone"}
	case !d.own[p.Key]:
		if p.Share > 0 {
			say("needs flag %q, which changed", d.needsChanged(new))
		}
		return words
	}
	for _, s := range []struct {
		was, is bool
		what    string
	}{{old.killed, new.killed, "killed"}, {old.disabled, new.disabled, "disabled"}} {
		if s.is && !s.was {
			say("is %s", s.what)
		} else if s.was && !s.is {
			say("is no longer %s", s.what)
		}
	}
	if was, is := old.name(old.override), new.name(new.override); was != is {
		say("override %s to %s", orElse(was, "none"), orElse(is, "none"))
	}
	if changed := d.changedSegments(old, new); changed != nil {
		for _, name := range changed {
			say("segment %q changed", name)
		}
		again := [2]outline{d.outlined(old, 0, false), d.outlined(new, 1, false)}
		a, b, d.alias = &again[0], &again[1], nil
	}
	renamed := renames(old, new)
	if len(renamed) > 0 {
		before := *old // in the new names, so that a new name alone is no other change
		before.names = slices.Clone(old.names)
		for i, name := range before.names {
			before.names[i] = cmp.Or(renamed[name], name)
		}
		old, a.flag = &before, &before
	}
	if a.questions != nil && b.questions != nil || !constant(old) && !constant(new) {
		words = append(words, d.changedQuestions(a, b)...)
		if text := changedExit(a, &a.rest, b, &b.rest); text != "" {
			say("%s", text)
		}
	}
	if was, is := old.name(old.off), new.name(new.off); was != is && (constant(old) || constant(new) || old.start != old.within) {
		say("off %s to %s", orElse(was, "default"), orElse(is, "default"))
	}
	return append(words, changedVariants(p.sides[0], new, renamed)...)
}

// constant says whether a flag serves everybody the same, whatever its definition says.
func constant(f *compiled) bool { return f.killed || f.override >= 0 || f.disabled }

func orElse(name, none string) string {
	if name == "" {
		return none
	}
	return name
}

// changedQuestions is about When, targets, segments and rules.
func (d *differ) changedQuestions(a, b *outline) (words []string) {
	say := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	of := func(o *outline, kind matter) (all []*question) {
		for i := range o.questions {
			if o.questions[i].kind == kind {
				all = append(all, &o.questions[i])
			}
		}
		return all
	}
	switch was, is := of(a, askedWhen), of(b, askedWhen); {
	case len(was) < len(is):
		say("when is new")
	case len(was) > len(is):
		say("when is gone")
	case len(is) > 0 && !bytes.Equal(a.cond(was[0]), b.cond(is[0])):
		say("when changed")
	}
	targets := [2]map[string]string{{}, {}} // variants by key
	for side, o := range []*outline{a, b} {
		for _, q := range of(o, askedTarget) {
			for _, key := range q.keys.keys() {
				targets[side][key] = o.flag.name(q.exit.serve)
			}
		}
	}
	added, removed, moved := 0, 0, 0
	for key, variant := range targets[1] {
		if was, there := targets[0][key]; !there {
			added++
		} else if was != variant {
			moved++
		}
	}
	for key := range targets[0] {
		if _, there := targets[1][key]; !there {
			removed++
		}
	}
	for _, n := range []struct {
		n    int
		what string
	}{{added, "new"}, {removed, "gone"}, {moved, "moved to another variant"}} {
		if n.n > 0 {
			say("%s %s", plural(n.n, "target"), n.what)
		}
	}
	return append(words, changedRules(a, of(a, askedRule), b, of(b, askedRule))...)
}

// changedSegments names the segments that changed. Until the next call, they count as
// what they were, so that a rule which names one is not another rule.
func (d *differ) changedSegments(old, new *compiled) (changed []string) {
	d.alias = nil
	for name, is := range new.linked().segments {
		was := old.linked().segments[name]
		if was.segmentState == nil {
			continue
		}
		before, after := writer{differ: d}, writer{differ: d, side: 1}
		if number := before.segment(was.segment); number != after.segment(is.segment) {
			if changed == nil {
				d.alias = map[*segment]uint64{}
			}
			changed = append(changed, name)
			d.alias[is.segment] = number
		}
	}
	slices.Sort(changed)
	return changed
}

// changedRules matches rules by their conditions, and then by their place.
func changedRules(a *outline, was []*question, b *outline, is []*question) (words []string) {
	partner := make([]int, len(was)) // of each old rule among the new, or -1
	at := make(map[string][]int, len(is))
	for j, q := range is {
		cond := string(b.cond(q))
		at[cond] = append(at[cond], j)
	}
	taken := make([]bool, len(is))
	for i, q := range was {
		partner[i] = -1
		if list := at[string(a.cond(q))]; len(list) > 0 {
			partner[i], taken[list[0]], at[string(a.cond(q))] = list[0], true, list[1:]
		}
	}
	last := -1
	for i, q := range was {
		j := partner[i]
		switch {
		case j >= 0:
			if j < last {
				words = append(words, fmt.Sprintf("rules[%d] stands elsewhere", j))
			}
			last = max(last, j)
			if text := changedExit(a, &q.exit, b, &is[j].exit); text != "" {
				words = append(words, fmt.Sprintf("rules[%d]: %s", j, text))
			}
		case i < len(is) && !taken[i]:
			taken[i] = true
			words = append(words, fmt.Sprintf("rules[%d] has another condition", i))
			if text := changedExit(a, &q.exit, b, &is[i].exit); text != "" {
				words = append(words, fmt.Sprintf("rules[%d]: %s", i, text))
			}
		default:
			words = append(words, fmt.Sprintf("old rules[%d] is gone", i))
		}
	}
	for j, known := range taken {
		if !known {
			words = append(words, fmt.Sprintf("rules[%d] is new", j))
		}
	}
	return words
}

// changedExit says what is served instead, or nothing.
func changedExit(a *outline, p *exit, b *outline, q *exit) string {
	if sameExit(a, p, b, q) {
		return ""
	}
	switch old, new := p.draw, q.draw; {
	case old == nil && new == nil:
	case old == nil || new == nil || (old.cuts == nil) != (new.cuts == nil):
		return a.words(p) + " to " + b.words(q)
	case old.by != new.by:
		return a.kind(p) + " by another unit"
	case old.lane != new.lane:
		return a.kind(p) + " with another salt"
	case !reflect.DeepEqual(old.layer, new.layer):
		return "another place in a layer"
	case old.cuts != nil:
		return "split changed"
	case a.flag.name(old.serve) != b.flag.name(new.serve):
		return fmt.Sprintf("ramp to %q instead of %q", b.flag.name(new.serve), a.flag.name(old.serve))
	case !reflect.DeepEqual(old.schedule, new.schedule):
		return "schedule changed"
	case old.share != new.share:
		return a.words(p) + " to " + new.share.String()
	}
	return "serve " + orElse(a.flag.name(p.serve), "default") + " to " + orElse(b.flag.name(q.serve), "default")
}

func (o *outline) kind(e *exit) string {
	switch {
	case e.draw == nil:
		return "serve"
	case e.draw.cuts != nil:
		return "split"
	}
	return "ramp"
}

func (o *outline) words(e *exit) string {
	switch {
	case e.draw == nil:
		return "serve " + orElse(o.flag.name(e.serve), "default")
	case e.draw.cuts != nil:
		return "split"
	case e.draw.schedule != nil:
		return "scheduled ramp"
	}
	return "ramp " + e.draw.share.String()
}

// renames finds the variants that have another name on the other side, but the value
// they had.
func renames(old, new *compiled) map[string]string {
	if slices.Equal(old.names, new.names) {
		return nil
	}
	to, taken := map[string]string{}, map[string]bool{}
	for i, name := range old.names {
		if _, there := slices.BinarySearch(new.names, name); there {
			continue
		}
		for j, other := range new.names {
			_, before := slices.BinarySearch(old.names, other)
			if !before && !taken[other] && sameValue(old.values.any[i], new.values.any[j]) {
				to[name], taken[other] = other, true
				break
			}
		}
	}
	return to
}

// changedVariants is about variants that are new, gone, or not what they were.
func changedVariants(old, new *compiled, renamed map[string]string) (words []string) {
	say := func(format string, args ...any) { words = append(words, shorten(fmt.Sprintf(format, args...))) }
	for i, name := range old.names {
		j, there := slices.BinarySearch(new.names, name)
		switch {
		case there && !sameValue(old.values.any[i], new.values.any[j]):
			say("variant %q %s to %s", name, old.written(i), new.written(j))
		case there:
		case renamed[name] != "":
			say("variant %q is renamed %q", name, renamed[name])
		default:
			say("variant %q is gone", name)
		}
	}
	names := slices.Collect(maps.Values(renamed))
	for _, name := range new.names {
		if _, before := slices.BinarySearch(old.names, name); !before && !slices.Contains(names, name) {
			say("variant %q is new", name)
		}
	}
	return words
}

// written is a variant's value as the definition has it.
func (f *compiled) written(i int) string {
	v, there := f.definition().Variants[f.names[i]]
	if !there {
		v = f.values.any[i] // on and off, which go without saying
	}
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	text, _ := json.Marshal(v) // as it was to compile it
	return string(text)
}
