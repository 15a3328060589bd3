package flag

import "github.com/guidon-go/guidon/internal/jsontree"

// graph is flags, and the segments that they need, by number, with what each names.
type graph struct {
	keys  []string // of the flags, which come first
	nodes []vertex
	order []int32 // all of them, each behind what it needs
	cost  []int64 // of one evaluation, of those that are in no circle
}

type vertex struct {
	name      string // of a segment
	use       usage
	needs     []need
	component int32 // the same for those that need one another; 0 is not known yet
	circle    bool  // whether it needs itself
}

type need struct{ to, times int32 }

// newGraph numbers the flags of these keys, and the segments that are needed.
func newGraph(keys []string, uses func(key string) usage) *graph {
	g := &graph{keys: keys, nodes: make([]vertex, len(keys), 2*len(keys)+1)}
	flags, segments := make(map[string]int32, len(keys)), map[*segmentState]int32{}
	for i, key := range keys {
		flags[key], g.nodes[i].use = int32(i), uses(key)
	}
	for i := 0; i < len(g.nodes); i++ {
		use := g.nodes[i].use
		needs := make([]need, 0, len(use.flags)+len(use.segments))
		for key, times := range use.flags {
			if to, known := flags[key]; known {
				needs = append(needs, need{to, int32(times)})
			}
		}
		for name, s := range use.segments {
			to, known := segments[s.segmentState]
			if !known {
				to = int32(len(g.nodes))
				segments[s.segmentState] = to
				g.nodes = append(g.nodes, vertex{name: name, use: s.use})
			}
			needs = append(needs, need{to, int32(s.times)})
		}
		g.nodes[i].needs = needs
	}
	g.connect()
	g.sum()
	return g
}

// connect finds the circles, all in one walk (Tarjan's), without recursion: a chain of
// needs can be of any length.
func (g *graph) connect() {
	w := walk{graph: g, seen: make([]int32, len(g.nodes)), low: make([]int32, len(g.nodes))}
	for root := range g.nodes {
		if w.seen[root] != 0 {
			continue
		}
		for w.enter(int32(root)); len(w.trail) > 0; {
			at := &w.trail[len(w.trail)-1]
			if needs := g.nodes[at.node].needs; at.next < len(needs) {
				to := needs[at.next].to
				at.next++
				w.step(at.node, to)
			} else {
				w.leave()
			}
		}
	}
}

// walk is what connect knows on its way.
type walk struct {
	*graph
	trail      []visit
	open       []int32 // seen, but of no component yet
	seen       []int32 // when each was
	low        []int32 // the earliest open one that each is known to lead to
	count      int32
	components int32
}

type visit struct {
	node int32
	next int // of its needs
}

func (w *walk) enter(v int32) {
	w.count++
	w.seen[v], w.low[v] = w.count, w.count
	w.open, w.trail = append(w.open, v), append(w.trail, visit{node: v})
}

func (w *walk) step(v, to int32) {
	switch {
	case w.seen[to] == 0:
		w.enter(to)
	case w.nodes[to].component == 0:
		w.low[v] = min(w.low[v], w.seen[to])
	}
	if to == v {
		w.nodes[v].circle = true
	}
}

// leave goes back from a node. If that leads to none before it, it and those behind it
// are a component.
func (w *walk) leave() {
	last := len(w.trail) - 1
	v := w.trail[last].node
	if w.trail = w.trail[:last]; last > 0 {
		above := w.trail[last-1].node
		w.low[above] = min(w.low[above], w.low[v])
	}
	if w.low[v] < w.seen[v] {
		return
	}
	from := len(w.open) - 1
	for w.open[from] != v {
		from--
	}
	members := w.open[from:]
	w.components++
	for _, m := range members {
		w.nodes[m].component = w.components
		w.nodes[m].circle = w.nodes[m].circle || len(members) > 1
	}
	w.order, w.open = append(w.order, members...), w.open[:from]
}

// sum finds what everything costs in all; what needs itself counts for nothing.
func (g *graph) sum() {
	g.cost = make([]int64, len(g.nodes))
	for _, v := range g.order {
		n := &g.nodes[v]
		if n.circle {
			continue
		}
		total := int64(n.use.tests)
		for _, needed := range n.needs {
			total = min(total+int64(needed.times)*g.cost[needed.to], maxTests+1)
		}
		g.cost[v] = total
	}
}

// path is where a node stands in the document.
func (g *graph) path(v int32) string {
	if int(v) < len(g.keys) {
		return jsontree.Join("flags", g.keys[v])
	}
	return jsontree.Join("segments", g.nodes[v].name)
}

// unfit is the flags that cannot serve together although no document was wrong about
// them: those in a circle, and those that cost too much. Only fresh definitions are at
// fault; where all that costs too much is old, those are that it needs.
func (g *graph) unfit(fresh func(key string) bool) (keys []string) {
	var costly []int32
	for i, key := range g.keys {
		switch bad := g.nodes[i].circle || g.cost[i] > maxTests; {
		case bad && fresh(key):
			keys = append(keys, key)
		case bad:
			costly = append(costly, int32(i))
		}
	}
	if keys == nil {
		keys = g.nearest(costly, fresh)
	}
	return keys
}

// nearest is the fresh flags that old ones need, and not only by way of fresh ones.
func (g *graph) nearest(walk []int32, fresh func(key string) bool) (keys []string) {
	seen := make([]bool, len(g.nodes))
	for i := 0; i < len(walk); i++ {
		v := walk[i]
		switch {
		case seen[v]:
			continue
		case int(v) < len(g.keys) && fresh(g.keys[v]):
			keys = append(keys, g.keys[v])
		default:
			for _, needed := range g.nodes[v].needs {
				walk = append(walk, needed.to)
			}
		}
		seen[v] = true
	}
	return keys
}
