package flag

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// accounts are what explanations and hashes need of a set's flags, made when somebody
// asks. A set shares them with those that were made from it, since most flags are the
// same in both.
type accounts struct {
	made sync.Map   // *account by the flag's key, or by its *segmentState
	mu   sync.Mutex // guards sums
	sums sums
}

// account is the definition of a flag or segment once more, with what its compiled form
// has lost: its parts, each with its place and its words.
type account struct {
	flag     *compiled // what it accounts for; nil for a segment
	compiled *program  // has the prerequisites that the clauses name
	own      program   // has the operands of all other clauses; it has no code
	attrs    []asked   // every attribute that it may ask for, by name
	roots    int       // of how many steps it consists, beside its rules
	size     int       // how many there are within the others, the rules' apart

	when    *clause
	targets Step
	rules   []ruling
	main    *ruling // the flag's own ramp or split

	keys, except *listing // of a segment
	others       *clause

	// What is not reached when something decides: a kill, an override or disabled; when;
	// targets; and the ramp or split.
	restOfAll, restOfWhen, restOfTargets, restOfMain Step
}

// asked is an attribute.
type asked struct {
	id   uint32
	name string
}

// clause is a condition.
type clause struct {
	step    Step // without its answer
	join    join
	of      []clause
	in      instr // of a leaf
	flip    bool  // whether the leaf is the opposite of what is asked
	attr    int   // in attrs, or -1
	segment *segmentState
	other   string // the key of another flag
}

// ruling is a rule, or the flag's own ramp or split.
type ruling struct {
	step   Step
	clause *clause
	draw   *drawAccount
	rest   Step // what is not reached when it decides
	size   int  // how many steps are within it
}

// drawAccount is a ramp or a split.
type drawAccount struct {
	draw           *draw
	step           Step
	attr           int
	ranges         []Range // of the cuts of a split
	names          []string
	holdout, layer Step
	layerAttr      int
}

// listing is a segment's list of keys.
type listing struct {
	step Step
	keys *keySet
	by   uint32
	attr int
}

// definition is what the document says about the flag.
func (f *compiled) definition() (def FeatureFlag) {
	if f.def != nil {
		return *f.def
	}
	reread(f.text, &def)
	return def
}

func (s *segmentState) definition() (def Segment) {
	if s.def != nil {
		return *s.def
	}
	reread(s.text, &def)
	return def
}

// reread reads a part of a document that was read before without a problem.
func reread(text string, to any) {
	if root, _ := jsontree.Parse([]byte(text)); root != nil {
		_ = root.Decode("", to)
	}
}

// account returns the flag's, which is made at the first time.
func (s *Set) account(f *compiled) *account {
	if made, ok := s.accounts.made.Load(f.key); ok && made.(*account).flag == f {
		return made.(*account)
	}
	a := s.newAccount(f)
	s.accounts.made.Store(f.key, a)
	return a
}

func (s *Set) segmentAccount(name string, state *segmentState) *account {
	if made, ok := s.accounts.made.Load(state); ok {
		return made.(*account)
	}
	a := newSegmentAccount(name, state)
	s.accounts.made.Store(state, a)
	return a
}

// accountant makes an account by checking the definition a second time; what it names
// was compiled with it.
type accountant struct {
	*checker
	out    *account
	attrOf map[string]int // by name, in order of appearance
	uses   map[string]segmentUse
	serves uint64 // how many clauses named a flag so far
}

func newAccountant(path string, compiled *program, uses map[string]segmentUse) *accountant {
	c := &compilation{problems: map[string]Problems{}}
	return &accountant{&checker{compilation: c, path: path}, &account{compiled: compiled}, map[string]int{}, uses, 0}
}

func (s *Set) newAccount(f *compiled) *account {
	def := f.definition()
	b := newAccountant(jsontree.Join("flags", f.key), &f.program, f.linked().segments)
	b.out.flag = f
	layer := ""
	for name, l := range s.layers {
		if _, in := l.Flags[f.key]; in && f.linked().place != nil {
			layer = name
		}
	}
	if def.When != nil {
		b.out.when = b.clause(def.When, b.at("when"), false)
	}
	if len(def.Targets) > 0 {
		n := 0
		for _, keys := range def.Targets {
			n += len(keys)
		}
		b.out.targets = Step{What: "targets", At: b.at("targets"), Asks: fmt.Sprintf("targets (%s)", many(n, "key")), Want: "a target"}
	}
	for i, e := range f.exits[f.firstRule:] {
		at := jsontree.Index(b.at("rules"), i)
		before := b.out.size
		r := ruling{step: Step{What: "rule", At: at, Asks: jsontree.Index("rules", i), Serve: f.name(e.serve)}}
		if i < len(def.Rules) {
			r.clause = b.clause(&def.Rules[i].If, jsontree.Join(at, "if"), false)
		}
		if e.draw != nil {
			r.draw = b.drawing(e.draw, at, f.names, layer)
		}
		r.size, b.out.size = b.out.size-before+int(bit(e.draw != nil)), before
		b.out.rules = append(b.out.rules, r)
	}
	if f.main != nil {
		b.out.main = &ruling{draw: b.drawing(f.main, b.path, f.names, layer)}
	}
	b.out.roots = 1 // serve, or the rest
	for _, has := range []bool{b.out.when != nil, b.out.targets.What != "", b.out.main != nil} {
		b.out.roots += int(bit(has))
	}
	b.rests()
	b.finish()
	return b.out
}

func newSegmentAccount(name string, state *segmentState) *account {
	def := state.definition()
	b := newAccountant(jsontree.Join("segments", name), &state.in, state.use.segments)
	lists := state.in.listed()
	list := func(what string, keys []string, not bool) *listing {
		if len(keys) == 0 || len(lists) == 0 {
			return nil
		}
		l := &listing{step: Step{What: what, At: b.at(what), Asks: fmt.Sprintf("%s (%s)", what, many(len(keys), "key")), Not: not, Want: "one of them"}, attr: -1, keys: lists[0]}
		if lists = lists[1:]; def.By != "" {
			l.by, l.attr = attribute(def.By), b.attr(def.By)
			l.step.Asks = plainName(def.By) + " in " + l.step.Asks
		}
		return l
	}
	b.out.except = list("except", def.Except, true) // the first list that was compiled
	b.out.keys = list("keys", def.Keys, false)
	if def.If != nil {
		b.out.others = b.clause(def.If, b.at("if"), false)
	}
	b.out.roots = 3
	b.finish()
	return b.out
}

// listed are the lists of keys in the order in which they were compiled.
func (p *program) listed() []*keySet {
	if p.more == nil {
		return nil
	}
	return p.more.lists
}

// finish puts the attributes into the order of their names.
func (b *accountant) finish() {
	b.out.own.more = &b.checker.more
	at := make([]int, len(b.attrOf))
	for i, name := range slices.Sorted(maps.Keys(b.attrOf)) {
		at[b.attrOf[name]] = i
		b.out.attrs = append(b.out.attrs, asked{attribute(name), name})
	}
	move := func(attr *int) {
		if *attr >= 0 {
			*attr = at[*attr]
		}
	}
	var walk func(c *clause)
	walk = func(c *clause) {
		if c != nil {
			move(&c.attr)
			for i := range c.of {
				walk(&c.of[i])
			}
		}
	}
	walk(b.out.when)
	walk(b.out.others)
	draws := func(r *ruling) {
		if r != nil && r.draw != nil {
			move(&r.draw.attr)
			move(&r.draw.layerAttr)
		}
	}
	draws(b.out.main)
	for i := range b.out.rules {
		walk(b.out.rules[i].clause)
		draws(&b.out.rules[i])
	}
	for _, l := range []*listing{b.out.keys, b.out.except} {
		if l != nil {
			move(&l.attr)
		}
	}
}

// attr notes an attribute.
func (b *accountant) attr(name string) int {
	i, ok := b.attrOf[name]
	if !ok {
		i = len(b.attrOf)
		b.attrOf[name] = i
	}
	return i
}
