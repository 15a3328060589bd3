package flag

import (
	"maps"
	"slices"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// circles refuses flags that need one another in a circle, or whose needs multiply
// beyond all measure.
func (c *compilation) circles() {
	needs := func(key string) map[string]int { return c.uses[key].flags }
	keys := slices.Sorted(maps.Keys(c.doc.Flags))
	if findCircle(keys, needs) != nil {
		for _, key := range keys {
			if around := way(key, key, needs); around != nil {
				k := c.under("flags", key)
				k.add(k.path, "needs itself: %s", c.spellNeeds(around))
				delete(c.good, key)
			}
		}
		return
	}
	cost := map[string]int{}
	var add func(key string) int
	add = func(key string) int {
		if total, ok := cost[key]; ok {
			return total
		}
		total := c.uses[key].tests
		for other, times := range c.uses[key].flags {
			total = min(total+times*add(other), maxTests+1)
		}
		cost[key] = total
		return total
	}
	for _, key := range keys {
		if add(key) > maxTests {
			k := c.under("flags", key)
			k.add(k.path, "one evaluation can take more than 1,000,000 tests, by the segments and flags that it names")
			delete(c.good, key)
		}
	}
}

// spellNeeds writes the way along some flags, with the segments between them.
func (c *compilation) spellNeeds(keys []string) string {
	const most = 50
	paths := []string{jsontree.Join("flags", keys[0])}
	for i, other := range keys[1:] {
		if i == most {
			return strings.Join(append(paths, "..."), " -> ")
		}
		for _, name := range c.between(keys[i], other) {
			paths = append(paths, jsontree.Join("segments", name))
		}
		paths = append(paths, jsontree.Join("flags", other))
	}
	return strings.Join(paths, " -> ")
}

// between returns the segments through which a flag needs another; none if it names
// it itself.
func (c *compilation) between(key, other string) []string {
	seen := map[string]bool{}
	var walk func(conditions []*Condition) (names []string, found bool)
	walk = func(conditions []*Condition) ([]string, bool) {
		var inner []string
		for _, condition := range conditions {
			segments, flags := mentioned(condition)
			if slices.Contains(flags, other) {
				return nil, true
			}
			inner = append(inner, segments...)
		}
		for _, name := range inner {
			if seen[name] {
				continue
			}
			seen[name] = true
			if rest, found := walk([]*Condition{c.doc.Segments[name].If}); found {
				return append([]string{name}, rest...), true
			}
		}
		return nil, false
	}
	def := c.doc.Flags[key]
	conditions := []*Condition{def.When}
	for i := range def.Rules {
		conditions = append(conditions, &def.Rules[i].If)
	}
	names, _ := walk(conditions)
	return names
}

// circle returns the keys of some flags that need one another in a circle, or nil.
func circle(flags map[string]*compiled) []string {
	return findCircle(slices.Sorted(maps.Keys(flags)), func(key string) map[string]int {
		if f := flags[key]; f != nil {
			return f.linked().needs
		}
		return nil
	})
}

// findCircle walks along all needs once.
func findCircle(keys []string, needs func(string) map[string]int) []string {
	const underWay, done = 1, 2
	state := map[string]int{}
	var trail, found []string
	var walk func(key string) bool
	walk = func(key string) bool {
		switch state[key] {
		case done:
			return false
		case underWay:
			found = slices.Clone(trail[slices.Index(trail, key):])
			return true
		}
		state[key] = underWay
		trail = append(trail, key)
		for _, other := range slices.Sorted(maps.Keys(needs(key))) {
			if walk(other) {
				return true
			}
		}
		trail = trail[:len(trail)-1]
		state[key] = done
		return false
	}
	for _, key := range keys {
		if walk(key) {
			return found
		}
	}
	return nil
}

// way returns the keys from one flag along its needs to another, or nil.
func way(from, to string, needs func(string) map[string]int) []string {
	seen := map[string]bool{}
	trail := []string{from}
	var walk func(key string) bool
	walk = func(key string) bool {
		for _, other := range slices.Sorted(maps.Keys(needs(key))) {
			if other == to {
				trail = append(trail, to)
				return true
			}
			if !seen[other] {
				seen[other] = true
				trail = append(trail, other)
				if walk(other) {
					return true
				}
				trail = trail[:len(trail)-1]
			}
		}
		return false
	}
	if !walk(from) {
		return nil
	}
	return trail
}
