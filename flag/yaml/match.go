package yaml

import (
	"slices"

	goyaml "go.yaml.in/yaml/v4"
)

// match says for each of the items after which of those before it is, or -1: equal ones,
// in an order that leaves as many as possible where they are.
func match(before, after []*goyaml.Node) []int {
	at := map[string][]int{}
	for i, n := range before {
		text := flow(n)
		at[text] = append(at[text], i)
	}
	from := make([]int, len(after))
	for i, n := range after {
		from[i] = -1
		if text := flow(n); len(at[text]) > 0 {
			from[i], at[text] = at[text][0], at[text][1:]
		}
	}
	// The longest ascending part of that: ends[k] is where the best one of k+1 ends.
	var ends []int
	back := make([]int, len(after))
	for i, f := range from {
		if f < 0 {
			continue
		}
		k, _ := slices.BinarySearchFunc(ends, f, func(j, f int) int { return from[j] - f })
		back[i] = -1
		if k > 0 {
			back[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		}
		ends[k] = i
	}
	keep := map[int]bool{}
	if len(ends) > 0 {
		for i := ends[len(ends)-1]; i >= 0; i = back[i] {
			keep[i] = true
		}
	}
	for i := range from {
		if !keep[i] {
			from[i] = -1
		}
	}
	return from
}

// pair matches what stands between matches: objects whose first value is the same, which
// are the same with a change; and, if no comment would tell of another, what stands in
// the place of it.
func (e *editor) pair(n *goyaml.Node, spans []span, before, after []*goyaml.Node, from []int) {
	for lo := 0; lo < len(after); lo++ {
		if from[lo] >= 0 {
			continue
		}
		hi, first, end := lo, 0, len(before)
		for hi < len(after) && from[hi] < 0 {
			hi++
		}
		if lo > 0 {
			first = from[lo-1] + 1
		}
		if hi < len(after) {
			end = from[hi]
		}
		plain := hi-lo == end-first
		for i, next := lo, first; i < hi; i++ {
			for b := next; b < end && len(after[i].Content) > 0; b++ {
				if alike(before[b], after[i]) {
					from[i], next, plain = b, b+1, false
					break
				}
			}
		}
		for b := first; plain && b < end; b++ {
			plain = e.remark(spans[b].from, spans[b].to, n.Content[b]) < 0
		}
		for i := lo; plain && i < hi; i++ {
			from[i] = first + i - lo
		}
		lo = hi
	}
}

// alike says whether two objects begin with the same value.
func alike(a, b *goyaml.Node) bool {
	if len(a.Content) == 0 || len(b.Content) == 0 {
		return false
	}
	for len(a.Content) > 0 && len(b.Content) > 0 && a.Kind == b.Kind {
		i := 0
		if a.Kind == goyaml.MappingNode {
			if i = 1; a.Content[0].Value != b.Content[0].Value {
				return false
			}
		}
		a, b = a.Content[i], b.Content[i]
	}
	return equal(a, b)
}
