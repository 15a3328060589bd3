package flag

import (
	"maps"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// target is the individual subjects that get one variant.
type target struct {
	keys *keySet
	exit int32
}

// targets compiles individual targets, each variant's with an exit.
func (k *checker) targets(f *compiled, targets map[string][]string, shape *shape) (out []target) {
	owner := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		path := jsontree.Join(k.at("targets"), name)
		serve := k.variant(shape, path, name, -1, true)
		k.keys(path, targets[name])
		for i, key := range targets[name] {
			switch other, taken := owner[key]; {
			case !taken && key != "":
				owner[key] = name
			case taken && other != name:
				k.add(jsontree.Index(path, i), "%q is a target of %q already", key, other)
			}
		}
		k.use.add(usage{tests: 1})
		out = append(out, target{newKeySet(targets[name]), int32(len(f.exits))})
		f.exits = append(f.exits, exit{reason: ReasonTarget, rule: -1, serve: serve})
	}
	return out
}

// targeted is the same as a condition.
func (k *checker) targeted(t target) node {
	in := instr{op: opListed, num: uint64(len(k.more.lists))}
	k.more.lists = append(k.more.lists, t.keys)
	return node{leaf: in}
}

// targetOf is the exit of a subject that is a target, or negative.
func (f *compiled) targetOf(s *Subject) int32 {
	if s.key != "" {
		for i := range f.targets {
			if t := &f.targets[i]; t.keys.has(s.unit, s.key) {
				return t.exit
			}
		}
	}
	return -1
}

// target is the variant of a subject that is a target, or negative.
func (f *compiled) target(s *Subject) int32 {
	if e := f.targetOf(s); e >= 0 {
		return f.exits[e].serve
	}
	return -1
}
