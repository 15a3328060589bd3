package flag

import (
	"iter"
	"regexp"
	"strings"

	"github.com/guidon-go/guidon/internal/jsontree"
)

// consequence is how problems read that may only follow from others below them, and
// missed those of a field that is not there.
var (
	consequence = regexp.MustCompile(`^has no (condition|operator),|^is always open|^(sums to|leaves|overlaps with) |want from to be less than to$`)
	missed      = regexp.MustCompile(`^(missing|has no condition),`)
	misspelt    = regexp.MustCompile(`^unknown field, did you mean "(.*)"\?$`)
)

// causes are the places of problems that were found first, those above them, and the
// fields that are most likely misspelt. There can be many.
type causes struct{ at, above, misspelt map[string]bool }

func newCauses(found Problems) causes {
	c := causes{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, p := range found {
		c.at[p.Path] = true
		for path := range above(p.Path) {
			c.above[path] = true
		}
		if meant := misspelt.FindStringSubmatch(p.Text); meant != nil {
			parent, _ := cutLast(p.Path)
			c.misspelt[jsontree.Join(parent, meant[1])] = true
		}
	}
	return c
}

// explain says whether a problem only follows from one of them: at the same place or
// around it, below it, of a field that is missing because it is misspelt, or of
// variants that could not be read.
func (c causes) explain(p Problem) bool {
	for path := range above(p.Path) {
		if c.at[path] {
			return true
		}
	}
	return consequence.MatchString(p.Text) && c.above[p.about()] ||
		missed.MatchString(p.Text) && c.misses(p.Path) ||
		strings.HasPrefix(p.Text, "unknown variant") && c.hideVariants(owner(p.Path))
}

// misses says whether a field is there, but misspelt, or one that does without it.
func (c causes) misses(path string) bool {
	parent, name := cutLast(path)
	return c.misspelt[path] || name == "serve" && (c.misspelt[parent+".ramp"] || c.misspelt[parent+".split"])
}

// hideVariants says whether the variants of the flag at a path could not be read.
func (c causes) hideVariants(flag string) bool {
	return c.at[flag] || c.hide(jsontree.Join(flag, "variants"))
}

// hide says whether what stands at a path could not be read.
func (c causes) hide(path string) bool { return c.at[path] || c.misspelt[path] }

// above yields a path and those that lead to it.
func above(path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := 1; i < len(path); i++ {
			if (path[i] == '.' || path[i] == '[') && !yield(path[:i]) {
				return
			}
		}
		yield(path)
	}
}

// about is the place that holds everything a problem is about.
func (p Problem) about() string {
	if !strings.HasPrefix(p.Text, "overlaps with") {
		return p.Path
	}
	if i := strings.LastIndex(p.Path, ".parts["); i >= 0 {
		return p.Path[:i]
	}
	return jsontree.Join(owner(p.Path), "flags")
}

// cutLast splits a path at its last field.
func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}
