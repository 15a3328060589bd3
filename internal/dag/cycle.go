package dag

import "slices"

// cycles finds one cycle, a short one, in every part of the graph whose nodes all need
// one another. Each begins with its lowest number.
func (g *Graph) cycles() (all [][]int) {
	part := g.parts()
	seen := make([]bool, len(g.names))
	for i := range g.names {
		if part[i] < 0 || seen[part[i]] {
			continue
		}
		seen[part[i]] = true
		all = append(all, g.around(i, part))
	}
	return all
}

// around is the shortest way from a node back to itself.
func (g *Graph) around(start int, part []int) []int {
	from := map[int]int{}
	for next := []int{start}; ; next = next[1:] {
		one := next[0]
		for _, need := range g.needs[one] {
			if need == start {
				cycle := []int{one}
				for one != start {
					one = from[one]
					cycle = append(cycle, one)
				}
				slices.Reverse(cycle)
				return cycle
			}
			if _, known := from[need]; !known && part[need] == part[start] {
				from[need] = one
				next = append(next, need)
			}
		}
	}
}

// parts numbers the parts of more than one node whose nodes all need one another; -1 is
// none of them. It is Tarjan's algorithm (SIAM Journal on Computing 1(2), 1972), with a
// stack of its own, as a chain of needs may be long.
func (g *Graph) parts() []int {
	n := len(g.names)
	part, order, low := make([]int, n), make([]int, n), make([]int, n)
	for i := range part {
		part[i] = -1
	}
	type call struct{ node, need int }
	var calls []call
	var stack []int
	on := make([]bool, n)
	count, parts := 0, 0
	enter := func(i int) {
		count++
		order[i], low[i] = count, count
		stack, on[i] = append(stack, i), true
		calls = append(calls, call{i, 0})
	}
	for root := range n {
		if order[root] > 0 {
			continue
		}
		for enter(root); len(calls) > 0; {
			c := &calls[len(calls)-1]
			if c.need < len(g.needs[c.node]) {
				need := g.needs[c.node][c.need]
				c.need++
				if order[need] == 0 {
					enter(need)
				} else if on[need] {
					low[c.node] = min(low[c.node], order[need])
				}
				continue
			}
			node := c.node
			calls = calls[:len(calls)-1]
			if len(calls) > 0 {
				up := calls[len(calls)-1].node
				low[up] = min(low[up], low[node])
			}
			if low[node] < order[node] {
				continue
			}
			at := len(stack) - 1
			for stack[at] != node {
				at--
			}
			members := stack[at:]
			stack = stack[:at]
			for _, m := range members {
				on[m] = false
				if len(members) > 1 {
					part[m] = parts
				}
			}
			if len(members) > 1 {
				parts++
			}
		}
	}
	return part
}
