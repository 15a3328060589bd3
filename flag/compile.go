package flag

import (
	"cmp"
	"maps"
	"reflect"
	"slices"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// compiled is one flag, ready to decide. It is immutable, and needs nothing of the
// set that it was compiled with but other flags by their keys.
type compiled struct {
	program
	targets   []target // tried before the table or the program, if there is no When
	table     *table   // the rules, if they are simple and stand alone; the program has them otherwise
	exits     []exit
	firstRule int32 // in exits
	within    int32 // where the program goes on for whom When is met
	plain     bool  // whether every rule serves a variant outright
	main      *draw // the flag's own ramp or split, if it has one
	four      *four // the same, if it is a small split

	names    []string // of the variants
	values   *values  // of the variants, in the declared type or the natural one
	yes      int32    // the variant that a boolean flag means by true, or negative
	off      int32    // or negative for the caller's default
	serve    int32    // the same
	override int32    // what every subject gets in this process, or negative
	tests    int32    // that deciding it takes at most, apart from what it names
	killed   bool
	disabled bool
	timed    bool // whether deciding it takes the time

	key   string
	salt  string       // of a ramp or split that pins none
	text  string       // the definition, if it was read from text
	def   *FeatureFlag // the definition, if it was not
	links *links       // nil if it has none

	tally
	past []formerly
}

// links are what a flag has to do with the rest of its document: what deciding it
// evaluates, and how often at most.
type links struct {
	place    *place // in its layer, if it has one
	flags    map[string]int
	segments map[string]segmentUse
	needs    bool // whether it evaluates other flags, be it by a segment
}

// linked never is nil.
func (f *compiled) linked() links {
	if f.links == nil {
		return links{}
	}
	return *f.links
}

// usage is as the compilation had it.
func (f *compiled) usage() usage {
	l := f.linked()
	return usage{tests: int(f.tests), flags: l.flags, segments: l.segments, timed: f.timed, needs: l.needs}
}

// The first exits are the same in every flag; then come those of its targets, and
// of its rules.
const (
	exitServe = iota
	exitOff
)

// Compile checks a document and freezes it. The error is a [Problems] with
// everything that is wrong. Flags are compiled to the types that the process has
// declared so far.
func Compile(doc Document) (*Set, error) {
	c := compile(doc, map[string]Problems{})
	if problems := c.all(); len(problems) > 0 {
		return nil, problems
	}
	for key, f := range c.good {
		f.def = frozen(doc.Flags[key])
	}
	for name, s := range c.segments {
		s.def = frozen(doc.Segments[name])
	}
	set := newSet(c.good)
	set.layers = doc.Layers
	return set, nil
}

// compilation is a document on its way to a set.
type compilation struct {
	doc      Document
	whole    causes          // that are in no flag, segment or layer
	unread   map[string]bool // the flags whose variants could not be read
	shapes   map[string]*shape
	segments map[string]*segmentState
	finished []string          // the segments, each behind those that it names
	places   map[string]*place // by flag
	layers   map[string]string // by flag
	uses     map[string]usage  // by flag
	good     map[string]*compiled
	problems map[string]Problems // by where they stand: "flags.new-checkout"
	compared int                 // names, to find what was meant
}

// compile compiles what is right and collects what is not, beside the problems that
// are known already.
func compile(doc Document, problems map[string]Problems) *compilation {
	c := &compilation{
		doc:      doc,
		whole:    newCauses(problems[""]),
		unread:   map[string]bool{},
		shapes:   make(map[string]*shape, len(doc.Flags)),
		segments: make(map[string]*segmentState, len(doc.Segments)),
		places:   map[string]*place{},
		layers:   map[string]string{},
		uses:     make(map[string]usage, len(doc.Flags)),
		good:     make(map[string]*compiled, len(doc.Flags)),
		problems: problems,
	}
	keys := slices.Sorted(maps.Keys(doc.Flags))
	for _, key := range keys {
		c.shape(key)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Segments)) {
		c.segment(name, nil)
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Layers)) {
		c.layer(name)
	}
	for _, key := range keys {
		c.flag(key)
	}
	c.circles()
	return c
}

// under returns a checker of one definition.
func (c *compilation) under(section, key string) *checker {
	return &checker{compilation: c, path: jsontree.Join(section, key)}
}

// all returns the problems in the order of their places.
func (c *compilation) all() (all Problems) {
	for _, path := range slices.Sorted(maps.Keys(c.problems)) {
		all = append(all, c.problems[path]...)
	}
	return all
}

// checker checks one definition.
type checker struct {
	*compilation
	path string
	use  usage
	more operands
}

func (k *checker) at(name string) string { return jsontree.Join(k.path, name) }

func (k *checker) add(path, format string, args ...any) {
	problems := k.problems[k.path]
	problems.add(path, format, args...)
	k.problems[k.path] = problems
}

func (k *checker) merge(problems Problems) {
	if len(problems) > 0 {
		k.problems[k.path] = append(k.problems[k.path], problems...)
	}
}

// operands returns the checker's operands, or nil if there are none.
func (k *checker) operands() *operands {
	if reflect.ValueOf(k.more).IsZero() {
		return nil
	}
	more := k.more
	return &more
}

// flag compiles one flag.
func (c *compilation) flag(key string) {
	k, def, shape := c.under("flags", key), c.doc.Flags[key], c.shapes[key]
	f := &compiled{
		key: key, names: shape.names, yes: shape.yes, disabled: def.Disabled, override: -1,
		salt: cmp.Or(def.Salt, key),
	}
	f.values = k.values(key, def, shape)
	f.off = k.variant(shape, k.at("off"), def.Off, shape.no, false)
	if def.Ramp != nil && def.Split != nil {
		k.add(k.path, "has both ramp and split, want at most one")
	}
	f.serve = k.variant(shape, k.at("serve"), def.Serve, shape.no, def.Split == nil)
	f.exits = []exit{exitServe: {reason: ReasonServe, rule: -1, serve: f.serve}, exitOff: {reason: ReasonWhen, rule: -1, serve: f.off}}
	d := drawer{k, shape, f.salt, c.places[key]}
	if def.Ramp != nil {
		f.main = d.ramp(k.at("ramp"), *def.Ramp)
	}
	if def.Split != nil {
		f.main = d.split(k.at("split"), *def.Split)
	}
	if f.main != nil {
		f.exits[exitServe].draw, f.exits[exitServe].reason = f.main, ReasonRamp
	}

	var when *node
	if def.When != nil {
		n := k.condition(*def.When, k.at("when"))
		when = &n
	}
	targets := k.targets(f, def.Targets, shape)
	rules := make([]node, len(def.Rules))
	first := len(f.exits)
	for i, r := range def.Rules {
		path := jsontree.Index(k.at("rules"), i)
		rules[i] = k.condition(r.If, jsontree.Join(path, "if"))
		f.exits = append(f.exits, d.rule(path, int32(i), r))
	}
	f.start = ^exitServe
	if when == nil {
		f.targets, targets = targets, nil // who is not a target can then go on to the table
		if f.table = newTable(rules, k.more.among); f.table != nil {
			rules, k.more = nil, operands{}
		}
	}
	for i := len(rules) - 1; i >= 0; i-- {
		f.exits[first+i].next = f.start
		f.start = f.emit(rules[i], true, ^int32(first+i), f.start)
	}
	for i := len(targets) - 1; i >= 0; i-- {
		f.start = f.emit(k.targeted(targets[i]), true, ^targets[i].exit, f.start)
	}
	f.within = f.start
	if when != nil {
		f.start = f.emit(*when, true, f.start, ^exitOff)
	}
	if len(c.problems[k.path]) == 0 && def.Split != nil {
		f.four = f.main.four(f.values)
	}
	f.more = k.operands()
	f.code, f.exits, f.firstRule = exactly(f.code), exactly(f.exits), int32(first)
	f.plain = !slices.ContainsFunc(f.exits[first:], func(e exit) bool { return e.draw != nil })
	for _, e := range f.exits {
		f.timed = f.timed || e.draw != nil && e.draw.schedule != nil
	}
	f.timed = f.timed || k.use.timed
	f.tests = int32(k.use.tests)
	if c.places[key] != nil || k.use.flags != nil || k.use.segments != nil {
		f.links = &links{c.places[key], k.use.flags, k.use.segments, k.use.needs}
	}
	c.uses[key] = k.use
	if len(c.problems[k.path]) == 0 {
		c.good[key] = f
	}
}

// exactly copies what append left too much room behind.
func exactly[E any](list []E) []E { return append(make([]E, 0, len(list)), list...) }
