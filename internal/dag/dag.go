package dag

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is who needs whom, by number: the place of a name in the list that it was
// made of.
type Graph struct {
	names []string
	at    map[string]int
	needs [][]int
	users [][]int
}

// Problem is one thing that keeps a graph from being made.
type Problem struct {
	Node int    // whose it is
	Need int    // index in what it needs; -1 is the node itself
	Text string // what was found
}

// New makes a graph of names and what each needs. If there are problems, there is no
// graph.
func New(names []string, needs func(i int) []string) (*Graph, []Problem) {
	g := &Graph{names: names, needs: make([][]int, len(names)), users: make([][]int, len(names))}
	var problems []Problem
	add := func(node, need int, format string, args ...any) {
		problems = append(problems, Problem{node, need, fmt.Sprintf(format, args...)})
	}
	at := make(map[string]int, len(names))
	g.at = at
	for i, name := range names {
		if first, twice := at[name]; twice {
			add(i, -1, "found %q, which is the name of number %d, too", name, first)
			continue
		}
		at[name] = i
	}
	asked := make([]int, len(names)) // the last that needs it, from 1
	for i := range names {
		for n, name := range needs(i) {
			to, known := at[name]
			switch {
			case !known:
				add(i, n, "found %q, and nothing has this name", name)
			case name == names[i]:
				add(i, n, "found %q, which is its own name", name)
			case asked[to] == i+1:
				add(i, n, "found %q a second time", name)
			default:
				asked[to] = i + 1
				g.needs[i] = append(g.needs[i], to)
				g.users[to] = append(g.users[to], i)
			}
		}
	}
	for _, cycle := range g.cycles() {
		add(cycle[0], -1, "is in a cycle: %s", g.path(cycle))
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return a.Node - b.Node })
		return nil, problems
	}
	return g, nil
}

// Len is how many there are.
func (g *Graph) Len() int { return len(g.names) }

// Needs are those that one needs, in the order in which they were given.
func (g *Graph) Needs(i int) []int { return g.needs[i] }

// Users are those that need one, ascending.
func (g *Graph) Users(i int) []int { return g.users[i] }

// Find returns the number of a name, or -1.
func (g *Graph) Find(name string) int {
	if i, known := g.at[name]; known {
		return i
	}
	return -1
}

// Reaches says whether one needs another, directly or by way of others.
func (g *Graph) Reaches(from, to int) bool {
	seen, next := map[int]bool{from: true}, []int{from}
	for len(next) > 0 {
		one := next[len(next)-1]
		next = next[:len(next)-1]
		for _, need := range g.needs[one] {
			if need == to {
				return true
			}
			if !seen[need] {
				seen[need] = true
				next = append(next, need)
			}
		}
	}
	return false
}

// path is a cycle in words. Of a long one, the middle is left out.
func (g *Graph) path(cycle []int) string {
	const most = 20
	var b strings.Builder
	for i, one := range cycle {
		switch {
		case len(cycle) > most && i == most/2:
			fmt.Fprintf(&b, "... (%d more) needs ", len(cycle)-most)
		case len(cycle) <= most || i < most/2 || i >= len(cycle)-most/2:
			fmt.Fprintf(&b, "%s needs ", g.names[one])
		}
	}
	return b.String() + g.names[cycle[0]]
}
