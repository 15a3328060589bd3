package verify

import (
	"github.com/guidon-go/guidon/internal/jsontree"
)

// column is what the elements of an array have at one path below them. With it a
// wanted element is compared with all of them at once, and what they have in common
// only once for all wanted ones: 200 against 200 take 200 looks at a column, and
// not 40,000 comparisons.
type column struct {
	at    []int32          // the places of the elements that have anything there, ascending
	nodes []*jsontree.Node // what they have

	members map[string]*column // of those that are objects, as far as anybody asked
	items   []*column          // of those that are arrays
	values  map[value]int32    // numbers those that are neither; nil until somebody asks
	numbers []int32            // of nodes, by values
}

// value is the same for two nodes exactly if they are equal, and neither array nor
// object.
type value struct {
	kind jsontree.Kind
	text string
}

func newColumn(elements []jsontree.Node) *column {
	c := &column{}
	for i := range elements {
		c.add(int32(i), &elements[i])
	}
	return c
}

func (c *column) add(at int32, n *jsontree.Node) {
	c.at, c.nodes = append(c.at, at), append(c.nodes, n)
}

// narrow returns those of the places that have what fits want, in the memory of
// places.
func (m *matcher) narrow(c *column, want *jsontree.Node, places []int32) []int32 {
	if m.steps += 1 + len(places)/8; m.steps > mostSteps || len(places) == 0 {
		return nil
	}
	if scalar(want) {
		number, known := m.numbered(c)[m.value(want)]
		return c.keep(places, func(i int) bool { return known && c.numbers[i] == number })
	}
	if m.modes[want] != Positional {
		return c.keep(places, func(i int) bool { return m.fits(want, c.nodes[i]) })
	}
	array := want.Kind == jsontree.Array
	places = c.keep(places, func(i int) bool {
		n := c.nodes[i]
		return n.Kind == want.Kind && (!array || len(n.Items) == len(want.Items))
	})
	for i := range want.Items {
		if len(places) == 0 {
			break
		}
		w := &want.Items[i]
		if array {
			places = m.narrow(m.item(c, i), w, places)
		} else {
			places = m.narrow(m.memberColumn(c, w.Key), w, places)
		}
	}
	return places
}

// keep returns those places that the column has a fitting node for.
func (c *column) keep(places []int32, fits func(i int) bool) []int32 {
	kept, i := places[:0], 0
	for _, at := range places {
		for i < len(c.at) && c.at[i] < at {
			i++
		}
		if i < len(c.at) && c.at[i] == at && fits(i) {
			kept = append(kept, at)
		}
	}
	return kept
}

func (m *matcher) memberColumn(c *column, key string) *column {
	below := c.members[key]
	if below == nil {
		below = newColumn(nil)
		next := 0
		for i, n := range c.nodes {
			if n.Kind != jsontree.Object {
				continue
			}
			if member := m.member(n, key, &next); member != nil {
				below.add(c.at[i], member)
			}
			next = max(next-1, 0) // where it is in the next one, too
		}
		m.steps += len(c.nodes)
		if c.members == nil {
			c.members = map[string]*column{}
		}
		c.members[key] = below
	}
	return below
}

func (m *matcher) item(c *column, i int) *column {
	for len(c.items) <= i {
		at, below := len(c.items), newColumn(nil)
		for j, n := range c.nodes {
			if n.Kind == jsontree.Array && at < len(n.Items) {
				below.add(c.at[j], &n.Items[at])
			}
		}
		m.steps += len(c.nodes)
		c.items = append(c.items, below)
	}
	return c.items[i]
}

// numbered gives equal nodes of the column equal numbers.
func (m *matcher) numbered(c *column) map[value]int32 {
	if c.values == nil {
		c.values = map[value]int32{}
		c.numbers = make([]int32, len(c.nodes))
		for i, n := range c.nodes {
			if !scalar(n) {
				c.numbers[i] = -1
				continue
			}
			v := m.value(n)
			number, known := c.values[v]
			if !known {
				number = int32(len(c.values))
				c.values[v] = number
			}
			c.numbers[i] = number
		}
		m.steps += len(c.nodes)
	}
	return c.values
}

func (m *matcher) value(n *jsontree.Node) value {
	switch n.Kind {
	case jsontree.Number:
		return value{n.Kind, jsontree.CanonicalNumber(n.Text())}
	case jsontree.String:
		return value{n.Kind, m.text(n)}
	}
	return value{n.Kind, n.RawString()}
}
