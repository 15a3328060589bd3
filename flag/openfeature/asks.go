package openfeature

import (
	"context"
	"strings"

	"github.com/guidon-go/guidon/flag"
)

// asks are the attributes that flags ask for, so that an evaluation hands over these and
// looks at no other. They are of one snapshot.
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
		names := is.set.Attributes(status.Key)
		list := make([]ask, len(names))
		for i, name := range names {
			list[i] = ask{name, strings.Contains(name, ".")}
			wanted.Store(name, true)
		}
		if len(list) <= maxAsked {
			is.flags[status.Key] = list
		}
	}
	if p.flags.Snapshot() == is.set {
		p.asks.Store(is)
	}
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
