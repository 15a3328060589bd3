package flag

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// circles refuses flags that need one another in a circle, or whose needs multiply
// beyond all measure.
func (c *compilation) circles() {
	keys := slices.Sorted(maps.Keys(c.doc.Flags))
	g := newGraph(keys, func(key string) usage { return c.uses[key] })
	around := ways{graph: g}
	for i, key := range keys {
		k := c.under("flags", key)
		switch {
		case g.nodes[i].circle:
			k.add(k.path, "needs itself: %s", around.spell(int32(i)))
		case g.cost[i] > maxTests:
			k.add(k.path, tooCostly)
		default:
			continue
		}
		delete(c.good, key)
	}
}

// ways finds ways along which flags need themselves.
type ways struct {
	*graph
	steps int     // of all searches
	round int32   // the number of the search
	seen  []int32 // the last search that came by
	from  []int32 // from where it did
}

// maxSteps bounds the search for the shortest ways: a document can have any number of
// long ones.
const maxSteps = 2_000_000

// spell writes a way from a flag back to itself, or how it begins.
func (w *ways) spell(v int32) string {
	if w.seen == nil {
		w.seen, w.from = make([]int32, len(w.nodes)), make([]int32, len(w.nodes))
		w.sort()
	}
	const most = 50
	way := w.shortest(v)
	end := ""
	if len(way) > most+1 || way[len(way)-1] != v {
		way, end = way[:min(len(way), most+1)], " -> ..."
	}
	paths := make([]string, len(way))
	for i, node := range way {
		paths[i] = w.path(node)
	}
	return strings.Join(paths, " -> ") + end
}

// sort puts the needs of what is in a circle into the order of their paths, so that
// the same document always gets the same ways.
func (w *ways) sort() {
	for i := range w.nodes {
		if w.nodes[i].circle {
			slices.SortFunc(w.nodes[i].needs, func(a, b need) int { return cmp.Compare(w.path(a.to), w.path(b.to)) })
		}
	}
}

// shortest finds the shortest way from a flag in a circle back to itself; once too much
// was searched, its first step.
func (w *ways) shortest(v int32) []int32 {
	w.round++
	for queue := []int32{v}; len(queue) > 0 && w.steps < maxSteps; queue = queue[1:] {
		at := queue[0]
		for _, needed := range w.nodes[at].needs {
			w.steps++
			switch to := needed.to; {
			case to == v:
				return w.back(v, at)
			case w.nodes[to].component == w.nodes[v].component && w.seen[to] != w.round:
				w.seen[to], w.from[to] = w.round, at
				queue = append(queue, to)
			}
		}
	}
	within := func(n need) bool { return w.nodes[n.to].component == w.nodes[v].component }
	needs := w.nodes[v].needs
	return []int32{v, needs[slices.IndexFunc(needs, within)].to}
}

// back is the way that a search went from v to last, and to v again.
func (w *ways) back(v, last int32) []int32 {
	way := []int32{v}
	for at := last; at != v; at = w.from[at] {
		way = append(way, at)
	}
	way = append(way, v)
	slices.Reverse(way)
	return way
}
