package yaml

import (
	goyaml "go.yaml.in/yaml/v4"
)

// member is a key of a mapping with its value.
type member struct {
	key, value *goyaml.Node
	alias      place // where the alias stands that a merge key brought it in by, if one did
}

func isMerge(key *goyaml.Node) bool {
	return key.Kind == goyaml.ScalarNode && key.Value == "<<" && key.Style&quoted == 0 && (key.Style&goyaml.TaggedStyle == 0 || key.ShortTag() == "!!merge")
}

// members lists what a mapping has: its own keys and, where a merge key stands, those
// that it brings in. Its own win, then what was merged first.
func (w *writer) members(n *goyaml.Node) []member {
	out := make([]member, 0, len(n.Content)/2)
	var own map[string]place // of a mapping that is long
	var merge *goyaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !w.key(key) {
			continue
		}
		if isMerge(key) {
			if merge != nil {
				w.duplicate(key, placeOf(merge))
				continue
			}
			merge = key
		} else if first, ok := already(out, own, key.Value); ok {
			w.duplicate(key, first)
			continue
		}
		out = append(out, member{key: key, value: value})
		if len(out) == few {
			own = make(map[string]place, len(n.Content)/2)
			for _, m := range out {
				if !isMerge(m.key) {
					own[m.key.Value] = placeOf(m.key)
				}
			}
		} else if own != nil && !isMerge(key) {
			own[key.Value] = placeOf(key)
		}
	}
	if merge == nil {
		return out
	}
	return w.unmerged(out)
}

// few is up to how many keys are searched one after another.
const few = 8

// already says where a key stands among those before it.
func already(before []member, index map[string]place, key string) (place, bool) {
	if index != nil {
		first, ok := index[key]
		return first, ok
	}
	for _, m := range before {
		if m.key.Value == key && !isMerge(m.key) {
			return placeOf(m.key), true
		}
	}
	return place{}, false
}

func (w *writer) duplicate(key *goyaml.Node, first place) {
	w.trail = append(w.trail, step{key: key.Value, index: -1})
	w.fail(placeOf(key), "duplicate key, the first is at line %d, column %d", first.line, first.col)
	w.trail = w.trail[:len(w.trail)-1]
}

// unmerged puts what a merge key brings in where that stands.
func (w *writer) unmerged(plain []member) (out []member) {
	taken := make(map[string]bool, len(plain))
	for _, m := range plain {
		taken[m.key.Value] = taken[m.key.Value] || !isMerge(m.key)
	}
	for _, m := range plain {
		if !isMerge(m.key) {
			out = append(out, m)
			continue
		}
		w.merge(m.value, func(more member) {
			if !taken[more.key.Value] {
				taken[more.key.Value] = true
				out = append(out, more)
			}
		})
	}
	return out
}

// merge yields what a merge key brings in: of a mapping, or of several, the first of
// which wins.
func (w *writer) merge(n *goyaml.Node, yield func(member)) {
	outer := w.alias
	w.merging++
	defer func() { w.alias, w.merging = outer, w.merging-1 }()
	at := w.at(n)
	if n.Kind == goyaml.AliasNode {
		w.alias = at
		n = n.Alias
	}
	if w.merging > maxDepth && !w.spent {
		w.fail(at, "merged deeper than %d levels", maxDepth)
		w.spent = true // or a circle would say so again and again
	}
	if w.spent || !w.afford(n) {
		return
	}
	switch n.Kind {
	case goyaml.MappingNode:
		for _, m := range w.members(n) {
			if !w.afford(m.key) {
				return
			}
			if m.alias == (place{}) {
				m.alias = w.alias
			}
			yield(m)
		}
	case goyaml.SequenceNode:
		for _, item := range n.Content {
			w.merge(item, yield)
		}
	default:
		w.fail(at, "found a value to merge, want a mapping or a list of them")
	}
}

// key says whether a key is a string, as all of JSON are, or a merge key.
func (w *writer) key(n *goyaml.Node) bool {
	if n.Kind != goyaml.ScalarNode {
		w.fail(placeOf(n), "found a key that is no scalar, want a string")
		return false
	}
	if isMerge(n) {
		return true
	}
	switch is, _, problem := resolve(n); {
	case problem != "":
		w.fail(placeOf(n), "%s", problem)
		return false
	case is != isString:
		w.fail(placeOf(n), "found the key %s, which is no string: put it in quotes", cut(n.Value))
		return false
	}
	return true
}
