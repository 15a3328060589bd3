package yaml

import (
	"fmt"

	goyaml "go.yaml.in/yaml/v4"
)

// foresee notes what is to become of nodes that have an anchor.
func (e *editor) foresee(n, after *goyaml.Node) {
	if n.Anchor != "" {
		e.will[n] = after
	}
	if n.Kind == goyaml.MappingNode && after.Kind == goyaml.MappingNode {
		has := entries(after)
		for name, own := range entries(n) {
			if want := has[name].value; want != nil {
				e.foresee(own.value, want)
			}
		}
	} else if n.Kind == goyaml.SequenceNode && after.Kind == goyaml.SequenceNode && len(n.Content) == len(after.Content) {
		for i := range n.Content {
			e.foresee(n.Content[i], after.Content[i])
		}
	}
}

// follows says whether an alias is to be something anyway, because what it refers to is.
func (e *editor) follows(n, want *goyaml.Node) bool {
	return n.Kind == goyaml.AliasNode && e.will[n.Alias] != nil && equal(e.will[n.Alias], want)
}

// merges says whether a mapping is to have a key anyway, because what it merges is.
func (e *editor) merges(n *goyaml.Node, name string, want *goyaml.Node) bool {
	for _, from := range merged(n) {
		if from.Kind == goyaml.AliasNode && e.will[from.Alias] != nil {
			if is := entries(e.will[from.Alias])[name].value; is != nil {
				return equal(is, want)
			}
		}
	}
	return false
}

// leaves says whether a mapping is to lose a key anyway, because what it merges does.
func (e *editor) leaves(n *goyaml.Node, name string) bool {
	for _, from := range merged(n) {
		if from.Kind == goyaml.AliasNode && e.will[from.Alias] != nil {
			if _, had := entries(from.Alias)[name]; had {
				return entries(e.will[from.Alias])[name].key == nil
			}
		}
	}
	return false
}

// merged are the nodes that a mapping merges.
func merged(n *goyaml.Node) []*goyaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if value := n.Content[i+1]; isMerge(n.Content[i]) && value.Kind == goyaml.SequenceNode {
			return value.Content
		} else if isMerge(n.Content[i]) {
			return []*goyaml.Node{value}
		}
	}
	return nil
}

// drop notes that a node is no longer written, with all that is in it.
func (e *editor) drop(n *goyaml.Node) {
	e.gone[n] = true
	for _, item := range n.Content {
		e.drop(item)
	}
}

// orphans refuses a change that takes an anchor from those who refer to it.
func (e *editor) orphans(n *goyaml.Node) {
	if n.Kind == goyaml.AliasNode && !e.gone[n] && e.gone[n.Alias] {
		e.refuse(e.start(n.Alias), "the change takes away what &%s names, and line %d refers to it", n.Value, n.Line)
	}
	for _, item := range n.Content {
		e.orphans(item)
	}
}

// stray lists where a change that was written says something else than was wanted, with
// the alias or merge key that brought it there.
func (e *editor) stray(n, got, want *goyaml.Node, path string) (all []error) {
	say := func(n *goyaml.Node, format string, args ...any) {
		all = append(all, refusal{n.Line, fmt.Sprintf(format, args...)})
	}
	if n.Kind == goyaml.AliasNode {
		say(n, "%s would change, too, because *%s stands here; make the same change to both, or write it out here", path, n.Value)
		return all
	}
	switch {
	case n.Kind == goyaml.MappingNode && got.Kind == goyaml.MappingNode && want.Kind == goyaml.MappingNode:
		own, is, ought := entries(n), entries(got), entries(want)
		for _, of := range []*goyaml.Node{got, want} {
			for i := 0; i < len(of.Content); i += 2 {
				name := of.Content[i].Value
				a, b := is[name].value, ought[name].value
				at := trimmed(path + step{key: name, index: -1}.String())
				switch {
				case a != nil && b != nil && equal(a, b):
				case own[name].value != nil && a != nil && b != nil:
					if of == want {
						continue
					}
					all = append(all, e.stray(own[name].value, a, b, at)...)
				case len(merged(n)) > 0 && (of == got || a == nil):
					say(merged(n)[0], "%s would change, too, because it is merged here; make the same change to both, or write the key here", at)
				}
			}
		}
	case n.Kind == goyaml.SequenceNode && len(n.Content) == len(got.Content) && len(got.Content) == len(want.Content):
		for i, item := range n.Content {
			if !equal(got.Content[i], want.Content[i]) {
				all = append(all, e.stray(item, got.Content[i], want.Content[i], path+step{index: i}.String())...)
			}
		}
	}
	return all
}
