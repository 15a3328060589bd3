package flag

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// Parse reads a document from JSON, strictly: an unknown field, a duplicate key
// or a wrong kind is a problem. The error is a [Problems] with all of them. What
// the document means is checked by [Compile].
func Parse(data []byte) (Document, error) {
	doc, root, problems := parse(data)
	problems.locate(root)
	return doc, problems.err()
}

// parse also returns the tree, if there is one to place problems in.
func parse(data []byte) (doc Document, root *jsontree.Node, problems Problems) {
	root, err := jsontree.Parse(data)
	problems = asProblems(err)
	if root == nil {
		return doc, nil, problems
	}
	root.Items = slices.DeleteFunc(root.Items, func(n jsontree.Node) bool { return strings.HasPrefix(n.Key, "x-") })
	problems = append(problems, asProblems(root.Decode("", &doc))...)
	return doc, root, problems
}

// Lint lists everything that is wrong with a document and, if nothing is, what is
// allowed but hardly meant, as warnings: rules that are never reached or never
// match, variants that nothing serves, and the like. It is for a build or an editor;
// loading a document does not need it.
func Lint(data []byte) Problems {
	found := read(data)
	if len(found.problems) > 0 {
		return found.problems
	}
	problems := analyse(found.doc)
	for i := range problems {
		problems[i].Warning = true
	}
	problems.locate(found.root)
	return problems
}

// reading is a document that was parsed and compiled.
type reading struct {
	*compilation                 // nil if it is no JSON
	root         *jsontree.Node  // the same
	text         string          // of which the flags' definitions are parts
	problems     Problems        // in the compilation, too, unless it is unfit
	put          map[string]bool // where the flags stand that were put
	unfit        bool            // whether none of it can serve
}

// read parses and compiles a document.
func read(data []byte) reading { return readUnder(data, nil) }

// readUnder does so with other definitions of some flags.
func readUnder(data []byte, puts map[string]*definition) reading {
	doc, root, found := parse(data)
	if root == nil {
		return reading{text: string(data), problems: found, unfit: true}
	}
	before := map[string]Problems{}
	for _, p := range found {
		before[owner(p.Path)] = append(before[owner(p.Path)], p)
	}
	if doc.Flags == nil {
		doc.Flags = map[string]FeatureFlag{}
	}
	put := make(map[string]bool, len(puts))
	for key, def := range puts {
		at := jsontree.Join("flags", key)
		doc.Flags[key], put[at] = def.FeatureFlag, true
		if delete(before, at); len(def.problems) > 0 {
			before[at] = def.problems
		}
	}
	c := compile(doc, maps.Clone(before))
	for owner, problems := range before {
		more := slices.DeleteFunc(c.problems[owner][len(problems):], newCauses(problems).explain)
		c.problems[owner] = append(problems, more...)
	}
	all := c.all()
	out := reading{c, root, root.Source(), all, put, len(before[""]) > 0}
	out.locate(all)
	if out.unfit {
		return out
	}
	if flags := root.Get("flags"); flags != nil {
		for i := range flags.Items {
			if f := c.good[flags.Items[i].Key]; f != nil {
				f.text = flags.Items[i].RawString()
			}
		}
	}
	if segments := root.Get("segments"); segments != nil {
		for i := range segments.Items {
			if s := c.segments[segments.Items[i].Key]; s != nil {
				s.text = segments.Items[i].RawString()
			}
		}
	}
	for key, def := range puts {
		if f := c.good[key]; f != nil {
			f.text = def.text
		}
	}
	return out
}

// locate is [Problems.locate], except for what does not stand in the document.
func (r reading) locate(problems Problems) {
	for i := range problems {
		if r.put[owner(problems[i].Path)] {
			problems[i].Line = -1
		}
	}
	problems.locate(r.root)
	for i := range problems {
		problems[i].Line = max(problems[i].Line, 0)
	}
}

// owner returns the path of the flag, segment or layer that a path leads into, or
// nothing if it leads into none.
func owner(path string) string {
	for _, section := range []string{"flags", "segments", "layers"} {
		rest, ok := strings.CutPrefix(path, section)
		switch {
		case !ok || rest == "":
		case rest[0] == '.':
			if end := strings.IndexAny(rest[1:], ".["); end >= 0 {
				return path[:len(section)+1+end]
			}
			return path
		case rest[0] == '[':
			if quoted, err := strconv.QuotedPrefix(rest[1:]); err == nil {
				return path[:len(section)+len(quoted)+2]
			}
		}
	}
	return ""
}

// settle makes a set of what is right, and, for what is not and what depends on
// it, of the flags and layers as they were. It returns the keys of those flags.
func (c *compilation) settle(old map[string]*compiled, layers map[string]Layer) (*Set, []string) {
	bad := map[string]bool{}
	for path := range c.problems {
		bad[path] = true
	}
	flags := c.fitting(bad, old, layers)
	set := newSet(flags)
	set.layers, set.dropped = c.kept(bad, layers), map[string]bool{}
	var quarantined []string
	for _, key := range slices.Sorted(maps.Keys(c.everyKey(old))) {
		if bad[jsontree.Join("flags", key)] {
			quarantined = append(quarantined, key)
			if old[key] == nil {
				set.dropped[key] = true
			}
		}
	}
	return set, quarantined
}

// fitting chooses flags that can serve together, and adds to the bad what cannot. The
// last good definitions can make a circle with the new ones, or cost too much with
// them; among themselves they do not.
func (c *compilation) fitting(bad map[string]bool, old map[string]*compiled, layers map[string]Layer) map[string]*compiled {
	for round := 0; ; round++ {
		for before := -1; before != len(bad); {
			before = len(bad)
			c.spread(bad, old, layers)
		}
		flags := c.chosen(bad, old)
		fresh := func(key string) bool { return c.good[key] != nil && flags[key] == c.good[key] }
		keys := slices.Sorted(maps.Keys(flags))
		if !slices.ContainsFunc(keys, func(key string) bool { return !fresh(key) }) {
			return flags // the document alone was looked at already
		}
		unfit := newGraph(keys, func(key string) usage { return flags[key].usage() }).unfit(fresh)
		if round == maxRounds {
			unfit = keys
		}
		before := len(bad)
		for _, key := range unfit {
			bad[jsontree.Join("flags", key)] = true
		}
		if len(bad) == before {
			return flags
		}
	}
}

// maxRounds is after how many circles, each of which comes from the way out of the one
// before, nothing of the document serves.
const maxRounds = 20

// chosen is every flag's new definition or, if that is bad, its old one.
func (c *compilation) chosen(bad map[string]bool, old map[string]*compiled) map[string]*compiled {
	flags := make(map[string]*compiled, len(c.good))
	for key := range c.everyKey(old) {
		if f := c.good[key]; f != nil && !bad[jsontree.Join("flags", key)] {
			flags[key] = f
		} else if f := old[key]; f != nil {
			flags[key] = f
		}
	}
	return flags
}

// everyKey is the keys of the document, and of old flags whose new definition could
// not even be read.
func (c *compilation) everyKey(old map[string]*compiled) map[string]bool {
	keys := make(map[string]bool, len(c.doc.Flags))
	for key := range c.doc.Flags {
		keys[key] = true
	}
	for key := range old {
		if len(c.problems[jsontree.Join("flags", key)]) > 0 {
			keys[key] = true
		}
	}
	return keys
}

// kept is the layers that the flags which serve were compiled with.
func (c *compilation) kept(bad map[string]bool, old map[string]Layer) map[string]Layer {
	layers := map[string]Layer{}
	for name, layer := range c.doc.Layers {
		if !bad[jsontree.Join("layers", name)] {
			layers[name] = layer
		}
	}
	for name, layer := range old {
		if bad[jsontree.Join("layers", name)] {
			layers[name] = layer
		}
	}
	return layers
}

// spread marks as bad what depends on what is bad: segments and flags that name a
// bad segment, flags in a bad layer, and layers that were changed together with a
// flag that is bad, because the last good one may not keep to its new range.
func (c *compilation) spread(bad map[string]bool, old map[string]*compiled, layers map[string]Layer) {
	badSegment := func(name string) bool { return bad[jsontree.Join("segments", name)] }
	for _, name := range c.finished {
		if anyOf(c.segments[name].use.segments, badSegment) {
			bad[jsontree.Join("segments", name)] = true
		}
	}
	for key, f := range c.good {
		if anyOf(f.linked().segments, badSegment) {
			bad[jsontree.Join("flags", key)] = true
		}
	}
	names := maps.Clone(layers)
	if names == nil {
		names = map[string]Layer{}
	}
	maps.Copy(names, c.doc.Layers)
	for name := range names {
		was, is := layers[name], c.doc.Layers[name]
		at := jsontree.Join("layers", name)
		members := maps.Clone(was.Flags)
		if members == nil {
			members = map[string][]Range{}
		}
		maps.Copy(members, is.Flags)
		for key := range members {
			flag := jsontree.Join("flags", key)
			if bad[flag] && old[key] != nil && !reflect.DeepEqual(was, is) {
				bad[at] = true
			}
		}
		if !bad[at] {
			continue
		}
		for key := range members {
			if _, there := c.doc.Flags[key]; there {
				bad[jsontree.Join("flags", key)] = true
			}
		}
	}
}

// anyOf says whether something is true of a segment that is named.
func anyOf(segments map[string]segmentUse, is func(name string) bool) bool {
	for name := range segments {
		if is(name) {
			return true
		}
	}
	return false
}
