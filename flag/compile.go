package flag

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/bucket"
	"github.com/guidon-go/guidon/internal/jsontree"
)

// Set is a compiled document: immutable, and safe for any number of readers.
type Set struct {
	byKey    map[string]*compiled
	refs     []*compiled // by the dense index of a declaration
	revision uint64
}

// compiled is one flag, ready to decide.
type compiled struct {
	variants []string
	typed    any    // the values as a []T of the declared type, or of the natural one
	yes      int    // the variant that a boolean flag means by true, or negative
	off      int    // or -1 for the caller's default
	salt     string // of a ramp that pins none
	serve    int
	killed   bool
	disabled bool
	rules    []rule
	ramp     *ramp
}

type rule struct {
	cond  test
	serve int
	ramp  *ramp
}

type ramp struct {
	lane  uint64
	share Share
	serve int
	salt  string
}

// Compile checks a document and freezes it. The error is a [Problems] with
// everything that is wrong. Flags are compiled to the types that the process has
// declared so far.
func Compile(doc Document) (*Set, error) {
	set, problems := compile(doc)
	if len(problems) > 0 {
		return nil, problems
	}
	return set, nil
}

func compile(doc Document) (*Set, Problems) {
	var problems Problems
	set := &Set{byKey: make(map[string]*compiled, len(doc.Flags))}
	for _, key := range slices.Sorted(maps.Keys(doc.Flags)) {
		set.byKey[key] = compileFlag(key, doc.Flags[key], &problems)
	}
	set.index()
	return set, problems
}

// index fills the table from dense indices to flags.
func (s *Set) index() {
	all := declarations()
	s.refs = make([]*compiled, len(all))
	for id, d := range all {
		s.refs[id] = s.byKey[d.key]
	}
}

// compiler checks one flag.
type compiler struct {
	*Problems
	path  string
	def   FeatureFlag
	names []string
	// yes and no are the only variants of a boolean flag with that value, or
	// negative.
	yes, no int
}

func compileFlag(key string, def FeatureFlag, problems *Problems) *compiled {
	c := &compiler{Problems: problems, path: jsontree.Join("flags", key), def: def}
	if key == "" {
		c.add(c.path, "has no key")
	}
	f := &compiled{disabled: def.Disabled, salt: cmp.Or(def.Salt, key)}
	f.typed = c.types(key, c.variants())
	f.variants, f.yes = c.names, c.yes
	f.off = c.variant(c.at("off"), def.Off, c.no, false)
	f.serve = c.variant(c.at("serve"), def.Serve, c.no, true)
	f.ramp = c.ramp(c.at("ramp"), key, def.Ramp)
	for i, r := range def.Rules {
		f.rules = append(f.rules, c.rule(jsontree.Index(c.at("rules"), i), key, r))
	}
	return f
}

func (c *compiler) at(name string) string { return jsontree.Join(c.path, name) }

// variants reads the variants in order of their names and finds what true and
// false are called.
func (c *compiler) variants() []value {
	variants := c.def.Variants
	if len(variants) == 0 {
		variants = map[string]any{"on": true, "off": false}
	}
	c.names, c.yes, c.no = slices.Sorted(maps.Keys(variants)), -1, -1
	values := make([]value, len(c.names))
	for i, name := range c.names {
		at := jsontree.Join(c.at("variants"), name)
		v, err := variantValue(variants[name])
		switch {
		case err != nil:
			c.add(at, "%v", err)
		case name == "":
			c.add(at, "has no name")
		case i > 0 && values[0].kind != 0 && !v.sameKind(values[0]):
			c.add(at, "found %v, want %v like variant %q", v, values[0].kind, c.names[0])
		}
		values[i] = v
		switch v {
		case boolValue(true):
			c.yes = only(c.yes, i)
		case boolValue(false):
			c.no = only(c.no, i)
		}
	}
	return values
}

// only keeps an index if it is the first, since two are none.
func only(before, i int) int {
	if before == -1 {
		return i
	}
	return -2
}

// types builds the values as a []T of the type that the flag was declared with,
// or else of the type that JSON suggests.
func (c *compiler) types(key string, values []value) any {
	declared := declaredAs(key)
	switch len(declared) {
	case 0:
		return natural(c.names, values)
	case 1:
		if len(c.def.Variants) == 0 && declared[0].typ != reflect.TypeFor[bool]() {
			c.add(c.at("variants"), "missing, want named values: the flag is declared as %v at %s", declared[0].typ, declared[0].where)
			return nil
		}
		built, wrong := declared[0].build(c.names, values)
		for _, name := range slices.Sorted(maps.Keys(wrong)) {
			c.add(jsontree.Join(c.at("variants"), name), "%v, as %s declares", wrong[name], declared[0].where)
		}
		return built
	}
	as := make([]string, len(declared))
	for i, d := range declared {
		as[i] = d.typ.String() + " at " + d.where
	}
	c.add(c.path, "declared with more than one type: %s", strings.Join(as, ", "))
	return nil
}

// natural serves those who declare a flag only after its document was compiled.
func natural(names []string, values []value) any {
	first, numbers := values[0], true
	for _, v := range values {
		numbers = numbers && v.kind == kindInt
	}
	switch {
	case first.kind == kindBool:
		all, _ := buildAll(names, values, asBool)
		return all
	case first.kind == kindString:
		all, _ := buildAll(names, values, asString)
		return all
	case numbers:
		all, _ := buildAll(names, values, asInt)
		return all
	case first.isNumber():
		all, _ := buildAll(names, values, asFloat)
		return all
	}
	return nil
}

// variant finds a variant by name; an empty name means fallback, which must be
// one if it is needed.
func (c *compiler) variant(path, name string, fallback int, needed bool) int {
	switch {
	case name != "":
		if i, ok := slices.BinarySearch(c.names, name); ok {
			return i
		}
		c.add(path, "unknown variant %q, want one of %q", name, c.names)
	case fallback >= 0:
		return fallback
	case needed:
		c.add(path, "missing, want one of %q", c.names)
	}
	return -1
}

func (c *compiler) ramp(path, key string, r *Ramp) *ramp {
	if r == nil {
		return nil
	}
	if r.Share < 0 || r.Share > All {
		c.add(jsontree.Join(path, "percent"), "found %v, want 0 to 100 %%", r.Share)
	}
	return newRamp(r.Share, c.variant(jsontree.Join(path, "serve"), r.Serve, c.yes, true), cmp.Or(r.Salt, c.def.Salt, key))
}

func newRamp(share Share, serve int, salt string) *ramp {
	return &ramp{lane: bucket.Lane(salt, bucket.Ramp), share: share, serve: serve, salt: salt}
}

func (c *compiler) rule(path, key string, r Rule) rule {
	out := rule{cond: compileCondition(r.If, jsontree.Join(path, "if"), c.Problems)}
	switch {
	case r.Ramp != nil && r.Serve != "":
		c.add(path, "has both serve and ramp, want one")
	case r.Ramp != nil:
		out.ramp = c.ramp(jsontree.Join(path, "ramp"), key, r.Ramp)
	default:
		out.serve = c.variant(jsontree.Join(path, "serve"), r.Serve, -1, true)
	}
	return out
}
