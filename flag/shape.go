package flag

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// shape is what is known of a flag's variants.
type shape struct {
	names   []string
	values  []value
	yes, no int32 // the only variants with that value, or negative
}

// shape reads the variants in order of their names and finds what true and false
// are called.
func (c *compilation) shape(key string) {
	k := c.under("flags", key)
	if found := k.problems[k.path]; found != nil {
		c.unread[key] = newCauses(found).hideVariants(k.path)
	}
	k.name(k.path, key, "key")
	variants := c.doc.Flags[key].Variants
	if len(variants) == 0 {
		c.shapes[key] = onOff
		return
	}
	if len(variants) > maxVariants {
		k.add(k.at("variants"), "found %d, want at most %d", len(variants), maxVariants)
	}
	s := &shape{names: slices.Sorted(maps.Keys(variants)), values: make([]value, len(variants)), yes: -1, no: -1}
	c.shapes[key] = s
	for i, name := range s.names {
		at := jsontree.Join(k.at("variants"), name)
		v, err := variantValue(variants[name])
		if err != nil {
			k.add(at, "%v", err)
		}
		k.name(at, name, "name")
		s.values[i] = v
		switch v {
		case boolValue(true):
			s.yes = only(s.yes, int32(i))
		case boolValue(false):
			s.no = only(s.no, int32(i))
		}
	}
	if slices.Equal(s.names, onOff.names) && slices.Equal(s.values, onOff.values) {
		c.shapes[key] = onOff
	}
}

// onOff is the shape of most flags.
var onOff = &shape{names: []string{"off", "on"}, values: []value{boolValue(false), boolValue(true)}, yes: 1, no: 0}

// only keeps an index if it is the first, since two are none.
func only(before, i int32) int32 {
	if before == -1 {
		return i
	}
	return -2
}

// values builds the values as the type that the flag was declared
// with, or else of the type that JSON suggests.
func (k *checker) values(key string, def FeatureFlag, shape *shape) *values {
	declared := declaredAs(key)
	switch len(declared) {
	case 0:
		built, wrong := natural(shape)
		for name := range wrong {
			wrong[name] = errors.New("has a number in it that no number can hold")
		}
		k.alike(shape, wrong)
		return built
	case 1:
		if len(def.Variants) == 0 && declared[0].typ != reflect.TypeFor[bool]() {
			k.add(k.at("variants"), "missing, want named values: the flag is declared as %v at %s", declared[0].typ, declared[0].where)
			return nil
		}
		built, wrong := declared[0].build(shape)
		for name, err := range wrong {
			wrong[name] = fmt.Errorf("%w, as %s declares", err, declared[0].where)
		}
		k.alike(shape, wrong)
		return built
	}
	as := make([]string, len(declared))
	for i, d := range declared {
		as[i] = d.typ.String() + " at " + d.where
	}
	k.add(k.path, "declared with more than one type: %s", strings.Join(as, ", "))
	return nil
}

// alike reports the variants that are wrong, and those that are not of the kind that
// the others are.
func (k *checker) alike(s *shape, wrong map[string]error) {
	first := -1
	for i, v := range s.values {
		at := jsontree.Join(k.at("variants"), s.names[i])
		switch {
		case v.kind == 0: // reported already
		case wrong[s.names[i]] != nil:
			k.add(at, "%v", wrong[s.names[i]])
		case first < 0:
			first = i
		case !v.sameKind(s.values[first]):
			k.add(at, "found %s, want %v like variant %q", v.found(), s.values[first].kind, s.names[first])
		}
	}
}

// variant finds a variant by name; an empty name means fallback, which must be
// one if it is needed.
func (k *checker) variant(shape *shape, path, name string, fallback int32, needed bool) int32 {
	switch {
	case name != "":
		if i, ok := slices.BinarySearch(shape.names, name); ok {
			return int32(i)
		}
		k.add(path, "unknown variant %q, %s", name, k.wantOne(name, shape))
	case fallback >= 0:
		return fallback
	case needed:
		k.add(path, "missing, want one of %s", spellNames(shape.names))
	}
	return -1
}

// name checks what a flag, segment, layer or variant is called. Paths and messages
// repeat names, so they are not of any length.
func (k *checker) name(path, name, called string) {
	switch {
	case name == "":
		k.add(path, "has no %s", called)
	case len(name) > jsontree.MaxKey:
		k.add(path, "found %d bytes, want at most %d", len(name), jsontree.MaxKey)
	}
}

// spellNames lists names for a message. If they are many, it may leave out those in the
// middle, of which [shorten] would leave nothing.
func spellNames(names []string) string {
	const enough = 500
	from, size := 0, 0
	for from < len(names) && size < enough {
		size += len(names[from])
		from++
	}
	to := len(names)
	for size = 0; to > from && size < enough; {
		to--
		size += len(names[to])
	}
	if to == from {
		return fmt.Sprintf("%q", names)
	}
	return fmt.Sprintf("%q", slices.Concat(names[:from], names[to:]))
}
