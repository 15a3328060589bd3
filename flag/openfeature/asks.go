package openfeature

import (
	"context"
	"strings"

	"github.com/guidon-go/guidon/flag"
)

// asks are the attributes that flags ask for, so that an evaluation hands over these and
// looks at no other. They are of one snapshot. A flag that is not among them may ask for
// any: it names a segment or another flag, or its layer may be by an attribute.
type asks struct {
	set      *flag.Set
	revision uint64
	flags    map[string][]ask
}

// maxAsked is of how many attributes a flag may be told one by one; with more of them,
// walking through a context is as fast.
const maxAsked = 8

// ask is one attribute.
type ask struct {
	name   string
	nested bool // it may be within a structure
}

// learn finds out what the flags ask for now. Evaluations do without until it is known.
func (p *Provider) learn(ctx context.Context) {
	was, is := p.asks.Load(), &asks{set: p.flags.Snapshot(), flags: map[string][]ask{}}
	if is.set == nil || was != nil && was.set == is.set {
		return
	}
	for status := range p.flags.All() {
		if is.revision = status.Revision; ctx.Err() != nil {
			return
		}
		def, err := p.flags.Definition(status.Key)
		if err != nil || status.Killed || status.Disabled || status.Override != "" {
			continue
		}
		a := asker{drawn: status.Ramp.Serve != ""}
		a.flag(def)
		if a.any || a.drawn && !p.byKey(ctx, status.Key) {
			continue
		}
		is.flags[status.Key] = a.list
	}
	if p.flags.Snapshot() == is.set {
		p.asks.Store(is)
	}
}

// byKey says whether the flag's own ramp or split is known to be by the subject's key, and
// so is its layer.
func (p *Provider) byKey(ctx context.Context, key string) bool {
	for d := range flag.ByKey[any](key, nil).Follow(ctx, p.flags, flag.For("\x00")) { // counts nothing
		switch d.Reason {
		case flag.ReasonRamp, flag.ReasonSplit, flag.ReasonLayer, flag.ReasonHoldout:
			return true
		}
		break
	}
	return false
}

// asker walks a definition.
type asker struct {
	list  []ask
	drawn bool // there is a ramp or a split
	any   bool // anything may be asked for
}

func (a *asker) flag(def flag.FeatureFlag) {
	if def.When != nil {
		a.condition(*def.When)
	}
	for _, rule := range def.Rules {
		a.condition(rule.If)
		a.draw(rule.Ramp, rule.Split)
	}
	a.draw(def.Ramp, def.Split)
}

func (a *asker) condition(c flag.Condition) {
	a.any = a.any || c.Segment != "" || c.Flag != ""
	a.attribute(c.Attr)
	for _, inner := range c.All {
		a.condition(inner)
	}
	for _, inner := range c.Any {
		a.condition(inner)
	}
	if c.Not != nil {
		a.condition(*c.Not)
	}
}

func (a *asker) draw(ramp *flag.Ramp, split *flag.Split) {
	if ramp != nil {
		a.drawn = true
		a.attribute(ramp.By)
	}
	if split != nil {
		a.drawn = true
		a.attribute(split.By)
	}
}

func (a *asker) attribute(name string) {
	for _, known := range a.list {
		if known.name == name {
			return
		}
	}
	if name != "" {
		a.list = append(a.list, ask{name, strings.Contains(name, ".")})
	}
	a.any = a.any || len(a.list) > maxAsked
}

// answer appends what a context says about what is asked for, as facts would.
func answer(list []flag.Fact, asked []ask, values map[string]any) []flag.Fact {
	for _, a := range asked {
		v := values[a.name]
		if a.nested {
			v = find(values, a.name, 1)
		}
		list = tell(list, a.name, v)
	}
	return list
}

// find is the value of an attribute that may be within a structure: the one that stands
// last among those of facts.
func find(values map[string]any, name string, depth int) any {
	if v := plain(values[name]); v != nil {
		if _, structure := v.(map[string]any); !structure {
			return v
		}
	}
	if depth == maxDepth {
		return nil
	}
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] != '.' {
			continue
		}
		if inner, ok := plain(values[name[:i]]).(map[string]any); ok {
			if v := find(inner, name[i+1:], depth+1); v != nil {
				return v
			}
		}
	}
	return nil
}
